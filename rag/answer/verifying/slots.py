"""Figures in a text: value and unit, normalised, so that 百分之六十, 60% and 六成 are one thing.

Knows numerals and units. Whether a claim may use a figure is the job of `checking`.

`cn2an` (widely used) reads Chinese numerals.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Literal

import cn2an

from rag.domain import Value

SlotKind = Literal["ratio", "amount", "period", "age", "count", "level", "date", "document", "phone", "url", "number"]

_HAN_DIGITS = "零〇一二两三四五六七八九十百千万亿点壹贰叁肆伍陆柒捌玖拾佰仟"
_NUMBER = rf"(?:\d+万\d+千?|\d+(?:,\d{{3}})*(?:\.\d+)?|[{_HAN_DIGITS}]+)"
_HAN_DIGIT = re.compile(r"[零〇一二两三四五六七八九壹贰叁肆伍陆柒捌玖]")
# Digits one by one, as years are read: 一二〇 is 120, 九六万 is 96万.
_ONE_BY_ONE = re.compile(r"(?P<digits>[零〇一二三四五六七八九]{2,})(?P<scale>[万亿]?)")
_SCALE = {"": 1, "千": 1_000, "万": 10_000, "百万": 1_000_000, "千万": 10_000_000, "亿": 100_000_000}
_PERIOD_DAYS = {
    "工作日": "workday",
    "日": "day",
    "天": "day",
    "周": "week",
    "星期": "week",
    "月": "month",
    "年": "year",
    "小时": "hour",
    "分钟": "minute",
}
_MILLIMETRES = {"毫米": 1, "mm": 1, "厘米": 10, "公分": 10, "cm": 10}
_COUNTERS = "家|个|次|所|座|项|档|种|名|人|位|份|张|条|款|类|件|倍|例|科|平方米|分|毫米(?!汞)|厘米|公分|mm(?!Hg)|cm"
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("url", re.compile(r"(?:https?://|www\.)[\w./?=&%#~:-]+", re.ASCII)),
    (
        "document",
        re.compile(
            r"(?P<issuer>(?:(?![依据根按照见为是的与和及于以由在])[\u4e00-\u9fff]){1,8})[\[〔(【](?P<year>\d{4})[\]〕)】]第?(?P<serial>\d+)号|第(?P<article>\d+|[一二三四五六七八九十百零〇]+)条"
        ),
    ),
    (
        "date",
        re.compile(
            r"(?:(?P<y>\d{4})[年/-])(?P<m>\d{1,2})[月/-](?P<d>\d{1,2})日?|(?<!\d)(?P<y4>\d{4})\.(?P<m4>\d{1,2})\.(?P<d4>\d{1,2})(?!\d)|(?P<y2>\d{4})年(?:(?P<m2>\d{1,2})月)?|(?P<m3>\d{1,2})月(?P<d3>\d{1,2})日"
        ),
    ),
    (
        "phone",
        re.compile(
            r"(?<![\d.])(?:0\d{2,3}-?\d{7,8}|1\d{10}|400-?\d{3}-?\d{4}|(?:10|11|12|95|96)\d{1,4})(?!\d|\.\d|,\d{3}|\s*[多余]?\s*[%元万千亿年月日天周岁小分级个家次所座项档种名人位份张床条款类件倍例科])"
        ),
    ),
    (
        "ratio",
        re.compile(
            rf"(?P<base>[百千万])分之(?P<han>[{_HAN_DIGITS}\d.]+)|(?P<num>\d+(?:\.\d+)?|[{_HAN_DIGITS}]+)\s*(?P<sign>[%‰])|(?P<word>全额|全数|全部(?=报销|支付|给付)|一半|半数|双倍|翻倍)|(?P<cheng>[一二三四五六七八九])成(?P<half>半|[一二三四五六七八九](?![十百千万级甲次]))?|(?P<whole>[二三四五六七八九十\d]+)分之(?P<part>[一二三四五六七八九十\d]+)"
        ),
    ),
    (
        "amount",
        re.compile(
            rf"(?P<num>{_NUMBER})\s*(?P<scale>千万|百万|万|千|亿)?(?:余|多)?\s*(?:元|块钱?|(?P<currency>美元|美金|港元|港币|欧元|日元|英镑|澳元|加元))"
        ),
    ),
    ("age", re.compile(rf"(?P<num>{_NUMBER})\s*周?岁")),
    (
        "period",
        re.compile(
            rf"(?P<half>半)(?:个)?(?P<unit0>年|月|工作日|天|日|小时)|(?P<num>{_NUMBER})\s*(?:个)?(?:余|多)?(?P<unit>工作日|小时|分钟|星期|周(?!岁)|月|年|日|天)(?P<tail>半)?"
        ),
    ),
    ("level", re.compile(r"(?P<han>[一二三123])级")),
    ("count", re.compile(rf"(?P<num>{_NUMBER})\s*(?P<scale>万|千)?(?:余|多)?(?P<unit>{_COUNTERS})")),
    ("number", re.compile(r"(?<![\d.])(?P<num>\d+(?:,\d{3})*(?:\.\d+)?)(?P<scale>千万|百万|万|千|亿)?(?!\d|\.\d)")),
)
# Shares that are said without a numeral, in percent.
_SHARES = {"全额": "100", "全数": "100", "全部": "100", "一半": "50", "半数": "50", "双倍": "200", "翻倍": "200"}
# A range shares the unit behind its end: 50-70%, 6至12个月, 约2000至3500元.
_RANGE = re.compile(
    r"(?P<low>\d+(?:\.\d+)?)\s*(?P<own>%|万|元)?\s*(?:-|~|—|–|至|到)+\s*(?P<high>\d+(?:\.\d+)?)\s*(?P<unit>%|万元|元|个?工作日|个月|个?小时|年|天|日|周?岁|家|次|倍|种|项|名|周)"
    r"|(?P<han_low>[一二两三四五六七八九十百]+)(?:至|到)(?P<han_high>[一二两三四五六七八九十百]+)(?P<han_unit>成|万元|元|个?工作日|个月|个?小时|年|天|日|周?岁|家|次|倍|种|项|名|周)"
)
# Words that hold a numeral and are no figure.
_IDIOMS = re.compile(
    r"(?<![一二三四五六七八九十百千万亿零〇两\d])(?:一卡通|一站式|一般|一旦|一定|一些|一致|一样|统一|唯一|一并|一起|一方面|同一|任一|(?<!分)之一|第一(?![十百千条])|万一|一律|十分(?!钟)|千万(?!元)|三者|百姓|一体|一直|一次性|两者|双向|进一步|一地|另一|一种|一个(?!月|年|工作)|一项|一份|这一|某一|每一|一、二|二、三|一二(?![零〇一二三四五六七八九十百千万亿]))"
)
# A date in Han numerals, year first.
_HAN_DATE = re.compile(
    r"(?P<y>[一二][〇零一二三四五六七八九]{3})年(?:(?P<m>[一二三四五六七八九十]{1,2})月(?:(?P<d>[一二三四五六七八九十]{1,3})日)?)?"
)


class Slot(Value):
    """One figure: `value` is normalised, so equal figures are equal values."""

    kind: SlotKind
    value: str
    start: int
    end: int

    @property
    def key(self) -> tuple[str, str]:
        """What has to match."""
        return self.kind, self.value


@functools.lru_cache(maxsize=4096)
def slots(text: str) -> tuple[Slot, ...]:
    """The figures of a text, in order of appearance. Offsets refer to the NFKC form of the text."""
    plain, origin = _spelled_out(unicodedata.normalize("NFKC", text))
    taken = [False] * len(plain)
    for match in _IDIOMS.finditer(plain):
        taken[match.start() : match.end()] = [True] * len(match.group())
    found: list[Slot] = []
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(plain):
            if any(taken[match.start() : match.end()]):
                continue
            value = _value(kind, match)
            if value is not None:
                found.append(Slot(kind, value, origin[match.start()], origin[match.end() - 1] + 1))  # type: ignore[arg-type]
                taken[match.start() : match.end()] = [True] * len(match.group())
    return tuple(sorted(found, key=lambda slot: slot.start))


def _spelled_out(text: str) -> tuple[str, list[int]]:
    """50%-70% and 50-70% both become 50%至70%, Han dates get digits; and where each character comes from."""
    pieces: list[str] = []
    origin: list[int] = []
    done = 0

    def put(piece: str, first: int, last: int) -> None:
        pieces.append(piece)
        one_each = min(len(piece), last + 1 - first)
        origin.extend(range(first, first + one_each))
        origin.extend([last] * (len(piece) - one_each))

    for match in sorted((*_RANGE.finditer(text), *_HAN_DATE.finditer(text)), key=lambda m: m.start()):
        if match.start() < done:
            continue
        put(text[done : match.start()], done, match.start())
        if match.re is _HAN_DATE:
            put(_digits(match), match.start(), match.end() - 1)
        else:
            low, high, unit = (match[k] or match["han_" + k] for k in ("low", "high", "unit"))
            own = {None: unit, "万": "万" + unit.removeprefix("万")}.get(match["own"], match["own"])
            first, last = ("low", "high") if match["low"] else ("han_low", "han_high")
            end = match.end("own") if match["own"] else match.end(first)
            put(low + own, match.start(first), end - 1)
            put("至", end, end)
            put(high + unit, match.start(last), match.end() - 1)
        done = match.end()
    put(text[done:], done, len(text))
    return "".join(pieces), origin


def _digits(match: re.Match[str]) -> str:
    year = "".join(str("〇一二三四五六七八九".index(c.replace("零", "〇"))) for c in match["y"])
    parts = [year + "年"]
    parts += [f"{_number(match[k])}{unit}" for k, unit in (("m", "月"), ("d", "日")) if match[k]]
    return "".join(parts)


def _value(kind: str, match: re.Match[str]) -> str | None:
    groups = match.groupdict()
    if kind == "document":
        return _document(groups)
    if kind in {"url", "phone"}:
        return match.group().replace(",", "").replace("-", "").lower()
    if kind == "date":
        return "-".join(str(int(groups[k] or 0)) if groups.get(k) else "?" for k in _date_keys(groups))
    if kind == "level":
        return {"1": "一", "2": "二", "3": "三"}.get(groups["han"], groups["han"])
    if kind == "ratio":
        return _ratio(groups) or match.group()  # what can't be read equals only itself
    if kind == "period":
        return _period(groups) or _unread(match)
    number = _number(groups["num"])
    if number is None:
        return _unread(match)
    number *= _SCALE[groups.get("scale") or ""]
    unit = groups.get("unit") or ""
    if unit in _MILLIMETRES:
        return _plain(number * _MILLIMETRES[unit]) + "mm"
    return _plain(number) + (groups["unit"] if kind == "count" else groups.get("currency") or "")


def _unread(match: re.Match[str]) -> str | None:
    """What has a digit and can't be read equals only itself; without a digit it is no figure (重点项目)."""
    return match.group() if _HAN_DIGIT.search(match.group()) else None


