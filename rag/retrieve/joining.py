"""What several asks of one question found, as the evidence for the question.

Knows how evidence is put together. Which asks there are is the job of `asks`, what answers one, of `evidence`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import msgspec

from rag.domain import Evidence, EvidenceUnit
from rag.retrieve.choosing import MAX_UNITS, overlap


def joined(whole: Evidence, asked: Sequence[Evidence]) -> Evidence:
    """The evidence for a question, of which `whole` was found for all of it and `asked` for each thing that it asks.

    What suffices for all stands, and the best unit for each thing comes to it where that suffices. Where nothing
    suffices for all, every single thing must have its own.
    """
    answered = [evidence for evidence in asked if evidence.sufficient]
    if not (whole.sufficient or len(answered) == len(asked)):
        return whole
    own = whole.units if whole.sufficient else ()
    best = [evidence.units[0] for evidence in answered]
    units = _apart([*own[: MAX_UNITS - len(best)], *best, *own])[:MAX_UNITS]
    pools = chain.from_iterable(evidence.pool for evidence in (whole, *answered))
    return msgspec.structs.replace(
        whole,
        units=tuple(units),
        pool=tuple(_apart([*units, *pools])),
        sufficiency=max(whole.sufficiency, min((evidence.sufficiency for evidence in answered), default=0.0)),
        sufficient=True,
        details={unit_id: part for evidence in (whole, *answered) for unit_id, part in evidence.details.items()},
    )


def _apart(units: Sequence[EvidenceUnit]) -> list[EvidenceUnit]:
    """The units without those that overlap an earlier one."""
    kept: list[EvidenceUnit] = []
    for unit in units:
        if not any(overlap(unit, other) for other in kept):
            kept.append(unit)
    return kept
