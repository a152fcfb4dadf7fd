"""Two runs side by side: pairs, differences and flips."""

from __future__ import annotations

import msgspec
import pytest

from evals.compare import Comparison, Flips, compare
from evals.statistics import mcnemar
from tests.evals.verdicts import BAD, COST, GOOD, SHARE, a_run_of, a_score


def test_flips_name_the_examples_that_were_lost_and_won() -> None:
    """e01 was right and is wrong, e02 was wrong and is right."""
    found = compare(a_run_of("good", [1, 1, 0, 0]), a_run_of("good", [1, 0, 1, 0]), [GOOD])
    assert found.metrics[0].flips == Flips(("e01",), ("e02",), 1.0)


def test_a_flag_that_is_better_low_is_lost_when_it_is_raised() -> None:
    """A false answer where there was none is a loss."""
    flips = compare(a_run_of("bad", [0] * 6), a_run_of("bad", [1] * 6), [BAD]).metrics[0].flips
    assert flips is not None
    assert (len(flips.lost), len(flips.won), flips.p) == (6, 0, mcnemar(6, 0))


def test_only_examples_with_a_value_in_both_runs_are_paired() -> None:
    """A refusal has no citation precision; leaving it out of one mean only would compare different questions."""
    before = a_run_of("share", [0.0, 0.5, 1.0])
    after = a_run_of("share", ["not answered", 0.5, 1.0, 1.0])
    one = compare(before, after, [SHARE]).metrics[0]
    assert (one.overall.pairs, one.overall.a, one.overall.b) == (2, 0.75, 0.75)
    assert (one.only_a, one.only_b) == (1, 1)


def test_a_difference_is_b_minus_a_with_its_interval() -> None:
    """A fall is negative, and ten equal falls leave no doubt about it."""
    one = compare(a_run_of("share", [0.9] * 10), a_run_of("share", [0.7] * 10), [SHARE]).metrics[0].overall
    assert (one.value, one.low, one.high) == pytest.approx((-0.2, -0.2, -0.2))


def test_pairs_of_one_document_are_one_draw() -> None:
    """The interval knows how many documents stand behind the pairs."""
    scores = a_run_of("share", [0.9] * 10, cluster="one document")
    assert compare(scores, scores, [SHARE]).metrics[0].overall.clusters == 1


def test_differences_are_told_by_category() -> None:
    """A loss in one category is not hidden by a gain in another."""
    before = [a_score("a", {"good": 1}, category="fact"), a_score("b", {"good": 0}, category="region")]
    after = [a_score("a", {"good": 0}, category="fact"), a_score("b", {"good": 1}, category="region")]
    one = compare(before, after, [GOOD]).metrics[0]
    assert one.overall.value == 0.0
    assert {name: found.value for name, found in one.by_category.items()} == {"fact": -1.0, "region": 1.0}


def test_examples_of_one_run_only_are_named() -> None:
    """What could not be compared is told."""
    found = compare(a_run_of("good", [1, 1]), a_run_of("good", [1, 1, 1])[1:], [GOOD])
    assert (found.shared, found.only_a, found.only_b) == (1, ("e00",), ("e02",))


def test_a_metric_without_pairs_is_named_and_not_compared() -> None:
    """A new metric has no difference from a run that did not have it."""
    found = compare(a_run_of("good", [1]), a_run_of("share", [1]), [GOOD, SHARE])
    assert (found.metrics, found.unpaired) == ((), ("good", "share"))


def test_a_mean_has_no_flips() -> None:
    """Milliseconds do not flip."""
    assert compare(a_run_of("cost", [1.0]), a_run_of("cost", [2.0]), [COST]).metrics[0].flips is None


def test_a_comparison_survives_json() -> None:
    """What `--json` prints can be read back."""
    found = compare(a_run_of("good", [1, 0]), a_run_of("good", [0, 0]), [GOOD])
    assert msgspec.json.decode(msgspec.json.encode(found), type=Comparison) == found


def test_the_tables_show_n_difference_and_flips() -> None:
    """One line a metric, one line a slice that changed."""
    found = compare(a_run_of("good", [1, 1, 1, 1]), a_run_of("good", [1, 1, 1, 0]), [GOOD])
    assert str(found).count("-0.250 [-0.750, +0.000]") == 2
