"""A hook of MkDocs: the reference pages that are made from code, at every build.

Commands come from the command line's own help, events and the manifest from the classes that are sent and stored.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "include"))


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """MkDocs asks which files there are: its own, and these."""
    for name, make in (("commands", commands), ("events", events), ("manifest", manifest)):
        files.append(File.generated(config, f"reference/{name}.md", content=make()))
    return files


def commands() -> str:
    """Every command with its options, as `--help` has them."""
    import typer

    from pivo.cli import app

    group: Any = typer.main.get_command(app)
    lines = [
        "# Commands",
        "",
        "Exit codes: 0 done, 1 failed (one sentence what happened, one what to do), 2 wrong usage.",
        "",
    ]
    for name, command in sorted(group.commands.items()):
        lines += _command(f"pivo {name}", command)
    return "\n".join(lines)


def _command(title: str, command: Any) -> Iterator[str]:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not getattr(p, "hidden", False)]
    shown = " ".join(f"<{p.name}>" if p.required else f"[{p.name}]" for p in arguments)
    yield from (f"## `{title}`", "", inspect.cleandoc(command.help or ""), "", f"    {title} {shown} …", "")
    rows = [(f"`{p.name}`", getattr(p, "help", None) or "") for p in arguments]
    rows += [(", ".join(f"`{o}`" for o in [*p.opts, *p.secondary_opts]), p.help or "") for p in options]
    if rows:
        yield from ("| | |", "|---|---|", *(f"| {name} | {_cell(text)} |" for name, text in rows), "")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def events() -> str:
    """Each type of event with its fields."""
    from pivo.events import types

    assert types.__doc__
    lines = ["# Events", "", "CloudEvents 1.0 in JSON; the key of a record is the repository's name.", ""]
    _, _, table = types.__doc__.partition("\n\n")
    lines += [table.strip(), "", *(_fields(kind) for kind in _event_classes(types))]
    return "\n".join(lines)


def _event_classes(module: Any) -> list[type]:
    found = [k for _, k in inspect.getmembers(module, inspect.isclass) if k.__name__.endswith("Event")]
    return sorted((k for k in found if k.__module__ == module.__name__), key=lambda k: inspect.getsourcelines(k)[1])


def _fields(kind: type) -> str:
    told = inspect.cleandoc(kind.__doc__ or "")
    if dataclasses.is_dataclass(kind):
        names = [(f.name, f.type) for f in dataclasses.fields(kind)]
    else:
        names = [(f.name, kind.__annotations__[f.name]) for f in msgspec.structs.fields(kind)]
    rows = "\n".join(f"| `{name}` | `{str(type_).replace('|', 'or')}` |" for name, type_ in names)
    return f"## {kind.__name__}\n\n{told}\n\n| field | type |\n|---|---|\n{rows}\n"


def manifest() -> str:
    """The manifest's parts, and one as it is stored."""
    from pivo import models
    from pivo.snapshot import manifest as manifests

    refs = (models.Ref("refs/heads/main", "5d0d6b1c" * 5), models.Ref("refs/tags/v1", "0c" * 20, "5d0d6b1c" * 5))
    folder = "000001-" + refs[0].target[:12]
    pack = models.StoredPack(folder, "c0ffee" * 6 + "c0ff", 1234, "ab" * 32, 1100, "cd" * 32, 3)
    example = models.Manifest(
        repo="acme/widgets", seq=1, head=refs[0].target, head_ref="refs/heads/main", source="https://example.org/w.git",
        taken_at=datetime(2026, 11, 20, 2, 0, tzinfo=UTC), refs=refs, packs=(pack,), previous=None, files=1, commits=1,
        tool="pivo",
    )  # fmt: skip
    raw = manifests.dump(example)
    shown = json.dumps(json.loads(manifests.text_of(raw)), indent=1)
    parts = (models.Manifest, models.Ref, models.StoredPack, models.Segment, models.LfsObject, models.LfsMissing)
    return "\n".join(
        [
            "# The manifest",
            "",
            inspect.cleandoc(manifests.__doc__ or ""),
            "",
            f"`hdfs dfs -text /backups/acme/widgets/{folder}/{manifests.NAME}` shows one:",
            "",
            "```json",
            shown,
            "```",
            "",
            "How to get the packs out with git alone: [Design](../design.md).",
            "",
            *(_fields(part) for part in parts),
        ]
    )
