"""Sums that a question asks for, done by code on cited figures and the user's own: a claim that shows its formula.

Knows which questions ask for a sum, which amount is the asker's own expense, and when the evidence holds just one
figure that fits. What a unit says, for whom and where, is read by `sayings`; where the claim goes is the pipeline's
job. No language model is asked. Where a second reading is possible there is no sum.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

import cn2an

from rag import places, qualifiers
from rag.answer.aspects import asked_aspects
from rag.answer.composing import ComposedClaim
from rag.answer.figures import ENDLESS, Figure, evened, figures
from rag.answer.sayings import NEUTRAL, OTHER, ROLES, YEAR, Names, Range, Saying, names, parts, sayings
from rag.answer.verifying.slots import Slot, slots
from rag.domain import EvidenceUnit, Value
from rag.tokens import topic_words

Fit = Literal["fits", "open", "excluded"]

_TIMES, _MINUS = "\u00d7", "\u2212"
_CENT, _HUNDRED = Decimal("0.01"), Decimal(100)
_MONTHS = {"月": Decimal(1), "年": Decimal(12)}
_READ = frozenset({"报销比例", "自付比例", "缴费比例", "起付线", "封顶线", "缴费标准", "缴费基数", "报销金额"})

# Of a question: what is not so, or not the asker's.
_NOT_OWN = re.compile(
    r"如果|假如|假设|假使|要是|倘若|万一|比如|例如|打个?比方|举例|要花|得花|需花|预[计估]|估计|不是|并非|除了"
    r"|邻居|同事|朋友|别人|人家|网友|听说|据说|新闻|有人|同学|亲戚|病友|闺蜜|表[姐妹哥弟]|某"
)
_OTHER_QUESTION = re.compile(
    r"报[了完过]|已经?报|扣[除掉]|除去|剩[下余]|减去|二次报销|账户|共济|起付|门槛|免赔|封顶|限额|上限"
    r"|比例|几成|百分|那一?[截段部]|去年|前年|每[天日周月次]|[两二三四多几]次|再次|第[二三四]次"
)
_ASKS_PAID = re.compile(
    r"(?:报销?|支付|给付|补偿|拿回|退回?)[^，。？；比]{0,6}?(?:多少|几[百千万])|(?:多少|几[百千万])[^，。？；]{0,4}报"
)
_ASKS_BORNE = re.compile(
    r"(?:自己|个人|本人|自)[^，。？；]{0,6}?[掏付负担出贴][^，。？；比]{0,6}?(?:多少|几[百千万])|掏多少"
)
_SPENT = re.compile(
    r"(?:花[了费掉去销]*|用[了掉去]+|费用?|垫[付了]+|付[了款]+|共|总计|合计|账单|发票|住院|门诊|看病|就诊|手术|治疗)"
    r"[^，。；！？]{0,8}$"
)
_SPENT_AFTER = re.compile(r"的?(?:住院|医疗|医药|门诊|看病|治疗)费")
_NOT_SPENT = re.compile(
    r"[缴交]费|保费|社保费|医保费|工资|基数|余额|津贴|补[贴助]|罚|骗|押金|自[费付负]|掏|存|退休金|收入|报|[不没]"
)
_ABOUT_BEFORE = re.compile(r"(?:大概|大约|差不多|约|(?<!最)近|接近|快|不到|超过?|至少|最多)[^，。；]{0,3}$")
_ABOUT_AFTER = re.compile(r"多|左右|上下|以[上下内]|出头|不到|几|来|余|[到至~-]")
_COLLOQUIAL = re.compile(
    r"(?:\d+(?:\.\d+)?|[一二两三四五六七八九十][一二两三四五六七八九十百千]*)"
    r"(?:[万千百][\d一二两三四五六七八九十零]*+)++(?![年月天日个人家次岁多余美欧港英澳加])(?:元|块钱?)?"
)
_CLAUSE_END = re.compile(r"[，。；！？]")
_COVERED = re.compile(r"目录内|政策范围内|合规")

# Of a source: what makes a figure uncertain, conditional or gone, and what a ratio is of.
_HEDGED = re.compile(
    r"可能|大?约|左右|接近|将近|大概|一般|通常|往往|原则上|常见|多数|举例|例如|比如|示例|有些|有的|部分(?:地区|城市)|各地|"
    r"因地区|[某该]地|某些|甚至"
)
_MOST = re.compile(r"最[高低多少]|高达|至少|不[低高少多]于|不超过")
_LIMIT = re.compile(r"最高(?:支付|报销|补助)?限额|最高支付")
_CONDITIONAL = re.compile(
    r"如果|若|否则|除外|的话|不符合|[未没](?:有)?(?:按|办|备|经|提|开)|连续|中断|断缴|不再|不按|不予|取消|停止|暂停"
    r"|此前|以前|原来|曾|过去|先行?自付|[降提上下][低高调浮]"
)
_SHARE = re.compile(r"报|支付|补偿|给付|负担|自付|自负|承担")
_NO_SHARE = re.compile(r"[缴交][费纳]?(?:比例|费率)|费率|工资|基数|罚|违约|利率")
_STARTS = re.compile(r"起付|门槛|免赔|起报|开始报销")
_COSTS = re.compile(r"\s*的?(?:费用|段|部分|之间)")
_FROM_START = re.compile(r"起付(?:线|标准|金额)?(?:以上)?\s*[-~—–至到]+\s*$")
_BEYOND = re.compile(r"超[过出]?\s*$")
_BAND_PART = re.compile(r"\d+(?:\.\d+)?\s*[万千]?元|超出")
_AGE = re.compile(r"(\d+)\s*周?岁以([上下])")
# Events and groups with rules of their own: a question and a rule share them, or neither has them.
_MARKS = tuple(
    re.compile(words)
    for words in (
        "备案",
        "转诊|转院",
        "学生|儿童|孩|宝宝|婴",
        "低保|特困|困难|贫困|残疾|五保|低收入",
        "补[缴交]|[要得]补",
    )
)
_PLAIN_WORDS = frozenset("参保 费用 人员 医保 城乡 城镇 关于 普通 医疗 保险 报销 比例 标准 部分 待遇 机构 类别".split())
# These set a figure apart when one side alone names them; any other dimension leaves it open.
_APART = frozenset({"scheme", "chronic", "away", "item", "urgency"})
_EMPLOYED = frozenset({"在职", "退休"})
# Other hospitals are a known rest where the highest or the lowest are named; a 基层 clinic may be of the first level.
_REST = {
    frozenset({"基层"}): frozenset({"三级", "二级"}),
    frozenset({"一级", "基层"}): frozenset({"三级", "二级"}),
    frozenset({"三级"}): frozenset({"二级", "一级", "基层"}),
    frozenset({"三级", "二级"}): frozenset({"一级", "基层"}),
}

_ASKS_CONTRIBUTION = re.compile(r"[缴交补][费纳缴交]?[^，。？；]{0,6}?(?:多少|几[百千万])(?!个?[年月天次])")
_ASKS_A_MONTH = re.compile(r"(?:每个?|一个|按)月[^，。？；\d]{0,6}(?:多少|几[百千万])")
_ASKS_A_YEAR = re.compile(r"每年|全年|整年")
_NO_CONTRIBUTION = re.compile(r"报|花|基数|比例|滞纳|养老|工资|上限|下限|失业|公积金|补[贴助]")
_CONTRIBUTION = re.compile(r"[缴交][费纳]?|保费")
_EACH = re.compile(r"(?:每人?每?个?|^|：|应|按)([月年])(?!度)")
_EACH_BEHIND = re.compile(r"\s*(?:/|每|一)个?([月年])")

_ASKS_DIFFERENCE = re.compile(
    r"相差|差(?:多少|几|距)|比(?![例率如较]).*?(?P<way>[高多低少])出?[^，。？]{0,2}(?:多少|几)"
)
_THAN = re.compile(r"比(?![例率如较])")
_ASKS_SUM = re.compile(r"(?:一共|总共|合计|加起来|共计).*?(?:多少|几|百分)")
_COMPARED = frozenset({"employment", "level", "delivery", "insured_type", "care", "place", "part"})
_ADDED = frozenset({"level", "care", "part"})  # one person may have both
_PAIR = 2


def computed(question: str, units: Sequence[EvidenceUnit]) -> ComposedClaim | None:
    """The sum that `question` asks for, as a claim on the units whose figures it uses; None where it is not safe.

    Amounts are in yuan to the cent, differences of ratios in 个百分点. Every figure of the text stands in the question
    or in the units, or is a result behind “=”.
    """
    text = _spelled_out(question)
    if _NOT_OWN.search(text):
        return None
    asked = _Asked(text)
    return _reimbursed(asked, units) or _contributed(asked, units) or _compared(asked, units)


# What the question says.


class _Asked:
    """Of whom, where and of what part a question asks; `only` makes it ask for one of the values that it compares."""

    def __init__(self, text: str) -> None:
        self.text, self.names = text, _whose(names(text))
        self.places = tuple(dict.fromkeys(places.find(text)))
        self.parts = parts(text)
        self.slots = [slot for slot in slots(text) if slot.kind in {"amount", "number", "ratio"}]
        self._years, self._marks = frozenset(YEAR.findall(text)), _marks(text)
        self._ages = [age for slot in slots(text) if slot.kind == "age" and (age := _worth(slot))]

    def only(self, dimension: str, value: str) -> _Asked:
        """The same question for one value of a dimension, of the places or of the parts."""
        other = _Asked(self.text)
        if dimension == "place":
            other.places = (value,)
        elif dimension == "part":
            other.parts = frozenset({value})
        else:
            other.names = {**self.names, dimension: frozenset({value})}
        return other

    @property
    def is_single(self) -> bool:
        """Whether it names no two values of anything, so that one rule can answer it."""
        return max(len(self.places), len(self.parts), *map(len, self.names.values()), 0) <= 1

    def fit(self, known: _Known) -> Fit:
        """Whether a figure holds for what is asked: both name the same. Where one names less, it is open."""
        told, line = known.names, known.saying.line
        there = places.find(line)
        if any(not (self.names[d] & told[d]) for d in told.keys() & self.names.keys()):
            return "excluded"
        if there and any(not any(places.related(p, own) for p in there) for own in self.places):
            return "excluded"
        years, part = known.saying.years, self._part(known.saying)
        alone = told.keys() ^ self.names.keys()
        if alone & _APART or part == "excluded" or (self._years and years and not self._years & years):
            return "excluded"
        agrees = not alone and self._marks == _marks(line) and self._is_here(there)
        return "fits" if agrees and part == "fits" and not self._is_foreign(known.saying) else "open"

    def _is_here(self, there: Sequence[str]) -> bool:
        """Whether the places of a rule are those of the question, or hold them."""
        return all(any(places.holds_in(p, own) for p in there) for own in self.places) and all(
            any(places.holds_in(p, own) for own in self.places) for p in there
        )

    def _is_foreign(self, said: Saying) -> bool:
        """Whether the figure is for a group or an event that the question does not speak of."""
        terms = {term for case in said.scope.cases if not _COSTS.search(case) for term in topic_words(case)}
        own = {t for t in terms - _PLAIN_WORDS if len(t) > 1 and not t[0].isdigit() and t not in self.text}
        return any(not (names(term) or places.find(term) or _marks(term)) for term in own)

    def _part(self, said: Saying) -> Fit:
        """Whether turn and tier are those asked for, and the age is."""
        told = {part for part in said.scope.parts if not _BAND_PART.match(part)}
        ages = [match for part in told if (match := _AGE.match(part))]
        tiers = frozenset(part for part in told if not _AGE.match(part))
        alike = {part[-1] for part in tiers} & {part[-1] for part in self.parts}
        if (alike and not tiers & self.parts) or (len(self._ages) == 1 and not all(map(self._is_of_age, ages))):
            return "excluded"
        return "fits" if tiers == self.parts and (not ages or len(self._ages) == 1) else "open"

    def _is_of_age(self, bound: re.Match[str]) -> bool:
        return self._ages[0] > Decimal(bound[1]) if bound[2] == "上" else self._ages[0] < Decimal(bound[1])


def _whose(found: Names) -> dict[str, frozenset[str]]:
    """The dimensions that decide. Who is 在职 or 退休 is insured as 职工."""
    own = {d: values for d, values in found.items() if d not in ROLES | NEUTRAL}
    if own.get("employment", OTHER) <= _EMPLOYED:
        own.setdefault("insured_type", frozenset({"职工"}))
    return own


def _marks(text: str) -> frozenset[int]:
    return frozenset(n for n, mark in enumerate(_MARKS) if mark.search(text))


def _spelled_out(question: str) -> str:
    """The question with 2万5 and 三万五 as 25000元 and 35000元, and with Chinese punctuation."""
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", unicodedata.normalize("NFKC", question))
    return _COLLOQUIAL.sub(_in_digits, text.translate(str.maketrans(",;:?!", "，；：？！")))


def _in_digits(match: re.Match[str]) -> str:
    try:
        return _money(Decimal(str(cn2an.cn2an(re.sub("元|块钱?", "", match.group()).replace("两", "二"), "smart"))))
    except ValueError:  # 两三万 is no number
        return match.group()


def _expense(asked: _Asked) -> Decimal | None:
    """The one figure of the question, if it is an amount that was spent."""
    if len(asked.slots) != 1 or asked.slots[0].kind == "ratio":
        return None
    slot = asked.slots[0]
    before, after = _CLAUSE_END.split(asked.text[: slot.start])[-1], asked.text[slot.end :]
    if _NOT_SPENT.search(before) or _ABOUT_BEFORE.search(before) or _ABOUT_AFTER.match(after):
        return None
    return _worth(slot) if _SPENT.search(before) or _SPENT_AFTER.match(after) else None


def _worth(slot: Slot) -> Decimal | None:
    """A slot as a number; None where its value is more than a number, as 3000美元 is."""
    return Decimal(slot.value) if re.fullmatch(r"\d+(?:\.\d+)?", slot.value) else None


# What the evidence says.


class _Known(Value):
    """A figure of a unit: whom it is for, the band of costs that it is of, and whether it is said outright."""

    saying: Saying
    names: Mapping[str, frozenset[str]]
    band: Range | None
    certain: bool

    @property
    def sentence(self) -> str:
        """The words that it stands in, without the titles above them."""
        return _sentence(self.saying)

    @property
    def section(self) -> tuple[str, ...]:
        """The document, and the titles that the figure stands under."""
        return (self.saying.unit.document_id, *self.saying.unit.title_path)

    @property
    def value(self) -> Range:
        """Both ends, which are one for a plain figure."""
        return self.saying.value

    @property
    def is_exact(self) -> bool:
        """Whether the figure is no range."""
        return self.value[0] == self.value[1]


def _read(units: Sequence[EvidenceUnit]) -> Iterator[_Known]:
    for unit in {unit.id: unit for unit in units}.values():
        said = list(sayings(unit, None, _READ))
        levels = frozenset(level for s in said for level in s.scope.names.get("level", ())) - OTHER
        for s in said:
            bands = [band for amount in _amounts(_sentence(s)) if (band := _band(amount, _sentence(s)))]
            yield _Known(s, _told(s, levels), bands[0] if len(bands) == 1 else None, _certain(s) and len(bands) <= 1)


def _sentence(said: Saying) -> str:
    return evened(said.line.rpartition("\n")[2])


def _around(said: Saying) -> tuple[str, str]:
    """The words before a figure in its clause, and all behind it."""
    before, _, after = _sentence(said).partition(evened(said.shown))
    return _CLAUSE_END.split(before)[-1], after


def _told(said: Saying, levels: frozenset[str]) -> Names:
    """Whom a figure is for; other hospitals are the rest of the levels that the unit names."""
    told = _whose(said.scope.names)
    if told.get("level") == OTHER:
        told["level"] = _REST.get(levels, OTHER)
    return told


def _certain(said: Saying) -> bool:
    """Whether the figure is said outright: no hedge, bound or condition. A plain range is, too."""
    of_limit = said.aspect in {"起付线", "封顶线"}
    if _HEDGED.search(said.line) or _CONDITIONAL.search(_sentence(said)):
        return False
    if not of_limit and _MOST.search(_LIMIT.sub("", said.line)):
        return False
    ends = [_worth(slot) for slot in slots(said.shown) if slot.kind in {"ratio", "amount"}]
    return ends == [*dict.fromkeys(said.value)] or (not ends and said.value[0] == said.value[1])


def _amounts(sentence: str) -> list[Figure]:
    return [figure for figure in figures(sentence) if figure.kind == "amount"]


def _band(amount: Figure, sentence: str) -> Range | None:
    """The costs that an amount bounds: 起付标准至5万元, 5万元至10万元, 10万元以上; None when it bounds none."""
    before, after = sentence[: amount.start], sentence[amount.end :]
    clause = _CLAUSE_END.split(before)[-1]
    if amount.low < amount.high:
        of_costs = not _STARTS.search(clause) and (_COSTS.search(clause) or _COSTS.match(after))
        return (amount.low, amount.high) if of_costs else None
    if _FROM_START.search(before) or re.match("及?以[下内]", after):
        return Decimal(0), amount.high
    if after.startswith("以上") or (_BEYOND.search(before) and _COSTS.match(after)):
        return amount.low, ENDLESS
    return None


# What is paid, and what is borne.


class _Limits(Value):
    """Deductible and cap, None where the evidence does not tell, and the units that tell them."""

    deductible: Decimal | None
    cap: Decimal | None
    units: tuple[EvidenceUnit, ...]


class _Stretch(Value):
    """A stretch of an expense, from and to, with the rule for it."""

    start: Decimal
    end: Decimal
    rule: _Known


def _reimbursed(asked: _Asked, units: Sequence[EvidenceUnit]) -> ComposedClaim | None:
    """能报多少, 自己掏多少: the expense by the one ratio that fits, band by band."""
    borne, expense = bool(_ASKS_BORNE.search(asked.text)), _expense(asked)
    if not (borne or _ASKS_PAID.search(asked.text)) or _OTHER_QUESTION.search(asked.text):
        return None
    if not expense or not asked.is_single:
        return None
    read = list(_read(units))
    for share in ("自付比例", "报销比例") if borne else ("报销比例", "自付比例"):
        rules = _rules(asked, [k for k in read if k.saying.aspect == share and _is_share(k.saying)], read)
        if rules != []:
            return _estimate(asked, expense, rules, read, borne=borne) if rules else None
    return None


def _is_share(said: Saying) -> bool:
    """Whether a ratio is a share of costs, and not of wages."""
    return bool(_SHARE.search(said.line)) and not _NO_SHARE.search(_sentence(said))


def _rules(asked: _Asked, ratios: Sequence[_Known], read: Sequence[_Known]) -> list[_Known] | None:
    """The ratios that fit, one a band, lowest first; none when no ratio fits, None when more than one might."""
    fitting = [k for k in ratios if asked.fit(k) == "fits"]
    values = {k.value for k in fitting}
    if any(asked.fit(k) == "open" and k.value not in values for k in ratios):
        return None
    if not all(k.certain and _is_understood(k, read) for k in fitting):
        return None
    by_band = {k.band: k for k in reversed(fitting)}
    if len({(k.band, k.value) for k in fitting}) > len(by_band) or (None in by_band and len(by_band) > 1):
        return None
    return sorted(by_band.values(), key=lambda k: k.band or (Decimal(0), ENDLESS))


def _is_understood(known: _Known, read: Sequence[_Known]) -> bool:
    """Whether all figures beside a ratio are known for what they are: bands, deductible, cap, age."""
    sentence = known.sentence
    beside = [k.saying for k in read if k.sentence == sentence]
    limits = {s.value[0] for s in beside if s.aspect == "封顶线" or _is_deductible(s)}
    return all(
        figure.kind in {"ratio", "age"}
        or (figure.kind == "amount" and (figure.low in limits or _band(figure, sentence) is not None))
        for figure in figures(sentence)
    )


def _is_deductible(said: Saying) -> bool:
    """Whether an amount is where reimbursement begins: 起付线800元, 费用超过多少后开始报销：2000元."""
    before, _ = _around(said)
    return said.aspect == "起付线" or (said.aspect == "报销金额" and bool(_STARTS.search(before)))


def _limits(asked: _Asked, rules: Sequence[_Known], read: Sequence[_Known]) -> _Limits | None:
    """Deductible and cap in the sections of the rules; None if uncertain, or if two of a kind might fit."""
    sections = {k.section for k in rules}
    near = [k for k in read if k.section in sections and asked.fit(k) != "excluded"]
    starts = [k for k in near if _is_deductible(k.saying)]
    caps = [k for k in near if k.saying.aspect == "封顶线"]
    if any(len({k.value for k in found}) > 1 for found in (starts, caps)) or any(k.band for k in caps):
        return None
    if not all(k.certain and k.is_exact for k in (*starts, *caps)):
        return None
    start, cap = (found[0].value[0] if found else None for found in (starts, caps))
    return _Limits(start, cap, tuple(found[0].saying.unit for found in (starts, caps) if found))


def _estimate(
    asked: _Asked, expense: Decimal, rules: Sequence[_Known], read: Sequence[_Known], *, borne: bool
) -> ComposedClaim | None:
    """The claim, when the rules reach the expense without a gap and it is clear what limits them."""
    limits = _limits(asked, rules, read)
    if limits is None:
        return None
    stretches = _stretches(expense, rules, limits.deductible or Decimal(0))
    by_own_share = rules[0].saying.aspect == "自付比例"
    if not stretches or (by_own_share and limits.cap is not None):
        return None
    ends = (0,) if all(s.rule.is_exact for s in stretches) else (0, 1)
    sums = [_Sum(expense, stretches, limits, end) for end in ends]
    shown = "；".join(s.by_own_share(borne=borne) if by_own_share else s.by_share(borne=borne) for s in sums)
    results = f"，即{'至'.join(_money(r) for r in sorted(s.result for s in sums))}" if len(sums) > 1 else ""
    rates = "、".join(dict.fromkeys(_ratio(s.rule.value) for s in stretches))
    start = f"、起付线{_money(limits.deductible)}" if limits.deductible else ""
    whose = "个人负担" if by_own_share else ""
    text = f"按{whose}{rates}{start}估算：{shown}{results}{_left_out(asked, limits)}"
    used = (*(s.rule.saying.unit for s in stretches), *limits.units)
    return ComposedClaim(text, tuple({unit.id: unit for unit in used}.values()), "computed")


def _stretches(expense: Decimal, rules: Sequence[_Known], deductible: Decimal) -> list[_Stretch]:
    """The expense above the deductible, cut by the bands; none when a stretch has no rule, or nothing is left."""
    found, at = [], deductible
    for rule in rules:
        low, high = rule.band or (Decimal(0), ENDLESS)
        if low > at or at >= expense:
            break
        if high > at:
            found.append(_Stretch(at, min(high, expense), rule))
            at = min(high, expense)
    return found if at == expense else []


class _Sum:
    """One estimate on its way: the steps, each as it is shown, and the result so far."""

    def __init__(self, expense: Decimal, stretches: Sequence[_Stretch], limits: _Limits, end: int) -> None:
        self._expense, self._limits, self._steps = expense, limits, list[str]()
        shares = [self._share(s, s.rule.value[end]) for s in stretches]
        self.result = self._step(shares, "+") if len(shares) > 1 else shares[0]

    def by_share(self, *, borne: bool) -> str:
        """The shares are the fund's, at most its cap."""
        cap = self._limits.cap
        if cap is not None and self.result > cap:
            self._steps.append(f"超过最高支付限额{_money(cap)}，按{_money(cap)}计")
            self.result = cap
        return self._shown(is_rest=borne)

    def by_own_share(self, *, borne: bool) -> str:
        """The shares are the insured's, who bears the deductible as well."""
        if self._limits.deductible:
            self.result = self._step((self.result, self._limits.deductible), "+")
        return self._shown(is_rest=not borne)

    def _share(self, stretch: _Stretch, ratio: Decimal) -> Decimal:
        value = _cents((stretch.end - stretch.start) * ratio / _HUNDRED)
        base = _money(stretch.end)
        base = f"（{base} {_MINUS} {_money(stretch.start)}）" if stretch.start else base
        self._steps.append(f"{base} {_TIMES} {_plain(ratio)}% = {_money(value)}")
        return value

    def _step(self, values: Sequence[Decimal], sign: str) -> Decimal:
        result = values[0] + sum(values[1:]) * (1 if sign == "+" else -1)
        self._steps.append(f" {sign} ".join(map(_money, values)) + f" = {_money(result)}")
        return result

    def _shown(self, *, is_rest: bool) -> str:
        if is_rest:
            self.result = self._step((self._expense, self.result), _MINUS)
        return "，".join(self._steps)


