"""What blocks: floors, zero tolerance, and what got worse than the baseline by more than chance.

Knows rules (`gates.toml`) and how to hold a run against them. Formulas are in `metrics`, intervals in `statistics`;
scoring the observations afresh comes before this.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from evals.baseline import Baseline, load, read
from evals.compare import Pair, difference, flips, pairs, worse
from evals.domain import Metric, SampleScores, Scored
from evals.runs import RunManifest
from evals.scoring import METRICS, ScoredRun
from evals.summary import Estimate, failed, scored, total
from rag.errors import OperatorError

GATES = Path(__file__).with_name("gates.toml")
SIGNIFICANT = 0.05
SHOWN = 10

Mode = Literal["extractive", "cassette", "live"]
Half = Literal["dev", "test"]
What = Literal["floor", "zero_tolerance", "regression", "flips", "error", "missing", "vanished"]
GUARDED_HALF: Half = "test"


class CannotJudge(OperatorError):
    """Neither green nor red: the run is not whole, or the rules can't be read."""


class ZeroTolerance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A metric with one allowed value, on every example."""

    metric: str
    must_be: float
    why: str

    @property
    def label(self) -> str:
        """The rule in a few words."""
        return f"{self.metric} = {self.must_be:g} on every example"


class Floor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mean's bound, `min` or `max`, over a half or over some categories of it."""

    metric: str
    modes: tuple[Mode, ...]
    why: str
    min: float | None = None
    max: float | None = None
    split: Half = GUARDED_HALF
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """A rule without a bound or a mode would never block, and one with two bounds would hide one.

        Raises:
            ValueError: there is not exactly one bound, or no mode.
        """
        if (self.min is None) == (self.max is None):
            raise ValueError(f"{self.metric}: a floor has either min or max")
        if not self.modes:
            raise ValueError(f"{self.metric}: a floor is for one mode at least")

    @property
    def label(self) -> str:
        """The rule in a few words."""
        bound = f">= {self.min:g}" if self.min is not None else f"<= {self.limit:g}"
        return f"{self.metric} {bound} on {self.split}{''.join(f' {c}' for c in self.categories)}"

    @property
    def limit(self) -> float:
        """The bound, whichever it is."""
        return self.min if self.min is not None else self.max or 0.0

    def holds(self, value: float) -> bool:
        """Whether a value is on the right side."""
        return value >= self.limit if self.min is not None else value <= self.limit


