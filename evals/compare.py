"""Two runs side by side: differences of paired examples with intervals, and the examples that flipped.

Knows pairs. Whether a difference blocks is the job of `gate`; reading runs is someone else's.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Literal

import msgspec
from rich.table import Table

from evals.domain import Metric, SampleScores
from evals.statistics import bootstrap_difference, mcnemar
from evals.summary import as_text, scored

SHOWN_SLICES = 20
# A bootstrap over fewer clusters draws the same few again and again; its interval is too narrow to be believed.
MIN_CLUSTERS = 6


class Difference(msgspec.Struct, frozen=True):
    """A metric's means over the examples that both runs have a value for; `value` is b - a, with its 95 % interval."""

    pairs: int
    clusters: int
    a: float
    b: float
    value: float
    low: float
    high: float


class Flips(msgspec.Struct, frozen=True):
    """Examples whose flag changed: `lost` from good to bad, `won` the other way; 1 is good where neither is better.

    `p` is McNemar's: how likely so uneven a split is by chance.
    """

    lost: tuple[str, ...]
    won: tuple[str, ...]
    p: float


class MetricComparison(msgspec.Struct, frozen=True):
    """One metric in two runs. `only_a` and `only_b` count the examples with a value in one run alone.

    A mean has no flips.
    """

    name: str
    kind: Literal["flag", "mean"]
    better: Literal["high", "low", "neither"]
    overall: Difference
    by_category: dict[str, Difference]
    flips: Flips | None
    only_a: int
    only_b: int


class Comparison(msgspec.Struct, frozen=True):
    """Two runs over the examples that are in both. `unpaired` names the metrics that have no pair."""

    shared: int
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    metrics: tuple[MetricComparison, ...]
    unpaired: tuple[str, ...]

    def __str__(self) -> str:
        return as_text(table(self), slice_table(self))


class Pair(msgspec.Struct, frozen=True):
    """An example's value in both runs."""

    example: SampleScores
    a: float
    b: float


def compare(a: Sequence[SampleScores], b: Sequence[SampleScores], metrics: Sequence[Metric]) -> Comparison:
    """Run `b` against run `a`, metric by metric, overall and by category."""
    ids_a, ids_b = {s.example_id for s in a}, {s.example_id for s in b}
    paired = {metric.name: pairs(a, b, metric.name) for metric in metrics}
    return Comparison(
        shared=len(ids_a & ids_b),
        only_a=tuple(sorted(ids_a - ids_b)),
        only_b=tuple(sorted(ids_b - ids_a)),
        metrics=tuple(_metric(a, b, metric, paired[metric.name]) for metric in metrics if paired[metric.name]),
        unpaired=tuple(name for name, found in paired.items() if not found),
    )


def pairs(a: Sequence[SampleScores], b: Sequence[SampleScores], name: str) -> list[Pair]:
    """The examples with a value in both runs, in the order of `b`; category and cluster are those of `b`."""
    before = {s.example_id: value for s, value in scored(a, name)}
    return [Pair(s, before[s.example_id], value) for s, value in scored(b, name) if s.example_id in before]


def difference(of: Sequence[Pair]) -> Difference:
    """The difference over some pairs.

    Raises:
        ValueError: there are none.
    """
    a, b, clusters = [p.a for p in of], [p.b for p in of], [p.example.cluster for p in of]
    low, high = bootstrap_difference(a, b, clusters)
    mean_a, mean_b = statistics.fmean(a), statistics.fmean(b)
    return Difference(len(of), len(set(clusters)), mean_a, mean_b, round(mean_b - mean_a, 9), low, high)


def flips(of: Sequence[Pair], metric: Metric) -> Flips:
    """The flips of a flag."""
    good = 0.0 if metric.better == "low" else 1.0
    lost = tuple(p.example.example_id for p in of if p.a == good != p.b)
    won = tuple(p.example.example_id for p in of if p.a != good == p.b)
    return Flips(lost, won, mcnemar(len(lost), len(won)))


def worse(found: Difference, metric: Metric) -> bool:
    """Whether the interval lies wholly on the metric's bad side, and there are enough clusters to believe it."""
    if found.clusters < MIN_CLUSTERS:
        return False
    return found.high < 0 if metric.better == "high" else metric.better == "low" and found.low > 0


def table(comparison: Comparison) -> Table:
    """All metrics: n, both means, the difference with its interval, flips."""
    shown = Table(title=_title(comparison), title_justify="left")
    for column in ("metric", "n", "a", "b", "difference [95 %]", "lost", "won", "p"):
        shown.add_column(column, justify="left" if column == "metric" else "right")
    for metric in comparison.metrics:
        flipped = metric.flips
        counts = (str(len(flipped.lost)), str(len(flipped.won)), f"{flipped.p:.3f}") if flipped else ("", "", "")
        shown.add_row(metric.name, *_cells(metric.overall), *counts)
    return shown


def slice_table(comparison: Comparison) -> Table:
    """The categories with the largest differences, each flag and mean on its own scale."""
    slices = [
        (metric.name, category, found)
        for metric in comparison.metrics
        for category, found in metric.by_category.items()
        if found.value
    ]
    shown = Table(title="by category, largest differences first", title_justify="left")
    for column in ("metric", "category", "n", "a", "b", "difference [95 %]"):
        shown.add_column(column, justify="left" if column in {"metric", "category"} else "right")
    for name, category, found in sorted(slices, key=_size)[:SHOWN_SLICES]:
        shown.add_row(name, category, *_cells(found))
    return shown


def _metric(
    a: Sequence[SampleScores], b: Sequence[SampleScores], metric: Metric, paired: Sequence[Pair]
) -> MetricComparison:
    categories = sorted({p.example.category for p in paired})
    return MetricComparison(
        name=metric.name,
        kind=metric.kind,
        better=metric.better,
        overall=difference(paired),
        by_category={c: difference([p for p in paired if p.example.category == c]) for c in categories},
        flips=flips(paired, metric) if metric.kind == "flag" else None,
        only_a=len(scored(a, metric.name)) - len(paired),
        only_b=len(scored(b, metric.name)) - len(paired),
    )


def _title(comparison: Comparison) -> str:
    alone = f"{len(comparison.only_a)} in a only, {len(comparison.only_b)} in b only"
    return f"{comparison.shared} examples in both ({alone})"


def _cells(found: Difference) -> tuple[str, str, str, str]:
    interval = f"{found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
    return str(found.pairs), f"{found.a:.3f}", f"{found.b:.3f}", interval


def _size(one: tuple[str, str, Difference]) -> tuple[float, str, str]:
    """Relative to the larger of the two means: milliseconds and shares stand in one list."""
    name, category, found = one
    return -abs(found.value) / max(abs(found.a), abs(found.b)), name, category
