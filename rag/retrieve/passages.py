"""A question to passages: dense and lexical candidates, only eligible ones, in one ranking.

Knows how candidates are found. What each is worth is the job of `fusion`, which of their sentences answer, that of
`evidence`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from rag.domain import Document, Passage, Value
from rag.ports import Catalogue, Embedder, VectorIndex, Vectors
from rag.retrieve.eligibility import bounded, eligible
from rag.retrieve.fusion import Pool, fused
from rag.retrieve.lexical import LexicalIndex
from rag.retrieve.wording import renamed

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
        owners = [chunk_id.rpartition("#")[0] for chunk_id in self._ids]
        documents = bounded(catalogue.documents(), catalogue.text)
        self._documents: dict[str, Document] = {d.id: d for d in documents}
        self._examples, self._groups = _grouped(self._documents, owners)

    def search(self, question: str, k: int, asked_places: Collection[str], as_of: dt.date) -> Retrieved:
        """The `k` best eligible passages."""
        pool, vector = self.pool(question, k, asked_places, as_of)
        worth = pool.bm25 if vector is None else fused(question, asked_places, pool)
        ranked = sorted(range(len(pool.chunks)), key=lambda n: (-worth[n], pool.chunks[n].id))[:k]
        return Retrieved(
            tuple(Passage(pool.chunks[n], pool.documents[n], float(worth[n])) for n in ranked),
            {} if vector is None else {pool.chunks[n].id: float(pool.cosine[n]) for n in ranked},
            {pool.chunks[n].id: float(pool.bm25[n]) for n in ranked},
            vector,
        )

    def pool(self, question: str, k: int, asked_places: Collection[str], as_of: dt.date) -> tuple[Pool, Vectors | None]:
        """Every eligible passage that one of the rankings holds for a good one, and the question's vector.

        Without an embedder the cosines are zero.
        """
        allowed = self._eligible_rows(asked_places, as_of)
        wanted = max(_CANDIDATES, 2 * k)
        bm25 = self._lexical.scores(renamed(question))
        found = {self._ids[row] for row in highest(np.where(allowed, bm25, -np.inf), wanted) if allowed[row]}
        vector = None
        if self._embedder is not None and self._vectors is not None and self._ids:
            vector = self._embedder.query(question)
            found.update(self._nearest(self._vectors, vector, wanted, allowed))
        ids = sorted(found)
        chunks = tuple(self._catalogue.chunks_by_id(ids))
        return Pool(
            chunks,
            tuple(self._documents[chunk.document_id] for chunk in chunks),
            self._cosines(ids, vector),
            np.array([round(float(bm25[self._rows[i]]), 5) for i in ids]),
        ), vector

    def _cosines(self, ids: Sequence[str], vector: Vectors | None) -> npt.NDArray[np.float64]:
        """The exact cosine of every candidate, also of those that only BM25 found."""
        if vector is None or self._vectors is None or not ids:
            return np.zeros(len(ids))
        return np.round(self._vectors.chunk_vectors(ids).astype(np.float64) @ vector.astype(np.float64), 5)

    def _nearest(self, vectors: VectorIndex, vector: Vectors, wanted: int, allowed: npt.NDArray[np.bool_]) -> list[str]:
        """The nearest eligible chunks; where others crowd them out, four times as many are asked for, and so on."""
        k, needed = min(wanted, len(self._ids)), min(wanted, int(allowed.sum()))
        while True:
            near = [i for i, _ in vectors.nearest_chunks(vector, k) if allowed[self._rows[i]]]
            if len(near) >= needed or k == len(self._ids):
                return near[:wanted]
            k = min(4 * k, len(self._ids))

    def _eligible_rows(self, asked_places: Collection[str], as_of: dt.date) -> npt.NDArray[np.bool_]:
        """Documents of one place and time are decided together: there are fewer of these than documents."""
        fits = [eligible(document, asked_places, as_of) for document in self._examples]
        return np.array(fits, dtype=bool)[self._groups]


def highest(scores: npt.NDArray[np.float32], n: int) -> npt.NDArray[np.intp]:
    """The rows of the `n` highest scores, best first, equals in their order; a million rows are not sorted for it."""
    if n >= len(scores):
        return np.argsort(-scores, kind="stable")
    least = -np.partition(-scores, n - 1)[n - 1]
    above, equal = np.flatnonzero(scores > least), np.flatnonzero(scores == least)
    return np.concatenate([above[np.argsort(-scores[above], kind="stable")], equal])[:n]


def _grouped(documents: Mapping[str, Document], owners: Sequence[str]) -> tuple[list[Document], npt.NDArray[np.intp]]:
    """One document of every place and time, and for each row the number of the one that is like its owner."""
    numbers: dict[object, int] = {}
    examples: list[Document] = []
    group: dict[str, int] = {}
    for document in documents.values():
        like = document.places, document.effective_from, document.effective_to, document.superseded_by
        if like not in numbers:
            numbers[like] = len(examples)
            examples.append(document)
        group[document.id] = numbers[like]
    return examples, np.array([group[owner] for owner in owners], dtype=np.intp)
