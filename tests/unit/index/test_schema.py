"""What is told of the index is what there is, and all of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from typer.testing import CliRunner

from pivo.cli import app
from pivo.errors import NotFound
from pivo.index.schema import TABLES, VIEWS, markdown, relations
from pivo.index.tables import FROM_KAFKA
from pivo.settings import CHECKOUT


def columns(db, name):
    return [row[1] for row in db.execute(f"PRAGMA table_info({name})")]


def test_every_table_and_column_is_described_in_its_order(db):
    names = {n for (n,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    shadows = {n for n in names if n.rpartition("_")[0] in names and n.rpartition("_")[0].endswith("_fts")}
    assert names - shadows - {"sqlite_sequence"} == set(TABLES)
    for name, (about, described) in TABLES.items():
        assert about
        assert columns(db, name) == list(described), name
        assert all(described.values()), name


def test_every_view_has_the_columns_that_are_described(db):
    assert {n for (n,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'view'")} == {v.name for v in VIEWS}
    for relation in relations(tables=False):
        assert columns(db, relation.name) == list(relation.columns), relation.name
        assert relation.about and all(relation.columns.values())


def test_the_documentation_is_what_the_code_says():
    path = Path(CHECKOUT / "docs" / "schema.md")
    assert path.read_text(encoding="utf-8") == markdown(), (
        f"write it anew: python -c 'from pivo.index.schema import markdown; print(markdown(), end=\"\")' > {path}"
    )


def test_what_only_kafka_tells_are_tables_of_the_index():
    assert set(FROM_KAFKA) <= set(TABLES)


def test_the_command_prints_what_the_documentation_says():
    told = CliRunner().invoke(app, ["schema", "v_hours", "--json"])
    assert json.loads(told.stdout) == [asdict(r) for r in relations() if r.name == "v_hours"]
    assert "repo_days" not in CliRunner().invoke(app, ["schema"]).stdout
    assert "repo_days" in CliRunner().invoke(app, ["schema", "--all"]).stdout
    assert isinstance(CliRunner().invoke(app, ["schema", "v_nothing"]).exception, NotFound)
