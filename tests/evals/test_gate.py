"""The gate: red for each kind of reason, green without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from evals.baseline import Baseline, NotAcceptable, accept, load, read
from evals.domain import Metric, SampleScores
from evals.gate import (
    CannotJudge,
    Floor,
    GateResult,
    Regression,
    Rules,
    ZeroTolerance,
    judge,
    judge_run,
    read_rules,
)
from evals.judge import JUDGED
from evals.runs import RunInvalid
from evals.scoring import METRICS as COMPUTED
from tests.evals.verdicts import BAD, COST, GOOD, SHARE, a_manifest, a_run, a_run_of, a_score

METRICS = [GOOD, BAD, SHARE, COST]
NONE = Rules((), (), Regression((), why="tests"))


def _rules(*rules: ZeroTolerance | Floor, guarded: tuple[str, ...] = (), judged: tuple[str, ...] = ()) -> Rules:
    return Rules(
        tuple(r for r in rules if isinstance(r, ZeroTolerance)),
        tuple(r for r in rules if isinstance(r, Floor)),
        Regression(guarded, why="tests", judged=judged),
    )


def _floor(metric: str, **fields: Any) -> Rules:  # noqa: ANN401 - the fields of Floor
    return _rules(Floor(metric, modes=("extractive",), why="tests", **fields))


def _judge(
    scores: list[SampleScores], rules: Rules, baseline: Baseline | None = None, metrics: list[Metric] = METRICS
) -> GateResult:
    return judge(a_manifest(len(scores)), scores, metrics, baseline, rules)


def _accepted(scores: list[SampleScores], folder: Path, **fields: Any) -> Baseline:  # noqa: ANN401 - of RunManifest
    return read(accept(a_run(scores, **fields), "first figures", folder))


# Zero tolerance


def test_one_wrong_example_of_a_hundred_is_red() -> None:
    """Zero tolerance has no share: the one example is named."""
    scores = a_run_of("cost", [0] * 99 + [1])
    (reason,) = _judge(scores, _rules(ZeroTolerance("cost", 0, "a wrong sum"))).reasons
    assert (reason.what, reason.metric, reason.value, reason.examples) == ("zero_tolerance", "cost", 1, ("e99",))
    assert "a wrong sum" in str(reason)


def test_zero_tolerance_holds_in_both_halves() -> None:
    """A wrong amount in a development question is as wrong."""
    scores = [a_score("a", {"good": 1}), a_score("b", {"good": 0}, split="dev")]
    assert not _judge(scores, _rules(ZeroTolerance("good", 1, "always"))).green


def test_zero_tolerance_is_green_where_every_scored_example_is_right() -> None:
    """What does not apply to an example does not block."""
    assert _judge(a_run_of("good", [1, "nothing to quote"]), _rules(ZeroTolerance("good", 1, "always"))).green


# Floors


@pytest.mark.parametrize(
    ("values", "bound", "green"),
    [
        ([1, 1, 1, 0, 0], {"min": 0.6}, True),
        ([1, 1, 0, 0, 0], {"min": 0.6}, False),
        ([1, 0, 0, 0], {"max": 0.25}, True),
        ([1, 1, 0, 0], {"max": 0.25}, False),
        ([0, 0, 0, 0], {"max": 0.0}, True),
    ],
)
def test_a_floor_holds_up_to_its_bound(values: list[float], bound: dict[str, float], green: bool) -> None:  # noqa: FBT001 - a table
    """The bound itself is allowed."""
    assert _judge(a_run_of("good", values), _floor("good", **bound)).green is green


def test_a_floor_names_value_limit_and_the_worst_examples() -> None:
    """Whoever reads the reason knows where to look first."""
    scores = a_run_of("share", [0.9, 0.1, 0.4, 0.9])
    (reason,) = _judge(scores, _floor("share", min=0.8)).reasons
    assert (reason.what, reason.limit, reason.examples) == ("floor", 0.8, ("e01", "e02"))
    assert reason.value == pytest.approx(0.575)


def test_a_floor_looks_at_its_half_only() -> None:
    """What the service was tuned on holds up no floor."""
    scores = [a_score("a", {"good": 0}), *(a_score(f"d{n}", {"good": 1}, split="dev") for n in range(9))]
    assert not _judge(scores, _floor("good", min=0.5)).green


def test_a_floor_can_be_for_some_categories() -> None:
    """A weak category shows, where the others would carry it."""
    scores = [*a_run_of("good", [1] * 9), a_score("r", {"good": 0}, category="region")]
    assert _judge(scores, _floor("good", min=0.9)).green
    assert not _judge(scores, _floor("good", min=0.9, categories=("region",))).green


def test_floors_hold_without_a_baseline() -> None:
    """A first run is judged, and told that there is nothing to compare with."""
    result = _judge(a_run_of("good", [0]), _floor("good", min=0.5))
    assert [r.what for r in result.reasons] == ["floor"]
    assert "no baseline" in result.notes[0]


# What is missing


@pytest.mark.parametrize(
    "rules",
    [
        _floor("good", min=0.0),
        _rules(ZeroTolerance("good", 1, "always")),
        _rules(guarded=("good",)),
    ],
)
@pytest.mark.parametrize("metrics", [METRICS, [SHARE]])
def test_a_rule_for_a_metric_that_scored_nothing_is_red(rules: Rules, metrics: list[Metric]) -> None:
    """A metric that was renamed or dropped, or that says nothing of any example, switches no rule off."""
    result = _judge(a_run_of("share", [1.0]), rules, metrics=metrics)
    assert [(r.what, r.metric) for r in result.reasons] == [("missing", "good")]


def test_an_error_is_red() -> None:
    """An example without an outcome blocks, whatever the others are worth."""
    (reason,) = _judge(a_run_of("good", [1, "error: TimeoutError: too slow"]), NONE).reasons
    assert (reason.what, reason.examples) == ("error", ("e01",))


def test_a_judge_that_failed_is_not_the_services_error() -> None:
    """A judged metric may be unscored for an error of its judge."""
    assert _judge(a_run_of("share", [1, "error: the judge refused"]), _rules(judged=("share",))).green


# Against the baseline


@pytest.mark.parametrize(("lost", "red"), [(5, False), (6, True)])
def test_flips_are_red_from_six_one_way(tmp_path: Path, lost: int, red: bool) -> None:  # noqa: FBT001 - a table
    """Five lost flags may be chance, six are not (McNemar)."""
    baseline = _accepted(a_run_of("good", [1] * 40), tmp_path)
    result = _judge(a_run_of("good", [0] * lost + [1] * (40 - lost)), _rules(guarded=("good",)), baseline)
    assert [r.what for r in result.reasons] == ["flips"] * red


def test_flips_to_the_better_are_green(tmp_path: Path) -> None:
    """A gain is no reason, for flags that are better high or low."""
    before = [a_score(f"e{n}", {"good": 0, "bad": 1}) for n in range(20)]
    after = [a_score(f"e{n}", {"good": 1, "bad": 0}) for n in range(20)]
    assert _judge(after, _rules(guarded=("good", "bad")), _accepted(before, tmp_path)).green


def test_a_flag_that_is_better_low_is_red_when_it_rises(tmp_path: Path) -> None:
    """More false answers than before are a loss."""
    baseline = _accepted(a_run_of("bad", [0] * 20), tmp_path)
    (reason,) = _judge(a_run_of("bad", [1] * 7 + [0] * 13), _rules(guarded=("bad",)), baseline).reasons
    assert (reason.what, reason.limit, len(reason.examples)) == ("flips", 0.05, 7)


@pytest.mark.parametrize(
    ("name", "before", "after", "red"),
    [
        ("share", 0.9, 0.8, True),
        ("share", 0.8, 0.9, False),
        ("share", 0.9, 0.9, False),
        ("cost", 3.0, 4.0, True),
        ("cost", 4.0, 3.0, False),
    ],
)
def test_a_mean_is_red_when_its_interval_lies_on_the_bad_side(
    tmp_path: Path,
    name: str,
    before: float,
    after: float,
    red: bool,  # noqa: FBT001 - a table
) -> None:
    """Which side is bad is the metric's to say."""
    baseline = _accepted(a_run_of(name, [before] * 20), tmp_path)
    result = _judge(a_run_of(name, [after] * 20), _rules(guarded=(name,)), baseline)
    assert [r.what for r in result.reasons] == ["regression"] * red


