"""Records to a sealed snapshot: catalogue, BM25, vectors, manifest.

Knows what stands in which part. One record is in memory while it is written; the other parts are made of the catalogue,
read batch by batch, so that they agree with it and memory does not grow with texts and vectors. Which records these are
is the job of `indexing`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from rag.domain import Value
from rag.manifests import FORMAT, EmbedderStamp, Manifest, write_manifest
from rag.ports import CatalogueFile, Embedder, SourceRecord, Storage, VectorCache, Vectors
from rag.termrows import TermRows, TermRowsBuilder

Progress = Callable[[str, int, int], None]

_T = TypeVar("_T")
_EMBED_BATCH = 16
_STORE_BATCH = 1_000


class Unchanged(Value):
    """Documents that are as they were in the snapshot before, by id, and where their terms are kept."""

    documents: Collection[str]
    lexical: Path
    catalogue: CatalogueFile


class SnapshotBuilder:
    """Fills folders. `embed_units_up_to` is the number of units above which only chunks get vectors."""

    def __init__(self, storage: Storage, embedder: Embedder | None, embed_units_up_to: int, progress: Progress) -> None:
        self._storage, self._embedder = storage, embedder
        self._embed_units_up_to, self._progress = embed_units_up_to, progress

    def build(
        self,
        folder: Path,
        records: Iterable[tuple[SourceRecord, SourceRecord]],
        total: int,
        unchanged: Unchanged | None,
    ) -> tuple[Manifest, int]:
        """Build the snapshot that is called like `folder`: its manifest, and how many vectors were computed.

        Of each file what is indexed comes with what is kept unindexed.

        Raises:
            OperatorError: the embedder or the store of vectors fails, or there is no room; `folder` is not sealed then.
        """
        with closing(self._storage.catalogue(folder / "catalogue.sqlite", create=True)) as catalogue:
            for n, (indexed, aside) in enumerate(records, 1):
                catalogue.add(indexed, aside)
                self._progress("写入", n, total)
            self._index_terms(folder / "lexical", catalogue, unchanged)
            _, chunks, units = catalogue.counts()
            units_embedded = units <= self._embed_units_up_to
            embedded = 0
            if self._embedder and chunks:
                embedded = self._store_vectors(folder, catalogue, self._embedder, units_embedded=units_embedded)
            made = self._manifest(folder, catalogue, units_embedded=units_embedded)
        write_manifest(folder, made)
        return made, embedded

    def _index_terms(self, folder: Path, catalogue: CatalogueFile, old: Unchanged | None) -> None:
        _, chunks, units = catalogue.counts()
        rows = _TermIndexing(self._progress, chunks + units, old.documents if old else ())
        rows.index(
            folder / "chunks",
            ((c.id, c.document_id, c.searched) for c in catalogue.chunks()),
            TermRows.load(old.lexical / "chunks") if old else None,
            old.catalogue.chunk_ids() if old else [],
        )
        rows.index(
            folder / "units",
            ((u.id, u.document_id, "：".join((*u.title_path, u.text))) for u in catalogue.units()),
            TermRows.load(old.lexical / "units") if old else None,
            old.catalogue.unit_ids() if old else [],
        )

    def _store_vectors(
        self, folder: Path, catalogue: CatalogueFile, embedder: Embedder, *, units_embedded: bool
    ) -> int:
        _, chunks, units = catalogue.counts()
        with (
            closing(self._storage.cache()) as cache,
            closing(self._storage.vectors(folder / "chroma", folder.name, create=True)) as index,
        ):
            rows = Embedding(embedder, cache, self._progress, chunks + (units if units_embedded else 0))
            for some in _batches(catalogue.chunks(), _STORE_BATCH):
                found = {c.document_id: catalogue.document(c.document_id) for c in some}
                documents = {i: d for i, d in found.items() if d is not None}
                index.add_chunks(some, documents, rows.vectors([c.searched for c in some]))
            for part in _batches(catalogue.units() if units_embedded else iter(()), _STORE_BATCH):
                index.add_units([u.id for u in part], rows.vectors([u.text for u in part]))
            cache.trim()
        return rows.embedded

    def _manifest(self, folder: Path, catalogue: CatalogueFile, *, units_embedded: bool) -> Manifest:
        documents, chunks, units = catalogue.counts()
        return Manifest(
            folder.name,
            FORMAT,
            dt.datetime.now(dt.UTC),
            EmbedderStamp(self._embedder.id, self._embedder.dimension) if self._embedder else None,
            documents,
            chunks,
            units,
            catalogue.row_digest(),
            units_embedded,
            vector_rows=self._storage.vector_rows(folder / "chroma") if self._embedder and chunks else None,
        )


class _TermIndexing:
    """Rows to BM25 indexes; rows of documents that are as they were are not segmented again."""

    def __init__(self, progress: Progress, total: int, unchanged: Collection[str]) -> None:
        self._progress, self._total, self._done = progress, total, 0
        self._unchanged = frozenset(unchanged)

    def index(
        self, folder: Path, rows: Iterable[tuple[str, str, str]], old: TermRows | None, old_ids: Sequence[str]
    ) -> None:
        """Index rows of (id, document id, text) in `folder`; `old_ids` are those of the rows of `old`."""
        known = {row_id: n for n, row_id in enumerate(old_ids)} if old else {}
        builder = TermRowsBuilder(old)
        for row_id, document_id, text in rows:
            if document_id in self._unchanged and row_id in known:
                builder.take_over(known[row_id])
            else:
                builder.add(text)
            self._done += 1
            self._progress("检索词", self._done, self._total)
        builder.save(folder)


class Embedding:
    """Texts to vectors: from the cache, else computed and put there batch by batch. `embedded` counts the latter."""

    def __init__(self, embedder: Embedder, cache: VectorCache, progress: Progress, total: int) -> None:
        self._embedder, self._cache = embedder, cache
        self._progress, self._total, self._done = progress, total, 0
        self.embedded = 0

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Shape (len(texts), dimension)."""
        found = self._cache.get(self._embedder.id, texts)
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        done = self._done + len(texts) - len(missing)
        for batch in _batches(iter(missing), _EMBED_BATCH):
            vectors = self._embedder.passages(batch)
            self._cache.put(self._embedder.id, batch, vectors)
            found.update(zip(batch, vectors, strict=True))
            self.embedded += len(batch)
            done += len(batch)
            self._progress("嵌入", done, self._total)
        self._done += len(texts)
        self._progress("嵌入", self._done, self._total)
        return np.array([found[text] for text in texts], dtype=np.float32)


def _batches(rows: Iterator[_T], size: int) -> Iterator[list[_T]]:
    while batch := list(islice(rows, size)):
        yield batch
