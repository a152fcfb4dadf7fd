"""Immutable index snapshots: folders built apart, verified, then made current by replacing one pointer file.

    index/CURRENT.json                     {"snapshot": ID, "previous": ID | null}
    index/snapshots/ID/manifest.json       what it holds, which embedder, a hash over its rows
    index/snapshots/ID/catalogue.sqlite    texts, documents, chunks, units
    index/snapshots/ID/chroma/             vectors (on a server: two collections named after ID)
    index/snapshots/ID/lexical/            BM25 over chunks and over units

Knows the life of a snapshot and how one is opened. What goes into one is the job of `indexing`.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock
import msgspec
import numpy as np

from rag.domain import Value
from rag.errors import EmbedderMismatch, IndexDamaged, IndexMissing, WriterBusy
from rag.ports import Embedder, Storage, VectorFile
from rag.retrieve.lexical import LexicalIndex

FORMAT = 1
REBUILD = "rebuild it with `rag ingest PATH...` after moving {folder} away"
_SELF_QUERIES = 200


class EmbedderStamp(Value):
    """Which embedder made a snapshot's vectors."""

    id: str
    dimension: int


class Manifest(Value):
    """What a snapshot holds. `row_digest` is over rows, since opening Chroma rewrites its files."""

    id: str
    format: int
    created: dt.datetime
    embedder: EmbedderStamp | None
    documents: int
    chunks: int
    units: int
    row_digest: str


