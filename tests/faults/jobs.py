"""What runs in processes of their own and may be killed there: an ingest, a reader, a user of the cache.

The ingest is the real one but for its embedder, which hashes and writes down what it was asked for.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from rag.adapters.sqlite import SqliteVectorCache
from rag.indexing import Indexer
from rag.ports import Vectors
from rag.searching import CurrentSearcher
from rag.snapshots import SnapshotStore
from rag.wiring import LocalStorage
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.tokenizer import CharacterTokenizer

# What an ingest does to the disk and what it tells: between any two of these it may be killed.
EVENTS = frozenset({"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "sqlite3.connect", "rag.progress"})


class Job(msgspec.Struct, frozen=True):
    """An ingest of `folder` into `data`. It kills itself before event `killed_at` and tells its events in `told`."""

    data: Path
    folder: Path
    told: Path
    killed_at: int | None = None
    slow: float = 0.0

    @property
    def embedded(self) -> Path:
        """Every text that was embedded, a line each."""
        return self.told.with_suffix(".embedded")


class _WritingEmbedder(FakeEmbedder):
    """Writes down at once what it is asked for, so that it outlives a kill."""

    def __init__(self, path: Path, slow: float) -> None:
        super().__init__()
        self._path, self._slow = path, slow

    def passages(self, texts: Sequence[str]) -> Vectors:
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(repr(text) + "\n" for text in texts)
        time.sleep(self._slow)
        return super().passages(texts)


def ingest(job: Job) -> None:
    """Do the job; the events, with the stage they fell in, are in `job.told` if it ends by itself."""
    stage, events = "start", []

    def progress(name: str, done: int, total: int) -> None:
        nonlocal stage
        stage = f"{name} done" if done == total else name
        sys.audit("rag.progress")

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event not in EVENTS or (event == "open" and not _below(arguments[0], job.data)):
            return
        events.append(stage)
        if len(events) == job.killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    storage = LocalStorage(job.data, None)
    store = SnapshotStore(job.data, storage)
    embedder = _WritingEmbedder(job.embedded, job.slow)
    indexer = Indexer(store, storage, CharacterTokenizer(), embedder, lambda _: None, progress)
    sys.addaudithook(hook)
    indexer.ingest([job.folder], prune=True)
    job.told.write_bytes(msgspec.json.encode(events))


def _below(path: object, folder: Path) -> bool:
    return isinstance(path, str | Path) and str(path).startswith(str(folder))


def ask(data: Path, until: Path, told: Path) -> None:
    """Ask until the file `until` is there; write down the sets of snapshots and of answers that were seen."""
    seen: set[tuple[str, str]] = set()
    searchers = CurrentSearcher(SnapshotStore(data, LocalStorage(data, None)), FakeEmbedder())
    while not until.exists():
        with searchers.lend() as searcher:
            unit = searcher.snapshot.catalogue.unit_ids()[-1]
            chunk = unit.rpartition("#")[0] + "#c0"
            (found,) = searcher.snapshot.catalogue.chunks_by_id([chunk])
            seen.add((searcher.snapshot.manifest.id, found.text))
    searchers.close()
    told.write_bytes(msgspec.json.encode(sorted(seen)))


def hold_open(data: Path, opened: Path, until: Path) -> None:
    """Open the current snapshot, say so, and ask it again once `until` is there."""
    snapshot = SnapshotStore(data, LocalStorage(data, None)).open_current()
    opened.write_text(snapshot.manifest.id)
    while not until.exists():
        time.sleep(0.02)
    snapshot.verify()
    snapshot.close()


def fill_cache(path: Path, name: str, rounds: int) -> None:
    """Put vectors and get them, own ones and those that the others put, and check each."""
    embedder = FakeEmbedder()
    cache = SqliteVectorCache(path, 200_000)
    for number in range(rounds):
        texts = [f"{name}的第{number}句", f"大家的第{number}句"]
        cache.put("e", texts, embedder.passages(texts))
        for text, vector in cache.get("e", texts).items():
            if vector.tolist() != embedder.query(text).tolist():
                raise AssertionError(text)
        if number % 10 == 0:
            cache.trim()
    cache.close()
