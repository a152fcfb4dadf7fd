"""How long an outcome took.

    latency_ms  from the question to the outcome, all stages, in milliseconds

Can't see the model where its replies come from a tape, nor waiting in a queue or on the network.
"""

from __future__ import annotations

from evals.domain import Metric, Sample, Scored, Verdict
from evals.metrics.reasons import NO_OUTCOME


def _latency(sample: Sample) -> Verdict:
    return Scored(sample.outcome.timings_ms.total) if sample.outcome else NO_OUTCOME


METRICS = (Metric("latency_ms", "mean", "low", _latency),)
