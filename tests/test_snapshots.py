"""A snapshot is switched whole, verified before it is used, and written by one process at a time."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from rag.adapters.tiktoken import TiktokenTokenizer
from rag.errors import EmbedderMismatch, IndexDamaged, IndexMissing, WriterBusy
from rag.indexing import Indexer
from rag.ports import Storage
from rag.retrieve.lexical import LexicalIndex
from rag.snapshots import FORMAT, EmbedderStamp, Manifest, Snapshot, SnapshotStore, read_manifest, write_manifest
from rag.wiring import LocalStorage
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.storage import MemoryStorage
from tests.making import a_record

SENTENCES = 1_300  # above the thousand rows that Chroma would restore from its log
_HOLD = """
import sys
from pathlib import Path
from rag.snapshots import SnapshotStore
from rag.wiring import LocalStorage
data = Path(sys.argv[1])
with SnapshotStore(data, LocalStorage(data, None)).writer():
    print("held", flush=True)
    sys.stdin.read()
"""


def build(store: SnapshotStore, storage: Storage, snapshot_id: str, day: int) -> Path:
    """A snapshot of one file and without vectors."""
    folder = store.new_folder(snapshot_id)
    record = a_record("nursing", "护理补贴按月发放。")
    catalogue = storage.catalogue(folder / "catalogue.sqlite", create=True)
    catalogue.add(record)
    for part in ("chunks", "units"):
        LexicalIndex.build([record.text]).save(folder / "lexical" / part)
    created = dt.datetime(2031, 1, day, tzinfo=dt.UTC)
    write_manifest(folder, Manifest(snapshot_id, FORMAT, created, None, 1, 1, 1, catalogue.row_digest()))
    return folder


@pytest.fixture
def storage() -> MemoryStorage:
    """Files in memory."""
    return MemoryStorage()


@pytest.fixture
def store(tmp_path: Path, storage: MemoryStorage) -> SnapshotStore:
    """Three snapshots, `s1` to `s3`, none of them current."""
    made = SnapshotStore(tmp_path / "data", storage)
    for day in (2, 1, 3):
        build(made, storage, f"s{day}", day)
    return made


@pytest.fixture
def real(tmp_path: Path, tokenizer: TiktokenTokenizer) -> Snapshot:
    """An open snapshot on disk with SQLite and Chroma and more rows than Chroma's log holds."""
    (tmp_path / "in").mkdir()
    lines = "\n\n".join(f"第{n}档护理补贴每月{n * 7}元。" for n in range(SENTENCES))
    (tmp_path / "in" / "nursing.md").write_text(f"# 护理补贴\n\n{lines}\n", "utf-8")
    storage = LocalStorage(tmp_path / "data", None)
    store = SnapshotStore(tmp_path / "data", storage)
    Indexer(store, storage, tokenizer, FakeEmbedder(), lambda _: None, lambda *_: None).ingest([tmp_path / "in"])
    return store.open_current()


