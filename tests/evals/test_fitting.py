"""The listwise ranker finds the weights that the arithmetic says: by hand where it can be solved, by eye elsewhere."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evals.fitting import Listed, linear, listwise, scale
from rag.retrieve.linear import Matrix

# A list of two rows, one above the other in its only feature; the mean is 0 and the spread 1.
PAIR: Matrix = np.array([[1.0], [-1.0]])
UPPER, LOWER = np.array([1.0, 0.0]), np.array([0.0, 1.0])
NAMES = ("deciding", "noise", "constant")


def deciding_lists(seed: int = 7) -> list[Listed]:
    """Lists of five rows: the first feature is highest where a row is relevant, the last is the same everywhere."""
    draw = np.random.default_rng(seed)
    lists: list[Listed] = []
    for n in range(40):
        rows = np.column_stack([draw.normal(size=5), draw.normal(size=5), np.full(5, 3.0)])
        relevance = np.zeros(5)
        relevance[n % 5] = 1.0
        rows[n % 5, 0] = rows[:, 0].max() + 1.0
        lists.append((rows, relevance, 1.0))
    return lists


def stacked(lists: list[Listed]) -> Matrix:
    """The rows of all lists."""
    return np.vstack([rows for rows, _, _ in lists])


def test_a_penalty_holds_the_weight_where_both_pull_alike() -> None:
    """Of one pair the loss is log(1 + exp(-2w)) + p w² / 2, least at w = 1 for p = 2 / (1 + e²)."""
    model = listwise([(PAIR, UPPER, 1.0)], PAIR, ("x",), 2 / (1 + math.e**2))
    assert model.weights[0] == pytest.approx(1.0, abs=1e-3)


def test_a_list_counts_by_its_weight() -> None:
    """Three to one for the upper row, and no penalty: its share is 3/4, so that 2w is the log of 3."""
    model = listwise([(PAIR, UPPER, 3.0), (PAIR, LOWER, 1.0)], PAIR, ("x",), 0.0)
    assert model.weights[0] == pytest.approx(math.log(3) / 2, abs=1e-3)


def test_relevant_rows_of_a_list_count_together() -> None:
    """It is enough to find one of them: two of three rows have two thirds already when no feature has any weight."""
    rows = np.array([[1.0], [0.0], [-1.0]])
    lists = [(rows, np.array([1.0, 1.0, 0.0]), 2.0), (rows, np.array([0.0, 0.0, 1.0]), 1.0)]
    assert listwise(lists, PAIR, ("x",), 0.0).weights[0] == pytest.approx(0.0, abs=1e-3)


def test_the_feature_that_decides_gets_the_weight() -> None:
    """Noise gets next to none, what never varies none; the right row comes first in every list."""
    lists = deciding_lists()
    model = listwise(lists, stacked(lists), NAMES, 0.02)
    deciding, noise, constant = model.weights
    assert deciding > 10 * abs(noise)
    assert constant == 0.0
    assert all(relevance[int(np.argmax(model(rows)))] == 1.0 for rows, relevance, _ in lists)


def test_features_are_standardised_by_the_rows_seen() -> None:
    """The unit of a feature does not matter, and the model holds what it was scaled with."""
    lists = deciding_lists()
    seen = stacked(lists)
    metres = np.array([1000.0, 1.0, 1.0])
    model = listwise(lists, seen, NAMES, 0.02)
    other = listwise([(rows * metres, right, weight) for rows, right, weight in lists], seen * metres, NAMES, 0.02)
    assert other.weights == pytest.approx(model.weights, abs=1e-4)
    assert other.mean == pytest.approx(seen.mean(axis=0) * metres, abs=1e-4)
    assert other.spread[0] == pytest.approx(1000 * model.spread[0], rel=1e-4)


def test_what_never_varies_is_divided_by_one() -> None:
    """And so nothing is divided by zero."""
    mean, spread = scale(np.array([[2.0, 5.0], [4.0, 5.0]]))
    assert (mean.tolist(), spread.tolist()) == ([3.0, 5.0], [1.0, 1.0])
    assert scale(np.array([[1.0, 5.0], [7.0, 5.0]]))[1].tolist() == [3.0, 1.0]


def test_parameters_are_short_enough_to_be_read() -> None:
    """Five digits behind the point, and the names beside them."""
    third = np.array([1 / 3])
    model = linear(["x"], third, third, third, 2 / 3)
    assert (model.features, model.mean, model.spread) == (("x",), (0.33333,), (0.33333,))
    assert (model.weights, model.bias) == ((0.33333,), 0.66667)
