"""The terms of a snapshot's rows as numbers, kept beside the BM25 index that was built of them.

Knows how rows that did not change go into the next index without being segmented again. Segmentation is the job of
`tokens`, term weights that of `retrieve.lexical`.
"""

from __future__ import annotations

import importlib.metadata
import json
from array import array
from collections.abc import Sequence
from pathlib import Path

import bm25s
import numpy as np
import numpy.typing as npt

from rag.retrieve.lexical import LexicalIndex
from rag.tokens import terms

# Raise it when `tokens` or `text.fold` change what terms a text has.
_SEGMENTING = f"terms-1 rjieba {importlib.metadata.version('rjieba')}"
_MARK, _TERMS, _ENDS, _VOCABULARY = "terms.json", "terms.npy", "ends.npy", "vocab.index.json"

Numbers = npt.NDArray[np.int32]


class TermRows:
    """The rows of an index that is there, each as the numbers of its terms in `words`."""

    def __init__(self, words: list[str], numbers: Numbers, ends: npt.NDArray[np.int64]) -> None:
        self.words, self._numbers, self._ends = words, numbers, ends

    @classmethod
    def load(cls, folder: Path) -> TermRows | None:
        """The rows kept in `folder`; None where there are none that were segmented as texts are now."""
        try:
            if json.loads((folder / _MARK).read_text("utf-8")) != _SEGMENTING:
                return None
            vocabulary: dict[str, int] = json.loads((folder / _VOCABULARY).read_text("utf-8"))
            numbers, ends = (np.load(folder / name, mmap_mode="r") for name in (_TERMS, _ENDS))
        except (OSError, ValueError):
            return None
        return cls(sorted(vocabulary, key=vocabulary.__getitem__), numbers, ends)

    def row(self, number: int) -> Numbers:
        """The terms of a row, in order."""
        return self._numbers[self._ends[number - 1] if number else 0 : self._ends[number]]


class TermRowsBuilder:
    """Collects rows, four bytes a term, and makes a BM25 index of them."""

    def __init__(self, old: TermRows | None) -> None:
        """`old` is where rows are taken over from."""
        self._old = old
        self._vocabulary: dict[str, int] = {}
        self._numbers, self._ends = array("i"), array("q")
        self._renumbered = np.full(len(old.words), -1, dtype=np.int32) if old else np.zeros(0, dtype=np.int32)

    def add(self, text: str) -> None:
        """Append a row by segmenting its text."""
        self._numbers.extend(self._number(term) for term in terms(text) or [""])
        self._ends.append(len(self._numbers))

    def take_over(self, row: int) -> None:
        """Append what was row `row` of the old index."""
        if self._old is None:
            raise AssertionError("there are no old rows")
        old = self._old.row(row)
        for number in dict.fromkeys(old[self._renumbered[old] < 0].tolist()):
            self._renumbered[number] = self._number(self._old.words[number])
        self._numbers.frombytes(self._renumbered[old].tobytes())
        self._ends.append(len(self._numbers))

    def save(self, folder: Path) -> None:
        """Write the BM25 index of all rows, and the rows."""
        index = bm25s.BM25()
        numbers, ends = np.asarray(self._numbers, dtype=np.int32), np.asarray(self._ends, dtype=np.int64)
        if len(ends):
            index.scores = index.build_index_from_ids(
                list(self._vocabulary.values()), _Rows(numbers, ends), show_progress=False
            )
            self._number("")  # bm25s looks up the empty term for a question that has none
            index.vocab_dict = self._vocabulary
        LexicalIndex(index, len(ends)).save(folder)
        np.save(folder / _TERMS, numbers)
        np.save(folder / _ENDS, ends)
        (folder / _MARK).write_text(json.dumps(_SEGMENTING), "utf-8")

    def _number(self, term: str) -> int:
        return self._vocabulary.setdefault(term, len(self._vocabulary))


class _Rows(Sequence[list[int]]):
    """Rows as bm25s reads them, several times over, without a list of lists in memory."""

    def __init__(self, numbers: Numbers, ends: npt.NDArray[np.int64]) -> None:
        self._rows = TermRows([], numbers, ends)
        self._length = len(ends)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, row: int) -> list[int]:  # type: ignore[override]  # bm25s takes no slices
        if row >= self._length:
            raise IndexError(row)
        numbers: list[int] = self._rows.row(row).tolist()
        return numbers
