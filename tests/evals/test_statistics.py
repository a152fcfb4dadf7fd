"""Intervals and tests on cases with known answers."""

from __future__ import annotations

import time

import pytest

from evals.statistics import bootstrap_difference, bootstrap_mean, mcnemar, wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(180, 200, 0.851, 0.934), (0, 10, 0.0, 0.278), (10, 10, 0.722, 1.0), (0, 0, 0.0, 1.0)],
)
def test_wilson_gives_the_published_intervals(successes: int, n: int, low: float, high: float) -> None:
    """90 % of 200 lies between .851 and .934, and none of ten still leaves room up to .278."""
    assert wilson(successes, n) == pytest.approx((low, high), abs=1e-3)


@pytest.mark.parametrize(
    ("lost", "won", "p"), [(0, 0, 1.0), (6, 0, 0.03125), (0, 6, 0.03125), (5, 0, 0.0625), (8, 2, 0.109375), (4, 4, 1.0)]
)
def test_mcnemar_is_exact_and_has_two_sides(lost: int, won: int, p: float) -> None:
    """Six flips one way are the fewest below .05; equal numbers both ways are pure chance."""
    assert mcnemar(lost, won) == pytest.approx(p)


def test_a_bootstrap_of_single_draws_is_the_textbook_interval() -> None:
    """With each value a cluster of its own, half ones of 400 give a mean of .5 +- 1.96 * .025."""
    low, high = bootstrap_mean([0.0, 1.0] * 200, [str(n) for n in range(400)])
    assert (low, high) == pytest.approx((0.451, 0.549), abs=0.005)


def test_values_that_go_together_widen_the_interval() -> None:
    """Ten equal values from each of forty documents are forty draws, not four hundred."""
    values = [float(n % 2) for n in range(40) for _ in range(10)]
    clusters = [f"document {n}" for n in range(40) for _ in range(10)]
    low, high = bootstrap_mean(values, clusters)
    assert (low, high) == pytest.approx((0.345, 0.655), abs=0.02)


def test_a_cluster_weighs_as_much_as_it_has_values() -> None:
    """The interval is about the mean of the values, not about the mean of the documents' means."""
    values = [1.0] * 300 + [0.0] * 30
    clusters = [f"long {n % 30}" for n in range(300)] + [f"short {n}" for n in range(30)]
    low, high = bootstrap_mean(values, clusters)
    assert low < 300 / 330 < high
    assert low > 0.5


def test_a_paired_difference_ignores_what_both_runs_share() -> None:
    """Examples of very different worth that all fall by a tenth have fallen by a tenth, with no doubt left."""
    first = [n / 50 for n in range(50)]
    second = [value - 0.1 for value in first]
    assert bootstrap_difference(first, second, [str(n) for n in range(50)]) == pytest.approx((-0.1, -0.1))


def test_the_last_digit_of_a_float_is_no_difference() -> None:
    """0.1 + 0.2 and 0.3 are the same value."""
    assert bootstrap_difference([0.3] * 9, [0.1 + 0.2] * 9, [str(n) for n in range(9)]) == (0.0, 0.0)


def test_the_order_of_the_examples_changes_nothing() -> None:
    """The same pairs, read in another order, have the same interval."""
    values, clusters = [0.0, 0.25, 0.5, 1.0, 0.75, 0.0], ["a", "b", "b", "c", "d", "e"]
    assert bootstrap_mean(values, clusters) == bootstrap_mean(values[::-1], clusters[::-1])


def test_no_values_have_no_interval() -> None:
    """A mean of nothing is an error of the caller, not a number."""
    with pytest.raises(ValueError, match="0 values"):
        bootstrap_mean([], [])


def test_a_thousand_examples_take_a_fraction_of_a_second() -> None:
    """The gate looks at some twenty metrics within its share of a minute and a half."""
    began = time.perf_counter()
    bootstrap_difference([0.0] * 1000, [1.0] * 1000, [str(n) for n in range(1000)])
    assert time.perf_counter() - began < 2.0