def test_a_fall_within_chance_is_green(tmp_path: Path) -> None:
    """Ten up and eleven down, of forty, prove nothing."""
    baseline = _accepted(a_run_of("share", [0.5] * 40), tmp_path)
    after = a_run_of("share", [1.0] * 10 + [0.0] * 11 + [0.5] * 19)
    assert _judge(after, _rules(guarded=("share",)), baseline).green


def test_a_fall_in_one_document_is_one_draw(tmp_path: Path) -> None:
    """Twelve questions on a document that changed are not twelve independent losses."""
    baseline = _accepted(a_run_of("share", [1.0] * 40), tmp_path)
    after = [a_score(f"e{n:02}", {"share": 0.0 if n < 12 else 1.0}, cluster=f"d{max(n, 11)}") for n in range(40)]
    assert _judge(after, _rules(guarded=("share",)), baseline).green


def test_a_regression_names_the_examples_that_lost_most(tmp_path: Path) -> None:
    """At most ten, the heaviest loss first, and none that gained."""
    baseline = _accepted(a_run_of("share", [0.9] * 20), tmp_path)
    after = a_run_of("share", [0.5] * 12 + [0.1] + [0.9] * 7)
    (reason,) = _judge(after, _rules(guarded=("share",)), baseline).reasons
    assert reason.examples[:2] == ("e12", "e00")
    assert len(reason.examples) == 10


