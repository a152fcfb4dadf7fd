"""The commands that fit parameters, and those that measure what is found with them.

Knows options. Each command's work has a file of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from evals.cli_shared import CORPUS, json_option, progress_bar, settings, setup_for

if TYPE_CHECKING:
    from evals.dataset import GoldExample


@click.command()
@click.argument("pages", type=click.Path(exists=True, path_type=Path))
@click.option("--write", "write_it", is_flag=True, help="Replace the parameters shipped with the package.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/fit"), show_default=True)
def fit(*, pages: Path, out: Path, write_it: bool) -> None:
    """Fit the evidence model on all development questions, over the raw PAGES and over the corpus."""
    from evals import fit as fitting

    halves = _taught(pages)
    with progress_bar() as progress:
        asked = [
            fitting.prepared(setup_for(out / name, (source,), "extractive"), examples, progress)
            for name, (source, examples) in halves.items()
        ]
    fitted = {profile: fitting.fit_profile(asked, profile) for profile in fitting.PROFILES}
    for profile, (model, figures) in fitted.items():
        margins = ", ".join(f"{name} {value}" for name, value in msgspec.structs.asdict(model.margins).items())
        click.echo(f"{profile}: margins {margins}; threshold {model.threshold}")
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


@click.command("fit-fusion")
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
            asked = fit.prepared(setup_for(out / name, (source,), "extractive"), examples, progress)
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


@click.command()
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@json_option
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
        return over_gold(prepared(setup_for(work, (CORPUS,), "extractive"), examples, progress), progress)
    try:
        found = read_collection(folder)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if half == "other":
        found = msgspec.structs.replace(found, questions=tuple(q for q in found.questions if not is_shown(q.id)))
    return over_collection(found, _searchable(found, work, progress), PINNED, progress)


@click.command()
@json_option
@click.option("--half", type=click.Choice(["dev", "test"]), default="test", show_default=True)
@click.option("--fresh", is_flag=True, help="Ask the second set, all of which is for testing.")
@click.option("--work", type=click.Path(path_type=Path), default=Path("runs") / "confusions", show_default=True)
def confusions(*, as_json: bool, half: str, fresh: bool, work: Path) -> None:
    """Ask which of several near-identical rules is found first: of the right city, kind of insured, year."""
    from evals import confusions as near
    from evals.runner import build_taped_embedder, index
    from rag.searching import Searcher
    from rag.wiring import build_store

    folder = near.FRESH if fresh else near.FOLDER
    setup = setup_for(work / folder.name, (folder / "corpus",), "extractive")
    embedder = build_taped_embedder(setup)
    with progress_bar() as progress:
        index(setup, embedder, progress)
        searcher = Searcher(build_store(setup.settings).open_current(), embedder)
        asked = [one for one in near.load(folder) if one.split == half]
        found = list(near.ask(searcher, asked, setup.clock, progress))
    click.echo(msgspec.json.encode(found).decode() if as_json else near.table(found))


@click.command()
@json_option
@click.option(
    "--budget", type=click.IntRange(1), multiple=True, help="Tokens for a model that chooses [its usual ones]."
)
@click.option("--half", type=click.Choice(["dev", "test"]), default="test", show_default=True)
@click.option("--work", type=click.Path(path_type=Path), default=Path("runs") / "context", show_default=True)
def context(*, as_json: bool, budget: tuple[int, ...], half: str, work: Path) -> None:
    """Measure what a model is shown for the gold questions: evidence, how far up it is, tokens."""
    from evals.context import found, judge
    from evals.dataset import gold_files, load
    from evals.fit import prepared
    from rag.wiring import build_tokenizer

    examples = [example for example in load(gold_files()) if example.split == half]
    setup = setup_for(work, (CORPUS,), "extractive")
    with progress_bar() as progress:
        judged = judge(
            list(found(prepared(setup, examples, progress), progress)), budget, build_tokenizer(setup.settings)
        )
    click.echo(msgspec.json.encode(judged).decode() if as_json else str(judged))


@click.command("fit-triage")
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
