"""The commands that show what gold questions alone do not: a judging model, changed documents, changed claims.

Knows options and exit statuses. Each command's work has a file of its own.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
import msgspec

from evals.cli_shared import CORPUS, RED, json_option, progress_bar, run_argument, score, settings

if TYPE_CHECKING:
    from evals.judge import TapeMode
    from evals.runner import Mode

_judge_at = click.option("--base-url", envvar="EVALS_JUDGE_BASE_URL", help="A judge's server [the embedded model].")
_judge_model = click.option("--judge", envvar="EVALS_JUDGE_MODEL", help="The judge's model on that server.")
_taped = click.option(
    "--tape", type=click.Choice(["replay", "record", "live"]), default="record", show_default=True,
    help="Replies from the tape alone, from the tape and else asked and kept, or always asked.",
)  # fmt: skip


@click.command()
@run_argument
@_judge_at
@_judge_model
@_taped
@click.option("--metric", multiple=True, help="Judged metrics [all].")
@click.option("--dry-run", is_flag=True, help="Show the calls and what they would cost; ask nobody.")
@click.option("--price", type=(float, float), default=(0.0, 0.0), help="Of a million tokens in, and out.")
def judge(
    *,
    run: Path,
    base_url: str | None,
    judge: str | None,
    tape: TapeMode,
    metric: tuple[str, ...],
    dry_run: bool,
    price: tuple[float, float],
) -> None:
    """Have a language model judge the answers of RUN (ragas)."""
    from evals.judge import JUDGED, SURFACE, Price, cases, judge_run, plan, prompts, write_record
    from rag.wiring import build_tokenizer

    shown = cases(score(run).samples)
    names = metric or (*JUDGED, *SURFACE)
    if dry_run:
        for line in plan(names, shown, prompts(), build_tokenizer(settings(run)), Price(*price)):
            click.echo(line)
        return
    from evals.adapters.ragas import open_judge

    with open_judge(settings(run), tape, base_url, judge) as (spec, asked), progress_bar() as progress:
        lines = judge_run(run, shown, names, asked, parallel=spec.parallel, progress=progress)
    record = write_record(run, spec, lines, asked.spent, Price(*price))
    click.echo(f"judged {record.cases} answers: {record.spent}, cost {record.cost:.2f}")


@click.command()
@_judge_at
@_judge_model
@_taped
@json_option
@click.option("--part", type=click.IntRange(1), help="Only the first so many pairs.")
def calibrate(*, base_url: str | None, judge: str | None, tape: TapeMode, part: int | None, as_json: bool) -> None:
    """Hold a judge's word on hand-labelled pairs against the labels."""
    from evals.adapters.ragas import open_judge
    from evals.calibration import calibrate as calibrate_judge
    from evals.calibration import load_pairs

    given = settings(Path("runs") / "judge")
    with open_judge(given, tape, base_url, judge) as (spec, asked), progress_bar() as progress:
        found = calibrate_judge(spec.model, load_pairs()[:part], asked, parallel=spec.parallel, progress=progress)
    click.echo(msgspec.json.encode(found).decode() if as_json else str(found))


@click.command()
@json_option
@click.option("--model", type=click.Choice(["extractive", "live"]), default="extractive", show_default=True)
@click.option("--part", type=click.IntRange(1), help="Only so many of each kind of twin.")
@click.option("--work", type=click.Path(path_type=Path), default=Path("runs") / "counterfactual", show_default=True)
def counterfactual(*, as_json: bool, model: Mode, part: int | None, work: Path) -> None:
    """Change a document, and see whether the answer follows."""
    from evals.counterfactual import first_of_each, load_twins, report, run_twins

    twins = load_twins()
    asked = first_of_each(twins, part) if part else twins
    with progress_bar() as progress:
        result = report(run_twins(asked, CORPUS, settings(work), model, work, progress))
    click.echo(msgspec.json.encode(result).decode() if as_json else str(result))


@click.command()
@json_option
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Third-party texts, too.")
@click.option("--half", type=click.Choice(["dev", "test", "both"]), default="both", show_default=True)
def mutate(*, as_json: bool, data: Path | None, half: Literal["dev", "test", "both"]) -> None:
    """Change one thing in true claims, and see whether the verifier notices; exit 1 when a bar is missed."""
    from evals.mutate import mutate as mutate_claims

    report = mutate_claims(CORPUS, data, half)
    click.echo(msgspec.json.encode(report).decode() if as_json else str(report))
    sys.exit(0 if report.met else RED)
