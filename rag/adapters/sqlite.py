"""SQLite, twice: the catalogue of a snapshot (texts, documents, chunks, units) and the cache of vectors.

Knows tables and rows. When a snapshot is built or read is the job of `snapshots` and `indexing`.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from rag.domain import Chunk, Document, EvidenceUnit
from rag.errors import DiskFull, IndexDamaged
from rag.ports import SourceRecord, Vectors

log = logging.getLogger("rag")

_T = TypeVar("_T")
_BATCH = 500
_NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}
_CATALOGUE = """
CREATE TABLE sources (path TEXT PRIMARY KEY, digest TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE documents (id TEXT PRIMARY KEY, path TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE chunks (
    position INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, document_id TEXT NOT NULL, body BLOB NOT NULL
);
CREATE TABLE units (position INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, chunk_id TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE aside (path TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE aside_documents (id TEXT PRIMARY KEY, path TEXT NOT NULL);
CREATE INDEX units_by_chunk ON units (chunk_id);
CREATE INDEX chunks_by_document ON chunks (document_id);
CREATE INDEX documents_by_path ON documents (path);
"""


class SqliteCatalogue:
    """`ports.CatalogueFile`: what is in a snapshot, in the order of its rows. Built once, then only read."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        """Open the file, or make it.

        Raises:
            IndexDamaged: there is no such file, or it is not a catalogue.
        """
        if not create and not path.exists():
            raise IndexDamaged(f"{path} is missing")
        self._path, self._lock = path, threading.Lock()
        self._db = sqlite3.connect(
            path if create else f"{path.absolute().as_uri()}?mode=ro", uri=not create, check_same_thread=False
        )
        if create:
            # Nobody reads a snapshot before it is sealed, and sealing waits until all of it is on the disk.
            self._db.executescript("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY;" + _CATALOGUE)

    def add(self, source: SourceRecord, aside: SourceRecord | None = None) -> None:
        """Append one file with its documents, chunks and units; `aside` holds those of it that are kept unindexed.

        Raises:
            DiskFull: there is no room.
        """
        with self._lock, _room_named(self._path), self._db:
            self._db.execute("INSERT INTO sources VALUES (?, ?, ?)", (source.path, source.digest, source.text))
            self._db.executemany(
                "INSERT INTO documents VALUES (?, ?, ?)",
                [(d.id, d.path, msgspec.msgpack.encode(d)) for d in source.documents],
            )
            self._db.executemany(
                "INSERT INTO chunks (id, document_id, body) VALUES (?, ?, ?)",
                [(c.id, c.document_id, msgspec.msgpack.encode(c)) for c in source.chunks],
            )
            self._db.executemany(
                "INSERT INTO units (id, chunk_id, body) VALUES (?, ?, ?)",
                [(u.id, u.chunk_id, msgspec.msgpack.encode(u)) for u in source.units],
            )
            if aside is not None and aside.documents:
                body = msgspec.msgpack.encode(msgspec.structs.replace(aside, text=""))
                self._db.execute("INSERT INTO aside VALUES (?, ?)", (aside.path, body))
                self._db.executemany(
                    "INSERT INTO aside_documents VALUES (?, ?)", [(d.id, aside.path) for d in aside.documents]
                )

    def digests(self) -> dict[str, str]:
        """The digest of every file, by path."""
        return dict(self._rows("SELECT path, digest FROM sources"))

    def owners(self) -> dict[str, str]:
        """The path of the file that every document came from, by document id."""
        return dict(self._rows("SELECT id, path FROM documents UNION ALL SELECT id, path FROM aside_documents"))

    def source(self, path: str) -> SourceRecord:
        """What of one file is indexed."""
        ((digest, text),) = self._rows("SELECT digest, text FROM sources WHERE path = ?", path)
        documents = self._bodies(Document, "SELECT body FROM documents WHERE path = ? ORDER BY rowid", path)
        chunks = [
            c
            for d in documents
            for c in self._bodies(Chunk, "SELECT body FROM chunks WHERE document_id = ? ORDER BY position", d.id)
        ]
        units = [u for c in chunks for u in self.units_of(c.id)]
        return SourceRecord(path, digest, text, tuple(documents), tuple(chunks), tuple(units))

    def aside(self, path: str) -> SourceRecord | None:
        """What of one file is kept unindexed, without its text, if anything is."""
        return next(iter(self._bodies(SourceRecord, "SELECT body FROM aside WHERE path = ?", path)), None)

    def documents(self) -> list[Document]:
        """All documents, in order."""
        return self._bodies(Document, "SELECT body FROM documents ORDER BY rowid")

    def document(self, document_id: str) -> Document | None:
        """One document, or None."""
        return next(iter(self._bodies(Document, "SELECT body FROM documents WHERE id = ?", document_id)), None)

    def text(self, document_id: str) -> str:
        """The canonical text that a document's spans refer to."""
        ((text,),) = self._rows(
            "SELECT text FROM sources JOIN documents ON documents.path = sources.path WHERE documents.id = ?",
            document_id,
        )
        return str(text)

    def chunks(self) -> Iterator[Chunk]:
        """All chunks, in the order of the lexical index's rows; a batch of them is in memory at a time."""
        return (self._decoded(Chunk, body) for _, body in self._batchwise("SELECT position, body FROM chunks"))

    def units(self) -> Iterator[EvidenceUnit]:
        """All units, likewise."""
        return (self._decoded(EvidenceUnit, body) for _, body in self._batchwise("SELECT position, body FROM units"))

    def counts(self) -> tuple[int, int, int]:
        """How many documents, chunks and units."""
        ((documents, chunks, units),) = self._rows(
            "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM chunks), (SELECT count(*) FROM units)"
        )
        return documents, chunks, units

    def chunk_ids(self) -> list[str]:
        """Ids of all chunks, in order."""
        return [row[0] for row in self._rows("SELECT id FROM chunks ORDER BY position")]

    def unit_ids(self) -> list[str]:
        """Ids of all units, in order."""
        return [row[0] for row in self._rows("SELECT id FROM units ORDER BY position")]

    def chunks_by_id(self, ids: Sequence[str]) -> list[Chunk]:
        """The chunks named, in the order asked for."""
        found = {c.id: c for c in self._bodies(Chunk, f"SELECT body FROM chunks WHERE id IN ({_marks(ids)})", *ids)}
        if missing := set(ids) - set(found):
            raise IndexDamaged(f"{self._path} lacks {len(missing)} chunks")
        return [found[i] for i in ids]

    def units_of(self, chunk_id: str) -> list[EvidenceUnit]:
        """The units of one chunk, in order."""
        return self._bodies(EvidenceUnit, "SELECT body FROM units WHERE chunk_id = ? ORDER BY position", chunk_id)

    def row_digest(self) -> str:
        """A hash over all rows: equal for equal content, whatever the file looks like."""
        digest = hashlib.sha256()
        for row in self._batchwise("SELECT path, path, digest, text FROM sources", "path", ""):
            digest.update(repr(row[1:]).encode())
        for table, position in (
            ("aside", "rowid"),
            ("documents", "rowid"),
            ("chunks", "position"),
            ("units", "position"),
        ):
            for row in self._batchwise(f"SELECT {position}, body FROM {table}", position):
                digest.update(repr(row[1:]).encode())
        return digest.hexdigest()

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    def _rows(self, query: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]
        try:
            with self._lock:
                return self._db.execute(query, values).fetchall()
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            raise IndexDamaged(f"{self._path} can't be read: {error}") from error

    def _batchwise(self, query: str, key: str = "position", last: int | str = -1) -> Iterator[tuple]:  # type: ignore[type-arg]
        """Rows in the order of `key`, their first column. A batch is a query: others may read in between."""
        while batch := self._rows(f"{query} WHERE {key} > ? ORDER BY {key} LIMIT {_BATCH}", last):
            yield from batch
            last = batch[-1][0]

    def _bodies(self, kind: type[_T], query: str, *values: object) -> list[_T]:
        return [self._decoded(kind, row[0]) for row in self._rows(query, *values)]

    def _decoded(self, kind: type[_T], body: bytes) -> _T:
        try:
            return msgspec.msgpack.decode(body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise IndexDamaged(f"{self._path} can't be read: {error}") from error


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


class SqliteVectorCache:
    """`ports.VectorCache` in one file, for several processes at once.

    It holds nothing that can't be computed again: a row that fails its checksum counts as absent, a file that can't be
    read is set aside under `*.damaged` and begun anew. `used` is when a row was last asked for or put, in nanoseconds.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._max_bytes = path, max_bytes
        self._opened = time.time_ns()
        try:
            self._db = _cache(path)
        except sqlite3.DatabaseError as error:
            self._begin_anew(error)

    def get(self, embedder: str, texts: Sequence[str]) -> dict[str, Vectors]:
        """The vectors that are there, by text."""
        try:
            with _room_named(self._path), self._db:
                return self._get(embedder, {_key(text): text for text in texts})
        except sqlite3.DatabaseError as error:
            self._begin_anew(error)
            return {}

    def _get(self, embedder: str, texts: dict[str, str]) -> dict[str, Vectors]:
        found: dict[str, Vectors] = {}
        corrupt: list[str] = []
        for batch in _batches(list(texts)):
            here = f"embedder = ? AND text IN ({_marks(batch)})"
            for key, crc, body in self._db.execute(
                f"SELECT text, crc, body FROM vectors WHERE {here}", (embedder, *batch)
            ):
                if isinstance(body, bytes) and zlib.crc32(body) == crc:
                    found[texts[key]] = np.frombuffer(body, dtype=np.float32)
                else:
                    corrupt.append(key)
            self._db.execute(f"UPDATE vectors SET used = ? WHERE {here}", (time.time_ns(), embedder, *batch))
        if corrupt:
            log.warning("%d vectors in %s are corrupt and are computed anew", len(corrupt), self._path)
        return found

    def put(self, embedder: str, texts: Iterable[str], vectors: Vectors) -> None:
        """Keep `vectors[i]` for the i-th text. Durable when this returns.

        Raises:
            DiskFull: there is no room.
        """
        now = time.time_ns()
        rows = [
            (embedder, _key(t), zlib.crc32(v.tobytes()), v.tobytes(), now) for t, v in zip(texts, vectors, strict=True)
        ]
        try:
            self._put(rows)
        except sqlite3.DatabaseError as error:
            self._begin_anew(error)
            self._put(rows)

    def _put(self, rows: list[tuple[str, str, int, bytes, int]]) -> None:
        with _room_named(self._path), self._db:
            self._db.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?, ?)", rows)

    def trim(self) -> None:
        """Forget what was not used for longest, down to the size allowed; nothing that was used since opening."""
        try:
            while self._size() > self._max_bytes and self._forget():
                self._db.executescript("PRAGMA incremental_vacuum")  # `execute` frees one page only
        except sqlite3.DatabaseError as error:
            self._begin_anew(error)

    def _forget(self) -> int:
        oldest = "SELECT embedder, text FROM vectors WHERE used < ? ORDER BY used LIMIT ?"
        with self._db:
            query = f"DELETE FROM vectors WHERE (embedder, text) IN ({oldest})"
            return self._db.execute(query, (self._opened, _BATCH)).rowcount

    def _size(self) -> int:
        ((pages,),), ((size,),) = (
            self._db.execute(f"PRAGMA {name}").fetchall() for name in ("page_count", "page_size")
        )
        return int(pages * size)

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    def _begin_anew(self, error: sqlite3.DatabaseError) -> None:
        """Set a damaged file aside; an error that does not speak of damage is raised again."""
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            raise error
        if hasattr(self, "_db"):
            self._db.close()
        log.warning("the vector cache %s can't be read (%s): it is set aside and begun anew", self._path, error)
        # The log goes first: beside a new file it would be taken for the new file's own.
        for ending in ("-wal", "-shm", ""):
            part = self._path.with_name(self._path.name + ending)
            if part.exists():
                part.replace(self._path.with_name(f"{self._path.stem}.damaged{ending}"))
        self._db = _cache(self._path)


def _cache(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=30)
    try:
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute("PRAGMA journal_mode = WAL")
        _migrate(db)
        db.execute("BEGIN IMMEDIATE")
        # With its rows in the primary key's own tree SQLite would spend a whole page on each.
        db.execute(
            "CREATE TABLE IF NOT EXISTS vectors (embedder TEXT, text TEXT, crc INTEGER, body BLOB, "
            "used INTEGER NOT NULL, UNIQUE (embedder, text))"
        )
        db.execute("CREATE INDEX IF NOT EXISTS vectors_by_use ON vectors (used)")
        db.commit()
    except sqlite3.DatabaseError:
        db.close()
        raise
    return db


def _migrate(db: sqlite3.Connection) -> None:
    """Caches of earlier versions did not know when a row was last used, and gave no room back."""
    columns = {row[1] for row in db.execute("PRAGMA table_info(vectors)")}
    if not columns or "used" in columns:
        return
    with db:
        db.execute("BEGIN IMMEDIATE")
        db.execute(
            "CREATE TABLE migrated (embedder TEXT, text TEXT, crc INTEGER, body BLOB, used INTEGER NOT NULL, "
            "UNIQUE (embedder, text))"
        )
        db.execute("INSERT INTO migrated SELECT embedder, text, crc, body, 0 FROM vectors")
        db.execute("DROP TABLE vectors")
        db.execute("ALTER TABLE migrated RENAME TO vectors")
    db.execute("VACUUM")


@contextlib.contextmanager
def _room_named(path: Path) -> Iterator[None]:
    """A full disk as an error of ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", None) in _NO_ROOM:
            raise DiskFull(f"no space left for {path}") from error
        raise


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _batches(values: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), _BATCH):
        yield values[start : start + _BATCH]
