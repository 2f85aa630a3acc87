"""Ways of asking for words in messages, and the plain ones; as in ways.py. Data only."""

from __future__ import annotations

SEARCHING: tuple[tuple[str, str], ...] = (
    (
        r"^(?:is|are|does|do|did) (?:the )?(?:words? |term |text |phrase )?(\S+) (?:appear |occur |show up |mentioned |"
        r"used |"
        r"found )?in (?:any|a|some|the|one) (?:of the )?(?:commit )?messages?",
        "commits mentioning <1>",
    ),
    (
        r"(?:when|who|where|which commit|in which commit) (?:was|were|is|did|has) (?:the |a |an )?(\S+(?: \S+)?) "
        r"(?:been )?(first|last) (?:been )?mentioned(?: by whom)?$",
        "<2> commit mentioning <1>",
    ),
    (
        r"(?:wrote|write|written|writes) about (?:the )?(\S+) in (?:their |the |a |his |her )?(?:commit )?messages?",
        "commits mentioning <1>",
    ),
    (
        r"(commits?|messages?|changes|revisions) (?:with|on|for|around|like|having|that have|that has|saying)"
        r"(?: the| a)?(?: words?| text| term| keyword)? (?=\0)",
        "<1> mentioning ",
    ),
    (
        r"(commits?|changes|revisions?) (?:in|of|to|from|on) (\S+) (?:about|regarding|concerning|on the topic of|to do "
        r"with|"
        r"dealing with|related to) (?!(?:the )?files?\b)",
        "<1> in <2> mentioning ",
    ),
    (
        r"(?:committed|commits?|pushed|pushes|wrote|changed|did|does) (?:something|anything|stuff|things?|code) "
        r"(?:about|"
        r"regarding|concerning|related to|on the topic of|to do with|mentioning) ",
        "commits mentioning ",
    ),
    (
        r"^(who|when|which commit|what commit|in which commit|in what commit|where) (?:was|were|has|have|got|did) "
        r"(?:the |a |an |that )?([a-z]+(?: [a-z]+){0,2}?)(?: been| get| finally)* (?:fixed|repaired|resolved|solved)$",
        "<1> fixed the <2>",
    ),
)
"""Pattern → template."""
