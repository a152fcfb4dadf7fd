"""Where sources give different figures or opposite rules for one thing that was asked.

Knows which sayings bear on a question and when two of them can't both hold. What a unit says, for whom and where, is
read by `sayings`; which units are looked at is the job of `retrieve`; how a conflict reads, of `rendering`. No language
model is asked.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal

from rag import places, qualifiers
from rag.answer.aspects import ASPECTS, NAMED_BY, OPEN, WHICH, asked_aspects, plain, rule_called
from rag.answer.sayings import CARE, INSURED, NEUTRAL, OTHER, ROLES, YEAR, Saying, Scope, names, parts, sayings
from rag.domain import Document, EvidenceUnit, Value
from rag.tokens import topic_terms, topic_words

Relation = Literal["disagree", "general-special"]

_NOT = re.compile(r"(?:不是|并非|除了)([^，。）)]*)")
# Figures of these kinds are told apart by the words around them more than by what they are called.
_LOOSE = frozenset(aspect.name for aspect in ASPECTS if aspect.kind in {"period", "date", "phone", "count"})
# What a country has one of, and every city too.
_LOCAL = frozenset(aspect.name for aspect in ASPECTS if aspect.kind in {"date", "phone", "count"})
# These set a figure apart unless the question names the same, and the first two a rule as well.
_APART_RULE = frozenset({"scheme", "chronic"})
_APART = _APART_RULE | {"away", "item", "urgency", "line"}
# A rule may be silent on these though they were asked for; on others it is then a rule for somebody else.
_IMPLIED = frozenset({"away", "area", "item", "per", "care", "channel"})
# The word that asks, the plainest first: 用 asks in 还用备案吗, and not in 用医保码买药要带身份证吗.
_MODALS = tuple(
    re.compile(words) for words in (r"(?P<verb>.)不(?P=verb)|是否|能否|可以|需要|必须|一定要", "[能要]", "[用给]")
)
_ASKING = re.compile(r"[几多哪]|[之以]后$")
_DIGIT = re.compile(r"\d")
_PARTICLES = re.compile(r"[吗么呢吧啊]")
# Words that every text of this field holds, and words of asking: they set no matter and no group apart.
_VAGUE = frozenset(
    "医保 医疗 保险 直接 到底 究竟 必须 医院 不能 不要 报 报销 费用 参保 人员 参保人 城乡 城镇 基本 政策 范围 就医 "
    "享受 待遇 办理 规定 用人 单位 个人 个人缴费 在校 普通 一定 还要 提供 提交 出示 携带 经过 用来 以及 一个 每个 "
    "所有".split()
)
# What names no place and varies is no rule for any.
_VARIES = re.compile(
    r"一般|通常|大多|各地|各省|各市|当地|不同|不一|可能|左右|大?约|原则上|例如|比如|常见|往往|有的|有些|部分"
)
_PAYS = re.compile("报销?|支付|医保|基金|统筹|范围|自费|给付")  # 报销 has many words, and asks for any of them
_NEEDS = re.compile("|".join(rule_called("是否需要").answers))
_SHORT = 2
_MIN_SHARED = 0.4
_MIN_SHARED_LOOSE = 0.6
_MIN_MATTER = 0.5


class FoundConflict(Value):
    """Sources that differ on one slot: what each says, verbatim, with the unit that says it; best unit first."""

    slot: str
    relation: Relation
    sides: tuple[tuple[str, EvidenceUnit], ...]


def find_conflicts(
    question: str, units: Sequence[EvidenceUnit], documents: Mapping[str, Document], chosen: int
) -> list[FoundConflict]:
    """The conflicts that bear on the question, that of the best unit first.

    `units` are best first, and the first `chosen` of them answer the question: a side of each conflict is among those.
    `documents` holds by id what the units are from; of a unit whose document is not there only its own words are known.
    """
    asked = _Asked(question)
    if not asked.aspects:
        return []
    said = [s for unit in units for s in asked.answers(unit, documents.get(unit.document_id))]
    answering = {unit.id for unit in units[:chosen]}
    found: list[_Opposed] = []
    for one in said:
        opposed = asked.opposed(one, said)
        if any(s.unit.id in answering for s in opposed.sides) and not any(map(opposed.repeats, found)):
            found.append(opposed)
    return [opposed.shown(asked.names) for opposed in found]


def conflict_units(conflicts: Sequence[FoundConflict]) -> tuple[EvidenceUnit, ...]:
    """The units that have to be cited to show the conflicts, each once."""
    return tuple({unit.id: unit for conflict in conflicts for _, unit in conflict.sides}.values())


class _Opposed(Value):
    """A saying and what conflicts with it, one side a value; no sides when nothing does."""

    relation: Relation
    sides: tuple[Saying, ...] = ()

    def repeats(self, other: _Opposed) -> bool:
        """Whether the other says all of this already, be it by another rule of the same units."""
        if self.sides[0].is_rule and other.sides[0].is_rule:
            return self.sides[0].aspect == other.sides[0].aspect or {s.unit.id for s in self.sides} <= {
                s.unit.id for s in other.sides
            }
        return all(
            any(s.aspect == o.aspect and _agree(s, o) and _overlap(s.scope, o.scope) for o in other.sides)
            for s in self.sides
        )

    def shown(self, asked: Mapping[str, frozenset[str]]) -> FoundConflict:
        """What a reader is to see; of several values that a side is for, those that were asked for."""
        first = self.sides[0]
        named = first.scope.names
        where = [place for role in (INSURED, CARE) for place in sorted(named.get(role, ()))]
        groups = {d: values & asked.get(d, values) or values for d, values in named.items() if d not in ROLES | NEUTRAL}
        whom = [value for values in groups.values() for value in sorted(values)]
        slot = " · ".join(dict.fromkeys([*where, *whom, first.aspect]))
        return FoundConflict(slot, self.relation, tuple((s.shown, s.unit) for s in self.sides))


class _Asked:
    """What a question asks for, and which sayings bear on it."""

    def __init__(self, question: str) -> None:
        self.names = dict(names(_NOT.sub("", question)))
        if any("level" in qualifiers.mentioned(match[1]) for match in _NOT.finditer(question)):
            self.names["level"] = OTHER  # 不是基层
        self._terms = [term for term in topic_terms(plain(question)) if len(term) > 1 and not _ASKING.match(term)]
        self._parts = parts(question)
        self._text, self._places = question, places.find(question)
        self._years = frozenset(YEAR.findall(question))
        self._decisive = [(d, v) for d, v in self.names.items() if d not in ROLES | _IMPLIED]
        self._focus, self._matter = _focus(question)
        self.aspects = asked_aspects(question)

    def answers(self, unit: EvidenceUnit, document: Document | None) -> list[Saying]:
        """What the unit says of what is asked, and for whom and where it is asked."""
        return [s for s in sayings(unit, document, self.aspects) if self._wants(s)]

    def _wants(self, s: Saying) -> bool:
        if self._years and s.years and not self._years & s.years:
            return False
        if any(not _carries(self._text, plain(condition)) for condition in s.conditions):
            return False
        if not (self._is_matter_of(s) and self._is_of_place(s)):
            return False
        if s.aspect in OPEN and any(v - s.scope.names.get(d, frozenset()) for d, v in self._decisive):
            return False
        if (_APART_RULE if s.is_rule else _APART) & (s.scope.names.keys() ^ self.names.keys()):
            return False
        shared = (s.scope.names.keys() & self.names.keys()) - ROLES
        return all(self.names[dimension] & s.scope.names[dimension] for dimension in shared)

    def _is_of_place(self, s: Saying) -> bool:
        where = s.scope.names.get(INSURED, frozenset()) | s.scope.names.get(CARE, frozenset())
        return not where or all(any(places.related(place, other) for other in where) for place in self._places)

    def _is_matter_of(self, s: Saying) -> bool:
        """Whether a rule speaks of what is asked about, and not only of the same people and places."""
        if s.aspect in WHICH:
            return _mostly(s.line, self._matter)
        if s.aspect in OPEN:
            said = _needed(s.clause) if s.aspect == "是否需要" else s.clause
            about = _PAYS.search(said) if self._focus == ["报销"] else self._focus and _mostly(said, self._focus)
            return bool(about) and _mostly(s.line, self._matter)
        return True

    def opposed(self, one: Saying, said: Sequence[Saying]) -> _Opposed:
        """The saying with those that conflict with it; of equal values the first stands for all."""
        sides, relations = [one], set()
        for other in said:
            if relation := self._relation(one, other, said):
                relations.add(relation)
                sides += [] if any(_agree(other, side) for side in sides) else [other]
        if not relations:
            return _Opposed("disagree")
        return _Opposed("disagree" if "disagree" in relations else "general-special", tuple(sides))

    def _relation(self, one: Saying, other: Saying, said: Sequence[Saying]) -> Relation | None:
        """How two sayings that answer conflict, if they do."""
        if not _same_slot(one, other) or _agree(one, other) or not _same_time(one, other):
            return None
        if _contrasted(one, other) or not _overlap(one.scope, other.scope) or not self._may_be_general(one, other):
            return None
        if not (self._alike(one, other) and self._fits(one.scope.parts, other.scope.parts)):
            return None
        left, right = _narrower(one, other), _narrower(other, one)
        if not all(self._may_differ(d, s, said) for s, ds in ((one, left), (other, right)) for d in ds):
            return None
        relation = _order(one, other, (bool(left), bool(right)))
        both_said = relation == "general-special" and (_says(one, other, said) or _says(other, one, said))
        return None if both_said else relation

    def _alike(self, one: Saying, other: Saying) -> bool:
        """Whether the two carry much the same of the question."""
        is_loose = one.aspect in _LOOSE
        terms = [term for term in self._terms if not (is_loose and self._is_vague(term))]
        left, right = ({term for term in terms if _speaks_of(s, term)} for s in (one, other))
        least = _MIN_SHARED_LOOSE if is_loose else _MIN_SHARED
        return len(left & right) >= least * max(len(left), len(right))

    def _is_vague(self, term: str) -> bool:
        """Whether most texts for the place hold a term: it tells no two matters apart."""
        of_place = any(term in place for place in self._places)
        return of_place or term in _VAGUE or bool((ROLES | {"per"}) & names(term).keys())

    def _may_be_general(self, one: Saying, other: Saying) -> bool:
        """Whether what names no place is said outright, and so for the one place that is asked about, too."""
        placeless = [s for s in (one, other) if INSURED not in s.scope.names]
        if not self._places:
            return len(placeless) != 1
        return not placeless or (len(placeless) == 1 and self._is_outright(placeless[0]))

    def _is_outright(self, s: Saying) -> bool:
        """Whether it names all that the question names but the place, and does not say that places vary."""
        told = s.scope.names.keys()
        return s.aspect not in _LOCAL and not _VARIES.search(s.line) and not self.names.keys() - ROLES - told

    def _fits(self, one: frozenset[str], other: frozenset[str]) -> bool:
        """Whether the parts differ only by what is asked, and an asked one holds for a side."""
        return not (one ^ other) - self._parts and (not self._parts or bool(self._parts & (one | other)))

    def _may_differ(self, dimension: str, s: Saying, said: Sequence[Saying]) -> bool:
        """Whether one side alone may name a dimension: asked for, or in a document that sets nobody against another."""
        own = s.scope.names[dimension]
        return dimension in self.names or not any(
            o.unit.document_id == s.unit.document_id
            and o.aspect == s.aspect
            and not o.scope.names.get(dimension, own) & own
            for o in said
        )


def _focus(question: str) -> tuple[list[str], list[str]]:
    """What an open question asks about, and with what it belongs to: 父母, and 父母 with 个人账户."""
    said = [clause for clause in re.split("[，。？！；?,]", _PARTICLES.sub("", question)) if clause]
    asking = next((clause for clause in reversed(said) if _modal(clause)), question)
    modal = _modal(asking)
    start, end = modal.span() if modal else (0, 0)
    before, after = _content(asking[:start]), _content(asking[end:]) or topic_terms(plain(asking[end:]))
    own = [*before, *_content(asking[end:])]
    whole = [term for clause in said for part in _apart(clause) for term in _content(part)]
    return after or before, own if len(own) > len(after or before) else whole


def _modal(clause: str) -> re.Match[str] | None:
    """Where a clause asks whether one may or must."""
    return next((match for words in _MODALS if (match := words.search(clause))), None)


def _apart(clause: str) -> tuple[str, ...]:
    """What stands before the word that asks, and what behind it."""
    modal = _modal(clause)
    return (clause[: modal.start()], clause[modal.end() :]) if modal else (clause,)


def _needed(clause: str) -> str:
    """What a clause says is needed or not: what stands behind those words, or before them if nothing does."""
    behind = _NEEDS.split(clause)[-1]
    return behind if _content(behind) else clause


def _mostly(text: str, terms: Sequence[str]) -> bool:
    """Whether a text carries half of the terms."""
    return sum(_carries(text, term) for term in terms) >= _MIN_MATTER * len(terms)


@functools.lru_cache(maxsize=4096)
def _content(text: str) -> list[str]:
    """The terms of a text that set its matter apart, people and places aside."""
    found = (
        term for term in topic_words(plain(text)) if len(term) > 1 and term not in _VAGUE and not _DIGIT.search(term)
    )
    return [term for term in found if not names(term).keys() - {"item"}]


@functools.lru_cache(maxsize=8192)
def _plain(text: str) -> str:
    return plain(text)


@functools.lru_cache(maxsize=8192)
def _words(text: str) -> frozenset[str]:
    return frozenset(topic_words(_plain(text)))


def _speaks_of(s: Saying, term: str) -> bool:
    """Whether a saying holds a term, be it by another word for its figure or for whom it is."""
    if _carries(s.line, term) or (s.aspect in NAMED_BY and NAMED_BY[s.aspect].fullmatch(term)):
        return True
    meant = names(term)
    return bool(meant) and all(values & s.scope.names.get(d, frozenset()) for d, values in meant.items())


@functools.lru_cache(maxsize=65536)
def _carries(text: str, term: str) -> bool:
    """Whether a text holds a term, be it short for its own word: 产检 for 产前检查."""
    known = _plain(text)
    return term in known or bool(re.search(".{0,3}".join(map(re.escape, term)), known))


def _same_slot(one: Saying, other: Saying) -> bool:
    """Whether two figures, or two rules, are of the same thing."""
    if one.aspect != other.aspect or not (one.measure == other.measure or _at_once(one, other)):
        return False
    return not (one.counted and other.counted) or bool(set(one.counted) & set(other.counted))


def _at_once(one: Saying, other: Saying) -> bool:
    """Whether one is no time at all, and so less than the other in days and in working days alike."""
    return {one.measure, other.measure} == {"day", "periodworkday"} and Decimal(0) in {one.value[1], other.value[1]}


def _contrasted(one: Saying, other: Saying) -> bool:
    """Whether the two stand side by side as different things: rows of a table, items with different heads."""
    if one.line == other.line:
        return True
    together = (one.unit.document_id, one.unit.title_path) == (other.unit.document_id, other.unit.title_path)
    return together and (not one.head or one.head != other.head)


def _same_time(one: Saying, other: Saying) -> bool:
    """Whether both can be in force at once; what bears no year may be of any."""
    if one.years and other.years and not one.years & other.years:
        return False
    if _replaced(one, other) or _replaced(other, one):
        return False
    return one.valid[0] <= other.valid[1] and other.valid[0] <= one.valid[1]


def _replaced(one: Saying, other: Saying) -> bool:
    """Whether the other begins later than `one` begins, or after the years that `one` is for."""
    if other.since is None:
        return False
    last = one.since or max(map(int, one.years), default=None) or one.valid[1].year
    return last < other.since


def _agree(one: Saying, other: Saying) -> bool:
    """Whether both values can hold: one lies in the other, as 70% in 60%-80%, or shares most of its range with it."""
    low, high = max(one.value[0], other.value[0]), min(one.value[1], other.value[1])
    narrower = min(one.value[1] - one.value[0], other.value[1] - other.value[0])
    return low <= high and (high - low == narrower or (high - low) * 2 > narrower)


def _says(one: Saying, other: Saying, said: Sequence[Saying]) -> bool:
    """Whether the line of `one` says what `other` says, too, of those that `other` is for."""
    return any(
        s.line == one.line and s.aspect == other.aspect and _agree(s, other) and _overlap(s.scope, other.scope)
        for s in said
    )


def _narrower(one: Saying, other: Saying) -> list[str]:
    """Dimensions in which `one` is for fewer than `other`. That care is away from home is no narrower rule of 备案."""
    wide = other.scope.names
    return [
        dimension
        for dimension, values in one.scope.names.items()
        if (dimension not in wide or (values != wide[dimension] and _within(dimension, values, wide[dimension])))
        and dimension not in NEUTRAL
        and not (dimension == "away" and one.is_rule)
    ]


def _within(dimension: str, narrow: frozenset[str], wide: frozenset[str]) -> bool:
    if dimension in ROLES:
        return all(any(w == n or w in places.within(n) for w in wide) for n in narrow)
    return narrow <= wide


def _order(one: Saying, other: Saying, narrower: tuple[bool, bool]) -> Relation | None:
    """Which of two that conflict is a special case of the other; two different cases are no conflict."""
    cases = _is_case(one, other), _is_case(other, one)
    if all(cases):
        return None
    if any(cases):
        return "general-special"
    left = narrower[0] or bool(one.scope.parts - other.scope.parts)
    right = narrower[1] or bool(other.scope.parts - one.scope.parts)
    return "disagree" if left == right else "general-special"


def _is_case(one: Saying, other: Saying) -> bool:
    """Whether `one` is for a group or an event that `other` does not speak of."""
    return any(_is_foreign(case, other.line) for case in one.scope.cases)


def _is_foreign(case: str, line: str) -> bool:
    content, words = _content(case), _words(line)
    told = (
        term
        for term in content
        if any(word.endswith(term) for word in words) or (len(term) > _SHORT and _carries(line, term))
    )
    return bool(content) and next(told, None) is None


def _overlap(one: Scope, other: Scope) -> bool:
    """Whether somebody is in both scopes."""
    return all(_meet(d, v, other.names[d]) for d, v in one.names.items() if d in other.names)


def _meet(dimension: str, one: frozenset[str], other: frozenset[str]) -> bool:
    if dimension in ROLES:
        return any(places.related(a, b) for a in one for b in other)
    return bool(one & other)