def test_few_clusters_do_not_block(tmp_path: Path) -> None:
    """An interval drawn over a handful of documents is too narrow to be believed."""
    baseline = _accepted(a_run_of("share", [1.0] * 5), tmp_path)
    assert _judge(a_run_of("share", [0.9] * 5), _rules(guarded=("share",)), baseline).green


def test_a_judged_metric_blocks_only_when_its_judge_agrees_with_people(tmp_path: Path) -> None:
    """Below the floor of agreement the fall is a note."""
    baseline = _accepted(a_run_of("share", [0.9] * 20), tmp_path)
    scores, rules = a_run_of("share", [0.5] * 20), _rules(judged=("share",))
    alone = judge(a_manifest(20), scores, METRICS, baseline, rules)
    agreed = judge(a_manifest(20), scores, METRICS, baseline, rules, judge_agrees=True)
    assert alone.green
    assert "0.9000 to 0.5000" in alone.notes[-2]
    assert [r.what for r in agreed.reasons] == ["regression"]


def test_a_run_without_judged_metrics_is_not_missing_them() -> None:
    """CI has no judge."""
    scores, rules = a_run_of("good", [1]), _rules(judged=("faithfulness",))
    result = judge(a_manifest(1), scores, METRICS, None, rules, judge_agrees=True)
    assert result.green
    assert not any("faithfulness" in words for words in (*result.notes, *result.rules))


def test_a_new_metric_is_a_note_until_a_baseline_has_it(tmp_path: Path) -> None:
    """A metric can be guarded from the day that it is written."""
    baseline = _accepted(a_run_of("good", [1]), tmp_path)
    result = _judge(a_run_of("share", [1]), _rules(guarded=("share",)), baseline)
    assert result.green
    assert "share: no example has a value in the baseline" in result.notes


def test_an_example_that_vanished_from_the_test_half_is_red(tmp_path: Path) -> None:
    """Dropping a question that fails is no way to pass; a new baseline says that it was meant."""
    before, after = a_run_of("good", [1, 1]), a_run_of("good", [1])
    (reason,) = _judge(after, NONE, _accepted(before, tmp_path)).reasons
    assert (reason.what, reason.examples) == ("vanished", ("e01",))
    assert _judge(after, NONE, _accepted(after, tmp_path)).green


def test_an_example_moved_to_the_other_half_has_vanished(tmp_path: Path) -> None:
    """Floors are for the test half: what leaves it is no longer held to them."""
    baseline = _accepted([a_score("a", {"good": 0})], tmp_path)
    result = _judge([a_score("a", {"good": 0}, split="dev")], NONE, baseline)
    assert [r.what for r in result.reasons] == ["vanished"]


def test_development_examples_may_come_and_go(tmp_path: Path) -> None:
    """They are counted, and what both have is compared."""
    before = [a_score("old", {"good": 1}, split="dev"), a_score("both", {"good": 1})]
    after = [a_score("new", {"good": 1}), a_score("both", {"good": 1})]
    result = judge(a_manifest(2, example_digest="examples-2"), after, METRICS, _accepted(before, tmp_path), NONE)
    assert result.green
    assert "1 examples in both, 1 new, 1 vanished" in result.notes[0]


