"""Immutable index snapshots: folders built apart, verified, then made current by replacing one pointer file.

    index/CURRENT.json                     {"snapshot": ID, "previous": ID | null}
    index/snapshots/ID/manifest.json       what it holds, which embedder, checksums of its files, hashes over its rows
    index/snapshots/ID/catalogue.sqlite    texts, documents, chunks, units
    index/snapshots/ID/chroma/             vectors (on a server: two collections named after ID)
    index/snapshots/ID/lexical/            BM25 over chunks and over units

Knows the life of a snapshot and how one is opened. What goes into one is the job of `building`, what is written down of
it that of `manifests`.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import filelock
import msgspec
import numpy as np

from rag.domain import Value
from rag.errors import REBUILD, EmbedderMismatch, IndexDamaged, IndexMissing, OperatorError, WriterBusy
from rag.manifests import (
    FORMAT,
    MANIFEST,
    EmbedderStamp,
    Manifest,
    check_files,
    folder_bytes,
    read_manifest,
    sync,
    write_manifest,
)
from rag.ports import Embedder, Storage, VectorFile, Vectors
from rag.retrieve.lexical import LexicalIndex

# Whoever handles snapshots has their manifests from here.
__all__ = [
    "FORMAT",
    "EmbedderStamp",
    "Listed",
    "Manifest",
    "Pointer",
    "Snapshot",
    "SnapshotStore",
    "check_embedder",
    "check_whole",
    "read_manifest",
    "write_manifest",
]

log = logging.getLogger("rag")

_SELF_QUERIES = 200
_SAME = 0.999
_POINTER_SECONDS = 60
_CHOOSE = "`rag index list` shows what there is, `rag index activate ID` chooses"


class Pointer(Value):
    """What the pointer file names."""

    snapshot: str | None
    previous: str | None


class Snapshot:
    """An open snapshot; only read.

    `units_embedded` says whether `vectors` holds the units too: not where there are no vectors at all, and not in an
    index of so many units that only its chunks were embedded.
    """

    def __init__(self, folder: Path, storage: Storage) -> None:
        """Open `folder`. While it is open, garbage collection leaves it alone.

        Raises:
            IndexDamaged: a part is missing, can't be read or disagrees with the manifest.
            VectorsUnreachable: the vectors are on a server that does not answer.
        """
        self.folder = folder
        self.manifest = read_manifest(folder)
        self._leave = weakref.finalize(self, os.close, _reading(folder))
        self._closers: list[Callable[[], None]] = [self._leave]
        try:
            self._open(storage)
        except IndexDamaged as error:
            self.close()
            raise self._damaged(error) from error
        except BaseException:
            self.close()
            raise

    def _open(self, storage: Storage) -> None:
        folder, made = self.folder, self.manifest
        check_whole(folder, made, storage)
        self.catalogue = storage.catalogue(folder / "catalogue.sqlite")
        self._closers.append(self.catalogue.close)
        self.lexical_chunks = LexicalIndex.load(folder / "lexical" / "chunks", made.chunks)
        self.lexical_units = LexicalIndex.load(folder / "lexical" / "units", made.units)
        self.vectors: VectorFile | None = None
        if made.embedder and made.chunks:
            self.vectors = storage.vectors(folder / "chroma", made.id)
            self._closers.append(self.vectors.close)
        self.units_embedded = self.vectors is not None and made.units_embedded

    def check_embedder(self, embedder: Embedder | None) -> None:
        """Compare the embedder in force with the one that made the vectors.

        Raises:
            EmbedderMismatch: they differ; both are named.
        """
        check_embedder(self.manifest, embedder)

    def verify(self) -> None:
        """Compare every part with the manifest and search for the snapshot's own rows.

        Raises:
            IndexDamaged: what differs, and how to rebuild.
        """
        try:
            self._verify()
        except IndexDamaged as error:
            raise self._damaged(error) from error

    def _verify(self) -> None:
        made = self.manifest
        check_files(self.folder, made, thoroughly=True)
        if self.catalogue.row_digest() != made.row_digest:
            raise IndexDamaged("the catalogue's rows are not those of the manifest")
        if self.vectors is None:
            return
        expected = (made.chunks, made.units if made.units_embedded else 0)
        if self.vectors.counts() != expected:
            raise IndexDamaged(f"Chroma holds {self.vectors.counts()} rows instead of {expected}")
        _search_itself(self.catalogue.chunk_ids(), self.vectors.chunk_vectors, self.vectors.nearest_chunk)
        if made.units_embedded:
            _search_itself(self.catalogue.unit_ids(), self.vectors.unit_vectors, self.vectors.nearest_unit)

    def close(self) -> None:
        """Release all files."""
        while self._closers:
            self._closers.pop()()

    def _damaged(self, error: IndexDamaged) -> IndexDamaged:
        return IndexDamaged(f"snapshot {self.manifest.id}: {error.what}", error.remedy)


def _search_itself(
    ids: list[str], vectors_of: Callable[[Sequence[str]], Vectors], nearest: Callable[[Vectors], str | None]
) -> None:
    """Up to 200 rows, evenly spread, must be found by their own vectors."""
    sample = [ids[i] for i in sorted({int(i) for i in np.linspace(0, len(ids) - 1, _SELF_QUERIES)})]
    for row_id, vector in zip(sample, vectors_of(sample), strict=True):
        near = nearest(vector)
        found = vectors_of([near])[0] if near else np.zeros_like(vector)
        if float(found @ vector) < _SAME:  # equal texts have equal vectors, so ids may differ
            raise IndexDamaged(f"the vector of {row_id} is not found by searching for it")


def check_whole(folder: Path, made: Manifest, storage: Storage) -> None:
    """Compare what lies in a snapshot's folder with its manifest, as far as that is quick; nobody need have it open.

    Raises:
        IndexDamaged: a file is missing or not as it was written; it is named.
    """
    check_files(folder, made)
    # Chroma rewrites its database whenever it is opened, so its rows are compared, and before Chroma trips over them.
    if made.vector_rows is not None and storage.vector_rows(folder / "chroma") != made.vector_rows:
        raise IndexDamaged(f"the rows in {folder / 'chroma'} are not those of the manifest")


def check_embedder(manifest: Manifest, embedder: Embedder | None) -> None:
    """Compare the embedder in force with the one that made a snapshot's vectors.

    Raises:
        EmbedderMismatch: they differ; both are named.
    """
    made, used = manifest.embedder, embedder
    if made is None or used is None or (made.id, made.dimension) == (used.id, used.dimension):
        return
    raise EmbedderMismatch(
        f"the index was built with the embedder {made.id} ({made.dimension} dimensions), in force is {used.id} "
        f"({used.dimension} dimensions); set RAG_EMBEDDER back, or {REBUILD}"
    )


class Listed(Value):
    """A snapshot as it is listed: its manifest and what it takes on this disk, in bytes."""

    manifest: Manifest
    size: int


class SnapshotStore:
    """All snapshots below one data folder, and which is current."""

    def __init__(self, data: Path, storage: Storage) -> None:
        self.root = data / "index"
        self.snapshots = self.root / "snapshots"
        self._pointer = self.root / "CURRENT.json"
        self._storage = storage

    def current_id(self) -> str | None:
        """The id of the current snapshot, if there is one."""
        return self.pointer().snapshot

    def pointer(self) -> Pointer:
        """Which snapshot is current, and which was before.

        Raises:
            IndexDamaged: the file that says so can't be read.
        """
        try:
            return msgspec.json.decode(self._pointer.read_bytes(), type=Pointer)
        except FileNotFoundError:
            return Pointer(None, None)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise IndexDamaged(f"{self._pointer} can't be read: {error}", _CHOOSE) from error

    def open_current(self) -> Snapshot:
        """Open the current snapshot.

        Raises:
            IndexMissing: nothing was ingested yet.
            IndexDamaged: it can't be opened.
        """
        current = self._current()
        while True:
            try:
                return Snapshot(self.snapshots / current, self._storage)
            except IndexDamaged:
                # Between reading the pointer and opening, it may have moved on and the folder may have been collected.
                opened, current = current, self._current()
                if current == opened:
                    raise

    def _current(self) -> str:
        current = self.current_id()
        if current is None:
            raise IndexMissing(f"no index in {self.root}; build one with `rag ingest PATH...`")
        if not (self.snapshots / current).is_dir():
            raise IndexDamaged(f"{self._pointer} names {current}, which is not there", _CHOOSE)
        return current

    def manifests(self) -> list[Manifest]:
        """Manifests of all snapshots, oldest first. One that can't be read is left out, with a warning."""
        return [listed.manifest for listed in self.listed(sizes=False)]

    def listed(self, *, sizes: bool = True) -> list[Listed]:
        """All snapshots, oldest first. One whose manifest can't be read is left out, with a warning."""
        found = []
        for folder in self._folders():
            if not (folder / MANIFEST).exists():
                continue
            try:
                found.append(Listed(read_manifest(folder), folder_bytes(folder) if sizes else 0))
            except IndexDamaged as error:
                log.warning("%s", error)
        return sorted(found, key=lambda one: one.manifest.created)

    def activate(self, snapshot_id: str) -> None:
        """Make a snapshot current, atomically. Readers see the old one or the new one.

        Raises:
            IndexMissing: there is no such snapshot.
            IndexDamaged: its manifest can't be read.
        """
        with self._pointing():
            if not (self.snapshots / snapshot_id / MANIFEST).exists():
                raise IndexMissing(f"no snapshot {snapshot_id}; `rag index list` shows what there is")
            read_manifest(self.snapshots / snapshot_id)
            self._point(Pointer(snapshot_id, self._before(snapshot_id)))

    def _before(self, snapshot_id: str) -> str | None:
        """What is previous once `snapshot_id` is current."""
        try:
            now = self.pointer()
        except IndexDamaged:
            return None  # the pointer is written anew
        return now.previous if now.snapshot == snapshot_id else now.snapshot

    def _point(self, pointer: Pointer) -> None:
        partial = self._pointer.with_suffix(".partial")
        partial.write_bytes(msgspec.json.encode(pointer))
        sync(partial)
        os.replace(partial, self._pointer)
        sync(self.root)

    def rollback(self) -> str:
        """Make the previous snapshot current and return its id.

        Raises:
            IndexMissing: there is none.
        """
        previous = self.pointer().previous
        if previous is None:
            raise IndexMissing("there is no previous snapshot to go back to")
        self.activate(previous)
        return previous

    def collect_garbage(self) -> list[str]:
        """Delete every snapshot but the current and the previous one, and what killed builds left behind.

        One that somebody is reading is left for the next time, with a warning.

        Raises:
            VectorsUnreachable: the vectors are on a server that does not answer; the snapshots stay whole.
        """
        removed = []
        with self._pointing():
            pointer = self.pointer()
            for folder in self._folders():
                if folder.name in {pointer.snapshot, pointer.previous}:
                    continue
                with _alone(folder) as alone:
                    if alone:
                        self._delete(folder)
                        removed.append(folder.name)
                    else:
                        log.warning("snapshot %s is being read and stays for now", folder.name)
        return removed

    def discard(self, snapshot_id: str) -> None:
        """Delete a build that failed. What can't be deleted now is left to garbage collection."""
        try:
            self._delete(self.snapshots / snapshot_id)
        except (OperatorError, OSError) as error:
            log.warning("what was built of %s is left to `rag index gc`: %s", snapshot_id, error)

    def _delete(self, folder: Path) -> None:
        self._storage.drop_vectors(folder.name)
        shutil.rmtree(folder)

    def new_folder(self, snapshot_id: str) -> Path:
        """An empty folder to build a snapshot in; it counts as a snapshot only once its manifest is written."""
        folder = self.snapshots / snapshot_id
        folder.mkdir(parents=True)
        return folder

    @contextmanager
    def writer(self) -> Iterator[None]:
        """Hold the one writer's place.

        Raises:
            WriterBusy: another process is building.
        """
        with self._locked("writer.lock", 0, "another `rag ingest` is running on this index; wait for it to end"):
            yield

    def _pointing(self) -> AbstractContextManager[None]:
        """Hold the pointer still while it is replaced, or while is deleted what it does not name."""
        return self._locked("pointer.lock", _POINTER_SECONDS, "another process holds the pointer of this index")

    @contextmanager
    def _locked(self, name: str, seconds: float, busy: str) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(self.root / name)
        try:
            lock.acquire(timeout=seconds)
        except filelock.Timeout as error:
            raise WriterBusy(busy) from error
        try:
            yield
        finally:
            lock.release()

    def _folders(self) -> list[Path]:
        return sorted(p for p in self.snapshots.iterdir() if p.is_dir()) if self.snapshots.exists() else []


def _reading(folder: Path) -> int:
    """A descriptor that keeps garbage collection away until it is closed, by whatever end of its process."""
    try:
        descriptor = os.open(folder / MANIFEST, os.O_RDONLY)
    except OSError as error:
        raise IndexDamaged(f"{folder / MANIFEST} can't be read: {error.strerror}") from error
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether nobody is reading the snapshot; nobody begins to before this ends."""
    if not (folder / MANIFEST).exists():
        yield True  # a killed build: nobody can open it
        return
    descriptor = os.open(folder / MANIFEST, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)
