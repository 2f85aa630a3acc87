"""A question as words: quoted strings kept whole, contractions opened, punctuation at the end of words dropped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_QUOTED = re.compile(
    r"(?<![\w])(?:'(?P<single>[^'\n]+)'(?!\w)|\"(?P<double>[^\"\n]+)\"|`(?P<tick>[^`\n]+)`|“(?P<curly>[^”\n]+)”|"
    r"‘(?P<low>[^’\n]+)’(?!\w))"
)
_WORD = re.compile(r"\S+")
_RANGE = re.compile(r"^([\w][\w./-]*?)\.{2,3}([\w][\w./-]*)$")
_ENDS = ".,;:!?)]}…"
_STARTS = "([{¿¡"

_CONTRACTIONS = {
    "let's": ("let", "us"), "lets": ("let", "us"), "i'm": ("i", "am"), "can't": ("can", "not"),
    "cannot": ("can", "not"),
    "won't": ("will", "not"), "shan't": ("shall", "not"), "gimme": ("give", "me"), "lemme": ("let", "me"),
    "wanna": ("want", "to"), "gonna": ("going", "to"), "gotta": ("got", "to"), "'d": ("would",),
}  # fmt: skip
_IS = ("who", "what", "when", "where", "how", "that", "there", "it", "he", "she", "here")
_CLITICS = {"'ve": "have", "'re": "are", "'ll": "will", "'d": "would", "'m": "am"}
_NEGATED = ("did", "do", "does", "is", "was", "were", "are", "have", "has", "had", "could", "would", "should")
_SLIPS = {
    "when": "wen whn wehn whne", "what": "waht wat wht whta", "which": "wich whcih whihc wihch whch",
    "where": "wher whre",
    "the": "teh hte", "and": "adn nad", "show": "shwo sohw", "list": "lsit", "last": "lsat",
    "since": "sicne sinse snce",
    "have": "hav ahve", "does": "deos", "many": "mnay", "from": "frm", "commit": "comit", "commits": "comits",
    "made": "mde", "with": "wiht", "repo": "rpeo", "latest": "lastest", "file": "fiel", "files": "fiels", "you": "u",
}  # fmt: skip
"""Short words as they are mistyped; longer ones are put right by planner/phrasing.py."""
_OPENED = (
    _CONTRACTIONS
    | {f"{word}'s": (word, "is") for word in _IS}
    | {f"{word}s": (word, "is") for word in ("who", "what", "where", "how", "that")}
    | {f"{word}nt": (word, "not") for word in _NEGATED}
    | {f"{day}s": (day, "'s") for day in ("today", "yesterday")}
    | {typed: (meant,) for meant, slips in _SLIPS.items() for typed in slips.split()}
)
"""What one word stands for; those who type fast leave the apostrophe out."""


@dataclass(frozen=True)
class Word:
    """`text` as written, `norm` lower-cased for comparison; a quoted word is never grammar."""

    text: str
    norm: str
    quoted: bool = False

    @property
    def capital(self) -> bool:
        return self.text[:1].isupper()


def wordset(text: str) -> frozenset[str]:
    """The words of a blank-separated list."""
    return frozenset(text.split())


def words(question: str) -> list[Word]:
    """The words of `question`, in order."""
    found: list[Word] = []
    position = 0
    for match in _QUOTED.finditer(question):
        found += _plain(question[position : match.start()])
        inner = next(group for group in match.groups() if group is not None).strip()
        if inner:
            found.append(Word(inner, inner.casefold(), quoted=True))
        position = match.end()
        if question[position : position + 2] in {"'s", "’s"}:
            found.append(Word("'s", "'s"))
            position += 2
    return found + _plain(question[position:])


def joined(found: Sequence[Word]) -> str:
    """A text that :func:`words` reads as these words again."""
    text = ""
    for word in found:
        mark = "'" if '"' in word.text else '"'
        shown = f"{mark}{word.text}{mark}" if word.quoted else word.text
        text += shown if not text or word.norm == "'s" else f" {shown}"
    return text


def spans_of(found: Sequence[Word]) -> tuple[str, list[int]]:
    """The words as one text in lower case, a quoted one as a single character, and where each begins in it."""
    flat, starts = "", []
    for word in found:
        flat += " " if flat else ""
        starts.append(len(flat))
        flat += "\0" if word.quoted else word.norm
    return flat, starts


def _plain(text: str) -> list[Word]:
    found: list[Word] = []
    for match in _WORD.finditer(text.replace("’", "'")):
        word = match[0].lstrip(_STARTS).rstrip(_ENDS).strip("\"'")
        if not word or word in {"-", "–", "—", "&"}:
            continue
        found += _open(word)
    return found


def _open(word: str) -> list[Word]:
    norm = word.casefold()
    if span := _RANGE.match(word):  # v1.0..v2.0
        return [Word(part, part.casefold(), quoted=not part[0].isdigit()) for part in span.groups()]
    if norm in _OPENED:
        return [Word(part, part) for part in _OPENED[norm]]
    if norm.endswith("n't"):
        return [Word(word[:-3], norm[:-3]), Word("not", "not")]
    for ending, meant in _CLITICS.items():
        if norm.endswith(ending) and norm != ending:
            return [Word(word[: -len(ending)], norm[: -len(ending)]), Word(meant, meant)]
    if norm.endswith("'s"):
        return [Word(word[:-2], norm[:-2]), Word("'s", "'s")]
    if norm.endswith("s'"):
        return [Word(word[:-1], norm[:-1]), Word("'s", "'s")]
    return [Word(word, norm)]