def _left_out(asked: _Asked, limits: _Limits) -> str:
    """What an estimate does not count."""
    left = ["起付线"] if limits.deductible is None else []
    left += [] if _COVERED.search(asked.text) else ["目录外费用"]
    left += ["封顶线"] if limits.cap is None else []
    return f"（未计{'和'.join(filter(None, ('、'.join(left[:-1]), left[-1])))}）" if left else ""


# Contributions by the month and by the year.


def _contributed(asked: _Asked, units: Sequence[EvidenceUnit]) -> ComposedClaim | None:
    """每月364.46元，一年要交多少: one contribution for as long as the question says.

    An amount of the question's own has to be the cited one, and then says by itself which contribution is meant.
    """
    months = _months(asked)
    if months is None or not asked.is_single:
        return None
    own = [_worth(slot) for slot in asked.slots]
    known = [(k, period) for k in _read(units) if (period := _period(k)) and asked.fit(k) != "excluded"]
    if own:
        known = [(k, period) for k, period in known if own == [k.value[0]]]
    elif any(asked.fit(k) != "fits" for k, _ in known):
        return None
    if len({(k.value, period) for k, period in known}) != 1 or not all(k.certain for k, _ in known):
        return None
    return _for_months(known[0][0], known[0][1], months)


def _months(asked: _Asked) -> Decimal | None:
    """For how many months the question asks a contribution."""
    if not _ASKS_CONTRIBUTION.search(asked.text) or _NO_CONTRIBUTION.search(asked.text):
        return None
    found = [slot.value for slot in slots(asked.text) if slot.kind == "period"]
    if _ASKS_A_MONTH.search(asked.text):
        return _MONTHS["月"] if found in ([], ["1month"]) else None
    if not found and _ASKS_A_YEAR.search(asked.text):
        return _MONTHS["年"]
    return Decimal(found[0].removesuffix("month")) if len(found) == 1 and found[0].endswith("month") else None


