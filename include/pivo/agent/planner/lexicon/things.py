"""Ways of asking about files, comparisons, snapshots and repositories, and the plain ones; as in ways.py. Data only."""

from __future__ import annotations

PATH = r"((?:\S*\w\.[a-z][a-z0-9_+-]{0,9}|\.[a-z]\w*|makefile|readme|dockerfile|changelog|license)(?!\S))"
HEX = r"((?=[0-9a-f]*\d)[0-9a-f]{6,40}|(?<=commit )[0-9a-f]{4,40})"
LAST = r"((?:very )?(?:last|latest|newest|most recent|youngest)(?: (?:commit|revision|changeset|check-in|push)))"
WE = r"(?:i|we|you|one|someone|somebody)"
PEOPLE = (
    r"(?:people|folks|everyone|everybody|anyone|anybody|somebody|someone|developers|devs|authors|the team|we|"
    r"guys)"
)
BACKUPS = r"(?:backups?|snapshots?|archives?|history|archive)"

THINGS: tuple[tuple[str, str], ...] = (
    # comparisons
    (
        r"how (?:does|do|did|is|was) (\S+) (?:differ|different|deviate|diverge) from (\S+)",
        "difference between <2> and <1>",
    ),
    (
        r"(?:what is |what was )?(?:new|changed|different|added) in (\S+) (?:as )?(?:compared (?:to|with)|relative "
        r"to|versus|vs|against|over) (\S+)",
        "what changed from <2> to <1>",
    ),
    (
        r"compare (\S+) (?:to|with|against) (?:its|the) (?:previous|preceding|prior) (?:version|one)",
        "last change to <1> as a diff",
    ),
    (r"since (\S+) (?:up to|until|till|to) (\S+)", "from <1> to <2>"),
    (
        rf"{PATH} (?:in|at|of|from) (\S+) (?:with|and|to|against|versus|vs) {PATH} (?:in|at|of|from) (\S+)",
        "<1> between <2> and <4>",
    ),
    # files
    (
        rf"(?:the )?(?:current|latest|newest|most recent|present|last|up-to-date) (?:version|revision|state|"
        rf"content|contents|copy) of (?:the )?(?:file )?{PATH}",
        "<1>",
    ),
    (
        rf"(?:the )?(?:old |past |earlier |previous |all |all the )?(?:versions|revisions) of (?:the )?(?:file "
        rf")?{PATH}",
        "history of <1>",
    ),
    (rf"(?:the )?(\S+\d\S*) version of (?:the )?(?:file )?{PATH}", "<2> at <1>"),
    (
        rf"{PATH} ((?:in|of) \S+ )?(?:look|looks|say|says|read|reads)(?: like)? (?:now|today|currently|at the "
        rf"moment|right now)",
        "show <1> <2>",
    ),
    (rf"what (?:has )?(?:happened|became|become)(?: to| of) (?:the )?(?:file )?{PATH}", "history of <1>"),
    (
        rf"since when (?:is|has|was) (?:the )?(?:file )?{PATH} (?:been )?(?:gone|deleted|missing|removed)",
        "when was <1> deleted",
    ),
    (
        rf"since when (?:does|do|has|have|is) (?:the )?(?:file )?{PATH} (?:exist|existed|been there|been around|"
        rf"there)",
        "when was <1> added",
    ),
    (
        r"(?:what is|what stands|what was) (?:written |stored )?(?:in|inside)(?! (?:the archive|hdfs|your archive|"
        r"our archive))",
        "contents of",
    ),
    # snapshots and repositories
    (
        r"since when (?:do|have|are|is|has|did|were)(?: we| you| i)?(?: been)? (?:back up|backing up|archive|archiving|"
        r"snapshot|snapshotting|archived|backed up)",
        "when was the first snapshot of",
    ),
    (
        r"^(?:what|which things?) (?:is|are|do you have|have you got|is there|are there|do we have|have we got)(?: "
        r"all| stored| kept)? (?:in|inside) (?:the|your|our|this) (?:archive|vault|backup)$",
        "list all repositories",
    ),
    (
        r"(?:in|inside|within|into) (?:the|our|your|this|pivo 's) (?:whole |entire )?(?:archive|vault)(?! of)",
        "archivewide",
    ),
    (
        r"(?:what|which) (?:points|moments|dates|times|states|versions|days)(?: in time)? (?:can|could) (?:i|we|"
        r"you) (?:restore|roll back|go back|get back|bring back|bring|roll|return) (.{1,60}?)(?: back)?(?: to)?$",
        "list snapshots of <1>",
    ),
    (
        rf"how far back (?:do|does|can|did) (?:the |our |your )?(?:{BACKUPS}|we|i) (?:of |for |restore |go (?:in|"
        rf"with|for) )?(\S+?)(?: go| reach| be restored)?$",
        "when was the first snapshot of <1>",
    ),
    (
        r"(?:since when|how long|for how long) (?:is|has|have|was|do|did|are) (?:we )?(?:been )?(?:archiving |"
        r"backing up )?(\S+) (?:been )?(?:archivewide|archived|backed up|being backed up|snapshotted|under backup)",
        "when was the first snapshot of <1>",
    ),
    (
        r"when (?:was|did|has|were) (\S+) (?:first )?(?:been )?(?:added to|enter|join|become part of|put into|"
        r"brought into|taken into|appear|first appear|added) (?:the archive|archivewide|the backup)",
        "when was the first snapshot of <1>",
    ),
    (
        r"when did (?:we|you|pivo|i) (?:first )?(?:start|begin)(?: to)? (?:back up|backing up|archive|archiving|"
        r"snapshot|snapshotting|taking snapshots of|making backups of|doing backups of)",
        "when was the first snapshot of",
    ),
    (
        r"how much (?:space|storage|room|disk|disk space|memory|data) (?:do|does|did|is|are) (?:the )?(?:snapshots|"
        r"backups) of",
        "size of",
    ),
)
"""Pattern → template."""
