"""Brackets of an expense: what is told of 5万元至10万元部分 tells nothing of 十万往上那部分.

Knows how a question asks about one bracket, and a rule names the bracket that it is for. What an expense comes to over
all of them is the job of `answer.sums`.

`cn2an` (widely used) reads Han numerals.
"""

from __future__ import annotations

import math
import re
import unicodedata

import cn2an

from rag.domain import Value

_NUMBER = r"(?:\d+(?:\.\d+)?|[一二两三四五六七八九十百千]+)"
_SUM = rf"{_NUMBER}\s*(?:[万千](?:\s*元|块钱?)?|元|块钱?)"
_PART = r"(?:的|那|这|以上|往上|之间|里头?|内|一)*(?:部分|段|截)"
_BETWEEN = re.compile(rf"(?P<low>{_NUMBER}\s*[万千]?\s*(?:元|块)?)\s*(?:以上)?[至到~-]\s*(?P<high>{_SUM})\s*{_PART}?")
_OPEN = r"(?:以上|往上|开外|以外)"
_ABOVE = re.compile(
    rf"(?P<above>{_SUM})\s*{_OPEN}(?!.{{0,2}}[至到]\s*\d){_PART}|超[过出了]*(?P<over>{_SUM})[^。？?！]{{0,8}}?{_PART}"
)
_TO_THE_LIMIT = re.compile(rf"(?P<above>{_SUM})\s*{_OPEN}?[至到~-](?:最高|封顶|支付限额|限额)")
_UP_TO = re.compile(rf"起付(?:标准|线)(?:以上)?\s*[至到~-]\s*(?P<high>{_SUM})")
_NAMES_A_PART = re.compile(r"部分|[那这一][段截]")
_SCALE = {"万": 10_000, "千": 1_000}


class Bracket(Value):
    """From over `low` to `high`, in yuan."""

    low: float
    high: float

    def overlaps(self, other: Bracket) -> bool:
        """Whether some expense lies in both."""
        return self.low < other.high and other.low < self.high


def asked_bracket(question: str) -> Bracket | None:
    """The one bracket that a question asks about by its ends, if it does (超过10万的那部分报多少)."""
    found = _brackets(question) if _NAMES_A_PART.search(question) else []
    return found[0] if len(found) == 1 else None


def beside(asked: Bracket, text: str) -> bool:
    """Whether a rule is for other brackets alone."""
    told = _brackets(text)
    return bool(told) and not any(asked.overlaps(bracket) for bracket in told)


def _brackets(text: str) -> list[Bracket]:
    plain = unicodedata.normalize("NFKC", text)
    between = [Bracket(_yuan(m["low"], m["high"]), _yuan(m["high"])) for m in _BETWEEN.finditer(plain)]
    between += [Bracket(0, _yuan(m["high"])) for m in _UP_TO.finditer(plain)]
    rest = _BETWEEN.sub("，", plain)
    sums = [m["above"] for m in _TO_THE_LIMIT.finditer(rest)]
    sums += [m["above"] or m["over"] for m in _ABOVE.finditer(_TO_THE_LIMIT.sub("，", rest))]
    return [b for b in (*between, *(Bracket(_yuan(low), math.inf) for low in sums)) if b.low < b.high]


def _yuan(written: str, unit_of: str = "") -> float:
    """An amount in yuan; one without a unit has that of the other end: 5至10万."""
    number = re.match(_NUMBER, written)
    if number is None:
        raise ValueError(f"no number: {written}")
    digits = number.group()
    value = float(digits) if digits[0].isdecimal() else float(cn2an.cn2an(digits.replace("两", "二"), "smart"))
    unit = written[number.end() :] or re.sub(rf"^{_NUMBER}", "", unit_of)
    return value * next((factor for sign, factor in _SCALE.items() if sign in unit), 1)
