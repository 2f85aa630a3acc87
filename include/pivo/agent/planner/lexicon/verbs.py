"""Verbs, as lemmas whose forms are made (inflect.py). Data only."""

from __future__ import annotations

VERBS: dict[str, str] = {
    "COMMIT": (
        "commit*|check in|push|submit*|deliver|ship*|land|put:put:putting in|upload|integrate|send:sent:sending in|"
        "hand in|turn in|upstream|register"
    ),
    "PEOPLE / COMMIT / COMMITS": "contribute",
    "WROTE": "write:wrote:written:writing|author|compose|code|craft|program*|develop|implement|build:built:building",
    "CHANGE": (
        "change|touch|modify|edit|update|affect|amend|adjust|tweak|revise|alter|rework|refactor|adapt|evolve|involve|"
        "impact|work on|hack on|mess with|fiddle with|tinker with|play with|patch|overhaul|polish|manipulate|mutate|"
        "go:went:gone:going at|hit:hitting|reformat*|clean up|improve|rewrite:rewrote:rewritten:rewriting|redo:redid"
    ),
    "ADDED /  / FIRST COMMIT": "create|originate|found:founded:founding",
    "ADDED / COMMIT": "add",
    "ADDED": (
        "introduce|appear|show:showed:shown:showing up|bring:brought:bringing in|emerge|pop* up|turn up|invent|"
        "come:came:coming into being|come:came:coming into existence|come:came:coming to be"
    ),
    "FIRST COMMIT / FIRST / REQUESTED": "start|begin:began:begun:beginning|initiate|kick off|launch",
    "DELETED / LOST": (
        "throw:threw:thrown:throwing away|remove|delete|drop*|erase|wipe|wipe out|discard|purge|scrap*|eliminate|clear "
        "out|strip* out"
    ),
    "DELETED": (
        "kill|nuke|zap*|trash|bin*|ditch|axe|get:got:getting rid of|throw:threw:thrown:throwing out|"
        "take:took:taken:taking out|rip* out|cut:cutting out|chuck out|retire|rm"
    ),
    "LOST / DELETED": "disappear|vanish|go:went:gone:going missing|get:got:getting lost|go:went:gone:going away",
    "LOST": "lose:lost:losing|orphan|overwrite:overwrote:overwritten:overwriting|strand",
    "SNAPSHOT": ("back up|backup|snapshot*|snapshot|archive|save|capture|preserve|safeguard|snap*|stash"),
    "VERIFY": "verify|validate|prove:proved:proven:proving|integrity-check|scrub*|attest|certify",
    "VERIFY /  / COMMIT": "check",
    "RESTORE": (
        "restore|recover|reinstate|revive|resurrect|rebuild:rebuilt:rebuilding|bring:brought:bringing back|roll back|"
        "rollback|get:got:getting back|reconstruct|undelete|salvage|rescue|recreate"
    ),
    "FAILED": (
        "fail|crash|error|abort|fall:fell:fallen:falling over|blow:blew:blown:blowing up|go:went:gone:going wrong|"
        "go:went:gone:going south|go:went:gone:going bad|break:broke:breaking|die|flop*|bomb|time out"
    ),
    "SIGNED": "sign",
    "SUCCEEDED": "succeed|go:went:gone through|work out|complete",
    "REQUESTED": (
        "request|ask for|ask to|order|commission|perform|carry out|execute|attempt|try|trigger|set:setting off|"
        "demand|conduct|issue"
    ),
    "FINDING / ": "turn up|uncover|reveal|detect|discover|report|flag*|surface|come:came:coming up",
    "HAVE": (
        "use|occupy|consume|receive|see:saw:seen:seeing|possess|require|own|include|comprise|count as|"
        "eat:ate:eaten:eating up|eat:ate:eaten:eating|take:took:taken:taking up|cover|span*|feature"
    ),
    "SEARCH / HAVE / CONTENT": "contain",
    "SEARCH / COMMIT": "reference|cite",
    "SEARCH": (
        "mention|search|search for|look for|hunt for|grep*|grep* for|talk about|talk of|relate to|refer* to|"
        "deal:dealt "
        "with|match|concern|discuss|scan* for|look through|be:being about|tackle|speak:spoke:spoken of"
    ),
    "MISSED": "miss|skip*|overlook|forget:forgot:forgotten:forgetting|leave:left:leaving out|neglect|omit*",
    "DIFF": "differ|compare|diff*|contrast|diverge|deviate",
    "FIXED": "repair|resolve|cure|squash|correct|fix|solve|sort out|remedy|mend",
    "POINT": "point at|point to|resolve to",
    "STORED": "store|live|reside|locate|lie:lay:lain:lying|sit:sat:sitting|keep:kept:keeping|house",
    "TAG": "release|tag*",
}
"""Concepts → lemmas, parted by `|`. `A / B` has several meanings, the likeliest first."""
