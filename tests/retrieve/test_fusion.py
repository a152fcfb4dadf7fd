"""Two rankings become one, whatever their scales."""

from __future__ import annotations

import pytest

from rag.retrieve.fusion import fused, standardised


def test_scores_are_centred_and_scaled() -> None:
    """Zero mean and unit spread."""
    assert standardised([1, 2, 3]) == pytest.approx([-(1.5**0.5), 0, 1.5**0.5])


@pytest.mark.parametrize("scores", [[], [7.0], [7.0, 7.0, 7.0]])
def test_scores_without_spread_say_nothing(scores: list[float]) -> None:
    """No division by nothing: they are all zero."""
    assert standardised(scores).tolist() == [0.0] * len(scores)


def test_who_is_first_in_both_is_first() -> None:
    """Agreement wins, and every id has its place."""
    ranked = fused(["a", "b", "c"], {"a": 0.9, "b": 0.8, "c": 0.7}, {"a": 12, "b": 3, "c": 4})
    assert [i for i, _ in ranked] == ["a", "b", "c"]


def test_scales_do_not_matter() -> None:
    """A cosine of 0.02 more weighs like 20 points of BM25 where that is the spread."""
    one = fused(["a", "b", "c"], {"a": 0.81, "b": 0.83, "c": 0.80}, {"a": 30, "b": 0, "c": 1})
    other = fused(["a", "b", "c"], {"a": 81, "b": 83, "c": 80}, {"a": 0.30, "b": 0, "c": 0.01})
    assert one == other


def test_without_vectors_words_rank() -> None:
    """None and an empty ranking alike leave the order to BM25."""
    assert [i for i, _ in fused(["a", "b"], None, {"a": 1, "b": 2})] == ["b", "a"]
    assert [i for i, _ in fused(["a", "b"], {}, {"a": 1, "b": 2})] == ["b", "a"]


def test_an_id_without_a_vector_counts_as_the_lowest() -> None:
    """Who did not come up among the vectors is no better than the last who did, and no worse."""
    scores = dict(fused(["a", "b", "c"], {"a": 0.9, "b": 0.8}, {"a": 1, "b": 1, "c": 1}))
    assert scores["b"] == scores["c"] < scores["a"]


def test_an_id_without_words_counts_as_the_lowest() -> None:
    """Who did not come up in the lexical ranking is no better than the last who did, and no worse."""
    scores = dict(fused(["a", "b", "c"], {"a": 0.8, "b": 0.8, "c": 0.8}, {"a": 9, "b": 5}))
    assert scores["b"] == scores["c"] < scores["a"]


def test_ties_go_by_id() -> None:
    """A difference in the last digit, as between two machines, reorders nothing."""
    ranked = fused(["b", "a"], {"a": 0.8, "b": 0.8 + 1e-9}, {"a": 1, "b": 1})
    assert [i for i, _ in ranked] == ["a", "b"]


def test_nothing_fused_is_nothing() -> None:
    """No candidates are no ranking."""
    assert fused([], None, {}) == []
