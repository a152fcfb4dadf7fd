"""False claims made of true ones by changing one thing.

Knows the eight kinds of change and when a changed claim is surely false. Words that exclude each other are data
(`contrasts.toml`); figures are read by `figures`. Whether a verifier notices is the job of `mutate`. What may be true
after the change is left out: a missing mutant costs a line of a report, a true one a wrong figure.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Literal, get_args

import msgspec

from evals.figures import Figure, figures, misreadings, read, values
from evals.truths import Pair, digest
from rag.domain import Value
from rag.text import fold

CONTRASTS = Path(__file__).parent / "contrasts.toml"

Kind = Literal["number", "unit", "bound", "qualifier", "place", "person", "polarity", "alignment"]
KINDS: tuple[Kind, ...] = get_args(Kind)
# More of one claim would say little that is new; but each wrong cell of a table is a case of its own.
PER_CLAIM: Mapping[Kind, int] = {kind: 4 if kind == "alignment" else 2 for kind in KINDS}

# 缴费10年以上的 holds for 30 years as well, 不足15年的 for 10.
_FROM = re.compile("以上|超过|满|达到|大于|高于")
_UP_TO = re.compile("以下|以内|不足|未满|不满|不到|小于|低于|内")
_ABOUT = re.compile(r"[约近]$|接近$|达$")
_PARTS = {"成": 10, "折": 10}  # six of ten are 60 of 100
_MIN_STEP = Decimal("0.1")  # about 6400 is not false for 6406
# That something is no 职工医保 does not make it 居民医保, nor the reverse false.
_DENIAL = re.compile("不是|不属于|不算|并非|无关|独立|区别|不同")
# Nor does anybody need to do the one thing because the other is not needed.
_NEEDLESS = re.compile("不必|不用|无需|无须|不需")
# What holds here and there may fail elsewhere, and of what is denied the opposite may be true: only hardening is surely
# false.
_HEDGE = re.compile("不是|并非|可能|部分|有的|有些|一些|个别|也许|或许")
_HARDENED = frozenset({"一定", "一律", "所有", "各地都", "所有地方", "所有地区"})
_CLAUSE = re.compile(r"[，。；：,;:|\n]")
_LINE = re.compile(r"[。；;\n]")
_JOINED = re.compile(r"[、和与及或]")
# 湖州市中心医院 and 上海人寿 are names of one thing: their province has no hospital of that name.
_IN_A_NAME = re.compile(
    r"(?:市|省)?(?:[一-龥]{0,4}(?:医院|大学|公司)|第[一二三四]|人寿|保险|银行|法院|仲裁|铁路|证券|交易所)"
)


class Mutant(Value):
    """A false claim, and what was changed in the true one."""

    pair: Pair
    kind: Kind
    claim: str
    was: str
    now: str


class _Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words that exclude each other, and where they are taken."""

    words: str
    one_way: bool = False
    after: str = ""
    before: str = ""

    def others(self, word: str) -> tuple[str, ...]:
        """What `word` is turned into."""
        words = tuple(self.words.split())
        if word not in words or (self.one_way and word != words[0]):
            return ()
        return tuple(w for w in words if w != word)

    def fits(self, text: str, start: int, end: int) -> bool:
        """Whether the text around the word is as it must be."""
        return bool(re.search(f"(?:{self.after})$", text[:start]) and re.match(self.before, text[end:]))


class _Contrasts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    fixed: dict[str, str]
    units: dict[str, str]
    places: dict[str, str]
    bound: tuple[_Turn, ...]
    unit: tuple[_Turn, ...]
    qualifier: tuple[_Turn, ...]
    place: tuple[_Turn, ...]
    person: tuple[_Turn, ...]
    polarity: tuple[_Turn, ...]

    def turns(self, kind: Kind) -> tuple[_Turn, ...]:
        """The words of a kind."""
        return tuple(getattr(self, kind))


class _Change(Value):
    """What a kind of change makes of a claim."""

    claim: str
    was: str
    now: str


def mutants(pair: Pair) -> list[Mutant]:
    """The mutants of a claim, at most `PER_CLAIM` of each kind, always the same ones."""
    found: list[Mutant] = []
    for kind in KINDS:
        changes = {change.claim: change for change in _RULES[kind](pair) if fold(change.claim) != fold(pair.claim)}
        chosen = sorted(changes.values(), key=lambda change: digest(kind, change.claim))
        found += [Mutant(pair, kind, c.claim, c.was, c.now) for c in _spread(chosen)[: PER_CLAIM[kind]]]
    return found


def _spread(changes: Sequence[_Change]) -> list[_Change]:
    """The first change of each place in the claim, then the others."""
    firsts = {change.was: change for change in reversed(changes)}
    return [*firsts.values(), *(change for change in changes if change not in firsts.values())]


# --- figures ----------------------------------------------------------------------------------------------------------


