"""A chosen table or list to the rows or items of it that are for what the question names.

Knows what tells the parts of one unit apart: hospital level, employment, place and the like. That the unit answers at
all is the job of `evidence`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from rag import places, qualifiers
from rag.domain import EvidenceUnit
from rag.retrieve.asks import asking
from rag.retrieve.insurance import insurance

# A tier or a class by its name: 按二档缴费, 乙类药.
_TIER = re.compile(r"[一二三四五甲乙丙丁][档类]")
# What a row or an item is headed by, if that is a name: 顺产, 数额较大.
_LABEL = re.compile(r"(?:[|·•-]\s*)?(?P<label>[^\s|：:，。；（(\d]{2,12})(?=\s*[|：:（(])")
_SEVERAL = re.compile(r"分别|各|都|和|与|跟|或|、")
# So many parts, or half of a short table, are shown by themselves; more are shown as the whole.
_FEW, _HALF_OF = 3, 10
_PARTS = frozenset({"row", "item"})

_Told = Mapping[str, frozenset[str]]


class Narrowing:
    """What of each table or list is for what a question names: who asks about 成都 is not told of 北京."""

    def __init__(self, units: Sequence[EvidenceUnit], question: str, asked_places: Collection[str]) -> None:
        self._units, self._question, self._places = units, question, asked_places
        self._insured = insurance(question, asked_places)
        self._inside: dict[str, list[int]] = defaultdict(list)
        self._beside: dict[tuple[object, ...], list[int]] = defaultdict(list)
        self._known: dict[tuple[int, ...], list[int]] = {}
        for i, unit in enumerate(units):
            if unit.parent:
                self._inside[unit.parent].append(i)
            if unit.lead and unit.kind in _PARTS:
                self._beside[_together(unit)].append(i)

    def __call__(self, i: int) -> list[int]:
        """The rows or items of unit `i` that are for what the question names, if they are few; else `i` itself.

        Of a row or an item that is not among them, they take the place.
        """
        shown = self._shown(self._parts(i))
        return [i] if not shown or i in shown else shown

    def cell_absent(self, i: int) -> bool:
        """Whether the table or list of unit `i` has parts for each thing that the question names, and none for all.

        So it is of one with rows of 二档 and rows of 乡镇卫生院, and none of both.
        """
        return not self._fitting(self._parts(i))

    def _parts(self, i: int) -> tuple[int, ...]:
        """The rows or items of unit `i`, or those beside it; `i` alone where there are none."""
        unit = self._units[i]
        return tuple(self._inside.get(unit.id) or self._beside.get(_together(unit)) or [i])

    def _shown(self, parts: tuple[int, ...]) -> list[int]:
        """The parts that are for what the question names, if they are few."""
        fitting = self._fitting(parts)
        few = len(fitting) <= max(_FEW, min(_HALF_OF, len(parts)) // 2) and len(fitting) < len(parts)
        return fitting if few else []

    def _fitting(self, parts: tuple[int, ...]) -> list[int]:
        """The parts that are for everything that the question names and one of them is for; worked out once."""
        if parts not in self._known:
            texts = [self._units[j].text.rpartition("\n")[2] for j in parts]
            fitting = set(range(len(parts))).intersection(*self._told_apart(texts))
            self._known[parts] = [parts[n] for n in sorted(fitting)]
        return self._known[parts]

    def _told_apart(self, parts: Sequence[str]) -> Iterator[set[int]]:
        """For each thing that the question names and a part is for: the parts for it, or for none of its kind."""
        question, told = self._question, [qualifiers.mentioned(part) for part in parts]
        yield from _by_qualifier(question, parts, told)
        if headed := _headed(asking(question), parts, told):
            yield headed
        wanted, tiers = frozenset(_TIER.findall(question)), [frozenset(_TIER.findall(part)) for part in parts]
        if any(wanted & tier for tier in tiers):
            yield {n for n, tier in enumerate(tiers) if not tier or wanted & tier}
        own, named = {*self._places, *places.find(question)}, [places.find(part) for part in parts]
        if any(places.any_related(own, names) for names in named):
            yield {n for n, names in enumerate(named) if not names or places.any_related(own, names)}
        if mine := {n for n, part in enumerate(parts) if self._insured.admits(part)}:
            yield mine


def _together(unit: EvidenceUnit) -> tuple[object, ...]:
    """What rows under one header, or items under one lead-in, have in common."""
    return unit.kind, unit.document_id, unit.lead


def _by_qualifier(question: str, parts: Sequence[str], told: Sequence[_Told]) -> Iterator[set[int]]:
    """By level, employment and the like; where no part names what is asked, the part for all others is for it."""
    denied = {d for d, _, start, _ in qualifiers.located(question) if qualifiers.denied(question[:start])}
    opened = [qualifiers.left_open(part) for part in parts]
    for dimension, asked in qualifiers.mentioned(question).items():
        if dimension in denied:
            continue
        if any(asked & values.get(dimension, frozenset()) for values in told):
            yield {n for n, values in enumerate(told) if dimension not in values or asked & values[dimension]}
        elif any(dimension in others for others in opened):
            yield {n for n, values in enumerate(told) if dimension not in values or dimension in opened[n]}


def _headed(ask: str, parts: Sequence[str], told: Sequence[_Told]) -> set[int]:
    """The parts headed by what is asked for, in its very words; none where the ask names other parts in other words."""
    labels = [match["label"] if (match := _LABEL.match(part)) else "" for part in parts]
    named = {n for n, label in enumerate(labels) if label and _wanted(label, ask)}
    asked = qualifiers.mentioned(ask)
    others = any(n not in named and qualifiers.shared(asked, values) for n, values in enumerate(told))
    several = _SEVERAL.search(ask) or any(qualifiers.mentioned(labels[n]) for n in named)
    return set() if others or several else named


def _wanted(label: str, ask: str) -> bool:
    at = ask.find(label)
    return at >= 0 and not qualifiers.denied(ask[:at])
