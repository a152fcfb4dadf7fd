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
_DAYS = {"month": Decimal(30), "week": Decimal(7), "day": Decimal(1)}
_YEAR_MONTHS, _YEAR_DAYS = 12, 365
_COUNTERS = {"名": "人", "位": "人", "所": "家", "座": "家", "类": "种", "项": "种"}
_JOIN = re.compile(r"\s*(?:-|~|—|–|至|到|以上)+\s*")
_TENS_OF_THOUSANDS = re.compile(r"万(?=[，。；、）]|$)")  # 最多报20万
_POINTS = re.compile("百分点")
ENDLESS = Decimal(10**12)
# 第二次, 一档 and the 百分 of 百分点 are names and no figures.
_NO_FIGURE = re.compile(r"第|.?(?:[一二三四][档类]|百分点)")
_NO = r"(?<!有)(?:不(?:再)?设[置立定]?|没有|无|取消|免[除收]?)"
_NEED_NOT = r"(?:无[需须]|不用|不需要?|免)(?:再|个人)?"
_OF = r"(?:年度?|每[年月日次]|单次|门诊|住院|最高|累计|基金|统筹|报销|支付|待遇)*"
_AT_ONCE = "(?:即时|立即|当[天日场月]|实时)"
_BEGINS_TO = "(?=[^，。；]{0,3}(?:生效|享受|恢复|开通))"
_IS_DONE = "(?=[^，。；]{0,3}(?:办结|到账))"
_ENDS = re.compile(r"截[止至]|结束|为止|[之以]?前|最[晚迟]")
_BEGINS = re.compile(r"开始|起|自|从")
# Figures in words: how they read, kind, value, and what they are of where their words say it.
_WORDED = tuple(
    (re.compile(words), kind, measure, value, aspect)
    for words, kind, measure, value, aspect in (
        (rf"{_NO}{_OF}(?:起付(?:线|标准)|门槛费?)", "amount", "amount", Decimal(0), aspect_called("起付线")),
        (
            rf"上?不封顶|{_NO}{_OF}(?:限额|封顶线?|上限)|不限额|限额不限",
            "amount",
            "amount",
            ENDLESS,
            aspect_called("封顶线"),
        ),
        (r"次数不限|不限(?:制)?次数?|不受次数限制", "count", "count次", ENDLESS, None),
        (rf"{_NEED_NOT}[缴交][费纳]", "amount", "amount", Decimal(0), aspect_called("缴费标准")),
        (rf"{_NEED_NOT}(?:自付|自负|负担|承担)", "ratio", "ratio", Decimal(0), aspect_called("自付比例")),
        (rf"{_NO}{_OF}等待期", "period", "day", Decimal(0), aspect_called("缴费时长")),
        (r"(?:长期|永久|一直|始终)有效", "period", "day", ENDLESS, aspect_called("有效期")),
        (rf"{_AT_ONCE}{_BEGINS_TO}", "period", "day", Decimal(0), aspect_called("缴费时长")),
        (rf"{_AT_ONCE}{_IS_DONE}", "period", "day", Decimal(0), aspect_called("办理时限")),
        (rf"[次翌]日{_BEGINS_TO}", "period", "day", Decimal(1), aspect_called("缴费时长")),
        (rf"[次翌]日{_IS_DONE}", "period", "day", Decimal(1), aspect_called("办理时限")),
        (r"(?<!后的)(?<!补缴)(?<!补缴后)次月", "period", "day", Decimal(30), None),
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
    for pattern, kind, measure, value, named in _WORDED:
        for match in pattern.finditer(text):
            yield Figure(kind, value, value, measure, match.start(), match.end(), named)


def _of_slot(slot: Slot, text: str) -> Figure | None:
    """A slot as a number and what it counts; periods in days, dates as month and day."""
    if slot.kind == "date":
        return _date(slot, text)
    if slot.kind == "number" and _TENS_OF_THOUSANDS.match(text, slot.end - 1):
        return Figure("amount", Decimal(slot.value), Decimal(slot.value), "amount", slot.start, slot.end)
    if slot.kind not in {"amount", "ratio", "period", "count", "age", "phone"}:
        return None
    match = _NUMBER.match(slot.value)
    number, unit = (Decimal(match.group()), slot.value[match.end() :]) if match else (Decimal(0), slot.value)
    if _is_change(slot, text):
        points = _POINTS.match(text, slot.end)
        return Figure("change", number, number, "change", slot.start, points.end() if points else slot.end)
    number, measure = (_days(number, unit), "day") if unit in _DAYS else (number, slot.kind + _COUNTERS.get(unit, unit))
    return Figure(slot.kind, number, number, measure, slot.start, slot.end)


def _days(number: Decimal, unit: str) -> Decimal:
    """Months as days; twelve are a year, and 365 days another word for it."""
    if unit == "month" and not number % _YEAR_MONTHS:
        return number / _YEAR_MONTHS * _YEAR_DAYS
    return number * _DAYS[unit]


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