def _period(known: _Known) -> str | None:
    """月 or 年, where an amount is expressly what is paid in for each."""
    clause, after = _around(known.saying)
    if known.saying.measure != "amount" or not known.is_exact or _NO_CONTRIBUTION.search(clause):
        return None
    behind = _EACH_BEHIND.match(after)
    each = {*_EACH.findall(clause), *(behind.groups() if behind else ())}
    return each.pop() if len(each) == 1 and _CONTRIBUTION.search(clause) else None


def _for_months(known: _Known, period: str, months: Decimal) -> ComposedClaim | None:
    """The contribution times the months or years; a month's share of a year's where it comes out even."""
    amount, times = known.value[0], months / _MONTHS[period]
    if times > 1 and times % 1 == 0:
        sum_ = f"{_money(amount)} {_TIMES} {_plain(times)}{'个月' if period == '月' else '年'}"
    elif months == 1 and period == "年" and _cents(amount * times) * _MONTHS["年"] == amount:
        sum_ = f"{_money(amount)} ÷ {_plain(_MONTHS['年'])}个月"
    else:
        return None
    text = f"按每{period}{_money(amount)}计算：{sum_} = {_money(amount * times)}"
    return ComposedClaim(text, (known.saying.unit,), "computed")


# Two figures compared, or added.


