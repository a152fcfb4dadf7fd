"""Chroma: the vectors of a snapshot, embedded in its folder or on a Chroma server.

Knows collections and Chroma's silent failures: it embeds nothing itself (vectors always come from outside), keeps no
order of ids, and says nothing when index files are gone (so a snapshot is verified by searching for its own rows).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import chromadb
import numpy as np
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError

from rag.domain import Chunk, Document
from rag.errors import IndexDamaged, InvalidSettings
from rag.ports import Vectors

_BATCH = 1_000
_HNSW = {"space": "cosine", "ef_construction": 200, "ef_search": 400, "max_neighbors": 32}
_CLOSED = "Chroma can't be read"


def client(folder: Path, url: str | None) -> Any:  # noqa: ANN401 - chromadb's client types are its own
    """A client on the server at `url`, else on the folder.

    Raises:
        IndexDamaged: the server does not answer, or the folder can't be opened.
    """
    settings = ChromaSettings(anonymized_telemetry=False)
    try:
        if url is None:
            return chromadb.PersistentClient(str(folder), settings)
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InvalidSettings(f"RAG_CHROMA_URL: {url!r} is no http address")  # noqa: TRY301 - named like the others
        return chromadb.HttpClient(
            host=parts.hostname,
            port=parts.port or (443 if parts.scheme == "https" else 8000),
            ssl=parts.scheme == "https",
            settings=settings,
        )
    except InvalidSettings:
        raise
    except Exception as error:
        raise IndexDamaged(f"{_CLOSED} at {url or folder}: {error}") from error


class ChromaVectorIndex:
    """`ports.VectorIndex` over two collections, `{name}-chunks` and `{name}-units`."""

    def __init__(self, folder: Path, name: str, url: str | None = None, *, create: bool = False) -> None:
        self._client = client(folder, url)
        self._owns_folder = url is None
        try:
            self._chunks = self._collection(f"{name}-chunks", create=create)
            self._units = self._collection(f"{name}-units", create=create)
        except (ChromaError, ValueError) as error:
            raise IndexDamaged(f"the vectors of snapshot {name} are missing: {error}") from error

    def _collection(self, name: str, *, create: bool) -> Any:  # noqa: ANN401 - chromadb's type
        if create:
            return self._client.create_collection(name, embedding_function=None, configuration={"hnsw": _HNSW})
        return self._client.get_collection(name, embedding_function=None)

    def add_chunks(self, chunks: Sequence[Chunk], documents: Mapping[str, Document], vectors: Vectors) -> None:
        """Append chunks with their text and metadata; ids must be new."""
        for start in range(0, len(chunks), _BATCH):
            batch = chunks[start : start + _BATCH]
            self._chunks.add(
                ids=[c.id for c in batch],
                documents=[c.text for c in batch],
                embeddings=vectors[start : start + _BATCH],
                metadatas=[_metadata(c, documents[c.document_id]) for c in batch],
            )

    def add_units(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Append the units' vectors; ids must be new."""
        for start in range(0, len(ids), _BATCH):
            self._units.add(ids=list(ids[start : start + _BATCH]), embeddings=vectors[start : start + _BATCH])

    def nearest_chunks(self, vector: Vectors, k: int) -> list[tuple[str, float]]:
        """Up to `k` chunk ids with their cosine, best first; equal ones by id, so that the order never wavers."""
        with _damage_named():
            found = self._chunks.query(query_embeddings=[vector], n_results=k, include=["distances"])
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        return sorted(((i, round(1.0 - float(d), 6)) for i, d in pairs), key=lambda pair: (-pair[1], pair[0]))

    def unit_vectors(self, ids: Sequence[str]) -> Vectors:
        """Shape (len(ids), dimension), in the order asked for.

        Raises:
            IndexDamaged: one of them is not there.
        """
        with _damage_named():
            found = self._units.get(ids=list(dict.fromkeys(ids)), include=["embeddings"])
        rows = dict(zip(found["ids"], found["embeddings"], strict=True))
        if len(rows) != len(set(ids)):
            raise IndexDamaged(f"{len(set(ids)) - len(rows)} unit vectors are missing")
        return np.asarray([rows[i] for i in ids], dtype=np.float32)

    def counts(self) -> tuple[int, int]:
        """Rows of the two collections. Chroma counts rows whose vectors are lost, too."""
        with _damage_named():
            return self._chunks.count(), self._units.count()

    def nearest_unit(self, vector: Vectors) -> str | None:
        """The id of the nearest unit: for verifying that the vectors are really searchable."""
        with _damage_named():
            ids = self._units.query(query_embeddings=[vector], n_results=1, include=[])["ids"][0]
        return ids[0] if ids else None

    def drop(self) -> None:
        """Delete both collections (on a server; a folder is deleted as a folder)."""
        for collection in (self._chunks, self._units):
            self._client.delete_collection(collection.name)

    def close(self) -> None:
        """Release the folder."""
        if self._owns_folder:
            self._client.close()


@contextmanager
def _damage_named() -> Iterator[None]:
    """Chroma's errors as ours: what it can't read any more is a damaged index."""
    try:
        yield
    except ChromaError as error:
        raise IndexDamaged(f"{_CLOSED}: {error}") from error


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
