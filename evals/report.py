"""A run as one HTML file that needs no network, for people who ask what got better, what got worse and why.

Knows what stands where. Every word of a question or a document is escaped by the template engine; totals are the job of
`summary`, what blocks that of `gate`, what a card holds that of `cards`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from evals import baseline as baselines
from evals.adapters import matplotlib
from evals.cards import Card, card, head, number
from evals.compare import Comparison, Difference, MetricComparison, compare, worse
from evals.domain import Metric, Sample, SampleScores
from evals.gate import GateResult, judge_run
from evals.runs import RunManifest
from evals.scoring import METRICS, ScoredRun
from evals.summary import Estimate, MetricSummary, Summary, Total, summarise
from rag.domain import Value

TEMPLATES = Path(__file__).parent / "templates"
COLUMNS = (
    "kind", "all_facts", "no_forbidden", "citation_precision", "citation_recall", "evidence_recall",
    "false_answer", "false_refusal", "hit@5", "ndcg@10",
)  # fmt: skip
_ARROWS: Mapping[str, str] = {"high": "↑", "low": "↓", "neither": ""}
_QUESTION = 60


class ReportData(Value):
    """A run with all that was made of it. `comparison` is the baseline (a) against the run (b), if there is one."""

    manifest: RunManifest
    samples: tuple[Sample, ...]
    scores: tuple[SampleScores, ...]
    metrics: tuple[Metric, ...]
    summary: Summary
    gate: GateResult | None = None
    comparison: Comparison | None = None


class Standing(Value):
    """What the gate says, in a word."""

    words: str
    tone: Literal["good", "bad", "plain"]


class TotalRow(Value):
    """One line of the totals; `against` is its difference to the baseline."""

    name: str
    better: Literal["high", "low", "neither"]
    total: Total
    by_split: Mapping[str, Total]
    share: bool
    against: Difference | None
    tone: Literal["good", "bad", "plain"]

    @property
    def difference(self) -> str:
        """The difference with its interval; nothing without a baseline."""
        if self.against is None:
            return ""
        if self.against.low == self.against.high == 0:
            return "0"
        return f"{self.against.value:+.3f} [{self.against.low:+.3f}, {self.against.high:+.3f}]"


class Plot(Value):
    """A drawing with its caption."""

    title: str
    note: str
    drawing: Markup


class Page(Value):
    """What the template reads beside the data themselves."""

    title: str
    standing: Standing
    made_with: tuple[tuple[str, str], ...]
    totals: tuple[TotalRow, ...]
    arrows: Mapping[str, str]
    splits: tuple[str, ...]
    columns: tuple[MetricSummary, ...]
    categories: tuple[str, ...]
    plots: tuple[Plot, ...]
    flipped: tuple[MetricComparison, ...]
    lost: frozenset[str]
    won: frozenset[str]
    questions: Mapping[str, str]
    faults: tuple[tuple[str, int], ...]
    cards: tuple[Card, ...]
    style: Markup
    script: Markup
    script_hash: str

    @property
    def failed(self) -> int:
        """How many examples failed."""
        return sum(bool(card.failures) for card in self.cards)

    @property
    def red(self) -> tuple[Card, ...]:
        """The attacks of the red team."""
        return tuple(card for card in self.cards if card.red)


def report_data(run: ScoredRun, baseline: Path | None) -> ReportData:
    """Everything that a report shows: totals, the gate's word, what changed since the baseline.

    Raises:
        CannotJudge: the gate has no word on this run.
    """
    before = baselines.read(baseline) if baseline else baselines.load(run.manifest.mode)
    return ReportData(
        manifest=run.manifest,
        samples=run.samples,
        scores=run.scores,
        metrics=METRICS,
        summary=summarise(run.scores, METRICS),
        gate=judge_run(run, baseline),
        comparison=compare(before.scores(), run.scores, METRICS) if before else None,
    )


def render_html(data: ReportData) -> str:
    """The whole report as one file."""
    made = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    made.trim_blocks = made.lstrip_blocks = True
    made.filters["number"] = number
    made.filters["short_of"] = _short_of
    made.tests["estimated"] = lambda estimate: isinstance(estimate, Estimate)
    return made.get_template("report.html.j2").render(data=data, page=_page(data))


def standing(data: ReportData) -> Standing:
    """Whether the gate is open."""
    if data.gate is None:
        return Standing("not judged by the gate", "plain")
    reasons = len(data.gate.reasons)
    return Standing(f"gate red, {counted(reasons, 'reason')}", "bad") if reasons else Standing("gate green", "good")


def total_rows(data: ReportData) -> tuple[TotalRow, ...]:
    """The totals of all metrics, each beside the baseline's."""
    against = {m.name: m.overall for m in data.comparison.metrics} if data.comparison else {}
    metrics = {m.name: m for m in data.metrics}
    return tuple(
        TotalRow(
            name=m.name,
            better=m.better,
            total=m.overall,
            by_split=m.by_split,
            share=_is_share(m),
            against=against.get(m.name),
            tone=_tone(against.get(m.name), metrics[m.name]),
        )
        for m in data.summary.metrics
    )