class Regression(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Metrics that must not get worse than the baseline. `judged` ones are scored by a model, and may be absent."""

    metrics: tuple[str, ...]
    why: str
    judged: tuple[str, ...] = ()


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`gates.toml`; floors of other modes are left out when it is read for one."""

    zero_tolerance: tuple[ZeroTolerance, ...]
    floor: tuple[Floor, ...]
    regression: Regression


class Reason(msgspec.Struct, frozen=True):
    """Why a run is red. `rule` is one of `GateResult.rules`; `examples` are the first that show it.

    `value` and `limit` are: of a floor the mean and its bound; of zero tolerance, errors and vanished examples how many
    and 0; of a regression the difference and 0; of flips McNemar's p and the level; of what is missing how many
    examples were scored and how many must be.
    """

    metric: str
    what: What
    value: float
    limit: float
    examples: tuple[str, ...]
    rule: str
    detail: str

    def __str__(self) -> str:
        named = f" ({', '.join(self.examples)})" if self.examples else ""
        return f"{self.what}: {self.rule}: {self.detail}{named}"


class GateResult(msgspec.Struct, frozen=True):
    """Reasons make a run red, notes do not. `rules` are all that were applied."""

    reasons: tuple[Reason, ...]
    notes: tuple[str, ...]
    rules: tuple[str, ...]

    @property
    def green(self) -> bool:
        """Whether nothing blocks."""
        return not self.reasons

    def __str__(self) -> str:
        head = "green" if self.green else f"red, {len(self.reasons)} reason{'s' * (len(self.reasons) > 1)}"
        held = f"{len(self.rules)} rules applied"
        return "\n".join([f"{head}, {held}", *(f"  {r}" for r in self.reasons), *(f"  note: {n}" for n in self.notes)])


class Finding(msgspec.Struct, frozen=True):
    """What one rule says of a run."""

    rule: str
    reasons: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()


def read_rules(mode: str, file: Path = GATES) -> Rules:
    """The rules for runs of a mode.

    Raises:
        CannotJudge: the file can't be read, or a rule is not whole.
    """
    try:
        rules = msgspec.toml.decode(file.read_bytes(), type=Rules)
    except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise CannotJudge(f"{file.name}: {error}") from error
    return msgspec.structs.replace(rules, floor=tuple(f for f in rules.floor if mode in f.modes))


def judge_run(run: ScoredRun, baseline: Path | None = None) -> GateResult:
    """Hold a run against the rules in force, and against a baseline: the accepted one of its mode if none is named.

    Raises:
        CannotJudge: the run is not whole, or the rules can't be read.
        RunInvalid: the baseline can't be read.
    """
    before = read(baseline) if baseline else load(run.manifest.mode)
    return judge(run.manifest, run.scores, METRICS, before, read_rules(run.manifest.mode))


def judge(
    run: RunManifest,
    scores: Sequence[SampleScores],
    metrics: Sequence[Metric],
    baseline: Baseline | None,
    rules: Rules,
    *,
    judge_agrees: bool = False,
) -> GateResult:
    """Hold a run against the rules. `judge_agrees`: the judge of the judged metrics reached its floor of agreement.

    Raises:
        CannotJudge: the scores are not those of the whole run, or the baseline is of another mode.
    """
    _whole(run, scores)
    known = {metric.name: metric for metric in metrics}
    findings = [_errors(scores, rules)]
    findings += [_zero_tolerance(rule, scores, known) for rule in rules.zero_tolerance]
    findings += [_floor(rule, scores, known) for rule in rules.floor]
    findings += _against(baseline, run, scores, known, rules, judge_agrees=judge_agrees)
    return GateResult(
        reasons=tuple(r for f in findings for r in f.reasons),
        notes=tuple(n for f in findings for n in f.notes) + _no_floors(run, rules),
        rules=tuple(f.rule for f in findings),
    )


def _whole(run: RunManifest, scores: Sequence[SampleScores]) -> None:
    ids = {s.example_id for s in scores}
    if not scores or len(ids) != len(scores) or len(scores) != run.examples:
        raise CannotJudge(f"{len(scores)} scores of {len(ids)} examples, for a run of {run.examples}")
    for one in scores:
        for name, verdict in one.verdicts.items():
            # Every comparison with NaN is false: it would pass for "not worse".
            if isinstance(verdict, Scored) and not math.isfinite(verdict.value):
                raise CannotJudge(f"{one.example_id}: {name} is {verdict.value}")


def _errors(scores: Sequence[SampleScores], rules: Rules) -> Finding:
    rule = "no example ends in an error"
    broken = [s.example_id for s in scores if _broken(s, rules.regression.judged)]
    return Finding(rule, (_count("*", "error", broken, rule, "examples ended in an error"),) if broken else ())


def _broken(one: SampleScores, judged: Iterable[str]) -> bool:
    """A judge that failed is no fault of the service."""
    return any(failed(verdict) for name, verdict in one.verdicts.items() if name not in judged)


def _zero_tolerance(rule: ZeroTolerance, scores: Sequence[SampleScores], known: dict[str, Metric]) -> Finding:
    hits = scored(scores, rule.metric)
    if rule.metric not in known or not hits:
        return Finding(rule.label, (_missing(rule.metric, rule.label),))
    odd = [s.example_id for s, value in hits if value != rule.must_be]
    if not odd:
        return Finding(rule.label)
    return Finding(rule.label, (_count(rule.metric, "zero_tolerance", odd, rule.label, rule.why),))


def _floor(rule: Floor, scores: Sequence[SampleScores], known: dict[str, Metric]) -> Finding:
    within = [s for s in scores if s.split == rule.split and (not rule.categories or s.category in rule.categories)]
    found = total(within, known[rule.metric]) if rule.metric in known else None
    if found is None or not isinstance(found.estimate, Estimate):
        return Finding(rule.label, (_missing(rule.metric, rule.label),))
    if rule.holds(found.estimate.value):
        return Finding(rule.label)
    short = [(value, s.example_id) for s, value in scored(within, rule.metric) if not rule.holds(value)]
    worst = tuple(i for _, i in sorted(short, key=lambda one: abs(one[0] - rule.limit), reverse=True)[:SHOWN])
    value = found.estimate.value
    return Finding(
        rule.label,
        (Reason(rule.metric, "floor", value, rule.limit, worst, rule.label, f"{found}; {rule.why}"),),
    )


def _against(
    baseline: Baseline | None,
    run: RunManifest,
    scores: Sequence[SampleScores],
    known: dict[str, Metric],
    rules: Rules,
    *,
    judge_agrees: bool,
) -> list[Finding]:
    """Everything that needs a baseline; that a guarded metric is there at all does not."""
    guarded, judged = rules.regression.metrics, rules.regression.judged
    before: list[SampleScores] = []
    findings = [_no_baseline()]
    if baseline is not None:
        before = baseline.scores()
        findings = [_same_gold(baseline, run, scores)]
    findings += [_regression(name, before, scores, known) for name in guarded]
    found = [_regression(name, before, scores, known) for name in judged if name in known and scored(scores, name)]
    return findings + (found if judge_agrees else [_as_note(f) for f in found])


def _no_baseline() -> Finding:
    return Finding("the examples of the baseline are there", notes=("no baseline: nothing to compare with",))


def _same_gold(baseline: Baseline, run: RunManifest, scores: Sequence[SampleScores]) -> Finding:
    """Examples of the guarded half that are gone (or moved to the other half) are no improvement."""
    if baseline.run.mode != run.mode:
        raise CannotJudge(f"a {run.mode} run can't be held against a baseline of {baseline.run.mode} runs")
    rule = "the examples of the baseline are there"
    gone = sorted(baseline.ids(GUARDED_HALF) - {s.example_id for s in scores if s.split == GUARDED_HALF})
    detail = f"gone from the {GUARDED_HALF} half since the baseline; if that is meant, accept a new one"
    reasons = (_count("*", "vanished", gone, rule, detail),) if gone else ()
    return Finding(rule, reasons, tuple(_changes(baseline, run, scores)))


def _changes(baseline: Baseline, run: RunManifest, scores: Sequence[SampleScores]) -> Iterable[str]:
    ids, kept = {s.example_id for s in scores}, baseline.examples.keys()
    if baseline.run.example_digest != run.example_digest:
        counts = f"{len(ids & kept)} examples in both, {len(ids - kept)} new, {len(kept - ids)} vanished"
        yield f"the gold is not that of the baseline: {counts}; what both have is compared"
    if baseline.run.corpus_digest != run.corpus_digest:
        yield "the corpus is not that of the baseline"
    if baseline.run.model != run.model:
        yield f"the model is {run.model}, that of the baseline {baseline.run.model}"


def _regression(
    name: str, before: Sequence[SampleScores], scores: Sequence[SampleScores], known: dict[str, Metric]
) -> Finding:
    rule = f"{name} no worse than the baseline"
    metric = known.get(name)
    if metric is None or not scored(scores, name):
        return Finding(rule, (_missing(name, rule),))
    if metric.better == "neither":
        raise CannotJudge(f"{name} has no bad direction, so that it can't be guarded")
    paired = pairs(before, scores, name)
    if not paired:
        return Finding(rule, notes=(f"{name}: no example has a value in the baseline",) if before else ())
    fell = _flipped if metric.kind == "flag" else _fell
    return Finding(rule, tuple(fell(paired, metric, rule)))


def _flipped(paired: Sequence[Pair], metric: Metric, rule: str) -> Iterable[Reason]:
    found = flips(paired, metric)
    if found.p < SIGNIFICANT and len(found.lost) > len(found.won):
        detail = f"{len(found.lost)} lost, {len(found.won)} won, of {len(paired)}; McNemar p = {found.p:.4f}"
        yield Reason(metric.name, "flips", found.p, SIGNIFICANT, found.lost[:SHOWN], rule, detail)


def _fell(paired: Sequence[Pair], metric: Metric, rule: str) -> Iterable[Reason]:
    found = difference(paired)
    if worse(found, metric):
        interval = f"{found.value:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"
        detail = f"{found.a:.4f} to {found.b:.4f}, {interval}, n={found.pairs}"
        yield Reason(metric.name, "regression", found.value, 0.0, _fallen(paired, metric), rule, detail)


def _fallen(paired: Sequence[Pair], metric: Metric) -> tuple[str, ...]:
    """The examples that lost most."""
    sign = 1 if metric.better == "high" else -1
    losses = sorted((sign * (p.b - p.a), p.example.example_id) for p in paired)
    return tuple(example_id for loss, example_id in losses if loss < 0)[:SHOWN]


def _as_note(found: Finding) -> Finding:
    """A judge that does not agree with people can't block."""
    told = tuple(f"does not block, its judge is not to be relied on: {reason}" for reason in found.reasons)
    return Finding(found.rule, notes=found.notes + told)


def _no_floors(run: RunManifest, rules: Rules) -> tuple[str, ...]:
    return () if rules.floor else (f"no floors for {run.mode} runs",)


def _count(metric: str, what: What, ids: Sequence[str], rule: str, why: str) -> Reason:
    return Reason(metric, what, float(len(ids)), 0.0, tuple(ids[:SHOWN]), rule, f"{len(ids)} examples; {why}")


def _missing(metric: str, rule: str) -> Reason:
    return Reason(metric, "missing", 0.0, 1.0, (), rule, "no example was scored, so that the rule can't be held")
