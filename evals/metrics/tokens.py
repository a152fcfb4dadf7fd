"""Tokens that the language model read and wrote.

    prompt_tokens, completion_tokens  of one outcome, summed over its model calls, as the server counts them

Of outcomes that a model took part in. Can't see calls that failed: their tokens are not reported.
"""

from __future__ import annotations

from collections.abc import Callable

from evals.domain import Metric, Sample, Scored, Verdict
from evals.metrics.reasons import NO_MODEL, NO_OUTCOME
from rag.domain import Usage


def _spent(count: Callable[[Usage], int]) -> Callable[[Sample], Verdict]:
    def spent(sample: Sample) -> Verdict:
        if sample.outcome is None:
            return NO_OUTCOME
        if sample.outcome.mode == "extractive":
            return NO_MODEL
        return Scored(count(sample.outcome.usage))

    return spent


METRICS = (
    Metric("prompt_tokens", "mean", "low", _spent(lambda usage: usage.prompt_tokens)),
    Metric("completion_tokens", "mean", "low", _spent(lambda usage: usage.completion_tokens)),
)
