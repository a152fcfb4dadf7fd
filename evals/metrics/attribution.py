"""Whose fault a wrong outcome is: the first stage that lost what was needed.

    error                      there is no outcome
    answered_without_evidence  answered, though nothing holds an answer
    not_in_index               no evidence unit touches a needed span
    not_retrieved              no retrieved passage does
    refused                    retrieved, and not answered
    not_used                   retrieved, and no citation falls there
    used_wrong                 cited, and a key fact is missing all the same, or something forbidden is said

Needed are the gold spans that hold a missing fact; all of them, where none is missing or none of them holds it. Can't
see two faults at once, nor a right answer for a wrong reason.
"""

from __future__ import annotations

from typing import Literal

from evals.dataset import forbidden_in, holds_fact
from evals.domain import Sample
from evals.metrics.cited import path, real, spans
from evals.metrics.facts import held_facts
from evals.metrics.retrieval import touches
from rag.domain import Span

Fault = Literal[
    "error",
    "answered_without_evidence",
    "not_in_index",
    "not_retrieved",
    "refused",
    "not_used",
    "used_wrong",
]


def fault(sample: Sample) -> Fault | None:
    """The stage at fault; None where nothing is wrong."""
    if sample.observation.error is not None or sample.outcome is None:
        return "error"
    if not sample.answerable:
        return "answered_without_evidence" if sample.answer else None
    return None if _is_right(sample) else _stage(sample)


def _is_right(sample: Sample) -> bool:
    return (
        sample.answer is not None
        and all(held_facts(sample))
        and not forbidden_in(sample.claimed, sample.example.forbidden)
    )


def _stage(sample: Sample) -> Fault:
    wanted = _wanted(sample)
    if not any(sample.library.units_on(file, span) for file, span in wanted):
        return "not_in_index"
    if not any(touches(sample, row, file, span) for row in sample.observation.retrieved for file, span in wanted):
        return "not_retrieved"
    if sample.answer is None:
        return "refused"
    return "used_wrong" if any(_is_cited(sample, file, span) for file, span in wanted) else "not_used"


def _wanted(sample: Sample) -> list[tuple[str, Span]]:
    held = zip(sample.example.facts, held_facts(sample), strict=True)
    missing = [alternatives for alternatives, there in held if not there]
    telling = [
        (file, span)
        for file, span in sample.gold.needed
        if any(holds_fact(sample.library.text(file)[span.start : span.end], one) for one in missing)
    ]
    return telling or list(sample.gold.needed)


def _is_cited(sample: Sample, file: str, wanted: Span) -> bool:
    citations = sample.answer.citations if sample.answer else ()
    return any(
        path(citation, sample.library) == file and any(span.overlaps(wanted) for span in spans(citation))
        for citation in citations
        if real(citation, sample.library)
    )
