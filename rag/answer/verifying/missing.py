"""A figure of a claim that its evidence does not have: is it said there in another way, or wrong?

Knows what counts nothing (一次), what says a figure without one (a list's length, 全部), and a wrong unit from a wrong
number. Figures that the evidence has are the job of `binding`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from rag.answer.verifying.mentions import FIGURES, Mention
from rag.answer.verifying.problems import Problem

_NAMES = frozenset({"phone", "document", "url"})
_ALL = frozenset({"全额", "全数", "全部", "所有"})
_CLAUSE_END = re.compile(r"[，。；：,;:|]")
_BETWEEN_ITEMS = re.compile(r"、|以及|和|与|及|或者?")
_THINGS = frozenset("个项种类样")
_ITEM = re.compile(r"[(（][一二三四五六七八九十\d]{1,2}[)）]")


def missing(mention: Mention, rivals: Sequence[Mention], told: Sequence[Mention]) -> Problem | None:
    """What is wrong with a figure that none of its `rivals` equals; None if the evidence says it in another way."""
    if mention.shown.startswith("一") and _article(mention, rivals, told):
        return None
    if mention.value.endswith("倍") and any(o.value == _percent(mention) for o in told if o.dimension == "ratio"):
        return None
    if mention.dimension == "date":
        return Problem("date", mention.shown, rivals[0].shown if rivals else "")
    if mention.dimension == "number" and any(o.value == mention.value for o in told if o.dimension == "amount"):
        return None  # 5万到10万 of money
    if mention.dimension == "count" and _is_length_of_list(mention, rivals, told):
        return None
    if mention.dimension == "ratio" and mention.shown in _ALL and any(other.shown in _ALL for other in told):
        return None
    digits = _digits(mention)
    other = next((o for o in told if o.dimension in FIGURES - _NAMES and _digits(o) == digits), None)
    if mention.dimension in _NAMES or other is None:
        return Problem("number", mention.shown, rivals[0].shown if rivals else "")
    return Problem("unit", mention.shown, other.shown)


def _is_length_of_list(mention: Mention, rivals: Sequence[Mention], told: Sequence[Mention]) -> bool:
    """Whether the evidence lists as many things as the claim counts: 两项 of 生育津贴和生育医疗费用."""
    unit, texts = mention.value[-1], {other.text for other in told}
    if unit in _THINGS and mention.value == f"{sum(len(_ITEM.findall(text)) for text in texts)}{unit}":
        return True
    clauses = {clause for text in texts for clause in _CLAUSE_END.split(text)}
    return not rivals and any(f"{len(_BETWEEN_ITEMS.split(clause))}{unit}" == mention.value for clause in clauses)


def _percent(mention: Mention) -> str:
    return format((Decimal(mention.value.rstrip("倍")) * 100).normalize(), "f")


def _article(mention: Mention, rivals: Sequence[Mention], told: Sequence[Mention]) -> bool:
    """一次, 一家 and 一年 count nothing unless the evidence counts the same thing."""
    unit = mention.shown[-1]
    if mention.shown[1:] not in {unit, "个" + unit}:
        return False
    if mention.dimension == "period":
        every = [other.value[-1] for other in told if other.dimension == "every"]
        return unit.replace("天", "日") in every if every else not rivals
    return not any(other.shown.endswith(unit) for other in rivals)


def _digits(mention: Mention) -> str:
    return "".join(c for c in mention.shown if c.isdigit() or c in ".一二两三四五六七八九十百半")
