"""What a text names that another word could stand for: figures with their bounds, places, qualifiers, contrasts.

Knows where each stands, what it is said of and what else stands around it. Whether a claim's mention has its like in
the evidence is the job of `binding`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property

from rag import places, qualifiers
from rag.answer.verifying import bounds, contrasts, polarity
from rag.answer.verifying.bounds import Direction
from rag.answer.verifying.slots import Slot, slots
from rag.answer.verifying.wording import word_class, words
from rag.domain import Value

POLARITY, POSITION = "polarity:", "position:"
DENYING = frozenset({"不得", "无需"})  # what these deny is the job of `polarity`
FIGURES = frozenset({"ratio", "amount", "period", "age", "count", "date", "phone", "document", "url", "number"})

_POSITION = re.compile(
    r"(?P<what>[\u4e00-\u9fff]{1,4}?)(?:期?届?满)?[之以]?(?P<where>前|后|内)(?:(?=[，。；、,;的再才可能就应由向]|$)|(?<=期[前后内]))"
)
_SINCE = re.compile(r"(?P<what>[\u4e00-\u9fff]{2})(?=(?:(?:或者?|、|及|和)[\u4e00-\u9fff]{2,7}?)?之日)")
_OTHERS = re.compile(r"[以之]外")  # 投保人以外的人 are others
_PART = re.compile(r"[，。；;,、]")
_CLAUSE_END = re.compile(r"[，。；;,]")
_LIST = re.compile(r"[\u4e00-\u9fff]{0,2}(?:、|和|与|或者?|及|以及|/|至|到|-|~|—|–|以上)+[^\s，。；、]{0,3}")
# How much further apart a mark sets what stands on its two sides, in characters.
_COST = {
    mark: cost
    for marks, cost in (("：: ", 1), ("、", 2), ("（）()", 3), ("，,", 6), ("；;", 14), ("。", 20))
    for mark in marks
}
_FAINT = 0.12
_HALF = 4.0
_BEHIND = 2.0
_LIST_GAP = 8
_BOUND_WORD = re.compile(
    r"[不未没]?(?:超过|超出|高于|低于|多于|少于|大于|小于|满(?=\ue000)|足(?=\ue000))|以上|以下|以内|之内"
)
_MASK = "\ue000"
_HAN = re.compile(r"[\u4e00-\u9fffA-Za-z]{2}")


class Mention:
    """One thing named: `dimension` says what kind of thing, `value` which.

    What is costly and seldom asked for is worked out on demand.
    """

    def __init__(self, statement: Statement, item: _Found, number: int) -> None:
        self._statement, self._item, self._number = statement, item, number
        self.dimension, self.value = item.dimension, item.value
        self._cache: dict[str, tuple[float, bool]] = {}
        self.text = statement.text
        self.shown = statement.text[item.start : item.end]

    @cached_property
    def group(self) -> int:
        """Mentions of one dimension that only 、 or 和 keeps apart have one number."""
        return self._statement.groups[self._number] if self._number >= 0 else -1

    @cached_property
    def bound(self) -> tuple[Direction, bool]:
        """Which way a figure is open, and whether a word says so expressly."""
        return self._statement.bounds[self._number] if self._number >= 0 else ("", False)

    @cached_property
    def denied(self) -> bool:
        """Whether a figure's part of the statement denies what it says."""
        return polarity.negated(self._statement.part(self._item))

    @cached_property
    def refused(self) -> bool:
        """The same, but for negations that only describe somebody."""
        return polarity.refused(self._statement.part(self._item))

    @cached_property
    def unfulfilled(self) -> bool:
        """Whether a figure's part of the statement says that it is not reached."""
        return polarity.unfulfilled(self._statement.part(self._item))

    @cached_property
    def before(self) -> frozenset[str]:
        """The two content words before."""
        return frozenset([w.text for w in self._statement.content if w.end <= self._item.start][-2:])

    @cached_property
    def behind(self) -> frozenset[str]:
        """The two content words behind."""
        return frozenset([w.text for w in self._statement.content if w.start >= self._item.end][:2])

    @cached_property
    def near(self) -> Mapping[str, float]:
        """The wording around, the nearer the heavier; a word counts once more on its side."""
        near: dict[str, float] = {}
        for name in self._statement.index:
            strength, left = self._nearest(name)
            if strength >= _FAINT:
                near[name] = strength
                near[("<" if left else ">") + name] = strength / 2
        return near

    def nearness(self, key: str) -> float:
        """How near a key of another mention's `near` stands to this one; 0 where it is absent."""
        strength, left = self._nearest(key.lstrip("<>"))
        if key[0] not in "<>":
            return strength
        return strength / 2 if left == (key[0] == "<") else 0.0

    def _nearest(self, name: str) -> tuple[float, bool]:
        found = self._cache.get(name)
        if found is None:
            found = self._cache[name] = self._statement.nearest(self._item, name)
        return found

    @cached_property
    def said_of(self) -> Mapping[str, frozenset[str]]:
        """Of each other dimension the nearest value, with those listed beside it."""
        return self._statement.said_of(self._item)


