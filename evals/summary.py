"""Verdicts to totals with n and 95 % intervals, and to tables that people read.

Knows averaging. What a verdict means is the job of `metrics`, what is good enough that of `gate`.
"""

from __future__ import annotations

import io
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
from rich.console import Console
from rich.table import Table

from evals.domain import Metric, SampleScores, Scored, Unscored, Verdict
from evals.statistics import bootstrap_mean, wilson

ERROR = "error:"  # how `scoring.score` opens the reason when there is no outcome to judge
HEADLINES = ("kind", "all_facts", "citation_precision", "citation_recall", "hit@5")

WIDTH = 120

_ABSENT = Unscored("this metric was not computed")


class Estimate(msgspec.Struct, frozen=True, tag="estimate"):
    """A mean and its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


class NoEstimate(msgspec.Struct, frozen=True, tag="none"):
    """No example was scored, so that there is no mean."""

    def __str__(self) -> str:
        return "-"


class Total(msgspec.Struct, frozen=True):
    """One metric over some examples. `unscored` counts the `errors`, too."""

    scored: int
    unscored: int
    errors: int
    estimate: Estimate | NoEstimate

    def __str__(self) -> str:
        return f"{self.estimate} (n={self.scored})"


class MetricSummary(msgspec.Struct, frozen=True):
    """One metric over all examples and over the slices of them."""

    name: str
    kind: Literal["flag", "mean"]
    better: Literal["high", "low", "neither"]
    overall: Total
    by_category: dict[str, Total]
    by_split: dict[str, Total]


class Summary(msgspec.Struct, frozen=True):
    """A run's totals and its faults by kind. The shape of `summary.json`."""

    examples: int
    metrics: tuple[MetricSummary, ...]
    faults: dict[str, int]

    def __str__(self) -> str:
        return as_text(table(self), category_table(self), fault_table(self))


def summarise(scores: Sequence[SampleScores], metrics: Sequence[Metric]) -> Summary:
    """The totals of one run."""
    faults = Counter(s.fault for s in scores if s.fault is not None)
    return Summary(len(scores), tuple(_metric(scores, metric) for metric in metrics), dict(sorted(faults.items())))


def total(scores: Sequence[SampleScores], metric: Metric) -> Total:
    """One metric over these examples: the mean of what was scored, and how much was not."""
    hits = scored(scores, metric.name)
    errors = sum(failed(verdict_of(s, metric.name)) for s in scores)
    return Total(len(hits), len(scores) - len(hits), errors, _estimate(hits, metric))


def scored(scores: Sequence[SampleScores], name: str) -> list[tuple[SampleScores, float]]:
    """The examples that a metric has a value for, with it."""
    verdicts = ((s, verdict_of(s, name)) for s in scores)
    return [(s, verdict.value) for s, verdict in verdicts if isinstance(verdict, Scored)]


def verdict_of(one: SampleScores, name: str) -> Verdict:
    """What a metric says of an example; a metric that was never asked says nothing."""
    return one.verdicts.get(name, _ABSENT)


def failed(verdict: Verdict) -> bool:
    """Whether nothing was scored because of an error."""
    return isinstance(verdict, Unscored) and verdict.reason.startswith(ERROR)


def table(summary: Summary) -> Table:
    """All metrics, overall and by half, n beside every mean."""
    splits = sorted({split for metric in summary.metrics for split in metric.by_split})
    shown = Table(title=f"{summary.examples} examples", title_justify="left")
    for column in ("metric", "value [95 %]", "scored", "unscored", *splits):
        shown.add_column(column, justify="left" if column == "metric" else "right", no_wrap=True)
    for metric in summary.metrics:
        whole = metric.overall
        without = f"{whole.unscored} ({whole.errors} errors)" if whole.errors else str(whole.unscored)
        halves = (_brief(metric.by_split.get(split)) for split in splits)
        shown.add_row(metric.name, str(whole.estimate), str(whole.scored), without, *halves)
    return shown


def category_table(summary: Summary, names: Sequence[str] = HEADLINES) -> Table:
    """Some metrics by category, n beside every mean."""
    chosen = [metric for metric in summary.metrics if metric.name in names]
    shown = Table(title="by category", title_justify="left")
    shown.add_column("category")
    for metric in chosen:
        shown.add_column(metric.name, justify="right")
    for category in sorted({c for metric in chosen for c in metric.by_category}):
        shown.add_row(category, *(_brief(metric.by_category.get(category)) for metric in chosen))
    return shown


def fault_table(summary: Summary) -> Table:
    """Where answers went wrong, most frequent first."""
    shown = Table(title="faults", title_justify="left")
    shown.add_column("fault")
    shown.add_column("examples", justify="right")
    for fault, n in sorted(summary.faults.items(), key=lambda item: (-item[1], item[0])):
        shown.add_row(fault, str(n))
    return shown


def as_text(*tables: Table) -> str:
    """Tables as plain lines, the same on any terminal and in a file."""
    console = Console(file=io.StringIO(), width=WIDTH, color_system=None)
    with console.capture() as capture:
        console.print(*tables)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def _metric(scores: Sequence[SampleScores], metric: Metric) -> MetricSummary:
    return MetricSummary(
        name=metric.name,
        kind=metric.kind,
        better=metric.better,
        overall=total(scores, metric),
        by_category=_sliced(scores, metric, lambda s: s.category),
        by_split=_sliced(scores, metric, lambda s: s.split),
    )


def _sliced(scores: Sequence[SampleScores], metric: Metric, key: Callable[[SampleScores], str]) -> dict[str, Total]:
    slices = sorted({key(s) for s in scores})
    return {name: total([s for s in scores if key(s) == name], metric) for name in slices}


def _estimate(hits: Sequence[tuple[SampleScores, float]], metric: Metric) -> Estimate | NoEstimate:
    if not hits:
        return NoEstimate()
    values = [value for _, value in hits]
    if metric.kind == "flag":
        low, high = wilson(round(sum(values)), len(values))
    else:
        low, high = bootstrap_mean(values, [s.cluster for s, _ in hits])
    return Estimate(statistics.fmean(values), low, high)


def _brief(part: Total | None) -> str:
    """A cell of a wide table: the interval is in `summary.json`."""
    if part is None or isinstance(part.estimate, NoEstimate):
        return "-"
    return f"{part.estimate.value:.3f} (n={part.scored})"
