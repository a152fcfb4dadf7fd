"""The figures that the evidence states: of what, for whom, for which band of costs, and whether outright.

Knows which words hedge or condition a figure. Whether a figure holds for the asker is the job of `asked`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from rag.answer.figures import ENDLESS, Figure, evened, figures
from rag.answer.sayings import NEUTRAL, OTHER, ROLES, Names, Range, Saying, sayings
from rag.answer.verifying.slots import Slot, slots
from rag.domain import EvidenceUnit, Value

READ = frozenset({"报销比例", "自付比例", "缴费比例", "起付线", "封顶线", "缴费标准", "缴费基数", "报销金额"})
CLAUSE_END = re.compile(r"[，。；！？]")
# What makes a figure uncertain, conditional or gone.
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
STARTS = re.compile(r"起付|门槛|免赔|起报|开始报销")
COSTS = re.compile(r"\s*的?(?:费用|段|部分|之间)")
_FROM_START = re.compile(r"起付(?:线|标准|金额)?(?:以上)?\s*[-~—–至到]+\s*$")
_BEYOND = re.compile(r"超[过出]?\s*$")
# Other hospitals are a known rest where the highest or the lowest are named; a 基层 clinic may be of the first level.
_REST = {
    frozenset({"基层"}): frozenset({"三级", "二级"}),
    frozenset({"一级", "基层"}): frozenset({"三级", "二级"}),
    frozenset({"三级"}): frozenset({"二级", "一级", "基层"}),
    frozenset({"三级", "二级"}): frozenset({"一级", "基层"}),
}


class Known(Value):
    """A figure of a unit: whom it is for, the band of costs that it is of, and whether it is said outright."""

    saying: Saying
    names: Mapping[str, frozenset[str]]
    band: Range | None
    certain: bool

    @property
    def sentence(self) -> str:
        """The words that it stands in, without the titles above them."""
        return sentence_of(self.saying)

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


def known_in(units: Sequence[EvidenceUnit]) -> Iterator[Known]:
    """Every figure that a sum may use, of each unit once."""
    for unit in {unit.id: unit for unit in units}.values():
        said = list(sayings(unit, None, READ))
        levels = frozenset(level for s in said for level in s.scope.names.get("level", ())) - OTHER
        for s in said:
            bands = [band for amount in _amounts(sentence_of(s)) if (band := band_of(amount, sentence_of(s)))]
            yield Known(s, _told(s, levels), bands[0] if len(bands) == 1 else None, _certain(s) and len(bands) <= 1)


def sentence_of(said: Saying) -> str:
    """The sentence that a figure stands in, without the titles above it."""
    return evened(said.line.rpartition("\n")[2])


def around(said: Saying) -> tuple[str, str]:
    """The words before a figure in its clause, and all behind it."""
    before, _, after = sentence_of(said).partition(evened(said.shown))
    return CLAUSE_END.split(before)[-1], after


def _told(said: Saying, levels: frozenset[str]) -> Names:
    """Whom a figure is for; other hospitals are the rest of the levels that the unit names."""
    told = whose(said.scope.names)
    if told.get("level") == OTHER:
        told["level"] = _REST.get(levels, OTHER)
    return told


def _certain(said: Saying) -> bool:
    """Whether the figure is said outright: no hedge, bound or condition. A plain range is, too."""
    of_limit = said.aspect in {"起付线", "封顶线"}
    if _HEDGED.search(said.line) or _CONDITIONAL.search(sentence_of(said)):
        return False
    if not of_limit and _MOST.search(_LIMIT.sub("", said.line)):
        return False
    ends = [worth(slot) for slot in slots(said.shown) if slot.kind in {"ratio", "amount"}]
    return ends == [*dict.fromkeys(said.value)] or (not ends and said.value[0] == said.value[1])


def _amounts(sentence: str) -> list[Figure]:
    return [figure for figure in figures(sentence) if figure.kind == "amount"]


def band_of(amount: Figure, sentence: str) -> Range | None:
    """The costs that an amount bounds: 起付标准至5万元, 5万元至10万元, 10万元以上; None when it bounds none."""
    before, after = sentence[: amount.start], sentence[amount.end :]
    clause = CLAUSE_END.split(before)[-1]
    if amount.low < amount.high:
        of_costs = not STARTS.search(clause) and (COSTS.search(clause) or COSTS.match(after))
        return (amount.low, amount.high) if of_costs else None
    if _FROM_START.search(before) or re.match("及?以[下内]", after):
        return Decimal(0), amount.high
    if after.startswith("以上") or (_BEYOND.search(before) and COSTS.match(after)):
        return amount.low, ENDLESS
    return None


def is_deductible(said: Saying) -> bool:
    """Whether an amount is where reimbursement begins: 起付线800元, 费用超过多少后开始报销：2000元."""
    before, _ = around(said)
    return said.aspect == "起付线" or (said.aspect == "报销金额" and bool(STARTS.search(before)))


def whose(found: Names) -> dict[str, frozenset[str]]:
    """The dimensions that decide."""
    return {d: values for d, values in found.items() if d not in ROLES | NEUTRAL}


def worth(slot: Slot) -> Decimal | None:
    """A slot as a number; None where its value is more than a number, as 3000美元 is."""
    return Decimal(slot.value) if re.fullmatch(r"\d+(?:\.\d+)?", slot.value) else None
