"""A linear model over standardised features: what the fitted parts of retrieval are made of.

Knows arithmetic. What the features mean is the job of `fusion` and `evidence`; `evals fit` finds the weights.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rag.domain import Value

Matrix = npt.NDArray[np.float64]


class Linear(Value):
    """Weights, and what the features are standardised with."""

    features: tuple[str, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float = 0.0

    def __call__(self, rows: Matrix) -> Matrix:
        """Scores of `rows`, shape (n, features) to (n,)."""
        scaled = (rows - np.asarray(self.mean)) / np.asarray(self.spread)
        return np.asarray(scaled @ np.asarray(self.weights) + self.bias)
