"""Colours for code: right, harmless, and never waited for."""

from __future__ import annotations

import re
import time
from html import unescape

import pytest

from pivo.chat.highlight import Highlighter
from pivo.chat.render import with_colours


@pytest.fixture(scope="module")
def highlighter():
    made = Highlighter()
    yield made
    made.close()


def test_lines_stay_lines_and_text_stays_text(highlighter) -> None:
    text = 'def f(x):\n    """A\n    long <b>one</b>."""\n    return x < 1 & 2\n\n'
    lines = highlighter.lines("src/f.py", text)
    assert '<span class="k">def</span>' in lines[0]
    assert [unescape(re.sub(r"</?span[^>]*>", "", line)) for line in lines] == text.split("\n")
    assert set(re.findall(r"<(\w+)", "".join(lines))) == {"span"}


def test_active_content_is_only_text(highlighter) -> None:
    for name in ("x.html", "x.svg", "x.js", "x.md"):
        lines = highlighter.lines(name, '<script>alert("1")</script><img src=x onerror=y>')
        assert set(re.findall(r"<\s*([a-zA-Z]+)", "".join(lines))) <= {"span"}
        assert not re.search(r"<span class=\"[a-z]\"[^>]", "".join(lines))


def test_an_unknown_language_has_no_colours(highlighter) -> None:
    assert highlighter.lines("data.nosuchlanguage", "a b c") is None


def test_what_takes_too_long_is_cut_off_and_the_next_file_has_its_colours() -> None:
    slow = Highlighter(seconds=0.2)
    try:
        assert slow.lines("a.py", "x = 1")  # its process runs now
        hostile = "x = '" + "\\" * 90_000  # what the lexer of any language may do: not come back
        slow._process.send_signal(19)  # SIGSTOP
        began = time.monotonic()
        assert slow.lines("b.py", hostile) is None
        assert time.monotonic() - began < 5
        assert slow.lines("c.py", "y = 2") is not None
    finally:
        slow.close()


def test_a_view_gets_a_line_of_markup_for_each_line_of_text() -> None:
    view = {"kind": "code", "path": "a.py", "text": "import os\n\x1b[31mx\u202ey", "first_line": 1}
    shown = with_colours(view)
    assert len(shown["html"]) == 2
    assert "\\u202e" in shown["html"][1]
    assert with_colours({"kind": "table"}) == {"kind": "table"}
    assert with_colours(None) is None
