"""A question to passages: dense and lexical candidates, fused, only eligible ones.

Knows candidates and ranks of chunks. Which sentences of them answer is the job of `evidence`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt

from rag.domain import Document, Passage, Value
from rag.ports import Catalogue, Embedder, VectorIndex, Vectors
from rag.retrieve.eligibility import bounded, eligible
from rag.retrieve.fusion import fused
from rag.retrieve.lexical import LexicalIndex
from rag.retrieve.wording import worded

_CANDIDATES = 60


class Retrieved(Value):
    """Passages, best first, with the raw scores of their chunks and the question's vector, if there is an embedder."""

    passages: tuple[Passage, ...]
    cosines: Mapping[str, float]
    bm25: Mapping[str, float]
    vector: Vectors | None


class PassageRetriever:
    """Ranks the chunks of one snapshot. Without an embedder BM25 alone ranks."""

    def __init__(
        self, catalogue: Catalogue, lexical: LexicalIndex, vectors: VectorIndex | None, embedder: Embedder | None
    ) -> None:
        self._catalogue, self._lexical, self._vectors, self._embedder = catalogue, lexical, vectors, embedder
        self._ids = catalogue.chunk_ids()
        self._rows = {chunk_id: row for row, chunk_id in enumerate(self._ids)}
        self._owners = [chunk_id.rpartition("#")[0] for chunk_id in self._ids]
        documents = bounded(catalogue.documents(), catalogue.text)
        self._documents: dict[str, Document] = {d.id: d for d in documents}

    def search(self, question: str, k: int, asked_places: Collection[str], as_of: dt.date) -> Retrieved:
        """The `k` best eligible passages."""
        if not self._ids:
            return Retrieved((), {}, {}, None)
        allowed = self._eligible_rows(asked_places, as_of)
        wanted = max(_CANDIDATES, 2 * k)
        bm25 = self._lexical.scores(worded(question))
        best = np.argsort(np.where(allowed, -bm25, np.inf), kind="stable")[:wanted]
        ids = {self._ids[row] for row in best if allowed[row]}
        vector, dense = None, None
        if self._embedder is not None and self._vectors is not None:
            vector = self._embedder.query(question)
            dense = self._nearest(self._vectors, vector, wanted, allowed)
            ids.update(dense)
        lexical = {i: round(float(bm25[self._rows[i]]), 5) for i in ids}
        ranked = fused(sorted(ids), dense, lexical)[:k]
        chunks = self._catalogue.chunks_by_id([i for i, _ in ranked])
        found = [
            Passage(c, self._documents[c.document_id], score) for c, (_, score) in zip(chunks, ranked, strict=True)
        ]
        kept = {p.chunk.id for p in found}
        return Retrieved(
            tuple(found),
            {i: s for i, s in (dense or {}).items() if i in kept},
            {i: s for i, s in lexical.items() if i in kept},
            vector,
        )

    def _nearest(
        self, vectors: VectorIndex, vector: Vectors, wanted: int, allowed: npt.NDArray[np.bool_]
    ) -> dict[str, float]:
        """The nearest eligible chunks; where other places crowd them out, all chunks are asked for once."""
        for k in (min(wanted, len(self._ids)), len(self._ids)):
            near = [(i, s) for i, s in vectors.nearest_chunks(vector, k) if allowed[self._rows[i]]]
            if len(near) >= min(wanted, int(allowed.sum())) or allowed.all():
                break
        return dict(near[:wanted])

    def _eligible_rows(self, asked_places: Collection[str], as_of: dt.date) -> npt.NDArray[np.bool_]:
        fits = {i: eligible(document, asked_places, as_of) for i, document in self._documents.items()}
        return np.array([fits[owner] for owner in self._owners], dtype=bool)
