"""Words that carry no meaning of their own, or only beside others. Data only."""

from __future__ import annotations

from pivo.agent.planner.words import wordset

FILLER = wordset(
    "idea ideas love loved "
    "'s a accordingly across actually ah ahead all along already also altogether am an and any anybody anymore anyone "
    "anything anyway anyways anywhere apparently are as at aye back-then basically be because been being bit bloody "
    "bugger by bye called can cheers come comes completely could crap currently curse damn damned darn dear different "
    "do done down dude due during entirely erm ever every everybody everyone everywhere exactly folks for frankly "
    "freaking friend frigging from fuck fucking gets getting given go goddamn goes going gone got gotten grand guys "
    "had hadoop's happen has have having heck held hell hello here hey hi hmm hold holds honestly i in interested "
    "into is jeez just keep keeps kinda kindly let like listing look made make makes making mate may maybe me mean "
    "meanwhile might must my name named names need nicely now obviously of oh ok okay on once one ones onto onward "
    "onwards or our out perhaps personally pivo's plainly please pls plz possess possibly precisely presently pretty "
    "probably quick quickly quite rather really respectively right seem seems seen shall shit should simply sir so "
    "some somebody someone something specifically still stuff suppose supposed sure surely take taken takes thank "
    "thanks that the then there these thing think this those through throughout thx time to too took truly turn "
    "turned ty uh um up upon us very via want wants was we went were whatsoever whichever whoever whole will with "
    "within wonder wondering would wtf yeah yep yes yet you your "
)
"""Words that may stand anywhere. No negation, no superlative, no pronoun, nothing that narrows or widens a question."""

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
