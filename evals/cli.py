"""The command `evals`: judge the service on gold questions, block a regression, fit the evidence model.

Knows options and exit statuses. Each command's work has a file of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
import msgspec

from rag.errors import YibaoError

if TYPE_CHECKING:
    from evals.dataset import GoldExample
    from evals.judge import TapeMode
    from evals.runner import Mode, Setup
    from evals.scoring import ScoredRun

CORPUS = Path("corpus") / "documents"
# A cassette run asks this many of each category, unless it is told to ask all.
PER_CATEGORY = 8
MODES = ("extractive", "cassette", "live")

RED, CANNOT_JUDGE = 1, 2

_gold = click.option(
    "--gold", type=click.Path(exists=True, dir_okay=False, path_type=Path), multiple=True, help="Gold files [all]."
)
_corpus = click.option(
    "--corpus", type=click.Path(exists=True, path_type=Path), multiple=True, help=f"Documents [{CORPUS}]."
)
_part = click.option(
    "--part", type=click.IntRange(0), help=f"So many of each category; 0 for all [cassette: {PER_CATEGORY}, else 0]."
)
_calls = click.option(
    "--calls", type=click.Path(dir_okay=False, path_type=Path), help="Tape of model calls [the one in the repository]."
)
_json = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
_run = click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
_baseline = click.option("--baseline", type=click.Path(exists=True, dir_okay=False, path_type=Path))


class _Group(click.Group):
    """Errors that are raised on purpose are shown as one line; a gate that could not judge exits 2."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as in click
        try:
            return super().invoke(ctx)
        except (YibaoError, ValueError, OSError) as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(CANNOT_JUDGE)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Judge the service offline."""


@main.command("run")
@_gold
@_corpus
@_part
@_calls
@_json
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
@_corpus
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
@_run
@_gold
@_corpus
@_baseline
@_json
def gate(*, run: Path, gold: tuple[Path, ...], corpus: tuple[Path, ...], baseline: Path | None, as_json: bool) -> None:
    """Exit 0 if RUN may pass, 1 with the reasons if it may not, 2 if that could not be judged."""
    from evals.gate import judge_run

    result = judge_run(_scored(run, gold, corpus), baseline)
    click.echo(msgspec.json.encode(result).decode() if as_json else str(result))
    sys.exit(RED if result.reasons else 0)


@main.command()
@_run
@_corpus
@click.option("--why", required=True, help="What the new baseline is for; it is written into it.")
def accept(*, run: Path, corpus: tuple[Path, ...], why: str) -> None:
    """Make RUN the baseline of its mode."""
    from evals.baseline import accept as accept_run

    click.echo(f"wrote {accept_run(_scored(run, corpus=corpus), why)}")


@main.command()
@click.argument("first", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("second", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_corpus
@_json
def compare(*, first: Path, second: Path, corpus: tuple[Path, ...], as_json: bool) -> None:
    """What SECOND does better and worse than FIRST, by metric and category."""
    from evals.compare import compare as compare_scores
    from evals.scoring import METRICS

    before, after = _scored(first, corpus=corpus), _scored(second, corpus=corpus)
    found = compare_scores(before.scores, after.scores, METRICS)
    click.echo(msgspec.json.encode(found).decode() if as_json else str(found))


@main.command()
@_run
@_corpus
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

    data = report_data(_scored(run, corpus=corpus), baseline)
    if html is None and junit is None and markdown is None:
        html = run / "report.html"
    for path, render in ((html, render_html), (junit, render_junit), (markdown, render_markdown)):
        if path is not None:
            path.write_text(render(data), "utf-8")
            click.echo(f"wrote {path}")


_judge_at = click.option("--base-url", envvar="EVALS_JUDGE_BASE_URL", help="A judge's server [the embedded model].")
_judge_model = click.option("--judge", envvar="EVALS_JUDGE_MODEL", help="The judge's model on that server.")
_taped = click.option(
    "--tape", type=click.Choice(["replay", "record", "live"]), default="record", show_default=True,
    help="Replies from the tape alone, from the tape and else asked and kept, or always asked.",
)  # fmt: skip


@main.command()
@_run
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

    shown = cases(_scored(run).samples)
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


@main.command()
@_judge_at
@_judge_model
@_taped
@_json
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


@main.command()
@_json
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


@main.command()
@_json
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Third-party texts, too.")
@click.option("--half", type=click.Choice(["dev", "test", "both"]), default="both", show_default=True)
def mutate(*, as_json: bool, data: Path | None, half: Literal["dev", "test", "both"]) -> None:
    """Change one thing in true claims, and see whether the verifier notices; exit 1 when a bar is missed."""
    from evals.mutate import mutate as mutate_claims

    report = mutate_claims(CORPUS, data, half)
    click.echo(msgspec.json.encode(report).decode() if as_json else str(report))
    sys.exit(0 if report.met else RED)


@main.command()
@click.argument("pages", type=click.Path(exists=True, path_type=Path))
@click.option("--write", "write_it", is_flag=True, help="Replace the parameters shipped with the package.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/fit"), show_default=True)
def fit(*, pages: Path, out: Path, write_it: bool) -> None:
    """Fit the evidence model on all development questions, over the raw PAGES and over the corpus."""
    from evals import fit as fitting

    halves = _taught(pages)
    with progress_bar() as progress:
        asked = [
            fitting.prepared(_setup(out / name, (source,), "extractive"), examples, progress)
            for name, (source, examples) in halves.items()
        ]
    fitted = {profile: fitting.fit_profile(asked, profile) for profile in fitting.PROFILES}
    for profile, (model, figures) in fitted.items():
        click.echo(f"{profile}: margin {model.margin}, threshold {model.threshold}")
        for name, value in figures.items():
            click.echo(f"  {name:<28} {value}")
    if write_it:
        fitting.write({profile: model for profile, (model, _) in fitted.items()})


def _taught(pages: Path) -> dict[str, tuple[Path, list[GoldExample]]]:
    """The development questions that ranking learns from, with the documents that they are about."""
    from evals import confusions
    from evals.dataset import SEEDS, corpus_dev, load
    from evals.runner import PINNED

    near = [confusions.as_gold(one, PINNED) for one in confusions.load() if one.split == "dev"]
    return {
        "pages": (pages, load([SEEDS / "dev.jsonl"])),
        "corpus": (CORPUS, corpus_dev()),
        "confusions": (confusions.FOLDER / "corpus", near),
    }


@main.command("fit-fusion")
@click.argument("pages", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("collections", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--write", "write_it", is_flag=True, help="Replace the weights shipped with the package.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs") / "fit", show_default=True)
def fit_fusion(*, pages: Path, collections: tuple[Path, ...], out: Path, write_it: bool) -> None:
    """Fit what joins the two rankings: over the raw PAGES, the corpus, and BEIR-like COLLECTIONS."""
    from evals import fit, fit_fusion
    from evals.collection import read_collection
    from evals.runner import PINNED

    sets = {}
    with progress_bar() as progress:
        for name, (source, examples) in _taught(pages).items():
            asked = fit.prepared(_setup(out / name, (source,), "extractive"), examples, progress)
            sets[name] = fit_fusion.own_lessons(asked)
        for folder in collections:
            found = read_collection(folder)
            sets[folder.name] = fit_fusion.foreign_lessons(found, _searchable(found, out, progress), PINNED)
    model, told = fit_fusion.fit(sets)
    for feature, weight in zip(model.linear.features, model.linear.weights, strict=True):
        click.echo(f"{feature:<12} {weight:+.3f}")
    for name, share in told.items():
        click.echo(f"hit@1 of the other half, {name}: {share}")
    if write_it:
        fit_fusion.write(model)


@main.command()
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@_json
@click.option(
    "--work",
    type=click.Path(path_type=Path),
    default=Path("runs") / "retrieval",
    show_default=True,
    help="Where vectors are kept, so that a second run is quick.",
)
@click.option(
    "--half",
    type=click.Choice(["all", "other"]),
    default="all",
    show_default=True,
    help="other: only the questions that `fit-fusion` does not fit on.",
)
def retrieval(*, folder: Path | None, as_json: bool, work: Path, half: str) -> None:
    """Compare BM25, vectors, their rank fusion and the service on a BEIR-like FOLDER.

    FOLDER holds corpus.jsonl {id, text, title?}, queries.jsonl {id, text} and qrels.jsonl {query_id, doc_id, score}.
    Without one: on the test half of the gold questions.
    """
    from evals.retrieval import judge, table

    with progress_bar() as progress:
        judged = judge(_asked_of(folder, half, work, progress))
    click.echo(msgspec.json.encode(judged.as_json()).decode() if as_json else table(judged))


def _asked_of(folder: Path | None, half: str, work: Path, progress: Any) -> Any:  # noqa: ANN401 - imported late
    from evals.collection import read_collection
    from evals.dataset import gold_files, load
    from evals.fit import prepared
    from evals.fit_fusion import is_shown
    from evals.retrieval import over_collection, over_gold
    from evals.runner import PINNED

    if folder is None:
        examples = [example for example in load(gold_files()) if example.split == "test"]
        return over_gold(prepared(_setup(work, (CORPUS,), "extractive"), examples, progress), progress)
    try:
        found = read_collection(folder)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if half == "other":
        found = msgspec.structs.replace(found, questions=tuple(q for q in found.questions if not is_shown(q.id)))
    return over_collection(found, _searchable(found, work, progress), PINNED, progress)


@main.command()
@_json
@click.option("--half", type=click.Choice(["dev", "test"]), default="test", show_default=True)
@click.option("--work", type=click.Path(path_type=Path), default=Path("runs") / "confusions", show_default=True)
def confusions(*, as_json: bool, half: str, work: Path) -> None:
    """Ask which of several near-identical rules is found first: of the right city, kind of insured, year."""
    from evals import confusions as near
    from evals.runner import build_taped_embedder, index
    from rag.searching import Searcher
    from rag.wiring import build_store

    setup = _setup(work, (near.FOLDER / "corpus",), "extractive")
    embedder = build_taped_embedder(setup)
    with progress_bar() as progress:
        index(setup, embedder, progress)
        searcher = Searcher(build_store(setup.settings).open_current(), embedder)
        asked = [one for one in near.load() if one.split == half]
        found = list(near.ask(searcher, asked, setup.clock, progress))
    click.echo(msgspec.json.encode(found).decode() if as_json else near.table(found))


@main.command("fit-triage")
@click.option("--write", "write_it", is_flag=True, help="Replace the parameters shipped with the package.")
def fit_triage(*, write_it: bool) -> None:
    """Fit the second look of triage on its labelled questions."""
    from evals import fit_triage as fitting
    from rag.wiring import build_embedder

    embedder = build_embedder(settings(Path("runs") / "fit"))
    if embedder is None:
        raise click.UsageError("the second look is made of an embedder's vectors; RAG_EMBEDDER=none has none")
    model, told = fitting.fit(embedder)
    for name, share in msgspec.structs.asdict(told).items():
        click.echo(f"{name:<16} {share}")
    if write_it:
        fitting.write(model)


def _searchable(found: Any, work: Path, progress: Any) -> Any:  # noqa: ANN401 - imported late
    from evals.collection import searchable
    from rag.wiring import build_embedder, build_storage, build_tokenizer

    given = settings(work)
    return searchable(found, build_tokenizer(given), build_embedder(given), build_storage(given), progress)


def settings(out: Path) -> Any:  # noqa: ANN401 - Settings, imported late
    """The settings in force, with an index of the run's own."""
    from rag.settings import read_settings

    return msgspec.structs.replace(read_settings(), data_dir=str(out / "data"))


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A bar a stage on standard error."""
    from rich.console import Console
    from rich.progress import Progress

    tasks: dict[str, Any] = {}
    with Progress(console=Console(stderr=True)) as bar:

        def advance(stage: str, done: int, total: int) -> None:
            if stage not in tasks or (done == 1 and total > 1):
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done, total=total)

        yield advance


def _examples(gold: Sequence[Path], half: str, part: int) -> list[GoldExample]:
    from evals.dataset import gold_files, load, stratified

    examples = [e for e in load(gold or gold_files()) if half in (e.split, "both")]
    return stratified(examples, part) if part else examples


def _setup(out: Path, corpus: tuple[Path, ...], mode: Mode, **more: Any) -> Setup:  # noqa: ANN401 - Setup's fields
    from evals.runner import Setup

    return Setup(settings(out), corpus or (CORPUS,), mode, **more)


def _observe(
    examples: Sequence[GoldExample],
    gold: Sequence[Path],
    corpus: tuple[Path, ...],
    mode: Mode,
    out: Path,
    calls: Path | None,
    **more: Any,  # noqa: ANN401 - as in `_setup`
) -> Path:
    from evals.dataset import gold_files
    from evals.runner import CALLS, describe_run, run
    from evals.runs import RunFolder

    setup = _setup(out, corpus, mode, calls=calls or CALLS, **more)
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

    scored = _scored(out, corpus=corpus)
    summary = summarise(scored.scores, METRICS)
    RunFolder(out).write_scores(scored.scores, summary)
    click.echo(msgspec.json.encode(summary).decode() if as_json else str(summary))
    failed = [s for s in scored.samples if s.observation.error]
    for sample in failed[:10]:
        click.echo(f"error: {sample.example.id} {sample.example.question}: {sample.observation.error}", err=True)
    if failed:
        sys.exit(CANNOT_JUDGE)


def _scored(run: Path, gold: Sequence[Path] = (), corpus: Sequence[Path] = ()) -> ScoredRun:
    from evals.runs import RunFolder
    from evals.scoring import score_run

    return score_run(RunFolder(run), gold, corpus)


if __name__ == "__main__":
    main()
