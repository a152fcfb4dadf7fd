"""Chroma: the vectors of a snapshot, embedded in its folder or on a Chroma server.

Knows collections and Chroma's silent failures: it embeds nothing itself (vectors always come from outside), keeps no
order of ids, and says nothing when index files are gone (so a snapshot is verified by searching for its own rows).
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import chromadb
import httpx
import numpy as np
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError, NotFoundError

from rag.domain import Chunk, Document
from rag.errors import DiskFull, IndexDamaged, InvalidSettings, VectorsUnreachable
from rag.ports import Vectors

_BATCH = 1_000
_HNSW = {"space": "cosine", "ef_construction": 200, "ef_search": 400, "max_neighbors": 32}
_DATABASE = "chroma.sqlite3"
# Rows that searching relies on. The others are for people (texts, metadata), or change while Chroma reads: vectors move
# from its queue into the files of its index when it sees fit.
_TABLES = ("collections", "segments", "embeddings")
_CLOSED = "Chroma can't be read"
_LEAST_ROOM = 16 * 1024**2
_NO_ROOM = ("disk is full", "disk full", "No space left", "File too large")


def client(folder: Path, url: str | None) -> Any:  # noqa: ANN401 - chromadb's client types are its own
    """A client on the server at `url`, else on the folder.

    Raises:
        VectorsUnreachable: the server does not answer.
        IndexDamaged: the folder can't be opened.
    """
    settings = ChromaSettings(anonymized_telemetry=False)
    if url is None:
        try:
            with _named(str(folder)):
                return chromadb.PersistentClient(str(folder), settings)
        except ValueError as error:  # a database that lacks Chroma's own first rows
            raise IndexDamaged(f"{_CLOSED} at {folder}: {error}") from error
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InvalidSettings(f"RAG_CHROMA_URL: {url!r} is no http address")
    port = parts.port or (443 if parts.scheme == "https" else 8000)
    try:
        return chromadb.HttpClient(host=parts.hostname, port=port, ssl=parts.scheme == "https", settings=settings)
    except Exception as error:
        raise VectorsUnreachable(f"{_CLOSED} at {url}: {error}") from error


def row_digest(folder: Path) -> str:
    """A hash over the rows in a folder that no client has open.

    Raises:
        IndexDamaged: the database can't be read.
    """
    path, digest = folder / _DATABASE, hashlib.sha256()
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as db:
            for table in _TABLES:
                for row in db.execute(f"SELECT * FROM {table} ORDER BY 1"):  # noqa: S608 - names of ours
                    digest.update(repr(row).encode())
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise IndexDamaged(f"{path} can't be read: {error}") from error
    return digest.hexdigest()


def drop_collections(name: str, url: str) -> None:
    """Delete what there is of index `name` on the server at `url`.

    Raises:
        VectorsUnreachable: the server does not answer.
    """
    server = client(Path(), url)
    with _named(url):
        for part in ("chunks", "units"):
            with contextlib.suppress(NotFoundError):
                server.delete_collection(f"{name}-{part}")


class ChromaVectorIndex:
    """`ports.VectorFile` over two collections, `{name}-chunks` and `{name}-units`."""

    def __init__(self, folder: Path, name: str, url: str | None = None, *, create: bool = False) -> None:
        """Open index `name`, or make it.

        Raises:
            IndexDamaged: it is not there, can't be read, or is there already and was to be made.
            VectorsUnreachable: the server at `url` does not answer.
        """
        self._where, self._owns_folder = url or str(folder), url is None
        if self._owns_folder and not create and not (folder / _DATABASE).exists():
            raise IndexDamaged(f"the vectors of snapshot {name} are missing: there is no {folder / _DATABASE}")
        self._client = client(folder, url)
        try:
            self._chunks = self._collection(f"{name}-chunks", create=create)
            self._units = self._collection(f"{name}-units", create=create)
        except BaseException:
            self.close()
            raise

    def _collection(self, name: str, *, create: bool) -> Any:  # noqa: ANN401 - chromadb's type
        with _named(self._where):
            if create:
                return self._client.create_collection(name, embedding_function=None, configuration={"hnsw": _HNSW})
            return self._client.get_collection(name, embedding_function=None)

    def add_chunks(self, chunks: Sequence[Chunk], documents: Mapping[str, Document], vectors: Vectors) -> None:
        """Append chunks with their text and metadata; ids must be new."""
        for start in range(0, len(chunks), _BATCH):
            batch = chunks[start : start + _BATCH]
            with self._writing():
                self._chunks.add(
                    ids=[c.id for c in batch],
                    documents=[c.text for c in batch],
                    embeddings=vectors[start : start + _BATCH],
                    metadatas=[_metadata(c, documents[c.document_id]) for c in batch],
                )

    def add_units(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Append the units' vectors; ids must be new."""
        for start in range(0, len(ids), _BATCH):
            with self._writing():
                self._units.add(ids=list(ids[start : start + _BATCH]), embeddings=vectors[start : start + _BATCH])

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Chroma does not always tell that a disk is full: what fails where little is left, fails for that."""
        try:
            with _named(self._where):
                yield
        except IndexDamaged as error:
            if self._owns_folder and shutil.disk_usage(self._where).free < _LEAST_ROOM:
                raise DiskFull(f"no space left for the vectors in {self._where}") from error
            raise

    def nearest_chunks(self, vector: Vectors, k: int) -> list[tuple[str, float]]:
        """Up to `k` chunk ids with their cosine, best first; equal ones by id, so that the order never wavers."""
        with _named(self._where):
            found = self._chunks.query(query_embeddings=[vector], n_results=k, include=["distances"])
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        return sorted(((i, round(1.0 - float(d), 6)) for i, d in pairs), key=lambda pair: (-pair[1], pair[0]))

    def chunk_vectors(self, ids: Sequence[str]) -> Vectors:
        """Shape (len(ids), dimension), in the order asked for.

        Raises:
            IndexDamaged: one of them is not there.
        """
        return self._vectors(self._chunks, ids)

    def unit_vectors(self, ids: Sequence[str]) -> Vectors:
        """Shape (len(ids), dimension), in the order asked for.

        Raises:
            IndexDamaged: one of them is not there.
        """
        return self._vectors(self._units, ids)

    def _vectors(self, collection: Any, ids: Sequence[str]) -> Vectors:  # noqa: ANN401 - chromadb's type
        with _named(self._where):
            found = collection.get(ids=list(dict.fromkeys(ids)), include=["embeddings"])
        rows = dict(zip(found["ids"], found["embeddings"], strict=True))
        if missing := len(set(ids) - set(rows)):
            raise IndexDamaged(f"{missing} vectors are missing in {self._where}")
        return np.asarray([rows[i] for i in ids], dtype=np.float32)

    def counts(self) -> tuple[int, int]:
        """Rows of the two collections. Chroma counts rows whose vectors are lost, too."""
        with _named(self._where):
            return self._chunks.count(), self._units.count()

    def nearest_chunk(self, vector: Vectors) -> str | None:
        """The id of the nearest chunk: for verifying that the vectors are really searchable."""
        return self._nearest(self._chunks, vector)

    def nearest_unit(self, vector: Vectors) -> str | None:
        """The id of the nearest unit, likewise."""
        return self._nearest(self._units, vector)

    def _nearest(self, collection: Any, vector: Vectors) -> str | None:  # noqa: ANN401 - chromadb's type
        with _named(self._where):
            ids = collection.query(query_embeddings=[vector], n_results=1, include=[])["ids"][0]
        return ids[0] if ids else None

    def close(self) -> None:
        """Release the folder."""
        if self._owns_folder:
            self._client.close()


@contextmanager
def _named(where: str) -> Iterator[None]:
    """Chroma's errors as ours: no server, no room, nothing of that name, or something that can't be read any more."""
    try:
        yield
    except httpx.TransportError as error:
        raise VectorsUnreachable(f"{_CLOSED} at {where}: {error}") from error
    except NotFoundError as error:
        raise IndexDamaged(f"vectors are missing at {where}: {error}") from error
    except ChromaError as error:
        if any(words in str(error) for words in _NO_ROOM):
            raise DiskFull(f"no space left for the vectors in {where}") from error
        raise IndexDamaged(f"{_CLOSED} at {where}: {error}") from error
    except BaseException as error:
        # A panic of Chroma's own engine is no Exception to Python, and its class can't be imported.
        if type(error).__name__ != "PanicException":
            raise
        raise IndexDamaged(f"{_CLOSED} at {where}: {error}") from error


def _metadata(chunk: Chunk, document: Document) -> dict[str, str | int]:
    """What the chunk is, for people who look into Chroma. Dates as numbers, since Chroma compares only these."""
    found: dict[str, str | int] = {
        "document_id": chunk.document_id,
        "title_path": " / ".join(chunk.title_path),
        "kind": document.kind,
        "start": chunk.span.start,
        "end": chunk.span.end,
    }
    if document.places:
        found["places"] = ",".join(document.places)
    for name in ("published", "effective_from", "effective_to"):
        date = getattr(document, name)
        if date is not None:
            found[name] = int(date.strftime("%Y%m%d"))
    return found
