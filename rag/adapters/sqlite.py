"""SQLite, twice: the catalogue of a snapshot (texts, documents, chunks, units) and the cache of vectors.

Knows tables and rows. When a snapshot is built or read is the job of `snapshots` and `indexing`.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from rag.domain import Chunk, Document, EvidenceUnit
from rag.errors import IndexDamaged
from rag.ports import SourceRecord, Vectors

_T = TypeVar("_T")
_BATCH = 500
_CATALOGUE = """
CREATE TABLE sources (path TEXT PRIMARY KEY, digest TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE documents (id TEXT PRIMARY KEY, path TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE chunks (
    position INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, document_id TEXT NOT NULL, body BLOB NOT NULL
);
CREATE TABLE units (position INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, chunk_id TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX units_by_chunk ON units (chunk_id);
CREATE INDEX documents_by_path ON documents (path);
"""


class SqliteCatalogue:
    """`ports.Catalogue`: what is in a snapshot, in the order of its rows. Built once, then only read."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        """Open the file, or make it.

        Raises:
            IndexDamaged: there is no such file, or it is not a catalogue.
        """
        if not create and not path.exists():
            raise IndexDamaged(f"{path} is missing")
        self._lock = threading.Lock()
        self._db = sqlite3.connect(
            path if create else f"{path.absolute().as_uri()}?mode=ro", uri=not create, check_same_thread=False
        )
        if create:
            self._db.executescript(_CATALOGUE)

    def add(self, source: SourceRecord) -> None:
        """Append one file with its documents, chunks and units."""
        with self._lock, self._db:
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

    def digests(self) -> dict[str, str]:
        """The digest of every file, by path."""
        return dict(self._rows("SELECT path, digest FROM sources"))

    def source(self, path: str) -> SourceRecord:
        """Everything that came from one file."""
        ((digest, text),) = self._rows("SELECT digest, text FROM sources WHERE path = ?", path)
        documents = self._bodies(Document, "SELECT body FROM documents WHERE path = ? ORDER BY rowid", path)
        chunks = [
            c
            for d in documents
            for c in self._bodies(Chunk, "SELECT body FROM chunks WHERE document_id = ? ORDER BY position", d.id)
        ]
        units = [u for c in chunks for u in self.units_of(c.id)]
        return SourceRecord(path, digest, text, tuple(documents), tuple(chunks), tuple(units))

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

    def chunks(self) -> list[Chunk]:
        """All chunks, in the order of the lexical index's rows."""
        return self._bodies(Chunk, "SELECT body FROM chunks ORDER BY position")

    def units(self) -> list[EvidenceUnit]:
        """All units, in the order of the lexical index's rows."""
        return self._bodies(EvidenceUnit, "SELECT body FROM units ORDER BY position")

    def chunk_ids(self) -> list[str]:
        """Ids of all chunks, in order."""
        return [row[0] for row in self._rows("SELECT id FROM chunks ORDER BY position")]

    def unit_ids(self) -> list[str]:
        """Ids of all units, in order."""
        return [row[0] for row in self._rows("SELECT id FROM units ORDER BY position")]

    def chunks_by_id(self, ids: Sequence[str]) -> list[Chunk]:
        """The chunks named, in the order asked for."""
        found = {c.id: c for c in self._bodies(Chunk, f"SELECT body FROM chunks WHERE id IN ({_marks(ids)})", *ids)}
        return [found[i] for i in ids]

    def units_of(self, chunk_id: str) -> list[EvidenceUnit]:
        """The units of one chunk, in order."""
        return self._bodies(EvidenceUnit, "SELECT body FROM units WHERE chunk_id = ? ORDER BY position", chunk_id)

    def row_digest(self) -> str:
        """A hash over all rows: equal for equal content, whatever the file looks like."""
        digest = hashlib.sha256()
        for query in (
            "SELECT path, digest, text FROM sources ORDER BY path",
            "SELECT body FROM documents ORDER BY rowid",
            "SELECT body FROM chunks ORDER BY position",
            "SELECT body FROM units ORDER BY position",
        ):
            for row in self._rows(query):
                digest.update(repr(row).encode())
        return digest.hexdigest()

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    def _rows(self, query: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]
        try:
            with self._lock:
                return self._db.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise IndexDamaged(f"the catalogue can't be read: {error}") from error

    def _bodies(self, kind: Callable[..., _T], query: str, *values: object) -> list[_T]:
        decode = msgspec.msgpack.Decoder(kind).decode
        return [decode(row[0]) for row in self._rows(query, *values)]


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


class SqliteVectorCache:
    """Vectors by embedder and text, shared by all snapshots. A row that fails its checksum counts as absent."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = _cache(path)
        except sqlite3.DatabaseError:  # a cache holds nothing that can't be computed again
            path.replace(path.with_suffix(".damaged"))
            self._db = _cache(path)

    def get(self, embedder: str, texts: Sequence[str]) -> dict[str, Vectors]:
        """The vectors that are there, by text."""
        keys = {_key(text): text for text in texts}
        found: dict[str, Vectors] = {}
        for batch in _batches(list(keys)):
            query = f"SELECT text, crc, body FROM vectors WHERE embedder = ? AND text IN ({_marks(batch)})"
            for key, crc, body in self._db.execute(query, (embedder, *batch)):
                if zlib.crc32(body) == crc:
                    found[keys[key]] = np.frombuffer(body, dtype=np.float32)
        return found

    def put(self, embedder: str, texts: Iterable[str], vectors: Vectors) -> None:
        """Keep `vectors[i]` for the i-th text. Durable when this returns."""
        rows = [(embedder, _key(t), zlib.crc32(v.tobytes()), v.tobytes()) for t, v in zip(texts, vectors, strict=True)]
        with contextlib.closing(self._db.cursor()) as cursor:
            cursor.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)", rows)
            self._db.commit()

    def close(self) -> None:
        """Release the file."""
        self._db.close()


def _cache(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=30)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute(
            "CREATE TABLE IF NOT EXISTS vectors "
            "(embedder TEXT, text TEXT, crc INTEGER, body BLOB, PRIMARY KEY (embedder, text)) WITHOUT ROWID"
        )
    except sqlite3.DatabaseError:
        db.close()
        raise
    return db


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _batches(values: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), _BATCH):
        yield values[start : start + _BATCH]