def _compared(asked: _Asked, units: Sequence[EvidenceUnit]) -> ComposedClaim | None:
    """退休比在职高多少, 起付线一共多少: two figures of one kind, of the two things that the question sets apart."""
    differs, adds = _ASKS_DIFFERENCE.search(asked.text), _ASKS_SUM.search(asked.text)
    aspects = asked_aspects(asked.text) & _READ
    if bool(differs) == bool(adds) or len(aspects) != 1 or asked.slots:
        return None
    pair = _pair(asked, _COMPARED if differs else _ADDED)
    known = [k for k in _read(units) if k.saying.aspect in aspects] if pair else []
    sides = [(label, figure) for label, one in pair if (figure := _only(one, known))]
    if len(sides) < _PAIR or len({k.saying.measure for _, k in sides}) > 1:
        return None
    if differs:
        return _difference(asked, sides, differs["way"])
    return _total(sides) if sides[0][1].saying.measure == "amount" else None


def _pair(asked: _Asked, dimensions: frozenset[str]) -> list[tuple[str, _Asked]]:
    """The two things that are set apart, in the order of the question, each with the question for it alone."""
    named = {**asked.names, "place": frozenset(asked.places), "part": asked.parts}
    several = [(dimension, values) for dimension, values in named.items() if len(values) > 1]
    if len(several) != 1:
        return []
    dimension, values = several[0]
    if len(values) != _PAIR or dimension not in dimensions:
        return []
    return [(value, asked.only(dimension, value)) for value in sorted(values, key=lambda v: _where(asked.text, v))]


