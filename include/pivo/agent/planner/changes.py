"""Sentences that tell PIVO to change something: "rename …", "make Grace the author of …", "… and push it".

PIVO changes nothing that is archived and nothing at a source, so these are refused, whatever else they name.
"""

from __future__ import annotations

from collections.abc import Sequence

from pivo.agent.planner.actions import POLITE
from pivo.agent.planner.vocabulary import Vocabulary
from pivo.agent.planner.words import Word, words, wordset

VERBS = wordset(
    "change rename delete remove rewrite edit fix merge push amend revert overwrite drop add create set update move"
    " replace reset rebase squash undo modify alter erase wipe purge destroy clear clean transfer assign grant revoke"
    " approve reject close mail send email post deploy install upload disable enable stop kill cancel shut execute"
    " translate write fork sign prune compress import export make turn put mark swap switch copy duplicate forget hide"
    " submit publish commit tag release branch force correct repair force-push mirror lock unlock schedule review"
)
_NOUNS = wordset(
    "commit tag release branch push merge fix change update edit set post copy review mark email force force-push"
)
_AFTER_NOUN = wordset(
    "commits commit history log logs list count counts date dates activity 's by in of since between on per at from and"
    " before after during pushes pushed pushes push updates"
)
_DETERMINERS = wordset("the a an this that it its my our your them these those all every everything")
_PASSIVE = wordset(
    "changed renamed deleted removed rewritten edited fixed merged pushed amended reverted overwritten updated moved"
    " replaced erased wiped purged signed tagged assigned set"
)
_QUESTIONS = wordset("who whom whose what which when where how whether if why")
REASON = (
    "PIVO changes nothing: it answers questions about the archive, takes snapshots, verifies them, and restores into"
    " a place of its own."
)


def wanted(question: str, vocabulary: Vocabulary) -> str | None:
    """The verb of a sentence, or of a part of it after "and" or "then", that tells to change something."""
    found = words(question)
    start = 0
    while start < len(found) and found[start].norm in POLITE and not found[start].quoted:
        start += 1
    if start < len(found) and _tells(found, start, vocabulary):
        return found[start].text
    for at in range(start + 1, len(found)):
        joins = found[at - 1].norm in {"and", "then"} and not found[at - 1].quoted
        if joins and not found[at].quoted and found[at].norm in VERBS:
            following = found[at + 1] if at + 1 < len(found) else None
            if following and not following.quoted and following.norm in _DETERMINERS:
                return found[at].text
    asks = {w.norm for w in found[:start] if not w.quoted}
    if asks & {"i", "we"} and asks & {"want", "need", "like"}:
        for at in range(start, len(found)):
            if found[at].norm in _QUESTIONS and not found[at].quoted:
                break  # "I want to know who pushed to main"
            last = at + 1 == len(found) or found[at + 1].norm in {"to", "into", "as"}
            if found[at].norm in _PASSIVE and not found[at].quoted and last:
                return found[at].text
    return None


def _tells(found: Sequence[Word], at: int, vocabulary: Vocabulary) -> bool:
    word = found[at]
    if word.quoted or word.norm not in VERBS:
        return False
    following = found[at + 1] if at + 1 < len(found) else None
    if following is None:
        return word.norm not in _NOUNS
    if word.norm in _NOUNS:
        if following.quoted:
            return False
        named = bool(vocabulary.repo(following.text)) and not any(w.norm in {"of", "in"} for w in found[at + 2 :])
        return following.norm in _DETERMINERS or named
    return following.quoted or following.norm not in _AFTER_NOUN
