"""BM25 over Chinese terms: one index over chunks, one over units, saved beside the vectors.

Knows term weights. Segmentation is the job of `tokens`, mixing with vectors of `passages` and `evidence`.

bm25s (released regularly) ranks: Lucene's BM25 (Robertson and Zaragoza 2009; k1 1.5, b 0.75) with eager scores.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from pathlib import Path

import bm25s
import numpy as np
import numpy.typing as npt

from rag.errors import IndexDamaged
from rag.tokens import terms

logging.getLogger("bm25s").setLevel(logging.WARNING)  # it logs every build at DEBUG through a handler of its own

Scores = npt.NDArray[np.float32]


class LexicalIndex:
    """Scores of every row for a question; rows are in the order in which they were given."""

    def __init__(self, index: bm25s.BM25, rows: int) -> None:
        self._index, self._rows = index, rows

    @classmethod
    def build(cls, texts: Sequence[str]) -> LexicalIndex:
        """An index over `texts`."""
        index = bm25s.BM25()
        if texts:
            index.index([terms(text) or [""] for text in texts], show_progress=False)
        return cls(index, len(texts))

    def save(self, folder: Path) -> None:
        """Write the index; nothing is tokenised again when it is loaded."""
        folder.mkdir(parents=True, exist_ok=True)
        if self._rows:
            self._index.save(folder, show_progress=False)

    @classmethod
    def load(cls, folder: Path, rows: int) -> LexicalIndex:
        """Open a saved index of `rows` rows.

        Raises:
            IndexDamaged: it is not there, or holds another number of rows.
        """
        if not rows:
            return cls(bm25s.BM25(), 0)
        try:
            index = bm25s.BM25.load(folder, mmap=True, show_progress=False)
        except (OSError, EOFError, ValueError, KeyError) as error:
            raise IndexDamaged(f"the lexical index in {folder} can't be read: {error}") from error
        if index.scores["num_docs"] != rows:
            raise IndexDamaged(f"the lexical index in {folder} has {index.scores['num_docs']} rows, not {rows}")
        return cls(index, rows)

    def scores(self, question: str) -> Scores:
        """BM25 of every row, shape (rows,)."""
        known = [term for term in terms(question) if term in self._index.vocab_dict] if self._rows else []
        if not known:
            return np.zeros(self._rows, dtype=np.float32)
        return np.asarray(self._index.get_scores(known), dtype=np.float32)

    def idf(self, term: str) -> float:
        """How telling a term is: ln(1 + (N - n + 0.5) / (n + 0.5)); highest for a term that no row has."""
        column = self._index.vocab_dict.get(term) if self._rows else None
        rows = (
            0
            if column is None
            else int(self._index.scores["indptr"][column + 1] - self._index.scores["indptr"][column])
        )
        return math.log(1 + (self._rows - rows + 0.5) / (rows + 0.5))