def _verified_elsewhere(snapshot: Snapshot) -> subprocess.CompletedProcess[str]:
    """The command's verdict: another process sees what is on disk and not what Chroma remembers."""
    data = snapshot.folder.parents[2]
    return subprocess.run(
        [sys.executable, "-m", "rag.cli", "index", "verify"],
        env=os.environ | {"RAG_DATA_DIR": str(data)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_snapshot_none_is_open(tmp_path: Path) -> None:
    """An empty data folder says what to do."""
    store = SnapshotStore(tmp_path, MemoryStorage())
    assert (store.current_id(), store.manifests()) == (None, [])
    with pytest.raises(IndexMissing, match="rag ingest"):
        store.open_current()


def test_snapshots_are_listed_oldest_first(store: SnapshotStore, storage: MemoryStorage) -> None:
    """By the time they were made, not by their names' or folders' order."""
    build(store, storage, "a-late-one", 4)
    assert [manifest.id for manifest in store.manifests()] == ["s1", "s2", "s3", "a-late-one"]


def test_a_folder_without_a_manifest_is_no_snapshot(store: SnapshotStore) -> None:
    """What a killed build left behind is neither listed nor activated."""
    store.new_folder("killed")
    assert "killed" not in [manifest.id for manifest in store.manifests()]
    with pytest.raises(IndexMissing, match="killed"):
        store.activate("killed")


def test_the_activated_snapshot_is_opened(store: SnapshotStore) -> None:
    """The pointer decides what a reader opens."""
    store.activate("s2")
    assert store.current_id() == "s2"
    assert store.open_current().manifest.id == "s2"


def test_an_unknown_snapshot_leaves_the_pointer_alone(store: SnapshotStore) -> None:
    """A typing error does not take the service down."""
    store.activate("s2")
    with pytest.raises(IndexMissing, match="no snapshot s9"):
        store.activate("s9")
    assert store.current_id() == "s2"


def test_rollback_goes_to_the_previous_one(store: SnapshotStore) -> None:
    """Back to the one before, and forth again."""
    store.activate("s1")
    store.activate("s3")
    assert store.rollback() == "s1" == store.current_id()
    assert store.rollback() == "s3"


def test_activating_twice_keeps_the_way_back(store: SnapshotStore) -> None:
    """The current one is never its own previous one."""
    store.activate("s1")
    store.activate("s3")
    store.activate("s3")
    assert store.rollback() == "s1"


def test_without_a_previous_one_there_is_no_way_back(store: SnapshotStore) -> None:
    """A first snapshot can't be rolled back."""
    store.activate("s1")
    with pytest.raises(IndexMissing, match="previous"):
        store.rollback()


def test_garbage_is_all_but_current_and_previous(store: SnapshotStore) -> None:
    """What is in use or one step back stays; killed builds go."""
    store.activate("s1")
    store.activate("s3")
    store.new_folder("killed")
    assert store.collect_garbage() == ["killed", "s2"]
    assert sorted(path.name for path in store.snapshots.iterdir()) == ["s1", "s3"]


def test_garbage_on_a_server_is_dropped_there(tmp_path: Path) -> None:
    """Vectors on a server do not go with their folder, so they are deleted by name; a build without any is no error."""
    storage = MemoryStorage()
    store = SnapshotStore(tmp_path, storage)
    for day in (1, 2):
        build(store, storage, f"s{day}", day)
    store.activate("s1")
    storage.vectors(tmp_path, "s2", create=True)
    store.new_folder("killed")
    assert store.collect_garbage() == ["killed", "s2"]
    assert storage.indexes == {}


@pytest.mark.parametrize("text", ["{", "[]", '{"previous": null}'])
def test_a_damaged_pointer_names_its_remedy(store: SnapshotStore, text: str) -> None:
    """A pointer that can't be read is damage, and the command in the message mends it."""
    store.activate("s1")
    (store.root / "CURRENT.json").write_text(text, "utf-8")
    with pytest.raises(IndexDamaged, match="rag index activate"):
        store.current_id()
    store.activate("s1")
    assert store.current_id() == "s1"


def test_no_half_written_pointer_is_left(store: SnapshotStore) -> None:
    """The pointer is replaced by a whole file; nothing else stays beside it."""
    store.activate("s1")
    assert sorted(path.name for path in store.root.iterdir()) == ["CURRENT.json", "pointer.lock", "snapshots"]
    assert json.loads((store.root / "CURRENT.json").read_text("utf-8")) == {"snapshot": "s1", "previous": None}


def test_a_second_writer_is_turned_away(tmp_path: Path) -> None:
    """While one process builds, another is told at once; afterwards it may."""
    command = [sys.executable, "-c", _HOLD, str(tmp_path)]
    store = SnapshotStore(tmp_path, MemoryStorage())
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(WriterBusy, match="another"), store.writer():
            pytest.fail("two writers at once")
        other.communicate()
    with store.writer():
        assert other.returncode == 0


def test_a_writer_that_fails_leaves_the_place_free(tmp_path: Path) -> None:
    """An exception while building does not lock the index."""
    store = SnapshotStore(tmp_path, MemoryStorage())
    with pytest.raises(RuntimeError, match="mid-way"), store.writer():
        raise RuntimeError("mid-way")
    with store.writer():
        assert store.current_id() is None


@pytest.mark.parametrize("text", ["", "{", '{"id": "s1"}'])
def test_a_manifest_that_cant_be_read_is_damage(store: SnapshotStore, text: str) -> None:
    """Empty, cut short or of another shape: said to be damaged, with the way to rebuild."""
    (store.snapshots / "s1" / "manifest.json").write_text(text, "utf-8")
    with pytest.raises(IndexDamaged, match="rag ingest"):
        read_manifest(store.snapshots / "s1")


def test_another_format_is_refused(store: SnapshotStore, storage: MemoryStorage) -> None:
    """A snapshot of a later version is not read as if it were of this one."""
    manifest = msgspec.structs.replace(read_manifest(store.snapshots / "s1"), format=FORMAT + 1)
    write_manifest(store.snapshots / "s1", manifest)
    with pytest.raises(IndexDamaged, match=f"has format {FORMAT + 1}, this version reads {FORMAT}"):
        Snapshot(store.snapshots / "s1", storage)


@pytest.mark.parametrize("part", ["chunks", "units"])
def test_a_lost_lexical_index_is_damage(store: SnapshotStore, part: str) -> None:
    """A snapshot without one of its BM25 indexes is not opened."""
    shutil.rmtree(store.snapshots / "s1" / "lexical" / part)
    store.activate("s1")
    with pytest.raises(IndexDamaged, match="lexical"):
        store.open_current()


def test_another_embedder_is_refused_by_both_names(store: SnapshotStore, storage: MemoryStorage) -> None:
    """Two models of one dimension are not mixed; the message names the one that built and the one in force."""
    folder = store.snapshots / "s1"
    storage.vectors(folder, "s1", create=True)
    write_manifest(folder, msgspec.structs.replace(read_manifest(folder), embedder=EmbedderStamp("old-model", 64)))
    with pytest.raises(EmbedderMismatch, match=r"old-model \(64 dimensions\).*new-model \(64 dimensions\)"):
        Snapshot(folder, storage).check_embedder(FakeEmbedder("new-model", 64))


def test_the_same_embedder_or_none_is_accepted(store: SnapshotStore, storage: MemoryStorage) -> None:
    """Without an embedder BM25 ranks, so nothing can be mixed."""
    folder = store.snapshots / "s1"
    storage.vectors(folder, "s1", create=True)
    write_manifest(folder, msgspec.structs.replace(read_manifest(folder), embedder=EmbedderStamp("old-model", 64)))
    snapshot = Snapshot(folder, storage)
    assert snapshot.check_embedder(FakeEmbedder("old-model", 64)) is None
    assert snapshot.check_embedder(None) is None


def test_a_whole_snapshot_verifies(real: Snapshot) -> None:
    """What was just built holds what its manifest says, here and in another process."""
    assert real.manifest.units == SENTENCES
    real.verify()
    real.close()
    done = _verified_elsewhere(real)
    assert (done.returncode, f"{SENTENCES} units verified" in done.stdout) == (0, True)


def test_lost_vector_files_are_found_by_verifying(real: Snapshot) -> None:
    """Chroma counts on when its files are gone; verifying says in one line which snapshot is damaged."""
    real.close()
    for segment in (path for path in (real.folder / "chroma").iterdir() if path.is_dir()):
        shutil.rmtree(segment)
    done = _verified_elsewhere(real)
    assert done.returncode == 1
    assert done.stderr.startswith("rag: ")
    assert real.manifest.id in done.stderr


def test_a_lost_chroma_folder_is_refused(real: Snapshot) -> None:
    """Without its vectors a snapshot is not served as one that has them."""
    real.close()
    shutil.rmtree(real.folder / "chroma")
    done = _verified_elsewhere(real)
    assert (done.returncode, f"{real.folder}/chroma" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM units WHERE position = 7",
        "UPDATE sources SET digest = 'x'",
        "UPDATE sources SET text = replace(text, '档', '级')",
    ],
)
def test_a_changed_catalogue_does_not_verify(real: Snapshot, change: str) -> None:
    """Rows that are lost, and a canonical text that no longer is what was ingested, are found."""
    real.close()
    storage = LocalStorage(real.folder.parents[2], None)
    with contextlib.closing(sqlite3.connect(real.folder / "catalogue.sqlite")) as db, db:
        db.execute(change)
    with pytest.raises(IndexDamaged, match=r"catalogue\.sqlite is not as it was written"):
        Snapshot(real.folder, storage)
    unsealed = msgspec.structs.replace(real.manifest, files={}, seal=None)  # as earlier versions wrote it
    (real.folder / "manifest.json").write_bytes(msgspec.json.encode(unsealed))
    changed = Snapshot(real.folder, storage)
    with pytest.raises(IndexDamaged, match="not those of the manifest"), contextlib.closing(changed):
        changed.verify()


def test_vectors_of_another_count_do_not_verify(real: Snapshot) -> None:
    """A row too many or too few in Chroma is found."""
    assert real.vectors is not None
    real.vectors.add_units(["stray#u0"], FakeEmbedder().passages(["多出来的一句。"]))
    with pytest.raises(IndexDamaged, match="rows instead of"), contextlib.closing(real):
        real.verify()
