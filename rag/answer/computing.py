"""Sums that a question asks for, done by code on one cited figure and the user's own: a claim whose formula is shown.

Knows which questions ask for a sum, which of their amounts is the user's own expense, and when the evidence holds one
figure that fits. What a unit says, for whom and where, is read by `sayings`; where the claim goes is the pipeline's
job. No language model is asked. Wherever more than one sum is possible there is none.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

import cn2an

from rag import places, qualifiers
from rag.answer.aspects import asked_aspects
from rag.answer.composing import ComposedClaim
from rag.answer.sayings import NEUTRAL, OTHER, ROLES, YEAR, Names, Range, Saying, figures, names, parts, sayings
from rag.answer.verifying.slots import Slot, slots
from rag.domain import EvidenceUnit, Value
from rag.tokens import topic_terms

Fit = Literal["fits", "open", "excluded"]

_HUNDRED, _YEAR_MONTHS = Decimal(100), Decimal(12)
_CENT = Decimal("0.01")
_ENDLESS = Decimal("Infinity")

# What a question has that leaves open whose expense it is, how much it was, or of what a share is wanted.
_NO_EXPENSE = re.compile(
    r"如果|假如|假设|假使|要是|倘若|万一|比如|例如|打个?比方|举例|要花|得花|需花|预[计估]|估计"
    r"|邻居|同事|朋友|别人|人家|网友|听说|据说|新闻|有人|有个|同学|亲戚|病友|闺蜜|表[姐妹哥弟]|某"
    r"|报销[了完过后之以]|报[了完过]|已经?报|扣[除掉]|除去|剩[下余]|减去|二次报销"
    r"|起付|门槛|免赔|封顶|限额|上限|不是|并非|除了|比例|几成|百分|那一?[截段部]"
    r"|每[天日周月次]|[两二三四多几]次|再次|第[二三四]次"
)
_ASKS_PAID = re.compile(
    r"(?:报销?|支付|给付|补偿|拿回|退回?)[^，。？?；比]{0,6}?(?:多少|几[百千万])|(?:多少|几[百千万])[^，。？?；]{0,4}报"
)
_ASKS_BORNE = re.compile(
    r"(?:自己|个人|本人|自)[^，。？?；]{0,6}?[掏付负担出贴][^，。？?；比]{0,6}?(?:多少|几[百千万])|掏多少"
)
_SPENT = re.compile(
    r"(?:花[了费掉去销]*|用[了掉去]+|费用?|垫[付了]+|付[了款]+|共计?|总计|合计|账单|发票|住院|门诊|看病|就诊|手术|治疗)"
    r"[^，。；！？?]{0,8}$"
)
_SPENT_AFTER = re.compile(r"^的?(?:住院|医疗|医药|门诊|看病|治疗)费")
_NOT_SPENT = re.compile(
    r"[缴交]费|保费|社保|医保费|工资|基数|账户|余额|津贴|补[贴助]|罚|骗|押金|自[费付负掏]|存|退休金|收入|[不没]"
)
_ABOUT_BEFORE = re.compile(r"(?:大概|大约|差不多|约|将近|接近|快|近|不到|超过?|至少|最多|上)[^，。；]{0,3}$")
_ABOUT_AFTER = re.compile(r"^(?:多|左右|上下|以[上下内]|出头|不到|几|来|余|[到至~-])")
_COLLOQUIAL = re.compile(
    r"(?:\d+(?:\.\d+)?|[一二两三四五六七八九十百千]+)(?:[万千百][\d一二两三四五六七八九十零百千]*)+(?:元|块钱?)?"
)
_CLAUSE_END = re.compile(r"[，。；！？,;!?]")

# What a source has that leaves its figure uncertain, conditional or gone.
_HEDGED = re.compile(
    r"可能|大?约|左右|接近|将近|大概|一般|通常|往往|原则上|常见|多数|举例|例如|比如|示例|有些|有的|部分(?:地区|城市)|各地|"
    r"因地区|[某该]地|某些|最[高低多少]|高达|至少|不[低高少多]于|不超过|以内|以[上下][^的部至]|甚至"
)
_CONDITIONAL = re.compile(
    r"如果|若|否则|除外|的话|不符合|[未没](?:有)?(?:按|办|备|经|提|开)|连续|中断|断缴|补缴|不再|不按|不予|取消|停止|暂停"
    r"|此前|以前|原来|曾|过去|首先自付|先行自付|先自付|[降提上下][低高调浮]"
)
_ENDS_OF_LIMIT = re.compile(r"至(?:最高)?(?:支付)?(?:限额|封顶线?)|最高(?:支付|报销|补助)?限额|最高支付")
_NO_SHARE = re.compile(r"[缴交][费纳]?(?:比例|费率)|费率|工资|基数|罚|违约|利率")
_SHARE = re.compile(r"报|支付|补偿|给付|负担|自付|自负|承担")
_STARTS = re.compile(r"起付|门槛|免赔|起报|开始报销|后[才方]?[可能]?以?报销")
_COSTS = re.compile(r"费用|段|部分|之间|金额")
_FROM_START = re.compile(r"起付(?:线|标准|金额)?(?:以上)?\s*(?:-|~|—|–|至|到)+\s*$")
_ABOVE = re.compile(r"^\s*(?:\(含\))?以上")
_BELOW = re.compile(r"^\s*(?:\(含\))?及?以[下内]")
_BEYOND = re.compile(r"超[过出]?\s*$")
_AGE = re.compile(r"(\d+)\s*周?岁(?:及)?(以[上下])?")
_NOT_AGE = re.compile(r"^(?:\d+(?:\.\d+)?\s*[万千]?元|超出)")
_COVERED = re.compile(r"目录内|政策范围内|合规")
# Words that a question and a rule share or that neither has: events and groups with rules of their own.
_MARKS = tuple(
    map(re.compile, ("备案", "转诊|转院", "学生|儿童|孩|宝宝|婴|少儿", "低保|特困|困难|贫困|残疾|五保|低收入", "补缴|补交|要补"))
)
_PLAIN_WORDS = frozenset("参保 费用 人员 医保 城乡 城镇 关于 普通 医疗 保险 报销 比例 标准 部分 待遇 机构 类别".split())
# These set a figure apart where only one side names them; any other leaves it open.
_APART = frozenset({"scheme", "chronic", "away", "item", "urgency"})
_EMPLOYED = frozenset({"在职", "退休"})
_SMALL = frozenset({"一级", "基层"})  # a 基层 clinic often is a hospital of the first level

_ASKS_PREMIUM = re.compile(r"[缴交补][费纳缴交]?[^，。？?；]{0,6}?(?:多少|几[百千万])(?!个?[年月天次])")
_ASKS_A_MONTH = re.compile(r"(?:每个?|一个|按)月[^，。？?；]{0,6}(?:多少|几[百千万])")
_ASKS_A_YEAR = re.compile(r"每年|全年|年缴|一整年")
_NO_PREMIUM = re.compile(r"如果|假如|假设|要是|报|花|基数|比例|滞纳|养老|比[^例如]")
_EACH = r"(?:缴费?|交费?|[缴交]纳|保费)(?:标准|金额)?"
_BY_MONTH = r"(?:每人?每?个?月|按?月)(?:应|需|要|的)?补?" + _EACH + r"[是为：:约]*"
_BY_YEAR = r"(?:每人?每?年|年|年度)(?:应|需|要|的)?补?" + _EACH + r"[是为：:约]*|" + _EACH + r"[^，。；]{0,6}每人?每年"
_ALSO_BY_MONTH = re.compile(_EACH + r"[^，。；]{0,6}每人?每月$|" + _BY_MONTH + r"$")
_ALSO_BY_YEAR = re.compile(r"(?:" + _BY_YEAR + r")$")
_BEHIND = {"month": re.compile(r"^(?:/|每|一个)月"), "year": re.compile(r"^(?:/|每|一)年")}

_ASKS_DIFFERENCE = re.compile(
    r"相差|差(?:多少|几|距)|比(?![例率如较]).*?(?P<way>[高多低少])(?:出)?[^，。？?]{0,2}(?:多少|几)"
)
_THAN = re.compile(r"比(?![例率如较])")
_ASKS_SUM = re.compile(r"(?:一共|总共|合计|加起来|共计).*?(?:多少|几|百分)")
_COMPARABLE = frozenset({"报销比例", "自付比例", "缴费比例", "起付线", "封顶线", "缴费标准", "报销金额"})
_SHARES = frozenset({"报销比例", "自付比例", "缴费比例"})
_COMPARED = ("employment", "level", "delivery", "insured_type", "care", "payer")
_PAIR = 2
_PAYERS = {"单位": re.compile("单位|企业"), "个人": re.compile("个人|职工本人")}


def computed(question: str, units: Sequence[EvidenceUnit]) -> ComposedClaim | None:
    """The sum that `question` asks for, as a claim on the units whose figures it uses; None where it is not safe.

    Amounts are in yuan to the cent, differences of ratios in 个百分点. Every figure of the text stands in the question
    or in the units, or is a result behind “=”.
    """
    asked = _Asked(_spelled_out(question))
    read = list(_read(units))
    for ways in (_reimbursed, _premium, _compared):
        if claim := ways(asked, read):
            return claim
    return None


# --- the question


class _Asked:
    """What a question says of whom and where; `narrowed` makes it ask for one of the values that it compares."""

    def __init__(self, text: str, names_: Names | None = None, places_: Sequence[str] | None = None) -> None:
        self.text = text
        self.names = names_ if names_ is not None else _whose(names(text))
        self.places = tuple(places_ if places_ is not None else dict.fromkeys(places.find(text)))
        self.parts = parts(text)
        self.slots = slots(text)
        self._years, self._marks = frozenset(YEAR.findall(text)), _marks(text)
        self._ages = [Decimal(slot.value) for slot in self.slots if slot.kind == "age"]

    def narrowed(self, dimension: str, value: str) -> _Asked:
        """The same question, asked for one value of a dimension."""
        return _Asked(self.text, {**self.names, dimension: frozenset({value})}, self.places)

    def about(self, place: str) -> _Asked:
        """The same question, asked for one place."""
        return _Asked(self.text, self.names, (place,))

    @property
    def is_single(self) -> bool:
        """Whether it names no two values of anything, so that one rule can answer it."""
        return len(self.places) <= 1 and all(len(values) == 1 for values in self.names.values())

    def fit(self, known: _Known) -> Fit:
        """Whether a figure holds for what is asked: the two name the same; where one names less, it stays open."""
        said, told = known.saying, known.names
        line = said.line
        there = tuple(dict.fromkeys(places.find(line)))
        alone = told.keys() ^ self.names.keys()
        clashing = any(not (self.names[d] & told[d]) for d in told.keys() & self.names.keys())
        elsewhere = any(not any(places.related(p, own) for p in there) for own in self.places) if there else False
        other_year = bool(self._years and said.years and not self._years & said.years)
        if clashing or elsewhere or other_year or alone & _APART:
            return "excluded"
        here = all(any(places.holds_in(p, own) for p in there) for own in self.places) and bool(there) == bool(self.places)
        if alone or not here or self._marks != _marks(line) or self._foreign(said) or not self._of_part(said):
            return "open"
        return "fits"

    def _foreign(self, said: Saying) -> bool:
        """Whether the figure is for a group or an event that the question does not speak of."""
        terms = {t for case in said.scope.cases if not _COSTS.search(case) for t in topic_terms(case)}
        own = {t for t in terms if len(t) > 1 and not t[0].isdigit() and t not in _PLAIN_WORDS}
        return any(t not in self.text and not names(t).keys() and not places.find(t) for t in own)

    def _of_part(self, said: Saying) -> bool:
        """Whether turn and tier are those asked for, and an age is that of the question."""
        told = {part for part in said.scope.parts if not _NOT_AGE.match(part)}
        ages = [match for part in told if (match := _AGE.search(part))]
        return {part for part in told if not _AGE.search(part)} == self.parts and all(map(self._is_of_age, ages))

    def _is_of_age(self, bound: re.Match[str]) -> bool:
        limit = Decimal(bound[1])
        return len(self._ages) == 1 and (self._ages[0] > limit if bound[2] == "以上" else self._ages[0] < limit)


def _whose(found: Names) -> dict[str, frozenset[str]]:
    """The dimensions that decide; who is 在职 or 退休 is insured as 职工, and so is whoever a 单位 pays for."""
    own = {d: values for d, values in found.items() if d not in ROLES | NEUTRAL}
    if own.get("employment", frozenset()) & _EMPLOYED:
        own.setdefault("insured_type", frozenset({"职工"}))
    return own


def _marks(text: str) -> frozenset[int]:
    return frozenset(n for n, mark in enumerate(_MARKS) if mark.search(text))


def _spelled_out(question: str) -> str:
    """The question with 2万5 and 三万五 as 25000元 and 35000元, punctuation as in Chinese."""
    text = unicodedata.normalize("NFKC", question).translate(str.maketrans(",;:?!", "，；：？！"))
    text = re.sub(r"(?<=\d)，(?=\d{3}(?!\d))", "", text)
    return _COLLOQUIAL.sub(_in_digits, text)


def _in_digits(match: re.Match[str]) -> str:
    number = re.sub(r"元|块钱?", "", match.group()).replace("两", "二")
    try:
        return _money(Decimal(str(cn2an.cn2an(number, "smart"))))
    except ValueError:  # 两三万 is no number
        return match.group()


def _expense(asked: _Asked) -> Decimal | None:
    """The one amount of the question, if it is what the asker spent."""
    found = [slot for slot in asked.slots if slot.kind in {"amount", "number", "ratio"}]
    if len(found) != 1 or found[0].kind == "ratio":
        return None
    before = _CLAUSE_END.split(asked.text[: found[0].start])[-1]
    after = asked.text[found[0].end :]
    if _NOT_SPENT.search(before) or _ABOUT_BEFORE.search(before) or _ABOUT_AFTER.match(after):
        return None
    spent = _SPENT.search(before) or _SPENT_AFTER.match(after)
    return Decimal(found[0].value) if spent else None


# --- the evidence


class _Known(Value):
    """A figure of a unit with whom it is for, the band of costs that it is of, and whether it stands without an if."""

    saying: Saying
    names: Names
    band: Range | None
    certain: bool


def _read(units: Sequence[EvidenceUnit]) -> Iterator[_Known]:
    for unit in dict.fromkeys(unit.id for unit in units):
        said = list(sayings(next(u for u in units if u.id == unit), None, _COMPARABLE))
        levels = frozenset().union(*(s.scope.names.get("level", frozenset()) for s in said)) - OTHER
        for s in said:
            bands = _bands(s.sentence)
            yield _Known(s, _told(s, levels), bands[0] if len(bands) == 1 else None, _certain(s) and len(bands) <= 1)


def _told(said: Saying, levels: frozenset[str]) -> Names:
    """Whom a figure is for; other hospitals are all but those that the unit names."""
    told = _whose(said.scope.names)
    if told.get("level") == OTHER and levels:
        named = levels | (_SMALL if levels & _SMALL else frozenset())
        told["level"] = frozenset(qualifiers.DIMENSIONS["level"]) - named
    return told


def _certain(said: Saying) -> bool:
    """Whether the figure is said outright: no hedge, bound or condition; both ends of a plain range count as outright."""
    text = _ENDS_OF_LIMIT.sub("", said.line)
    if _HEDGED.search(text.replace(said.shown, "") if said.aspect == "封顶线" else text):
        return False
    ends = [slot for slot in slots(said.shown) if slot.kind in {"ratio", "amount"}]
    outright = [Decimal(slot.value) for slot in ends] in ([*said.value], [said.value[0]]) or said.value == (0, 0)
    return outright and not _CONDITIONAL.search(said.sentence)


def _bands(sentence: str) -> list[Range]:
    """The bands of costs that a sentence speaks of: 起付标准至5万元, 5万元至10万元, 10万元以上."""
    found = []
    for figure in figures(sentence):
        if figure.kind == "amount":
            before, after = sentence[: figure.start], sentence[figure.end :]
            found += _band((figure.low, figure.high), before, after)
    return found


def _band(ends: Range, before: str, after: str) -> list[Range]:
    low, high = ends
    clause = _CLAUSE_END.split(before)[-1]
    if low < high:
        costs = _COSTS.search(clause) or _COSTS.match(after)
        return [ends] if costs and not _STARTS.search(clause) else []
    if _FROM_START.search(before):
        return [(Decimal(0), high)]
    if _ABOVE.match(after) or (_BEYOND.search(before) and re.match("的?部分", after)):
        return [(low, _ENDLESS)]
    return [(Decimal(0), high)] if _BELOW.match(after) else []


# --- what is paid, what is borne


def _reimbursed(asked: _Asked, read: Sequence[_Known]) -> ComposedClaim | None:
    """能报多少, 自己掏多少: the expense by the one ratio that fits, band by band."""
    borne, paid = _ASKS_BORNE.search(asked.text), _ASKS_PAID.search(asked.text)
    if not (borne or paid) or _NO_EXPENSE.search(asked.text) or not asked.is_single:
        return None
    expense = _expense(asked)
    for share in ("自付比例", "报销比例") if borne and not paid else ("报销比例", "自付比例"):
        rules = _rules(asked, read, share) if expense else None
        if expense and rules:
            return _estimate(asked, expense, rules, read, borne=bool(borne))
    return None


def _rules(asked: _Asked, read: Sequence[_Known], share: str) -> list[_Known] | None:
    """The ratios that fit, one a band from the first yuan up; None when another might fit as well."""
    known = [k for k in read if k.saying.aspect == share and _is_share(k.saying)]
    fits = [(k, asked.fit(k)) for k in known]
    fitting = [k for k, fit in fits if fit == "fits"]
    values = {k.saying.value for k in fitting}
    if any(fit == "open" and k.saying.value not in values for k, fit in fits):
        return None
    if not all(k.certain and _understood(k, read) for k in fitting):
        return None
    by_band = {k.band: k for k in reversed(fitting)}
    if len({(k.band, k.saying.value) for k in fitting}) != len(by_band) or (None in by_band and len(by_band) > 1):
        return None
    return sorted(by_band.values(), key=lambda k: k.band or (Decimal(0), _ENDLESS))


def _is_share(said: Saying) -> bool:
    """Whether a ratio is expressly a share of costs, not of wages."""
    return bool(_SHARE.search(said.line)) and not _NO_SHARE.search(said.sentence)


def _understood(known: _Known, read: Sequence[_Known]) -> bool:
    """Whether every figure beside the ratio is known for what it is: a band, a deductible or a cap, an age."""
    beside = [k.saying for k in read if k.saying.sentence == known.saying.sentence]
    limits = {s.value[0] for s in beside if s.aspect != "报销金额" or _STARTS.search(s.sentence)}
    return all(
        figure.kind in {"ratio", "age"} or (figure.kind == "amount" and (figure.low in limits or bool(known.band)))
        for figure in figures(known.saying.sentence)
    )


class _Limits(Value):
    """Deductible and cap, None where the unit does not tell."""

    deductible: Decimal | None
    cap: Decimal | None


def _limits(asked: _Asked, unit: EvidenceUnit, read: Sequence[_Known]) -> _Limits | None:
    """What the unit says of both for the asker; None when it says two things of one."""
    fitting = [k for k in read if k.saying.unit.id == unit.id and asked.fit(k) != "excluded"]
    starts = [k for k in fitting if k.saying.aspect == "起付线" or _starts(k.saying)]
    caps = [k for k in fitting if k.saying.aspect == "封顶线" and not _starts(k.saying)]
    for found in (starts, caps):
        if len({k.saying.value for k in found}) > 1 or any(k.saying.value[0] < k.saying.value[1] for k in found):
            return None
    return _Limits(*(found[0].saying.value[0] if found else None for found in (starts, caps)))


def _starts(said: Saying) -> bool:
    """Whether an amount is said to be where reimbursement begins: 超过2000元后开始报销."""
    before, _, _ = said.sentence.partition(said.shown)
    label = _CLAUSE_END.split(before)[-1]
    after = said.sentence[len(before) + len(said.shown) :]
    return said.aspect == "报销金额" and bool(_STARTS.search(label) or re.match(r"[以之]?后[才方]?[开可能按]", after))


def _estimate(
    asked: _Asked, expense: Decimal, rules: Sequence[_Known], read: Sequence[_Known], *, borne: bool
) -> ComposedClaim | None:
    """The claim, when the bands of the rules reach the expense without a gap and the limits are told clearly."""
    units = tuple({k.saying.unit.id: k.saying.unit for k in rules}.values())
    limits = [_limits(asked, unit, read) for unit in units]
    told = limits[0]
    if told is None or any(other != told for other in limits):
        return None
    own = rules[0].saying.aspect == "自付比例"
    bands = _reaching(expense, rules, told.deductible or Decimal(0))
    if not bands or (own and told.cap is not None):
        return None
    ends = [0] if all(k.saying.value[0] == k.saying.value[1] for k in rules) else [0, 1]
    sums = [_Sum(expense, [(low, high, k.saying.value[end]) for low, high, k in bands], told) for end in ends]
    results = [(s.borne_of_own() if own else s.paid(), borne != own) for s in sums]
    texts = [s.shown(total, other_side=other) for s, (total, other) in zip(sums, results, strict=True)]
    rates = "、".join(dict.fromkeys(_range(k.saying.value) for _, _, k in bands))
    told_start = f"，起付线{_money(told.deductible)}" if told.deductible else ""
    text = f"按{'个人负担' if own else ''}{rates}估算{told_start}：{'；'.join(texts)}{_left_out(asked, told)}"
    return ComposedClaim(text, units, "computed")


def _reaching(expense: Decimal, rules: Sequence[_Known], deductible: Decimal) -> list[tuple[Decimal, Decimal, _Known]]:
    """The stretches of the expense with their rules; none when a stretch has no rule or nothing is left to share."""
    stretches, at = [], Decimal(0)
    for rule in rules:
        low, high = rule.band or (Decimal(0), _ENDLESS)
        if low not in {at, deductible} or at >= expense:
            break
        start, at = max(at, low, deductible if not stretches else at), min(high, expense)
        stretches.append((start, at, rule))
    whole = at >= expense and all(start < end for start, end, _ in stretches)
    return stretches if whole else []


class _Sum:
    """One estimate on its way: the steps so far, each as it is shown."""

    def __init__(self, expense: Decimal, shares: Sequence[tuple[Decimal, Decimal, Decimal]], limits: _Limits) -> None:
        self._expense, self._shares, self._limits = expense, shares, limits
        self._steps: list[str] = []

    def paid(self) -> Decimal:
        """What the fund pays, at most its cap."""
        total, cap = self._shared(), self._limits.cap
        if cap is not None and total > cap:
            self._steps.append(f"超过最高支付限额{_money(cap)}，按{_money(cap)}计")
            return cap
        return total

    def borne_of_own(self) -> Decimal:
        """What the insured bears by a ratio that is theirs, the deductible included."""
        share, start = self._shared(), self._limits.deductible
        return self._step((share, start), "+") if start else share

    def shown(self, total: Decimal, *, other_side: bool) -> str:
        """All steps; with the rest of the expense where that is what is asked for."""
        if other_side:
            self._step((self._expense, total), "−")
        return "，".join(self._steps)

    def _shared(self) -> Decimal:
        values = []
        for start, end, rate in self._shares:
            base = f"（{_money(end)} − {_money(start)}）" if start else _money(end)
            values.append(_cents((end - start) * rate / _HUNDRED))
            self._steps.append(f"{base} × {_plain(rate)}% = {_money(values[-1])}")
        return self._step(values, "+") if len(values) > 1 else values[0]

    def _step(self, values: Sequence[Decimal], sign: str) -> Decimal:
        result = sum(values) if sign == "+" else values[0] - values[1]
        self._steps.append(f" {sign} ".join(map(_money, values)) + f" = {_money(Decimal(result))}")
        return Decimal(result)


def _left_out(asked: _Asked, told: _Limits) -> str:
    """What the estimate does not count."""
    missing = ["起付线"] if told.deductible is None else []
    missing += [] if _COVERED.search(asked.text) else ["目录外费用"]
    missing += ["封顶线"] if told.cap is None else []
    listed = "和".join(filter(None, ["、".join(missing[:-1]), *missing[-1:]]))
    return f"（未计{listed}）" if listed else ""


# --- contributions by the month and by the year


def _premium(asked: _Asked, read: Sequence[_Known]) -> ComposedClaim | None:
    """每月364.46元，一年要交多少: a contribution for as long as the question says."""
    months = _months(asked)
    if months is None or _NO_PREMIUM.search(asked.text) or not asked.is_single:
        return None
    own = [Decimal(slot.value) for slot in asked.slots if slot.kind in {"amount", "number"}]
    known = [(k, period) for k in read if (period := _period(k.saying)) and asked.fit(k) != "excluded"]
    if own:
        known = [(k, period) for k, period in known if [k.saying.value[0]] == own]
    elif any(asked.fit(k) != "fits" for k, _ in known):
        return None
    if len({(k.saying.value, period) for k, period in known}) != 1 or not known[0][0].certain_but_for_arrears:
        return None
    return _for_months(known[0][0].saying, known[0][1], months)
