"""Disclaimer and AI label, on every outcome of every kind.

    disclaimer  1 if both stand in the text and in their fields, the disclaimer in its exact words, the label not empty

Can't see where in the text they stand, nor what the label says.
"""

from __future__ import annotations

from evals.domain import Metric, Sample, Verdict, flag
from evals.metrics.reasons import NO_OUTCOME
from rag.domain import DISCLAIMER, Outcome


def _disclaimer(sample: Sample) -> Verdict:
    return flag(_is_framed(sample.outcome)) if sample.outcome else NO_OUTCOME


def _is_framed(outcome: Outcome) -> bool:
    label = outcome.ai_label.strip()
    return outcome.disclaimer == DISCLAIMER and DISCLAIMER in outcome.text and bool(label) and label in outcome.text


METRICS = (Metric("disclaimer", "flag", "high", _disclaimer),)
