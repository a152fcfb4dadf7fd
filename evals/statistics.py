"""Intervals and differences for small samples.

Knows numbers only. What was measured is someone else's job.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Z95 = 1.959964
SEED = 20261123
ROUNDS = 10_000

Interval = tuple[float, float]
Floats = npt.NDArray[np.float64]


def wilson(successes: int, n: int) -> Interval:
    """95 % interval of a share (Wilson 1927); (0, 1) for n = 0."""
    if n == 0:
        return 0.0, 1.0
    share = successes / n
    centre = (share + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 / (1 + Z95**2 / n) * math.sqrt(share * (1 - share) / n + Z95**2 / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def bootstrap_mean(
    values: Sequence[float], clusters: Sequence[str], *, seed: int = SEED, rounds: int = ROUNDS
) -> Interval:
    """95 % percentile interval of a mean (Efron 1979), drawn by cluster (Field and Welsh 2007).

    Values of one cluster are no independent draws: whole clusters are drawn, as many as there are. With one cluster
    the interval is a point, which says nothing.

    Raises:
        ValueError: there are no values, or not one cluster for each.
    """
    if not values or len(values) != len(clusters):
        raise ValueError(f"{len(values)} values in {len(clusters)} clusters have no mean")
    sums, counts = _by_cluster(values, clusters)
    picks = np.random.default_rng(seed).integers(0, len(sums), (rounds, len(sums)), dtype=np.int32)
    means = sums[picks].sum(axis=1) / counts[picks].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def bootstrap_difference(
    first: Sequence[float], second: Sequence[float], clusters: Sequence[str], *, seed: int = SEED, rounds: int = ROUNDS
) -> Interval:
    """95 % interval of the mean of second - first, paired by example and drawn by cluster.

    Raises:
        ValueError: there are no pairs, or not one cluster for each.
    """
    return bootstrap_mean(differences(first, second), clusters, seed=seed, rounds=rounds)


def differences(first: Sequence[float], second: Sequence[float]) -> list[float]:
    """Second - first, pair by pair; what is left of a sum's last digit is no difference."""
    return [round(b - a, 9) for a, b in zip(first, second, strict=True)]


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided exact p-value of the flips between two paired runs (McNemar 1947)."""
    n, k = only_first + only_second, min(only_first, only_second)
    if n == 0:
        return 1.0
    return float(min(1.0, 2 * sum(math.comb(n, i) for i in range(k + 1)) / 2**n))


def _by_cluster(values: Sequence[float], clusters: Sequence[str]) -> tuple[Floats, Floats]:
    """The sum and the number of values of each cluster."""
    _, which = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.bincount(which, weights=np.asarray(values, dtype=np.float64)).astype(np.float64)
    return sums, np.bincount(which).astype(np.float64)