class Snapshot:
    """An open snapshot; only read."""

    def __init__(self, folder: Path, storage: Storage) -> None:
        """Open `folder`.

        Raises:
            IndexDamaged: a part is missing, can't be read or disagrees with the manifest.
        """
        self.folder = folder
        self.manifest = read_manifest(folder)
        self.catalogue = storage.catalogue(folder / "catalogue.sqlite")
        self.lexical_chunks = LexicalIndex.load(folder / "lexical" / "chunks", self.manifest.chunks)
        self.lexical_units = LexicalIndex.load(folder / "lexical" / "units", self.manifest.units)
        self.vectors: VectorFile | None = None
        if self.manifest.embedder and self.manifest.chunks:
            self.vectors = storage.vectors(folder / "chroma", self.manifest.id)

    def check_embedder(self, embedder: Embedder | None) -> None:
        """Compare the embedder in force with the one that made the vectors.

        Raises:
            EmbedderMismatch: they differ; both are named.
        """
        made, used = self.manifest.embedder, embedder
        if made is None or used is None or (made.id, made.dimension) == (used.id, used.dimension):
            return
        raise EmbedderMismatch(
            f"the index was built with the embedder {made.id} ({made.dimension} dimensions), in force is {used.id} "
            f"({used.dimension} dimensions); set RAG_EMBEDDER back, or "
            + REBUILD.format(folder=self.folder.parent.parent)
        )

    def verify(self) -> None:
        """Compare every part with the manifest and search for the snapshot's own rows.

        Raises:
            IndexDamaged: what differs, and how to rebuild.
        """
        try:
            self._verify()
        except IndexDamaged as error:
            named = str(error).startswith("snapshot ")
            raise error if named else self._damaged(str(error)) from error

    def _verify(self) -> None:
        made = self.manifest
        if self.catalogue.row_digest() != made.row_digest:
            raise self._damaged("the catalogue's rows are not those of the manifest")
        if self.vectors is None:
            return
        if self.vectors.counts() != (made.chunks, made.units):
            raise self._damaged(f"Chroma holds {self.vectors.counts()} rows instead of {(made.chunks, made.units)}")
        ids = self.catalogue.unit_ids()
        sample = [ids[i] for i in sorted({int(i) for i in np.linspace(0, len(ids) - 1, _SELF_QUERIES)})]
        vectors = self.vectors.unit_vectors(sample)
        for unit_id, vector in zip(sample, vectors, strict=True):
            nearest = self.vectors.nearest_unit(vector)
            found = self.vectors.unit_vectors([nearest])[0] if nearest else np.zeros_like(vector)
            if float(found @ vector) < 0.999:  # noqa: PLR2004 - equal texts have equal vectors, so ids may differ
                raise self._damaged(f"the vector of {unit_id} is not found by searching for it")

    def close(self) -> None:
        """Release all files."""
        self.catalogue.close()
        if self.vectors is not None:
            self.vectors.close()

    def _damaged(self, what: str) -> IndexDamaged:
        return IndexDamaged(f"snapshot {self.manifest.id}: {what}; " + REBUILD.format(folder=self.folder))


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a snapshot's folder.

    Raises:
        IndexDamaged: it is not there, not readable, or of another format.
    """
    try:
        manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise IndexDamaged(f"{folder} holds no readable manifest: {error}; " + REBUILD.format(folder=folder)) from error
    if manifest.format != FORMAT:
        raise IndexDamaged(
            f"{folder} has format {manifest.format}, this version reads {FORMAT}; " + REBUILD.format(folder=folder)
        )
    return manifest


class SnapshotStore:
    """All snapshots below one data folder, and which is current."""

    def __init__(self, data: Path, storage: Storage) -> None:
        self.root = data / "index"
        self.snapshots = self.root / "snapshots"
        self._pointer = self.root / "CURRENT.json"
        self._storage = storage

    def current_id(self) -> str | None:
        """The id of the current snapshot, if there is one."""
        return self._pointed("snapshot")

    def open_current(self) -> Snapshot:
        """Open the current snapshot.

        Raises:
            IndexMissing: nothing was ingested yet.
            IndexDamaged: it can't be opened.
        """
        current = self.current_id()
        if current is None:
            raise IndexMissing(f"no index in {self.root}; build one with `rag ingest PATH...`")
        return Snapshot(self.snapshots / current, self._storage)

    def manifests(self) -> list[Manifest]:
        """Manifests of all snapshots, oldest first."""
        folders = sorted(self.snapshots.iterdir()) if self.snapshots.exists() else []
        return sorted((read_manifest(f) for f in folders if (f / "manifest.json").exists()), key=lambda m: m.created)

    def activate(self, snapshot_id: str) -> None:
        """Make a snapshot current, atomically. Readers see the old one or the new one.

        Raises:
            IndexMissing: there is no such snapshot.
        """
        if not (self.snapshots / snapshot_id / "manifest.json").exists():
            raise IndexMissing(f"no snapshot {snapshot_id}; `rag index list` shows what there is")
        try:
            current, previous = self.current_id(), self._pointed("previous")
        except IndexDamaged:
            current = previous = None  # the pointer is written anew
        previous = previous if current == snapshot_id else current
        partial = self._pointer.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps({"snapshot": snapshot_id, "previous": previous}), "utf-8")
        _sync(partial)
        os.replace(partial, self._pointer)
        _sync(self.root)

    def rollback(self) -> str:
        """Make the previous snapshot current and return its id.

        Raises:
            IndexMissing: there is none.
        """
        previous = self._pointed("previous")
        if previous is None:
            raise IndexMissing("there is no previous snapshot to go back to")
        self.activate(previous)
        return previous

    def collect_garbage(self) -> list[str]:
        """Delete every snapshot but the current and the previous one, and what killed builds left behind."""
        keep = {self.current_id(), self._pointed("previous")}
        removed = []
        folders = sorted(self.snapshots.iterdir()) if self.snapshots.exists() else []
        for folder in folders:
            if folder.name in keep:
                continue
            if self._storage.shared_vectors:
                self._drop_collections(folder.name)
            shutil.rmtree(folder)
            removed.append(folder.name)
        return removed

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
        self.root.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(self.root / "writer.lock")
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout as error:
            raise WriterBusy("another `rag ingest` is running on this index; wait for it to end") from error
        try:
            yield
        finally:
            lock.release()

    def _pointed(self, key: str) -> str | None:
        try:
            value = json.loads(self._pointer.read_text("utf-8"))[key]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise IndexDamaged(
                f"{self._pointer} can't be read: {error}; `rag index activate ID` writes it anew"
            ) from error
        return str(value) if value else None

    def _drop_collections(self, snapshot_id: str) -> None:
        try:
            self._storage.vectors(self.root, snapshot_id).drop()
        except IndexDamaged:
            return  # a build that was killed before its collections were made


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Seal a snapshot: sync everything below `folder`, then write the manifest that makes it one."""
    for path in folder.rglob("*"):
        _sync(path)
    partial = folder / "manifest.partial"
    partial.write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
    _sync(partial)
    os.replace(partial, folder / "manifest.json")
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
