"""The planner's words: phrases to concepts, and words that carry no meaning of their own. Data only.

A word that is in neither table, and that no name in the index explains, makes the planner refuse.
"""

from __future__ import annotations

from pivo.agent.planner.words import wordset

_CONCEPTS: dict[str, str] = {
    "WHO": (
        "who was it that|who is it that|who was it who|who|whom|whose|by whom|which person|which developer|"
        "which author|which contributor|which committer|who else"
    ),
    "WHEN": "when|what time|at what time|what date|which date|on which day|what day|which day",
    "WHERE": "where|in which folder|which folder holds|what path holds",
    "ASK": (
        "did people|did everyone|did everybody|has everyone|have people|any more|explain|describe|"
        "what|which|tell me|tell|know|how did|how does|how do|did|does|happened|happen|going on|went on|"
        "been going on|report|info|"
        "information|details|detail|about|overview|summary|summarise|summarize"
    ),
    "SHOW": "show|list|give|display|get|find|see|print|fetch|view|look at|look up|open|enumerate",
    "COUNT": (
        "how much|how many|number of|count|count of|total number of|the amount of|how often|how many times|amount of"
    ),
    "COMMIT": (
        "came in|come in|landed|went in|went into|gone into|commit|committed|commited|committing|revision|"
        "check-in|checkin|checked in|pushed|push|changeset"
    ),
    "COMMITS": (
        "git log|activity|commits|revisions|check-ins|checkins|pushes|changesets|commit history|commit log|log|history"
    ),
    "LAST": "last|latest|most recent|most recently|newest|lastly|last time|youngest",
    "RECENT": "recent|recently|lately",
    "FIRST": "first|oldest|earliest|initial|very first|originally",
    "MOST": "leaderboard|most|most often|top|most active|most frequently|most commonly|mostly|leading|ranking|rank",
    "LEAST": "least|fewest|least often|least active|least frequently|fewer|less|bottom",
    "MORE": "more|more often",
    "BIGGEST": "largest|biggest|heaviest|most space|most storage|by size",
    "SMALLEST": "smallest|tiniest|lightest|least space",
    "SIZE": (
        "how big|how large|size|sizes|how much space|how much storage|how many bytes|disk space|"
        "storage space|how heavy|space|storage|bytes"
    ),
    "BY_DAY": "per day|daily|by day|each day|every day|a day|day by day|for each day",
    "BY_WEEK": "per week|weekly|by week|each week|every week|a week|week by week|for each week",
    "BY_MONTH": "per month|monthly|by month|each month|every month|a month|month by month|for each month",
    "BY_YEAR": "per year|yearly|by year|each year|every year|a year|annual|for each year",
    "BY_REPO": (
        "per repository|per repo|per project|by repository|by repo|by project|each repository|each repo|"
        "each project|every repository|every repo|for each repository|for each repo"
    ),
    "MOST BY_DAY COMMIT": "busiest day|most active day|busiest days|most active days",
    "MOST BY_WEEK COMMIT": "busiest week|most active week|busiest weeks",
    "MOST BY_MONTH COMMIT": "busiest month|most active month|busiest months",
    "MOST BY_REPO REPO": "busiest repository|busiest repo|most active repository|most active repo|busiest repositories",
    "NTH2": "second|2nd|next to",
    "NTH3": "third|3rd",
    "NTH4": "fourth|4th",
    "NTH5": "fifth|5th",
    "NTH2 LAST": "penultimate|second to last|last but one|next to last|second-last|second-to-last",
    "NTH3 LAST": "third to last|last but two|third-last|antepenultimate",
    "AGE": "how old|age|how long ago|how fresh|how stale|how recent|how up to date|up to date",
    "NOT": (
        "not|no|never|without|except|excluding|but|other than|besides|apart from|nobody|none|neither|"
        "nor|only|instead|rather than|unless|lacks|lacking|missing|nothing|non|un|lack"
    ),
    "PER": "per|for each|grouped by|by each|each|broken down by",
    "CHANGE": (
        "change|changed|changes|changing|touched|touch|touches|touching|modified|modify|modifies|edited|"
        "edit|edits|updated|update|updates|altered|worked on|work on|working on|works on|"
        "affected|affect|different|new in"
    ),
    "ADDED": "added|add|created|introduced|introduce|adds|create|new files|new file",
    "DELETED": "deleted|removed|delete|remove|deletes|removes",
    "WROTE": "wrote|written|write|authored|made by|responsible for|behind",
    "DIFF": ("diff|diffs|difference|differences|differ|compare|comparison|delta|compared to|compared with|vs|versus"),
    "BETWEEN": "between",
    "SNAPSHOT": "snapshot|snapshotted|snapshoted|backup|backed up|back up|back-up|archived|saved",
    "SNAPSHOTS": "snapshots|backups|back-ups",
    "STORED": "stored|kept|live|lie|located|location|hdfs path|path in hdfs|in hdfs",
    "BRANCH": "branch|branches|heads",
    "TAG": "tag|tags|tagged|release|releases|version|versions",
    "REF": "ref|refs|references",
    "PARENT": (
        "right before|directly before|immediately before|just before|parent|parents|predecessor|came before|"
        "comes before|came right before|came directly before|was before"
    ),
    "POINT": "point|points|pointing|point at|points at|point to|points to|tip|tip of|head of",
    "REPO": "repo|repository|project",
    "REPOS": "repos|repositories|projects|archives",
    "ARCHIVE": ("archive|whole archive|all repositories|all repos|in total|overall|altogether|total"),
    "PERSON": "author|committer|contributor|developer|person|programmer|engineer",
    "PEOPLE": (
        "authors|committers|contributors|developers|people|persons|programmers|engineers|contribute|"
        "contributed|contributes|contributing|team members|active|contributions"
    ),
    "FILE": "file|path|files|paths",
    "FOLDER": "folder|directory|folders|directories|tree",
    "CONTENT": (
        "content|contents|read|cat|look like|looked like|look|looked|inside|text of|the text|say|says|said|body of"
    ),
    "EMAIL": "email|e-mail|email address|e-mail address|mail address|email addresses|e-mail addresses",
    "MESSAGE": "message|messages|subject|title|commit message|commit messages",
    "RESTORE": (
        "restore|restored|restores|restoration|restorations|brought back|recovered|recoveries|restoring|"
        "bring back|recover|recovery"
    ),
    "WHY": "why",
    "FAILED": "not pass|not passed|not passing|failed|fail|failing|unsuccessful|failures|failure",
    "LOST": (
        "lose|losing|vanished|disappeared|gone missing|no branch contains|no ref reaches|not on any branch|"
        "lost|dropped|orphaned|orphan|unreachable|no longer reachable|not reachable|can no longer be reached|"
        "no longer be reached|no longer on any branch|on no branch|by force-push|by a force-push|by force push|"
        "by a force push|lost by a force-push|lost by a force push|lost in a force-push|lost in a force push|"
        "lost to a force-push"
    ),
    "FORCED": "force-pushed|force pushed|force-push|force push|force-pushes|force pushes|forced",
    "REWRITTEN": (
        "rewritten|rewrote|history rewritten|rewritten history|history was rewritten|their history rewritten|"
        "rewrite history|rewrote history|rewritten their history"
    ),
    "INCOMPLETE": "incomplete|not complete|missing lfs objects|lack lfs objects|without all lfs objects",
    "VERIFY": "verified|verification|verifications|verify|integrity check|integrity checks|integrity",
    "NEVER VERIFY": (
        "unverified|never verified|never been verified|not been verified yet|not verified yet|"
        "never been checked for integrity"
    ),
    "FAILED VERIFY": "damaged|corrupt|corrupted|not intact|unsound",
    "VERIFY FINDING": (
        "verifications find|verification find|verifications found|verification found|verifications turn up|"
        "verifications uncover"
    ),
    "FINDING": "problem|problems|finding|findings|wrong with|wrong",
    "DRILL": "drill|drills|restore drill|restore drills|test restore|test restores",
    "HEALTH": (
        "healthy|how healthy|health|all right|alright|in order|in good shape|health report|health check|"
        "status of the archive|state of the archive|status of the backups|state of the backups|okay overall"
    ),
    "RUN": "run|dag run|runs|job|ran",
    "STATUS": "how far along is|how far is|how far|status|how is|succeed|succeeded|succeeding|come along|coming along",
    "RUNNING": "running|in progress|unfinished|under way|underway|not finished|ongoing|pending|still going",
    "CURRENT": "current",
    "AUDIT": "audit|audit log|audit logs|audit trail",
    "SOURCE": "come from|comes from|source|source of|origin|fetched from|upstream|source url|source address",
    "HEADBRANCH": "default branch|primary branch|head branch",
    "ORG": "belong to|belongs to|owned by|organisation|organization|org|owner|organisations|organizations",
    "MOST COMMIT": "by number of commits|by commits|by commit count|by the number of commits",
    "NOMERGE": "non-merge|no-merge|nonmerge",
    "SIGNED": "signed|with a signature|gpg-signed",
    "UNSIGNED": "unsigned|not signed|without a signature|without signature",
    "MERGE": "merge|merges|merged",
    "SEARCH": (
        "talking about|talks of|that say|saying|mention|mentions|mentioning|mentioned|containing|contains|"
        "contain|matching|search|search for|"
        "searching for|grep|grep for|talk about|talks about|related to|regarding|concerning|are about|"
        "is about|refer to|refers to|referring to|deal with|with the word|with the text|"
        "with the message|with message|whose message has|find commits about|commits about|commit about"
    ),
    "FIXED": "fixed|fixes|fixing|solved",
    "ALLTHINGS": "everything",
    "MOST PEOPLE": "main contributors|main authors|main developers|main committers|main people",
    "LAST COMMIT": "last active|most recently active|last activity",
    "NOT COMMIT": "silent|inactive|idle|been quiet",
    "HEADCOMMIT": "head commit|commit at head|commit at the head|commit of head",
    "REACH": "reachable from|reachable|contained in",
    "UNCLEAR": "what people|what developers|what authors|what everyone",  # who, or what they did? never answered
    "HELP": (
        "help|help me|what can you do|what can i ask|how does this work|what do you know|how do i use this|"
        "what are you able to do|examples|example questions|what questions can i ask"
    ),
    "ASOF": "as of|as it was|state of|state|as at",
    "YES": "is there|are there|exist|exists|available|known",
}

