"""Key facts that the claims hold.

    all_facts  1 if every key fact stands in the claims in one of its wordings
    facts      the share that does

Of answerable questions; one that was not answered has lost its facts and scores 0. Compared folded and on digit
boundaries. Can't see a right wording that the gold does not list, nor what is said beside the facts: 不是70% holds 70%.
"""

from __future__ import annotations

from evals.dataset import holds_fact
from evals.domain import Metric, Sample, Scored, Unscored, Verdict, flag
from evals.metrics.reasons import NOT_ANSWERABLE


def _all_facts(sample: Sample) -> Verdict:
    held = held_facts(sample)
    return flag(sample.answer and all(held)) if sample.answerable else NOT_ANSWERABLE


def _facts(sample: Sample) -> Verdict:
    held = held_facts(sample)
    if not sample.answerable:
        return NOT_ANSWERABLE
    return Scored(sum(held) / len(held)) if held else Unscored("no key facts are given")


def held_facts(sample: Sample) -> list[bool]:
    """For each key fact whether the claims hold it."""
    return [holds_fact(sample.claimed, alternatives) for alternatives in sample.example.facts]


METRICS = (Metric("all_facts", "flag", "high", _all_facts), Metric("facts", "mean", "high", _facts))
