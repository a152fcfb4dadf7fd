"""Figures, each against what the same sentence cites: number, amount, ratio, period, date, document and phone number.

    numbers        the share of the figures in claims that stand, with their unit, in the cited spans of the documents
    wrong_amounts  how many do not, and how many in the text are no claim's, no source's date and no contact's

Spellings are one: 百分之九十 is 90%, 2万元 is 20000元. A figure behind a phantom citation does not stand. Computed
claims are left out as a whole: their result stands nowhere, and operands without a unit can't be told from it. Can't
see a figure that stands in the cited span for something else (`citation_recall` sees some), nor what `slots` misreads:
the service reads with the same eyes. The text of a triage is code's own and not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from evals.domain import Metric, Sample, Scored, Unscored, Verdict
from evals.metrics.cited import MARKER, behind, words
from evals.metrics.reasons import NO_OUTCOME
from rag.answer.contacts import hotline
from rag.answer.verifying.slots import slots
from rag.domain import Outcome, Triage

_AGE = "距今已超过一年"


def _numbers(sample: Sample) -> Verdict:
    standing = list(_standing(sample))
    return Scored(sum(standing) / len(standing)) if standing else Unscored("the claims hold no figure")


def _wrong_amounts(sample: Sample) -> Verdict:
    if sample.outcome is None:
        return NO_OUTCOME
    if isinstance(sample.outcome, Triage):
        return Unscored("the text of a triage is code's own")
    return Scored(list(_standing(sample)).count(False) + len(_loose(sample, sample.outcome)))


def _standing(sample: Sample) -> Iterator[bool]:
    """For each figure of a claim, or of a side of a conflict, whether it stands in what is cited there."""
    for said, markers in _statements(sample):
        there = {slot.key for slot in slots(words(behind(sample, markers), sample.library))}
        yield from (slot.key in there for slot in slots(said))


def _statements(sample: Sample) -> Iterator[tuple[str, tuple[int, ...]]]:
    if sample.answer:
        yield from ((c.text, c.citations) for c in sample.answer.claims if c.mode != "computed")
        yield from ((side.value, (side.citation,)) for one in sample.answer.conflicts for side in one.sides)


def _loose(sample: Sample, outcome: Outcome) -> list[tuple[str, str]]:
    """Figures of the text that have no business there."""
    shown = MARKER.sub("", outcome.text.replace(outcome.disclaimer, "").replace(outcome.ai_label, ""))
    documents = (sample.library.documents.get(citation.document_id) for citation in outcome.citations)
    dates = [document.published.isoformat() for document in documents if document and document.published]
    sides = [side.value for conflict in outcome.conflicts for side in conflict.sides]
    known = "\n".join([*(c.text for c in outcome.claims), *sides, *dates, _AGE, hotline()])
    allowed = {slot.key for slot in slots(known)}
    return [slot.key for slot in slots(shown) if slot.key not in allowed]


METRICS = (Metric("numbers", "mean", "high", _numbers), Metric("wrong_amounts", "mean", "low", _wrong_amounts))
