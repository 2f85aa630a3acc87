"""What is said around a question and asks for nothing, and words that were mistyped.

Greetings, who asks, what time it is: taken off the front. A mistyped word becomes the lexicon's only word that it can
be; never a name, a quoted word, or a text to search for. What was corrected is told with the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import groupby

from pivo.agent.planner import actions, changes, lexicon, periods
from pivo.agent.planner.lexicon import restoring
from pivo.agent.planner.rewrites import rewrite
from pivo.agent.planner.vocabulary import Vocabulary
from pivo.agent.planner.words import Word, joined, words, wordset

_OPENERS = re.compile(
    r"(?:(?:hi|hello|hey|yo|greetings|howdy|good (?:morning|evening|afternoon|day)|ok|okay|so|well|right|alright|um+|"
    r"uh+|h+mm*|erm?|oh|thanks|thank you|please|pls|quick question|a quick one|one more thing|one more|"
    r"just wondering|btw|by the way|fyi|excuse me|sorry to bother you|sorry to bother|no rush)"
    r"(?: (?:there|all|everyone|team|pivo|but|then"
    r"))*\b[\s,.:;!?–-]+"
    r"|(?:it'?s|it is) (?:already |nearly |almost |only |just |past )*(?:\d{1,2}(?:[:.]\d\d)? ?(?:[ap]m|o'?clock)?"
    r"|midnight|noon|(?:very |so |rather |getting )?(?:late|early)|the middle of the night)(?: (?:here|already|now|"
    r"in the morning|at night|at the office))*(?:\s*[,.;!–-]+\s*(?:and |but |so )?|\s+(?:and|but|so)\s+)"
    r"|(?:i'?m|i am|this is) (?:the|a|an|your|our) (?:new |on-call )?[\w-]+(?: speaking| here| by the way)?\s*"
    r"[,.;:!]\s+"
    r"|(?:the |your |our )?(?:new |on-call )?(?:auditor|manager|developer|admin|intern|boss|colleague|newbie|tester|"
    r"reviewer|operator|engineer|lead|oncall|on-call|ops|security|compliance|student|owner)(?: \w+)? here[\s,.:;!–-]+"
    r"|all (?:that )?i (?:really )?(?:need|want)(?: to (?:know|see))? is\s+"
    r"|(?:i was|i'?m|i am|was|been|we are|we were|just) (?:just )?(?:wondering|curious|asking myself|interested)"
    r"(?: (?:about|if you (?:know|could tell me)|to know|to see))?[\s,:]+"
    r"|(?:do|can|could|would) you (?:happen to know|know|remember|mind telling me|tell me|show me)\b[\s,:]+"
    r"|(?:morning|evening|afternoon|good night)[\s,.!;:–-]+"
    r"|for (?:(?:an?|the|my|our|some|your) )?(?:compliance|audit|audits|auditing|report|reporting|legal|reference|"
    r"review|"
    r"documentation|presentation|meeting|management|ticket|analysis|statistics|planning|newsletter|release notes|"
    r"(?:\w+ )?(?:reasons|purposes|report|audit|meeting|review))\b[\s,:–-]+"
    r"|(?:i'?m|i am|we'?re|we are) (?:a bit |a little |very |really |kind of |so )?(?:worried|concerned|afraid|"
    r"nervous|"
    r"confused|lost|new here|new|in a hurry|unsure|puzzled|stuck|interested|preparing [\w ]+|writing [\w ]+|"
    r"doing [\w ]+)"
    r"[\s]*[,.;:!–-]+\s*"
    r"|(?:an? |one |my |just a |another )?(?!pull |merge |restore |snapshot |backup |verification )(?:\w+ "
    r")?(?:question|request|query)(?: (?:for|from) \w+(?: "
    r"\w+)?)?\s*[-–:,;]+\s+"
    r"|.{3,60}?[?.!]\s+i mean(?:t)?[,:]?\s+(?=(?:who|what|which|when|where|how|list|show|commits?|files?)\b)"
    r"|(?:just )?(?:before i forget|out of curiosity|in passing|on another note|for completeness|(?:just )?to be sure|"
    r"just so (?:i|we) know|if i may(?: ask)?|one last thing|last question)\s*[,:.–-]+\s*"
    r"|(?:two|three|one|another|a few|some) (?:more |last |quick |short )*(?:questions?|things?)\s*[:,–-]+\s*"
    r"|for (?:a|an|my|our|the) \w+(?: \w+)?,? (?:i|we) (?:would )?(?:need|want|like)(?: to know)? (?=(?:a|the|all|"
    r"every|to|who|"
    r"what|when|which|how)\b)"
    r"|(?:my|our|the) (?!repo|archive|commit|branch|tag|file|snapshot)\w+ (?:asks?|asked|wants?|needs?|would like|"
    r"wonders?)"
    r"(?: to (?:know|see|have))?(?: me| us)?(?: for| about)? (?:whether |if )?(?=(?:a list|the list|the number|a "
    r"number|the name|"
    r"the date|an overview|who|what|when|which|how|every|all|the last|the latest|\S+/\S+ (?:was|is|has))\b)"
    r"|(?:remind me|refresh my memory|for the record|for the audit|for my report|for context|"
    r"in case you know)[\s,:–-]+)",
    re.IGNORECASE,
)
_TALK = (
    "i|we|you|he|she|they|my|our|your|the|a|an|to|me|us|am|is|are|was|'m|'s|can|can't|cannot|could|couldn't|do|"
    "don't|does|"
    "doesn't|did|didn't|not|would|like|love|need|want|have|has|had|got|be|been|being|please|pls|just|really|only|"
    "still|"
    "also|any|some|one|thing|chance|idea|way|clue|question|questions|quick|small|simple|possible|possibly|maybe|"
    "perhaps|"
    "remember|recall|forgot|forget|sure|certain|unsure|trying|try|tried|figure|out|find|see|look|check|understand|"
    "learn|"
    "wonder|wondering|wondered|curious|interested|keen|know|knows|knowing|tell|say|ask|asks|asked|asking|help|explain|"
    "show|inform|remind|of|about|for|in|on|if|whether|boss|manager|colleague|team|auditor|auditors|customer|somebody|"
    "someone|here|there|now|today|again|and|but|so|then|that|it|this|let's|let|hoping|hope|looking|after|into|exactly|"
    "actually|basically|good|great|nice|ok|okay|hi|hello|hey|lost|track|mind|need|wants|needs|would|there's|i'd|"
    "i'm|i've|"
    "we'd|we're|you'd|that's|it's|what's"
)
_PREAMBLE = re.compile(
    rf"(?:(?:{_TALK})(?:[\s,.!?:–-]+)){{2,16}}?"
    r"(?=(?:(?:in|on|by|to|of|for|from|with|under|at|since|until|and|but) )?"
    r"(?:who|whom|whose|what|when|where|which|how (?:many|often|long|much|old|big|large|far))\b)",
    re.IGNORECASE,
)
"""What is said before the question itself: who asks, and that they wonder."""
_UNWANTED = re.compile(
    r"\b(?:not|n't|never|don't|didn't|doesn't) (?:want|need|care|show|tell|ask|look|wish)", re.IGNORECASE
)
_ASIDE = re.compile(
    rf"(?!.*(?:\bnot\b|n't\b|\bnever\b))(?:which ones?|(?:(?:{_TALK}|will|report|reports|audit|review|compliance|"
    rf"confirm|confirming|before|later|meeting|"
    r"deadline|documentation|ticket|presentation|worried|urgent|important|hurry|soon|appreciated|grateful|morning|"
    r"afternoon|"
    r"evening|thanks|thank|cheers|bye|first|decide|decision|myself|careful|case|by|tomorrow|week|next|monday|"
    r"friday|because|"
    r"as|at|with|lead|team|new|busy|waiting)[\s,;:'’–-]*)+)[.?!]*",
    re.IGNORECASE,
)
"""A sentence of these words alone is no question and no order."""
_CLOSERS = re.compile(
    r"[\s,.!?–-]+(?:thanks(?: a lot| a bunch| so much| in advance)?|thank you(?: very much| so much)?|thx|ty|cheers|"
    r"please|pls|plz|if you (?:can|please|would|don't mind)|if possible|would you|will you|do you know|you know|"
    r"(?:(?:and )?(?:please )?(?:list|show|name|tell|give)(?: me| us)? (?:them|these|those|all of them)(?: all)?)|"
    r"(?:i|we)(?:'d| would) (?:like|love) to (?:see|know|have|get) (?:them|it|those|these)(?: all)?|"
    r"(?:please )?(?:search|check|look in|look at|look through|grep|scan)(?: through| in)? (?:the |all |our )*"
    r"(?:commit |git )?(?:messages?|logs?|history)|"
    r"which ones?|(?:i|we) (?:only|just|really only) (?:need|want) (?:his|her|their|the|its|a|an) (?:commits?|names?|"
    r"hash(?:es)?|dates?|list|number|count|answer)|"
    r"asap|for my report|for the record|for the audit|by any chance|lol|haha)[\s.!?]*$",
    re.IGNORECASE,
)
_SPARED = wordset("filed crated cremated flies singed untied toady later quiet trial starred")
"""Words of their own that look like a mistyped one of the lexicon."""
_SHORTEST = 5
_SLIPS = 2
_LONG = 8  # from here on another vowel is a slip, too
_BEFORE_NAMES = wordset(
    "into onto called named as to by from user person author repo repository project file branch tag"
)


def tidy(question: str, vocabulary: Vocabulary) -> tuple[str, dict[str, str]]:
    """The question without what is only said around it, and what was read for which mistyped words."""
    text = _bare(question)
    found = _together(words(text))
    corrected: dict[str, str] = {}
    for at, word in enumerate(found):
        if not word.quoted and _searching(found[at]):
            break
        meant = _meant(found, at, vocabulary)
        if meant:
            corrected[word.text] = meant
            found[at] = Word(meant, meant.casefold())
    found = rewrite(found)
    return (joined(found) if corrected or text != question or found != words(question) else question), corrected


def _bare(question: str) -> str:
    text = _asides(question.strip())
    while (match := _OPENERS.match(text)) and match.end() < len(text):
        text = text[match.end() :]
    preamble = _PREAMBLE.match(text)
    if preamble and not _UNWANTED.search(preamble[0]):
        text = text[preamble.end() :]
    while (match := _CLOSERS.search(text)) and match.start() > 0:
        text = text[: match.start()]
    return text


def _asides(text: str) -> str:
    """The text without whole sentences that ask for nothing: "I need it for the audit." """
    sentences = re.split(r"(?<=[.?!])\s+(?=[A-Za-z])", text)
    kept = [s for s in sentences if not _ASIDE.fullmatch(s)]
    return " ".join(kept) if kept and len(kept) < len(sentences) else text


def _together(found: list[Word]) -> list[Word]:
    """ "back it up" as "back up it": the verb stands together."""
    for at, word in enumerate(found):
        if word.norm != "back" or word.quoted:
            continue
        for up in range(at + 2, min(at + 5, len(found))):
            if found[up].norm == "up" and not found[up].quoted:
                return [*found[: at + 1], found[up], *found[at + 1 : up], *_together(found[up + 1 :])]
    return found


def _searching(word: Word) -> bool:
    return lexicon.PHRASES.get((word.norm,)) in {"SEARCH", "FIXED"}


def _meant(found: list[Word], at: int, vocabulary: Vocabulary) -> str | None:
    word = found[at]
    if word.quoted or not word.norm.isalpha() or len(word.norm) < _SHORTEST or word.norm in _known() | _SPARED:
        return None
    if at and not found[at - 1].quoted and found[at - 1].norm in _BEFORE_NAMES:
        return None
    for wrong, right in (("ys", "ies"), ("yed", "ied")):
        if word.norm.endswith(wrong) and (regular := word.norm.removesuffix(wrong) + right) in _known():
            return regular
    options = [w for w in _meanings() if w[0] == word.norm[0] and _slip(word.norm, w)]
    if word.capital and at:
        options = [w for w in options if w in periods.NAMES]  # else a name
    if len({_meanings()[w] for w in options}) != 1 or _name(word.text, vocabulary):
        return None
    return min(options, key=lambda w: (abs(len(w) - len(word.norm)), w))


def _name(text: str, vocabulary: Vocabulary) -> bool:
    return bool(
        vocabulary.repo(text)
        or text in vocabulary.owners()
        or vocabulary.authors(text)
        or vocabulary.user(text)
        or vocabulary.paths(None, text)
        or vocabulary.refs(None, text)
    )


def _slip(typed: str, meant: str) -> bool:
    """Whether `typed` is `meant` with a letter too many or too few, two exchanged, or, in a long word, other vowels or
    doubled letters. Another consonant, or another ending, may be another word."""
    if len(meant) < _SHORTEST or abs(len(typed) - len(meant)) > 2:
        return False
    if min(len(typed), len(meant)) >= _LONG and _skeleton(typed) == _skeleton(meant):
        return _distance(typed, meant) <= _SLIPS
    if len(typed) == len(meant):
        other = [i for i, (a, b) in enumerate(zip(typed, meant, strict=True)) if a != b]
        return len(other) == 2 and other[1] == other[0] + 1 and sorted(typed) == sorted(meant)
    short, long = sorted((typed, meant), key=len)
    return len(long) == len(short) + 1 and any(long[:i] + long[i + 1 :] == short for i in range(1, len(long) - 1))


def _distance(a: str, b: str) -> int:
    """Letters to change, add or drop."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def _skeleton(word: str) -> str:
    """The word with every vowel the same and no letter doubled."""
    return "".join(letter for letter, _ in groupby(re.sub("[aeiou]", "a", word)))


@cache
def _known() -> frozenset[str]:
    spoken = {w for phrase in lexicon.PHRASES for w in phrase}
    return frozenset(
        spoken | lexicon.FILLER | lexicon.PRONOUNS | lexicon.ENDS_TEXT | lexicon.JOINS | actions.POLITE | periods.NAMES
        | actions.WORDS | restoring.WORDS | changes.VERBS
    )  # fmt: skip


@cache
def _meanings() -> dict[str, str]:
    """The words that a mistyped one may stand for, and what each means."""
    return dict(_spoken())


def _spoken() -> Iterator[tuple[str, str]]:
    for phrase in lexicon.PHRASES:
        for word in phrase:
            if word not in lexicon.FILLER and word.isalpha():
                yield word, lexicon.PHRASES.get((word,), word)
    for word in restoring.VERBS | periods.NAMES:
        yield word, lexicon.PHRASES.get((word,), word)
