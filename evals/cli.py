"""The command `evals`: judge the service on gold questions, block a regression, report.

Knows options and exit statuses of what is done with a run; what is measured beside one is the job of `cli_judged`, what
is fitted that of `cli_fit`. Each command's work has a file of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from evals.cli_fit import confusions, context, fit, fit_fusion, fit_triage, retrieval
from evals.cli_judged import calibrate, counterfactual, judge, mutate
from evals.cli_shared import (
    CANNOT_JUDGE,
    RED,
    corpus_option,
    json_option,
    progress_bar,
    run_argument,
    score,
    setup_for,
)
from rag.errors import YibaoError

if TYPE_CHECKING:
    from evals.dataset import GoldExample
    from evals.runner import Mode

# A cassette run asks this many of each category, unless it is told to ask all.
PER_CATEGORY = 8
MODES = ("extractive", "cassette", "live")
ELSEWHERE = (judge, calibrate, counterfactual, mutate, fit, fit_fusion, fit_triage, retrieval, confusions, context)

_gold = click.option(
    "--gold", type=click.Path(exists=True, dir_okay=False, path_type=Path), multiple=True, help="Gold files [all]."
)
_part = click.option(
    "--part", type=click.IntRange(0), help=f"So many of each category; 0 for all [cassette: {PER_CATEGORY}, else 0]."
)
_calls = click.option(
    "--calls", type=click.Path(dir_okay=False, path_type=Path), help="Tape of model calls [the one in the repository]."
)
_baseline = click.option("--baseline", type=click.Path(exists=True, dir_okay=False, path_type=Path))


class _Group(click.Group):
    """Errors that are raised on purpose are shown as one line; a gate that could not judge exits 2."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as in click
        try:
            return super().invoke(ctx)
        except (YibaoError, ValueError, OSError) as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(CANNOT_JUDGE)


