"""What is taken out of a web page or a PDF: a text with the marks of Markdown, so that `blocks` sees its structure.

Knows the marks, and which unmarked line of a Chinese page is a heading. How a page is laid out is the job of `webpage`
and `pdf`.
"""

from __future__ import annotations

import re
from typing import Any

from rag.domain import Value
from rag.text import squeeze

_HAN_HEADING = re.compile(r"(?:[一二三四五六七八九十]+、|第[一二三四五六七八九十百]+[编章节部分]+[\s　])")
_CLOSED = re.compile(r"[。；;，,：:！!？?]$")
_LOOKS_MARKED = re.compile(r"#{1,6}\s|>\s|\|")
_MAX_HEADING = 32


class Page(Value):
    """The text, and metadata in the form of front matter."""

    text: str
    declared: dict[str, Any]


def heading(level: int, words: str) -> str:
    """A heading; level 1 is the title."""
    return f"{'#' * min(level, 6)} {squeeze(words)}"


def paragraph(words: str, *, bold: bool = False) -> str:
    """A paragraph; a short line that is numbered 一、 or all bold, and not closed, heads what follows it."""
    words = squeeze(words)
    if is_heading(words):
        return heading(2, words)
    if bold and len(words) <= _MAX_HEADING and not _CLOSED.search(words):
        return heading(3, words)
    return f"\\{words}" if _LOOKS_MARKED.match(words) else words


def is_heading(words: str) -> bool:
    """Whether a line is numbered as a part of a text and too short and open to be a sentence of it."""
    return len(words) <= _MAX_HEADING and bool(_HAN_HEADING.match(words)) and not _CLOSED.search(words)


def item(words: str, depth: int, number: int | None) -> str:
    """An item of a list, `depth` lists deep, numbered or not."""
    return f"{'  ' * depth}{'-' if number is None else f'{number}.'} {squeeze(words)}"