def _document(groups: dict[str, str | None]) -> str | None:
    """Brackets of any form; the words before the issuer are no part of the number."""
    if groups["article"]:
        return f"第{_number(groups['article'])}条"
    return f"{groups['issuer']}[{groups['year']}]{int(groups['serial'] or 0)}号"


def _date_keys(groups: dict[str, str | None]) -> tuple[str, str, str]:
    if groups["y"]:
        return ("y", "m", "d")
    if groups["y4"]:
        return ("y4", "m4", "d4")
    return ("y2", "m2", "none") if groups["y2"] else ("none", "m3", "d3")


def _ratio(groups: dict[str, str | None]) -> str | None:
    """In percent."""
    if groups["whole"]:
        whole, part = _number(groups["whole"]), _number(groups["part"] or "")
        return _plain((part * 100 / whole).quantize(Decimal("0.0001"))) if whole and part else None
    if groups["word"]:
        return _SHARES[groups["word"]]
    if groups["cheng"]:
        tenths, more = _number(groups["cheng"]), groups["half"]
        extra = Decimal(0) if not more else Decimal(5) if more == "半" else _number(more) or Decimal(0)
        return None if tenths is None else _plain(tenths * 10 + extra)
    number = _number(groups["han"] or groups["num"] or "")
    base = {"千": 10, "万": 100}.get(groups["base"] or "", 10 if groups["sign"] == "‰" else 1)
    return None if number is None else _plain(number / base)


def _period(groups: dict[str, str | None]) -> str | None:
    unit = _PERIOD_DAYS[groups["unit0"] or groups["unit"] or ""]
    number = Decimal("0.5") if groups["half"] else _number(groups["num"] or "")
    if number is None:
        return None
    if groups["tail"]:
        number += Decimal("0.5")
    if unit in {"year", "week"}:
        number, unit = (number * 12, "month") if unit == "year" else (number * 7, "day")
    return _plain(number) + unit


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:
        pass
    if digit_by_digit := _ONE_BY_ONE.fullmatch(text):
        digits = "".join(str("零一二三四五六七八九".index(c)) for c in digit_by_digit["digits"].replace("〇", "零"))
        return Decimal(digits) * _SCALE[digit_by_digit["scale"]]
    text = "一" + text if text[:1] in {"百", "千", "万", "亿"} else text
    try:
        return Decimal(str(cn2an.cn2an(text.replace("两", "二").replace("〇", "零"), "smart")))
    except (ValueError, InvalidOperation):
        return None


def _plain(number: Decimal) -> str:
    return format(number.normalize(), "f")
