"""What somebody who means harm could ask of the index: nothing of it writes, reads elsewhere, lasts, or fills memory.

The same statements, put to SQLite without the guard, do what they are meant to: the last test counts.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from index_kit import beside_a_secret
from pivo.errors import PivoError
from pivo.index import worker
from pivo.index.reader import IndexReader

TIMEOUT = 0.25  # seconds that a statement gets
LATE = 0.1  # seconds that it may take beyond that
MEMORY = 700 << 20  # bytes that the worker may ever have had

WRITES = [
    "DELETE FROM commits",
    "DELETE FROM v_commits",
    "UPDATE repos SET name = 'owned'",
    "INSERT INTO audit VALUES ('x', 'x', 'x', 'x', 'x', 'x')",
    "REPLACE INTO repos (id, name) VALUES (1, 'owned')",
    "INSERT INTO repos (name) SELECT 'owned' RETURNING id",
    "WITH x AS (SELECT 1) DELETE FROM commits WHERE id IN x",
    "WITH x AS (SELECT 1) INSERT INTO repos (name) SELECT 'owned' FROM x",
    "DROP TABLE commits",
    "DROP TABLE kafka_offsets",
    "DROP VIEW v_audit",
    "CREATE TABLE owned (x)",
    "CREATE TABLE IF NOT EXISTS owned AS SELECT * FROM commits",
    "CREATE VIEW v_owned AS SELECT * FROM sqlite_master",
    "CREATE TRIGGER t AFTER INSERT ON commits BEGIN DELETE FROM audit; END",
    "CREATE INDEX owned ON commits (tree)",
    "CREATE VIRTUAL TABLE owned USING fts5 (x)",
    "CREATE VIRTUAL TABLE owned USING rtree (id, a, b)",
    "ALTER TABLE repos RENAME TO owned",
    "ALTER TABLE repos ADD COLUMN owned",
    "INSERT INTO message_fts (message_fts) VALUES ('delete-all')",
    "INSERT INTO message_fts (message_fts) VALUES ('rebuild')",
    "INSERT INTO message_fts (message_fts, rank) VALUES ('automerge', 0)",
    "DELETE FROM message_fts_data",
    "UPDATE message_fts_config SET v = 9",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA user_version = 77",
    "PRAGMA application_id = 77",
    "PRAGMA wal_checkpoint(TRUNCATE)",
    "VACUUM",
    "VACUUM INTO '{folder}/copy.db'",
    "ATTACH '{folder}/made.db' AS made; CREATE TABLE made.x (y)",
    "SELECT 1; DELETE FROM commits",
    "SELECT 1;\x00DELETE FROM commits",
    "/* */ -- \n DELETE FROM commits",
    "EXPLAIN SELECT 1; DELETE FROM commits",
    "REINDEX",
    "ANALYZE",
]

READS = [
    "SELECT name FROM sqlite_master",
    "SELECT sql FROM sqlite_schema",
    "SELECT name FROM main.sqlite_master",
    "SELECT * FROM sqlite_temp_schema",
    'SELECT * FROM "sqlite_master"',
    "SELECT * FROM [sqlite_master]",
    "SELECT * FROM `SQLITE_MASTER`",
    "SELECT (SELECT group_concat(sql) FROM sqlite_master)",
    "SELECT * FROM v_repos WHERE EXISTS (SELECT 1 FROM sqlite_master WHERE name LIKE 'k%')",
    "SELECT * FROM v_repos UNION ALL SELECT name, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 FROM sqlite_master",
    "WITH v_repos AS (SELECT name FROM sqlite_master) SELECT * FROM v_repos",
    "SELECT count(*) FROM sqlite_master",
    "SELECT * FROM kafka_offsets",
    "SELECT * FROM main.meta",
    "SELECT * FROM schema_migrations",
    "SELECT value FROM snapshot_parts",
    "SELECT max(next_offset) FROM kafka_offsets",
    "SELECT * FROM message_fts_content",
    "SELECT * FROM message_fts_data",
    "SELECT block FROM path_fts_data",
    "SELECT * FROM message_fts_config",
    "SELECT v FROM 'Message_FTS_config'",
    "WITH c AS (SELECT * FROM main.[path_fts_config]) SELECT * FROM c",
    "SELECT * FROM pragma_table_list",
    "SELECT * FROM pragma_table_info('commits')",
    "SELECT * FROM pragma_database_list",
    "SELECT file FROM pragma_database_list",
    "SELECT * FROM pragma_function_list",
    "SELECT * FROM pragma_compile_options",
    "PRAGMA database_list",
    "PRAGMA table_info(audit)",
    "SELECT * FROM dbstat",
    "SELECT * FROM sqlite_dbpage",
    "SELECT * FROM sqlite_stmt",
    "SELECT * FROM fts5vocab",
    "SELECT * FROM generate_series(1, 10)",
    "SELECT * FROM json_each('[1]')",
    "SELECT * FROM json_tree('{}')",
    "SELECT * FROM fts3tokenize('simple', 'x')",
    "SELECT * FROM zipfile('{folder}/secret.db')",
    "SELECT readfile('{folder}/secret.db')",
    "SELECT writefile('{folder}/made', 'x')",
    "SELECT load_extension('{folder}/secret.db')",
    "SELECT edit('x')",
    "SELECT fts3_tokenizer('simple')",
    "SELECT fts5(x'00')",
    "SELECT sqlite_source_id()",
    "SELECT sqlite_compileoption_get(1)",
    "SELECT last_insert_rowid()",
    "SELECT * FROM secret.s",
    "ATTACH '{folder}/secret.db' AS secret",
    "ATTACH 'file:{folder}/secret.db?mode=rw' AS secret",
    "ATTACH ':memory:' AS m",
    "SELECT * FROM 'file:{folder}/secret.db'.s",
    "SELECT * FROM ѕqlite_master",  # a Cyrillic letter
    "ＳＥＬＥＣＴ 1",
    "SELECT\u200b* FROM sqlite_master",
    "SELECT * FROM v_commits\u202e; DROP TABLE commits",
]

REFUSED = [
    "CREATE TEMP TABLE x (y)",
    "CREATE TEMP VIEW v_x AS SELECT * FROM sqlite_master",
    "CREATE TEMP TRIGGER t AFTER INSERT ON repos BEGIN SELECT 1; END",
    "CREATE VIRTUAL TABLE temp.x USING fts5vocab('message_fts', 'row')",
    "DETACH main",
    "PRAGMA query_only = 0",
    "PRAGMA writable_schema = 1",
    "PRAGMA data_version = 1",
    "PRAGMA hard_heap_limit = 0",
    "PRAGMA temp_store_directory = '/'",
    "BEGIN",
    "BEGIN IMMEDIATE",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT x",
    "SELECT 1; SELECT 2",
    "SELECT * FROM commits",
    "SELECT message FROM messages",
    "SELECT * FROM main.dead_letters",
    "SELECT * FROM message_fts",
    "SELECT * FROM v_commits WHERE hash IN (SELECT block FROM path_fts_data)",
    "WITH x AS (SELECT * FROM kafka_offsets) SELECT count(*) FROM x a, x b",
    "WITH v_x AS (SELECT value FROM meta) SELECT * FROM v_x",
    "SELECT bm25(message_fts) FROM v_search WHERE text MATCH 'do'",
    "SELECT highlight(message_fts, 0, 'a', 'b') FROM v_search WHERE text MATCH 'do'",
    "SELECT soundex('x')",
    "SELECT random()",
    "SELECT likely(1)",
    "EXPLAIN SELECT 1",
    "EXPLAIN QUERY PLAN SELECT 1",
    "QUERY PLAN SELECT 1",
    "",
    " -- nothing",
    ";",
    "SELECT",
    "SELECT * FROM v_nothing",
    "SELECT nothing FROM v_commits",
    "SELECT * FROM v_search WHERE text MATCH '\"'",
]

_R = "WITH RECURSIVE c(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM c)"
_DIGITS = "(" + " UNION ALL ".join(f"SELECT {n} AS n" for n in range(10)) + ")"
_BIG = "'aaaaaaaaaa'"  # a hundred thousand characters
for _old, _new in ("ab", "bc", "cd", "de"):
    _BIG = f"replace({_BIG}, '{_old}', '{_new * 10}')"
BOMBS = {
    "recursive count": f"{_R} SELECT count(*) FROM c",
    "recursive rows": f"{_R} SELECT * FROM c",
    "recursive text": "WITH RECURSIVE c(x) AS (VALUES ('a') UNION ALL SELECT x || x FROM c) SELECT length(x) FROM c",
    "recursive, unlimited union": "WITH RECURSIVE c(x) AS (VALUES (1) UNION SELECT x + 1 FROM c) SELECT max(x) FROM c",
    "randomblob": "SELECT hex(randomblob(500000000))",
    "zeroblob": "SELECT zeroblob(1000000000)",
    "zeroblobs": "SELECT zeroblob(900000), * FROM v_changes a, v_changes b",
    "printf width": "SELECT printf('%900000000d', 1)",
    "format precision": "SELECT format('%.900000000f', 1.0)",
    "printf star": "SELECT printf('%*s', 900000000, 'x')",
    "printf comma": "SELECT printf('%,900000000d', 1)",
    "char": "SELECT char(" + ",".join(["1114111"] * 20) + ") FROM v_changes a, v_changes b, v_changes c",
    "quote": "SELECT quote(zeroblob(90000000))",
    "hex of hex": f"SELECT hex(hex(hex(hex(hex({_BIG})))))",
    "replace growth": f"SELECT replace({_BIG}, 'e', {_BIG})",
    "replace in rows": f"SELECT replace({_BIG}, 'e', 'xxxxxxxxx') FROM v_changes a, v_changes b",
    "upper in rows": f"SELECT upper({_BIG}) FROM v_changes a, v_changes b, v_changes c",
    "concat": "SELECT " + " || ".join([_BIG] * 90),
    "group_concat": "SELECT group_concat(a.message) FROM v_commits a, v_commits b, v_commits c, v_commits d",
    "group_concat, long separator": f"SELECT group_concat(1, {_BIG}) FROM v_changes a, v_changes b",
    "group_concat by group": f"SELECT a.path, b.path, group_concat({_BIG}) FROM v_changes a, v_changes b GROUP BY 1, 2",
    "wide rows": "SELECT " + ", ".join([f"{_BIG} || {n}" for n in range(100)]),
    "wide rows of astral text": "SELECT " + ", ".join([f"'😀' || {_BIG} || {n}" for n in range(100)]),
    "wide blobs": "SELECT " + ", ".join([f"CAST({_BIG} || {n} AS BLOB)" for n in range(90)]),
    "cross join": "SELECT count(*) FROM v_changes a, v_changes b, v_changes c, v_changes d",
    "cross join of views": "SELECT * FROM v_refs, v_parents, v_snapshots, v_authors, v_paths ORDER BY random()",
    "a sort": "SELECT a.path || b.path || c.path AS p FROM v_changes a, v_changes b, v_changes c ORDER BY p DESC",
    "distinct": "SELECT DISTINCT a.blob || b.blob || c.blob FROM v_changes a, v_changes b, v_changes c",
    "count distinct": "SELECT count(DISTINCT a.blob || b.blob || c.blob) FROM v_changes a, v_changes b, v_changes c",
    "a union of cross joins": "SELECT a.blob || b.blob FROM v_changes a, v_changes b, v_changes c"
    " UNION SELECT a.path || b.blob FROM v_changes a, v_changes b, v_changes c",
    "digits": f"SELECT sum(a.n) FROM {', '.join(f'{_DIGITS} {c}' for c in 'abcdefghij')}",
    "a window": "SELECT sum(a.n) OVER (ORDER BY b.n, c.n, d.n ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"
    f" FROM {', '.join(f'{_DIGITS} {c}' for c in 'abcdefgh')}",
    "a window over text": "SELECT group_concat(a.path) OVER (ORDER BY a.path, b.path) FROM v_changes a, v_changes b",
    "nth_value": f"SELECT nth_value(a.n, 999999) OVER () FROM {', '.join(f'{_DIGITS} {c}' for c in 'abcdefgh')}",
    "correlated subqueries": "SELECT (SELECT count(*) FROM v_changes b, v_changes c WHERE b.path || c.path > a.path)"
    " FROM v_changes a",
    "LIKE": "SELECT count(*) FROM v_commits a, v_commits b WHERE a.message LIKE '" + "%a" * 200 + "%b'",
    "LIKE of what is built": f"SELECT {_BIG} LIKE '{'%e' * 240}%x' FROM v_changes a, v_changes b",
    "GLOB": f"SELECT {_BIG} GLOB '{'*[a-z]' * 80}*x' FROM v_changes a, v_changes b",
    "a long LIKE pattern": "SELECT 'x' LIKE " + _BIG,
    "instr": "SELECT instr(replace(message, 'a', 'aaaaaaaaaaaaaaaa'),"
    " replace(substr(message, 1, 30000), 'a', 'aaaaaaaaaaaaaaaa') || 'b') FROM v_commits WHERE repo_name = 'long'",
    "trim": f"SELECT trim({_BIG}, {_BIG}) FROM v_changes a, v_changes b",
    "json_extract": "SELECT json_extract(replace(hex(message), '6', '['), '$.a') FROM v_commits, v_changes",
    "json depth": "SELECT json_extract('" + "[" * 9000 + "]" * 9000 + "', '$[0]')",
    "json_each": "SELECT count(*) FROM json_each(hex(zeroblob(9000000))), json_each('[1]')",
    "json_group_array": "SELECT json_group_array(a.message) FROM v_commits a, v_commits b, v_commits c",
    "strftime": f"SELECT strftime({_BIG}, 'now')",
    "date modifiers": "SELECT date('now', "
    + ", ".join(["'+1 day'"] * 19)
    + ") FROM v_changes a, v_changes b, v_changes c",
    "nested parentheses": "SELECT " + "(" * 5000 + "1" + ")" * 5000,
    "nested CASE": "SELECT " + "CASE WHEN 1 THEN " * 900 + "1" + " END" * 900,
    "nested subqueries": "SELECT * FROM " + "(SELECT * FROM " * 90 + "v_changes" + ")" * 90,
    "nested NOT": "SELECT " + "NOT " * 4000 + "1",
    "a long IN": "SELECT 1 FROM v_changes a, v_changes b WHERE a.path IN (" + ",".join(["'x'"] * 4500) + ")",
    "many joins": "SELECT count(*) FROM " + ", ".join(f"v_refs r{n}" for n in range(60)),
    "many terms": "SELECT 1" + " UNION ALL SELECT 1" * 900,
    "many columns": "SELECT " + ", ".join(["1"] * 5000),
    "a long identifier": f'SELECT "{"x" * 19000}"',
    "a long statement": "SELECT 1 -- " + "x" * 3_000_000,
    "MATCH": "SELECT count(*) FROM v_search WHERE text MATCH '" + " OR ".join(["do*"] * 500) + "'",
    "MATCH parentheses": "SELECT count(*) FROM v_search WHERE text MATCH '" + "(" * 2000 + "a" + ")" * 2000 + "'",
    "MATCH near": "SELECT count(*) FROM v_search a, v_search b WHERE a.text MATCH 'NEAR(do because, 1000000)'",
    "MATCH of what is built": f"SELECT count(*) FROM v_search WHERE text MATCH {_BIG}",
    "ORDER BY random text": f"SELECT 1 FROM v_changes a, v_changes b ORDER BY {_BIG} || a.blob || b.blob",
    "LIMIT and OFFSET": f"SELECT 1 FROM {', '.join(f'{_DIGITS} {c}' for c in 'abcdefghij')} LIMIT 1 OFFSET 9999999999",
}

PARAMETERS = {
    "a huge text": ("SELECT length(?)", ["x" * 50_000_000]),
    "many": ("SELECT ?1" + "".join(f", ?{n}" for n in range(2, 999)), list(range(998))),
    "a huge number of a parameter": ("SELECT ?32766", [1]),
    "a statement": ("SELECT ?", ["'; DROP TABLE commits; --"]),
    "a table's name": ("SELECT * FROM ?", ["commits"]),
    "a pattern": (
        f"SELECT count(*) FROM v_changes a, v_changes b, v_changes c WHERE a.path || {_BIG} LIKE ?",
        ["%a" * 200],
    ),
    "a MATCH": ("SELECT * FROM v_search WHERE text MATCH ?", ["(" * 100_000]),
    "an object": ("SELECT :a", {"a": {"b": 1}}),
    "a name with a NUL": ("SELECT :a", {"a\x00b": 1}),
    "a lone surrogate": ("SELECT ?", ["\ud800"]),
    "infinity": ("SELECT ?", [float("inf")]),
}


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return beside_a_secret(tmp_path_factory.mktemp("hostile"), 40)


@pytest.fixture(scope="module")
def reader(index):
    with IndexReader(index) as opened:
        yield opened


def contents(folder: Path) -> dict[str, str]:
    """Every file of the folder with what is in it, the memory that readers share aside."""
    kept = (p for p in sorted(folder.iterdir()) if not p.name.endswith("-shm"))
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in kept}


def harmless(reader: IndexReader, index: Path, sql: str, params=()) -> None:
    """Puts the statement; it may be refused, stopped or answered, but nothing else may come of it."""
    reader.query("SELECT 1")  # the worker is there
    before = contents(index.parent)
    took = []
    while not took or (took[-1] >= TIMEOUT + LATE and len(took) < 4):  # a busy machine is not a bomb that works
        began = time.monotonic()
        try:
            said = repr(reader.query(sql, params, timeout=TIMEOUT, limit=1000).rows)[:100_000]
        except PivoError as err:
            said = str(err)
        took.append(time.monotonic() - began)
    assert min(took) < TIMEOUT + LATE, f"it took {took} s"
    assert "SECRET" not in said and "CREATE TABLE" not in said
    assert contents(index.parent) == before
    assert reader.query("SELECT count(*) FROM v_repos").rows == [(3,)], "the next honest question"


def test_there_are_enough_of_them():
    assert len(WRITES) + len(READS) + len(REFUSED) + len(BOMBS) + len(PARAMETERS) >= 200


@pytest.mark.parametrize("sql", WRITES + READS + REFUSED)
def test_what_writes_or_looks_elsewhere_is_refused(reader, index, sql):
    sql = sql.replace("{folder}", str(index.parent))
    with pytest.raises(PivoError):
        reader.query(sql, timeout=TIMEOUT)
    harmless(reader, index, sql)


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_in_time(reader, index, name):
    harmless(reader, index, BOMBS[name])
    for one in reader._idle:
        peak = _peak(one._process.pid)
        assert peak < MEMORY, f"the worker had {peak / 1e6:.0f} MB"


@pytest.mark.parametrize("name", ["instr", "cross join", "wide rows of astral text"])
def test_a_bomb_that_is_the_first_question_ends_in_time_too(index, name):
    """A fresh worker's start has time of its own; a question has none of that."""
    for _ in range(2):
        with IndexReader(index) as fresh:
            began = time.monotonic()
            with pytest.raises(PivoError):
                fresh.query(BOMBS[name], timeout=TIMEOUT)
                raise PivoError("answered in time")
            assert time.monotonic() - began < TIMEOUT + LATE + 2.0, "and the time to start a process"


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_carry_nothing_in(reader, index, name):
    harmless(reader, index, *PARAMETERS[name])


