"""The documentation is built with warnings as errors, and what it says of settings is what the code reads."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from pivo.settings import CHECKOUT, Ports, Settings

DOCS = CHECKOUT / "docs"


def test_the_documentation_builds_without_a_warning(tmp_path: Path) -> None:
    words = [str(Path(sys.executable).with_name("mkdocs")), "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "reference" / "commands" / "index.html").read_text()
    assert "pivo restore" in page and "--all-refs" in page
    assert "RestoreEvent" in (tmp_path / "reference" / "events" / "index.html").read_text()
    assert "refs/heads/main" in (tmp_path / "reference" / "manifest" / "index.html").read_text()


def test_the_pages_ask_no_other_host(tmp_path: Path) -> None:
    words = [str(Path(sys.executable).with_name("mkdocs")), "build", "--quiet", "--site-dir", str(tmp_path)]
    subprocess.run(words, cwd=CHECKOUT, capture_output=True, check=True)
    for page in tmp_path.rglob("*.html"):
        for tag in re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=\"?(?:https?:)?//[^>]*>", page.read_text()):
            raise AssertionError(f"{page.name}: {tag}")


def test_the_page_of_settings_names_every_setting() -> None:
    read: set[str] = set()

    class Recorder(dict[str, str]):
        def get(self, key: str, default: Any = None) -> Any:
            read.add(key)
            return default

    Settings.load(Recorder())
    page = (DOCS / "reference" / "settings.md").read_text()
    ports = {f"PIVO_PORT_{field.name.upper()}": field for field in fields(Ports)}
    told = {name for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", page) if not re.fullmatch(r"PIVO_PORT_.*|[A-Z]+", name)}
    for name, field in ports.items():
        assert re.search(rf"`{name.removeprefix('PIVO_PORT_')}` {field.default}\b", page), name
    short = {field.name.upper() for field in ports.values()}
    assert told - short == {name for name in read if name not in ports and name not in ("USER", "LOGNAME")} - {
        "PIVO_PORT_OFFSET"
    }
