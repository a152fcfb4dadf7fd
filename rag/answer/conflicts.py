"""Where sources give different figures or opposite rules for one thing that was asked.

Knows what a unit says (the figure of an aspect, or a rule), for whom and where, and when two sayings can't both hold.
Which units are looked at is the job of `retrieve`; how a conflict reads, of `rendering`.

The scope of a saying is read from the general to the particular: document, title, lead-in, clause. What is named later
replaces what was named before. No language model is asked.
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Literal

from rag import places, qualifiers
from rag.answer.composing import readable
from rag.answer.verifying.slots import Slot, slots
from rag.domain import Document, EvidenceUnit, Value
from rag.tokens import topic_terms

Relation = Literal["disagree", "general-special"]
Names = Mapping[str, frozenset[str]]
Range = tuple[Decimal, Decimal]


class FoundConflict(Value):
    """Sources that differ on one slot: what each says, verbatim, with the unit that says it; best unit first."""

    slot: str
    relation: Relation
    sides: tuple[tuple[str, EvidenceUnit], ...]


class _Aspect(Value):
    """What a figure may be of: its kind, how sources name it, how people ask for it (patterns).

    Of a limit, words like 最高 or 至少 are part of the name and no bound.
    """

    name: str
    kind: str
    named: str
    asked: str
    is_limit: bool = False


class _Rule(Value):
    """A question with two answers: how people ask it, and how sources give each.

    A clause that holds the words of both gives the first: 无需办理备案 holds 需办理备案. A rule that is open fits any
    matter, so a clause answers it only when it names the matter that the question names.
    """

    name: str
    asked: str
    first: str
    second: str
    is_open: bool = False


class _Scope(Value):
    """For whom and where something holds: values of a dimension are alternatives, conditions hold together."""

    names: Names
    conditions: frozenset[str] = frozenset()


class _Saying(Value):
    """One thing that a unit says. A rule is a figure, too: 1 for yes and 0 for no.

    `clause` and `line` are what it stands in, the line with the titles above it; `head` is what the line calls itself
    (None in a table, whose rows are different things by their making).
    """

    unit: EvidenceUnit
    aspect: str
    value: Range
    measure: str
    shown: str
    scope: _Scope
    clause: str
    line: str
    head: tuple[str, ...] | None
    years: frozenset[str]
    valid: tuple[dt.date, dt.date]


_INSURED, _CARE = "参保地", "就医地"
_ROLES = frozenset({_INSURED, _CARE})
_RULE = "rule"
# The standard figures of medical insurance; of a kind, the more special name stands first.
_ASPECTS = (
    _Aspect(
        "起付线",
        "amount",
        named=r"起付(?:线|标准|金额)?|门槛费|免赔额",
        asked=r"起付(?!线?(?:以上|[以之]?后))|门槛|免赔",
        is_limit=True,
    ),
    _Aspect(
        "封顶线",
        "amount",
        named=r"(?:最高)?支付限额|限额|封顶线?|上限|最高[可能]?(?:支付|报销|补助|给付)?|不超过",
        asked=r"限额|封顶|上限|最[高多]|额度",
        is_limit=True,
    ),
    _Aspect(
        "缴费标准",
        "amount",
        named=r"缴费(?:标准|金额)?|每人每年|保费",
        asked=r"[交缴].{0,4}(?:多少|几)(?!个?月|年|天)",
        is_limit=True,
    ),
    _Aspect(
        "报销金额",
        "amount",
        named=r"报销|补贴|津贴|补助|给付",
        asked=r"(?:报销?|[补领]|津贴|补贴).{0,4}(?:多少|几[百千万]?)(?:钱|元)|补[贴助]多少|津贴多少",
    ),
    _Aspect("数量", "count", named=r"共|有|分为?|每年|最多|[可能]", asked=r"(?:几|多少)[家个次所座档种]"),
    _Aspect("缴费比例", "ratio", named=r"缴费(?:比例|费率)|费率", asked=r"缴费比例|费率"),
    _Aspect(
        "自付比例",
        "ratio",
        named=r"(?:个人)?(?:自付|自负|负担)(?:比例)?|自费",
        asked=r"自[付负]|个人(?:负担|承担|要?出)|自己[掏出付]",
    ),
    _Aspect(
        "报销比例",
        "ratio",
        named=r"(?:基金)?(?:报销|支付|补助|给付|补偿)(?:比例|率)?",
        asked=r"(?<!缴费)比例|几成|百分|报销?[多几]|付多少|报销率|多少报",
    ),
    _Aspect(
        "缴费时长",
        "period",
        named=r"连续(?:足额)?(?:参保)?缴[费纳]*|缴[费纳]?满|等待期|(?:开始)?生效|[起后][就即才方]?(?:可以?|能)?享受",
        asked=r"连[续着]?.{0,2}[缴交]|[缴交](?:满|多久|几个?月|上)|等待期|生效|开始.{0,6}报|多久.{0,4}能?报",
        is_limit=True,
    ),
    _Aspect("有效期", "period", named=r"有效(?:期限?)?", asked=r"有效|管多久|管几", is_limit=True),
    _Aspect(
        "办理时限",
        "period",
        named=r"办结|办理(?:时限|时间)|审核|到账|转移|完成",
        asked=r"(?:[办审转]|到账).{0,8}(?:多久|多长|几天|工作日)|(?:多久|多长|几天|工作日).{0,8}(?:[办审转接]|到账)",
        is_limit=True,
    ),
    _Aspect(
        "报销时限",
        "period",
        named=r"(?:出院|就诊|结算|费用发生|入院|分娩)[之以]?后|时限|期限",
        asked=r"时限|期限|过期|(?:多久|几天).{0,2}[之以]?内",
        is_limit=True,
    ),
)
_NAMED = {
    kind: re.compile("|".join(f"(?P<a{n}>{a.named})" for n, a in enumerate(_ASPECTS) if a.kind == kind))
    for kind in ("amount", "ratio", "period", "count")
}
_RULES = (
    _Rule(
        "备案",
        asked=r"[要用需得须].{0,6}备案|备案.{0,6}[吗么不]",
        first=r"(?:无[需须]|不需要?|不[用必]|免)(?:再|另行|提前|事先)*(?:办理?|申请|做)?(?:异地|就医|跨省|转诊|的|手续)*备案",
        second=r"(?:[需须先]|应当?|(?<!主)要)[^，。；：]{0,16}备案|^(?:\d+[.、]\s*)?先?办[理好]?[^，。；：]{0,8}备案|备案(?:手续|登记)?[以之]?[后才]",
    ),
    _Rule(
        "直接结算",
        asked=r"(?:直接|当场|现场|即时|联网|能).{0,8}[结刷]|[要得需先用].{0,6}垫(?!付?[后了的])|自己.{0,6}垫(?!付?[后了的])",
        first=r"(?:(?<!不)可以?(?!能)|(?<![不可])能够?|实现|(?<!不)支持)[^，。；]{0,12}(?:(?:直接|即时|联网)结算|刷|扫码)(?![^，。；]{0,6}的)|互[通认]|(?:无[需须]|不[用必再]|不需要?)[^，。；]{0,6}垫",
        second=r"(?:(?<!不)[需要]|须|只能|由)[^，。；]{0,10}垫[付钱]|(?:无法|不能|不可以?|不支持)[^，。；]{0,8}(?:直接(?:结算|使用)|刷卡)",
    ),
    _Rule(
        "异地使用",
        asked=r"全国.{0,4}(?:通用|能用|都能)|只能.{0,8}用|(?:别的|外|异)(?:城市|地方|省|地).{0,4}用",
        first=r"[只仅][能可限][^，。；]{0,4}(?:参保地|本地|当地|统筹区)|[外异]地[^，。；]{0,4}(?:不能|无法)使?用",
        second=r"全国(?:各地|范围内?|[都均])*(?:可以?|能够?)?(?:通用|使用|互通)|[外异]地[^，。；]{0,4}(?:可以?|能)使?用",
    ),
    _Rule(
        "全额报销",
        asked=r"全额|百分之?百|全报|全部.{0,2}报|一分.{0,2}不",
        first=r"按[^，。；]{0,6}比例[^，。；]{0,4}(?:报销|支付)|部分自付|自付一定比例",
        second=r"(?:全额|全部|百分之?百|100%)(?:予以)?(?:报销|支付)",
    ),
    _Rule(
        "能否",
        asked=r"能不能|可不可以|是否可以|能否|(?:可以|能).{1,16}[吗么]",
        first=r"不可以?|不能|不得|无法|不允许|不支持|不予",
        second=r"可以|能(?!否)|可(?=[在凭持到向由按经通直选])|允许|支持",
        is_open=True,
    ),
    _Rule(
        "是否需要",
        asked=r"要不要|需不需要|用不用|是否(?:需要|必须)|(?:需要|必须|[要用]).{1,12}[吗么]",
        first=r"无[需须]|不需要?|不[用必]|免(?=[交缴备])",
        second=r"需要|须|应当?|要(?![是么])",
        is_open=True,
    ),
)
_OPEN = frozenset(rule.name for rule in _RULES if rule.is_open)
_VAGUE = frozenset({"医保", "医疗", "保险", "直接", "到底", "究竟", "必须", "医院"})
# What makes a sentence hold only for a case that need not be the asker's.
_CASE = re.compile(
    r"如果|若|[未没](?:有)?(?:办理|备案|开通)|无法[^，。；]{0,6}的|不支持[^，。；]{0,6}的|否则|除外|的话|不符合|适用|有的地方"
)
_SCHEMES = {"大病": r"大病|重大疾病", "长护": r"长期护理|长护", "补充": r"补充医疗|惠民保|商业", "救助": r"医疗救助"}
_OTHER_LEVEL = re.compile(r"其他[^，。；：]{0,4}(?:机构|医院)")
_AWAY = re.compile(r"异地|跨省|跨市|转外|转诊|外地")
_ITEM = re.compile(r"[费药险]$|[甲乙丙]类")
_NO_ITEM = re.compile(r"[缴收付自免保消花计]费|(?:医疗|医药|住院|门诊|就医|看病)费|保险|用药|买药|购药|医药|经费")
# These set a saying apart unless the question names the same.
_SPECIAL = frozenset({"away", "item", "scheme", "chronic", "urgency"})
_MARKS = re.compile(
    r"超出|首次|再次|第[一二三]次|中断|断[了缴保]|补缴|未(?:办理)?备案|[一二三四][档类]|学生|儿童|老年|新生儿"
)
_CONDITION_AFTER = re.compile(r"\s*(?:至|到|以上|以下|以内|的?部分|的$)")
_CONDITION_BEFORE = re.compile(r"(?:(?<!不)超过|超出|超|至|到|不足|低于)$")
_OPEN_ENDED = re.compile(r"以上|以下|以内|超|不足|低于")
_CHANGE = re.compile(r"(?:降低|下降|下调|减少|提高|上调|增加)了?$")
_BEFORE = re.compile(r"(?:可能|最高|最低|至少|不低于|不少于|不超过|不高于|大?约|高达)+(?:为|是|达到?|可达)?$")
_AFTER = re.compile(r"左右|以上|以下|以内")
_AT_LEAST = re.compile(r"至少|不低于|不少于|最低|以上")
_AT_MOST = re.compile(r"不超过|不高于|最高|高达|以下|以内")
_ABOUT = re.compile(r"约|左右")
_ABOUT_SHARE = Decimal("0.1")
_JOIN = re.compile(r"\s*(?:-|~|—|–|至|到)+\s*")
_IN_A_ROW = re.compile(r"\s*[、和与及]\s*")
_BETWEEN = re.compile(r"[、和与及，；]")
_NOT = re.compile(r"(?:不是|并非|除了)([^，。）)]*)")
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})年(?!起|以来|\d)")
_CARE_BEFORE = re.compile(r"[在到去来赴至往]$")
_CLAUSE = re.compile(r"[^，；：]+")
_SENTENCE = re.compile(r"[^。！？\n]+")
_LEAD_IN = re.compile(r"[^。！？\n]*?(?:如下|以下)[^。：\n]*：")
_BULLET = re.compile(r"^[·\s]*(?:\d{1,2}[.、]\s*)?")
_WIDE = {",": "，", ";": "；", ":": "：", "?": "？", "!": "！", "(": "（", ")": "）"}
_MARK = re.compile(r"(?<!\d)[,:]|[,:](?!\d)|[;?!()]")
_NEXT_MONTH = re.compile(r"(?<!后的)(?<!补缴)(?<!补缴后)次月")
_NUMBER = re.compile(r"[\d.]+")
_DAYS = {"month": Decimal(30), "week": Decimal(7), "day": Decimal(1), "workday": Decimal(1)}
_OTHER = frozenset({"其他机构"})
_ENDLESS = Decimal("Infinity")
_MIN_SHARED = 0.4
_MIN_MATTER = 0.6


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
    sayings = [s for unit in units for s in _sayings(unit, documents.get(unit.document_id)) if asked.wants(s)]
    answering = {unit.id for unit in units[:chosen]}
    found: list[_Opposed] = []
    for one in sayings:
        opposed = asked.opposed(one, sayings)
        if any(s.unit.id in answering for s in opposed.sides) and not any(map(opposed.repeats, found)):
            found.append(opposed)
    return [opposed.shown() for opposed in found]


def conflict_units(conflicts: Sequence[FoundConflict]) -> tuple[EvidenceUnit, ...]:
    """The units that have to be cited to show the conflicts, each once."""
    return tuple({unit.id: unit for conflict in conflicts for _, unit in conflict.sides}.values())


class _Opposed(Value):
    """A saying and what conflicts with it, one side a value; no sides when nothing does."""

    relation: Relation
    sides: tuple[_Saying, ...] = ()

    def repeats(self, other: _Opposed) -> bool:
        """Whether the other says all of this already."""
        return all(
            any(s.aspect == o.aspect and _agree(s, o) and _overlap(s.scope, o.scope) for o in other.sides)
            for s in self.sides
        )

    def shown(self) -> FoundConflict:
        """What a reader is to see."""
        first = self.sides[0]
        names = first.scope.names
        where = [place for role in (_INSURED, _CARE) for place in sorted(names.get(role, ()))]
        whom = [value for dimension, values in names.items() if dimension not in _ROLES for value in sorted(values)]
        slot = " · ".join(dict.fromkeys([*where, *whom, first.aspect]))
        return FoundConflict(slot, self.relation, tuple((s.shown, s.unit) for s in self.sides))


class _Asked:
    """What a question asks for, and which sayings bear on it."""

    def __init__(self, question: str) -> None:
        self._names = dict(_names(_NOT.sub("", question)))
        if any("level" in qualifiers.mentioned(match[1]) for match in _NOT.finditer(question)):
            self._names["level"] = _OTHER  # 不是基层
        self._terms = [term for term in topic_terms(question) if len(term) > 1]
        self._conditions = frozenset(_MARKS.findall(question))
        self._places = places.find(question)
        self._years = frozenset(_YEAR.findall(question))
        known = (*((a.name, a.asked) for a in _ASPECTS), *((rule.name, rule.asked) for rule in _RULES))
        self.aspects = {name for name, asked in known if re.search(asked, question)}

    def wants(self, s: _Saying) -> bool:
        """Whether a saying is of what is asked, and for whom and where it is asked."""
        if s.aspect not in self.aspects or (self._years and s.years and not self._years & s.years):
            return False
        if s.aspect in _OPEN and not self._names_matter(s.clause):
            return False
        where = s.scope.names.get(_INSURED, frozenset()) | s.scope.names.get(_CARE, frozenset())
        if not all(any(places.related(place, other) for other in where) for place in self._places):
            return False
        apart = _SPECIAL - {"away"} if s.measure == _RULE else _SPECIAL
        if apart & (s.scope.names.keys() ^ self._names.keys()):
            return False
        shared = (s.scope.names.keys() & self._names.keys()) - _ROLES
        return all(self._names[dimension] & s.scope.names[dimension] for dimension in shared)

    def opposed(self, one: _Saying, sayings: Sequence[_Saying]) -> _Opposed:
        """The saying with those that conflict with it; of equal values the first stands for all."""
        sides, relations = [one], set()
        for other in sayings:
            if relation := self._relation(one, other, sayings):
                relations.add(relation)
                sides += [] if any(_agree(other, side) for side in sides) else [other]
        if not relations:
            return _Opposed("disagree")
        return _Opposed("disagree" if "disagree" in relations else "general-special", tuple(sides))

    def _relation(self, one: _Saying, other: _Saying, sayings: Sequence[_Saying]) -> Relation | None:
        """How two wanted sayings conflict, if they do."""
        if one.aspect != other.aspect or one.measure != other.measure or _agree(one, other):
            return None
        if _contrasted(one, other) or not _same_time(one, other) or not _overlap(one.scope, other.scope):
            return None
        if not (self._alike(one, other) and self._fits(one.scope.conditions, other.scope.conditions)):
            return None
        left, right = _narrower(one, other), _narrower(other, one)
        if not all(
            self._may_differ(dimension, s, sayings) for s, ds in ((one, left), (other, right)) for dimension in ds
        ):
            return None
        left_more = bool(left or one.scope.conditions - other.scope.conditions)
        right_more = bool(right or other.scope.conditions - one.scope.conditions)
        return "disagree" if left_more == right_more else "general-special"

    def _names_matter(self, clause: str) -> bool:
        """Whether a clause speaks of the matter of an open question, and not only of the same people and places."""
        whom = "".join(value for values in self._names.values() for value in values)
        matter = [term for term in self._terms if term not in whom and term not in _VAGUE]
        return len(matter) > 1 and sum(term in clause for term in matter) >= _MIN_MATTER * len(matter)

    def _alike(self, one: _Saying, other: _Saying) -> bool:
        """Whether the two carry much the same of the question."""
        left, right = ({term for term in self._terms if term in s.line} for s in (one, other))
        return len(left & right) >= _MIN_SHARED * max(len(left), len(right))

    def _fits(self, one: frozenset[str], other: frozenset[str]) -> bool:
        """Whether conditions differ only by what is asked, and an asked one holds for a side."""
        return not (one ^ other) - self._conditions and (not self._conditions or bool(self._conditions & (one | other)))

    def _may_differ(self, dimension: str, s: _Saying, sayings: Sequence[_Saying]) -> bool:
        """Whether one side alone may name a dimension: asked for, or in a document that sets nobody against another."""
        own = s.scope.names[dimension]
        return dimension in self._names or not any(
            o.unit.document_id == s.unit.document_id
            and o.aspect == s.aspect
            and not o.scope.names.get(dimension, own) & own
            for o in sayings
        )


def _contrasted(one: _Saying, other: _Saying) -> bool:
    """Whether the two stand side by side as different things: rows of a table, items with different heads."""
    if one.line == other.line:
        return True
    together = (one.unit.document_id, one.unit.title_path) == (other.unit.document_id, other.unit.title_path)
    return together and (not one.head or one.head != other.head)


def _same_time(one: _Saying, other: _Saying) -> bool:
    """Whether both can be in force at once; what bears no year may be of any."""
    if one.years and other.years and not one.years & other.years:
        return False
    return one.valid[0] <= other.valid[1] and other.valid[0] <= one.valid[1]


def _agree(one: _Saying, other: _Saying) -> bool:
    """Whether both values can hold: 70% and 60%-80% can."""
    return one.value[0] <= other.value[1] and other.value[0] <= one.value[1]


def _narrower(one: _Saying, other: _Saying) -> list[str]:
    """Dimensions in which `one` is for fewer than `other`. That care is away from home is no narrower rule of 备案."""
    wide = other.scope.names
    return [
        dimension
        for dimension, values in one.scope.names.items()
        if (dimension not in wide or (values != wide[dimension] and _within(dimension, values, wide[dimension])))
        and not (dimension == "away" and one.measure == _RULE)
    ]


def _within(dimension: str, narrow: frozenset[str], wide: frozenset[str]) -> bool:
    if dimension in _ROLES:
        return all(any(w == n or w in places.within(n) for w in wide) for n in narrow)
    return narrow <= wide


def _overlap(one: _Scope, other: _Scope) -> bool:
    """Whether somebody is in both scopes. A source about no place in particular is not about this one."""
    if (_INSURED in one.names) != (_INSURED in other.names):
        return False
    return all(_meet(d, v, other.names[d]) for d, v in one.names.items() if d in other.names)


def _meet(dimension: str, one: frozenset[str], other: frozenset[str]) -> bool:
    if dimension in _ROLES:
        return any(places.related(a, b) for a in one for b in other)
    return bool(one & other)


@functools.lru_cache(maxsize=4096)
def _names(text: str) -> Names:
    """Whom and what a text names, by dimension."""
    found = dict(qualifiers.mentioned(text))
    if _OTHER_LEVEL.search(text):
        found["level"] = _OTHER
    for name, start, _ in places.located(text):
        role = _CARE if _CARE_BEFORE.search(text[:start]) else _INSURED
        found[role] = found.get(role, frozenset()) | {name}
    if schemes := frozenset(n for n, w in _SCHEMES.items() if re.search(w, text)):
        found["scheme"] = schemes
    if _AWAY.search(text):
        found["away"] = frozenset({"异地"})
    if items := frozenset(t for t in topic_terms(text) if len(t) > 1 and _ITEM.search(t) and not _NO_ITEM.search(t)):
        found["item"] = items
    return found


class _Reader:
    """Reads on, and knows what was named so far."""

    def __init__(self, names: Names, aspects: Mapping[str, _Aspect]) -> None:
        self.names, self.aspects = dict(names), dict(aspects)
        self.conditions: frozenset[str] = frozenset()
        self._said = False

    def read(self, text: str) -> None:
        """Take in a stretch of text that holds no figure of interest."""
        named = _names(text)
        if named.get(_INSURED, frozenset()) & self.names.get(_CARE, frozenset()):
            self.names.pop(_CARE)  # 宁波 and 杭州 as equals: who goes where is open again
        self.names |= named
        if marks := _MARKS.findall(text):
            self.under(*marks)
        for kind, pattern in _NAMED.items():
            for match in pattern.finditer(text):
                self.aspects[kind] = _ASPECTS[int(str(match.lastgroup)[1:])]

    def under(self, *conditions: str) -> None:
        """What follows holds on these conditions; those of what was said before are over."""
        self.conditions = frozenset(conditions) | (frozenset() if self._said else self.conditions)
        self._said = False

    def scope(self) -> _Scope:
        """For whom and where something said now holds."""
        self._said = True
        return _Scope(dict(self.names), self.conditions)


def _sayings(unit: EvidenceUnit, document: Document | None) -> Iterator[_Saying]:
    about = _Reader({_INSURED: frozenset(document.places)} if document and document.places else {}, {})
    shown = readable(unit.text)
    text = _even(shown)
    lead = _LEAD_IN.match(text)
    above = [*map(_even, unit.title_path), *([lead.group()] if lead else [])]
    for part in above:
        about.read(part)
    for kind in ("period", "count"):
        about.aspects.pop(kind, None)  # a title names many, a figure has its own words
    for match in _SENTENCE.finditer(text):
        line = _Line(unit, document, above, shown[match.start() : match.end()])
        yield from line.sayings(about)


class _Line:
    """One sentence, item or row of a unit."""

    def __init__(self, unit: EvidenceUnit, document: Document | None, above: Sequence[str], text: str) -> None:
        self._unit, self._shown, self._text = unit, text, _even(text)
        self._whole = "\n".join([*above, text])
        self._years = frozenset(_YEAR.findall(self._whole))
        lead = _LEAD_IN.match(self._text)
        head, colon, _ = self._text[lead.end() if lead else 0 :].partition("：")
        self._head = None if unit.text.startswith("|") else tuple(topic_terms(_unfigured(head))) if colon else ()
        start, end = (document.effective_from, document.effective_to) if document else (None, None)
        self._valid = (start or dt.date.min, end or dt.date.max)

    def sayings(self, about: _Reader) -> Iterator[_Saying]:
        """Everything that is said here, in order."""
        reader = _Reader(about.names, about.aspects)
        figures = _figures(self._text)
        for clause in _CLAUSE.finditer(self._text):
            inside = [f for f in figures if clause.start() <= f[0].start < clause.end()]
            before = reader.conditions
            said = list(self._figures(clause, inside, reader))
            yield from said
            if said:
                reader.conditions = before  # 超出部分按90%报销 says nothing of the next clause
            yield from self._rules(clause, reader)

    def _figures(
        self, clause: re.Match[str], figures: Sequence[tuple[Slot, Slot]], reader: _Reader
    ) -> Iterator[_Saying]:
        at = clause.start()
        if _in_a_row(self._text, figures):
            reader.read(self._text[at : figures[0][0].start])
            yield from self._aligned(figures, reader)
            figures, at = [], figures[-1][1].end
        for n, (first, last) in enumerate(figures):
            until = figures[n + 1][0].start if n + 1 < len(figures) else clause.end()
            before, after = self._text[at : first.start], self._text[last.end : until]
            reader.read(self._text[at : last.end])
            at = last.end
            if _is_condition(first, before, after):
                bounds = _OPEN_ENDED.findall(before[-2:] + after[:2])
                reader.under(self._text[first.start : last.end] + "".join(bounds))
            elif not _CHANGE.search(before) and (aspect := _aspect(first.kind, before, after, reader)):
                yield self._figure(first, last, aspect, reader.scope())
        reader.read(self._text[at : clause.end()])

    def _figure(self, first: Slot, last: Slot, aspect: _Aspect, scope: _Scope) -> _Saying:
        before, after = _BEFORE.search(self._text[: first.start]), _AFTER.match(self._text, last.end)
        start = before.start() if before else first.start
        end = after.end() if after else last.end
        value, measure = _value(first, last, self._text[start:end], aspect)
        shown = self._shown[start:end]
        if first.kind == "count":  # 11个城市 and 4个步骤 count other things
            measure += next(iter(topic_terms(self._text[last.end :])), "")
        return self._saying(aspect.name, value, measure, shown, scope)

    def _aligned(self, figures: Sequence[tuple[Slot, Slot]], reader: _Reader) -> Iterator[_Saying]:
        """Figures in a row belong to as many things named before, in order: 在职和退休分别为90%和95%."""
        aspect = reader.aspects.get(figures[0][0].kind)
        rows = _in_order(self._text[: figures[0][0].start], reader.names, len(figures))
        if aspect is None or rows is None:
            return
        dimension, values = rows
        scope = reader.scope()
        for (first, last), value in zip(figures, values, strict=True):
            names = {**scope.names, dimension: frozenset({value})}
            yield self._figure(first, last, aspect, _Scope(names, scope.conditions))

    def _rules(self, clause: re.Match[str], reader: _Reader) -> Iterator[_Saying]:
        if _CASE.search(self._text):
            return
        for rule in _RULES:
            first, second = re.search(rule.first, clause.group()), re.search(rule.second, clause.group())
            if first or second:
                value = Decimal(0) if first else Decimal(1)
                line = _BULLET.sub("", self._shown).strip()
                shown = line if line in self._unit.text else self._shown[clause.start() : clause.end()].strip()
                yield self._saying(rule.name, (value, value), _RULE, shown, reader.scope(), clause.group())

    def _saying(self, aspect: str, value: Range, measure: str, shown: str, scope: _Scope, clause: str = "") -> _Saying:
        return _Saying(
            self._unit, aspect, value, measure, shown, scope, clause, self._whole, self._head, self._years, self._valid
        )


def _even(text: str) -> str:
    """One form for each character, without a change of length, so that figures are where they are in `text`."""
    narrow = "".join(n if len(n := unicodedata.normalize("NFKC", c)) == 1 else "、" for c in text)
    return _MARK.sub(lambda mark: _WIDE[mark.group()], narrow)


def _unfigured(text: str) -> str:
    for slot in reversed(slots(text)):
        text = text[: slot.start] + "，" + text[slot.end :]
    return text


def _figures(text: str) -> list[tuple[Slot, Slot]]:
    """Figures with a unit, each as (first, last): the ends of a range, or twice the same."""
    found: list[tuple[Slot, Slot]] = []
    next_month = [Slot("period", "1month", match.start(), match.end()) for match in _NEXT_MONTH.finditer(text)]
    for slot in sorted((*slots(text), *next_month), key=lambda slot: slot.start):
        if slot.kind in {"amount", "ratio", "period", "count", "age"}:
            if found and found[-1][1].kind == slot.kind and _JOIN.fullmatch(text[found[-1][1].end : slot.start]):
                found[-1] = (found[-1][0], slot)
            else:
                found.append((slot, slot))
    return found


def _in_a_row(text: str, figures: Sequence[tuple[Slot, Slot]]) -> bool:
    gaps = [text[one[1].end : two[0].start] for one, two in itertools.pairwise(figures)]
    return bool(gaps) and all(_IN_A_ROW.fullmatch(gap) for gap in gaps)


def _in_order(text: str, names: Names, count: int) -> tuple[str, list[str]] | None:
    """The one dimension of which the text names so many values, in order of appearance."""
    found: dict[str, list[str]] = {}
    for part in _BETWEEN.split(text):
        for dimension, values in qualifiers.mentioned(part).items():
            found.setdefault(dimension, []).extend(v for v in sorted(values) if v not in found.get(dimension, ()))
    fitting = [(d, v) for d, v in found.items() if len(v) == count and names.get(d) == frozenset(v)]
    return fitting[0] if len(fitting) == 1 else None


def _is_condition(slot: Slot, before: str, after: str) -> bool:
    """Whether a figure says when something holds, not what: 超过2000元的部分, 70周岁以上."""
    if slot.kind == "ratio":
        return False
    return slot.kind == "age" or bool(_CONDITION_BEFORE.search(before) or _CONDITION_AFTER.match(after))


def _aspect(kind: str, before: str, after: str, reader: _Reader) -> _Aspect | None:
    """What a figure is of: named just before it, else just after it, else last."""
    pattern = _NAMED.get(kind)
    if pattern is None:
        return None
    if not pattern.search(before) and (match := pattern.match(after.removeprefix("的"))):
        return _ASPECTS[int(str(match.lastgroup)[1:])]
    return reader.aspects.get(kind)


def _value(first: Slot, last: Slot, shown: str, aspect: _Aspect) -> tuple[Range, str]:
    (low, measure), (high, _) = _quantity(first), _quantity(last)
    if _ABOUT.search(shown):
        low, high = low * (1 - _ABOUT_SHARE), high * (1 + _ABOUT_SHARE)
    if not aspect.is_limit and first is last:
        high = _ENDLESS if _AT_LEAST.search(shown) else high
        low = Decimal(0) if _AT_MOST.search(shown) else low
    return (low, high), measure


def _quantity(slot: Slot) -> tuple[Decimal, str]:
    """A figure as a number and what it counts; periods in days."""
    match = _NUMBER.match(slot.value)
    number, unit = (Decimal(match.group()), slot.value[match.end() :]) if match else (Decimal(0), slot.value)
    return (number * _DAYS[unit], "day") if unit in _DAYS else (number, slot.kind + unit)