@click.group(cls=_Group, commands=ELSEWHERE, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Judge the service offline."""


@main.command("run")
@_gold
@corpus_option
@_part
@_calls
@json_option
@click.option("--model", type=click.Choice(MODES), default="extractive", show_default=True)
@click.option("--half", type=click.Choice(["dev", "test", "both"]), default="both", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the run [runs/MODEL].")
@click.option("--parallel", type=click.IntRange(1, 32), default=4, show_default=True)
def run_command(  # noqa: PLR0913 - one argument an option
    *,
    gold: tuple[Path, ...],
    corpus: tuple[Path, ...],
    part: int | None,
    calls: Path | None,
    as_json: bool,
    model: Mode,
    half: str,
    out: Path | None,
    parallel: int,
) -> None:
    """Ask every question and score the answers; an interrupted run goes on where it was."""
    usual = PER_CATEGORY if model == "cassette" else 0
    examples = _examples(gold, half, usual if part is None else part)
    folder = _observe(examples, gold, corpus, model, out or Path("runs") / model, calls, parallel=parallel)
    _show(folder, corpus, as_json=as_json)


@main.command()
@_gold
@corpus_option
@_part
@_calls
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs") / "record", show_default=True)
def record(
    *, gold: tuple[Path, ...], corpus: tuple[Path, ...], part: int | None, calls: Path | None, out: Path
) -> None:
    """Put the model's replies on tape, and the vectors of documents and questions; what is not used any more goes."""
    if calls is None:
        _observe(_examples(gold, "both", 0), gold, corpus, "extractive", out / "vectors", None, record=True)
    examples = _examples(gold, "both", part or 0)
    folder = _observe(examples, gold, corpus, "cassette", out / "calls", calls, record=True)
    _show(folder, corpus, as_json=False)


@main.command()
@run_argument
@_gold
@corpus_option
@_baseline
@json_option
def gate(*, run: Path, gold: tuple[Path, ...], corpus: tuple[Path, ...], baseline: Path | None, as_json: bool) -> None:
    """Exit 0 if RUN may pass, 1 with the reasons if it may not, 2 if that could not be judged."""
    from evals.gate import judge_run

    result = judge_run(score(run, gold, corpus), baseline)
    click.echo(msgspec.json.encode(result).decode() if as_json else str(result))
    sys.exit(RED if result.reasons else 0)


@main.command()
@run_argument
@corpus_option
@click.option("--why", required=True, help="What the new baseline is for; it is written into it.")
def accept(*, run: Path, corpus: tuple[Path, ...], why: str) -> None:
    """Make RUN the baseline of its mode."""
    from evals.baseline import accept as accept_run

    click.echo(f"wrote {accept_run(score(run, corpus=corpus), why)}")


@main.command()
@click.argument("first", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("second", type=click.Path(exists=True, file_okay=False, path_type=Path))
@corpus_option
@json_option
def compare(*, first: Path, second: Path, corpus: tuple[Path, ...], as_json: bool) -> None:
    """What SECOND does better and worse than FIRST, by metric and category."""
    from evals.compare import compare as compare_scores
    from evals.scoring import METRICS

    before, after = score(first, corpus=corpus), score(second, corpus=corpus)
    found = compare_scores(before.scores, after.scores, METRICS)
    click.echo(msgspec.json.encode(found).decode() if as_json else str(found))


@main.command()
@run_argument
@corpus_option
@_baseline
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="[RUN/report.html if none is named]")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--markdown", type=click.Path(dir_okay=False, path_type=Path))
def report(
    *,
    run: Path,
    corpus: tuple[Path, ...],
    baseline: Path | None,
    html: Path | None,
    junit: Path | None,
    markdown: Path | None,
) -> None:
    """One page about RUN for people, and forms of it for machines."""
    from evals.junit import junit as render_junit
    from evals.markdown import markdown as render_markdown
    from evals.report import render_html, report_data

    data = report_data(score(run, corpus=corpus), baseline)
    if html is None and junit is None and markdown is None:
        html = run / "report.html"
    for path, render in ((html, render_html), (junit, render_junit), (markdown, render_markdown)):
        if path is not None:
            path.write_text(render(data), "utf-8")
            click.echo(f"wrote {path}")


def _examples(gold: Sequence[Path], half: str, part: int) -> list[GoldExample]:
    from evals.dataset import gold_files, load, stratified

    examples = [e for e in load(gold or gold_files()) if half in (e.split, "both")]
    return stratified(examples, part) if part else examples


def _observe(
    examples: Sequence[GoldExample],
    gold: Sequence[Path],
    corpus: tuple[Path, ...],
    mode: Mode,
    out: Path,
    calls: Path | None,
    **more: Any,  # noqa: ANN401 - the fields of Setup
) -> Path:
    from evals.dataset import gold_files
    from evals.runner import CALLS, describe_run, run
    from evals.runs import RunFolder

    setup = setup_for(out, corpus, mode, calls=calls or CALLS, **more)
    folder = RunFolder(out)
    done = folder.begin(describe_run(setup, gold or gold_files(), examples), resume=not setup.record)
    with progress_bar() as progress:
        run(setup, examples, done, folder.keep, progress)
    return out


def _show(out: Path, corpus: Sequence[Path], *, as_json: bool) -> None:
    """Write the verdicts beside the observations and show the totals; exit 2 when an example could not be asked."""
    from evals.runs import RunFolder
    from evals.scoring import METRICS
    from evals.summary import summarise

    scored = score(out, corpus=corpus)
    summary = summarise(scored.scores, METRICS)
    RunFolder(out).write_scores(scored.scores, summary)
    click.echo(msgspec.json.encode(summary).decode() if as_json else str(summary))
    failed = [s for s in scored.samples if s.observation.error]
    for sample in failed[:10]:
        click.echo(f"error: {sample.example.id} {sample.example.question}: {sample.observation.error}", err=True)
    if failed:
        sys.exit(CANNOT_JUDGE)


if __name__ == "__main__":
    main()