@pytest.mark.parametrize(("field", "words"), [("corpus_digest", "corpus"), ("model", "model")])
def test_what_else_differs_from_the_baseline_is_told(tmp_path: Path, field: str, words: str) -> None:
    """A difference may come from another corpus or another model."""
    scores = a_run_of("good", [1])
    result = judge(a_manifest(1, **{field: "another"}), scores, METRICS, _accepted(scores, tmp_path), NONE)
    assert words in result.notes[0]


# What can't be judged


@pytest.mark.parametrize(
    ("scores", "examples"),
    [([], 0), (a_run_of("good", [1]), 2), ([*a_run_of("good", [1]), *a_run_of("good", [1])], 2)],
)
def test_a_run_that_is_not_whole_is_not_judged(scores: list[SampleScores], examples: int) -> None:
    """No examples, too few, or one twice: neither green nor red."""
    with pytest.raises(CannotJudge):
        judge(a_manifest(examples), scores, METRICS, None, NONE)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_no_number_is_not_judged(value: float) -> None:
    """NaN is not below any floor and not worse than anything: it would pass."""
    with pytest.raises(CannotJudge, match="e00: good is"):
        _judge(a_run_of("good", [value]), NONE)


def test_runs_of_another_mode_are_not_compared(tmp_path: Path) -> None:
    """Extracted answers are no baseline for a model's."""
    scores = a_run_of("good", [1])
    baseline = _accepted(scores, tmp_path, mode="cassette")
    with pytest.raises(CannotJudge, match="cassette"):
        _judge(scores, NONE, baseline)


def test_a_metric_without_a_bad_direction_cannot_be_guarded() -> None:
    """The rule would never block."""
    neither = msgspec.structs.replace(SHARE, better="neither")
    with pytest.raises(CannotJudge, match="no bad direction"):
        _judge(a_run_of("share", [1]), _rules(guarded=("share",)), metrics=[neither])


# Rules


@pytest.mark.parametrize("mode", ["extractive", "cassette"])
def test_the_rules_in_force_can_be_read(mode: str) -> None:
    """Every floor of a mode is for it, and every rule says why."""
    rules = read_rules(mode)
    assert all(mode in floor.modes for floor in rules.floor)
    assert all(len(rule.why) > 20 for rule in (*rules.zero_tolerance, *rules.floor, rules.regression))


def test_every_rule_is_about_a_metric_that_is_computed() -> None:
    """A metric that is renamed takes its rules with it, and none is guarded that has no bad direction."""
    rules, computed = read_rules("cassette"), {metric.name: metric for metric in COMPUTED}
    named = {rule.metric for rule in (*rules.zero_tolerance, *rules.floor)}
    assert named | set(rules.regression.metrics) <= computed.keys()
    assert all(computed[name].better != "neither" for name in rules.regression.metrics)


def test_judged_metrics_have_names_of_their_own() -> None:
    """A model's verdict never stands in for a computed one."""
    judged = set(read_rules("cassette").regression.judged)
    assert judged <= set(JUDGED)
    assert judged.isdisjoint(metric.name for metric in COMPUTED)


def test_only_a_run_with_a_model_can_degrade() -> None:
    """The floor on falling back to extraction is for the cassette alone."""
    assert "degraded" in {f.metric for f in read_rules("cassette").floor}
    assert "degraded" not in {f.metric for f in read_rules("extractive").floor}


def test_a_mode_without_floors_is_told() -> None:
    """Green without rules would look like green."""
    result = _judge(a_run_of("good", [1]), NONE)
    assert "no floors for extractive runs" in result.notes


_FRAME = 'zero_tolerance = []\nregression = {metrics = [], why = "tests"}\n[[floor]]\nmetric = "good"\nwhy = "tests"\n'


def test_a_floor_needs_a_metric_a_mode_a_bound_and_a_reason(tmp_path: Path) -> None:
    """Half and categories may be left out."""
    file = tmp_path / "gates.toml"
    file.write_text(_FRAME + 'modes = ["extractive"]\nmin = 0.5')
    assert read_rules("extractive", file).floor == (Floor("good", ("extractive",), "tests", min=0.5),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "zero_tolerance = [",
        _FRAME + 'modes = ["extractive"]',
        _FRAME + 'modes = ["extractive"]\nmin = 0.5\nmax = 0.6',
        _FRAME + 'modes = ["extractive"]\nminimum = 0.5',
        _FRAME + 'modes = ["extractiv"]\nmin = 0.5',
        _FRAME + "modes = []\nmin = 0.5",
    ],
)
def test_rules_that_are_not_whole_are_refused(tmp_path: Path, text: str) -> None:
    """A misspelt word or a file that is cut off switches nothing off."""
    file = tmp_path / "gates.toml"
    file.write_text(text)
    with pytest.raises(CannotJudge, match=r"gates\.toml"):
        read_rules("extractive", file)


