"""Figures as numbers that can be compared: ranges, periods in days, days of the year, figures in words.

Knows what a figure is worth and where it stands. What it is of is read by `sayings`.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from decimal import Decimal

from rag.answer.aspects import Aspect, aspect_called
from rag.answer.verifying.slots import Slot, slots
from rag.domain import Value

_CHANGE = re.compile(r"(?:降低|下降|下调|减少|提高|上调|增加|上浮)了?$")
_WIDE = {",": "，", ";": "；", ":": "：", "?": "？", "!": "！", "(": "（", ")": "）"}
_MARK = re.compile(r"(?<!\d)[,:]|[,:](?!\d)|[;?!()]")
_NUMBER = re.compile(r"[\d.]+")
_DAYS = {"month": Decimal(30), "week": Decimal(7), "day": Decimal(1), "workday": Decimal(1)}
_COUNTERS = {"名": "人", "位": "人", "所": "家", "座": "家", "类": "种", "项": "种"}
_JOIN = re.compile(r"\s*(?:-|~|—|–|至|到|以上)+\s*")
_POINTS = re.compile("百分点")
ENDLESS = Decimal(10**12)
# 第二次, 一档 and the 百分 of 百分点 are names and no figures.
_NO_FIGURE = re.compile(r"第|.?(?:[一二三四][档类]|百分点)")
_NO = r"(?<!有)(?:不设|没有|无|取消|免除?)[置立]?"
_ENDS = re.compile(r"截[止至]|结束|为止|[之以]?前|最[晚迟]")
_BEGINS = re.compile(r"开始|起|自|从")
# Figures in words: how they read, kind, value, and what they are of where their words say it.
_WORDED = tuple(
    (re.compile(words), kind, value, aspect)
    for words, kind, value, aspect in (
        (rf"{_NO}起付(?:线|标准)|{_NO}门槛费?", "amount", Decimal(0), aspect_called("起付线")),
        (rf"上?不封顶|{_NO}(?:最高)?(?:支付)?(?:限额|封顶线?|上限)", "amount", ENDLESS, aspect_called("封顶线")),
        (r"(?:长期|永久|一直|始终)有效", "period", ENDLESS, aspect_called("有效期")),
        (
            r"(?:即时|立即|当[天日场]|实时)(?=[^，。；]{0,2}(?:生效|办结|到账|享受|恢复|开通))",
            "period",
            Decimal(0),
            None,
        ),
        (r"(?<!后的)(?<!补缴)(?<!补缴后)次月", "period", Decimal(30), None),
    )
)


class Figure(Value):
    """One figure or both ends of a range, and where it stands; `named` where its own words say what it is of."""

    kind: str
    low: Decimal
    high: Decimal
    measure: str
    start: int
    end: int
    named: Aspect | None = None


@functools.lru_cache(maxsize=8192)
def evened(text: str) -> str:
    """One form for each character, without a change of length, so that figures are where they are in `text`."""
    narrow = "".join(n if len(n := unicodedata.normalize("NFKC", c)) == 1 else "、" for c in text)
    return _MARK.sub(lambda mark: _WIDE[mark.group()], narrow)


@functools.lru_cache(maxsize=8192)
def figures(text: str) -> tuple[Figure, ...]:
    """The figures that may be compared, in order; both ends of a range are one."""
    found = [*_in_words(text)]
    for slot in slots(text):
        taken = _NO_FIGURE.match(text, max(0, slot.start - 1)) or any(
            f.start < slot.end and slot.start < f.end for f in found
        )
        if not taken and (figure := _of_slot(slot, text)):
            found.append(figure)
    found.sort(key=lambda f: f.start)
    return tuple(_joined(found, text))


def _in_words(text: str) -> Iterator[Figure]:
    for pattern, kind, value, named in _WORDED:
        measure = {"period": "day"}.get(kind, kind)
        for match in pattern.finditer(text):
            yield Figure(kind, value, value, measure, match.start(), match.end(), named)


def _of_slot(slot: Slot, text: str) -> Figure | None:
    """A slot as a number and what it counts; periods in days, dates as month and day."""
    if slot.kind == "date":
        return _date(slot, text)
    if slot.kind not in {"amount", "ratio", "period", "count", "age", "phone"}:
        return None
    match = _NUMBER.match(slot.value)
    number, unit = (Decimal(match.group()), slot.value[match.end() :]) if match else (Decimal(0), slot.value)
    if _is_change(slot, text):
        points = _POINTS.match(text, slot.end)
        return Figure("change", number, number, "change", slot.start, points.end() if points else slot.end)
    number, measure = (
        (number * _DAYS[unit], "day") if unit in _DAYS else (number, slot.kind + _COUNTERS.get(unit, unit))
    )
    return Figure(slot.kind, number, number, measure, slot.start, slot.end)


def _is_change(slot: Slot, text: str) -> bool:
    """Whether a figure is a difference and no value: 降低10%, 10个百分点."""
    if slot.kind == "count":
        return bool(_POINTS.match(text, slot.end))
    return slot.kind == "ratio" and bool(_CHANGE.search(text[: slot.start]))


def _date(slot: Slot, text: str) -> Figure | None:
    """A day of the year; what begins and what ends on a day are two things."""
    _, month, day = slot.value.split("-")
    if "?" in (month, day):
        return None
    before = text[max(0, slot.start - 6) : slot.start].rpartition("，")[2]
    after = text[slot.end : slot.end + 4].partition("，")[0]
    if _JOIN.match(after):
        role = "start"
    elif _JOIN.match(before[-1:]) or _ENDS.search(before + after):
        role = "end"
    else:
        role = "start" if _BEGINS.search(before + after) else ""
    number = Decimal(int(month) * 100 + int(day))
    return Figure("date", number, number, "date" + role, slot.start, slot.end)


def _joined(found: Sequence[Figure], text: str) -> Iterator[Figure]:
    last: Figure | None = None
    for figure in found:
        alike = (
            last
            and figure.kind != "date"
            and (last.kind == figure.kind or (last.kind, figure.kind) == ("change", "ratio"))
        )
        if last and alike and _JOIN.fullmatch(text[last.end : figure.start]):
            last = Figure(last.kind, last.low, figure.high, last.measure, last.start, figure.end)
            continue
        if last:
            yield last
        last = figure
    if last:
        yield last
