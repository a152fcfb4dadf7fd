"""Documents to chunks and evidence units within a token budget; nothing is cut inside a sentence or a row.

Knows budgets and ids. What a unit is, is the job of `units`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rag.domain import Chunk, Document, EvidenceUnit, Span, Value
from rag.ingest.sectioning import Part
from rag.ingest.units import Group, UnitSpan, groups
from rag.ports import Tokenizer
from rag.text import squeeze

TOKEN_BUDGET = 320


class Cut(Value):
    """A document's chunks and units, in reading order."""

    chunks: tuple[Chunk, ...]
    units: tuple[EvidenceUnit, ...]


def cut(document: Document, text: str, parts: Sequence[Part], tokenizer: Tokenizer) -> Cut:
    """Chunks of at most `TOKEN_BUDGET` tokens each, one section at most; a single longer group stays whole."""
    chunks: list[Chunk] = []
    units: list[EvidenceUnit] = []
    for part in parts:
        for packed in _packed(text, part, tokenizer):
            chunk_id = f"{document.id}#c{len(chunks)}"
            made = _units(document, text, part, chunk_id, packed, len(units))
            start = part.section.start if packed[0].span.start == part.blocks[0].span.start else packed[0].span.start
            span = Span(start, packed[-1].span.end)
            chunks.append(
                Chunk(
                    id=chunk_id,
                    document_id=document.id,
                    title_path=part.section.title_path,
                    span=span,
                    text=text[span.start : span.end],
                    units=tuple(u.id for u in made),
                )
            )
            units.extend(made)
    return Cut(tuple(chunks), tuple(units))


def _packed(text: str, part: Part, tokenizer: Tokenizer) -> Iterator[list[Group]]:
    packed: list[Group] = []
    start = part.section.start  # the heading counts, too
    for group in groups(text, part.blocks):
        if packed and tokenizer.count(text[start : group.span.end]) > TOKEN_BUDGET:
            yield packed
            packed, start = [], group.span.start
        packed.append(group)
    if packed:
        yield packed


def _units(
    document: Document, text: str, part: Part, chunk_id: str, packed: list[Group], first: int
) -> list[EvidenceUnit]:
    made: list[EvidenceUnit] = []
    for group in packed:
        base = first + len(made)
        for unit in group.units:
            made.append(
                EvidenceUnit(
                    id=f"{document.id}#u{first + len(made)}",
                    document_id=document.id,
                    chunk_id=chunk_id,
                    kind=unit.kind,
                    span=unit.span,
                    lead=unit.lead,
                    parent=None if unit.parent is None else f"{document.id}#u{base + unit.parent}",
                    title_path=part.section.title_path,
                    text=_words(text, unit),
                )
            )
    return made


def _words(text: str, unit: UnitSpan) -> str:
    return "\n".join(squeeze(text[s.start : s.end]) for s in (*unit.lead, unit.span))
