"""An answer's Markdown as HTML that cannot act: no raw HTML, no links, no images."""

from __future__ import annotations

from functools import lru_cache

from markdown_it import MarkdownIt

from pivo.agent import safe


@lru_cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    # An image or a link would let an answer that repeats a stranger's text fetch or lead somewhere.
    return parser.disable(["image", "link", "autolink", "html_inline", "html_block", "reference"])


def html(markdown: str) -> str:
    """Safe HTML of `markdown`; control and direction marks become visible."""
    return str(_parser().render(safe.text(markdown)))
