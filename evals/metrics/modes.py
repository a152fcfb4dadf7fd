"""Who phrased the claims, and whether the model failed.

    generated, quoted, computed  the share of an answer's claims in that mode
    removed                      the share of the model's sentences that are in no claim
    degraded                     1 if a model was configured and did not answer

Neither more of the one nor of the other is better by itself. Can't see whether what was removed was wrong.
"""

from __future__ import annotations

from collections.abc import Callable

from evals.domain import Metric, Sample, Scored, Verdict, flag
from evals.metrics.reasons import NO_MODEL, NO_OUTCOME, NOT_ANSWERED
from rag.domain import ClaimMode


def _share(mode: ClaimMode) -> Callable[[Sample], Verdict]:
    def share(sample: Sample) -> Verdict:
        claims = sample.claims
        return Scored(sum(c.mode == mode for c in claims) / len(claims)) if claims else NOT_ANSWERED

    return share


def _removed(sample: Sample) -> Verdict:
    seen = sample.observation
    return Scored(seen.removed / seen.drafted) if seen.drafted else NO_MODEL


def _degraded(sample: Sample) -> Verdict:
    return flag(sample.outcome.degraded) if sample.outcome else NO_OUTCOME


METRICS = (
    Metric("generated", "mean", "neither", _share("generated")),
    Metric("quoted", "mean", "neither", _share("quoted")),
    Metric("computed", "mean", "neither", _share("computed")),
    Metric("removed", "mean", "neither", _removed),
    Metric("degraded", "flag", "low", _degraded),
)
