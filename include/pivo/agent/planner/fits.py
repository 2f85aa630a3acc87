"""What kinds of questions have in common: concepts that come together, and how many names of a sort fit."""

from __future__ import annotations

FLAGS = "LOST SIGNED UNSIGNED MERGE NOMERGE"
GROUPED = "BY_DAY|BY_WEEK|BY_MONTH|BY_YEAR|BY_REPO"
GROUP = "BY_DAY BY_WEEK BY_MONTH BY_YEAR BY_REPO"
PLURALS = "SNAPSHOTS PEOPLE COMMIT COMMITS CHANGE"
NTH = "NTH2 NTH3 NTH4 NTH5"

ONE, OPT, ANY = (1, 1), (0, 1), (0, 9)
WHEN = {"periods": OPT, "ends": OPT}
MANY = {"repos": ANY, "owner": OPT}
BY = {"people": (0, 5), "not_person": ANY}
WIDE = {"paths": OPT, **BY, **WHEN, **MANY}
ENDS = {"commits": (0, 2), "refs": (0, 2), "periods": (0, 2)}
COMMIT = {"commits": ONE, "ends": ONE}
LOG = {"refs": ONE, "ends": (1, 2), "periods": OPT, "people": OPT, "number": OPT, "paths": OPT, "text": OPT}
