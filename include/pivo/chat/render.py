"""An answer's Markdown as HTML that cannot act: no raw HTML, no links, no images; and code with colours."""

from __future__ import annotations

from functools import lru_cache

from markdown_it import MarkdownIt

from pivo.agent import safe
from pivo.chat.highlight import Highlighter
from pivo.models import Json

_HIGHLIGHTER = Highlighter()


@lru_cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    # An image or a link would let an answer that repeats a stranger's text fetch or lead somewhere.
    return parser.disable(["image", "link", "autolink", "html_inline", "html_block", "reference"])


def html(markdown: str) -> str:
    """Safe HTML of `markdown`; control and direction marks become visible."""
    return str(_parser().render(safe.text(markdown)))


def with_colours(view: Json | None) -> Json | None:
    """The JSON of a view; a file's text gets `html`, a list of its lines as markup, where its language is known."""
    if view and view["kind"] == "code" and view["text"]:
        lines = _HIGHLIGHTER.lines(view["path"], safe.text(view["text"]))
        return {**view, "html": lines} if lines else view
    return view
