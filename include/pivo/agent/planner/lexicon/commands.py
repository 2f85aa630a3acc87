"""Ways of telling to restore, to take a snapshot or to verify, and the plain ones; as in ways.py. Data only."""

from __future__ import annotations

_POLITE = (
    r"^((?:please|kindly|can|could|would|will|you|i|we|want|need|like|to|let|us|me|just|now|go|ahead|and|also|then|"
    r"mind)\s)*"
)

_ASKS = (
    r"(?:which|what|whats|who|whom|whose|when|where|why|how|was|were|is|are|did|do|does|has|have|had|list|show|"
    r"count|give|"
    r"tell|find|get|see|restores?|number|i|we|could|can|would|please|kindly|need|want|any|commits?|snapshots?)"
)

COMMANDS: tuple[tuple[str, str], ...] = (
    (
        rf"^(?!{_ASKS}\b)(.{{3,90}}?)"
        r"(?<!was)(?<!were)(?<!been)(?<!got)(?<!get)(?<!is)(?<!are)(?<!being)(?<!be) (?:restored|recovered|rebuilt|"
        r"brought back) (into|to|as|at|onto)(?= )",
        "restore <1> <2>",
    ),
    (
        rf"{_POLITE}(?:have|get|see) (\S+) (?:restored|recovered|rebuilt|brought back) (into|to|as|at|onto)(?= )",
        "restore <2> <3>",
    ),
    (r"^((?:all|every) .{3,60}?) back (to|as|at)(?= )", "restore <1> <2>"),
    # telling to do something
    (r"(?:it is|it 's)? ?time to", ""),
    (rf"{_POLITE}(?:start|begin|go ahead with|run) (?:verifying|checking|verify)", "verify"),
    (rf"{_POLITE}(?:start|begin|go ahead with) (?:backing up|snapshotting|archiving)", "back up"),
    (
        rf"{_POLITE}(?:start|do|run|perform|prepare|propose|set up|arrange|trigger|make|launch|kick off|initiate|"
        rf"begin|execute)(?: me| "
        rf"us)? (?:a |an |another |the )?(?:new |full |complete )?(?:restore|restoration|recovery)(?: run| job)? "
        rf"(?:of|for|on)",
        "restore",
    ),
    (
        rf"{_POLITE}(?:start|do|perform|trigger|capture|run|make|create|take|get|execute|kick off|launch|initiate|"
        rf"produce|begin|have)(?: me| us)? (?:a |an |another |one |one more )(?:new |fresh |quick |full |complete |"
        rf"further |extra |additional |manual |up-to-date )*(?:snapshot|backup|back-up)(?: run| job)? (?:of|for|"
        rf"from|on)",
        "take a snapshot of",
    ),
    (
        r"^(?:please )?(?:i|we)(?: would| 'd)? (?:want|need|like|require)(?: to have| to get| to take| to make)? "
        r"(?:a |an |another |one |one more )(?:new |fresh |quick |full |complete |further |extra |additional |"
        r"manual |up-to-date )*(?:snapshot|backup|back-up) (?:of|for|from|on)",
        "take a snapshot of",
    ),
    (r"^(\S+) needs (?:a |an |another |one more )?(?:new |fresh )?(?:snapshot|backup)", "take a snapshot of <1>"),
    (rf"{_POLITE}(?:have|get|see) (\S+) (?:backed up|snapshotted|archived)", "take a snapshot of <2>"),
    (
        r"^(?:i|we)(?: would| 'd)? (?:want|need|like)(?: to have| to see| to get)? (\S+)(?: to be)? (?:backed up|"
        r"snapshotted|archived)(?! (?:by|since|in|on|to)\b)",
        "take a snapshot of <1>",
    ),
    (r"^(\S+) (?:needs|has|ought) to be (?:backed up|snapshotted|archived)", "take a snapshot of <1>"),
    (
        rf"{_POLITE}(?:do|run|perform|start|make|trigger|launch|execute|begin|initiate|kick off|conduct|carry "
        rf"out)(?: me| us)? (?:a |an |another |the |one )?(?:new |fresh )?(deep |full |thorough |complete |"
        rf"comprehensive |in-depth )?(?:integrity )?(?:verification|check|validation|test|verify|verifying|"
        rf"checking)(?: run)?(?: of| on| for| over)?(?! drill)",
        "verify <2>",
    ),
    (
        r"^(?:i|we)(?: would| 'd)? (?:want|need|like)(?: to have| to see| to get)? (\S+)(?: to be)? (thoroughly |"
        r"deeply |fully )?(?:verified|checked|validated)(?! (?:by|since|in|on|to)\b)",
        "verify <1> <2>",
    ),
    (r"^(\S+) (?:needs|has|ought) to be (?:verified|checked|validated)", "verify <1>"),
    (
        rf"{_POLITE}(verify|check|validate|test|inspect) (?:every|all|each|all the|all of the) (?:single "
        rf")?objects? (?:of|in)",
        "<2> deeply",
    ),
    (r"in (?:full |great )?depth(?=$| and )", "thoroughly"),
    (r"^(\S+) (?:needs|has|ought) to be (?:restored|recovered|brought back)", "restore <1>"),
    (
        r"^(?:we|i|somebody|someone) (?:have |has |just |accidentally |'ve )*(?:lost|deleted|broke|destroyed|"
        r"messed up|removed|killed) (\S+) (?:and |so |now )?(?:please |can you |could you |kindly )*(?:restore|"
        r"bring|recover|get)(?: me)? it(?: back)?",
        "restore <1>",
    ),
    (
        r"^(\S+) (?:got|was|has been|is) (?:accidentally )?(?:deleted|lost|broken|destroyed|removed|gone) (?:and |"
        r"so |now )?(?:please |can you |could you |kindly )*(?:restore|bring|recover|get)(?: me)? it(?: back)?",
        "restore <1>",
    ),
    (r"under the name(?: of)?", "called"),
)
"""Pattern → template."""
