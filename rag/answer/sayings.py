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
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import cn2an

from rag import places, qualifiers
from rag.answer.aspects import ASPECTS, NAMED, RULES, UNNAMED, Aspect, Rule, aspect_called, named_by
from rag.answer.composing import readable
from rag.answer.verifying.slots import Slot, slots
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

    `sentence` and `line` are what it stands in, the line with the titles above it; `clause` is that of a rule. `head`
    is what the line calls itself (None in a table, whose rows are different things by their making). `counted` is what
    a count is of. `years` and `valid` say when it holds.
    """

    unit: EvidenceUnit
    aspect: str
    value: Range
    measure: str
    shown: str
    scope: Scope
    clause: str
    sentence: str
    line: str
    head: tuple[str, ...] | None
    counted: str
    years: frozenset[str]
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
    r"如果|若|[未没](?:有)?(?:办理|备案|开通)|无法[^，。；]{0,6}的|不支持[^，。；]{0,6}的|否则|除外|的话|不符合|适用|有的地方"
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
        "gender": {"男": r"男", "女": r"(?<!子)女(?![儿婿])"},
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
NEUTRAL = frozenset({"per", "payer", "bound", "gender"})
_OTHER_LEVEL = re.compile(r"其他[^，。；：]{0,4}(?:机构|医院)")
_ITEM = re.compile(r"[费药险]$|[甲乙丙]类")
_NO_ITEM = re.compile(r"[缴收付自免保消花计]费|(?:医疗|医药|住院|门诊|就医|看病)费|保险|用药|买药|购药|医药|经费")
_PARTS = re.compile(r"超出|首次|再次|第[一二三]次|[一二三四][档类]")
_CASES = re.compile(
    r"[^，。；：（）的\n]{2,14}?(?=人员|人群|居民|职工|患者|对象|家庭|参保人)"
    r"|学生|儿童|老年|新生儿|[未没](?:有)?(?:办理)?备案|中断|断[缴保]|补缴"
)
_PART_AFTER = re.compile(r"\s*(?:至|到|以上|以下|以内|的?部分|的$)")
_PART_BEFORE = re.compile(r"(?:(?<!不)超过|超出|超|至|到|不足|低于)$")
_OPEN_ENDED = re.compile(r"以上|以下|以内|超|不足|低于")
_CHANGE = re.compile(r"(?:降低|下降|下调|减少|提高|上调|增加|上浮)了?$")
_BEFORE = re.compile(r"(?:可能|最[高低多少]|至少|不低于|不少于|不超过|不高于|大?约|高达)+(?:为|是|达到?|可达)?$")
_AFTER = re.compile(r"左右|以上|以下|以内")
_AT_LEAST = re.compile(r"至少|不低于|不少于|最[低少]|以上")
_AT_MOST = re.compile(r"不超过|不高于|最[高多]|高达|以下|以内")
_ABOUT = re.compile(r"约|左右")
_ABOUT_SHARE = Decimal("0.1")
_JOIN = re.compile(r"\s*(?:-|~|—|–|至|到|以上)+\s*")
_IN_A_ROW = re.compile(r"\s*[、和与及]\s*")
_BETWEEN = re.compile(r"[、和与及，；]")
YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})年(?!起|以来|\d)")
_CARE_BEFORE = re.compile(r"[在到去来赴至往]$")
_CLAUSE = re.compile(r"[^，；：]+")
_SENTENCE = re.compile(r"[^。！？\n]+")
_LEAD_IN = re.compile(r"[^。！？\n]*?(?:如下|以下)[^。：\n]*：")
_BULLET = re.compile(r"^[·\s]*(?:\d{1,2}[.、]\s*)?")
_WIDE = {",": "，", ";": "；", ":": "：", "?": "？", "!": "！", "(": "（", ")": "）"}
_MARK = re.compile(r"(?<!\d)[,:]|[,:](?!\d)|[;?!()]")
_NUMBER = re.compile(r"[\d.]+")
_DAYS = {"month": Decimal(30), "week": Decimal(7), "day": Decimal(1), "workday": Decimal(1)}
_ENDLESS = Decimal("Infinity")
_COUNTERS = {"名": "人", "位": "人", "所": "家", "座": "家", "类": "种", "项": "种"}
_COUNTED = re.compile(r"[^，。；：、（）]{0,8}")
_POINTS = re.compile(r"(?P<number>\d+(?:\.\d+)?|[一二三四五六七八九十]+)\s*个?百分点")
_NO = r"(?<!有)(?:不设|没有|无|取消|免除?)[置立]?"
_ENDS = re.compile(r"截[止至]|结束|为止|[之以]?前|最[晚迟]|到")
_BEGINS = re.compile(r"开始|起|自|从")
# Figures in words: how they read, kind, value, and what they are of where their words say it.
_WORDED = tuple(
    (re.compile(words), kind, value, aspect)
    for words, kind, value, aspect in (
        (rf"{_NO}起付(?:线|标准)|{_NO}门槛费?", "amount", Decimal(0), aspect_called("起付线")),
        (rf"不封顶|{_NO}(?:最高)?(?:支付)?(?:限额|封顶线?|上限)", "amount", _ENDLESS, aspect_called("封顶线")),
        (r"(?:长期|永久|一直|始终)有效", "period", _ENDLESS, aspect_called("有效期")),
        (r"(?:即时|立即|当[天日场]|实时)(?=[^，。；]{0,2}(?:生效|办结|到账|享受|开通))", "period", Decimal(0), None),
        (r"(?<!后的)(?<!补缴)(?<!补缴后)次月", "period", Decimal(30), None),
    )
)


class _Figure(Value):
    """One figure or both ends of a range, and where it stands; `named` where its own words say what it is of."""

    kind: str
    low: Decimal
    high: Decimal
    measure: str
    start: int
    end: int
    named: Aspect | None = None


def sayings(unit: EvidenceUnit, document: Document | None, wanted: frozenset[str]) -> Iterator[Saying]:
    """What the unit says of the wanted figures and rules, in reading order."""
    lead, sentences = _sentences(unit.text)
    telling = [sentence for sentence in sentences if _tells(sentence, wanted)]
    if not telling:
        return
    above = (*map(_even, unit.title_path), *([lead] if lead else []))
    about = _about(document.places if document else (), above)
    for sentence in telling:
        yield from _Line(unit, document, above, sentence, wanted).sayings(about)


@functools.lru_cache(maxsize=8192)
def _sentences(text: str) -> tuple[str, tuple[str, ...]]:
    """The words that announce the rest of a unit, if any, and its sentences in their own characters."""
    shown = readable(text)
    even = _even(shown)
    lead = _LEAD_IN.match(even)
    return lead.group() if lead else "", tuple(shown[m.start() : m.end()] for m in _SENTENCE.finditer(even))


def _tells(sentence: str, wanted: frozenset[str]) -> bool:
    """Whether a sentence holds a figure of a wanted kind, or the words of a wanted rule."""
    text = _even(sentence)
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
    found = dict(qualifiers.mentioned(text))
    for dimension, values in _DIMENSIONS.items():
        if named := frozenset(value for value, words in values.items() if words.search(text)):
            found[dimension] = named
    if _OTHER_LEVEL.search(text):
        found["level"] = OTHER
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
        self._unit, self._shown, self._text, self._wanted = unit, text, _even(text), wanted
        self._whole = "\n".join([*above, text])
        self._years = frozenset(YEAR.findall(self._whole))
        lead = _LEAD_IN.match(self._text)
        head, colon, _ = self._text[lead.end() if lead else 0 :].partition("：")
        self._head = None if unit.text.startswith("|") else tuple(topic_terms(_unfigured(head))) if colon else ()
        start, end = (document.effective_from, document.effective_to) if document else (None, None)
        self._valid = (start or dt.date.min, end or dt.date.max)

    def sayings(self, about: _Reader) -> Iterator[Saying]:
        """Everything that is said here, in order."""
        reader, all_figures = about.copy(), figures(self._text)
        rules = [] if _CASE.search(self._text) else [rule for rule in RULES if rule.name in self._wanted]
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

    def _figures(self, clause: re.Match[str], known: Sequence[_Figure], reader: _Reader) -> Iterator[Saying]:
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

    def _figure(self, figure: _Figure, at: int, until: int, reader: _Reader) -> Iterator[Saying]:
        """What a figure says between the end of the figure before it and the beginning of the next."""
        before, after = self._text[at : figure.start], self._text[figure.end : until]
        reader.read(self._text[at : figure.end])
        if _is_part(figure, before, after):
            bounds = _OPEN_ENDED.findall(before[-2:] + after[:2])
            reader.under(self._text[figure.start : figure.end] + "".join(bounds))
        elif aspect := _aspect(figure, before, after, reader):
            yield self._said(figure, aspect, reader.scope())

    def _aligned(self, row: Sequence[_Figure], reader: _Reader) -> Iterator[Saying]:
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

    def _said(self, figure: _Figure, aspect: Aspect, scope: Scope) -> Saying:
        before, after = _BEFORE.search(self._text[: figure.start]), _AFTER.match(self._text, figure.end)
        start, end = before.start() if before else figure.start, after.end() if after else figure.end
        value = _bounded(figure, self._text[start:end], aspect)
        counted = _COUNTED.match(self._text, figure.end).group() if figure.kind == "count" else ""
        return self._saying(aspect.name, value, figure.measure, self._shown[start:end], scope, counted=counted)

    def _rule(self, rule: Rule, clause: re.Match[str], reader: _Reader) -> Iterator[Saying]:
        text = clause.group()
        answers = [n for n, words in enumerate(rule.answers) if re.search(words, text)]
        if not answers or _ELSEWHERE.search(text) or (rule.form == "open" and _NO_RULE.search(text)):
            return
        value = Decimal(sum(1 << n for n in answers) if rule.form == "which" else answers[0])
        line = _BULLET.sub("", self._shown).strip()
        shown = line if line in self._unit.text else self._shown[clause.start() : clause.end()].strip()
        scope = reader.scope()
        decided = Scope({d: v for d, v in scope.names.items() if d != rule.decides}, scope.parts, scope.cases)
        before = self._text.rfind("，", 0, max(0, clause.start() - 1)) + 1
        spoken = self._text[before : clause.end()]  # what a clause leaves out stands in the one before
        yield self._saying(rule.name, (value, value), "rule", shown, decided, clause=spoken)

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
            sentence=self._text,
            line=self._whole,
            head=self._head,
            counted=counted,
            years=self._years,
            valid=self._valid,
        )


@functools.lru_cache(maxsize=8192)
def _even(text: str) -> str:
    """One form for each character, without a change of length, so that figures are where they are in `text`."""
    narrow = "".join(n if len(n := unicodedata.normalize("NFKC", c)) == 1 else "、" for c in text)
    return _MARK.sub(lambda mark: _WIDE[mark.group()], narrow)


def _unfigured(text: str) -> str:
    for figure in reversed(figures(text)):
        text = text[: figure.start] + "，" + text[figure.end :]
    return text


@functools.lru_cache(maxsize=8192)
def figures(text: str) -> tuple[_Figure, ...]:
    """The figures that may be compared, in order; both ends of a range are one."""
    found = [*_in_words(text), *_points(text)]
    for slot in slots(text):
        is_name = text[: slot.start].endswith("第") or _PARTS.match(text, slot.start)  # 第二次, 一档
        taken = is_name or any(f.start < slot.end and slot.start < f.end for f in found)
        if not taken and (figure := _of_slot(slot, text)):
            found.append(figure)
    found.sort(key=lambda f: f.start)
    return tuple(_joined(found, text))


def _in_words(text: str) -> Iterator[_Figure]:
    for pattern, kind, value, named in _WORDED:
        measure = {"period": "day"}.get(kind, kind)
        for match in pattern.finditer(text):
            yield _Figure(kind, value, value, measure, match.start(), match.end(), named)


def _points(text: str) -> Iterator[_Figure]:
    for match in _POINTS.finditer(text):
        number = Decimal(str(cn2an.cn2an(match["number"], "smart")))
        yield _Figure("change", number, number, "points", match.start(), match.end())


def _of_slot(slot: Slot, text: str) -> _Figure | None:
    """A slot as a number and what it counts; periods in days, dates as month and day."""
    if slot.kind == "date":
        return _date(slot, text)
    if slot.kind not in {"amount", "ratio", "period", "count", "age", "phone"}:
        return None
    match = _NUMBER.match(slot.value)
    number, unit = (Decimal(match.group()), slot.value[match.end() :]) if match else (Decimal(0), slot.value)
    kind = "change" if slot.kind == "ratio" and _CHANGE.search(text[: slot.start]) else slot.kind
    number, measure = (number * _DAYS[unit], "day") if unit in _DAYS else (number, kind + _COUNTERS.get(unit, unit))
    return _Figure(kind, number, number, measure, slot.start, slot.end)


def _date(slot: Slot, text: str) -> _Figure | None:
    """A day of the year; what begins and what ends on a day are two things."""
    _, month, day = slot.value.split("-")
    if "?" in (month, day):
        return None
    around = text[max(0, slot.start - 6) : slot.start] + text[slot.end : slot.end + 4]
    role = "end" if _ENDS.search(around) else "start" if _BEGINS.search(around) else ""
    number = Decimal(int(month) * 100 + int(day))
    return _Figure("date", number, number, "date" + role, slot.start, slot.end)


def _joined(found: Sequence[_Figure], text: str) -> Iterator[_Figure]:
    last: _Figure | None = None
    for figure in found:
        alike = last and (last.kind == figure.kind or (last.kind, figure.kind) == ("change", "ratio"))
        if last and alike and _JOIN.fullmatch(text[last.end : figure.start]):
            last = _Figure(last.kind, last.low, figure.high, last.measure, last.start, figure.end)
            continue
        if last:
            yield last
        last = figure
    if last:
        yield last


def _in_a_row(text: str, row: Sequence[_Figure]) -> bool:
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


def _is_part(figure: _Figure, before: str, after: str) -> bool:
    """Whether a figure says when something holds, not what: 超过2000元的部分, 70周岁以上."""
    if figure.kind in {"ratio", "change", "phone", "date", "count"}:
        return False
    return figure.kind == "age" or bool(_PART_BEFORE.search(before) or _PART_AFTER.match(after))


def _aspect(figure: _Figure, before: str, after: str, reader: _Reader) -> Aspect | None:
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


def _bounded(figure: _Figure, shown: str, aspect: Aspect) -> Range:
    low, high = figure.low, figure.high
    if _ABOUT.search(shown):
        low, high = low * (1 - _ABOUT_SHARE), high * (1 + _ABOUT_SHARE)
    if not aspect.is_limit and low == high:
        return (Decimal(0) if _AT_MOST.search(shown) else low, _ENDLESS if _AT_LEAST.search(shown) else high)
    return low, high
