"""A small index to damage, and processes that start in an instant because everything is imported already."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rag.cli import main
from rag.snapshots import SnapshotStore
from rag.wiring import LocalStorage
from tests.faults.jobs import Job, ingest

Rag = Callable[..., Result]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def processes() -> ForkServerContext:
    """Makes processes that fork from one that has loaded what they need and started nothing."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.jobs", "rag.adapters.chroma"])
    return context


def write_files(folder: Path, count: int, name: str) -> Path:
    """`count` files of twelve sentences each; those of another `name` are other documents."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        lines = "\n\n".join(f"{name}第{number}项补贴第{line}档每月{number * 100 + line}元。" for line in range(12))
        (folder / f"{name}{number}.md").write_text(f"# {name}第{number}项补贴\n\n{lines}\n", "utf-8")
    return folder


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory, processes: ForkServerContext) -> Path:
    """A data folder with one good snapshot of four files, which lie in `in` beside it; for copying."""
    place = tmp_path_factory.mktemp("base")
    job = Job(place / "data", write_files(place / "in", 4, "原来"), place / "told")
    process = processes.Process(target=ingest, args=(job,))
    process.start()
    process.join()
    assert process.exitcode == 0
    return place


@pytest.fixture
def data(base: Path, tmp_path: Path) -> Path:
    """A copy of the good data folder, for a test to harm; its files lie in `in` beside it."""
    # The snapshot names files by absolute paths, so the documents stay where they were ingested from.
    return Path(shutil.copytree(base / "data", tmp_path / "data"))


@pytest.fixture
def store(data: Path) -> SnapshotStore:
    """The copy, seen from inside."""
    return SnapshotStore(data, LocalStorage(data, None))


@pytest.fixture
def rag(data: Path, model_dir: Path) -> Rag:
    """Runs the command on the copy; BM25 alone ranks, whose results need no embedder."""

    def run(*arguments: str | Path, **settings: str) -> Result:
        others: dict[str, str | None] = {name: None for name in os.environ if name.startswith("RAG_")}
        own = {
            "RAG_DATA_DIR": str(data),
            "RAG_MODEL_DIR": str(model_dir),
            "RAG_PROMPT_DIR": str(ROOT / "prompts"),
            "RAG_EMBEDDER": "none",
            "RAG_LLM": "extractive",
        }
        return CliRunner().invoke(main, [str(a) for a in arguments], env=others | own | settings)

    return run
