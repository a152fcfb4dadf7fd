"""Blocks to titled sections: headings of Markdown and prose, chapters and articles (章/条) of statutes.

Knows how headings nest. What a section is cut into is the job of `units` and `chunking`.
"""

from __future__ import annotations

from rag.domain import Section, Value
from rag.ingest.blocks import Block
from rag.text import squeeze

_ARTICLE_LEVEL = 9


class Part(Value):
    """A section with the blocks of its own body (those of its subsections are theirs)."""

    section: Section
    blocks: tuple[Block, ...]


def parts(text: str, title: str, found: list[Block]) -> list[Part]:
    """Every section that has a body, in order. `title` heads each title path; a heading equal to it is not repeated."""
    sections: list[Part] = []
    path: list[tuple[int, str]] = []
    body: list[Block] = []
    start = found[0].span.start if found else 0

    def close() -> None:
        if body:
            titles = (title, *(words for _, words in path))
            section = Section(title_path=titles, start=start, end=body[-1].span.end)
            sections.append(Part(section=section, blocks=tuple(body)))
            body.clear()

    for block in found:
        if block.kind not in {"heading", "article"}:
            if not body and not path:
                start = min(start, block.span.start)
            body.append(block)
            continue
        close()
        start = block.span.start
        words, level = _heading(text, block)
        path = [(depth, old) for depth, old in path if depth < level]
        if words != title:
            path.append((level, words))
        if block.kind == "article":
            body.append(block)
    close()
    return sections


def _heading(text: str, block: Block) -> tuple[str, int]:
    words = squeeze(text[block.span.start : block.span.end])
    if block.kind == "article":
        return words.split(maxsplit=1)[0], _ARTICLE_LEVEL
    return words.rstrip("：:# ").strip("*"), block.level
