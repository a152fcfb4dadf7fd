"""Scores to figures with n and 95 % intervals, and to a table that people read.

Knows averaging. What a score means is the job of `scoring`.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import msgspec

from evals.scoring import Score
from evals.statistics import bootstrap_mean, mcnemar, wilson

PRECISE = 0.85


class Figure(msgspec.Struct, frozen=True):
    """One figure: its value, over how many examples, and its interval."""

    name: str
    value: float
    n: int
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.name:<42} {self.value:7.3f}   n={self.n:<4} [{self.low:.3f}, {self.high:.3f}]"


def summary(scores: Sequence[Score]) -> list[Figure]:
    """The figures of one run."""
    answerable = [s for s in scores if s.answerable]
    others = [s for s in scores if not s.answerable]
    answered = [s for s in answerable if s.answered]
    right = [s for s in answerable if s.facts and s.within_budget]
    figures = [
        _share("right document in the top 5", sum(bool(s.document_hit) for s in answerable), len(answerable)),
        _share("all facts within budget, of answerable", len(right), len(answerable)),
        _share(
            "the same with citation precision >= .85",
            sum((s.citation_precision or 0) >= PRECISE for s in right),
            len(answerable),
        ),
        _mean(
            "citation precision, of answered",
            [s.citation_precision for s in answered if s.citation_precision is not None],
        ),
        _mean(
            "precision by cited span, of answered", [s.span_precision for s in answered if s.span_precision is not None]
        ),
        _share("false answers, of not answerable", sum(s.answered for s in others), len(others)),
        _share("false refusals, of answerable", sum(not s.answered for s in answerable), len(answerable)),
        _mean("characters, of answered", [float(s.characters) for s in answered if s.characters is not None]),
        _mean(
            "share of generated claims, of answered",
            [s.generated_share for s in answered if s.generated_share is not None],
        ),
        _share("answered by the model, of answered", sum(s.mode == "llm" for s in answered), len(answered)),
        _share("errors", sum(s.error is not None for s in scores), len(scores)),
    ]
    times = [s.total_ms for s in scores if s.total_ms is not None]
    if times:
        figures.append(Figure("median milliseconds", statistics.median(times), len(times), min(times), max(times)))
    return [f for f in figures if f.n]


def paired(first: Sequence[Score], second: Sequence[Score]) -> str:
    """Facts of two runs over the same examples: the flips, and whether they are more than chance (McNemar)."""
    other = {s.example_id: s for s in second}
    pairs = [(bool(a.facts), bool(other[a.example_id].facts)) for a in first if a.answerable and a.example_id in other]
    lost, won = sum(a and not b for a, b in pairs), sum(b and not a for a, b in pairs)
    return f"facts: {lost} lost, {won} won, of {len(pairs)} pairs; McNemar p = {mcnemar(lost, won):.3f}"


def _share(name: str, successes: int, n: int) -> Figure:
    return Figure(name, successes / n if n else 0.0, n, *wilson(successes, n))


def _mean(name: str, values: Sequence[float]) -> Figure:
    return Figure(
        name,
        statistics.fmean(values) if values else 0.0,
        len(values),
        *(bootstrap_mean(values) if values else (0.0, 0.0)),
    )
