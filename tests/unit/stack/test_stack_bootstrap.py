from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pivo.settings import CHECKOUT
from pivo.stack import bootstrap

SCRIPT = CHECKOUT / "include" / "pivo" / "stack" / "bootstrap.py"


def test_it_needs_nothing_but_the_standard_library() -> None:
    run = subprocess.run([sys.executable, "-S", str(SCRIPT), "--help"], capture_output=True, text=True, check=False)
    assert run.returncode == 0 and "--dev" in run.stdout


def test_another_python_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(bootstrap.SetupError) as caught:
        bootstrap.check_machine()
    assert "3.9" in caught.value.args[0] and "PYTHON=" in caught.value.args[1]


def test_stamps_add_up_and_survive_a_broken_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / "share" / "setup.json")
    assert bootstrap.stamped() == {}
    bootstrap.stamp(packages="1")
    bootstrap.stamp(jars="2")
    assert bootstrap.stamped() == {"packages": "1", "jars": "2"}
    bootstrap.STAMP.write_text("{")
    assert bootstrap.stamped() == {}


def test_pip_and_uv_are_told_of_the_same_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "UV_DEFAULT_INDEX", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", "/ca.pem")
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example/simple")
    env = bootstrap.environment()
    assert env["PIP_CERT"] == "/ca.pem"
    assert env["UV_DEFAULT_INDEX"] == "https://index.example/simple"


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-bootstrap.txt"])
def test_every_locked_package_has_a_hash_and_no_address(name: str) -> None:
    text = (CHECKOUT / name).read_text()
    pins = [block for block in text.replace("\\\n", " ").splitlines() if block and not block.startswith("#")]
    assert pins
    assert all("==" in pin and "--hash=sha256:" in pin for pin in pins)
    assert "://" not in text and "--index-url" not in text


def test_the_development_packages_are_a_superset() -> None:
    def names(file: str) -> set[str]:
        lines = (CHECKOUT / file).read_text().splitlines()
        return {line.split(" ")[0] for line in lines if "==" in line and not line.startswith(" ")}

    assert names("requirements.txt") <= names("requirements-dev.txt")
