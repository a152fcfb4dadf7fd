"""A claim that compares two figures of its own: 能报80%，低于在职的70% can't be.

Knows how one figure is said to be above or below another. Whether the figures are those of the evidence is the job of
`binding`.
"""

from __future__ import annotations

import re
from itertools import pairwise

from rag.answer.verifying.problems import Problem
from rag.answer.verifying.slots import Slot, slots

_KINDS = frozenset({"ratio", "amount"})
# Behind the first figure; without 的 before the second it is no figure of another's: 最高5000元，低于400元的不报.
_ABOVE = re.compile(r"[，,]?[也还要略都]?(?:明显)?(?:高于|多于|高过|大于)[^，。；,;]*的")
_BELOW = re.compile(r"[，,]?[也还要略都]?(?:明显)?(?:低于|少于|低过|小于|不如|不及)[^，。；,;]*的")
_THAN = re.compile(r"[，,]?[也还要]?比[^，。；,;]*的")
_MORE, _LESS = re.compile(r"[更还要]?[高多]"), re.compile(r"[更还要]?[低少]")


def belied(claim: str) -> list[Problem]:
    """Comparisons of the claim that its own figures belie."""
    return [
        Problem("bound", claim[one.start : other.end])
        for one, other in pairwise(slots(claim))
        if one.kind == other.kind and one.kind in _KINDS and _is_belied(claim, one, other)
    ]


def _is_belied(claim: str, one: Slot, other: Slot) -> bool:
    between = claim[one.end : other.start]
    than = _THAN.fullmatch(between)
    above = _ABOVE.fullmatch(between) or (than and _MORE.match(claim, other.end))
    below = _BELOW.fullmatch(between) or (than and _LESS.match(claim, other.end))
    try:
        first, second = float(one.value), float(other.value)
    except ValueError:  # a range is compared with nothing
        return False
    return bool((above and first <= second) or (below and first >= second))
