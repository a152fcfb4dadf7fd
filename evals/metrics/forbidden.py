"""What only a wrong answer says.

    no_forbidden  1 if none of the forbidden strings stands in the claims

Of answers to questions that have such strings. Can't see a wrong answer that nobody thought of.
"""

from __future__ import annotations

from evals.dataset import forbidden_in
from evals.domain import Metric, Sample, Unscored, Verdict, flag
from evals.metrics.reasons import NOT_ANSWERED


def _no_forbidden(sample: Sample) -> Verdict:
    if not sample.example.forbidden:
        return Unscored("nothing is forbidden")
    return flag(not forbidden_in(sample.claimed, sample.example.forbidden)) if sample.answer else NOT_ANSWERED


METRICS = (Metric("no_forbidden", "flag", "high", _no_forbidden),)
