"""Lines of a text to blocks: headings, paragraphs, list items, table rows.

Knows the marks of Markdown, of Chinese numbered prose and of statutes (章/条), and how a plain
text without any marks shows its headings. How blocks nest is the job of `sectioning`.
"""

from __future__ import annotations

import re
from typing import Literal

from rag.domain import Span, Value
from rag.text import line_spans, strip_span

BlockKind = Literal["heading", "article", "paragraph", "item", "header", "row"]

_MARKDOWN_HEADING = re.compile(r"(#{1,6})[ \t]+(?=\S)")
_HAN_NUMBER = "[一二三四五六七八九十百零〇两]"
_CHAPTER = re.compile(rf"(?:\*\*)?第(?:{_HAN_NUMBER}+|\d+)([编章节])[\s　]*\S")
_ARTICLE = re.compile(rf"第(?:{_HAN_NUMBER}+|\d+)条(?:之{_HAN_NUMBER}+)?(?=[\s　])")
_HAN_HEADING = re.compile(rf"{_HAN_NUMBER}+、\s*")
_HAN_ITEM = re.compile(rf"[（(]{_HAN_NUMBER}+[)）]\s*")
_NUMBERED = re.compile(r"(?:\d{1,2}[.．、)）](?!\d)|[（(]\d{1,2}[)）]|[①-⑳])[ \t　]*")
_BULLET = re.compile(r"[-*+•·●○▪■◆‣][ \t　]+|[•●▪■◆][ \t　]*")
_TABLE_RULE = re.compile(r"\s*\|?(?:\s*:?-+:?\s*\|)+\s*(?::?-+:?)?\s*$")
_RULE = re.compile(r"(?:-[ \t]*){3,}$|(?:\*[ \t]*){3,}$|(?:_[ \t]*){3,}$")
_TABLE_ROW = re.compile(r"\s*\|.*\|\s*$")
_COMMENT = re.compile(r"\s*<!--.*-->\s*$")
_PUNCTUATED = re.compile(r"[。；;，,：:！!]")
_QUESTION = re.compile(r"[吗呢嘛？?]|什么|哪些|哪里|多少|怎样|怎么|如何|是否")
# Pages open with a bare answer to the question of their title; it is content, not a heading.
_BARE_ANSWER = re.compile(r"(?:不|没)?(?:可以|能|会|是|有|有用|需要|一定|必须)(?:的)?$")
# A first line that ends so is a sentence of the text, or leads in a list, and is no title.
_SENTENCE_END = "。；;：:"
_MAX_HEADING = 32
_LONG_HEADING = 12
_TITLE, _ARTICLE_HEAD, _PART, _SECTION = 1, 2, 3, 4
_CHAPTER_LEVEL = {"编": 2, "章": 3, "节": 4}


class Block(Value):
    """One line of structure. `level` orders headings (1 is the title); `indent` nests list items."""

    kind: BlockKind
    span: Span
    level: int = 0
    indent: int = 0
    numbered: bool = False


def blocks(text: str, start: int, end: int) -> list[Block]:
    """The blocks of `text[start:end]`, in order. Plain texts get headings by shape, Markdown by its marks."""
    found = [block for line in line_spans(text, start, end) if (block := _block(text, line)) is not None]
    found = _with_table_headers(text, found)
    if any(b.kind == "heading" for b in found):
        return found
    return _with_plain_headings(text, found)


def is_lead_in(text: str, block: Block) -> bool:
    """Whether the block announces what follows it (ends with a colon)."""
    return block.kind in {"paragraph", "item"} and text[block.span.end - 1] in ":："


def _block(text: str, line: Span) -> Block | None:
    span = strip_span(text, line.start, line.end)
    if span.start == span.end or _COMMENT.match(text, line.start, line.end) or _RULE.match(text[span.start : span.end]):
        return None
    indent = span.start - line.start
    if match := _MARKDOWN_HEADING.match(text, span.start, span.end):
        return Block(kind="heading", span=Span(match.end(), span.end), level=len(match.group(1)))
    if _TABLE_RULE.match(text, line.start, line.end) or _TABLE_ROW.match(text, line.start, line.end):
        return Block(kind="row", span=span)
    if text[span.end - 1] not in "。；;" and (match := _CHAPTER.match(text, span.start, span.end)):
        return Block(kind="heading", span=span, level=_CHAPTER_LEVEL[match.group(1)])
    if _ARTICLE.match(text, span.start, span.end):
        return Block(kind="article", span=span)
    for mark, numbered in ((_BULLET, False), (_NUMBERED, True), (_HAN_ITEM, False)):
        match = mark.match(text, span.start, span.end)
        if match and match.end() < span.end:
            return Block(kind="item", span=Span(match.end(), span.end), indent=indent, numbered=numbered)
    return Block(kind="paragraph", span=span, indent=indent)


def _with_table_headers(text: str, found: list[Block]) -> list[Block]:
    kept: list[Block] = []
    for block in found:
        if block.kind == "row" and _TABLE_RULE.fullmatch(text, block.span.start, block.span.end):
            if kept and kept[-1].kind == "row":
                kept[-1] = Block(kind="header", span=kept[-1].span)
            continue
        kept.append(block)
    return kept


def _with_plain_headings(text: str, found: list[Block]) -> list[Block]:
    titled = [_plain_heading(text, found, i) for i in range(len(found))]
    return [_plain_level(text, titled, i) for i in range(len(titled))]


def _plain_heading(text: str, found: list[Block], i: int) -> Block:
    block, words = found[i], text[found[i].span.start : found[i].span.end]
    following = found[i + 1] if i + 1 < len(found) else None
    if i == 0 and following is not None and words[-1] not in _SENTENCE_END:
        return Block(kind="heading", span=block.span, level=_TITLE)
    if block.kind not in {"paragraph", "item"} or len(words) > _MAX_HEADING or following is None:
        return block
    if _BARE_ANSWER.match(words) or (block.indent and block.kind == "paragraph"):
        return block
    if match := _HAN_HEADING.match(words):
        return block if words[-1] in "。；;：:" else _heading(block, match.end(), _PART)
    if _PUNCTUATED.search(words):
        return block
    if block.kind == "paragraph":
        return _heading(block, 0, _SECTION)
    in_list = found[i - 1].kind == "item" and found[i - 1].numbered
    heads = (
        block.numbered
        and not in_list
        and following.indent <= block.indent
        and not (following.kind == "item" and following.numbered)
    )
    return _heading(block, 0, _SECTION) if heads else block


def _heading(block: Block, skip: int, level: int) -> Block:
    return Block(kind="heading", span=Span(block.span.start + skip, block.span.end), level=level, indent=block.indent)


def _plain_level(text: str, titled: list[Block], i: int) -> Block:
    """A plain heading that asks a question opens an article of its own; one that a heading follows, a part."""
    block = titled[i]
    following = titled[i + 1] if i + 1 < len(titled) else None
    if block.kind == "paragraph" and is_lead_in(text, block) and following is not None and following.kind == "heading":
        return _heading(block, 0, _PART) if len(block.span) <= _LONG_HEADING else block
    if block.kind != "heading" or block.level != _SECTION:
        return block
    words = text[block.span.start : block.span.end]
    if len(words) >= _LONG_HEADING and _QUESTION.search(words):
        return _heading(block, 0, _ARTICLE_HEAD)
    opens = following is not None and following.kind == "heading" and following.level == _SECTION
    return _heading(block, 0, _PART) if opens else block
