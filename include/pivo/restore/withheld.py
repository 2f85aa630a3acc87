"""What a restore leaves out, and why: the report lists it, nothing is left out in silence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pivo.models import Ref
from pivo.restore.target import Kind

What = Literal["hidden-ref", "ref", "tag", "file", "lfs", "head", "symref"]

_HIDDEN = ("refs/pull/",)  # what GitHub keeps for itself: it can be fetched, and a push to it is refused


@dataclass(frozen=True)
class Withheld:
    """One thing that is in the archive and not in the restored repository: a ref or a file by `name`, and `why`."""

    what: What
    name: str
    why: str


def split(refs: Iterable[Ref], kind: Kind) -> tuple[tuple[Ref, ...], tuple[Withheld, ...]]:
    """The refs that a target of `kind` takes, and those that it is known to refuse."""
    taken, left = [], []
    for ref in refs:
        if kind == "forge" and ref.name.startswith(_HIDDEN):
            left.append(Withheld("hidden-ref", ref.name, "a forge keeps these refs for itself and takes none"))
        else:
            taken.append(ref)
    return tuple(taken), tuple(left)
