"""退休比在职高多少, 起付线一共多少: two stated figures of one kind, their difference or their sum.

Knows which two things a question sets apart. Whether a figure holds for one of them is the job of `asked`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag import places, qualifiers
from rag.answer.aspects import asked_aspects
from rag.answer.composing import ComposedClaim
from rag.answer.sums.asked import Asked
from rag.answer.sums.stated import READ, Known, known_in
from rag.answer.sums.writing import MINUS, money, percent, plain
from rag.domain import EvidenceUnit

_ASKS_DIFFERENCE = re.compile(
    r"相差|差(?:多少|几|距)|比(?![例率如较]).*?(?P<way>[高多低少])出?[^，。？]{0,2}(?:多少|几)"
)
_THAN = re.compile(r"比(?![例率如较])")
_ASKS_SUM = re.compile(r"(?:一共|总共|合计|加起来|共计).*?(?:多少|几|百分)")
_COMPARED = frozenset({"employment", "level", "delivery", "insured_type", "care", "place", "part"})
_ADDED = frozenset({"level", "care", "part"})  # one person may have both
_PAIR = 2


def compared(asked: Asked, units: Sequence[EvidenceUnit]) -> ComposedClaim | None:
    """退休比在职高多少, 起付线一共多少: two figures of one kind, of the two things that the question sets apart."""
    differs, adds = _ASKS_DIFFERENCE.search(asked.text), _ASKS_SUM.search(asked.text)
    aspects = asked_aspects(asked.text) & READ
    if bool(differs) == bool(adds) or len(aspects) != 1 or asked.slots:
        return None
    pair = _pair(asked, _COMPARED if differs else _ADDED)
    known = [k for k in known_in(units) if k.saying.aspect in aspects] if pair else []
    sides = [(label, figure) for label, one in pair if (figure := _only(one, known))]
    if len(sides) < _PAIR or len({k.saying.measure for _, k in sides}) > 1:
        return None
    if differs:
        return _difference(asked, sides, differs["way"])
    return _total(sides) if sides[0][1].saying.measure == "amount" else None


def _pair(asked: Asked, dimensions: frozenset[str]) -> list[tuple[str, Asked]]:
    """The two things that are set apart, in the order of the question, each with the question for it alone."""
    named = {**asked.names, "place": frozenset(asked.places), "part": asked.parts}
    several = [(dimension, values) for dimension, values in named.items() if len(values) > 1]
    if len(several) != 1:
        return []
    dimension, values = several[0]
    if len(values) != _PAIR or dimension not in dimensions:
        return []
    return [(value, asked.only(dimension, value)) for value in sorted(values, key=lambda v: _where(asked.text, v))]


def _where(text: str, value: str) -> int:
    """Where a text first names a value."""
    named = [start for _, known, start, _ in qualifiers.located(text) if known == value]
    named += [start for place, start, _ in places.located(text) if place == value]
    return min(named, default=text.find(value))


def _only(asked: Asked, known: Sequence[Known]) -> Known | None:
    """The one figure that fits, when no other might."""
    near = [k for k in known if asked.fit(k) != "excluded"]
    fitting = [k for k in near if asked.fit(k) == "fits"]
    sure = all(k.certain and k.is_exact and k.band is None for k in fitting)
    return fitting[0] if fitting and sure and len({k.value for k in near}) == 1 else None


def _difference(asked: Asked, sides: Sequence[tuple[str, Known]], way: str | None) -> ComposedClaim | None:
    """The greater less the smaller; None where the question has it the wrong way round."""
    first, second = (k.value[0] for _, k in sides)
    than = _THAN.search(asked.text)
    between = than and _where(asked.text, sides[0][0]) < than.start() < _where(asked.text, sides[1][0])
    if first == second or (way and (not between or (first > second) != (way in "高多"))):
        return None
    great, small = sorted(sides, key=lambda side: side[1].value[0], reverse=True)
    result = great[1].value[0] - small[1].value[0]
    shown = f"{plain(result)}个百分点" if great[1].saying.measure == "ratio" else money(result)
    return _of_two((great, small), "相差", MINUS, shown)


def _total(sides: Sequence[tuple[str, Known]]) -> ComposedClaim:
    return _of_two(sides, "合计", "+", money(sides[0][1].value[0] + sides[1][1].value[0]))


def _of_two(sides: Sequence[tuple[str, Known]], what: str, sign: str, result: str) -> ComposedClaim:
    """The claim: whose figure each is, then the formula."""
    written = [percent(k.value) if k.saying.measure == "ratio" else money(k.value[0]) for _, k in sides]
    told = "，".join(f"{label}{figure}" for (label, _), figure in zip(sides, written, strict=True))
    units = tuple({k.saying.unit.id: k.saying.unit for _, k in sides}.values())
    return ComposedClaim(f"{told}，{what}：{f' {sign} '.join(written)} = {result}", units, "computed")
