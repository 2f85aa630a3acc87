"""The forms of regular verbs, and of irregular ones that tell their own."""

from __future__ import annotations

_VOWELS = "aeiou"


def forms(lemma: str) -> tuple[str, ...]:
    """ "modify" as modify, modifies, modified, modifying; "write:wrote:written:writing" as told, and writes.

    The first word of several is inflected ("get rid of"); a doubled last letter is told by a star ("drop*").
    """
    verb, _, rest = lemma.partition(" ")
    tail = f" {rest}" if rest else ""
    if ":" in verb:
        first, *others = verb.split(":")
        found = [first, _third(first), *others]
    else:
        doubled, verb = verb.endswith("*"), verb.removesuffix("*")
        stem = verb + verb[-1] if doubled else verb
        found = [verb, _third(verb), _past(verb, stem), _continuing(verb, stem)]
    return tuple(dict.fromkeys(form + tail for form in found))


def _third(verb: str) -> str:
    if verb[-1] == "y" and verb[-2] not in _VOWELS:
        return f"{verb[:-1]}ies"
    return f"{verb}es" if verb.endswith(("s", "sh", "ch", "x", "z", "o")) else f"{verb}s"


def _past(verb: str, stem: str) -> str:
    if verb.endswith("e"):
        return f"{verb}d"
    return f"{verb[:-1]}ied" if verb[-1] == "y" and verb[-2] not in _VOWELS else f"{stem}ed"


def _continuing(verb: str, stem: str) -> str:
    return f"{verb[:-1]}ing" if verb.endswith("e") and not verb.endswith(("ee", "ye", "oe")) else f"{stem}ing"
