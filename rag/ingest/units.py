"""A section's blocks to evidence units: sentences, items, lists with their lead-in, rows with their header.

Knows what may be cited on its own. Units of different size may cover the same text (a list and
its items); which of them answers a question is the job of `retrieve.evidence`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from rag.domain import Span, UnitKind, Value
from rag.ingest.blocks import Block, is_lead_in
from rag.text import sentence_spans, strip_span

_LABEL = re.compile(r"[^\s。；;，,：:]{2,16}[ \t]?(?:(?<!\d)[：:]|[：:](?!\d))")
_CLAUSE_END = re.compile(r"[；;]\s*")
MAX_LEAD = 80
MAX_LIST = 420
_MAX_LOOSE_ITEM = 60
_LONG_ITEM = 80
_LONG_SENTENCE = 110


class UnitSpan(Value):
    """A unit before it has an id. `parent` is the index of a larger unit in the same group, if any."""

    kind: UnitKind
    span: Span
    lead: tuple[Span, ...] = ()
    parent: int | None = None


class Group(Value):
    """Blocks that must stay together in one chunk, with their units."""

    span: Span
    units: tuple[UnitSpan, ...]


def groups(text: str, blocks: Sequence[Block]) -> list[Group]:
    """The section's body as groups, in order."""
    found: list[Group] = []
    i = 0
    while i < len(blocks):
        taken, group = _group(text, blocks, i)
        found.append(group)
        i += taken
    return found


def _group(text: str, blocks: Sequence[Block], i: int) -> tuple[int, Group]:
    block = blocks[i]
    if block.kind == "header":
        rows = _run(blocks, i + 1, lambda b: b.kind == "row")
        return 1 + len(rows), _table(block, rows)
    if block.kind == "item":
        items = _run(blocks, i, lambda b: b.kind == "item")
        return len(items), _list(text, None, items)
    if is_lead_in(text, block):
        items = _run(blocks, i + 1, lambda b: b.kind == "item") or _loose_items(text, blocks, i + 1)
        if items:
            return 1 + len(items), _list(text, block, items)
    builder = _Builder(text)
    if block.kind == "row":  # a table without a header
        builder.add("row", block.span)
    else:
        builder.sentences(block.span)
    return 1, builder.group(block.span)


def _run(blocks: Sequence[Block], i: int, wanted: Callable[[Block], bool]) -> list[Block]:
    found: list[Block] = []
    while i < len(blocks) and wanted(blocks[i]):
        found.append(blocks[i])
        i += 1
    return found


def _deeper_than(item: Block) -> Callable[[Block], bool]:
    return lambda block: block.indent > item.indent


def _loose_items(text: str, blocks: Sequence[Block], i: int) -> list[Block]:
    """Short paragraphs right after a lead-in are its items, though the page gave them no marks."""
    short = _run(blocks, i, lambda b: b.kind == "paragraph" and len(b.span) <= _MAX_LOOSE_ITEM)
    for n, block in enumerate(short):
        if is_lead_in(text, block):
            return short[:n]
    return short


def _table(header: Block, rows: list[Block]) -> Group:
    whole = Span(header.span.start, rows[-1].span.end if rows else header.span.end)
    units = [UnitSpan("list", whole)] if rows and len(whole) <= MAX_LIST else []
    parent = 0 if units else None
    units += [UnitSpan("row", row.span, (header.span,), parent) for row in rows]
    return Group(whole, tuple(units))


def _list(text: str, lead_in: Block | None, items: list[Block]) -> Group:
    builder = _Builder(text)
    start = lead_in.span.start if lead_in else items[0].span.start
    whole = Span(start, items[-1].span.end)
    lead: tuple[Span, ...] = ()
    if lead_in:
        sentences = list(sentence_spans(text, lead_in.span.start, lead_in.span.end))
        for span in sentences[:-1]:
            builder.add("sentence", span)
        announcing = sentences[-1]
        whole = Span(announcing.start, whole.end)
        lead = (announcing,) if len(announcing) <= MAX_LEAD else ()
    parent = builder.add("list", whole) if len(whole) <= MAX_LIST and len(items) > 1 else None
    if lead_in and not lead and parent is None:
        builder.add("sentence", announcing)
    builder.items(items, lead, parent)
    return builder.group(Span(start, items[-1].span.end))


class _Builder:
    """Collects the units of one group."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._units: list[UnitSpan] = []

    def group(self, span: Span) -> Group:
        return Group(span, tuple(self._units))

    def add(self, kind: UnitKind, span: Span, lead: tuple[Span, ...] = (), parent: int | None = None) -> int:
        self._units.append(UnitSpan(kind, span, lead, parent))
        return len(self._units) - 1

    def items(self, items: Sequence[Block], lead: tuple[Span, ...], parent: int | None) -> None:
        """Items with the deeper ones below them; an item that has some leads them in."""
        i = 0
        while i < len(items):
            item = items[i]
            inner = _run(items, i + 1, _deeper_than(item))
            if inner:
                whole = Span(item.span.start, inner[-1].span.end)
                own = self.add("list", whole, (), parent) if len(whole) <= MAX_LIST else parent
                if own == parent and len(item.span) > MAX_LEAD:
                    self.add("item", item.span, lead, parent)
                self.items(inner, (item.span,) if len(item.span) <= MAX_LEAD else (), own)
            else:
                self._item(item.span, lead, parent)
            i += 1 + len(inner)

    def _item(self, span: Span, lead: tuple[Span, ...], parent: int | None) -> None:
        sentences = list(sentence_spans(self._text, span.start, span.end))
        own = self.add("item", span, lead, parent)
        if len(sentences) > 1 and len(span) > _LONG_ITEM:
            self.sentences(span, own)

    def sentences(self, span: Span, parent: int | None = None) -> None:
        """Sentences; a label such as 住院报销： leads in those after the first; long ones also by clause."""
        label = _LABEL.match(self._text, span.start, span.end)
        label_span = strip_span(self._text, span.start, label.end()) if label else None
        for n, sentence in enumerate(sentence_spans(self._text, span.start, span.end)):
            lead = (label_span,) if label_span and n and label_span.end < sentence.start else ()
            own = self.add("sentence", sentence, lead, parent)
            if len(sentence) > _LONG_SENTENCE:
                self._clauses(sentence, own)

    def _clauses(self, sentence: Span, parent: int) -> None:
        clauses = list(_clause_spans(self._text, sentence))
        if len(clauses) < 2:  # noqa: PLR2004 - one clause is the sentence itself
            return
        label = _LABEL.match(self._text, sentence.start, sentence.end)
        lead = (strip_span(self._text, sentence.start, label.end()),) if label else ()
        for n, clause in enumerate(clauses):
            self.add("sentence", clause, lead if n else (), parent)


def _clause_spans(text: str, sentence: Span) -> Iterator[Span]:
    begin = sentence.start
    for match in _CLAUSE_END.finditer(text, sentence.start, sentence.end):
        yield strip_span(text, begin, match.end())
        begin = match.end()
    if begin < sentence.end:
        yield strip_span(text, begin, sentence.end)
