"""What a claim says is to be done first, against the order in which its evidence tells the steps.

Knows 先 … 再 …; texts tell steps in the order in which they are taken, unless they say 之前 or 先.
"""

from __future__ import annotations

import re

from rag.answer.verifying import polarity
from rag.answer.verifying.problems import Problem

_STEPS = re.compile(
    r"先(?!后|前|天|行支付)(?P<first>[^。；]{2,30}?)[，,、]?(?:然后|之后|接着|随后|最后|再|才)(?P<then>[^，。；]{2,30})"
)
_BACKWARDS = re.compile(r"前(?![往来提述款])|先(?![^。；]*(?:再|然后|之后|最后))")


def reversed_steps(claim: str, told: str) -> list[Problem]:
    """Two steps that the evidence tells the other way round."""
    return [
        Problem("date", match.group())
        for match in _STEPS.finditer(claim)
        if not _BACKWARDS.search(told) and _later(match["first"], match["then"], told)
    ]


def _later(first: str, then: str, told: str) -> bool:
    """Whether all that only `first` names stands behind all that only `then` names."""
    own, other = _names(first), _names(then)
    mine = [told.find(word) for word in own - other if word in told]
    its = [told.rfind(word) for word in other - own if word in told]
    return bool(mine and its) and min(mine) > max(its)


def _names(text: str) -> set[str]:
    return {text[word.start : word.end] for word in polarity.content(text)}
