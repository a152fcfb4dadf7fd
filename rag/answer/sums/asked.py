"""Of whom, where and of what part a question asks for a sum, and which stated figure holds for that.

Knows which amount is the asker's own expense. What the evidence states is read by `stated`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

import cn2an

from rag import places
from rag.answer.sayings import YEAR, Saying, names, parts
from rag.answer.sums.stated import CLAUSE_END, COSTS, Known, whose, worth
from rag.answer.sums.writing import money
from rag.answer.verifying.slots import slots
from rag.tokens import topic_words

Fit = Literal["fits", "open", "excluded"]

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


class Asked:
    """Of whom, where and of what part a question asks; `only` makes it ask for one of the values that it compares."""

    def __init__(self, text: str) -> None:
        self.text, self.names = text, whose(names(text))
        self.places = tuple(dict.fromkeys(places.find(text)))
        self.parts = parts(text)
        self.slots = [slot for slot in slots(text) if slot.kind in {"amount", "number", "ratio"}]
        self._years, self._marks = frozenset(YEAR.findall(text)), _marks(text)
        self._ages = [age for slot in slots(text) if slot.kind == "age" and (age := worth(slot))]

    def only(self, dimension: str, value: str) -> Asked:
        """The same question for one value of a dimension, of the places or of the parts."""
        other = Asked(self.text)
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

    def fit(self, known: Known) -> Fit:
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
        terms = {term for case in said.scope.cases if not COSTS.search(case) for term in topic_words(case)}
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


def _marks(text: str) -> frozenset[int]:
    return frozenset(n for n, mark in enumerate(_MARKS) if mark.search(text))


def spelled_out(question: str) -> str:
    """The question with 2万5 and 三万五 as 25000元 and 35000元, and with Chinese punctuation."""
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", unicodedata.normalize("NFKC", question))
    return _COLLOQUIAL.sub(_in_digits, text.translate(str.maketrans(",;:?!", "，；：？！")))


def _in_digits(match: re.Match[str]) -> str:
    try:
        return money(Decimal(str(cn2an.cn2an(re.sub("元|块钱?", "", match.group()).replace("两", "二"), "smart"))))
    except ValueError:  # 两三万 is no number
        return match.group()


def expense_of(asked: Asked) -> Decimal | None:
    """The one figure of the question, if it is an amount that was spent."""
    if len(asked.slots) != 1 or asked.slots[0].kind == "ratio":
        return None
    slot = asked.slots[0]
    before, after = CLAUSE_END.split(asked.text[: slot.start])[-1], asked.text[slot.end :]
    if _NOT_SPENT.search(before) or _ABOUT_BEFORE.search(before) or _ABOUT_AFTER.match(after):
        return None
    return worth(slot) if _SPENT.search(before) or _SPENT_AFTER.match(after) else None
