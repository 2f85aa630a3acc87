from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pivo.stack import java


def fake(folder: Path, version: int, vector: bool = True) -> Path:
    """A `java` that says it is `version`, and otherwise prints its arguments."""
    binary = folder / "bin" / "java"
    binary.parent.mkdir(parents=True)
    module = f"echo {java.VECTOR}@{version}" if vector else "true"
    binary.write_text(
        "#!/bin/sh\n"
        'if [ "$1" = -XshowSettings:properties ]; then\n'
        f"  echo '    java.home = {folder}' >&2; echo '    java.specification.version = {version}' >&2; {module}\n"
        'else printf "%s\\n" "$@"; fi\n'
    )
    binary.chmod(0o755)
    return binary


def test_java_home_comes_before_the_path(tmp_path: Path) -> None:
    fake(tmp_path / "one", 21)
    fake(tmp_path / "two", 17)
    found = java.find({"JAVA_HOME": str(tmp_path / "one"), "PATH": f"{tmp_path}/two/bin:/bin:/usr/bin"})
    assert (found.home, found.version) == (tmp_path / "one", 21)


@pytest.mark.parametrize("version", [8, 11, 24, 25])
def test_a_java_that_hadoop_cannot_use_is_passed_over(tmp_path: Path, version: int) -> None:
    fake(tmp_path / "unfit", version)
    fake(tmp_path / "fit", 17)
    found = java.find({"JAVA_HOME": str(tmp_path / "unfit"), "PATH": f"{tmp_path}/fit/bin:/bin:/usr/bin"})
    assert found.home == tmp_path / "fit"


def test_without_a_system_java_the_wheels_is_found_and_runs() -> None:
    found = java.find({"PATH": ""})
    assert found.version == 17
    assert not found.vector
    assert b"17.0" in subprocess.run([found.binary, "-version"], capture_output=True, check=True).stderr


def test_a_java_home_that_is_broken_is_passed_over(tmp_path: Path) -> None:
    assert java.find({"JAVA_HOME": str(tmp_path / "nothing"), "PATH": ""}).version == 17


def test_the_shim_drops_the_module_and_nothing_else(tmp_path: Path) -> None:
    fake(tmp_path / "java", 17, vector=False)
    plain = java.find({"JAVA_HOME": str(tmp_path / "java"), "PATH": "/bin:/usr/bin"})
    home = java.home_for_spark(plain, tmp_path / "shim")
    arguments = ["-Xmx1g", f"--add-modules={java.VECTOR}", "-Da=b c", "--add-modules=java.sql", "Main", ""]
    run = subprocess.run([home / "bin" / "java", *arguments], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[:-1] == ["-Xmx1g", "-Da=b c", "--add-modules=java.sql", "Main", ""]


def test_a_java_with_the_module_needs_no_shim(tmp_path: Path) -> None:
    fake(tmp_path / "java", 17)
    whole = java.find({"JAVA_HOME": str(tmp_path / "java"), "PATH": "/bin:/usr/bin"})
    assert java.home_for_spark(whole, tmp_path / "shim") == tmp_path / "java"
    assert not (tmp_path / "shim").exists()
