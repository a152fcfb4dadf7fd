"""Documents to chunks and evidence units within a token budget; nothing is cut inside a sentence or a row.

Knows budgets and ids. What a unit is, is the job of `units`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from rag.domain import Chunk, Document, EvidenceUnit, Span, Value
from rag.ingest.sectioning import Part
from rag.ingest.units import Group, UnitSpan, groups
from rag.ports import Tokenizer
from rag.text import squeeze

TOKEN_BUDGET = 320
_PARTABLE = 2


class Cut(Value):
    """A document's chunks and units, in reading order."""

    chunks: tuple[Chunk, ...]
    units: tuple[EvidenceUnit, ...]


def cut(document: Document, text: str, parts: Sequence[Part], tokenizer: Tokenizer) -> Cut:
    """Chunks of at most `TOKEN_BUDGET` tokens, of one section each; a single longer sentence or row stays whole."""
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
    for group in (small for whole in groups(text, part.blocks) for small in _parted(text, whole, tokenizer)):
        if packed and tokenizer.count(text[start : group.span.end]) > TOKEN_BUDGET:
            yield packed
            packed, start = [], group.span.start
        packed.append(group)
    if packed:
        yield packed


def _parted(text: str, group: Group, tokenizer: Tokenizer) -> list[Group]:
    """The group, or where it is longer than a chunk may be, its sentences, items and rows in groups of their own.

    What holds others and is too long itself (a whole list) is no unit then.
    """
    if len(group.units) < _PARTABLE or tokenizer.count(text[group.span.start : group.span.end]) <= TOKEN_BUDGET:
        return [group]
    holders = {unit.parent for unit in group.units}
    kept = [
        unit
        for n, unit in enumerate(group.units)
        if n not in holders or tokenizer.count(text[unit.span.start : unit.span.end]) <= TOKEN_BUDGET
    ]
    if not kept:
        return [group]
    runs: list[list[UnitSpan]] = []
    for unit in sorted(kept, key=lambda u: (u.span.start, -u.span.end)):
        if runs and unit.span.end <= max(u.span.end for u in runs[-1]):
            runs[-1].append(unit)
        else:
            runs.append([unit])
    return [_group_of(group, runs, n) for n in range(len(runs))]


def _group_of(whole: Group, runs: Sequence[Sequence[UnitSpan]], n: int) -> Group:
    """Run `n` as a group: it reaches to where the next one begins, so that no character is lost."""
    start = whole.span.start if n == 0 else runs[n][0].span.start
    end = runs[n + 1][0].span.start if n + 1 < len(runs) else whole.span.end
    place = {id(unit): i for i, unit in enumerate(runs[n])}
    units = []
    for unit in runs[n]:
        holder = whole.units[unit.parent] if unit.parent is not None else None
        units.append(msgspec.structs.replace(unit, parent=place.get(id(holder))))
    return Group(Span(start, end), tuple(units))


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
