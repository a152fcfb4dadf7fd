"""Which of several mentions in the evidence a claim's mention stands for: how well each fits.

Knows the wording around two mentions and what they are said of. Whether they are alike is the job of `binding`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rag.answer.verifying.mentions import Mention

# Whose rule it is: a claim may not name one that the evidence leaves open.
STRICT = frozenset({"insured_type", "employment", "care", "level", "chronic", "urgency", "area", "delivery"})
# What a figure is said of; two values of one of these never have the same figure by chance.
SCOPES = STRICT | {
    "place",
    "age",
    "tier",
    "drug",
    "class",
    "times",
    "payer",
    "account",
    "threshold",
    "near",
    "role",
    "condition",
}
SCOPES -= {"chronic", "urgency", "care"}
# Fitted on development pairs: what it counts to be said of the same, and of something else.
AGREEMENT = 0.25
CONFLICT = 0.5


def fits(mention: Mention, others: Sequence[Mention]) -> dict[int, float]:
    """How well each of the evidence's mentions fits: by what it is said of, and by the wording around it.

    Wording that stands around all of them tells nothing.
    """
    if not others:
        return {}
    keys = list(mention.near.items())
    there = [[other.nearness(key) for key, _ in keys] for other in others]
    shared = [sum(row[n] > 0 for row in there) for n in range(len(keys))]
    telling = [
        weight * math.log((1 + len(others)) / count) if count else 0.0
        for (_, weight), count in zip(keys, shared, strict=True)
    ]
    whole = sum(told * weight for told, (_, weight) in zip(telling, keys, strict=True))
    return {
        id(other): _wording(keys, telling, row) / whole + _scope(mention, other) if whole else _scope(mention, other)
        for other, row in zip(others, there, strict=True)
    }


def _wording(keys: Sequence[tuple[str, float]], telling: Sequence[float], row: Sequence[float]) -> float:
    return sum(told * min(weight, there) for told, (_, weight), there in zip(telling, keys, row, strict=True))


def _scope(mention: Mention, other: Mention) -> float:
    score = 0.0
    for dimension, values in mention.said_of.items():
        there = other.said_of.get(dimension)
        if there is None:
            continue
        if values & there:
            score += AGREEMENT if dimension in SCOPES else AGREEMENT / 3
        elif dimension in SCOPES:
            score -= CONFLICT
    return score