def test_the_process_is_kept_small_whatever_python_makes_of_an_answer(index):
    """Many at once: what is allocated beyond the limit is an error of that question alone."""
    with IndexReader(index) as own:
        rows = "SELECT " + ", ".join([f"'😀' || {_BIG} || {n}" for n in range(100)]) + " FROM v_changes LIMIT 50"
        for _ in range(5):
            with pytest.raises(PivoError):
                own.query(rows, timeout=5.0, limit=100)
                raise PivoError("answered")
            assert own.query("SELECT 1").rows == [(1,)]
            assert all(_peak(one._process.pid) < MEMORY for one in own._idle)


RAW = """
import sqlite3, sys, json
sql, path = json.loads(sys.stdin.read())
db = sqlite3.connect(path, isolation_level=None)
for part in sql.split(";"):
    rows = db.execute(part).fetchmany(1000)
    sys.stdout.write(repr(rows)[:100000])
"""


def _harm(sql: str, index: Path, seconds: float) -> bool:
    """Whether the statement does what it is meant to where there is no guard."""
    before = contents(index.parent)
    command = [sys.executable, "-I", "-S", "-c", RAW]
    try:
        text = json.dumps([sql, str(index)])
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return True
    return done.returncode == 0 or contents(index.parent) != before


def test_without_the_guard_they_do_harm(tmp_path):
    """That the suite can fail: the same statements, and no guard."""
    (tmp_path / "made").mkdir()
    first = beside_a_secret(tmp_path / "made", 40)
    harms = {"writes": 0, "reads": 0, "bombs": 0}
    for kind, statements in (("writes", WRITES[:24:2]), ("reads", READS[:36:3])):
        for number, sql in enumerate(statements):
            folder = tmp_path / f"{kind}{number}"
            shutil.copytree(first.parent, folder)
            harms[kind] += _harm(sql.replace("{folder}", str(folder)), folder / "pivo.db", 10)
    for name in ("recursive count", "cross join", "a sort", "digits", "instr", "zeroblobs"):
        harms["bombs"] += _harm(BOMBS[name], first, 1.0)
    assert harms["writes"] >= 10 and harms["reads"] >= 10 and harms["bombs"] >= 5, harms


def _peak(pid: int) -> int:
    """The most memory that a process ever had, in bytes."""
    rows = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = [row for row in rows if row.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def test_the_limits_are_those_of_the_process(index):
    with IndexReader(index) as own:
        own.query("SELECT 1")
        limits = Path(f"/proc/{own._idle[0]._process.pid}/limits").read_text()
    (data,) = [row for row in limits.splitlines() if row.startswith("Max data size")]
    assert int(data.split()[3]) <= worker.MEMORY