class _Found(Value):
    dimension: str
    value: str
    start: int
    end: int
    slot: Slot | None = None


class Statement:
    """A plain statement and all that it names."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def mentions(self) -> list[Mention]:
        """Everything named, but for the words that may be denied."""
        return [Mention(self, item, number) for number, item in enumerate(self.found)]

    def denials(self, watched: frozenset[str]) -> list[Mention]:
        """The statement's `watched` words.

        The value is `+`, or the number of the negation: `-1` where it denies the word, `~1` where it only reaches it.
        """
        return [
            Mention(self, _Found(POLARITY + w.text, _denial(w), w.start, w.end), -1)
            for w in self.content
            if w.text in watched and not any(item.start <= w.start < item.end for item in self._fixed)
        ]

    @cached_property
    def denied(self) -> list[tuple[str, ...]]:
        """For each negation the content words that it denies, in order."""
        found: dict[int, tuple[str, ...]] = {}
        for word in self.content:
            if word.denial is not None:
                found[word.denial] = (*found.get(word.denial, ()), word.text)
        return list(found.values())

    @cached_property
    def _fixed(self) -> list[_Found]:
        return [item for item in self.found if item.slot or item.dimension == "place"]

    @cached_property
    def content(self) -> tuple[polarity.Word, ...]:
        """The content words."""
        return polarity.content(self.text)

    @cached_property
    def found(self) -> list[_Found]:
        """What is named, and where."""
        text = self.text
        named = [*qualifiers.located(text), *contrasts.located(text)]
        figures = [s for s in slots(text) if s.kind != "level" and not _is_name(s, named)]
        found = [_Found(slot.kind, slot.value, slot.start, slot.end, slot) for slot in figures]
        found += [_Found("place", name, start, end) for name, start, end in places.located(text)]
        for dimension, value, start, end in named:
            if not any(start < s.end and s.start < end for s in figures) and not _OTHERS.match(text, end):
                found.append(_Found(dimension, value, start, end))
        found += [_Found("level", "其他", start, end) for start, end in qualifiers.other_levels(text)]
        return found + _positions(text)

    @cached_property
    def _where(self) -> list[float]:
        """How far each character is along the statement; marks of punctuation are long."""
        total, positions = 0.0, []
        for character in self.text:
            positions.append(total)
            total += 1 + _COST.get(character, 0)
        return [*positions, total]

    @cached_property
    def index(self) -> Mapping[str, list[tuple[int, int, float]]]:
        """Where words and pairs of characters stand; figures are compared by value, so their digits are hidden."""
        masked = self.text
        for item in self.found:
            if item.slot is not None:
                masked = masked[: item.start] + _MASK * (item.end - item.start) + masked[item.end :]
        masked = _BOUND_WORD.sub(lambda match: _MASK * len(match.group()), masked)
        pairs = [(masked[i : i + 2], i, i + 2) for i in range(len(masked) - 1) if _HAN.match(masked, i)]
        whole = [(word, start, start + 1) for word, start, _ in words(masked) if _HAN.match(word)]
        index: dict[str, list[tuple[int, int, float]]] = {}
        for name, start, end in (*pairs, *whole):
            index.setdefault(name, []).append((start, end, (self._where[start] + self._where[end]) / 2))
        return index

    def nearest(self, item: _Found, name: str) -> tuple[float, bool]:
        """How near a key stands to an item, and whether to its left."""
        left, right = self._where[item.start], self._where[min(item.end, len(self.text))]
        best, before = 0.0, False
        for start, end, middle in self.index.get(name, ()):
            if start < item.end and item.start < end:
                continue
            strength = 1 / (1 + (left - middle if middle < left else max(middle - right, 0.0)) / _HALF)
            if strength > best:
                best, before = strength, middle < left
        return best, before

    @cached_property
    def groups(self) -> list[int]:
        """See `Mention.group`."""
        numbers = list(range(len(self.found)))
        for n, item in enumerate(self.found):
            for m, other in enumerate(self.found):
                if other.dimension != item.dimension or not 0 <= item.start - other.end <= _LIST_GAP:
                    continue
                if _LIST.fullmatch(self.text[other.end : item.start]):
                    numbers = [numbers[m] if number == numbers[n] else number for number in numbers]
        return numbers

    def said_of(self, item: _Found) -> dict[str, frozenset[str]]:
        """See `Mention.said_of`; what stands before counts as nearer."""
        where = self._where
        nearest: dict[str, tuple[float, int]] = {}
        for n, other in enumerate(self.found):
            if other is item or self._leads_on(item, other):
                continue
            dimension = other.dimension
            if dimension == item.dimension:
                if dimension != "period" or not self.bounds[n][0] or other.end > item.start:
                    continue
                dimension = "condition"
            before = where[item.start] - where[other.end]
            distance = before if other.end <= item.start else _BEHIND * (where[other.start] - where[item.end])
            if dimension not in nearest or distance < nearest[dimension][0]:
                nearest[dimension] = (distance, self.groups[n])
        return {
            dimension: frozenset(
                other.value + (self.bounds[n][0] if dimension in {"age", "condition"} else "")
                for n, other in enumerate(self.found)
                if self.groups[n] == group
            )
            for dimension, (_, group) in nearest.items()
        }

    def _leads_on(self, item: _Found, other: _Found) -> bool:
        """Whether `other` begins a clause behind `item` that has a figure of the kind itself: 报60%，社区报80%."""
        if other.start < item.end or not _CLAUSE_END.search(self.text, item.end, other.start):
            return False
        return any(
            figure.slot and figure.dimension == item.dimension and figure.start >= other.end for figure in self.found
        )

    def part(self, item: _Found) -> str:
        """The words between the marks of punctuation around an item."""
        start = max((m.end() for m in _PART.finditer(self.text, 0, item.start)), default=0)
        stop = _PART.search(self.text, item.end)
        return self.text[start : stop.start() if stop else len(self.text)]

    @cached_property
    def bounds(self) -> list[tuple[Direction, bool]]:
        """See `Mention.bound`."""
        return [self._bound(item) if item.slot else ("", False) for item in self.found]

    def _bound(self, item: _Found) -> tuple[Direction, bool]:
        figures = [other for other in self.found if other.slot]
        begin = max((o.end for o in figures if o.end <= item.start), default=0)
        following = min((o.start for o in figures if o.start >= item.end), default=len(self.text))
        return bounds.bound(self.text[begin : item.start], self.text[item.end : following])


def _denial(word: polarity.Word) -> str:
    return "+" if word.denial is None else f"{'-' if word.head else '~'}{word.denial}"


def _positions(text: str) -> list[_Found]:
    """Before, after or during what (备案后, 宽限期满以后, 犹豫期内), and since what (成立之日)."""
    found = [
        _Found(POSITION + words(match["what"])[-1][0], match["where"], match.start("where"), match.end("where"))
        for match in _POSITION.finditer(text)
    ]
    since = [(words(match["what"])[-1][0], match) for match in _SINCE.finditer(text)]
    return found + [_Found("since", word, *match.span()) for word, match in since if word_class(word) == "v"]


def _is_name(slot: Slot, named: Sequence[tuple[str, str, int, int]]) -> bool:
    """一档 and 首次 are names, not counts."""
    return slot.kind == "count" and any(s < slot.end and slot.start < e for _, _, s, e in named)
