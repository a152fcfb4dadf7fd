"""How much there is to read.

    characters  of the claims of an answer, without markers, notes on sources, disclaimer and label

Can't see whether they were needed.
"""

from __future__ import annotations

from evals.domain import Metric, Sample, Scored, Verdict
from evals.metrics.reasons import NOT_ANSWERED


def _characters(sample: Sample) -> Verdict:
    return Scored(len(sample.claimed)) if sample.answer else NOT_ANSWERED


METRICS = (Metric("characters", "mean", "low", _characters),)