def _numbers(pair: Pair) -> Iterator[_Change]:
    """One figure misread as one that its evidence does not hold."""
    known = values(pair.told)
    for figure in figures(pair.claim):
        for written in misreadings(figure):
            value = read(written)
            fits = _far_enough(pair.claim, figure, written) and not _is_narrower(pair.claim, figure, written)
            if fits and value is not None and known.isdisjoint({value, value * _PARTS.get(figure.unit, 1)}):
                yield _Change(
                    _replaced(pair.claim, figure.start, figure.end, written),
                    f"{figure.text}{figure.unit}",
                    f"{written}{figure.unit}",
                )


def _is_narrower(claim: str, figure: Figure, written: str) -> bool:
    """Whether the changed figure only names fewer of the cases that a condition (…的) covers: that stays true."""
    condition = _clause_around(claim, figure.start)
    value = read(written)
    if not condition.endswith("的") or value is None:
        return False
    if _UP_TO.search(condition):
        return value < figure.value
    return value > figure.value and bool(_FROM.search(condition))


def _far_enough(claim: str, figure: Figure, written: str) -> bool:
    about = _ABOUT.search(claim[: figure.start]) or claim[figure.end + len(figure.unit) :].startswith("左右")
    value = read(written)
    return not about or value is None or abs(value - figure.value) > figure.value * _MIN_STEP


def _units(pair: Pair) -> Iterator[_Change]:
    """One figure with a unit that it is not measured in."""
    told = fold(pair.told)
    for figure in figures(pair.claim):
        if not _is_measure(pair.claim, figure):
            continue
        for unit in _contrasts().units.get(figure.unit, "").split():
            new = f"{figure.text}{unit}"
            if fold(new) not in told and not new.endswith("万万元"):
                end = figure.end + len(figure.unit)
                yield _Change(_replaced(pair.claim, figure.start, end, new), f"{figure.text}{figure.unit}", new)
    if figures(pair.claim):
        yield from _rules(pair, "unit")


def _is_measure(claim: str, figure: Figure) -> bool:
    before = claim[: figure.start]
    named = figure.is_date or figure.is_reference or before.endswith("第")
    return (
        claim.startswith(figure.unit, figure.end) and not named and not (figure.unit == "日" and before.endswith("月"))
    )


def _alignment(pair: Pair) -> Iterator[_Change]:
    """The value of another case: of another row or column, or two figures of the claim that change places."""
    for value, rival in pair.rivals:
        if pair.claim.count(value) == 1:
            yield _Change(pair.claim.replace(value, rival), value, rival)
    found = [f for f in figures(pair.claim) if _is_measure(pair.claim, f)]
    for one, other in pairwise(found):
        if one.unit == other.unit and one.value != other.value and _apart(pair.claim, one, other):
            between = pair.claim[one.end : other.start]
            claim = f"{pair.claim[: one.start]}{other.text}{between}{one.text}{pair.claim[other.end :]}"
            yield _Change(claim, f"{one.text}…{other.text}", f"{other.text}…{one.text}")


def _apart(claim: str, one: Figure, other: Figure) -> bool:
    """Whether two figures belong to different things: 50%-70% and 每年6至12个月 are one."""
    between = claim[one.end + len(one.unit) : other.start]
    if _JOINED.fullmatch(between.strip()):
        return "分别" in claim[: one.start] or "依次" in claim[: one.start]
    # What the second figure is of has to be said of it alone.
    return bool(re.search(r"[，；、（]", between)) and len(re.findall(r"[一-龥]", between)) > 1


# --- words ------------------------------------------------------------------------------------------------------------


def _bounds(pair: Pair) -> Iterator[_Change]:
    """The other side of a figure."""
    for change in _rules(pair, "bound"):
        if _has_measure(_clause_around(pair.claim, _first_difference(pair.claim, change.claim))):
            yield change


def _has_measure(clause: str) -> bool:
    return bool(figures(clause)) or bool(re.search("[半两]|[县省]级|[上下]限|最[高低]", clause))


def _first_difference(one: str, other: str) -> int:
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)


def _clause_before(text: str, position: int) -> str:
    return _CLAUSE.split(text[:position])[-1]


def _clause_around(text: str, position: int) -> str:
    return _clause_before(text, position) + _CLAUSE.split(text[position:])[0]


def _polarity(pair: Pair) -> Iterator[_Change]:
    """A rule turned into its opposite, hardened or softened."""
    for change in _rules(pair, "polarity"):
        position = _first_difference(pair.claim, change.claim)
        clause = _clause_around(pair.claim, position)
        if change.now in _HARDENED or not _HEDGE.search(clause.replace(change.was, "")):
            yield change


def _rules(pair: Pair, kind: Kind) -> Iterator[_Change]:
    """One word turned, where the evidence does not say the same elsewhere."""
    told = fold(pair.told)
    for start, end, new in _turned(pair.claim, kind):
        goes_on = fold(new + pair.claim[end : end + 3])
        if goes_on not in told:
            yield _Change(_replaced(pair.claim, start, end, new), pair.claim[start:end], new)


def _qualifiers(pair: Pair) -> Iterator[_Change]:
    """A rule told of another case."""
    yield from _subjects(pair, "qualifier")


def _persons(pair: Pair) -> Iterator[_Change]:
    """A rule told of somebody else."""
    yield from _subjects(pair, "person")


