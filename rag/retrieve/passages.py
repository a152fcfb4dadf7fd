"""A question to passages: dense and lexical candidates, fused, only eligible ones.

Knows candidates and ranks of chunks. Which sentences of them answer is the job of `evidence`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping

import numpy as np

from rag.domain import Document, Passage, Value
from rag.ports import Catalogue, Embedder, VectorIndex, Vectors
from rag.retrieve.eligibility import eligible
from rag.retrieve.fusion import fused
from rag.retrieve.lexical import LexicalIndex

_CANDIDATES = 60
# Where a place is named many candidates are of other places and fall out afterwards.
_PLACE_FACTOR = 4


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
        self._documents: dict[str, Document] = {d.id: d for d in catalogue.documents()}

    def search(self, question: str, k: int, asked_places: Collection[str], as_of: dt.date) -> Retrieved:
        """The `k` best eligible passages."""
        if not self._ids:
            return Retrieved((), {}, {}, None)
        bm25 = self._lexical.scores(question)
        vector, dense = None, None
        wanted = max(_CANDIDATES, 2 * k) * (_PLACE_FACTOR if asked_places else 1)
        if self._embedder is not None and self._vectors is not None:
            vector = self._embedder.query(question)
            dense = dict(self._vectors.nearest_chunks(vector, min(wanted, len(self._ids))))
        top = np.argsort(-bm25, kind="stable")[:wanted]
        lexical = {self._ids[i]: round(float(bm25[i]), 5) for i in top}
        ids = sorted({*lexical, *(dense or ())})
        chosen = self._chosen(fused(ids, dense, lexical), k, asked_places, as_of)
        kept = {p.chunk.id for p in chosen}
        return Retrieved(
            tuple(chosen),
            {i: s for i, s in (dense or {}).items() if i in kept},
            {i: s for i, s in lexical.items() if i in kept},
            vector,
        )

    def _chosen(
        self, ranked: list[tuple[str, float]], k: int, asked_places: Collection[str], as_of: dt.date
    ) -> list[Passage]:
        chunks = {c.id: c for c in self._catalogue.chunks_by_id([i for i, _ in ranked])}
        found: list[Passage] = []
        for chunk_id, score in ranked:
            document = self._documents[chunks[chunk_id].document_id]
            if eligible(document, asked_places, as_of):
                found.append(Passage(chunks[chunk_id], document, score))
            if len(found) == k:
                break
        return found
