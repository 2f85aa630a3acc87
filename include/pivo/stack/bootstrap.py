"""Sets everything up, once: virtual environment, packages by their hashes, this project, the jars.

    python3 include/pivo/stack/bootstrap.py [--dev]

Runs on a bare Python 3.11 or 3.12, standard library only. Done steps are stamped in the virtual environment by the
hash of what they were made from, so a second run has nothing to do and an interrupted one is taken up again.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "share" / "pivo" / "setup.json"
TOOLS = ROOT / "requirements-bootstrap.txt"
"""uv and setuptools: what the rest is installed and built with."""


class SetupError(Exception):
    """What happened, and what to do."""


def say(text: str) -> None:
    """A line of progress."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def step(name: str, work: Callable[[], None]) -> None:
    """Runs a named step and says how long it took."""
    say(f"  {name} …")
    begun = time.monotonic()
    work()
    say(f"  {name}: done in {time.monotonic() - begun:.0f} s")


def digest(*files: Path) -> str:
    """One hash over the content of files."""
    total = hashlib.sha256()
    for path in files:
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def stamped() -> dict[str, str]:
    """The hashes of the steps that were done."""
    try:
        return dict(json.loads(STAMP.read_text()))
    except (OSError, ValueError):
        return {}


def stamp(**done: str) -> None:
    """Records steps as done."""
    STAMP.parent.mkdir(parents=True, exist_ok=True)
    fresh = STAMP.with_suffix(".new")
    fresh.write_text(json.dumps({**stamped(), **done}))
    fresh.replace(STAMP)


def environment() -> dict[str, str]:
    """This environment, with what pip and uv each need to know of the same certificates and index."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    bundle = env.get("SSL_CERT_FILE") or env.get("PIP_CERT") or env.get("REQUESTS_CA_BUNDLE")
    if bundle:
        env.setdefault("PIP_CERT", bundle)
        env.setdefault("SSL_CERT_FILE", bundle)
    if env.get("PIP_INDEX_URL"):
        env.setdefault("UV_DEFAULT_INDEX", env["PIP_INDEX_URL"])
    env.setdefault("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    env.setdefault("UV_HTTP_TIMEOUT", "300")
    return env


def run(*command: str | Path) -> int:
    """Runs a command in the checkout; its output is the person's to see."""
    return subprocess.run([str(word) for word in command], cwd=ROOT, env=environment(), check=False).returncode


def run_uv(*command: str | Path) -> bool:
    """Runs uv and shows of its report what is downloaded, built or wrong, not each package; True when it is done."""
    words = [str(word) for word in command]
    try:
        with subprocess.Popen(words, cwd=ROOT, env=environment(), stderr=subprocess.PIPE, text=True) as uv:
            for line in uv.stderr or ():
                if not line.startswith((" + ", " - ", " ~ ", " Downloaded")):
                    say("    " + line.rstrip())
            return uv.wait() == 0
    except OSError as err:  # no wheel of uv for this machine
        say(f"    uv does not run here: {err.strerror}")
        return False


def check_machine() -> None:
    """Python's version and modules, git, a bit of disk."""
    if not (3, 11) <= sys.version_info[:2] <= (3, 12):
        raise SetupError(
            f"This is Python {sys.version_info[0]}.{sys.version_info[1]}; PIVO runs on 3.11 and 3.12.",
            "Install one of them, then: make PYTHON=python3.12 setup",
        )
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing and not PYTHON.exists():
        raise SetupError(
            f"This Python has no {' and no '.join(missing)}.",
            f"On Debian and Ubuntu: apt install python{sys.version_info[0]}.{sys.version_info[1]}-venv",
        )
    if shutil.which("git") is None:
        raise SetupError("git is not installed.", "Install it with your system's package manager.")
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < 4 and "packages" not in stamped():
        raise SetupError(
            f"The packages need about 4 GB of disk at {ROOT}; {free:.1f} GB are free.", "Make room, or clone elsewhere."
        )


def make_venv() -> None:
    """The virtual environment; one that does not run, or has no pip, is made anew."""
    fits = "import pip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))"
    if PYTHON.exists() and subprocess.run([PYTHON, "-c", fits], capture_output=True, check=False).returncode == 0:
        return
    if run(sys.executable, "-m", "venv", "--clear", VENV) != 0:
        raise SetupError(
            f"Python could not make a virtual environment in {VENV}.", "Its message is above; mend that and try again."
        )


def install(requirements: Path) -> None:
    """The locked packages, by hash and without resolving anything; with uv, or with pip where uv cannot."""
    pip = (PYTHON, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps")
    if run(*pip, "--only-binary", ":all:", "-r", TOOLS) != 0:
        raise SetupError("uv and setuptools could not be installed.", _NETWORK)
    # the tools are in place, so the packages that are built (pyspark, this project) need no second download
    uv = (VENV / "bin" / "uv", "pip", "install", "--python", PYTHON, "--no-build-isolation", "--no-deps")
    if not run_uv(*uv, "--require-hashes", "-r", requirements):
        say("  uv could not install the packages; pip tries")
        if run(*pip, "--no-build-isolation", "--use-pep517", "-r", requirements) != 0:
            raise SetupError("The packages could not be installed.", _NETWORK)
    editable = (PYTHON, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", ROOT)
    if not run_uv(*uv, "--editable", ROOT) and run(*editable) != 0:
        raise SetupError("PIVO itself could not be installed.", "The message is above; `rm -rf .venv` starts over.")


def fetch_jars() -> None:
    """HDFS, ZooKeeper and Kafka, through the Ivy that pyspark brings."""
    if run(PYTHON, "-m", "pivo.stack.jars") != 0:
        raise SetupError("The jars of HDFS and Kafka could not be fetched.", _NETWORK)


_NETWORK = "The message is above; check the network (behind a proxy: HTTPS_PROXY, SSL_CERT_FILE), then run it again."


def set_up(dev: bool) -> None:
    """All steps that are not done yet."""
    base = ROOT / "requirements.txt"
    full = ROOT / "requirements-dev.txt"
    here = ROOT / "include" / "pivo" / "stack"
    packages = digest(TOOLS, base, ROOT / "pyproject.toml")
    wanted = {"packages": packages, **({"dev": digest(full)} if dev else {})}
    jars = digest(here / "ivy.xml", here / "jars.sha256")
    done = stamped() if (VENV / "bin" / "pivo").exists() else {}
    if all(done.get(name) == value for name, value in {**wanted, "jars": jars}.items()):
        return
    say("Setting up PIVO (once):")
    step("virtual environment", make_venv)
    done = stamped()
    if any(done.get(name) != value for name, value in wanted.items()) or not (VENV / "bin" / "pivo").exists():
        step("packages", lambda: install(full if dev else base))
        stamp(**wanted)
    if done.get("jars") != jars or not (VENV / "share" / "pivo" / "jars").is_dir():
        step("jars", fetch_jars)
        stamp(jars=jars)


def main() -> int:
    """The command; 0 done, 1 failed."""
    parser = argparse.ArgumentParser(description="Set PIVO up in this checkout.")
    parser.add_argument("--dev", action="store_true", help="with what the tests and linters need")
    dev = parser.parse_args().dev
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        check_machine()
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("Another setup is at work in this checkout; waiting for it.")
            fcntl.flock(folder, fcntl.LOCK_EX)
        set_up(dev)
    except SetupError as err:
        what, do = err.args
        say(f"error: {what}\n  {do}")
        return 1
    except KeyboardInterrupt:
        say("Interrupted; the next run goes on from here.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
