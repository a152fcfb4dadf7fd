"""Retrieved passages against gold evidence. A passage holds a needed span if it covers at least half of it.

    hit@5              1 if one of the first 5 passages holds a needed span
    mrr@10             1 / rank of the first that does, 0 if none of the first 10
    ndcg@10            sum of gain / log2(rank + 1) over the first 10, by the same for the best order. The gain is 1
                       for a passage that holds a needed span which none above it holds; the best order has a gain for
                       each passage that the needed spans stand in
    document_hit@5     1 if one of the first 5 is of a document with needed evidence
    passage_precision  the share of the first 5 that touch needed or further gold evidence

Of answerable questions. Can't see other passages that would do as well and are not listed in the gold, nor the order
of evidence inside a passage.
"""

from __future__ import annotations

import math

from evals.domain import Metric, Sample, Scored, Unscored, Verdict, flag
from evals.metrics.reasons import NOT_ANSWERABLE
from rag.domain import Span
from rag.web.passages import PassageRow

_TOP, _DEEP = 5, 10
_HELD = 0.5


def _hit(sample: Sample) -> Verdict:
    return (
        flag(any(_held(sample, row) for row in sample.observation.retrieved[:_TOP]))
        if sample.answerable
        else NOT_ANSWERABLE
    )


def _mrr(sample: Sample) -> Verdict:
    if not sample.answerable:
        return NOT_ANSWERABLE
    deep = enumerate(sample.observation.retrieved[:_DEEP], 1)
    return Scored(next((1 / rank for rank, row in deep if _held(sample, row)), 0.0))


def _ndcg(sample: Sample) -> Verdict:
    if not sample.answerable:
        return NOT_ANSWERABLE
    gains = _gains(sample)
    best = max(sum(gains), min(_DEEP, len(_homes(sample))))
    return Scored(_dcg(gains) / _dcg([True] * best)) if best else Unscored("the evidence stands in no passage")


def _gains(sample: Sample) -> list[bool]:
    """For each of the first passages whether it holds something new."""
    gains, seen = [], set[int]()
    for row in sample.observation.retrieved[:_DEEP]:
        held = _held(sample, row)
        gains.append(bool(held - seen))
        seen |= held
    return gains


def _dcg(gains: list[bool]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))


def _homes(sample: Sample) -> set[str]:
    """The passages of the documents that the needed spans stand in: for each span the one that has most of it."""
    homes = set()
    for path, needed in sample.gold.needed:
        units = sample.library.units_on(path, needed)
        homes |= {max(units, key=lambda unit: _shared(unit.span, needed)).chunk_id} if units else set()
    return homes


def _document_hit(sample: Sample) -> Verdict:
    if not sample.answerable:
        return NOT_ANSWERABLE
    right = {
        document.id
        for document in sample.library.documents.values()
        for path, needed in sample.gold.needed
        if document.path == path and document.extent.overlaps(needed)
    }
    return flag(any(row.document_id in right for row in sample.observation.retrieved[:_TOP]))


def _passage_precision(sample: Sample) -> Verdict:
    if not sample.answerable:
        return NOT_ANSWERABLE
    top = sample.observation.retrieved[:_TOP]
    gold = (*sample.gold.needed, *sample.gold.also)
    right = [any(touches(sample, row, path, span) for path, span in gold) for row in top]
    return Scored(sum(right) / len(right)) if right else Unscored("nothing was retrieved")


def touches(sample: Sample, row: PassageRow, path: str, span: Span) -> bool:
    """Whether a passage shares a character with a span of a file."""
    return _is_from(sample, row, path) and _shared(Span(row.start, row.end), span) > 0


def _held(sample: Sample, row: PassageRow) -> set[int]:
    """Which of the needed spans, by number, a passage holds."""
    return {
        number
        for number, (path, needed) in enumerate(sample.gold.needed)
        if _is_from(sample, row, path) and _shared(Span(row.start, row.end), needed) >= _HELD * len(needed)
    }


def _is_from(sample: Sample, row: PassageRow, path: str) -> bool:
    document = sample.library.documents.get(row.document_id)
    return document is not None and document.path == path


def _shared(one: Span, other: Span) -> int:
    return min(one.end, other.end) - max(one.start, other.start)


METRICS = (
    Metric("hit@5", "flag", "high", _hit),
    Metric("mrr@10", "mean", "high", _mrr),
    Metric("ndcg@10", "mean", "high", _ndcg),
    Metric("document_hit@5", "flag", "high", _document_hit),
    Metric("passage_precision", "mean", "high", _passage_precision),
)
