"""From when something runs, and whether before or after what: 从届满那天起 is not 自欠缴之日起, nor 变更前 变更之日起.

Knows the words that tie a term to an event. Which of two steps comes first is the job of `sequence`.
"""

from __future__ import annotations

import re

from rag.answer.verifying import polarity
from rag.answer.verifying.problems import Problem
from rag.answer.verifying.slots import slots
from rag.answer.verifying.wording import word_class

_SENTENCE_END = re.compile(r"[。；！!;\n]")
_SINCE = re.compile(
    r"(?:[自从]|(?<=以))(?P<what>[^，。；,;]{2,30}?)(?:之日|那[一]?[天日]|[当次][天日]|之?时|第二天|日)?(?:零时)?(?:起|算起|开始|才)(?![诉付见])"
)
_BEFORE = re.compile(r"(?P<what>[\u4e00-\u9fff]{2,4})[之以]?前(?=\d|[一二两三四五六七八九十半])")
_NOT_YET = re.compile(
    r"(?P<what>[\u4e00-\u9fff]{1,3}期)(?:还|尚)?[没未]有?(?:过|满|到|完|结束)[^，。；,;]{0,3}就(?P<rest>[^，。；,;]*)"
)
_AFTER = r"(?:届?满|结束|过)?(?:之日起|[之以]?后)"
_UNTIL = r"(?:届?满|结束)?(?:[之以]?[前内]|期间)"


def displaced(claim: str, told: str) -> list[Problem]:
    """Events of the claim from or before which something counts, where the evidence has others or has it after."""
    return [*_begun_elsewhere(claim, told), *_too_early(claim, told)]


def _begun_elsewhere(claim: str, told: str) -> list[Problem]:
    """Events since which the claim counts that have no word in common with those of the evidence."""
    there = [words for match in _SINCE.finditer(told) if (words := _words(match["what"]))]
    own = [(match.group(), _words(match["what"])) for match in _SINCE.finditer(claim) if _is_event(match["what"])]
    return [
        Problem("date", shown) for shown, words in own if words and there and not any(words & other for other in there)
    ]


def _too_early(claim: str, told: str) -> list[Problem]:
    """What the claim puts before an event that the evidence knows only as past."""
    early = [(match.group(), match["what"]) for match in _BEFORE.finditer(claim)]
    early += [(m.group(), m["what"]) for m in _NOT_YET.finditer(claim) if not polarity.negations(m["rest"])]
    return [Problem("date", shown) for shown, what in early if any(_only_after(end, told) for end in (what, what[-2:]))]


def _only_after(event: str, told: str) -> bool:
    return bool(re.search(event + _AFTER, told)) and not re.search(event + _UNTIL, told)


def _is_event(text: str) -> bool:
    """Whether something happens: 收到通知 is an event, 下个月 and 2024年 are none."""
    return not slots(text) and any(word_class(text[w.start : w.end]) == "v" for w in polarity.content(text))


def _words(text: str) -> frozenset[str]:
    return frozenset(word.text for word in polarity.content(text))
