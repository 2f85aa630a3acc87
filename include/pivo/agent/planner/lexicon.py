"""The planner's words: phrases to concepts, and words that carry no meaning of their own. Data only.

A word that is in neither table, and that no name in the index explains, makes the planner refuse.
"""

from __future__ import annotations

_CONCEPTS: dict[str, str] = {
    "WHO": (
        "who|whom|whose|by whom|which person|which developer|which author|which contributor|which committer|who else"
    ),
    "WHEN": "when|what time|at what time|what date|which date|on which day|what day|which day",
    "WHERE": "where|in which folder|which folder holds|what path holds",
    "ASK": (
        "what|which|tell me|tell|know|happened|happen|going on|went on|been going on|report|info|"
        "information|details|detail|about|overview|summary|summarise|summarize"
    ),
    "SHOW": "show|list|give|display|get|find|see|print|fetch|view|look at|look up|open|enumerate",
    "COUNT": "how many|number of|count|count of|total number of|the amount of|how often|how many times",
    "COMMIT": ("commit|committed|commited|committing|revision|check-in|checkin|checked in|pushed|push|changeset"),
    "COMMITS": ("commits|revisions|check-ins|checkins|pushes|changesets|commit history|commit log|log|history"),
    "LAST": "last|latest|most recent|most recently|newest|lastly|last time|youngest",
    "RECENT": "recent|recently|lately",
    "FIRST": "first|oldest|earliest|initial|very first|originally",
    "MOST": "most|most often|top|most active|most frequently|most commonly|mostly|leading|ranking|rank",
    "LEAST": ("least|fewest|smallest|shortest|lowest|minimum|rarely|seldom|worst|tiniest|bottom|least active|lightest"),
    "BIGGEST": "largest|biggest|heaviest",
    "SIZE": (
        "how big|how large|size|sizes|how much space|how much storage|how many bytes|disk space|"
        "storage space|how heavy|space does|bytes"
    ),
    "AGE": "how old|age|how long ago|how fresh|how stale|how recent|how up to date|up to date",
    "NOT": (
        "not|no|never|without|except|excluding|but|other than|besides|apart from|nobody|none|neither|"
        "nor|only|instead|rather than|unless|lacks|lacking|missing|didn|nothing|non|un"
    ),
    "PER": "per|for each|grouped by|by each|each",
    "CHANGE": (
        "change|changed|changes|changing|touched|touch|touches|touching|modified|modify|modifies|edited|"
        "edit|edits|edited|updated|update|updates|altered|worked on|work on|working on|works on|"
        "affected|affect|different|new in"
    ),
    "ADDED": "added|add|created|introduced|adds|create",
    "DELETED": "deleted|removed|delete|remove|deletes|removes",
    "WROTE": "wrote|written|authored|made by|responsible for|behind",
    "DIFF": ("diff|diffs|difference|differences|differ|compare|comparison|delta|compared to|compared with|vs|versus"),
    "BETWEEN": "between",
    "SNAPSHOT": "snapshot|snapshotted|snapshoted|backup|backed up|back up|back-up|archived|saved",
    "SNAPSHOTS": "snapshots|backups|back-ups",
    "STORED": "stored|kept|live|lie|located|location|hdfs path|path in hdfs|in hdfs",
    "BRANCH": "branch|branches|heads",
    "TAG": "tag|tags|tagged|release|releases|version|versions",
    "REF": "ref|refs|references",
    "POINT": "point|points|pointing|point at|points at|point to|points to|tip|tip of|head of",
    "REPO": "repo|repository|project",
    "REPOS": "repos|repositories|projects",
    "ARCHIVE": ("archive|whole archive|everything|all repositories|all repos|in total|overall|altogether|total"),
    "PERSON": "author|committer|contributor|developer|person|programmer|engineer",
    "PEOPLE": (
        "authors|committers|contributors|developers|people|persons|programmers|engineers|contribute|"
        "contributed|contributes|contributing|team members|active"
    ),
    "FILE": "file|path|files|paths",
    "FOLDER": "folder|directory|folders|directories|tree",
    "CONTENT": (
        "content|contents|read|cat|look like|looked like|look|inside|text of|the text|say|says|said|source of|body of"
    ),
    "MESSAGE": "message|messages|subject|title|commit message|commit messages",
    "RESTORE": (
        "restore|restored|restores|restoration|restorations|brought back|recovered|recoveries|restoring|"
        "bring back|recover"
    ),
    "FAILED": "failed|fail|failing|unsuccessful|failures|failure",
    "LOST": (
        "lost|force-pushed|force pushed|rewritten|dropped|orphaned|unreachable|by force-push|"
        "by a force-push|by force push|by a force push"
    ),
    "SIGNED": "signed|with a signature|gpg-signed",
    "UNSIGNED": "unsigned|not signed|without a signature|without signature",
    "MERGE": "merge|merges|merged",
    "SEARCH": (
        "mention|mentions|mentioning|mentioned|containing|contains|contain|matching|search|search for|"
        "searching for|grep|grep for|talk about|talks about|related to|regarding|concerning|are about|"
        "is about|refer to|refers to|referring to|deal with|with the word|with the text|"
        "with the message|with message|whose message has|find commits about|commits about|commit about"
    ),
    "HELP": (
        "help|what can you do|what can i ask|how does this work|what do you know|how do i use this|"
        "what are you able to do|examples|example questions|what questions can i ask"
    ),
    "ASOF": "as of|as it was|state of|state|as at",
    "YES": "is there|are there|exist|exists|available|known",
}

PHRASES: dict[tuple[str, ...], str] = {
    tuple(phrase.split()): concept for concept, phrases in _CONCEPTS.items() for phrase in phrases.split("|")
}
"""Phrase (as lower-case words) → concept."""

LONGEST = max(map(len, PHRASES))

FILLER = frozenset(
    [
        "'s",
        "a",
        "actually",
        "all",
        "already",
        "also",
        "am",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "been",
        "being",
        "by",
        "called",
        "can",
        "could",
        "currently",
        "did",
        "do",
        "does",
        "done",
        "down",
        "during",
        "ever",
        "every",
        "exactly",
        "far",
        "for",
        "from",
        "give",
        "given",
        "go",
        "goes",
        "had",
        "hadoop's",
        "has",
        "have",
        "having",
        "he",
        "hello",
        "here",
        "hey",
        "hi",
        "i",
        "in",
        "inside",
        "into",
        "is",
        "it",
        "its",
        "just",
        "kindly",
        "know",
        "let",
        "like",
        "made",
        "make",
        "makes",
        "making",
        "me",
        "my",
        "name",
        "named",
        "names",
        "need",
        "now",
        "of",
        "ok",
        "okay",
        "on",
        "one",
        "ones",
        "onto",
        "or",
        "our",
        "out",
        "pivo's",
        "please",
        "right",
        "shall",
        "she",
        "should",
        "so",
        "some",
        "still",
        "take",
        "taken",
        "thank",
        "thanks",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "time",
        "to",
        "took",
        "up",
        "us",
        "want",
        "wants",
        "was",
        "we",
        "went",
        "were",
        "will",
        "with",
        "within",
        "would",
        "yet",
        "you",
        "your",
    ]
)
"""Words that may stand anywhere. No negation, no superlative, nothing that narrows or widens a question."""

SUPERSETS = {"COMMITS": "COMMIT", "SNAPSHOTS": "SNAPSHOT", "PEOPLE": "PERSON", "REPOS": "REPO"}
"""Plural concepts and what they are the plural of."""
