"""Ways of putting a question or a command, and the plainer ones that they are read as. Data only.

A pattern is looked for in the words in lower case, a quoted word being `\\0`; what it found is replaced by the words
of the template, in which `<1>` stands for the words of the first group as they were written.
"""

from __future__ import annotations

from pivo.agent.planner.lexicon.commands import COMMANDS

_PATH = r"((?:\S*\w\.[a-z][a-z0-9_+-]{0,9}|\.[a-z]\w*|makefile|readme|dockerfile|changelog|license)(?!\S))"
_HEX = r"((?=[0-9a-f]*\d)[0-9a-f]{6,40}|(?<=commit )[0-9a-f]{4,40})"
_LAST = r"((?:very )?(?:last|latest|newest|most recent|youngest)(?: (?:commit|revision|changeset|check-in|push)))"
_WE = r"(?:i|we|you|one|someone|somebody)"
_PEOPLE = (
    r"(?:people|they|folks|everyone|everybody|anyone|anybody|somebody|someone|developers|devs|authors|the team|we|"
    r"guys)"
)
_BACKUPS = r"(?:backups?|snapshots?|archives?|history|archive)"

REWRITES: tuple[tuple[str, str], ...] = (
    # branches
    (
        r"(?:what|which commits) (?:does|do|did) (\S+) (?:have|contain|has) (?:that|which|and) (\S+) (?:does|do|"
        r"has|did|is) (?:not)(?: have| contain)?(?: yet)?",
        "commits on <1> not on <2>",
    ),
    (
        r"(?:which |that )?(?:are|have|has|were|is) not(?: yet)?(?: been)? merged (?:yet )?(?:into|to|in|back "
        r"into) (\S+)",
        "not on <1>",
    ),
    (r"not(?: yet)?(?: been)? merged (?:yet )?(?:into|to|in|back into) (\S+)", "not on <1>"),
    (
        r"unmerged commits (?:of|on|in|from) (\S+) (.{0,40}?)(?:compared to|compared with|against|relative to|into|"
        r"with respect to) (\S+)",
        "commits on <1> <2> not on <3>",
    ),
    (r"how (?:far|much|many commits) (?:is|ahead is) (\S+) ahead of (\S+)", "how many commits on <1> not on <2>"),
    (r"how (?:far|much|many commits) (?:is|behind is) (\S+) behind (\S+)", "how many commits on <2> not on <1>"),
    (r"(?:what|which commits) (?:is|are) (\S+) ahead of (\S+)(?: by)?", "commits on <1> not on <2>"),
    (r"only (?:on|in) (\S+)(?: and| but)?(?: are)? not (?:on|in) (\S+)", "on <1> not on <2>"),
    (r"(?:in|on) (\S+) but(?: are| is)? missing (?:in|from|on) (\S+)", "on <1> not on <2>"),
    (r"(?:the )?(\S+) branch but not (?:yet )?(?:on |in )?(?:the )?(\S+)(?: branch)?", "branch <1> not on <2>"),
    *COMMANDS,
    # asking
    (
        r"is there (?:a|any) way (?:to|of|for me to) (?:see|seeing|find|find out|know|knowing|list|listing|get|"
        r"tell|check)",
        "show",
    ),
    (
        rf"how (?:can|do|could|would|might|should) {_WE} (?:see|find|find out|list|get at|look at|view|tell|check|"
        rf"display)",
        "show",
    ),
    (rf"(?:can|could|may) {_WE} (?:see|have|view|read|look at)", "show"),
    (r"(?:check|see|tell me|know|find out|look|wonder|tell|let me know) (?:whether|if)(?: or not)?", ""),
    (rf"(show|list|see|tell me|give me|know|display) what {_PEOPLE}", "<1> what"),
    (rf"^what (did|do|has|have|does) {_PEOPLE}(?! (?:have|work|contribute)\b)", "what <1>"),
    (rf"(how often|how many times|number of times) {_PEOPLE}", "<1>"),
    (rf"how (often|many times) (did|has|have|do|does) {_PEOPLE}", "how often <2>"),
    (
        r"(?:how long|how many days|how much time) (?:has|have|is|was) (?:it|passed|gone by)(?: been)?(?: passed)? "
        r"since",
        "how long since",
    ),
    (
        r"top (?=(?:\S+ )?(?:most recent|latest|newest|last|recent|oldest|first|largest|biggest|smallest|most|"
        r"busiest)\b)",
        "",
    ),
    (
        r"top (\d+|two|three|four|five|six|seven|eight|nine|ten) (largest|biggest|smallest|most|least|oldest|"
        r"latest|newest)",
        "<1> <2>",
    ),
    (
        r"group(?:ed)?(?: together)? ((?:the |all )?.{0,60}?) (?:up )?by (day|week|month|year|repo|repository|"
        r"author|person)",
        "<1> by <2>",
    ),
    (r"(?:nothing|anything|everything) (?:else )?but", "except"),
    (r"at the same time|by the same token", ""),
    # who, and which commits
    (
        r"(?:where|for which|in which) (\S+(?: \S+)?) (?:is|was) (?:the )?(?:author|committer|one who committed)",
        "by <1>",
    ),
    (r"(?:whose|where the|with the) (?:author|committer)(?: name)? (?:is|was|equals|=)", "by"),
    (
        r"(?:with|having|that have|that list|listing|by author|by committer) (\S+(?: \S+)?) as (?:the |an "
        r")?(?:author|committer)",
        "by <1>",
    ),
    (
        r"by (?:the )?(?:author|committer|developer|user|person)(?: named| called)?(?= [^\s,]+)(?! (?:in|of|for|on|"
        r"over|per|since)\b)",
        "by",
    ),
    (
        r"(?:written|made|created|done|authored|pushed|submitted|committed|contributed|produced|sent)(?: in)? by "
        r"(?!force|whom)",
        "by ",
    ),
    (
        rf"what (?:did|does|has|was|is) (?:the )?(?:commit |revision |changeset )?{_HEX} (?:do|done|doing|bring|"
        rf"achieve)\b",
        "what did commit <1> change",
    ),
    (
        rf"(?:explain|describe|walk me through|summari[sz]e) (?:to me )?(?:the )?(?:commit |revision |changeset "
        rf")?{_HEX}",
        "what did commit <1> change",
    ),
    (
        r"(?:the )?(?:changes?|patch|modifications?|edits?|diff|delta) (?:of|in|from|made by|introduced by|made in|"
        r"introduced in|by|for|"
        rf"introduced with|that came with|caused by|done by|done in) (?:the )?(?:commit |revision |changeset )?{_HEX}",
        "diff of commit <1>",
    ),
    (
        r"(?:the )?(?:changes?|patch|modifications?|edits|delta) (?:of|in|from|made by|introduced by|made in|"
        r"introduced in|by|"
        rf"introduced with|that came with|caused by|done by|done in) (?:the )?{_LAST}",
        "diff of the <1>",
    ),
    (
        rf"what (?:did|does|has) (?:the )?{_LAST} (.{{0,60}}?)\s?(?:do|done|contain|bring|consist of|involve)$",
        "what did the <1> <2> change",
    ),
    (rf"what was (?:the )?{_LAST} (.{{0,60}}?)\s?about$", "show the <1> <2>"),
    (r"who (?:committed|did|changed|pushed) what", "which commits are"),
    (
        r"what (?:was|has been|is|got|were|have been|gets|has) (?:been )?(?:committed|pushed|done|submitted|"
        r"checked in|put) (?=on )",
        "which commits are",
    ),
    (
        rf"(?:what|which) files (?:does|did|do|were|are|is)(?: all)?(?: part of| in| contained in| included in)? "
        rf"(?:the )?(?:commit )?{_HEX}"
        r"(?: contain| include| have| touch| affect| comprise| consist of| involve| hold)?",
        "which files did commit <1> change",
    ),
    (
        r"(?:with|having|that have|which have|that has) (?:the word |the words |the term )?(\S+) in (?:the|their|"
        r"its|the commit|their commit) (?:messages?|subjects?|titles?|descriptions?|log messages?)",
        "mentioning <1>",
    ),
    (
        r"what (?:did|does|do|has|have) (?:the )?(?:last |latest )?(?:verifications?|integrity checks?|drills?) "
        r"(.{0,50}?)\s?(?:find|found|show|reveal|turn up|uncover|report|say|detect|discover|bring up)(?: out| "
        r"wrong)?$",
        "findings <1>",
    ),
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
        rf"{_PATH} (?:in|at|of|from) (\S+) (?:with|and|to|against|versus|vs) {_PATH} (?:in|at|of|from) (\S+)",
        "<1> between <2> and <4>",
    ),
    # files
    (
        rf"(?:the )?(?:current|latest|newest|most recent|present|last|up-to-date) (?:version|revision|state|"
        rf"content|contents|copy) of (?:the )?(?:file )?{_PATH}",
        "<1>",
    ),
    (
        rf"(?:the )?(?:old |past |earlier |previous |all |all the )?(?:versions|revisions) of (?:the )?(?:file "
        rf")?{_PATH}",
        "history of <1>",
    ),
    (rf"(?:the )?(\S+\d\S*) version of (?:the )?(?:file )?{_PATH}", "<2> at <1>"),
    (
        rf"{_PATH} ((?:in|of) \S+ )?(?:look|looks|say|says|read|reads)(?: like)? (?:now|today|currently|at the "
        rf"moment|right now)",
        "show <1> <2>",
    ),
    (rf"what (?:has )?(?:happened|became|become)(?: to| of) (?:the )?(?:file )?{_PATH}", "history of <1>"),
    (
        rf"since when (?:is|has|was) (?:the )?(?:file )?{_PATH} (?:been )?(?:gone|deleted|missing|removed)",
        "when was <1> deleted",
    ),
    (
        rf"since when (?:does|do|has|have|is) (?:the )?(?:file )?{_PATH} (?:exist|existed|been there|been around|"
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
        rf"how far back (?:do|does|can|did) (?:the |our |your )?(?:{_BACKUPS}|we|i) (?:of |for |restore |go (?:in|"
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
    # people's addresses
    (
        rf"how (?:can|do|could|would|should|might) {_WE} (?:reach|contact|write to|mail|email|e-mail|get in touch "
        rf"with|get hold of)",
        "email of",
    ),
    (r"(?:under|with|from|using) (?:which|what) (e-mail|email|mail)(?: address)?", "which email"),
)
"""Pattern → template, tried from the top."""
