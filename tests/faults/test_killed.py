"""kill -9 of an ingest, anywhere: the old snapshot answers, and the next ingest goes on where this one was."""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
from multiprocessing.context import ForkServerContext
from pathlib import Path

import msgspec
import pytest

from rag.snapshots import SnapshotStore
from rag.wiring import LocalStorage
from tests.faults.conftest import Rag, write_files
from tests.faults.jobs import Job, ingest

SEED, KILLS = 20_261_123, 20
BATCH = 16  # texts that may have been embedded and not yet been kept when the kill came


class Course(msgspec.Struct, frozen=True):
    """How the ingest goes when nobody kills it: the stage of each event, and the rows it makes."""

    stages: list[str]
    rows: str


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is ingested over the good index of four files: eight more."""
    return write_files(tmp_path_factory.mktemp("killed") / "in", 8, "后来")


@pytest.fixture(scope="module")
def course(processes: ForkServerContext, base: Path, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The undisturbed course."""
    place = tmp_path_factory.mktemp("course")
    shutil.copytree(base / "data", place / "data")
    job = Job(place / "data", folder, place / "told")
    assert _exit_code(processes, job) == 0
    snapshot = SnapshotStore(job.data, LocalStorage(job.data, None)).open_current()
    with contextlib.closing(snapshot):
        return Course(msgspec.json.decode(job.told.read_bytes(), type=list[str]), snapshot.manifest.row_digest)


def _exit_code(processes: ForkServerContext, job: Job) -> int | None:
    process = processes.Process(target=ingest, args=(job,))
    process.start()
    process.join()
    return process.exitcode


def _moment(course: Course, number: int) -> int:
    """The event before which the `number`-th kill comes: the stages in turn, at random within each."""
    stages = list(dict.fromkeys(course.stages))
    stage = stages[number % len(stages)]
    at = [n for n, name in enumerate(course.stages, 1) if name == stage]
    return random.Random(SEED + number).choice(at)  # noqa: S311 - nothing secret


@pytest.mark.parametrize("number", range(KILLS))
def test_a_killed_ingest_does_no_harm(
    processes: ForkServerContext,
    course: Course,
    store: SnapshotStore,
    folder: Path,
    tmp_path: Path,
    rag: Rag,
    number: int,
) -> None:
    """What was in force answers, the next ingest embeds only what is missing, and gc removes the remains."""
    before = store.current_id()
    killed = Job(store.root.parent, folder, tmp_path / "killed", _moment(course, number))
    assert _exit_code(processes, killed) == -signal.SIGKILL
    listed = rag("index", "list")
    assert (listed.exit_code, listed.stderr) == (0, "")
    with contextlib.closing(store.open_current()) as snapshot:
        snapshot.verify()
        assert snapshot.manifest.id == before or snapshot.manifest.row_digest == course.rows
    resumed = Job(store.root.parent, folder, tmp_path / "resumed")
    assert _exit_code(processes, resumed) == 0
    assert len(_lines(killed.embedded) & _lines(resumed.embedded)) <= BATCH
    with contextlib.closing(store.open_current()) as snapshot:
        snapshot.verify()
        assert snapshot.manifest.row_digest == course.rows
    assert rag("index", "gc").exit_code == 0
    pointer = store.pointer()
    assert {path.name for path in store.snapshots.iterdir()} == {pointer.snapshot, pointer.previous}


def test_kills_come_in_every_stage(course: Course) -> None:
    """Reading, writing, terms, vectors, sealing and switching all have their share of the twenty."""
    hit = {course.stages[_moment(course, number) - 1] for number in range(KILLS)}
    assert hit == set(course.stages)
    assert {"start", "读取", "写入", "检索词", "嵌入", "嵌入 done", "核对 done"} <= hit


def _lines(path: Path) -> set[str]:
    return set(path.read_text("utf-8").splitlines()) if path.exists() else set()