def _places(pair: Pair) -> Iterator[_Change]:
    """A rule told of another place, or of the whole province where it is a city's."""
    yield from _subjects(pair, "place")
    for name in dict.fromkeys(_place_pattern().findall(pair.claim)):
        if name in pair.told:
            yield from (_Change(pair.claim.replace(name, new), name, new) for new in _elsewhere(name, pair))
            yield from _wider(name, pair)


def _subjects(pair: Pair, kind: Kind) -> Iterator[_Change]:
    """One word exchanged wherever the claim has it, where the evidence tells of the old one and not of the new."""
    if _DENIAL.search(pair.claim):
        return
    by_word: dict[tuple[str, str], set[tuple[int, int]]] = {}
    for start, end, new in _turned(pair.claim, kind):
        by_word.setdefault((pair.claim[start:end], new), set()).add((start, end))
    for (old, new), spans in by_word.items():
        needless = any(_NEEDLESS.search(_clause_before(pair.claim, start)) for start, _ in spans)
        if new not in pair.claim and not needless and _tells_of_the_old_alone(pair, old, new):
            claim = pair.claim
            for start, end in sorted(spans, reverse=True):
                claim = _replaced(claim, start, end, new)
            yield _Change(claim, old, new)


def _tells_of_the_old_alone(pair: Pair, old: str, new: str) -> bool:
    told = fold(pair.told)
    return fold(old) in told and (fold(new) not in told or _is_another_case(pair, old, new))


def _is_another_case(pair: Pair, old: str, new: str) -> bool:
    """Whether the evidence tells of `new` elsewhere, and the claim's figure is of `old` alone."""
    evidence = "\n".join(pair.evidence)
    if new in pair.title or any(old in clause and new in clause for clause in _CLAUSE.split(evidence)):
        return False
    own = {(f.value, f.unit) for f in figures(pair.claim)}
    told = [(f.value, f.unit) for f in figures(evidence)]
    of_the_new = [(f.value, f.unit) for line in _LINE.split(evidence) if new in line for f in figures(line)]
    return any(told.count(figure) == 1 for figure in own) and own.isdisjoint(of_the_new)


def _turned(text: str, kind: Kind) -> Iterator[tuple[int, int, str]]:
    """Every word of a kind that may be turned: where it stands, and into what."""
    for match in _pattern(kind).finditer(text):
        for turn in _contrasts().turns(kind):
            if turn.fits(text, *match.span()):
                yield from ((*match.span(), new) for new in turn.others(match.group()))


# --- places by name ---------------------------------------------------------------------------------------------------


def _elsewhere(name: str, pair: Pair) -> tuple[str, ...]:
    """A place of the same rank in another province; neither is named in the evidence."""
    rank = next(row.split() for row in _ranks(_contrasts().places) if name in row.split())
    own = _province(name)
    others = [p for p in rank if _province(p) != own and p not in pair.told and _province(p) not in pair.told]
    return (others[digest(pair.id, name) % len(others)],) if others else ()


def _wider(name: str, pair: Pair) -> Iterator[_Change]:
    """What holds for a city, told of its province."""
    province = _province(name)
    if province != name and province not in pair.told and not re.search(name + _IN_A_NAME.pattern, pair.claim):
        claim = pair.claim.replace(f"{name}市", f"{province}省").replace(name, province)
        yield _Change(claim, name, province)


def _ranks(table: Mapping[str, str]) -> tuple[str, str, str]:
    provinces = [name for name in table if name != "municipalities"]
    return table["municipalities"], " ".join(provinces), " ".join(table[p] for p in provinces)


def _province(name: str) -> str:
    """The province of a city; a province or a municipality is its own."""
    return next(
        (p for p, cities in _contrasts().places.items() if p != "municipalities" and name in cities.split()), name
    )


@functools.cache
def _place_pattern() -> re.Pattern[str]:
    names = " ".join(_ranks(_contrasts().places)).split()
    return re.compile(f"(?:{'|'.join(names)})(?!人寿|财险|保险|银行|法院|仲裁|铁路|证券|交易所)")


# --- shared -----------------------------------------------------------------------------------------------------------


@functools.cache
def _contrasts() -> _Contrasts:
    return msgspec.toml.decode(CONTRASTS.read_bytes(), type=_Contrasts)


@functools.cache
def _pattern(kind: Kind) -> re.Pattern[str]:
    """The words and fixed terms of a kind, the longest first; a fixed term has nothing that it turns into."""
    contrasts = _contrasts()
    words = {*contrasts.fixed.get(kind, "").split(), *(w for turn in contrasts.turns(kind) for w in turn.words.split())}
    return re.compile("|".join(sorted(map(re.escape, words), key=lambda word: (-len(word), word))))


def _replaced(text: str, start: int, end: int, new: str) -> str:
    return text[:start] + new + text[end:]


_RULES: Mapping[Kind, Callable[[Pair], Iterator[_Change]]] = {
    "number": _numbers,
    "unit": _units,
    "bound": _bounds,
    "qualifier": _qualifiers,
    "place": _places,
    "person": _persons,
    "polarity": _polarity,
    "alignment": _alignment,
}
