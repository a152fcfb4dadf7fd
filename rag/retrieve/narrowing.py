"""A chosen table or list to the rows or items of it that are for what the question names.

Knows what tells the parts of one unit apart: hospital level, employment, place and the like. That the unit answers at
all is the job of `evidence`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from rag import places, qualifiers
from rag.domain import EvidenceUnit

# 还没退休 names 退休, and asks for somebody else.
_DENIED = re.compile(r"(?:[没未不非别无]|除了)[^，。；、]{0,2}$")
# So many parts are shown by themselves; more are shown as the whole.
_FEW = 3


def narrowed(units: Sequence[EvidenceUnit], i: int, question: str, asked_places: Collection[str]) -> list[int]:
    """The rows or items of `units[i]` that are for what the question names, if they are few; else `i` itself.

    Who asks about a third-class hospital is not told of the others, nor who asks about 成都 of 北京.
    """
    parts = [j for j, unit in enumerate(units) if unit.parent == units[i].id]
    own = [units[j].text.rpartition("\n")[2] for j in parts]
    fitting = set(range(len(parts)))
    for values in _told_apart(question, asked_places, own):
        fitting &= values
    is_few = 0 < len(fitting) <= min(_FEW, len(parts) - 1)
    return [parts[n] for n in sorted(fitting)] if is_few else [i]


def _told_apart(question: str, asked_places: Collection[str], parts: Sequence[str]) -> Iterator[set[int]]:
    """For each thing that the question names and a part is for, the parts that are for it or name none of its kind."""
    told = [qualifiers.mentioned(part) for part in parts]
    denied = {d for d, _, start, _ in qualifiers.located(question) if _DENIED.search(question[:start])}
    for dimension, asked in qualifiers.mentioned(question).items():
        if dimension not in denied and any(asked & values.get(dimension, frozenset()) for values in told):
            yield {n for n, values in enumerate(told) if dimension not in values or asked & values[dimension]}
    own = {*asked_places, *places.find(question)}
    named = [places.find(part) for part in parts]
    if any(places.any_related(own, names) for names in named):
        yield {n for n, names in enumerate(named) if not names or places.any_related(own, names)}
