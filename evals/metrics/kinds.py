"""Whether the outcome is of the right kind, and gives the right reason.

    kind    1 if the outcome's kind is the expected one
    reason  1 if its reason is, too; of declined questions with the right kind. no_evidence and weak_evidence are one:
            both say that the documents do not hold the answer

Can't see whether an answer of the right kind is right.
"""

from __future__ import annotations

from evals.domain import Metric, Sample, Unscored, Verdict, flag
from evals.metrics.reasons import NO_OUTCOME
from rag.domain import Outcome

_SAME = {"weak_evidence": "no_evidence"}


def _kind(sample: Sample) -> Verdict:
    return flag(_kind_of(sample.outcome) == sample.example.kind) if sample.outcome else NO_OUTCOME


def _reason(sample: Sample) -> Verdict:
    outcome, wanted = sample.outcome, sample.example.reason
    if outcome is None:
        return NO_OUTCOME
    if wanted is None:
        return Unscored("no reason is expected")
    if outcome.reason is None or _kind_of(outcome) != sample.example.kind:
        return Unscored("the kind is wrong already")
    return flag(_SAME.get(outcome.reason, outcome.reason) == _SAME.get(wanted, wanted))


def _kind_of(outcome: Outcome) -> object:
    return outcome.__struct_config__.tag


METRICS = (Metric("kind", "flag", "high", _kind), Metric("reason", "flag", "high", _reason))
