"""The arithmetic of fitting linear models: standardising, and the listwise softmax of a ranker.

Knows numbers. What is fitted is the job of `fit` (evidence) and `fit_fusion` (passages).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize

from rag.retrieve.linear import Linear, Matrix

# Rows of one list, what is relevant in it, and how much the list counts.
Listed = tuple[Matrix, Matrix, float]


def listwise(lists: Sequence[Listed], seen: Matrix, names: Sequence[str], penalty: float) -> Linear:
    """The ranker under which the relevant rows of each list have the most probability together.

    Listwise softmax regression (Cao et al. 2007, ListNet) with a ridge penalty; features are standardised by `seen`.

    Raises:
        ValueError: there is no list, or one without a relevant row, which teaches no order.
    """
    if not lists or not all(relevance.any() for _, relevance, _ in lists):
        raise ValueError("every list needs a relevant row, and there must be one list")
    mean, spread = scale(seen)
    scaled = [((rows - mean) / spread, relevance, weight) for rows, relevance, weight in lists]
    total = sum(weight for _, _, weight in scaled)

    def objective(w: Matrix) -> tuple[float, Matrix]:
        loss, gradient = 0.0, np.zeros_like(w)
        for rows, relevance, weight in scaled:
            logits = rows @ w
            share = np.exp(logits - logits.max())
            share /= share.sum()
            good = share * relevance
            loss -= weight * float(np.log(good.sum() + 1e-12))
            gradient -= weight * (rows.T @ (good / (good.sum() + 1e-12)) - rows.T @ share)
        return loss / total + penalty * float(w @ w) / 2, gradient / total + penalty * w

    weights = minimize(objective, np.zeros(len(mean)), jac=True, method="L-BFGS-B").x
    return linear(names, mean, spread, weights, 0.0)


def scale(rows: Matrix) -> tuple[Matrix, Matrix]:
    """Mean and spread by feature; a feature that never varies keeps the spread 1, so that nothing divides by zero."""
    spread = rows.std(axis=0)
    return rows.mean(axis=0), np.where(spread < 1e-4, 1.0, spread)  # noqa: PLR2004


def linear(names: Sequence[str], mean: Matrix, spread: Matrix, weights: Matrix, bias: float) -> Linear:
    """The model with figures short enough to be read and compared."""

    def rounded(values: Matrix) -> tuple[float, ...]:
        return tuple(round(float(v), 5) for v in values)

    return Linear(tuple(names), rounded(mean), rounded(spread), rounded(weights), round(bias, 5))
