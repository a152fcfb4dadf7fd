"""Totals: what is averaged, what is only counted."""

from __future__ import annotations

import re

import msgspec

from evals.domain import SampleScores
from evals.statistics import wilson
from evals.summary import Estimate, MetricSummary, NoEstimate, Summary, as_text, category_table, summarise, table
from tests.evals.verdicts import GOOD, SHARE, a_run_of, a_score


def _one(scores: list[SampleScores], metric: object = GOOD) -> MetricSummary:
    return summarise(scores, [metric]).metrics[0]  # type: ignore[list-item]


def test_what_is_not_scored_is_counted_and_not_averaged() -> None:
    """Three right of four scored are .75, whatever number was not scored."""
    overall = _one(a_run_of("good", [1, 1, 1, 0, "nothing asked", "nothing asked"])).overall
    assert (overall.scored, overall.unscored, overall.errors) == (4, 2, 0)
    assert isinstance(overall.estimate, Estimate)
    assert overall.estimate.value == 0.75


def test_errors_are_counted_apart_from_what_does_not_apply() -> None:
    """An example that broke is unscored for another reason than one that has nothing to score."""
    overall = _one(a_run_of("good", [1, "nothing asked", "error: TimeoutError: too slow"])).overall
    assert (overall.scored, overall.unscored, overall.errors) == (1, 2, 1)


def test_a_metric_that_scored_nothing_has_no_mean() -> None:
    """There is no number to be mistaken for a bad or a good one."""
    overall = _one(a_run_of("good", ["nothing asked"])).overall
    assert overall.estimate == NoEstimate()


def test_a_metric_that_was_never_computed_has_no_mean() -> None:
    """Scores written before a metric was added leave it unscored."""
    overall = _one(a_run_of("other", [1.0, 1.0])).overall
    assert (overall.scored, overall.unscored, overall.estimate) == (0, 2, NoEstimate())


def test_a_flag_has_wilsons_interval() -> None:
    """Shares near 0 and 1 keep an interval that is wider than a point."""
    estimate = _one(a_run_of("good", [1] * 10)).overall.estimate
    assert isinstance(estimate, Estimate)
    assert (estimate.low, estimate.high) == wilson(10, 10)


def test_a_mean_is_drawn_by_cluster() -> None:
    """Forty values from four documents leave more doubt than forty from forty."""
    values = [float(n % 2) for n in range(4) for _ in range(10)]
    apart = _one(a_run_of("share", values), SHARE).overall.estimate
    together = [a_score(f"e{n}", {"share": value}, cluster=str(n // 10)) for n, value in enumerate(values)]
    joined = _one(together, SHARE).overall.estimate
    assert isinstance(apart, Estimate)
    assert isinstance(joined, Estimate)
    assert joined.high - joined.low > 2 * (apart.high - apart.low)


def test_slices_add_up_to_the_whole() -> None:
    """Every example is in one category and in one half."""
    scores = [
        a_score("a", {"good": 1}, category="fact", split="dev"),
        a_score("b", {"good": 0}, category="region", split="test"),
        a_score("c", {"good": 1}, category="region", split="test"),
    ]
    one = _one(scores)
    assert {name: part.scored for name, part in one.by_category.items()} == {"fact": 1, "region": 2}
    assert {name: part.scored for name, part in one.by_split.items()} == {"dev": 1, "test": 2}


def test_faults_are_counted_by_kind() -> None:
    """An example without a fault is in no count."""
    scores = [a_score(i, {}, fault=fault) for i, fault in [("a", "not_used"), ("b", None), ("c", "not_used")]]
    assert summarise(scores, [GOOD]).faults == {"not_used": 2}


def test_a_summary_survives_its_file() -> None:
    """`summary.json` holds everything, and the absence of a mean stays one."""
    summary = summarise([a_score("a", {"good": 1, "share": "nothing asked"})], [GOOD, SHARE])
    assert msgspec.json.decode(msgspec.json.encode(summary), type=Summary) == summary


def test_the_table_prints_n_beside_every_mean() -> None:
    """A reader sees how many examples a mean stands on, overall, by half and by category."""
    summary = summarise(a_run_of("good", [1, 1, 0, "nothing asked"]), [GOOD])
    shown = as_text(table(summary), category_table(summary, ["good"]))
    assert shown.count("0.667 (n=3)") == 2
    assert "0.667 [0.208, 0.939]" in shown


def test_faults_are_shown_with_their_number() -> None:
    """The table says where answers went wrong."""
    summary = summarise([a_score("a", {}, fault="not_used"), a_score("b", {}, fault="not_used")], [])
    assert re.search(r"not_used .* 2 ", str(summary))
