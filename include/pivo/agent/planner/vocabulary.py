"""The names that the index knows: repositories, people, paths, refs, commits. One small query each, over the views."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pivo.index.reader import IndexReader

_LIMIT = 8


@dataclass(frozen=True)
class Author:
    """Somebody whose commits are indexed, under one name."""

    name: str


@dataclass(frozen=True)
class KnownRef:
    """A branch or tag: its repository, its full name, whether the newest snapshot has it."""

    repo: str
    name: str


@dataclass(frozen=True)
class KnownPath:
    """A path that a commit touched, or a folder of such paths (`path` ends in "/")."""

    path: str
    repo: str = ""  # the only repository that has it, where that is known
    homes: tuple[str, ...] = ()  # the repositories that have it, where there are several

    @property
    def folder(self) -> bool:
        return self.path.endswith("/")


class Vocabulary:
    """Looks names up. Results are few or the name means nothing; nothing is read whole but the repositories."""

    def __init__(self, reader: Callable[[], IndexReader]) -> None:
        self._reader = reader
        self._repos: tuple[str, ...] | None = None

    def repos(self) -> tuple[str, ...]:
        """All archived repositories."""
        if self._repos is None:
            self._repos = tuple(str(r[0]) for r in self._rows("SELECT repo_name FROM v_repos ORDER BY repo_name"))
        return self._repos

    def repo(self, word: str) -> tuple[str, ...]:
        """Repositories by full name, or by name without owner; in any case of letters."""
        folded = word.casefold()
        exact = [r for r in self.repos() if r == word] or [r for r in self.repos() if r.casefold() == folded]
        return tuple(exact or [r for r in self.repos() if r.rpartition("/")[2].casefold() == folded])

    def owners(self) -> frozenset[str]:
        """Owners of archived repositories: `acme` of `acme/web`."""
        return frozenset(r.partition("/")[0] for r in self.repos() if "/" in r)

    def user(self, text: str) -> str | None:
        """Somebody by that name who ever asked PIVO for a restore, or for anything that is audited."""
        asked = "who = :who COLLATE NOCASE LIMIT 1"
        rows = self._rows(f"SELECT who FROM v_restores WHERE {asked}", who=text)
        rows = rows or self._rows(f"SELECT who FROM v_audit WHERE {asked}", who=text)
        return str(rows[0][0]) if rows else None

    def target(self, text: str) -> str | None:
        """A target of restores, or an organisation that there were some into ("dr/")."""
        clean = text.rstrip("/")
        rows = self._rows(
            "SELECT target FROM v_restores WHERE target = :target OR target >= :low AND target < :high LIMIT 1",
            target=clean, low=f"{clean}/", high=f"{clean}0",
        )  # fmt: skip
        return (clean if str(rows[0][0]) == clean else f"{clean}/") if rows else None

    def similar_repos(self, word: str) -> list[str]:
        names = {r.casefold(): r for r in self.repos()} | {r.rpartition("/")[2].casefold(): r for r in self.repos()}
        return [names[m] for m in difflib.get_close_matches(word.casefold(), names, n=3, cutoff=0.6)]

    def authors(self, text: str) -> list[Author]:
        """People by full name, e-mail address, or a part of the name."""
        rows = self._rows(
            "SELECT DISTINCT author_name FROM v_authors"
            " WHERE author_name = :text COLLATE NOCASE OR author_email = :text COLLATE NOCASE LIMIT 8",
            text=text,
        )
        if not rows:
            rows = self._rows(
                "SELECT DISTINCT author_name FROM v_authors WHERE author_name LIKE :first ESCAPE '\\'"
                " OR author_name LIKE :later ESCAPE '\\' LIMIT 8",
                first=f"{_like(text)} %",
                later=f"% {_like(text)}",
            )
        return [Author(str(row[0])) for row in rows]

    def similar_authors(self, text: str) -> list[str]:
        names = [str(r[0]) for r in self._rows("SELECT DISTINCT author_name FROM v_authors LIMIT 2000", _cap=2000)]
        parts = {part.casefold(): name for name in names for part in (name, *name.split())}
        return [parts[m] for m in difflib.get_close_matches(text.casefold(), parts, n=3, cutoff=0.8)]

    def similar_paths(self, text: str) -> list[str]:
        """Paths whose last part looks like `text`, where that looks like a file's name at all."""
        if "." not in text.strip(".") or len(text) < 4:
            return []
        stem = _like(text.rpartition("/")[2][:2])
        rows = self._rows(
            "SELECT DISTINCT path FROM v_paths WHERE path LIKE :first ESCAPE '\\' OR path LIKE :later ESCAPE '\\'"
            " LIMIT 500",
            first=f"{stem}%",
            later=f"%/{stem}%",
        )
        names = {str(r[0]).rpartition("/")[2].casefold(): str(r[0]) for r in rows}
        return [
            names[m] for m in difflib.get_close_matches(text.rpartition("/")[2].casefold(), names, n=3, cutoff=0.75)
        ]

    def head_branch(self, repo: str) -> str:
        """The short name of a repository's default branch; `main` where it is not known."""
        rows = self._rows("SELECT head_ref FROM v_repos WHERE repo_name = :repo", repo=repo)
        ref = str(rows[0][0] or "") if rows else ""
        return ref.removeprefix("refs/heads/") or "main"

    def paths(self, repo: str | None, text: str) -> list[KnownPath]:
        """Paths that are `text`, else that end in it, else a folder of that name, else a file with that stem."""
        clean = text.strip("/").removeprefix("./")
        if not clean:
            return []
        exact = self._paths(repo, "path = :path", path=clean)
        if not exact and not text.endswith("/"):
            exact = self._paths(repo, "path LIKE :path ESCAPE '\\'", path=f"%/{_like(clean)}")
        if exact:
            return exact
        # "0" is the character after "/"
        below = self._paths(repo, "path >= :low AND path < :high", _limit=1, low=f"{clean}/", high=f"{clean}0")
        if below:
            return [KnownPath(f"{clean}/")]
        condition = "(path = :path COLLATE NOCASE OR path LIKE :stem ESCAPE '\\') AND path NOT LIKE '%/%'"
        return self._paths(repo, condition, path=clean, stem=f"{_like(clean)}.%")

    def _paths(self, repo: str | None, condition: str, _limit: int = _LIMIT, **params: Any) -> list[KnownPath]:
        where, repos = _within(repo)
        rows = self._rows(
            f"SELECT path, repo_name FROM v_paths WHERE {where}{condition} LIMIT {_limit}", **params, **repos
        )
        homes: dict[str, set[str]] = {}
        for path, home in rows:
            homes.setdefault(str(path), set()).add(str(home))
        return [
            KnownPath(
                path, next(iter(where)) if len(where) == 1 else "", tuple(sorted(where)) if len(where) > 1 else ()
            )
            for path, where in homes.items()
        ]

    def refs(self, repo: str | None, text: str) -> list[KnownRef]:
        """Branches and tags called `text`, those that the newest snapshots have first."""
        names = (text, f"refs/{text}", f"refs/heads/{text}", f"refs/tags/{text}")
        where, repos = _within(repo)
        rows = self._rows(
            f"SELECT DISTINCT repo_name, name FROM v_refs WHERE {where}name IN (:a, :b, :c, :d) LIMIT {_LIMIT}",
            **dict[str, Any](zip("abcd", names, strict=True)),
            **repos,
        )
        return [KnownRef(str(row[0]), str(row[1])) for row in rows]

    def commits(self, repo: str | None, prefix: str) -> list[tuple[str, str]]:
        """Repository and full hash of the commits that begin with `prefix`, three at most."""
        where, repos = _within(repo)
        rows = self._rows(
            f"SELECT repo_name, hash FROM v_commits WHERE {where}hash >= :low AND hash < :high LIMIT 3",
            low=prefix,
            high=prefix + "g",  # after every hexadecimal digit
            **repos,
        )
        return [(str(row[0]), str(row[1])) for row in rows]

    def _rows(self, sql: str, /, _cap: int = 10_000, **params: Any) -> list[tuple[Any, ...]]:
        return list(self._reader().query(sql, params, limit=_cap).rows)


def _within(repo: str | None) -> tuple[str, dict[str, Any]]:
    return ("repo_name = :repo AND ", {"repo": repo}) if repo else ("", {})


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
