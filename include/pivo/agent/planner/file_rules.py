"""Kinds of questions about the files that there are now, and how large they are. Data, with small conditions."""

from __future__ import annotations

from pivo.agent.planner import conditions
from pivo.agent.planner.fits import MANY, ONE, OPT
from pivo.agent.planner.frames import Rule

_HERE = {**MANY, "paths": OPT, "suffix": OPT}

FILE_RULES: tuple[Rule, ...] = (
    Rule(
        "file_sizes",
        "FILE BIGGEST|SMALLEST",
        "SIZE MOST OFFILES ARCHIVE CURRENT FOLDER",
        {**_HERE, "number": OPT},
        conditions.here,
    ),
    Rule("files_now", "", "FILE YES HAVE CONTENT STORED", {"paths": ONE, **MANY}, conditions.whether),
    Rule("file_sizes", "BIGGEST", "SIZE", {"repos": ONE, "number": OPT}, conditions.takes_space),
    Rule("count_files", "COUNT FILE", "SIZE ARCHIVE CURRENT FOLDER", {**_HERE, "bytes": ONE}, conditions.here),
    Rule("file_sizes", "FILE|ASK|SHOW", "SIZE ARCHIVE CURRENT FOLDER MORE", {**_HERE, "bytes": ONE}, conditions.here),
    Rule(
        "file_size",
        "SIZE",
        "FILE FOLDER CURRENT CONTENT COUNT",
        {"paths": ONE, **MANY},
        lambda r: "REPOS" not in r.concepts,
    ),
    Rule("total_size", "SIZE FILE", "COUNT ARCHIVE CURRENT FOLDER", MANY, conditions.summed),
    Rule("files_now", "FILE SIZE", "COUNT ARCHIVE CURRENT FOLDER PER CONTENT", _HERE, conditions.here),
    Rule(
        "files_since",
        "FILE LAST CHANGE",
        "CURRENT WHEN",
        {**_HERE, "periods": ONE, "ends": OPT},
        conditions.files_until,
    ),
    Rule("files_since", "FILE NOT CHANGE", "CURRENT EVER", {**_HERE, "periods": ONE, "ends": OPT}, conditions.since),
    Rule("files_now", "FILE PER WHO|WHEN", "LAST CHANGE WROTE COMMIT PERSON", _HERE, conditions.here),
    Rule("files_now", "MODE FILE|ASK|SHOW", "FILE CURRENT ARCHIVE", _HERE, conditions.here),
    Rule("count_files", "COUNT MODE", "FILE CURRENT ARCHIVE", _HERE, conditions.here),
    Rule("files_now", "FILE", "CURRENT CONTENT HAVE ARCHIVE", {**_HERE, "suffix": ONE}, conditions.here),
    Rule("files_now", "FILE SHOW|ASK|CONTENT", "FILE CURRENT CONTENT", _HERE, conditions.all_now),
    Rule("count_files", "COUNT FILE", "CURRENT ARCHIVE FOLDER", _HERE, conditions.here),
    Rule(
        "files_now",
        "FILE",
        "FOLDER CURRENT",
        _HERE,
        lambda r: conditions.here(r) and not r.concepts & {"ASK", "SHOW"} and bool(r.paths or r.repos),
    ),
)
