"""What a unit says: figures and rules, each with what it is of, for whom, where and when it holds.

Knows how Chinese states a figure and a scope. The words of each figure and rule are listed in `aspects`; when two
sayings can't both hold is the job of `conflicts`.

Scope is read from the general to the particular: document, title, lead-in, clause. What is named later replaces what
was named before.
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from rag import places, qualifiers
from rag.answer.aspects import ASPECTS, NAMED, RULES, UNNAMED, Aspect, Rule, named_by
from rag.answer.composing import readable
from rag.answer.figures import ENDLESS, Figure, evened, figures
from rag.domain import Document, EvidenceUnit, Value
from rag.tokens import topic_terms

Names = Mapping[str, frozenset[str]]
Range = tuple[Decimal, Decimal]


class Scope(Value):
    """For whom and where something holds.

    The values of a dimension are alternatives. `parts` are a part of the costs, a turn, an age: what holds for one says
    nothing of the others. `cases` are the words for a group or an event, which others may put differently.
    """

    names: Names
    parts: frozenset[str] = frozenset()
    cases: frozenset[str] = frozenset()


class Saying(Value):
    """One thing that a unit says; the answer of a rule is a number, too.

    `line` is the sentence with the titles above it; `clause`, of a rule, the part that says it. `head` is what the line
    calls itself (None in a table, whose rows are different things by their making). `counted` is what a count is of, or
    what a `which` rule is about. `conditions`, of a rule, are what those whom it is for have not done. `years`,
    `since` (the year of 自...起) and `valid` say when it holds.
    """

    unit: EvidenceUnit
    aspect: str
    value: Range
    measure: str
    shown: str
    scope: Scope
    clause: str
    line: str
    head: tuple[str, ...] | None
    counted: str
    conditions: tuple[str, ...]
    years: frozenset[str]
    since: int | None
    valid: tuple[dt.date, dt.date]

    @property
    def is_rule(self) -> bool:
        """Whether this is a rule and no figure."""
        return self.measure == "rule"


INSURED, CARE = "参保地", "就医地"
ROLES = frozenset({INSURED, CARE})
OTHER = frozenset({"其他机构"})
# What makes a rule hold only for a case that need not be the asker's, or asks instead of saying.
_CASE = re.compile(
    r"如果|若|无法[^，。；]{0,6}的|不支持[^，。；]{0,6}的|(?<![原规细准法])则|除外|的话|不符合|适用|有的地方"
)
# What was not done, or what ended it: a rule for those alone, unless it is what a question asks about.
_UNFULFILLED = re.compile(
    r"[未没](?:有|经|能)?(?:办理|备案|开通)|[未没](?:有|经|能)?[^，。；未没]{1,6}(?=的(?!话))"
    r"|[\u4e00-\u9fff]{2}(?=后[即就将]?(?:不能|不得|无法|不可|不予))"
)
_NO_RULE = re.compile(r"是否|能否|要不要|能不能|可不可以|[？吗]|怎么|如何|可能")
_ELSEWHERE = re.compile(r"[某各]地|某[省市县]|(?:有的|有些|部分|个别|其他)(?:地[方区]|城市|省)")
_DIMENSIONS: Mapping[str, Mapping[str, re.Pattern[str]]] = {
    dimension: {value: re.compile(words) for value, words in values.items()}
    for dimension, values in {
        "scheme": {
            "大病": r"大病|重大疾病",
            "长护": r"长期护理|长护",
            "补充": r"补充医疗|惠民保|商业|大额",
            "救助": r"医疗救助",
        },
        "away": {"异地": r"异地|跨省|跨市|转外|转诊|外地|外省|省外|市外|外市"},
        "direction": {"转入": r"(?:医保|参保|关系)[^，。；]{0,3}转入", "转出": r"(?:医保|参保|关系)[^，。；]{0,3}转出"},
        "applicant": {"单位": r"单位(?:参保|登记|申[请领]|办理)", "个人": r"个人(?:参保|登记|申[请领]|办理)"},
        "rank": {"村": r"村卫生室|村级", "县": r"县(?:级|域|人民|中)?医院|县级", "市": r"市级", "省": r"省级"},
        "stay": {"临时": r"临时", "长期": r"长期(?!护理|有效|处方|用药)|安置|常[驻住]"},
        "delivery": {"顺产": r"顺产|自然分娩", "剖宫产": r"剖[宫腹]?产", "难产": r"难产", "流产": r"流产|引产"},
        "purpose": {"咨询": r"咨询", "投诉": r"投诉|举报|监督"},
        "gender": {"男": r"男", "女": r"(?<!子)女(?![儿婿])"},
        "fund": {"统筹": r"统筹(?!地?区)", "个人账户": r"个人账户|个账"},
        "line": {"传真": r"传真"},
        "per": {
            "日": r"每[日天]|日均",
            "月": r"每个?月|月均",
            "年": r"每年|年度|全年|一年",
            "次": r"[每单]次|次均|一次性",
        },
        "payer": {"单位": r"单位[缴交承负]|单位部分", "个人": r"个人[缴交承负]|个人部分"},
        "bound": {"上限": r"上限|最高(?!人民)", "下限": r"下限|最低"},
    }.items()
}
# One side alone may name these, and means the same people and the same care.
NEUTRAL = frozenset({"per", "payer", "bound", "gender", "purpose", "fund", "applicant"})
# What the names of one dimension say of another.
_CARE_OF_CHRONIC = frozenset({"门诊"})
_AWAY = frozenset({"异地"})
# Who is one of these is insured as 职工.
_EMPLOYED = frozenset({"在职", "退休"})
_INSURED_AS_EMPLOYED = frozenset({"职工"})
# The header of a column may ask what its cells answer: 能否直接结算.
_ASKS = re.compile(r"[能可是会]否|([能要会可需])不\1|[吗呢？?]$")
_NOT_A = re.compile(r"非(?![常法洲典])[\u4e00-\u9fff]{2}")
_OTHER_LEVEL = re.compile(r"其他[^，。；：]{0,4}(?:机构|医院)")
_ITEM = re.compile(r"[费药]$|[甲乙丙]类")
_NO_ITEM = re.compile(r"[缴收付自免保消花计]费|(?:医疗|医药|住院|门诊|就医|看病)费|保险|用药|买药|购药|医药|经费")
_PARTS = re.compile(
    r"超出|(?:超过|超出|高于)[^，。；]{0,6}(?:封顶线|限额|上限)|首次|再次|第[一二三]次|[一二三四][档类]"
)
_CASES = re.compile(
    r"[^，。；：（）的\n]{2,14}?(?=人员|人群|居民|职工|患者|对象|家庭|参保人)"
    r"|[^，。；：（）的\n]{2,8}[中间](?=的)|学生|儿童|老年|新生儿|(?<!未)成年人|[未没](?:有)?(?:办理)?备案|中断|断[缴保]|补缴"
)
_PART_AFTER = re.compile(r"\s*(?:至|到|以上|以下|以内|的?部分|[^，。；]{0,10}的$)")
_PART_BEFORE = re.compile(r"(?:[未不]满|(?<!不)超过|超出|超|(?<![降提高调增])[至到]|不足|低于)$")
_PAID_IN = re.compile(r"[缴交][费纳保]?[^，]{0,6}(?:满|足|够|达到?)$")
_THEN = re.compile(r"的?，?(?:[即方]?可|才|不再|享受|退休)")
_OPEN_ENDED = re.compile(r"不超过?|[未不]满|以上|以下|以内|超|不足|低于")
_BEFORE = re.compile(
    r"(?:可能|最[高低多少]|至少|不低于|不少于|不超过|不高于|大?约|高达)+(?:可以?|能)?(?:为|是|达到?|报销?|支付|补助?)?$"
)
_AFTER = re.compile(r"左右|以上|以下|以内")
_AT_LEAST = re.compile(r"至少|不低于|不少于|最[低少]|以上")
_AT_MOST = re.compile(r"不超过|不高于|最[高多]|高达|以下|以内")
_ABOUT = re.compile(r"约|左右")
_ABOUT_SHARE = Decimal("0.1")
_IN_A_ROW = re.compile(r"\s*[、和与及]\s*")
_BETWEEN = re.compile(r"[、和与及，；]")
SINCE = re.compile(r"((?:19|20)\d{2})年(?:\d{1,2}月(?:\d{1,2}日)?)?(?:起|以来|开始)")
UNTIL = re.compile(r"((?:19|20)\d{2})年(?:[底末]|\d{1,2}月(?:\d{1,2}日|底)?)?(?:[之以]?前|为?止)")
YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})年(?!起|以来|\d)")
_CARE_BEFORE = re.compile(r"[在到去来赴至往]$")
_CLAUSE = re.compile(r"[^，；：]+")
_SENTENCE = re.compile(r"[^。！？\n]+")
_LEAD_IN = re.compile(r"[^。！？\n]*?(?:如下|以下)[^。：\n]*：")
_BULLET = re.compile(r"^[·\s]*(?:\d{1,2}[.、]\s*)?")
_OBJECTS = re.compile(r"目录|起付|比例|限额|封顶")
_COUNTED = re.compile(r"[^，。；：、（）]{0,8}")


def sayings(unit: EvidenceUnit, document: Document | None, wanted: frozenset[str]) -> Iterator[Saying]:
    """What the unit says of the wanted figures and rules, in reading order."""
    lead, sentences = _sentences(unit.text)
    telling = [sentence for sentence in sentences if _tells(sentence, wanted)]
    if not telling:
        return
    above = (*map(evened, unit.title_path), *([lead] if lead else []))
    about = _about(document.places if document else (), above)
    for sentence in telling:
        yield from _Line(unit, document, above, sentence, wanted).sayings(about)


@functools.lru_cache(maxsize=8192)
def _sentences(text: str) -> tuple[str, tuple[str, ...]]:
    """The words that announce the rest of a unit, if any, and its sentences in their own characters."""
    shown = readable(text)
    even = evened(shown)
    lead = _LEAD_IN.match(even)
    return lead.group() if lead else "", tuple(shown[m.start() : m.end()] for m in _SENTENCE.finditer(even))


def _tells(sentence: str, wanted: frozenset[str]) -> bool:
    """Whether a sentence holds a figure of a wanted kind, or the words of a wanted rule."""
    text = evened(sentence)
    kinds = {aspect.kind for aspect in ASPECTS if aspect.name in wanted}
    if any(figure.kind in kinds for figure in figures(text)):
        return True
    return any(re.search(words, text) for rule in RULES if rule.name in wanted for words in rule.answers)


@functools.lru_cache(maxsize=4096)
def _about(where: tuple[str, ...], above: tuple[str, ...]) -> _Reader:
    """A reader that has read all that stands above a sentence; to be copied."""
    reader = _Reader({INSURED: frozenset(where)} if where else {})
    for part in above:
        reader.read(part)
    reader.aspects.pop("period", None)  # a title names many, a figure has its own words
    return reader


@functools.lru_cache(maxsize=8192)
def names(text: str) -> Names:
    """Whom and what a text names, by dimension."""
    others = {d: frozenset({no.group()}) for no in _NOT_A.finditer(text) for d in qualifiers.mentioned(no.group())}
    found = {**qualifiers.mentioned(text), **others}
    for dimension, values in _DIMENSIONS.items():
        if named := frozenset(value for value, words in values.items() if words.search(text)):
            found[dimension] = named
    if _OTHER_LEVEL.search(text):
        found["level"] = OTHER
    if "chronic" in found:
        found.setdefault("care", _CARE_OF_CHRONIC)
    if "stay" in found:
        found.setdefault("away", _AWAY)
    if found.get("employment", OTHER) <= _EMPLOYED:
        found.setdefault("insured_type", _INSURED_AS_EMPLOYED)
    for name, start, end in places.located(text):
        is_frame = text[:start] == "在" and end >= len(text)  # 在合肥，...: where all of it holds
        role = CARE if _CARE_BEFORE.search(text[:start]) and not is_frame else INSURED
        found[role] = found.get(role, frozenset()) | {name}
    if items := frozenset(t for t in topic_terms(text) if len(t) > 1 and _ITEM.search(t) and not _NO_ITEM.search(t)):
        found["item"] = items
    return found


def parts(text: str) -> frozenset[str]:
    """The turns and classes that a text names."""
    return frozenset(_PARTS.findall(text))


class _Reader:
    """Reads on, and knows what was named so far."""

    def __init__(self, known: Names, aspects: Mapping[str, Aspect] | None = None) -> None:
        self.names, self.aspects = dict(known), dict(aspects or {})
        self.parts: frozenset[str] = frozenset()
        self.cases: frozenset[str] = frozenset()
        self._said = False

    def copy(self) -> _Reader:
        """A reader that goes on from here alone."""
        other = _Reader(self.names, self.aspects)
        other.parts, other.cases = self.parts, self.cases
        return other

    def read(self, text: str) -> None:
        """Take in a stretch of text that holds no figure of interest."""
        named = names(text)
        if named.get(INSURED, frozenset()) & self.names.get(CARE, frozenset()):
            self.names.pop(CARE)  # 宁波 and 杭州 as equals: who goes where is open again
        self.names |= named
        if marks := parts(text):
            self.under(*marks)
        self.cases |= frozenset(_CASES.findall(text))
        for kind, pattern in NAMED.items():
            for match in pattern.finditer(text):
                self.aspects[kind] = named_by(match)

    def under(self, *parts: str) -> None:
        """What follows holds of these parts; those of what was said before are over."""
        self.parts = frozenset(parts) | (frozenset() if self._said else self.parts)
        self._said = False

    def scope(self) -> Scope:
        """For whom and where something said now holds."""
        self._said = True
        return Scope(dict(self.names), self.parts, self.cases)


class _Line:
    """One sentence, item or row of a unit."""

    def __init__(
        self, unit: EvidenceUnit, document: Document | None, above: Sequence[str], text: str, wanted: frozenset[str]
    ) -> None:
        self._unit, self._shown, self._text, self._wanted = unit, text, evened(text), wanted
        self._whole = "\n".join([*above, text])
        self._years = frozenset(YEAR.findall(self._whole))
        self._since = max(map(int, SINCE.findall(self._text)), default=None)
        lead = _LEAD_IN.match(self._text)
        head, colon, _ = self._text[lead.end() if lead else 0 :].partition("：")
        self._head = None if unit.text.startswith("|") else tuple(topic_terms(_unfigured(head))) if colon else ()
        start, end = (document.effective_from, document.effective_to) if document else (None, None)
        until = max(map(int, UNTIL.findall(self._text)), default=dt.MAXYEAR)
        self._valid = (start or dt.date.min, end or dt.date(until, 12, 31))

    def sayings(self, about: _Reader) -> Iterator[Saying]:
        """Everything that is said here, in order."""
        reader, all_figures = about.copy(), figures(self._text)
        rules = [] if _CASE.search(self._text) else [rule for rule in RULES if rule.name in self._wanted]
        self._conditions = tuple(_UNFULFILLED.findall(self._text))
        for clause in _CLAUSE.finditer(self._text):
            if clause.group().endswith("的"):
                reader.cases |= {clause.group()}
            before = reader.parts
            said = list(self._figures(clause, all_figures, reader))
            yield from (s for s in said if s.aspect in self._wanted)
            if said:
                reader.parts = before  # 超出部分按90%报销 says nothing of the next clause
            for rule in rules:
                yield from self._rule(rule, clause, reader)

    def _figures(self, clause: re.Match[str], known: Sequence[Figure], reader: _Reader) -> Iterator[Saying]:
        inside = [f for f in known if clause.start() <= f.start < clause.end()]
        if _ELSEWHERE.search(clause.group()):
            return
        at = clause.start()
        if _in_a_row(self._text, inside):
            reader.read(self._text[at : inside[0].start])
            yield from self._aligned(inside, reader)
            inside, at = [], inside[-1].end
        for n, figure in enumerate(inside):
            until = inside[n + 1].start if n + 1 < len(inside) else clause.end()
            yield from self._figure(figure, at, until, reader)
            at = figure.end
        reader.read(self._text[at : clause.end()])

    def _figure(self, figure: Figure, at: int, until: int, reader: _Reader) -> Iterator[Saying]:
        """What a figure says between the end of the figure before it and the beginning of the next."""
        before, after = self._text[at : figure.start], self._text[figure.end : until]
        reader.read(self._text[at : figure.end])
        if _is_part(figure, before, after) and not _is_term(figure, before, self._text[figure.end :]):
            bounds = _OPEN_ENDED.findall(before[-3:] + after[:2])
            reader.under(self._text[figure.start : figure.end] + "".join(bounds))
        elif aspect := _aspect(figure, before, after, reader):
            yield self._said(figure, aspect, reader.scope())

    def _aligned(self, row: Sequence[Figure], reader: _Reader) -> Iterator[Saying]:
        """Figures in a row belong to as many things named before, in order: 在职和退休分别为90%和95%."""
        aspect = reader.aspects.get(row[0].kind)
        order = _in_order(self._text[: row[0].start], reader.names, len(row))
        if aspect is None or order is None:
            return
        dimension, values = order
        scope = reader.scope()
        for figure, value in zip(row, values, strict=True):
            named = {**scope.names, dimension: frozenset({value})}
            yield self._said(figure, aspect, Scope(named, scope.parts, scope.cases))

    def _said(self, figure: Figure, aspect: Aspect, scope: Scope) -> Saying:
        before, after = _BEFORE.search(self._text[: figure.start]), _AFTER.match(self._text, figure.end)
        start, end = before.start() if before else figure.start, after.end() if after else figure.end
        value = _bounded(figure, self._text[start:end], aspect)
        counted = _COUNTED.findall(self._text, figure.end)[0] if figure.kind == "count" else ""
        return self._saying(aspect.name, value, figure.measure, self._shown[start:end], scope, counted=counted)

    def _rule(self, rule: Rule, clause: re.Match[str], reader: _Reader) -> Iterator[Saying]:
        text = clause.group()
        answers = [n for n, words in enumerate(rule.answers) if re.search(words, text)]
        if (
            not answers
            or _ELSEWHERE.search(text)
            or _ASKS.search(text)
            or (rule.form == "open" and _NO_RULE.search(text))
        ):
            return
        value = Decimal(sum(1 << n for n in answers) if rule.form == "which" else answers[0])
        line = _BULLET.sub("", self._shown).strip()
        shown = line if line in self._unit.text else self._shown[clause.start() : clause.end()].strip()
        scope = reader.scope()
        decided = Scope({d: v for d, v in scope.names.items() if d != rule.decides}, scope.parts, scope.cases)
        before = self._text.rfind("，", 0, max(0, clause.start() - 1)) + 1
        spoken = self._text[before : clause.end()]  # what a clause leaves out stands in the one before
        of = "".join(_OBJECTS.findall(text)) if rule.form == "which" else ""
        yield self._saying(rule.name, (value, value), "rule", shown, decided, clause=spoken, counted=of)

    def _saying(
        self, aspect: str, value: Range, measure: str, shown: str, scope: Scope, *, clause: str = "", counted: str = ""
    ) -> Saying:
        return Saying(
            unit=self._unit,
            aspect=aspect,
            value=value,
            measure=measure,
            shown=shown,
            scope=scope,
            clause=clause,
            line=self._whole,
            head=self._head,
            counted=counted,
            conditions=self._conditions if measure == "rule" else (),
            years=self._years,
            since=self._since,
            valid=self._valid,
        )


def _unfigured(text: str) -> str:
    for figure in reversed(figures(text)):
        text = text[: figure.start] + "，" + text[figure.end :]
    return text


def _in_a_row(text: str, row: Sequence[Figure]) -> bool:
    gaps = [text[one.end : two.start] for one, two in itertools.pairwise(row)]
    return bool(gaps) and all(_IN_A_ROW.fullmatch(gap) for gap in gaps)


def _in_order(text: str, known: Names, count: int) -> tuple[str, list[str]] | None:
    """The one dimension of which the text names so many values, in order of appearance."""
    found: dict[str, list[str]] = {}
    for part in _BETWEEN.split(text):
        for dimension, values in qualifiers.mentioned(part).items():
            found.setdefault(dimension, []).extend(v for v in sorted(values) if v not in found.get(dimension, ()))
    fitting = [(d, v) for d, v in found.items() if len(v) == count and known.get(d) == frozenset(v)]
    return fitting[0] if len(fitting) == 1 else None


def _is_part(figure: Figure, before: str, after: str) -> bool:
    """Whether a figure says when something holds, not what: 超过2000元的部分, 70周岁以上."""
    if figure.kind in {"ratio", "change", "phone", "date", "count"}:
        return False
    return figure.kind == "age" or bool(_PART_BEFORE.search(before) or _PART_AFTER.match(after))


def _is_term(figure: Figure, before: str, after: str) -> bool:
    """Whether a condition is the one for what follows, and so what is asked about: 缴费满20年的，不再缴费."""
    return figure.kind == "period" and bool(_PAID_IN.search(before) and _THEN.match(after))


def _aspect(figure: Figure, before: str, after: str, reader: _Reader) -> Aspect | None:
    """What a figure is of: named by itself, before it, after it in the clause, before its clause; else the default."""
    pattern = NAMED.get(figure.kind)
    if figure.named or pattern is None:
        return figure.named
    known = reader.aspects.get(figure.kind)
    if not pattern.search(before):
        if match := pattern.match(after.removeprefix("的")):
            return named_by(match)
        if known is None and (match := pattern.search(after)):
            return named_by(match)
    return known or UNNAMED.get(figure.kind)


def _bounded(figure: Figure, shown: str, aspect: Aspect) -> Range:
    low, high = figure.low, figure.high
    if _ABOUT.search(shown):
        low, high = low * (1 - _ABOUT_SHARE), high * (1 + _ABOUT_SHARE)
    if not aspect.is_limit and low == high:
        return (Decimal(0) if _AT_MOST.search(shown) else low, ENDLESS if _AT_LEAST.search(shown) else high)
    return low, high
