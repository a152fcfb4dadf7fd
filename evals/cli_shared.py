"""What the commands of `evals` share: options that mean the same in all, the settings of a run, the progress bar.

Knows no command. What is heavy is imported when it is called, so that `--help` is instant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

if TYPE_CHECKING:
    from evals.runner import Mode, Setup
    from evals.scoring import ScoredRun

CORPUS = Path("corpus") / "documents"

RED, CANNOT_JUDGE = 1, 2

corpus_option = click.option(
    "--corpus", type=click.Path(exists=True, path_type=Path), multiple=True, help=f"Documents [{CORPUS}]."
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
run_argument = click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))


def settings(out: Path) -> Any:  # noqa: ANN401 - Settings, imported late
    """The settings in force, with an index of the run's own."""
    from rag.settings import read_settings

    return msgspec.structs.replace(read_settings(), data_dir=str(out / "data"))


def setup_for(out: Path, corpus: tuple[Path, ...], mode: Mode, **more: Any) -> Setup:  # noqa: ANN401 - Setup's fields
    """How the documents, those of the project if none are named, are indexed and asked."""
    from evals.runner import Setup

    return Setup(settings(out), corpus or (CORPUS,), mode, **more)


def score(run: Path, gold: Sequence[Path] = (), corpus: Sequence[Path] = ()) -> ScoredRun:
    """The run, scored afresh from its observations."""
    from evals.runs import RunFolder
    from evals.scoring import score_run

    return score_run(RunFolder(run), gold, corpus)


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
