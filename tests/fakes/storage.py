"""A snapshot's files in memory: catalogue, vectors and cache, and the `Storage` that opens them.

What was made under a path or a name is there when it is opened again, as it would be on a disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

from rag.domain import Chunk, Document, EvidenceUnit
from rag.errors import IndexDamaged
from rag.ports import SourceRecord, Vectors


class MemoryCatalogue:
    """`ports.CatalogueFile` over a list of records."""

    def __init__(self) -> None:
        self._records: list[SourceRecord] = []
        self._aside: dict[str, SourceRecord] = {}

    def add(self, source: SourceRecord, aside: SourceRecord | None = None) -> None:
        """Append one file with its documents, chunks and units; `aside` holds those of it that are kept unindexed."""
        self._records.append(source)
        if aside is not None and aside.documents:
            self._aside[aside.path] = msgspec.structs.replace(aside, text="")

    def digests(self) -> dict[str, str]:
        """The digest of every file, by path."""
        return {r.path: r.digest for r in self._records}

    def owners(self) -> dict[str, str]:
        """The path of the file that every document came from, by document id."""
        return {d.id: r.path for r in (*self._records, *self._aside.values()) for d in r.documents}

    def chunks(self) -> Iterator[Chunk]:
        """All chunks, in order."""
        return (c for r in self._records for c in r.chunks)

    def units(self) -> Iterator[EvidenceUnit]:
        """All units, in order."""
        return (u for r in self._records for u in r.units)

    def counts(self) -> tuple[int, int, int]:
        """How many documents, chunks and units."""
        return len(self.documents()), len(self.chunk_ids()), len(self.unit_ids())

    def source(self, path: str) -> SourceRecord:
        """What of one file is indexed."""
        return next(r for r in self._records if r.path == path)

    def aside(self, path: str) -> SourceRecord | None:
        """What of one file is kept unindexed, if anything is."""
        return self._aside.get(path)

    def documents(self) -> list[Document]:
        """All documents, in order."""
        return [d for r in self._records for d in r.documents]

    def document(self, document_id: str) -> Document | None:
        """One document, or None."""
        return next((d for d in self.documents() if d.id == document_id), None)

    def text(self, document_id: str) -> str:
        """The canonical text that a document's spans refer to."""
        return next(r.text for r in self._records if any(d.id == document_id for d in r.documents))

    def chunk_ids(self) -> list[str]:
        """Ids of all chunks, in order."""
        return [c.id for r in self._records for c in r.chunks]

    def unit_ids(self) -> list[str]:
        """Ids of all units, in order."""
        return [u.id for r in self._records for u in r.units]

    def chunks_by_id(self, ids: Sequence[str]) -> list[Chunk]:
        """The chunks named, in the order asked for."""
        found = {c.id: c for r in self._records for c in r.chunks}
        return [found[i] for i in ids]

    def units_of(self, chunk_id: str) -> list[EvidenceUnit]:
        """The units of one chunk, in order."""
        return [u for r in self._records for u in r.units if u.chunk_id == chunk_id]

    def row_digest(self) -> str:
        """A hash over all rows."""
        return hashlib.sha256(msgspec.msgpack.encode(self._records)).hexdigest()

    def close(self) -> None:
        """Nothing to release."""


class MemoryVectors:
    """`ports.VectorFile` over two tables."""

    def __init__(self) -> None:
        self._chunks: dict[str, Vectors] = {}
        self._units: dict[str, Vectors] = {}

    def add_chunks(self, chunks: Sequence[Chunk], documents: Mapping[str, Document], vectors: Vectors) -> None:
        """Append chunks with their vectors."""
        missing = {c.document_id for c in chunks} - set(documents)
        if missing:
            raise KeyError(missing.pop())
        self._chunks.update(zip((c.id for c in chunks), vectors, strict=True))

    def add_units(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Append the units' vectors."""
        self._units.update(zip(ids, vectors, strict=True))

    def nearest_chunks(self, vector: Vectors, k: int) -> list[tuple[str, float]]:
        """Up to `k` chunk ids with their cosine, best first."""
        return _nearest(self._chunks, vector)[:k]

    def unit_vectors(self, ids: Sequence[str]) -> Vectors:
        """Shape (len(ids), dimension), in the order asked for."""
        return _taken(self._units, ids)

    def chunk_vectors(self, ids: Sequence[str]) -> Vectors:
        """Shape (len(ids), dimension), in the order asked for."""
        return _taken(self._chunks, ids)

    def counts(self) -> tuple[int, int]:
        """Rows of chunks and of units."""
        return len(self._chunks), len(self._units)

    def nearest_chunk(self, vector: Vectors) -> str | None:
        """The id of the nearest chunk."""
        return next((i for i, _ in _nearest(self._chunks, vector)), None)

    def nearest_unit(self, vector: Vectors) -> str | None:
        """The id of the nearest unit."""
        return next((i for i, _ in _nearest(self._units, vector)), None)

    def close(self) -> None:
        """Nothing to release."""


def _nearest(rows: Mapping[str, Vectors], vector: Vectors) -> list[tuple[str, float]]:
    scored = (
        (i, round(float(row @ vector / (np.linalg.norm(row) * np.linalg.norm(vector))), 6)) for i, row in rows.items()
    )
    return sorted(scored, key=lambda pair: (-pair[1], pair[0]))


class MemoryVectorCache:
    """`ports.VectorCache` over a dict."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Vectors] = {}

    def get(self, embedder: str, texts: Sequence[str]) -> dict[str, Vectors]:
        """The vectors that are there, by text."""
        return {t: self._rows[embedder, t] for t in texts if (embedder, t) in self._rows}

    def put(self, embedder: str, texts: Iterable[str], vectors: Vectors) -> None:
        """Keep `vectors[i]` for the i-th text."""
        self._rows.update({(embedder, t): v.copy() for t, v in zip(texts, vectors, strict=True)})

    def trim(self) -> None:
        """There is room for everything."""

    def close(self) -> None:
        """Nothing to release."""


class MemoryStorage:
    """`ports.Storage`; vectors do not go with a folder, as on a server."""

    def __init__(self) -> None:
        self.catalogues: dict[Path, MemoryCatalogue] = {}
        self.indexes: dict[str, MemoryVectors] = {}
        self.vector_cache = MemoryVectorCache()

    def catalogue(self, path: Path, *, create: bool = False) -> MemoryCatalogue:
        """The catalogue in `path`."""
        if create:
            self.catalogues[path] = MemoryCatalogue()
        if path not in self.catalogues:
            raise IndexDamaged(f"{path} is missing")
        return self.catalogues[path]

    def vectors(self, folder: Path, name: str, *, create: bool = False) -> MemoryVectors:  # noqa: ARG002 - the port's
        """The vectors of snapshot `name`."""
        if create:
            self.indexes[name] = MemoryVectors()
        if name not in self.indexes:
            raise IndexDamaged(f"the vectors of snapshot {name} are missing")
        return self.indexes[name]

    def vector_rows(self, folder: Path) -> str | None:  # noqa: ARG002 - the port's
        """None, as on a server."""
        return None

    def drop_vectors(self, name: str) -> None:
        """Delete what there is of the vectors of snapshot `name`."""
        self.indexes.pop(name, None)

    def cache(self) -> MemoryVectorCache:
        """The cache of vectors."""
        return self.vector_cache


def _taken(vectors: Mapping[str, Vectors], ids: Sequence[str]) -> Vectors:
    if missing := set(ids) - set(vectors):
        raise IndexDamaged(f"{len(missing)} vectors are missing")
    return np.asarray([vectors[i] for i in ids], dtype=np.float32)
