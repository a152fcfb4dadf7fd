"""Figures as they are written in Chinese text, and how one is misread.

Knows digits, Chinese numerals and the units after them. Which figure of a claim is changed, and whether the claim is
false then, is the job of `mutants`. The verifier has a reading of its own: a slip in one must not hide in the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import cn2an

from rag.domain import Value

# A unit of measure says that the digits before it state something; an item's number (1.) has none.
_UNITS = (
    "个工作日|工作日|个自然日|自然日|个百分点|个月|周岁|小时|分钟|万元|亿元|平方米|公里|公斤|毫克|毫升"
    "|元|[%％]|倍|年|月|日|天|岁|周|次|家|人|名|户|号|条|款|份|折|成|档"
)
# 一 before most units is an article (一家医院): only these make a figure of it.
_ONE_UNITS = "年|个月|日|天|周|小时|倍|成|周岁|个工作日"
_NUMERALS = "[零〇一二两三四五六七八九十百千万]+"
_FIGURE = re.compile(
    rf"(?<![\d.,A-Za-z])(?P<digits>\d+(?:,\d{{3}})*(?:\.\d+)?)(?!\.?\d)\s?(?P<unit>{_UNITS})?"
    r"|百分之(?P<percent>[零一二三四五六七八九十百点]+)"
    # 任一日, 上一年 and 三分之一 are no figures of their own.
    rf"|(?<![任每同某上下这那之后首末零〇一二两三四五六七八九十百千万])(?P<han>{_NUMERALS})\s?(?P<han_unit>{_UNITS})(?!性|以内?外)"
)
_ANY_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?|[零〇一二两三四五六七八九十百千万点]+|半年")
_SCALES = {"万": 10_000, "亿": 100_000_000}
_LONG_NUMBER = 5  # digits from which a number without a unit is one to dial
_YEARS = range(1900, 2101)
_TEN = 10


class Figure(Value):
    """Digits or numerals from `start` to `end` of a text, with the unit behind them; % for 百分之."""

    text: str
    unit: str
    start: int
    end: int
    value: Decimal

    @property
    def is_date(self) -> bool:
        """Whether it is part of a date: 2024年, 3月, 26日 after a month."""
        return self.unit == "月" or (self.unit == "年" and self.value in _YEARS)

    @property
    def is_reference(self) -> bool:
        """Whether it names an article or a document rather than measures something."""
        return self.unit in {"", "条", "款", "号"}


def figures(text: str) -> list[Figure]:
    """Every figure of `text`, in order: with a unit, or long enough to be dialled."""
    return list(_figures(text))


def values(text: str) -> frozenset[Decimal]:
    """Every number of `text` with the values that mean the same: 2万 as 20000, 2年 as 24 (months), 半年 as 6."""
    found: set[Decimal] = set()
    for match in _ANY_NUMBER.finditer(text):
        value = Decimal(6) if match.group() == "半年" else read(match.group())
        if value is not None:
            scale = _SCALES.get(text[match.end() : match.end() + 1], 1)
            found |= {value, value * scale, value * 12, value / 12, value / scale}
    return frozenset(found)


def read(written: str) -> Decimal | None:
    """The number that is written; None for what only looks like one (点, 万一)."""
    if written[:1].isdigit():
        return Decimal(written.replace(",", ""))
    try:
        return Decimal(str(cn2an.cn2an(written, "smart")))
    except ValueError:
        return None


def misreadings(figure: Figure) -> list[str]:
    """How the figure's digits come out wrong: a digit off, two swapped, a zero lost or won, the next step."""
    wrong = _digits_misread(figure) if figure.text[0].isdigit() else _numerals_misread(figure)
    return [text for text in dict.fromkeys(wrong) if text != figure.text and _plausible(figure, text)]


def _figures(text: str) -> Iterator[Figure]:
    for match in _FIGURE.finditer(text):
        group = next(name for name in ("digits", "percent", "han") if match.group(name))
        written, unit = match.group(group), match.group("unit") or match.group("han_unit") or ""
        value = read(written)
        if value is not None and _is_figure(group, written, unit, text[: match.start()], text[match.end() :]):
            yield Figure(written, "%" if group == "percent" else unit, *match.span(group), value)


def _is_figure(group: str, written: str, unit: str, before: str, rest: str) -> bool:
    if group == "digits":
        return bool(unit) or (len(written) >= _LONG_NUMBER and written.isdigit())
    if unit == "人" and before.endswith("第"):  # 第三人 is a party to a suit
        return False
    return written != "一" or (re.fullmatch(_ONE_UNITS, unit) is not None and not rest.startswith("次"))


def _digits_misread(figure: Figure) -> Iterator[str]:
    text = figure.text
    for i, digit in enumerate(text):
        if digit.isdigit() and (i == 0 or figure.is_reference or figure.unit in "年月日"):
            yield from (text[:i] + str(int(digit) + step) + text[i + 1 :] for step in (1, -1, 2) if _digit(digit, step))
    for i in range(len(text) - 1):
        if text[i : i + 2].isdigit():
            yield text[:i] + text[i + 1] + text[i] + text[i + 2 :]
    if text.isdigit() and not figure.is_reference:
        yield text.removesuffix("0")
        yield text + "0"
        if figure.unit in "%％":
            yield text[:-1] + ("5" if text[-1] == "0" else "0")


def _digit(digit: str, step: int) -> bool:
    return 1 <= int(digit) + step < _TEN


def _numerals_misread(figure: Figure) -> Iterator[str]:
    size = Decimal(10) ** (figure.value.adjusted() if figure.value >= _TEN and not figure.is_reference else 0)
    for step in (size, -size, size / 2 if size == _TEN else 2 * size):
        if figure.value + step > 0:
            yield _numerals(figure.value + step, counted=not figure.is_reference and figure.unit not in "日月%成档")


def _numerals(value: Decimal, *, counted: bool) -> str:
    number = int(value) if value == int(value) else float(value)
    text = str(cn2an.an2cn(number))
    text = text[1:] if text.startswith("一十") else text
    return "两" if counted and text == "二" else text


def _plausible(figure: Figure, written: str) -> bool:
    """Whether nobody sees at once that `written` can't stand there: 120%, the 13th month."""
    value = read(written)
    if value is None or value == figure.value or (written[0] == "0" and figure.text[0] != "0"):
        return False
    if figure.unit in {"成", "折"}:
        return value < _TEN
    if figure.unit in {"%", "％"}:
        return 0 < value <= 100 or figure.value > 100  # noqa: PLR2004 - percent
    if figure.unit == "年" and figure.value in _YEARS:
        return abs(value - figure.value) <= _TEN
    if figure.unit in {"月", "日"}:
        return 0 < value <= (12 if figure.unit == "月" else 30)
    return value > 0 or figure.is_reference
