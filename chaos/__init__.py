"""`make chaos`: under a load of snapshots, questions and restores each part of the stack is killed in turn.

    python -m chaos [--seed 1] [--parts kafka,forge] [--page docs/chaos.md] [--keep]

sources.py     repositories that grow and are rewritten
stack.py       a stack of its own, in a temporary home: kill a part, ask how it is, bring it back
load.py        what goes on meanwhile, and how each piece of it ended
agreement.py   that sources, archive, events, index and forge tell the same
rounds.py      a round a part; page.py the table, in a terminal and in docs/chaos.md
"""
