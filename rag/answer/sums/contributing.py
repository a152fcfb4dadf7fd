"""一年要交多少: one contribution for as many months or years as the question says.

Knows which amounts are paid in for each month or year. Whether one holds for the asker is the job of `asked`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from rag.answer.composing import ComposedClaim
from rag.answer.sums.asked import Asked
from rag.answer.sums.stated import Known, around, known_in, worth
from rag.answer.sums.writing import TIMES, cents, money, plain
from rag.answer.verifying.slots import slots
from rag.domain import EvidenceUnit

_MONTHS = {"月": Decimal(1), "年": Decimal(12)}
_ASKS_CONTRIBUTION = re.compile(r"[缴交补][费纳缴交]?[^，。？；]{0,6}?(?:多少|几[百千万])(?!个?[年月天次])")
_ASKS_A_MONTH = re.compile(r"(?:每个?|一个|按)月[^，。？；\d]{0,6}(?:多少|几[百千万])")
_ASKS_A_YEAR = re.compile(r"每年|全年|整年")
_NO_CONTRIBUTION = re.compile(r"报|花|基数|比例|滞纳|养老|工资|上限|下限|失业|公积金|补[贴助]")
_CONTRIBUTION = re.compile(r"[缴交][费纳]?|保费")
_EACH = re.compile(r"(?:每人?每?个?|^|：|应|按)([月年])(?!度)")
_EACH_BEHIND = re.compile(r"\s*(?:/|每|一)个?([月年])")


def contributed(asked: Asked, units: Sequence[EvidenceUnit]) -> ComposedClaim | None:
    """每月364.46元，一年要交多少: one contribution for as long as the question says.

    An amount of the question's own has to be the cited one, and then says by itself which contribution is meant.
    """
    months = _months(asked)
    if months is None or not asked.is_single:
        return None
    own = [worth(slot) for slot in asked.slots]
    known = [(k, period) for k in known_in(units) if (period := _period(k)) and asked.fit(k) != "excluded"]
    if own:
        known = [(k, period) for k, period in known if own == [k.value[0]]]
    elif any(asked.fit(k) != "fits" for k, _ in known):
        return None
    if len({(k.value, period) for k, period in known}) != 1 or not all(k.certain for k, _ in known):
        return None
    return _for_months(known[0][0], known[0][1], months)


def _months(asked: Asked) -> Decimal | None:
    """For how many months the question asks a contribution."""
    if not _ASKS_CONTRIBUTION.search(asked.text) or _NO_CONTRIBUTION.search(asked.text):
        return None
    found = [slot.value for slot in slots(asked.text) if slot.kind == "period"]
    if _ASKS_A_MONTH.search(asked.text):
        return _MONTHS["月"] if found in ([], ["1month"]) else None
    if not found and _ASKS_A_YEAR.search(asked.text):
        return _MONTHS["年"]
    return Decimal(found[0].removesuffix("month")) if len(found) == 1 and found[0].endswith("month") else None


def _period(known: Known) -> str | None:
    """月 or 年, where an amount is expressly what is paid in for each."""
    clause, after = around(known.saying)
    if known.saying.measure != "amount" or not known.is_exact or _NO_CONTRIBUTION.search(clause):
        return None
    behind = _EACH_BEHIND.match(after)
    each = {*_EACH.findall(clause), *(behind.groups() if behind else ())}
    return each.pop() if len(each) == 1 and _CONTRIBUTION.search(clause) else None


def _for_months(known: Known, period: str, months: Decimal) -> ComposedClaim | None:
    """The contribution times the months or years; a month's share of a year's where it comes out even."""
    amount, times = known.value[0], months / _MONTHS[period]
    if times > 1 and times % 1 == 0:
        sum_ = f"{money(amount)} {TIMES} {plain(times)}{'个月' if period == '月' else '年'}"
    elif months == 1 and period == "年" and cents(amount * times) * _MONTHS["年"] == amount:
        sum_ = f"{money(amount)} ÷ {plain(_MONTHS['年'])}个月"
    else:
        return None
    text = f"按每{period}{money(amount)}计算：{sum_} = {money(amount * times)}"
    return ComposedClaim(text, (known.saying.unit,), "computed")
