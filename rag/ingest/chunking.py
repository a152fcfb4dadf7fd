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

    What holds others and is too long itself (a whole list) stays with the first of them: units are the same whatever
    the budget is.
    """
    if len(group.units) < _PARTABLE or _fits(text, group.span, tokenizer):
        return [group]
    holders = {unit.parent for unit in group.units}
    starts: list[int] = []
    runs: list[list[UnitSpan]] = []
    long: list[UnitSpan] = []
    end = group.span.start
    for n, unit in enumerate(group.units):
        if n in holders and not _fits(text, unit.span, tokenizer):
            long.append(unit)
        elif runs and not long and unit.span.end <= end:
            runs[-1].append(unit)
        else:
            starts.append(unit.span.start if runs else group.span.start)
            runs.append([*long, unit])
            long, end = [], unit.span.end
    runs[-1] += long
    bounds = [*starts, group.span.end]
    return [_group_of(group, Span(bounds[n], bounds[n + 1]), run) for n, run in enumerate(runs)]


def _fits(text: str, span: Span, tokenizer: Tokenizer) -> bool:
    return tokenizer.count(text[span.start : span.end]) <= TOKEN_BUDGET


def _group_of(whole: Group, span: Span, run: Sequence[UnitSpan]) -> Group:
    """Some units of a group as a group of their own, which reaches to where the next one begins."""
    place = {id(unit): n for n, unit in enumerate(run)}
    held = (None if unit.parent is None else place.get(id(whole.units[unit.parent])) for unit in run)
    return Group(span, tuple(msgspec.structs.replace(u, parent=p) for u, p in zip(run, held, strict=True)))


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
