"""Questions that lean on earlier ones: "and yesterday?", "who wrote that commit?", "restore it to the one before".

Such a question is rewritten until it stands for itself, with what the turn before named or found put in, and is
planned like any other then: the words of it must all be understood, and what is shown as the question is the whole
of it. Where two things may be meant, none is taken: the refusal names both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pivo.agent.events import Refusal
from pivo.agent.planner import context, leaning, lexicon, ordinals, rows
from pivo.agent.planner.context import Said, Turn
from pivo.agent.planner.reading import Reading
from pivo.agent.planner.words import Word, joined, words

if TYPE_CHECKING:
    from pivo.agent.planner import Planner

_BEFORE = re.compile(
    r"\bthe (?:one|commit|snapshot|backup|version|previous one) (?:just |right )?before"
    r"(?: (?:that|it|this|that one|the last one|that commit))?\b"
    r"|^(?:and )?(?:what (?:was|came) )?(?:right )?before (?:that|it|this)$"
    r"|\bthe (?:previous|preceding) (?:one|commit|snapshot|backup)\b"
)
_POINTS = frozenset({"that", "this", "the"})
_KINDS = {
    "commit": "commit", "revision": "commit", "one": "commit", "file": "path", "path": "path", "folder": "path",
    "branch": "ref", "tag": "ref", "release": "ref", "repo": "repo", "repository": "repo", "project": "repo",
    "person": "person", "author": "person", "day": "period",
}  # fmt: skip
_ABOUT_PARTS = frozenset({"WROTE", "MESSAGE", "DIFF", "PARENT", "CHANGE", "CONTENT"})
"""What is asked of a commit or a file and, behind "it", never of a whole repository."""
_COMMIT_LISTS = frozenset({"commits", "search", "log"})
_SHORT = 6  # words of a follow-up that only names something else


class Followups:
    """Rewrites questions for one planner."""

    def __init__(self, planner: Planner) -> None:
        self._planner = planner

    def told(self, question: str, before: Sequence[Turn]) -> str | Refusal:
        """`question` so that it stands for itself; as it is when it does already, or when nothing was said before."""
        question = self._planner.tidy(question)
        if not before or (not (leans := leaning.leans(question)) and self._planned(question)):
            return question
        said = self._said(before)
        if said is None:
            return question
        if not leans:
            return self._placed(question, said)
        found = words(question)
        text = question
        if _BEFORE.search(leaning.flat(found)):
            stepped = self._step_back(found, said)
            if isinstance(stepped, Refusal):
                return stepped
            text = stepped or text
        if rows.points(text) and (put := rows.about(text, said, self._planner)):
            return put
        pointed = self._point(text, said)
        if isinstance(pointed, Refusal):
            return pointed
        told = self._continue(pointed, said, changed=pointed != question)
        if isinstance(told, Refusal) or isinstance(self._planner.plan_alone(told), Refusal):
            return rows.about(question, said, self._planner) or self._placed(told, said)
        return told

    def _planned(self, question: str) -> bool:
        return not isinstance(self._planner.plan_alone(question), Refusal)

    def _placed(self, told: str | Refusal, said: Said) -> str | Refusal:
        """A question that is understood once it is known in which repository, with the one that was spoken of."""
        repo = said.one("repo")
        if isinstance(told, Refusal) or repo is None:
            return told
        reading = self._planner.read(told)
        if reading.unknown or reading.owner or (reading.repos and not reading.refs):
            return told
        placed = f'{told} in repository "{repo}"'
        return told if isinstance(self._planner.plan_alone(placed), Refusal) else placed

    def _said(self, before: Sequence[Turn]) -> Said | None:
        """What the last turn was about; None when it was not answered."""
        last = before[-1]
        if not last.answers or not all(a.ok for a in last.answers):
            return None
        plan = self._planner.plan(last.question, before[:-1])
        if isinstance(plan, Refusal):
            return None
        said = Said(plan.question, plan)
        reading = self._planner.read(plan.question) if plan.reading.words == [] else plan.reading
        context.named(said, reading)
        context.findings(said, last.answers)
        return said

    # "the one before"

    def _step_back(self, found: list[Word], said: Said) -> str | Refusal | None:
        """The question with "the one before" replaced by what it is the one before of."""
        flat = leaning.flat(found)
        match = _BEFORE.search(flat)
        assert match is not None
        kind = said.plan.frame
        if kind in {"last_commit", "last_snapshot"}:
            earlier = ordinals.earlier(said.question)
            if earlier is None:
                return None
            rest = f"{flat[: match.start()]} {flat[match.end() :]}".split()
            if all(w in lexicon.FILLER or w in {"and", "what", "about", "one"} for w in rest):
                return earlier
            noun = ordinals.noun(earlier, said)
        elif kind in {"commit", "parent", "tip", "head_commit"}:
            commits = said.named["commit"] if kind == "commit" else said.found.get("commit", [])
            if len(commits) != 1:
                return None
            noun = f"the parent of commit {commits[0]}"
        else:
            return None
        first, last = leaning.span(found, match.start(), match.end())
        return joined([*found[:first], *words(noun), *found[last:]])

    # pronouns and "that commit"

    def _point(self, question: str, said: Said) -> str | Refusal:
        """The question with what "it", "that commit", "she", "there" stand for in their place."""
        found = words(question)
        for at, word in enumerate(found):
            if word.quoted:
                continue
            following = found[at + 1].norm if at + 1 < len(found) and not found[at + 1].quoted else ""
            if word.norm in _POINTS and following in _KINDS:
                if self._own(found, at + 1, following, word.norm):
                    continue
                put = self._pointed(_KINDS[following], said, word.norm == "the")
                if put is None:
                    continue
                return self._point(joined([*found[:at], *words(put), *found[at + 2 :]]), said)
            if word.norm == "there" and not leaning.dummy(found, at):
                repo = said.one("repo")
                if repo:
                    return self._point(joined([*found[:at], *words(f'in repository "{repo}"'), *found[at + 1 :]]), said)
            if word.norm in leaning.PERSON and not self._inside(question, at, {"person"}):
                person = said.one("person")
                if person is None:
                    continue
                after = words('"' + person + '"') + (
                    [Word("'s", "'s")] if word.norm in {"his", "her", "hers", "their"} and following else []
                )
                return self._point(joined([*found[:at], *after, *found[at + 1 :]]), said)
            it = word.norm in leaning.IT or (word.norm == "that" and at == len(found) - 1 and at > 0)
            if it and not self._inside(question, at, {"path", "commit", "ref", "repo"}):
                return self._it(found, at, said)
        return question

    def _own(self, found: list[Word], at: int, noun: str, pointer: str) -> bool:
        """ "the file README.md", "the last commit", "the commit abc": a noun that the question itself explains."""
        if pointer != "the":
            return False
        after = found[at + 1] if at + 1 < len(found) else None
        if _KINDS[noun] not in {"repo", "commit"} or noun == "one":
            return True
        reading = self._planner.read(joined(found))
        if _KINDS[noun] == "repo":
            return bool(reading.repos) and not reading.defaulted
        return bool(reading.commits) or after is not None

    def _pointed(self, kind: str, said: Said, weak: bool) -> str | None:
        name = said.one(kind)
        if name is None:
            return None
        return context.phrase(kind, name, said)

    def _inside(self, question: str, at: int, kinds: set[str]) -> bool:
        """Whether the question names, before word `at`, what its pronoun can stand for."""
        reading = self._planner.read(question)
        return any(start < at for kind in kinds for start, _ in reading.spans.get(kind, ()))

    def _it(self, found: list[Word], at: int, said: Said) -> str | Refusal:
        """ "It" is what is understood in its place: what was named sooner than what was found, parts sooner than
        the whole; two that are equally near are a question back."""
        own = found[at].norm == "its"
        tried: dict[str, str] = {}
        plain = joined([*found[:at], *found[at + 1 :]])
        concepts = self._planner.read(plain).concepts
        for kind in ("path", "commit", "ref", "repo"):
            name = said.one(kind)
            if name is None or (kind == "repo" and concepts & _ABOUT_PARTS):
                continue
            if kind == "commit" and "RESTORE" in concepts and any(w.norm == "commit" for w in found):
                continue  # "restore it to that commit"
            put = words(context.phrase(kind, name, said)) + ([Word("'s", "'s")] if own else [])
            text = self._point(joined([*found[:at], *put, *found[at + 1 :]]), said)
            plan = self._planner.plan_alone(text) if isinstance(text, str) else text
            if isinstance(plan, Refusal) or not isinstance(text, str):
                continue
            if kind == "repo" and plan.frame == "restore" and said.plan.frame in _COMMIT_LISTS:
                continue  # one of those commits may be meant
            tried[kind] = text
        if not tried:
            return joined(found)
        named = [kind for kind in tried if said.named.get(kind)]
        parts = [kind for kind in named if kind != "repo"]
        if len(parts) == 1:
            return tried[parts[0]]
        if len(tried) == 1 or (
            len(named) == 1 and said.plan.frame.startswith(("last_snapshot", "first_snapshot", "stale"))
        ):
            return tried[named[0] if named else next(iter(tried))]
        reading = self._planner.read(joined(found))
        choices = " or ".join(f"{context.phrase(kind, said.one(kind) or '', said)}" for kind in tried)
        reading.unknown = [found[at].text]
        refusal = self._planner.refuse(joined(found), reading, f"“{found[at].text}” may be {choices}.")
        return Refusal(refusal.understood, refusal.unclear, refusal.reason, tuple(tried.values())[:3])

    # "and yesterday?"

    def _continue(self, question: str, said: Said, *, changed: bool) -> str | Refusal:
        """A short follow-up that only names something else: the question before, with that in its place."""
        found = words(question)
        fitting = [m for m in leaning.MARKERS if tuple(w.norm for w in found[: len(m)]) == m]
        marker = max(fitting, key=len, default=())
        rest = found[len(marker) :]
        if len(rest) > 1 and rest[-1].norm in {"only", "alone"} and not rest[-1].quoted:
            rest, marker = rest[:-1], marker or ("only",)
        if not rest:
            return question
        text = joined(rest)
        reading = self._planner.read(text)
        slots = {kind: spans for kind, spans in reading.spans.items() if kind in _SWAPS}
        # what a name was followed by does not matter: "and Ada's?"
        told = reading.concepts - {"ASK", "ASOF", "REPO", "BRANCH", "TAG", "FILE", "COMMIT", "PERSON"}
        if told <= _ELLIPTIC and not reading.concepts & {"COMMIT", "FILE", "BRANCH", "TAG"}:
            told -= self._planner.read(said.question).concepts  # "and how many did Grace?"
        short = len(rest) <= _SHORT or not told
        if not marker and slots and not reading.concepts and not reading.unknown and len(slots) == 1:
            marker = ("and",)  # "Grace?"
        if marker and slots and not told and short and not reading.unknown and len(slots) == 1:
            return self._swapped(said, reading, text, narrow=bool(_NARROW & set(marker)))
        alone = joined(found) if not marker else text
        if not changed and len(found) <= _SHORT and isinstance(self._planner.plan_alone(alone), Refusal):
            return self._completed(alone, said) or (text if marker else question)
        if not changed and not marker:
            return question
        if marker and reading.repos == [] and not reading.owner and (repo := said.one("repo")):
            scoped = f'{text} in repository "{repo}"'
            if not isinstance(self._planner.plan_alone(scoped), Refusal):
                return scoped
        if changed and (not reading.repos) and (repo := said.one("repo")):
            scoped = f'{text} in repository "{repo}"'
            if isinstance(self._planner.plan_alone(text), Refusal) and not isinstance(
                self._planner.plan_alone(scoped), Refusal
            ):
                return scoped
        return text if marker else question

    def _completed(self, text: str, said: Said) -> str | None:
        """ "Diff please", "email?": a short question that lacks what it is about, with the only thing that was said
        or found before and makes sense of it."""
        fitting = []
        person = "EMAIL" in self._planner.read(text).concepts
        for kind in ("person",) if person else ("commit", "path", "ref", "person", "repo"):
            name = said.one(kind)
            if name is None:
                continue
            full = f"{text} {_OF.get(kind, 'of')} {context.phrase(kind, name, said)}"
            if not isinstance(self._planner.plan_alone(full), Refusal):
                fitting.append(full)
        return fitting[0] if fitting else None

    def _swapped(self, said: Said, new: Reading, text: str, *, narrow: bool) -> str | Refusal:
        """The question before with its repository, person, day, ref or path exchanged, or with one more of them."""
        kind, spans = next((k, s) for k, s in new.spans.items() if k in _SWAPS)
        if len(spans) != 1:
            return text
        start, end = spans[0]
        put = new.words[start:end]
        old = self._planner.read(said.question)
        taken = [] if old.defaulted and kind == "repo" else old.spans.get(kind, [])
        if len(taken) > 1:
            return self._planner.refuse(text, new, "The question before names several of these; ask in full.")
        if taken and narrow and not leaning.within(kind, old, new):
            return self._planner.refuse(text, new, "That is not a part of what the question before asked for.")
        if taken:
            first, last = taken[0]
            return joined([*old.words[:first], *put, *old.words[last:]])
        tail = new.words if kind in {"period", "ref", "commit"} else words(f"{_PREPOSITIONS[kind]} ") + put
        return joined([*old.words, *tail])


_NARROW = frozenset({"only", "just", "limit", "restrict", "which", "filter", "narrow"})
_ELLIPTIC = frozenset({"WHO", "WHEN", "WHERE", "COUNT", "AGE", "SHOW"})
_OF = {"repo": "in"}
_SWAPS = frozenset({"repo", "user", "person", "period", "ref", "path", "commit", "owner"})
_PREPOSITIONS = {"user": "by", "repo": "in", "person": "by", "path": "touching", "owner": "of"}
