"""Rules that read the same but for their figures: the one of the nearer place goes first.

Knows when two texts are one rule of two authorities. How near a place is, is told by `eligibility.local`; what a text
is worth otherwise, by `fusion` and `evidence`. A country's rule, a province's and a city's are often one sentence with
three figures, and wording can't tell them apart: the place must.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

import numpy as np

from rag import places
from rag.retrieve.linear import Matrix
from rag.text import bigrams

_FIGURES = re.compile(r"\d+(?:\.\d+)?")
# The share of character pairs that two wordings of one rule have in common.
_ALIKE = 0.6
# So many of the best are looked at.
_COMPARED = 16


def nearer_first(scores: Matrix, texts: Sequence[str], nearness: Sequence[float]) -> Matrix:
    """The scores, shape (n,), with those of texts that are one rule handed out anew: the highest to the nearest."""
    if len(set(nearness)) < 2:  # noqa: PLR2004 - all are equally near
        return scores
    best = np.argsort(-scores, kind="stable")[:_COMPARED].tolist()
    handed = scores.copy()
    for group in _groups(best, texts):
        by_place = sorted(group, key=lambda n: -nearness[n])
        handed[by_place] = scores[group]
    return handed


def _groups(rows: Sequence[int], texts: Sequence[str]) -> list[list[int]]:
    """Rows whose texts are one rule, in the given order; a row is in the group of the first that it is like."""
    groups: list[list[int]] = []
    for row in rows:
        own = _skeleton(texts[row])
        group = next((g for g in groups if _alike(own, _skeleton(texts[g[0]]))), None)
        if group is None:
            groups.append([row])
        else:
            group.append(row)
    return [group for group in groups if len(group) > 1]


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= _ALIKE * len(one | other) > 0


@functools.lru_cache(20_000)
def _skeleton(text: str) -> frozenset[str]:
    """The character pairs of a text without its places and figures."""
    kept, done = [], 0
    for _, start, end in places.located(text):
        kept.append(text[done:start])
        done = end
    return bigrams(_FIGURES.sub("#", "".join((*kept, text[done:]))))