def counted(n: int, noun: str) -> str:
    """A number with its noun."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _page(data: ReportData) -> Page:
    cards = tuple(card(sample, scores, data.metrics) for sample, scores in zip(data.samples, data.scores, strict=True))
    script = _source("report.js")
    flipped = tuple(
        m for m in _comparisons(data) if m.flips and (m.flips.lost or m.flips.won) and m.better != "neither"
    )
    return Page(
        title=f"Answers on medical insurance, {data.manifest.mode} run",
        standing=standing(data),
        made_with=tuple(_made_with(data.manifest)),
        totals=total_rows(data),
        arrows=_ARROWS,
        splits=tuple(sorted({s.split for s in data.scores})),
        columns=tuple(m for name in COLUMNS for m in data.summary.metrics if m.name == name),
        categories=tuple(sorted({c.category for c in cards})),
        plots=tuple(_plots(data)),
        flipped=flipped,
        lost=frozenset(i for m in flipped if m.flips for i in m.flips.lost),
        won=frozenset(i for m in flipped if m.flips for i in m.flips.won),
        questions={c.id: head(c.question, _QUESTION) for c in cards},
        faults=tuple(sorted(data.summary.faults.items(), key=lambda item: -item[1])),
        cards=cards,
        style=_source("report.css"),
        script=script,
        script_hash="sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _comparisons(data: ReportData) -> Sequence[MetricComparison]:
    return data.comparison.metrics if data.comparison else ()


def _source(name: str) -> Markup:
    """One of our own files; nothing that a question or a document says gets in here."""
    return Markup((TEMPLATES / name).read_text("utf-8"))  # noqa: S704


def _made_with(manifest: RunManifest) -> Iterable[tuple[str, str]]:
    yield "commit", manifest.commit + (" (with uncommitted changes)" if manifest.dirty else "")
    yield "made", manifest.created.strftime("%Y-%m-%d %H:%M UTC")
    yield "clock of the run", manifest.clock.isoformat()
    yield "mode", manifest.mode
    yield "model", manifest.model or "none"
    yield "embedder", manifest.embedder
    yield "corpus", f"{', '.join(manifest.corpus)} ({manifest.corpus_digest})"
    yield "examples", f"{manifest.examples} ({manifest.example_digest})"
    yield "gold", _digests(manifest.gold)
    yield "prompts", _digests(manifest.prompts)
    yield "tapes", _digests(manifest.tapes)
    yield "evidence model", manifest.evidence_model
    yield "settings", ", ".join(f"{name}={value}" for name, value in manifest.settings.items()) or "defaults"
    yield "python", manifest.python
    yield "packages", ", ".join(f"{name} {version}" for name, version in manifest.packages.items())


def _digests(files: Mapping[str, str]) -> str:
    return ", ".join(f"{name.rsplit('/', 1)[-1]} {digest[:8]}" for name, digest in files.items()) or "none"


def _is_share(metric: MetricSummary) -> bool:
    """Whether its values lie between 0 and 1."""
    estimate = metric.overall.estimate
    return metric.kind == "flag" or (isinstance(estimate, Estimate) and metric.better != "low" and estimate.high <= 1)


def _short_of(metric: MetricSummary, category: str) -> float:
    """How far a category is from all right, between 0 and 1."""
    estimate = metric.by_category[category].estimate
    if not isinstance(estimate, Estimate) or metric.better == "neither":
        return 0.0
    return min(1.0, max(0.0, 1 - estimate.value if metric.better == "high" else estimate.value))


def _tone(difference: Difference | None, metric: Metric) -> Literal["good", "bad", "plain"]:
    """Coloured only where the interval lies wholly on one side."""
    if difference is None or metric.better == "neither" or difference.low <= 0 <= difference.high:
        return "plain"
    return "bad" if worse(difference, metric) else "good"


def _plots(data: ReportData) -> Iterable[Plot]:
    facts = _bars(data, {"all_facts": "all key facts"})
    if facts:
        yield _bar_plot("All key facts, by category.", "Share of answerable examples, 95 % interval.", facts)
    declined = _bars(data, {"false_answer": "false answers", "false_refusal": "false refusals"})
    if declined:
        note = "Answered without evidence, or declined with it; less is better."
        yield _bar_plot("False answers and false refusals.", note, declined)
    found = _bars(data, {"hit@5": "hit@5", "evidence_recall": "evidence recall"})
    if found:
        yield _bar_plot("Evidence found, and evidence cited.", "By category, 95 % interval.", found)
    times = [s.outcome.timings_ms.total for s in data.samples if s.outcome is not None]
    if times:
        drawing = matplotlib.histogram(times, "milliseconds")
        yield Plot("Latency.", f"Of {counted(len(times), 'outcome')}.", Markup(drawing))  # noqa: S704 - numbers only


def _bar_plot(title: str, note: str, rows: Mapping[str, Mapping[str, matplotlib.Bar]]) -> Plot:
    return Plot(title, note, Markup(matplotlib.bars(rows)))  # noqa: S704 - the drawing escapes its words


def _bars(data: ReportData, series: Mapping[str, str]) -> dict[str, dict[str, matplotlib.Bar]]:
    """Bars by category for the metrics of a plot; categories with nothing scored are left out."""
    rows: dict[str, dict[str, matplotlib.Bar]] = {}
    for metric in data.summary.metrics:
        for category, total in metric.by_category.items() if metric.name in series else ():
            if isinstance(total.estimate, Estimate):
                own = total.estimate
                bar = matplotlib.Bar(own.value, own.low, own.high, total.scored)
                rows.setdefault(category, {})[series[metric.name]] = bar
    return dict(sorted(rows.items()))
