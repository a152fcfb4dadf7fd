"""In which order a claim puts two steps, against the order in which its evidence has them taken.

Knows how Chinese tells order: 先…再…, …后…, 经…批准后, …的，应当先…, and that a text tells steps in the order in which
they are taken unless it says otherwise. From when a term runs is the job of `starts`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from rag.answer.verifying import polarity
from rag.answer.verifying.problems import Problem
from rag.domain import Value

_STEPS = re.compile(
    r"先(?!后|前|天|行支付)(?P<first>[^。；]{2,30}?)[，,、]?(?:然后|之后|接着|随后|最后|再|才)(?P<then>[^，。；]{2,30})"
)
_BACKWARDS = re.compile(r"前(?![往来提述款])|先(?![^。；]*(?:再|然后|之后|最后))")
_SENTENCE_END = re.compile(r"[。；！!;\n]")
# The first step, then the second: 批准后执行, 结完再审核, 签好了才审核; 先执行，事后再报批; 然后备案，再申请.
_IN_ORDER = (
    re.compile(
        r"(?P<first>[^，。；,;、]{2,24})(?:(?<![此然随最今事往前])(?<![以之])[以之]?后(?![续果期面])|完了?|好了)[，,]?(?:[再才]|方可)?(?P<then>[^，。；,;]{2,24})"
    ),
    re.compile(
        r"先(?!后|前|天|行支付)(?P<first>[^。；;]{2,30}?)[，,]?(?:然后|[以之]后|接着|随后|事后|回头|最后|完|再)(?P<then>[^。；，,;]{2,30})"
    ),
    re.compile(
        r"先(?!后|前|天|行支付)(?P<first>[^。；，,;]{2,30})[，,](?P<then>[^。；，,;]{2,20}(?:之后|随后|事后|最后|回头)[再才]?[^。；，,;]{1,10})"
    ),
    re.compile(
        r"(?P<first>[^。；，,;]{2,30})[，,](?:然后|之后|接着|随后|事后|回头|最后)再?(?P<then>[^。；，,;]{2,30})"
    ),
    re.compile(r"(?:然后|接着|随后|之后)(?P<first>[^。；，,;]{2,30})[，,]再(?P<then>[^。；，,;]{2,30})"),
)
# The second step, then the first: 注销登记的，应当先结清费用; 报销前先备案.
_BACK = re.compile(
    r"(?P<then>[^。；，,;]{2,24})(?:的|[之以]?前)[，,]?[^。；，,;]{0,8}?(?:应当|必须|需要?|须|要|得)?先(?!后|前|天|行支付)(?P<first>[^。；，,;]{2,24})$"
)


class _Pair(Value):
    """The content words that only the one of two steps has, and only the other; the earlier step first."""

    first: frozenset[str]
    then: frozenset[str]
    shown: str

    def turns(self, other: _Pair) -> bool:
        """Whether it has the two steps of another the other way round."""
        crossed = self.first & other.then and self.then & other.first
        return bool(crossed) and not (self.first & other.first or self.then & other.then)

    def keeps(self, other: _Pair) -> bool:
        """Whether it has the two steps of another in their order."""
        return bool(self.first & other.first and self.then & other.then)


def reversed_steps(claim: str, told: str) -> list[Problem]:
    """Two steps that the evidence tells the other way round."""
    found = [
        match.group()
        for match in _STEPS.finditer(claim)
        if not _BACKWARDS.search(told) and _later(match["first"], match["then"], told)
    ]
    there = _pairs(told)
    found += [
        own.shown
        for own in _pairs(claim)
        if any(own.turns(other) for other in there) and not any(own.keeps(other) for other in there)
    ]
    return [Problem("date", shown) for shown in dict.fromkeys(found)]


@functools.lru_cache(maxsize=1024)
def _pairs(text: str) -> tuple[_Pair, ...]:
    """The pairs of steps for which a text says which comes first."""
    return tuple(pair for sentence in _SENTENCE_END.split(text) for pair in _of_sentence(sentence))


def _of_sentence(sentence: str) -> Iterator[_Pair]:
    for pattern in (*_IN_ORDER, _BACK):
        for match in pattern.finditer(sentence):
            first, then = _words(match["first"]), _words(match["then"])
            if first - then and then - first:
                yield _Pair(first - then, then - first, match.group())


def _words(text: str) -> frozenset[str]:
    return frozenset(word.text for word in polarity.content(text))


def _later(first: str, then: str, told: str) -> bool:
    """Whether all that only `first` names stands behind all that only `then` names."""
    own, other = _names(first), _names(then)
    mine = [told.find(word) for word in own - other if word in told]
    its = [told.rfind(word) for word in other - own if word in told]
    return bool(mine and its) and min(mine) > max(its)


def _names(text: str) -> set[str]:
    return {text[word.start : word.end] for word in polarity.content(text)}
