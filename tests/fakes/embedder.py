"""An embedder without a model: hashed character bigrams, so that texts which share wording are near each other."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from rag.errors import EmbedderUnavailable
from rag.ports import Vectors
from rag.text import fold


class FakeEmbedder:
    """`ports.Embedder` by counting. `texts` lists what was embedded; after `fails_after` texts it is unavailable."""

    def __init__(self, name: str = "fake-1", dimension: int = 64, *, fails_after: int | None = None) -> None:
        self.id, self.dimension = name, dimension
        self.texts: list[str] = []
        self._fails_after = fails_after

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Shape (len(texts), dimension), L2-normalised."""
        if self._fails_after is not None and len(self.texts) + len(texts) > self._fails_after:
            raise EmbedderUnavailable(f"told to fail after {self._fails_after} texts")
        self.texts.extend(texts)
        rows = [self._vector(text) for text in texts]
        return np.stack(rows) if rows else np.zeros((0, self.dimension), dtype=np.float32)

    def query(self, text: str) -> Vectors:
        """Shape (dimension,), L2-normalised."""
        if self._fails_after is not None and len(self.texts) >= self._fails_after:
            raise EmbedderUnavailable(f"told to fail after {self._fails_after} texts")
        return self._vector(text)

    def _vector(self, text: str) -> Vectors:
        key = f"^{fold(text)}$"
        vector = np.zeros(self.dimension, dtype=np.float32)
        for i in range(len(key) - 1):
            vector[zlib.crc32(key[i : i + 2].encode()) % self.dimension] += 1.0
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)