PHRASES: dict[tuple[str, ...], str] = {
    tuple(phrase.split()): concept for concept, phrases in _CONCEPTS.items() for phrase in phrases.split("|")
}
"""Phrase (as lower-case words) → its concepts, parted by blanks."""

LONGEST = max(map(len, PHRASES))

FILLER = wordset(
    "'s a across actually all already also am an and any anybody anymore anyone anything are as at be "
    "because been being by called can could currently do done down due during ever every exactly for from "
    "given go goes going gone got had hadoop's has have having hello here hey hi i in into is just kindly "
    "let like made make makes making may me might must my name named names need now of ok okay on once "
    "one ones onto or our out pivo's please really right shall should so some somebody someone something "
    "still stuff take taken takes thank thanks that the then there these thing this those through "
    "throughout time to too took up upon us very via want wants was we went were whatsoever will with "
    "within would yet you your "
)
"""Words that may stand anywhere. No negation, no superlative, no pronoun, nothing that narrows or widens a question."""

SUPERSETS = {"COMMITS": "COMMIT", "SNAPSHOTS": "SNAPSHOT", "PEOPLE": "PERSON", "REPOS": "REPO"}
"""Plural concepts and what they are the plural of."""

PRONOUNS = wordset("it its he she him her his hers they them their this that these those there same")
"""Words that may stand for something that was said before (planner/followups.py); "that" and "there" need not."""

ENDS_TEXT = wordset("in by since from before after on during last this between until for")
"""Words that end a text to search for."""

SKIPPED_BEFORE_TEXT = wordset(
    "the a an word words text phrase term message messages commit commits string for mentioning containing about that"
    " which with mention"
)
"""Words between "mention" and what is searched for."""

THINGS = wordset(
    "commit commits revision file files path folder directory branch tag release repo repository project person author"
    " one ones snapshot backup day run"
)
"""Nouns that "that …" and "this …" point back with."""

JOINS = wordset("and or by nor in of 's the repo repository repositories project")
"""Words between two names of a list."""

MANY = wordset(
    "repos repositories projects archives authors committers contributors developers people persons programmers"
    " engineers branches tags commits files snapshots"
)
"""Plural nouns that "they" and "their" may stand for within one sentence."""