def _where(text: str, value: str) -> int:
    """Where a text first names a value."""
    named = [start for _, known, start, _ in qualifiers.located(text) if known == value]
    named += [start for place, start, _ in places.located(text) if place == value]
    return min(named, default=text.find(value))


def _only(asked: _Asked, known: Sequence[_Known]) -> _Known | None:
    """The one figure that fits, when no other might."""
    near = [k for k in known if asked.fit(k) != "excluded"]
    fitting = [k for k in near if asked.fit(k) == "fits"]
    sure = all(k.certain and k.is_exact and k.band is None for k in fitting)
    return fitting[0] if fitting and sure and len({k.value for k in near}) == 1 else None


def _difference(asked: _Asked, sides: Sequence[tuple[str, _Known]], way: str | None) -> ComposedClaim | None:
    """The greater less the smaller; None where the question has it the wrong way round."""
    first, second = (k.value[0] for _, k in sides)
    than = _THAN.search(asked.text)
    between = than and _where(asked.text, sides[0][0]) < than.start() < _where(asked.text, sides[1][0])
    if first == second or (way and (not between or (first > second) != (way in "高多"))):
        return None
    great, small = sorted(sides, key=lambda side: side[1].value[0], reverse=True)
    result = great[1].value[0] - small[1].value[0]
    shown = f"{_plain(result)}个百分点" if great[1].saying.measure == "ratio" else _money(result)
    return _of_two((great, small), "相差", _MINUS, shown)


def _total(sides: Sequence[tuple[str, _Known]]) -> ComposedClaim:
    return _of_two(sides, "合计", "+", _money(sides[0][1].value[0] + sides[1][1].value[0]))


def _of_two(sides: Sequence[tuple[str, _Known]], what: str, sign: str, result: str) -> ComposedClaim:
    """The claim: whose figure each is, then the formula."""
    written = [_ratio(k.value) if k.saying.measure == "ratio" else _money(k.value[0]) for _, k in sides]
    told = "，".join(f"{label}{figure}" for (label, _), figure in zip(sides, written, strict=True))
    units = tuple({k.saying.unit.id: k.saying.unit for _, k in sides}.values())
    return ComposedClaim(f"{told}，{what}：{f' {sign} '.join(written)} = {result}", units, "computed")


# How figures are written.


def _ratio(value: Range) -> str:
    return "至".join(f"{_plain(end)}%" for end in dict.fromkeys(value))


def _money(amount: Decimal) -> str:
    return f"{_plain(_cents(amount))}元"


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)


def _plain(number: Decimal) -> str:
    return format(number.normalize(), "f")
