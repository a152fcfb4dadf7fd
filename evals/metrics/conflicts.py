"""Sources that disagree, and whether the answer shows it.

    both_sides      1 if the claims hold every key fact, that is, the value of every side
    conflict_shown  1 if, besides, the outcome names the conflict and each side cites a source that is there

Of questions in the category conflict; one that was not answered scores 0. Can't see whether the sides are the ones
that differ, nor a conflict in questions of other categories.
"""

from __future__ import annotations

from evals.domain import Metric, Sample, Unscored, Verdict, flag
from evals.metrics.facts import held_facts
from rag.domain import Answer

_ELSEWHERE = Unscored("no conflict is expected")


def _both_sides(sample: Sample) -> Verdict:
    return flag(sample.answer and all(held_facts(sample))) if _expected(sample) else _ELSEWHERE


def _conflict_shown(sample: Sample) -> Verdict:
    if not _expected(sample):
        return _ELSEWHERE
    return flag(sample.answer and _names_conflict(sample.answer) and all(held_facts(sample)))


def _expected(sample: Sample) -> bool:
    return sample.example.category == "conflict"


def _names_conflict(answer: Answer) -> bool:
    """Whether a conflict has two sides or more, each with its source."""
    markers = {citation.marker for citation in answer.citations}
    return any(
        len(conflict.sides) > 1 and all(side.citation in markers for side in conflict.sides)
        for conflict in answer.conflicts
    )


METRICS = (Metric("conflict_shown", "flag", "high", _conflict_shown), Metric("both_sides", "flag", "high", _both_sides))
