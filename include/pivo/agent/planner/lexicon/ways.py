"""Ways of putting a question or a command, and the plainer ones that they are read as. Data only.

A pattern is looked for in the words in lower case, a quoted word being `\\0`; what it found is replaced by the words
of the template, in which `<1>` stands for the words of the first group as they were written.
"""

from __future__ import annotations

from pivo.agent.planner.lexicon.commands import COMMANDS
from pivo.agent.planner.lexicon.lines import LINES
from pivo.agent.planner.lexicon.searching import SEARCHING
from pivo.agent.planner.lexicon.things import HEX, LAST, PEOPLE, THINGS, WE

REWRITES: tuple[tuple[str, str], ...] = (
    *LINES,
    *COMMANDS,
    (r"^how many (.+?) and (?:what|which)(?: ones)? are (?:they|those|these)(?: called)?$", "list the <1>"),
    # where
    (
        r"(?:no matter|regardless of|irrespective of|never mind) (?:in |on )?(?:which|what|the) (?:repo|repository|"
        r"project)\b",
        "across all repositories",
    ),
    (
        r"over(?= (?:all|every|any)(?: of)?(?: the| our| your| my)? (?:repos?|repository|repositories|projects?)\b)",
        "across",
    ),
    (r"(?:below|beneath|underneath|inside of) (?:the )?(?:folder|directory|dir) (?=\S+)", "in the folder "),
    # asking
    (r"(?:is|would) it (?:be )?possible (?:to|for you to)", ""),
    (rf"(do|did|does|have|has) {PEOPLE} (?=(?:commit|push|change|touch|work|contribute|edit|modify)\b)", "<1>"),
    (r"what (?:all |else )?(?:do|have) (?:we|you) (?:have |got )?(?:archived|backed up)$", "list all repositories"),
    (r"everything (?:that )?(?:we|you) (?:archive|back up|have archived|have backed up)", "all repositories"),
    (r"^(all|any|every) (.{3,60}?)(?: in| across| from| over)? every (?:repo|repository|project)$", "<1> <2>"),
    (r"(did|has|does) (?:the|our) archive", "<1> we"),
    (
        r"(?:that |which )?no (?:branch|tag|ref)(?:es|s)?(?: (?:or|nor|and) (?:branch|tag|ref)(?:es|s)?)? (?:reach|"
        r"reaches|"
        r"contains?|has|have|points? (?:to|at)|leads? to|includes?|knows|holds?|refers? to|references)(?: any "
        r"?more| any "
        r"longer| anymore)?",
        "lost",
    ),
    (
        r"not (?:be )?(?:reachable|reached|contained|included|referenced|found) (?:from|by|in|on) any (?:branch|"
        r"tag|ref)"
        r"(?: (?:or|nor|and) (?:branch|tag|ref))?(?: any ?more| any longer| anymore)?",
        "lost",
    ),
    (r"(?:only|just) the (?:top|very top|first|biggest|best|leading) (?:one|1)", "1"),
    (r"what (?:did|have|has) (?:i|we) miss(?:ed)?", "what happened"),
    (
        r"in the (?:period|timeframe|time frame|time|window|span|interval|days|weeks|months)(?= (?:from|between|"
        r"since))",
        " ",
    ),
    (
        r"(?<!largest )(?<!highest )(?<!biggest )(?<!greatest )(?<!smallest )(?<!lowest )(?<!fewest )(?<!by )"
        r"(?:how many|the number of|number of|count of|count|how large is the number of)(?: different| distinct| "
        r"unique|"
        r" separate| individual)* (?:authors|contributors|committers|developers|devs|engineers|programmers|persons|"
        r"individuals|users|people|folks|coders)(?! (?:per|by|each)\b)",
        "how many people",
    ),
    (
        rf"what (?:is|was|were|are) (?:in|inside|part of|included in|contained in) (?:the )?(?:commit |revision |"
        rf"changeset )?{HEX}",
        "what did commit <1> change",
    ),
    (
        r"^(?:do|does|have|has) (?:every|each|all|all the|all of the|all our) (?:single )?(?:repository|repo|"
        r"repositories|"
        r"repos|projects?) (?:have|has|got) (?:a |an |any |some )?(\S+)$",
        "which repositories have no <1>",
    ),
    (
        r"(which|what) (repos|repositories|projects) (?:were|was|are|is|have been|has been|saw|had|got|showed)(?: "
        r"most)? "
        r"(?:active|busy|alive|any activity|activity|changed|changes)",
        "<1> <2> had commits",
    ),
    (
        r"^(?:has|have|is|are|was|were|did) (?:every|each|all|all the|all of the|all our) (?:single "
        r")?(?:repository|repo|"
        r"repositories|repos|projects?) (?:been |get )?(?:already )?(backed up|snapshotted|archived) (.+)$",
        "which repositories were not <1> <2>",
    ),
    (
        r"^(?:has|have|is|are|was|were) (?:every|each|all|all the|all of the|all our) (?:single )?(?:repository|repo|"
        r"repositories|repos|projects?)(?: archivewide)? (?:been )?(?:already |ever )?(?:verified|checked|proven)$",
        "which repositories were never verified",
    ),
    (
        r"^(?:did|have|do|has) (?:all|every|each)(?: of)?(?: the| our| last)* (?:verifications?|checks?|integrity "
        r"checks?|"
        r"repositories|repos) (?:pass|passed|succeed|succeeded|go well|gone well|verify|verified)(?: verification| "
        r"their "
        r"verifications?| their last verification)?(?: successfully)?$",
        "which repositories failed verification",
    ),
    (r"(?:in|over|during|within) the (?:course|span|space) of", "in"),
    *(
        (
            rf"(?:on|in|during) (?:which|what) {unit}s (?:were there|was there|are there|were|was|are|did|has|have|"
            rf"had)",
            f"per {unit} did",
        )
        for unit in ("day", "week", "month", "year")
    ),
    (r"(files?|paths?|scripts?) (?:are|is|were|was|that are|which are) new", "<1> were added"),
    (
        r"how (every|each|all|our|the|all our|all the|all of our|all of the) (repository|repo|repositories|repos|"
        r"backups|"
        r"snapshots|archive)(?: of ours)? (?:stands?|is doing|are doing|is|are|fares?|looks?)",
        "status of <1> <2>",
    ),
    (
        r"(?:having|have|has|contain|contains|containing|with|include|includes|including) (?:the )?(?:word|text|term|"
        r"string|phrase|words) (\S+) in (?:them|it|their text|the text|the message|their messages?)",
        "mentioning <1>",
    ),
    (
        r"(?:search|grep|look|hunt|scan|comb)(?: through| in)? (?:the |all |our |git |commit |whole |entire |every )*"
        r"(?:history|log|logs|messages|commits?|commit messages)(?: messages?)? for",
        "search for",
    ),
    (
        r"^(?:please |can you |could you )?(?:search|grep|scan)(?: through| in)? (\S+) for (\S+)$",
        "search for <2> in <1>",
    ),
    (r"(\S+) 's (?:backup )?archives?(?! of)", "<1>"),
    (
        r"is there (?:a|any) way (?:to|of|for me to) (?:see|seeing|find|find out|know|knowing|list|listing|get|"
        r"tell|check)",
        "show",
    ),
    (
        rf"how (?:can|do|could|would|might|should) {WE} (?:see|find|find out|list|get at|look at|view|tell|check|"
        rf"display)",
        "show",
    ),
    (rf"(?:can|could|may) {WE} (?:see|have|view|read|look at)", "show"),
    (r"(?:check|see|tell me|know|find out|look|wonder|tell|let me know) (?:whether|if)(?: or not)?", ""),
    (rf"(show|list|see|tell me|give me|know|display) what {PEOPLE}", "<1> what"),
    (rf"^what (did|do|has|have|does) {PEOPLE}(?! (?:have|work|contribute)\b)", "what <1>"),
    (rf"(how often|how many times|number of times) {PEOPLE}", "<1>"),
    (rf"how (often|many times) (did|has|have|do|does) {PEOPLE}", "how often <2>"),
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
        rf"what (?:did|does|has|was|is) (?:the )?(?:commit |revision |changeset )?{HEX} (?:do|done|doing|bring|"
        rf"achieve)\b",
        "what did commit <1> change",
    ),
    (
        rf"(?:explain|describe|walk me through|summari[sz]e) (?:to me )?(?:the )?(?:commit |revision |changeset "
        rf")?{HEX}",
        "what did commit <1> change",
    ),
    (
        r"(?:the )?(?:changes?|patch|modifications?|edits?|diff|delta) (?:of|in|from|made by|introduced by|made in|"
        r"introduced in|by|for|"
        rf"introduced with|that came with|caused by|done by|done in) (?:the )?(?:commit |revision |changeset )?{HEX}",
        "diff of commit <1>",
    ),
    (
        r"(?:the )?(?:changes?|patch|modifications?|edits|delta) (?:of|in|from|made by|introduced by|made in|"
        r"introduced in|by|"
        rf"introduced with|that came with|caused by|done by|done in) (?:the )?{LAST}",
        "diff of the <1>",
    ),
    (
        rf"what (?:did|does|has) (?:the )?{LAST} (.{{0,60}}?)\s?(?:do|done|contain|bring|consist of|involve)$",
        "what did the <1> <2> change",
    ),
    (rf"what was (?:the )?{LAST} (.{{0,60}}?)\s?about$", "show the <1> <2>"),
    (r"who (?:committed|did|changed|pushed) what", "which commits are"),
    (
        r"what (?:was|has been|is|got|were|have been|gets|has) (?:been )?(?:committed|pushed|done|submitted|"
        r"checked in|put) (?=on )",
        "which commits are",
    ),
    (
        rf"(?:what|which) files (?:does|did|do|were|are|is)(?: all)?(?: part of| in| contained in| included in)? "
        rf"(?:the )?(?:commit )?{HEX}"
        r"(?: contain| include| have| touch| affect| comprise| consist of| involve| hold)?"
        r"(?! (?:change|add|create|introduce|delete|remove|drop|modify|edit|update|alter|rename|move)\b)",
        "which files did commit <1> change",
    ),
    (
        r"(?:with|having|that have|which have|that has) (?:the word |the words |the term )?(\S+(?: or \S+)?) in (?:the|"
        r"their|"
        r"its|the commit|their commit) (?:messages?|subjects?|titles?|descriptions?|log messages?)",
        "mentioning <1>",
    ),
    (
        r"what (?:did|does|do|has|have) (?:the )?(?:last |latest )?(?:verifications?|integrity checks?|drills?) "
        r"(.{0,50}?)\s?(?:find|found|show|reveal|turn up|uncover|report|say|detect|discover|bring up)(?: out| "
        r"wrong)?$",
        "findings <1>",
    ),
    *SEARCHING,
    *THINGS,
    # people's addresses
    (
        rf"how (?:can|do|could|would|should|might) {WE} (?:reach|contact|write to|mail|email|e-mail|get in touch "
        rf"with|get hold of)",
        "email of",
    ),
    (r"(?:under|with|from|using) (?:which|what) (e-mail|email|mail)(?: address)?", "which email"),
)
"""Pattern → template, tried from the top."""