def test_every_reason_belongs_to_a_rule_that_was_applied() -> None:
    """A report can list all rules, and what each says."""
    rules = _rules(ZeroTolerance("cost", 0, "a wrong sum"), Floor("good", ("extractive",), "tests", min=0.5))
    result = _judge([a_score("a", {"cost": 1, "good": 1})], rules)
    assert {r.rule for r in result.reasons} < set(result.rules)
    assert len(result.rules) == 4


def test_the_result_reads_as_text() -> None:
    """Colour first, then reasons with their examples, then notes."""
    text = str(_judge(a_run_of("good", [0]), _floor("good", min=0.5)))
    assert text.startswith("red, 1 reason, 3 rules applied")
    assert "floor: good >= 0.5 on test: 0.000" in text
    assert "(e00)" in text


def test_a_run_is_held_against_the_rules_and_the_baseline_it_is_given(tmp_path: Path) -> None:
    """The rules in force miss their metrics in a made-up run, and the named baseline misses an example."""
    before, after = a_run(a_run_of("good", [1, 1])), a_run(a_run_of("good", [1]))
    result = judge_run(after, accept(before, "first figures", tmp_path))
    assert {r.what for r in result.reasons} == {"missing", "vanished"}


# The baseline's file


def test_a_baseline_gives_back_what_was_accepted(tmp_path: Path) -> None:
    """Every value to the last digit, and what was not scored stays unscored."""
    scores = [a_score("a", {"share": 1 / 3, "good": "not answered"}, category="region", cluster="d")]
    accept(a_run(scores), "first figures", tmp_path)
    baseline = load("extractive", tmp_path)
    assert baseline is not None
    (back,) = baseline.scores()
    assert (back.category, back.split, back.cluster) == ("region", "test", "d")
    assert back.verdicts["share"] == scores[0].verdicts["share"]
    assert type(back.verdicts["good"]).__name__ == "Unscored"


def test_a_baseline_says_what_it_was_made_with_and_why(tmp_path: Path) -> None:
    """Commit, digests and the reason stand in the file."""
    run = _accepted(a_run_of("good", [1]), tmp_path).run
    assert (run.commit, run.why, run.example_digest) == ("c0ffee", "first figures", "examples-1")


def test_a_baseline_has_one_line_an_example(tmp_path: Path) -> None:
    """A diff of two baselines shows which examples changed."""
    one = accept(a_run(a_run_of("good", [1, 1, 1])), "first figures", tmp_path / "a").read_text()
    other = accept(a_run(a_run_of("good", [1, 0, 1])), "first figures", tmp_path / "b").read_text()
    changed = [line for line in set(one.splitlines()) - set(other.splitlines()) if "accepted" not in line]
    assert changed == ['"e01": ["test","fact","e01",[1.0]],']


def test_milliseconds_are_not_kept(tmp_path: Path) -> None:
    """They are the machine's, and would change every line."""
    assert _accepted([a_score("a", {"latency_ms": 12.5, "good": 1})], tmp_path).metrics == ("good",)


@pytest.mark.parametrize(
    ("scores", "why"),
    [(a_run_of("good", [1]), " "), (a_run_of("good", ["error: broke"]), "better"), ([], "better")],
)
def test_a_baseline_needs_a_reason_and_a_run_without_errors(
    tmp_path: Path, scores: list[SampleScores], why: str
) -> None:
    """What is accepted in silence, or broken, would be compared with for months."""
    with pytest.raises(NotAcceptable):
        accept(a_run(scores), why, tmp_path)


def test_there_may_be_no_baseline_yet(tmp_path: Path) -> None:
    """That is no error: floors hold without one."""
    assert load("extractive", tmp_path) is None


@pytest.mark.parametrize("damage", [("[1.0]", "[]"), ('"why"', '"wy"'), ("}", "")])
def test_a_damaged_baseline_is_not_read_around(tmp_path: Path, damage: tuple[str, str]) -> None:
    """A baseline that lost a value compares with less than it says."""
    file = accept(a_run(a_run_of("good", [1])), "first figures", tmp_path)
    file.write_text(file.read_text().replace(*damage))
    with pytest.raises(RunInvalid, match="extractive"):
        load("extractive", tmp_path)
