"""Answering what should be declined, and declining what should be answered.

    false_answer   1 if a question that expects an abstention or a triage was answered
    false_refusal  1 if an answerable question was not; a clarification refuses, too

Can't see whether an answer is right, nor whether a refusal gives the right reason.
"""

from __future__ import annotations

from evals.domain import Metric, Sample, Unscored, Verdict, flag
from evals.metrics.reasons import NO_OUTCOME, NOT_ANSWERABLE

_TO_DECLINE = frozenset({"abstention", "triage"})


def _false_answer(sample: Sample) -> Verdict:
    if sample.outcome is None:
        return NO_OUTCOME
    if sample.example.kind not in _TO_DECLINE:
        return Unscored("nothing is to be declined")
    return flag(sample.answer)


def _false_refusal(sample: Sample) -> Verdict:
    if sample.outcome is None:
        return NO_OUTCOME
    return flag(sample.answer is None) if sample.answerable else NOT_ANSWERABLE


METRICS = (
    Metric("false_answer", "flag", "low", _false_answer),
    Metric("false_refusal", "flag", "low", _false_refusal),
)
