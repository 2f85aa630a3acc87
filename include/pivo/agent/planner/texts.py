"""Texts in a question that are no names: words to search messages for, parts of paths."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pivo.agent.planner import lexicon
from pivo.agent.planner.reading import Cursor
from pivo.agent.planner.vocabulary import Vocabulary
from pivo.agent.planner.words import Word, wordset

_PART = re.compile(
    r"\b(?P<what>files?|paths?)\s+(?:are\s+|is\s+)?(?:"
    r"(?:named|called|containing|matching|like|with the name)\s+(?P<a>\S+)"
    r"|(?:have|has|having|with|contain|contains|carry|carries)\s+(?P<b>\S+)\s+in\s+(?:their|its|the)\s+(?:file\s*)?(?:names?|paths?)"
    r"|(?:contain|contains|include|includes)\s+(?P<d>\S+)\s*$"
    r"|whose\s+(?:names?|paths?)\s+(?:contains?|has|have|includes?|mentions?)\s+(?P<c>\S+))"
)


_WRITTEN = wordset(
    "commit commits message messages subject subjects title titles description descriptions log revision revisions"
    " changes changesets patches"
)
"""What has words that are searched."""


_MADE = wordset("added add implemented implement created create")
_ASKS = wordset("who which when what where")
_INNER = wordset("in the a an our")
_ANYTHING = wordset("anything everything something")
_SEARCHING = wordset("search searching grep grepping find look looking hunt hunting scan anything")
_TOUCHING = wordset(
    "about to do with concerning regarding concern concerns related involving affecting relating relate"
)


_ENDING = re.compile(
    r"(?:\*?(?P<a>\.[a-z0-9_+-]{1,10}) (?:\w+ )?(?P<f1>files?|paths?|scripts?|documents?)"
    r"|(?P<f2>files?|paths?|scripts?|documents?) (?:that |which )?(?:are |is )?(?:end|ends|ending|(?:with|having|have|"
    r"has|of)(?: the| an?)?"
    r" (?:extension|suffix|ending|type|file extension))(?: (?:in|with|on|of|is))? \*?(?P<b>\.?[a-z0-9_+-]{1,10})(?!\S)"
    r"|(?P<c>python|shell|markdown|ruby|perl|java|rust|go|javascript|typescript|json|yaml|xml|html|css|header) "
    r"(?P<f3>files?|scripts?|sources?))"
)
_ENDINGS = {
    "python": ".py", "shell": ".sh", "markdown": ".md", "ruby": ".rb", "perl": ".pl", "java": ".java", "rust": ".rs",
    "go": ".go", "javascript": ".js", "typescript": ".ts", "json": ".json", "yaml": ".yaml", "xml": ".xml",
    "html": ".html", "css": ".css", "header": ".h",
}  # fmt: skip


def ending(cursor: Cursor) -> None:
    """ ".py files", "files that end in .md", "Python files": the files there are now whose names end so."""
    flat, starts = "", []
    for at, word in enumerate(cursor.words):
        starts.append(len(flat))
        flat += (word.norm if cursor.free[at] else "\0") + " "
    found = _ENDING.search(flat)
    if found is None or found.start() not in starts:
        return
    first = starts.index(found.start())
    used = sum(found.start() <= s < found.end() for s in starts)
    told = found["a"] or found["b"] or _ENDINGS[found["c"]]
    cursor.reading.suffix = told if told.startswith(".") else f".{told}"
    cursor.reading.concepts |= {"FILE"}
    cursor.take(first, used)
    cursor.mark("suffix", first, used, f"files that end in {cursor.reading.suffix}")


def path_part(cursor: Cursor, vocabulary: Vocabulary) -> None:
    """ "files named core": a part of a path, which is text and not a path that has to exist."""
    flat, starts = "", []
    for word in cursor.words:
        starts.append(len(flat))
        flat += ("\0" * len(word.norm) if word.quoted and not word.norm.strip() else word.norm.replace(" ", "_")) + " "
    found = _PART.search(flat)
    if found is None:
        return
    if found["d"] and found["what"].startswith("file"):
        return  # what a file contains is not in the index
    first = starts.index(found.start("what"))
    group = next(g for g in "abcd" if found[g])
    at = starts.index(found.start(group))
    last = max(i for i, s in enumerate(starts) if s < found.end())
    text = cursor.words[at].text
    if vocabulary.paths(None, text) and group == "a":
        return  # a file that is called so; it is taken as a path
    cursor.take(first, last - first + 1)
    cursor.reading.part = text
    cursor.reading.concepts |= {"FILE", "NAMED"}
    cursor.mark("part", at, 1, f"paths with {text!r}")


def fixed_text(cursor: Cursor, named: Callable[[str], bool]) -> None:
    """ "Which commit fixed the memory leak": the words after "fixed", where no name or word of the lexicon is among
    them. They are searched for in the messages."""
    for at in range(len(cursor.words)):
        meaning, used = cursor.phrase(at)
        made = cursor.norm(at) in _MADE and any(w.norm in _ASKS for w in cursor.words[:at])
        if ((meaning, used) != ("FIXED", 1) and not made) or not cursor.free[at]:
            continue
        start = at + 1
        while cursor.norm(start) in {"the", "a", "an", "that", "this"}:
            start += 1
        end = start
        while end < len(cursor.words) and cursor.free[end]:
            if _ends_text(cursor, end) and not _goes_on(cursor, end, named):
                break
            end += 1
        taken = cursor.words[start:end]
        plain = all(w.norm.isalpha() and not (w.quoted or w.capital or named(w.text)) for w in taken)
        if taken and plain and all(_plain(cursor, i, made) for i in range(start, end)):
            cursor.take(at, end - at)
            cursor.reading.concepts.add("SEARCH")
            cursor.reading.text = " ".join(w.text for w in taken)
            cursor.mark("text", start, end - start, f"text {cursor.reading.text!r}")
        return


def _plain(cursor: Cursor, at: int, made: bool) -> bool:
    """Whether a word may be searched for: it means nothing else, or is the trouble that was fixed."""
    if not cursor.grammar(at) or cursor.norm(at) in _INNER:
        return True
    return not made and bool(set(lexicon.PHRASES.get((cursor.norm(at),), "").split()) & {"FAILED", "FINDING"})


def _goes_on(cursor: Cursor, at: int, named: Callable[[str], bool]) -> bool:
    """Whether "in" leads on to plain words: "the typo in the parser"."""
    then = at + 1
    while cursor.norm(then) in {"the", "a", "an", "our"}:
        then += 1
    word = cursor.words[then] if then < len(cursor.words) and cursor.free[then] else None
    plain = word is not None and word.norm.isalpha() and not (word.quoted or word.capital)
    return bool(plain and word and cursor.norm(at) == "in" and not (cursor.grammar(then) or named(word.text)))


def search_text(cursor: Cursor, vocabulary: Vocabulary) -> None:
    for at in range(len(cursor.words)):
        concept, used = cursor.phrase(at)
        if used == 1 and cursor.idiom(at):
            continue
        if concept != "SEARCH" and not (concept == "FIXED" and any(w.quoted for w in cursor.words[at:])):
            continue
        written = any(w.norm in _WRITTEN | _ANYTHING and not w.quoted for w in cursor.words[:at])
        said = tuple(w.norm for w in cursor.words[at : at + used])
        if said[0] not in _SEARCHING and not (written or _WRITTEN & set(said)) and not _quoted(cursor, at + used):
            continue  # "does acme/web contain secrets": files are not searched
        start = at + used
        if said[-1] in _TOUCHING and _path_at(cursor, start, vocabulary):
            cursor.take(at, used)
            cursor.reading.add("CHANGE")
            continue  # "commits that have to do with the file auth/login.py"
        while start < len(cursor.words) and cursor.words[start].norm in lexicon.SKIPPED_BEFORE_TEXT:
            start += 1
        if start < len(cursor.words) and _ends_text(cursor, start) and concept == "SEARCH":
            continue  # "contain commits by Ada": no text
        end = start
        while end < len(cursor.words) and (end == start or not _ends_text(cursor, end)):
            end += 1
            if cursor.words[start].quoted:
                break
        if end > start and cursor.free[start]:
            taken = cursor.words[start:end]
            first, *others = _alternatives(taken)
            end, more = _more_quoted(cursor, end, quoted=cursor.words[start].quoted)
            cursor.take(at, end - at)
            cursor.reading.concepts.add("SEARCH")
            cursor.reading.text, cursor.reading.alternatives = first, [*others, *more]
            cursor.reading.exact = taken[0].quoted
            cursor.mark("text", start, end - start, f"text {cursor.reading.text!r}")
            for text in cursor.reading.alternatives:
                if not cursor.reading.exact and all(w.casefold() in lexicon.FILLER for w in text.split()[:1]):
                    cursor.reading.unknown.append("or")  # "mentions parser or were made by Ada"
            bad = {"NOT", "LEAST"}
            bad_words = [w.text for w in taken if not w.quoted and lexicon.PHRASES.get((w.norm,)) in bad]
            cursor.reading.unknown += bad_words + [w.text for w in taken if w.norm in lexicon.PRONOUNS and not w.quoted]
        return


def _alternatives(taken: Sequence[Word]) -> list[str]:
    """ "login or limits": what stands between the "or"s."""
    texts: list[list[str]] = [[]]
    for word in taken:
        if word.norm == "or" and not word.quoted:
            texts.append([])
        else:
            texts[-1].append(word.text)
    return [" ".join(text) for text in texts if text] or [""]


def _more_quoted(cursor: Cursor, end: int, *, quoted: bool) -> tuple[int, list[str]]:
    """Further quoted texts after "or", and where they end."""
    found: list[str] = []
    while quoted and cursor.norm(end) == "or" and end + 1 < len(cursor.words) and cursor.words[end + 1].quoted:
        found.append(cursor.words[end + 1].text)
        end += 2
    return end, found


def _quoted(cursor: Cursor, at: int) -> bool:
    return any(w.quoted for w in cursor.words[at : at + 3])


def _path_at(cursor: Cursor, at: int, vocabulary: Vocabulary) -> bool:
    """Whether a known path is said at `at`, with or without "the file" before it."""
    while at < len(cursor.words) and cursor.words[at].norm in {"the", "file", "path", "folder", "directory"}:
        at += 1
    word = cursor.words[at] if at < len(cursor.words) else None
    return word is not None and not word.quoted and "." in word.text and bool(vocabulary.paths(None, word.text))


def _ends_text(cursor: Cursor, at: int) -> bool:
    return cursor.words[at].norm in lexicon.ENDS_TEXT and not cursor.words[at].quoted
