"""Words of sentences that tell to restore. Data only."""

from __future__ import annotations

import re

from pivo.agent.planner.words import wordset

PUT = wordset("put place store drop stick dump land leave save")
VERBS = wordset(
    "restore recover rebuild reconstruct resurrect rollback reinstate revive bring roll get recreate rescue salvage"
    " restoring recovering rebuilding put take set go"
)
NEEDS_BACK = frozenset({"bring", "roll", "get", "put", "take", "set", "go"})
FILLER = wordset(
    "the a an its repo repository project archive archived back please for me us at in on of with from is was"
    " were be as they state version snapshot copy fresh new empty backup history then thanks hash sha revision ref"
    " repos repositories projects organisation organization org and"
    " should go goes end up result tagged there thing stuff target destination our my release name id point 's has"
    " had hdfs whole entire complete full git code one again it's things looked stood ended"
    " brought rolled taken reverted recovered revived"
)
WANTING = frozenset({"want", "need", "like"})
DONE = frozenset({"back", "restored", "rebuilt", "recovered"})
ALL = wordset("all every everything each")
WHOLE = wordset("whole entire complete full")
ARROWS = frozenset({"->", "→", "=>"})
GRAMMAR = frozenset({"to", "commit", "branch", "tag"})
TARGET = frozenset(["into", "as", "onto", "called", "named", "under", "in", "target", "destination"])
WORDS = FILLER | DONE | PUT | VERBS
"""Words that only mean something in such a sentence."""
LATEST = frozenset(["latest", "last", "newest", "head", "current", "recent", "most", "tip"])
HEX = re.compile(r"^[0-9a-f]{4,40}$")
BEFORE_LAST = frozenset(
    {
        "commit before last one",
        "commit before last commit",
        "commit before last",
        "one before last",
        "one before last one",
    }
    | {"last commit but one"}
)
WHICH = wordset("last latest newest first second third fourth fifth penultimate initial oldest parent before by")
UNSAID = frozenset({"commit", "branch", "tag", "version", "revision"})
NAME = re.compile(r"^[A-Za-z0-9_.][A-Za-z0-9_.\-]*(/[A-Za-z0-9_.][A-Za-z0-9_.\-]*)?/?$")
