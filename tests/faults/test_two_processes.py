"""Several processes on one data folder: one writes, many read, and none gets in another's way."""

from __future__ import annotations

import time
from multiprocessing.context import ForkServerContext
from pathlib import Path

import msgspec
import pytest

from rag.snapshots import SnapshotStore
from tests.faults.conftest import Rag, write_files
from tests.faults.jobs import Job, ask, fill_cache, hold_open, ingest

READERS, ROUNDS, PATIENCE = 3, 40, 30


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.02)


def test_the_second_of_two_ingests_is_turned_away(
    processes: ForkServerContext, data: Path, tmp_path: Path, rag: Rag
) -> None:
    """The command says so at once, in one line and with status 1; the first one goes on and ends well."""
    folder = write_files(tmp_path / "in", 4, "另外")
    job = Job(data, folder, tmp_path / "told", slow=1.0)
    first = processes.Process(target=ingest, args=(job,))
    first.start()
    _wait_for(job.embedded)
    second = rag("ingest", folder)
    assert first.is_alive()
    assert (second.exit_code, second.stdout) == (1, "")
    assert second.stderr == "rag: another `rag ingest` is running on this index; wait for it to end\n"
    first.join()
    assert first.exitcode == 0


def test_readers_see_one_snapshot_or_the_other(
    processes: ForkServerContext, store: SnapshotStore, data: Path, tmp_path: Path
) -> None:
    """While ingests switch under them, readers in other processes never see a mixture or an error."""
    folder, until = write_files(tmp_path / "in", 2, "其一"), tmp_path / "until"
    told = [tmp_path / f"reader-{n}" for n in range(READERS)]
    readers = [processes.Process(target=ask, args=(data, until, path)) for path in told]
    for reader in readers:
        reader.start()
    held = {str(store.current_id())}
    for number, name in enumerate(("其二", "其三", "其四")):
        write_files(folder, 2, name)
        writer = processes.Process(target=ingest, args=(Job(data, folder, tmp_path / f"writer-{number}"),))
        writer.start()
        writer.join()
        assert writer.exitcode == 0
        held.add(str(store.current_id()))
    until.touch()
    for reader in readers:
        reader.join()
        assert reader.exitcode == 0
    seen = [msgspec.json.decode(path.read_bytes(), type=list[tuple[str, str]]) for path in told]
    assert all({snapshot for snapshot, _ in pairs} <= held for pairs in seen)
    assert all(len({snapshot for snapshot, _ in pairs}) == len(pairs) for pairs in seen), "one answer a snapshot"


def test_garbage_collection_spares_what_is_read(
    processes: ForkServerContext,
    store: SnapshotStore,
    data: Path,
    tmp_path: Path,
    rag: Rag,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A snapshot that another process has open stays, with a word on why, until that process is done."""
    opened, until, old = tmp_path / "opened", tmp_path / "until", str(store.current_id())
    reader = processes.Process(target=hold_open, args=(data, opened, until))
    reader.start()
    _wait_for(opened)
    for number in (1, 2):
        job = Job(data, write_files(tmp_path / "in", number, "新增"), tmp_path / f"told-{number}")
        writer = processes.Process(target=ingest, args=(job,))
        writer.start()
        writer.join()
    collected = rag("index", "gc")
    assert (collected.exit_code, collected.stdout) == (0, "")
    assert f"{old} is being read" in caplog.text
    until.touch()
    reader.join()
    assert reader.exitcode == 0
    assert rag("index", "gc").stdout == f"{old}\n"


def test_two_processes_use_one_cache(processes: ForkServerContext, tmp_path: Path) -> None:
    """Both put, get and trim at once; neither fails, and no vector is another text's."""
    path = tmp_path / "cache" / "vectors.sqlite"
    users = [processes.Process(target=fill_cache, args=(path, name, ROUNDS)) for name in ("甲", "乙")]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert [user.exitcode for user in users] == [0, 0]
