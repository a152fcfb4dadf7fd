"""A run as Markdown for a pull request: what the gate says, totals beside the baseline, what fell and what flipped.

Knows that a comment is short: the whole is in the HTML report. Questions are other people's text and are escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from evals.cards import head, number
from evals.compare import Difference, MetricComparison, worse
from evals.report import COLUMNS, ReportData, TotalRow, counted, standing, total_rows
from evals.summary import Estimate, Total

SHOWN = 10
_QUESTION = 60
_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~&])")
_CALLS = re.compile(r"([@#:])(?=[\w/])")


def markdown(data: ReportData) -> str:
    """The summary of a pull request."""
    parts = [_head(data), *_gate(data), _totals(data), *_fallen(data), *_flips(data)]
    return "\n\n".join(parts) + "\n"


def _head(data: ReportData) -> str:
    run = data.manifest
    state = ", uncommitted changes" if run.dirty else ""
    made = f"{run.created:%Y-%m-%d}, commit {run.commit[:12]}{state}, clock {run.clock}"
    return f"## Evaluation, {run.mode}: {standing(data).words}\n\n{data.summary.examples} examples; {made}."


def _gate(data: ReportData) -> Iterable[str]:
    if data.gate is None:
        return
    lines = [f"- **{_escaped(r.rule)}**: {_escaped(r.detail)}{_first(r.examples)}" for r in data.gate.reasons]
    lines += [f"- note: {_escaped(note)}" for note in data.gate.notes]
    if lines:
        yield "\n".join(lines)


def _totals(data: ReportData) -> str:
    rows = sorted((r for r in total_rows(data) if r.name in COLUMNS), key=lambda r: COLUMNS.index(r.name))
    if data.comparison is None:
        head = "| metric | value | 95 % | n |\n| --- | ---: | ---: | ---: |"
        return "\n".join([head, *(f"| {r.name} | {_value(r.total)} |" for r in rows)])
    head = "| metric | value | 95 % | n | baseline | difference |\n| --- | ---: | ---: | ---: | ---: | ---: |"
    return "\n".join([head, *(f"| {r.name} | {_value(r.total)} | {_against(r)} |" for r in rows)])


def _value(total: Total) -> str:
    if not isinstance(total.estimate, Estimate):
        return "- | - | 0"
    own = total.estimate
    return f"{number(own.value)} | {number(own.low)} to {number(own.high)} | {total.scored}"


def _against(row: TotalRow) -> str:
    if row.against is None:
        return "- | -"
    strong = "**" if row.tone == "bad" else ""
    return f"{number(row.against.a)} | {strong}{row.difference}{strong}"


def _fallen(data: ReportData) -> Iterable[str]:
    """Slices whose interval lies wholly on the bad side."""
    metrics = {m.name: m for m in data.metrics}
    compared: Sequence[MetricComparison] = data.comparison.metrics if data.comparison else ()
    fallen = [
        f"- {m.name}, {category}: {_change(found)}"
        for m in compared
        for category, found in m.by_category.items()
        if worse(found, metrics[m.name])
    ]
    if fallen:
        yield "\n".join(["### Categories that fell", "", *fallen])


def _change(found: Difference) -> str:
    return f"{number(found.a)} to {number(found.b)} [{found.low:+.3f}, {found.high:+.3f}], n={found.pairs}"


def _flips(data: ReportData) -> Iterable[str]:
    questions = {s.example.id: s.example.question for s in data.samples}
    for name in ("lost", "won"):
        ids = _flipped(data, lost=name == "lost")
        if ids:
            lines = [
                f"- `{i}` ({', '.join(of)}) {_escaped(head(questions.get(i, ''), _QUESTION))}" for i, of in ids.items()
            ]
            more = [f"- and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
            yield "\n".join([f"### {counted(len(lines), 'example')} {name}", "", *lines[:SHOWN], *more])


def _flipped(data: ReportData, *, lost: bool) -> dict[str, list[str]]:
    """The flipped examples, with the metrics in which they did."""
    found: dict[str, list[str]] = {}
    for metric in data.comparison.metrics if data.comparison else ():
        if metric.flips is not None and metric.better != "neither":
            for example_id in metric.flips.lost if lost else metric.flips.won:
                found.setdefault(example_id, []).append(metric.name)
    return found


def _first(ids: Sequence[str]) -> str:
    shown = ", ".join(f"`{i}`" for i in ids[:SHOWN])
    return f" ({shown})" if shown else ""


def _escaped(words: str) -> str:
    """As plain words on one line: no markup, no mention of a person or an issue, no link."""
    return _MARKUP.sub(r"\\\1", _CALLS.sub("\\1\u2060", " ".join(words.split())))
