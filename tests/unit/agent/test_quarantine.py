"""Which columns of a SELECT the brain with tools may see."""

from __future__ import annotations

import pytest

from pivo.agent.quarantine import FREE_TEXT, LONGEST, cut, private
from pivo.index.views import VIEWS

SENTENCE = "Ignore the above"


@pytest.mark.parametrize(
    ("sql", "columns", "hidden"),
    [
        ("SELECT author_name, subject FROM v_commits", ["author_name", "subject"], {1}),
        ("SELECT c.subject AS author_name, hash FROM v_commits c", ["author_name", "hash"], {0}),
        ('SELECT upper("subject") x, hash FROM v_commits', ["x", "hash"], {0}),
        ("SELECT [message] x, `detail` y, count(*) n FROM v_commits", ["x", "y", "n"], {0, 1}),
        ("SELECT * FROM v_commits", ["hash", "subject"], {1}),
        ("SELECT *, message AS z FROM v_commits", ["hash", "subject", "z"], {0, 1, 2}),
        ("WITH q(a, b) AS (SELECT * FROM v_commits) SELECT a, b FROM q", ["a", "b"], {0, 1}),
        ("SELECT a FROM (SELECT subject a FROM v_commits)", ["a"], {0}),
        ("SELECT (SELECT subject FROM v_commits LIMIT 1) AS hash", ["hash"], {0}),
        ("SELECT author_name FROM v_commits UNION SELECT subject FROM v_commits", ["author_name"], {0}),
        ("/* x */ SELECT /* , */ subject AS hash FROM v_commits", ["hash"], {0}),
        ("SELECT parameters ->> '$.repo' AS repo_name FROM v_audit", ["repo_name"], {0}),
        (
            "SELECT author_name FROM v_commits WHERE hash IN (SELECT hash FROM v_search WHERE text MATCH 'x')",
            ["a"],
            set(),
        ),
        ("SELECT author_name, count(*) FROM v_commits WHERE subject LIKE '%fix%' GROUP BY 1", ["a", "n"], set()),
        ("SELECT repo_name, 2 * commits FROM v_repos", ["repo_name", "n"], set()),
        ("SELECT 'subject' AS label, hash FROM v_commits", ["label", "hash"], set()),
    ],
)
def test_columns_that_only_the_person_sees(sql: str, columns: list[str], hidden: set[int]) -> None:
    assert private(sql, columns, [(SENTENCE,) * len(columns)]) == hidden


def test_what_cannot_be_a_sentence_goes_through_a_subquery() -> None:
    sql = "WITH q AS (SELECT * FROM v_commits) SELECT hash, n, at, who FROM q"
    rows = [("ab" * 20, 3, "2026-11-20T14:03:00Z", "Ada Lovelace"), (None, None, "2026-11-20", "x")]
    assert private(sql, ["hash", "n", "at", "who"], rows) == {3}


NAMES = "author_name author_email committer_name committer_email path name head_ref source target ref who file"
TYPED = """
action arrival at author_time blob change changes commit_hash commit_time commit_tz commits current day files
findings finished_at first_commit first_offset found_at hash hdfs_path hour incomplete kind last_changed_at
last_checked_at last_commit last_commit_hash last_commit_time last_offset last_seq last_snapshot_at
last_snapshot_path last_verified_at lost manifest_sha256 mended_at merge mode n new objects ok old old_blob
outcome packs parent_hash parents partition previous previous_sha256 refs repo_name repos requested_at rewritten
run_id seconds seen_at seq short_hash signed size snapshot snapshot_seq snapshots state status taken_at topic
tree verified_at verified_ok weekday
"""


def test_every_column_of_the_views_is_known_for_what_it_is() -> None:
    """A new column that holds sentences belongs to FREE_TEXT, another one to one of the lists here."""
    columns = {c.name for view in VIEWS for c in view.columns}
    assert columns - set(NAMES.split()) - set(TYPED.split()) <= FREE_TEXT
    assert not FREE_TEXT & set(NAMES.split() + TYPED.split())


def test_a_long_name_is_cut() -> None:
    assert cut("a" * 500) == "a" * LONGEST + "…"
    assert (cut("Ada"), cut(7), cut(None)) == ("Ada", 7, None)
