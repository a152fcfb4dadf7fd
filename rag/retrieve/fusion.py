"""Two rankings to one: standardised scores, summed.

Knows scores and ids. Where they come from is the job of `passages`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt


def standardised(scores: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Zero mean, unit spread; all zero when there is no spread."""
    values = np.asarray(scores, dtype=np.float64)
    spread = values.std() if values.size else 0.0
    return (values - values.mean()) / spread if spread > 1e-9 else np.zeros_like(values)  # noqa: PLR2004


def fused(
    ids: Sequence[str], dense: Mapping[str, float] | None, lexical: Mapping[str, float]
) -> list[tuple[str, float]]:
    """`ids` with their fused score, best first. An id that one ranking lacks gets that ranking's lowest score.

    Scores are rounded and ties go by id, so that a last-digit difference between machines reorders nothing.
    """
    total = np.zeros(len(ids))
    for ranking in (lexical, dense):
        if ranking:
            lowest = min(ranking.values())
            total = total + standardised([ranking.get(i, lowest) for i in ids])
    return sorted(
        ((i, round(float(s), 4)) for i, s in zip(ids, total, strict=True)), key=lambda pair: (-pair[1], pair[0])
    )
