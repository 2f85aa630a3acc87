"""The process behind :mod:`pivo.chat.highlight`: a request a line on stdin, an answer a line on stdout, both JSON."""

from __future__ import annotations

import html
import json
import sys

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_for_filename
from pygments.token import Comment, Keyword, Name, Number, Operator, String, _TokenType
from pygments.util import ClassNotFound

# The few kinds that the page gives a colour; the first that fits.
_CLASSES = (
    (Comment, "c"),
    (String, "s"),
    (Number, "m"),
    (Keyword, "k"),
    (Operator.Word, "k"),
    (Name.Function, "f"),
    (Name.Class, "f"),
    (Name.Tag, "k"),
    (Name.Decorator, "d"),
    (Name.Attribute, "d"),
    (Name.Builtin, "b"),
)


def coloured(name: str, text: str) -> list[str] | None:
    """The lines of `text` as HTML; None when the file's name tells no language."""
    try:
        lexer: Lexer = get_lexer_for_filename(name, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
    lines = [""]
    for kind, value in lexer.get_tokens(text):
        first, *rest = value.split("\n")
        lines[-1] += _span(kind, first)
        lines.extend(_span(kind, part) for part in rest)
    return lines


def _span(kind: _TokenType, value: str) -> str:
    if not value:
        return ""
    name = next((c for token, c in _CLASSES if kind in token), "")
    text = html.escape(value)
    return f'<span class="{name}">{text}</span>' if name else text


def main() -> None:
    """Answers until stdin ends."""
    for line in sys.stdin.buffer:
        request = json.loads(line)
        sys.stdout.buffer.write(json.dumps(coloured(request["name"], request["text"])).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
