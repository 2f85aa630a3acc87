"""Words that nothing explains: fillers, modals and pronouns that need no explanation where they stand, and the rest."""

from __future__ import annotations

from pivo.agent.planner import lexicon
from pivo.agent.planner.reading import Cursor
from pivo.agent.planner.words import wordset

_ASKING = wordset("you i we us me someone somebody anyone anybody one u please")
_ANYBODY = wordset("who anyone anybody everyone everybody someone somebody whoever")
_NARROWED = wordset("by from who that which in made not of with since before after on for")
_SEVERAL = wordset("they them their theirs")
_SINGLE = wordset("restore snapshot backup verification drill commit tag branch")
_NOUNS = wordset("repository repo project file branch tag commit snapshot codebase author developer person")


class Strays:
    """Notes what is not known. Every word that comes here was explained by nothing else."""

    def __init__(self, cursor: Cursor) -> None:
        self._at = cursor

    def stray(self, at: int) -> int:
        word = self._at.words[at]
        following = self._at.words[at + 1].norm if at + 1 < len(self._at.words) else ""
        if word.quoted:
            self._at.reading.unknown.append(word.text)
        elif word.norm in {"that", "this", "these", "those"} and following in lexicon.THINGS:
            self._at.reading.unknown.append(f"{word.text} {self._at.words[at + 1].text}")
        elif (
            word.norm in {"those", "these"}
            and self._at.norm(at - 1) not in {"of", "among", "from"}
            and (following in _NARROWED)
        ):
            pass  # "only those by Ada", "those who commit"
        elif word.norm in lexicon.PRONOUNS and word.norm not in lexicon.FILLER:
            if not self._antecedent(at, word.norm):
                self._at.reading.unknown.append(word.text)
        elif word.norm in lexicon.MODALS:
            if word.norm in lexicon.DUTIES or not self._at.near(at, _ASKING):
                self._at.reading.unknown.append(word.text)
        elif word.norm not in lexicon.FILLER:
            self._at.reading.unknown.append(word.text)
        return 1

    def _antecedent(self, at: int, pronoun: str) -> bool:
        """Whether a name earlier in the same sentence is what the pronoun stands for."""
        if pronoun == "its" and any(w.norm in _NOUNS for w in self._at.words[:at] if not w.quoted):
            return True  # "which repository takes the most space for its snapshots"
        norms = [w.norm for w in self._at.words[:at] if not w.quoted]
        if pronoun == "it" and "and" in norms and set(norms[: norms.index("and")]) & _SINGLE:
            return True  # "which restore is running, and who asked for it"
        if pronoun in {"it", "its"}:
            kinds: tuple[str, ...] = ("path", "commit", "ref", "repo", "part", "suffix")
        elif pronoun == "them":
            norms = [w.norm for w in self._at.words[:at] if not w.quoted]
            return "and" in norms and any(w in lexicon.MANY for w in norms[: norms.index("and")])
        elif pronoun == "same":
            return False
        else:
            kinds = ("person",)
            if pronoun in _SEVERAL and set(norms) & (_ANYBODY | lexicon.MANY):
                return True  # "who signed their commits",  # "which repositories failed their verification"
        return any(start < at for kind in kinds for start, _ in self._at.reading.spans.get(kind, ()))
