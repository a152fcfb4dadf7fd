"""The command `evals`: judge the service on gold questions, fit the evidence model.

Knows options. Running, scoring and fitting have files of their own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec

from evals.dataset import GOLD, GoldExample, load, resolve
from rag.ports import Embedder
from rag.retrieve.evidence import EvidenceModel, Profile
from rag.settings import Settings, read_settings

SEEDS = GOLD / "seeds"
CORPUS = Path("corpus") / "documents"
# The ranker is fitted on questions in simplified Chinese, the script of the documents.
_NOT_FITTED = frozenset({"english", "traditional"})


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Judge the service offline."""


@main.command()
@click.argument("pages", type=click.Path(exists=True, path_type=Path))
@click.option("--half", type=click.Choice(["dev", "test"]), default="dev", show_default=True)
@click.option(
    "--model", type=click.Choice(["extractive", "live"]), multiple=True, default=("extractive",), show_default=True
)
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/seeds"), show_default=True)
@click.option("--json", "as_json", is_flag=True)
def seeds(pages: Path, half: str, model: tuple[str, ...], out: Path, *, as_json: bool) -> None:
    """Ask the questions on the raw PAGES and print the figures of each MODEL, paired when there are two."""
    from evals.observe import index, observe, write
    from evals.scoring import score
    from evals.summary import paired, summary
    from rag.wiring import Service

    examples = load([SEEDS / f"{half}.jsonl"])
    runs = []
    with _progress() as progress:
        for name in model:
            settings = _settings(out, name)
            index(settings, [pages], progress)
            service = Service(settings)
            if name == "live" and service.drafter is None:
                raise click.ClickException("no language model is there to be judged; `make setup` fetches the weights")
            try:
                seen = observe(service, examples, progress)
                write(seen, out / f"{half}-{name}")
                with service.searchers.lend() as searcher:
                    documents = {d.id: d for d in searcher.catalogue.documents()}
                    golds = [resolve(e, searcher.catalogue, list(documents.values())) for e in examples]
                runs.append([score(e, s, g, documents) for e, s, g in zip(examples, seen, golds, strict=True)])
            finally:
                service.close()
    if as_json:
        shown = {name: {f.name: f for f in summary(run)} for name, run in zip(model, runs, strict=True)}
        sys.stdout.write(msgspec.json.encode(shown).decode() + "\n")
        return
    for name, run in zip(model, runs, strict=True):
        click.echo(f"\n{half} half, {name}:")
        for figure in summary(run):
            click.echo(f"  {figure}")
    if len(runs) == 2:  # noqa: PLR2004 - a pair
        click.echo(f"\n{model[0]} against {model[1]}: {paired(*runs)}")


@main.command()
@click.argument("pages", type=click.Path(exists=True, path_type=Path))
@click.option("--write", "write_it", is_flag=True, help="Replace the parameters shipped with the package.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/fit"), show_default=True)
def fit(pages: Path, out: Path, *, write_it: bool) -> None:
    """Fit the evidence model on all development questions, over the raw PAGES and over the corpus."""
    from evals import fit as fitting
    from evals.observe import PINNED, index
    from rag.wiring import build_embedder, build_store

    halves = {"pages": (pages, load([SEEDS / "dev.jsonl"])), "corpus": (CORPUS, corpus_dev())}
    models: dict[str, EvidenceModel] = {}
    embedder = build_embedder(_settings(out, "extractive"))
    with _progress() as progress:
        snapshots = []
        for name, (source, examples) in halves.items():
            settings = _settings(out / name, "extractive")
            index(settings, [source], progress)
            snapshots.append((build_store(settings).open_current(), examples))
    profiles: list[tuple[Profile, Embedder | None]] = [("hybrid", embedder), ("lexical", None)]
    for profile, used in profiles:
        data = [case for snapshot, examples in snapshots for case in fitting.cases(examples, snapshot, used, PINNED)]
        model, figures = fitting.fit(data, profile)
        models[profile] = model
        click.echo(f"{profile}: margin {model.margin}, threshold {model.threshold}")
        for name, value in figures.items():
            click.echo(f"  {name:<28} {value}")
    if write_it:
        fitting.write(models)


def corpus_dev() -> list[GoldExample]:
    """The development examples over the corpus that the evidence model is fitted on."""
    return [e for e in load(sorted(GOLD.glob("*.jsonl"))) if e.split == "dev" and e.category not in _NOT_FITTED]


def _settings(out: Path, model: str) -> Settings:
    """The settings in force, with an index of the run's own."""
    given = msgspec.structs.replace(read_settings(), data_dir=str(out / "data"))
    return msgspec.structs.replace(given, llm="extractive") if model == "extractive" else given


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    from rich.console import Console
    from rich.progress import Progress

    tasks: dict[str, Any] = {}
    with Progress(console=Console(stderr=True)) as bar:

        def advance(stage: str, done: int, total: int) -> None:
            if stage not in tasks or (done == 1 and total > 1):
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done, total=total)

        yield advance


if __name__ == "__main__":
    main()
