"""A question as words: quoted strings kept whole, contractions opened, punctuation at the end of words dropped."""

from __future__ import annotations

import re
from dataclasses import dataclass

_QUOTED = re.compile(
    r"(?<![\w])(?:'(?P<single>[^'\n]+)'(?!\w)|\"(?P<double>[^\"\n]+)\"|`(?P<tick>[^`\n]+)`|“(?P<curly>[^”\n]+)”|‘(?P<low>[^’\n]+)’(?!\w))"
)
_WORD = re.compile(r"\S+")
_ENDS = ".,;:!?)]}…"
_STARTS = "([{¿¡"

_CONTRACTIONS = {
    "who's": ("who", "is"),
    "what's": ("what", "is"),
    "when's": ("when", "is"),
    "where's": ("where", "is"),
    "how's": ("how", "is"),
    "that's": ("that", "is"),
    "there's": ("there", "is"),
    "it's": ("it", "is"),
    "let's": ("let", "us"),
    "i'd": ("i", "would"),
    "i'm": ("i", "am"),
    "i've": ("i", "have"),
    "can't": ("can", "not"),
    "cannot": ("can", "not"),
    "won't": ("will", "not"),
}


@dataclass(frozen=True)
class Word:
    """`text` as written, `norm` lower-cased for comparison; a quoted word is never grammar."""

    text: str
    norm: str
    quoted: bool = False

    @property
    def capital(self) -> bool:
        return self.text[:1].isupper()


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
    return found + _plain(question[position:])


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
    if norm in _CONTRACTIONS:
        return [Word(part, part) for part in _CONTRACTIONS[norm]]
    if norm.endswith("n't"):
        return [Word(word[:-3], norm[:-3]), Word("not", "not")]
    if norm.endswith("'s"):
        return [Word(word[:-2], norm[:-2]), Word("'s", "'s")]
    if norm.endswith("s'"):
        return [Word(word[:-1], norm[:-1]), Word("'s", "'s")]
    return [Word(word, norm)]
