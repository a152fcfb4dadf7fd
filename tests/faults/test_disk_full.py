"""No room: the error says so, the old snapshot answers, and with room again the next ingest works.

Chroma writes whenever it opens its folder: on a disk without a single free page whoever has the snapshot open goes on,
and whoever comes new is told that there is no space.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.errors import DiskFull
from rag.indexing import Indexer
from rag.snapshots import SnapshotStore
from rag.wiring import LocalStorage
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.tokenizer import CharacterTokenizer
from tests.faults.conftest import write_files

MEGABYTES = 24


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of a few megabytes."""
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or mount is None or unmount is None:
        pytest.skip("only root may mount a small file system")
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"no small file system can be mounted here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run([unmount, "-l", str(place)], check=True)


def indexer(data: Path, store: SnapshotStore) -> Indexer:
    """The real one but for its embedder."""
    storage = LocalStorage(data, None)
    return Indexer(store, storage, CharacterTokenizer(), FakeEmbedder(dimension=384), lambda _: None, lambda *_: None)


@pytest.mark.parametrize("free", [0, 200, 900, 1_800, 3_000, 4_500])
def test_a_full_disk_leaves_the_old_snapshot_in_force(small_disk: Path, tmp_path: Path, free: int) -> None:
    """With `free` kilobytes left the ingest fails with the reason; nothing half-made stays; with room it works."""
    store = SnapshotStore(small_disk, LocalStorage(small_disk, None))
    first = write_files(tmp_path / "in", 2, "起初")
    before = indexer(small_disk, store).ingest([first]).snapshot
    write_files(first, 60, "更多")
    ballast = small_disk / "ballast"
    with contextlib.closing(store.open_current()) as serving:
        _fill(ballast, free)
        with pytest.raises(DiskFull, match=r"no space left.*rag index gc"):
            indexer(small_disk, store).ingest([first])
        assert store.current_id() == before
        assert [path.name for path in store.snapshots.iterdir()] == [before]
        serving.verify()
    ballast.unlink()
    after = indexer(small_disk, store).ingest([first])
    assert (after.documents, after.snapshot != before) == (62, True)


def test_on_a_disk_without_a_free_page_opening_says_so(small_disk: Path, tmp_path: Path) -> None:
    """It is not taken for damage: nobody is told to rebuild what is whole."""
    store = SnapshotStore(small_disk, LocalStorage(small_disk, None))
    indexer(small_disk, store).ingest([write_files(tmp_path / "in", 2, "起初")])
    _fill(small_disk / "ballast", 0)
    with pytest.raises(DiskFull, match="no space left"):
        store.open_current()


def _fill(ballast: Path, free: int) -> None:
    """Write until only `free` kilobytes are left."""
    place = os.statvfs(ballast.parent)
    with ballast.open("wb") as file:
        file.write(bytes(max(place.f_bavail * place.f_frsize - free * 1024, 0)))
