"""Vectors on tape: the embedder's output for the corpus and the gold questions, committed with the cassette.

Knows the file. Two machines differ in the last digits of an embedding, and in speed by far: with the vectors on tape a
run needs neither. What is not on the tape (a changed corpus, a new question) is embedded by the real embedder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from rag.ports import Embedder, Vectors


class TapedEmbedder:
    """`ports.Embedder` that looks on the tape first. The real embedder is built when it is first needed."""

    def __init__(self, path: Path, embedder_id: str, dimension: int, real: Callable[[], Embedder | None]) -> None:
        self.id, self.dimension = embedder_id, dimension
        self._path, self._build = path, real
        self._real: Embedder | None = None
        self._taped: dict[str, Vectors] = {}
        self._used: dict[str, Vectors] = {}
        if path.is_file():
            with np.load(path) as stored:
                if str(stored["embedder"]) == embedder_id:
                    self._taped = dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Shape (len(texts), dimension)."""
        keys = [_key("passage", text) for text in texts]
        missing = [text for text, key in zip(texts, keys, strict=True) if key not in self._taped]
        if missing:
            fresh = self._embedder().passages(missing)
            self._taped.update({_key("passage", t): v for t, v in zip(missing, fresh, strict=True)})
        self._used.update({key: self._taped[key] for key in keys})
        if not keys:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return np.stack([self._taped[key] for key in keys])

    def query(self, text: str) -> Vectors:
        """Shape (dimension,)."""
        key = _key("query", text)
        if key not in self._taped:
            self._taped[key] = self._embedder().query(text)
        self._used[key] = self._taped[key]
        return self._taped[key]

    def save(self) -> int:
        """Write the vectors that this run used, and no others; how many."""
        keys = sorted(self._used)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        vectors = np.stack([self._used[key] for key in keys]).astype(np.float32)
        np.savez_compressed(self._path, embedder=np.array(self.id), keys=np.array(keys), vectors=vectors)
        return len(keys)

    def _embedder(self) -> Embedder:
        if self._real is None:
            self._real = self._build()
        if self._real is None:
            raise RuntimeError("these texts are not on the tape, and the embedder can't run here")
        return self._real


def _key(role: str, text: str) -> str:
    return hashlib.sha256(f"{role}\0{text}".encode()).hexdigest()[:24]
