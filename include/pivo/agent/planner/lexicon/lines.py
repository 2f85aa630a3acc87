"""Ways of asking what is on one branch or tag and not on another, and the plain ones; as in ways.py. Data only."""

from __future__ import annotations

LINES: tuple[tuple[str, str], ...] = (
    (
        r"(?:what|the commits|which commits|everything) (?:that )?(\S+) has (?:got )?(?:on top of|over|beyond|ahead "
        r"of) (\S+)",
        "commits on <1> not on <2>",
    ),
    (r"commits (?:separate|lie between|part) (\S+) (?:from|and) (\S+)", "commits between <1> and <2>"),
    (r"(?:that |which )?(?:nobody|no one|nothing) (?:can )?(?:reach|reaches)(?: any ?more| any longer)?", "lost"),
    (
        r"(?:that |which )?(?:has|have|had) not (?:yet )?(?:made (?:it|its way|their way)|gone|landed|arrived|come|got|"
        r"found (?:its|their) way|been (?:put|brought|pulled|taken|included)) (?:in|into|to|on|onto) (?:the "
        r")?(?:branch )?"
        r"(\S+)",
        "not on <1>",
    ),
    (
        r"(?:what|which commits) (?:went|came|got|made it|landed|goes|is|are|were|was) (?:new )?(?:in|into) (\S+) "
        r"since (\S+)",
        "commits between <2> and <1>",
    ),
    (
        r"(?:what|which commits?) (?:is|was|are|were|has been) (?:in|on) (\S+) ((?:of|in) \S+ )?(?:that|which|but|and) "
        r"(?:is |was |are |were )?not (?:yet )?(?:in|on) (\S+)",
        "commits on <1> <2> not on <3>",
    ),
    (
        r"(?:what|which commits) (?:has|does|do|have) (\S+) (?:got|have|contain) (?:that|which) (\S+) (?:lacks|misses|"
        r"is missing|has not|has not got)",
        "commits on <1> not on <2>",
    ),
    (r"and how (?:much|often|many(?: commits)?)(?: (?:did|have|has) (?:they|each)(?: done| do| made| make)?)?$", ""),
    (
        r"(?:how many|which|what|the) questions (?:did|has|have|were|was) (.{1,40}?) (?:asked|ask|put)",
        "audit questions <1>",
    ),
    (r"(?:had|have|has|having|got|laid|put|puts) (?:their|his|her) (?:hands|fingers|paws) (?:on|in)", "changed"),
    (
        r"how (\S+(?: (?:in|of) \S+)?) (?:differs?|changes?|changed|evolved|looks? different|has changed|was changed|"
        r"did change) (?=from|between|since)",
        "the difference of <1> ",
    ),
    (
        r"(?:show|tell|see|know|explain)(?: me| us)? how (\S+) (?:was |has |have |had |did )?(?:been )?(?:changed?|"
        r"evolved?|"
        r"modified|altered)",
        "what changed in <1>",
    ),
    (
        r"(?:what|which commits) (?:does|do|did|has|have) (?:the )?(?:branch |tag |release )?(\S+) (?:have|contain|has|"
        r"got|"
        r"include) (?:that|which|and) (?:the )?(?:branch |tag |release )?(\S+) "
        r"(?:does|do|"
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
)
"""Pattern → template."""
