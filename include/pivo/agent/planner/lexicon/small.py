"""Words that carry no meaning of their own, or only beside others. Data only."""

from __future__ import annotations

from pivo.agent.planner.words import wordset

FILLER = wordset(
    "'s a accordingly across actual actually afaik again ah ahead alas all along already also altogether am amid "
    "among amongst an and answer answers any anybody anyhow anymore anyone anything anyway anyways anywhere "
    "apparently are as at atm aye back-then basic basically be been being bit bloody bro btw buddy bugger by bye "
    "called can cheers come comes complete completely concrete could couple crap curious currently curse damn "
    "damned darn dear did different do does done down dude during effectively eh else entire entirely erm "
    "especially ever every everybody everyone everywhere exact exactly fact feel folks for frankly freaking "
    "friend frigging from fuck fucking full fully fwiw gets getting given glad git gladly go goddamn goes going gone "
    "got gotten grand guess guys had hadoop's handily handy happen happy has have having heck held hell hello "
    "hence here hereby herself hey hi himself hmm hmmm hold holds honestly hopefully however huh i idea ideas imo "
    "in indeed interested into is itself jeez just keep keeps kinda kindly let like listing literally look love "
    "loved ma'am made make makes making mate mates maybe me mean meanwhile my myself nah name named namely names "
    "nicely nope notably now obviously of oh ok okay on once one ones onto onward onwards or our ours ourselves "
    "out pal particular particularly per-se perhaps personally phew pivo's plainly please pls plz possess "
    "possibly pray precisely presently presumably pretty probably question questions quick quickly quite rather "
    "really recap regard regards respective respectively right rn rough roughly sake seem seems seen shit simply "
    "sir so some somebody somehow someone something somewhere sorry specific specifically still stuff such "
    "suppose sure surely sweet take taken takes tbh thank thanks that the themself themselves then there thereby "
    "therefore thing think this though through throughout thus thx to too took truly turn turned ty u uh "
    "um up upon ur us various very via want wants was we went were whatsoever whichever whilst whoever whole wish "
    "with within wonder wondered wondering wow wtf y'all yeah yep yes yet yo you your yourself yup "
)
"""Words that may stand anywhere. No negation, no superlative, no pronoun, nothing that narrows or widens a question."""

MODALS = wordset("will would might may must should shall ought supposed need")
"""Words that make another thing of a question ("who should review …") unless the person or PIVO stands beside them."""

DUTIES = wordset("should must shall ought supposed")
"""What ought to be is in no index, whoever asks."""

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
    " restores verifications backups findings devs engineers branches tags commits files snapshots"
)
"""Plural nouns that "they" and "their" may stand for within one sentence."""
