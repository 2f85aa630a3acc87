"""The planner's words: phrases to concepts, and words that carry no meaning of their own. Data only.

A word that is in neither table, and that no name in the index explains, makes the planner refuse.
"""

from __future__ import annotations

from pivo.agent.planner.smallwords import ENDS_TEXT, FILLER, JOINS, MANY, PRONOUNS, SKIPPED_BEFORE_TEXT, THINGS

__all__ = [
    "ENDS_TEXT",
    "FILLER",
    "JOINS",
    "LONGEST",
    "MANY",
    "PHRASES",
    "PRONOUNS",
    "SKIPPED_BEFORE_TEXT",
    "SUPERSETS",
    "THINGS",
]

_CONCEPTS: dict[str, str] = {
    "WHO": (
        "who was it that|who is it that|who was it who|who|whom|whose|by whom|which person|which developer|"
        "which author|which contributor|which committer|who else"
    ),
    "WHEN": (
        "when|what time|at what time|what date|which date|on which day|what day|which day|date of|the date|"
        "dates of|timestamp of|timestamp|at which time|since when|how long since|the date of|date and time of|"
        "the time of|moment of"
    ),
    "WHERE": "where|in which folder|which folder holds|what path holds",
    "ASK": (
        "did people|did everyone|did everybody|has everyone|have people|any more|explain|describe|what|which|"
        "tell me|tell|know|how did|how does|how do|did|does|happened|happen|going on|went on|been going on|did any|"
        "news|updates on|do you have|have we got|have you got|report|info|information|details|detail|about|"
        "overview|summary|summarise|summarize"
    ),
    "SHOW": (
        "pull up|bring up|dig out|dig up|point me to|point me at|hand me|spit out|dump|output|provide|"
        "enumerate all|break down|breakdown of|breakdown|broken down|present|send me|read out|retrieve|"
        "show|list|give|display|get|find|see|print|fetch|view|look at|look up|open|enumerate"
    ),
    "COUNT": (
        "how much|how many|number of|count|count of|total number of|the amount of|how often|how many times|"
        "amount of|counts|counts of|tally|tallies|totals|numbers|statistics|stats|stats of|stats for|quantity of|"
        "commit count|numbers of"
    ),
    "COMMIT": (
        "came in|come in|came into|come into|landed|went in|went into|"
        "gone into|commit|committed|commited|committing|revision|"
        "check-in|checkin|checked in|pushed|push|changeset|contribution|sha|shas|submitted|delivered|shipped|checkins"
    ),
    "COMMITS": (
        "git log|activity|work|commits made|gitlog|logs|timeline|commit list|commit activity|new work|commits|"
        "revisions|check-ins|checkins|pushes|changesets|commit history|commit log|log|history"
    ),
    "LAST": (
        "last|latest|most recent|most recently|newest|lastly|last time|youngest|final|freshest|latest and greatest|"
        "very last|very latest|at last|most current"
    ),
    "RECENT": "new commits|of late|these days|recent|recently|lately",
    "FIRST": (
        "first|oldest|earliest|initial|very first|originally|very oldest|very earliest|first ever|first time|"
        "the beginning of"
    ),
    "MOST": (
        "leaderboard|most|most often|top|most active|most frequently|most commonly|mostly|leading|ranking|rank|"
        "largest number of|highest number of|biggest number of|greatest number of|most number of|maximum|highest|"
        "the lot of|most prolific|prolific|most productive|most busy|hardest working|ranked|ranked by"
    ),
    "LEAST": (
        "smallest number of|lowest number of|fewest number of|lowest|minimum|least prolific|least productive|"
        "laziest|least busy|most rarely|rarest|rarely|least|fewest|least often|least active|least frequently|fewer|"
        "less|bottom"
    ),
    "MORE": "more|more often",
    "BIGGEST": (
        "largest|biggest|heaviest|most space|most storage|by size|most disk|most disk space|most room|most bytes|"
        "fattest|bulkiest|takes the most space|hugest|greatest"
    ),
    "SMALLEST": "smallest|tiniest|lightest|least space",
    "SIZE": (
        "how big|how large|size|sizes|how much space|how much storage|how many bytes|disk space|storage space|"
        "how heavy|space|storage|bytes"
    ),
    "BY_DAY": "per day|daily|by day|each day|every day|a day|day by day|for each day",
    "BY_WEEK": "per week|weekly|by week|each week|every week|a week|week by week|for each week",
    "BY_MONTH": "per month|monthly|by month|each month|every month|a month|month by month|for each month",
    "BY_YEAR": "per year|yearly|by year|each year|every year|a year|annual|for each year",
    "BY_REPO": (
        "across repositories|across repos|for every repository|for every repo|each of the repositories|"
        "each of the repos|per repository|per repo|per project|by repository|by repo|by project|each repository|"
        "each repo|each project|every repository|every repo|for each repository|for each repo"
    ),
    "MOST BY_DAY COMMIT": "busiest day|most active day|busiest days|most active days",
    "MOST BY_WEEK COMMIT": "busiest week|most active week|busiest weeks",
    "MOST BY_MONTH COMMIT": "busiest month|most active month|busiest months",
    "MOST BY_REPO REPO": (
        "busiest repository|busiest repo|most active repository|most active repo|busiest repositories"
    ),
    "NTH2": "second|2nd|next to",
    "NTH3": "third|3rd",
    "NTH4": "fourth|4th",
    "NTH5": "fifth|5th",
    "NTH2 LAST": "penultimate|second to last|last but one|next to last|second-last|second-to-last",
    "NTH3 LAST": "third to last|last but two|third-last|antepenultimate",
    "AGE": "how old|age|how long ago|how fresh|how stale|how recent|how up to date|up to date",
    "NOT": (
        "not|no|never|without|except|excluding|but|other than|besides|apart from|nobody|none|neither|nor|only|"
        "instead|rather than|unless|lacks|lacking|missing|nothing|non|un|lack"
    ),
    "PER PERSON": (
        "by author|by person|by developer|by contributor|by committer|by people|by authors|per head|"
        "for each author|for each person|for each developer|for every author|by contributors|by developers"
    ),
    "PER": "per|for each|grouped by|by each|each|broken down by",
    "CHANGE": (
        "change|changed|changes|changing|touched|touch|touches|touching|modified|modify|modifies|edited|edit|edits|"
        "updated|update|updates|altered|worked on|work on|working on|works on|affected|affect|different|new in|"
        "amended|adjusted|tweaked|revised|modification|modifications|edition|alter|alters|alterations|messed with|"
        "fiddled with|tinkered with|played with|went at|hacked on|refactored|reworked|rework|what is new|new with|"
        "new on|new at"
    ),
    "ADDED": (
        "added|add|created|introduced|introduce|adds|create|new files|new file|added to|showed up|show up|appeared|"
        "appear|came into being|brought in"
    ),
    "DELETED": (
        "deleted|removed|delete|remove|deletes|removes|deletion|removal|killed|nuked|zapped|got rid of|rid of|"
        "trashed|binned|ditched|axed|deletions|removals|threw out|thrown out|taken out|took out"
    ),
    "WROTE": (
        "wrote|written|write|authored|made by|responsible for|behind|composed|coded|coder of|writer of|author of|"
        "the author of|produced|crafted"
    ),
    "DIFF": (
        "diff|diffs|difference|differences|differ|compare|comparison|delta|compared to|compared with|vs|versus|"
        "contrast|changed between|side by side"
    ),
    "BETWEEN": "between",
    "SNAPSHOT": (
        "snapshot|snapshotted|snapshoted|backup|backed up|back up|back-up|archived|saved|"
        "snapshoting|snapshotting|backing up|archival|dump of|captured|preserved|safeguarded|ever archive|"
        "we archive|you archive|archive run|snap|snapped|covered|secured"
    ),
    "LAST SNAPSHOT": "last archive|last archived|last archiving|last archival",
    "COUNT COMMITS": "total commits|overall commits",
    "WHO LAST COMMIT": "last committer|latest committer|last author|latest author|last contributor|latest contributor",
    "SNAPSHOT NEW": "new snapshot|new backup",
    "SNAPSHOTS": "new snapshots|new backups|snaps|restore points|recovery points|snapshots|backups|back-ups",
    "STORED": "stored|kept|live|lie|located|location|hdfs path|path in hdfs|in hdfs",
    "MISSED": "miss|missed|skip|skipped|overlook|overlooked|forget|forgot|forgotten|left out|leave out",
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
    "ARCHIVE": "archive|whole archive|all repositories|all repos|in total|overall|altogether|total",
    "PERSON": "author|committer|contributor|developer|person|programmer|engineer",
    "PEOPLE": (
        "authors|committers|contributors|developers|people|persons|programmers|engineers|contribute|contributed|"
        "contributes|contributing|team members|active|contributions"
    ),
    "FILE": "file|path|files|paths",
    "FILE CHANGE COMMIT": (
        "files are in commit|files in commit|files of commit|files belong to commit|file list of commit"
    ),
    "FOLDER": "folder|directory|folders|directories|tree",
    "CONTENT": (
        "content|contents|read|cat|look like|looked like|look|looked|inside|text of|the text|say|says|said|body of"
    ),
    "EMAIL": "email|e-mail|email address|e-mail address|mail address|email addresses|e-mail addresses",
    "MESSAGE": "message|messages|subject|title|commit message|commit messages",
    "RESTORE": (
        "brought back|rolled back|rollback|rollbacks|reinstated|revived|rebuilt|restore|restored|restores|"
        "restoration|restorations|brought back|recovered|recoveries|"
        "restoring|bring back|"
        "recover|recovery"
    ),
    "WHY": "why|for what reason|reason|reasons|what was the reason|the reason why|cause|the cause",
    "FAILED": (
        "went wrong|go wrong|gone wrong|goes wrong|not succeed|not succeeded|not work|not worked|not work out|"
        "went bad|broke|crashed|errored|aborted|went south|go south|fell over|blew up|not go through|"
        "did not make it|not pass|not passed|not passing|failed|fail|failing|unsuccessful|failures|failure"
    ),
    "LOST": (
        "lose|losing|vanished|disappeared|gone missing|no branch contains|no ref reaches|not on any branch|lost|"
        "dropped|orphaned|orphan|unreachable|no longer reachable|not reachable|can no longer be reached|"
        "no longer be reached|no longer on any branch|on no branch|by force-push|by a force-push|by force push|"
        "by a force push|lost by a force-push|lost by a force push|lost in a force-push|lost in a force push|"
        "lost to a force-push|not be reached from any branch|not be reached from any ref|"
        "not be reached by any branch|not be reached by any ref|not be reached from a branch|"
        "not be reached any more|not be reached anymore|not be reached|not reachable from any branch|"
        "not reachable from any ref|not reachable any more|not in any branch|not part of any branch|"
        "not belong to any branch|dangling|went missing|got lost|gets lost|gone|discarded|thrown away|erased|"
        "wiped out|wiped|overwritten|abandoned|unreferenced|without a branch|without any branch|no branch has|"
        "no branch reaches|not exist any more|blown away|detached|unreached"
    ),
    "FORCED": (
        "forcepush|forcepushed|force pushing|force-pushing|pushed by force|pushed with force|force-pushed|"
        "force pushed|force-push|force push|force-pushes|force pushes|forced"
    ),
    "REWRITTEN": (
        "rewritten|rewrote|history rewritten|rewritten history|history was rewritten|their history rewritten|"
        "rewrite history|rewrote history|rewritten their history"
    ),
    "INCOMPLETE": "incomplete|not complete|missing lfs objects|lack lfs objects|without all lfs objects",
    "VERIFY": (
        "verified|verification|verifications|verify|integrity check|integrity checks|integrity|validated|"
        "audited for integrity|proven|proved|checksum|checksums|verifying|verifications run"
    ),
    "NEVER VERIFY": (
        "unverified|never verified|never been verified|not been verified yet|not verified yet|"
        "never been checked for integrity|never had a verification|never proven|have never verified|"
        "not ever verified|not ever been verified|still unverified|never validated|"
        "never been validated|without verification|without a verification|without any verification"
    ),
    "FAILED VERIFY": "damaged|corrupt|corrupted|not intact|unsound",
    "VERIFY FINDING": (
        "verifications find|verification find|verifications found|verification found|verifications turn up|"
        "verifications uncover"
    ),
    "FINDING": (
        "defects|defect|damage|corruption|corruptions|faults|fault|broken in|amiss|amiss with|not right with|"
        "the matter with|the matter|is off with|problem|problems|finding|findings|wrong with|wrong"
    ),
    "DRILL": "drill|drills|restore drill|restore drills|test restore|test restores",
    "HEALTH": (
        "healthy|doing|fine|everything okay with|everything ok with|shape|in good health|condition|in good condition|"
        "how healthy|health|all right|alright|in order|in good shape|health report|health check|"
        "status of the archive|state of the archive|status of the backups|state of the backups|okay overall"
    ),
    "RUN": "run|dag run|runs|job|ran",
    "STATUS": (
        "how are|how far along is|how far is|how far|status|how is|succeed|succeeded|succeeding|come along|coming along"
    ),
    "RUNNING": "running|in progress|unfinished|under way|underway|not finished|ongoing|pending|still going",
    "CURRENT": "current",
    "AUDIT": "audit|audit log|audit logs|audit trail",
    "SOURCE": "come from|comes from|source|source of|origin|fetched from|upstream|source url|source address",
    "HEADBRANCH": "default branch|primary branch|head branch",
    "ORG": "belong to|belongs to|owned by|organisation|organization|org|owner|organisations|organizations",
    "MOST COMMIT": "by number of commits|by commits|by commit count|by the number of commits",
    "NOMERGE": "regular commits only|ordinary commits only|non-merge|no-merge|nonmerge",
    "SIGNED": "signed|with a signature|gpg-signed",
    "UNSIGNED": "unsigned|not signed|without a signature|without signature",
    "MERGE": "merge|merges|merged",
    "SEARCH": (
        "talking about|talks of|that say|saying|mention|mentions|mentioning|mentioned|containing|contains|contain|"
        "matching|search|search for|searching for|grep|grep for|talk about|talks about|related to|regarding|"
        "concerning|are about|is about|refer to|refers to|referring to|deal with|with the word|with the text|"
        "with the message|with message|whose message has|find commits about|commits about|commit about"
    ),
    "FIXED": "repaired|resolved|cured|squashed|patched|corrected|sorted out|fixed|fixes|fixing|solved",
    "ALLTHINGS": "everything|anything|every thing|whatever|all that|all of what|all the stuff|stuff",
    "REQUESTED": (
        "requested|requested by|asked for|initiated|triggered|ordered|launched|kicked off|started by|set off|"
        "commissioned|performed|carried out|executed|attempted|tried"
    ),
    "IDLE": (
        "so far|up to now|until now|till now|to date|as yet|at all|this time|by now|for now|at the moment|right now"
    ),
    "MOST PEOPLE": "main contributors|main authors|main developers|main committers|main people",
    "LAST COMMIT": "last active|most recently active|last activity",
    "NOT COMMIT": "dormant|asleep|gone quiet|went quiet|fallen silent|silent|inactive|idle|been quiet",
    "HEADCOMMIT": "head commit|commit at head|commit at the head|commit of head",
    "REACH": "reachable from|reachable|contained in",
    "UNCLEAR": "what people|what developers|what authors|what everyone",
    "HELP": (
        "help|help me|what can you do|what can i ask|how does this work|what do you know|how do i use this|"
        "what are you able to do|examples|example questions|what questions can i ask"
    ),
    "ASOF": "as of|as it was|state of|state|as at",
    "YES": "there any|got any|have any|is there|are there|exist|exists|available|known",
}

PHRASES: dict[tuple[str, ...], str] = {
    tuple(phrase.split()): concept for concept, phrases in _CONCEPTS.items() for phrase in phrases.split("|")
}
"""Phrase (as lower-case words) → its concepts, parted by blanks."""

LONGEST = max(map(len, PHRASES))

SUPERSETS = {"COMMITS": "COMMIT", "SNAPSHOTS": "SNAPSHOT", "PEOPLE": "PERSON", "REPOS": "REPO"}
"""Plural concepts and what they are the plural of."""
