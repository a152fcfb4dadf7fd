"""能报多少, 自己掏多少: an expense by the one share that fits, band by band, above the deductible and up to the cap.

Knows which shares and limits go together, and when a second reading is possible: then there is no estimate. How
the steps are added up and shown is the job of `estimate`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from rag.answer.composing import ComposedClaim
from rag.answer.figures import ENDLESS, figures
from rag.answer.sayings import Saying
from rag.answer.sums.asked import Asked, expense_of
from rag.answer.sums.estimate import Limits, Stretch, Sum
from rag.answer.sums.stated import Known, band_of, is_deductible, known_in, sentence_of
from rag.answer.sums.writing import money, percent
from rag.domain import EvidenceUnit

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
_COVERED = re.compile(r"目录内|政策范围内|合规")
_SHARE = re.compile(r"报|支付|补偿|给付|负担|自付|自负|承担")
_NO_SHARE = re.compile(r"[缴交][费纳]?(?:比例|费率)|费率|工资|基数|罚|违约|利率")


def reimbursed(asked: Asked, units: Sequence[EvidenceUnit]) -> ComposedClaim | None:
    """能报多少, 自己掏多少: the expense by the one ratio that fits, band by band."""
    borne, expense = bool(_ASKS_BORNE.search(asked.text)), expense_of(asked)
    if not (borne or _ASKS_PAID.search(asked.text)) or _OTHER_QUESTION.search(asked.text):
        return None
    if not expense or not asked.is_single:
        return None
    read = list(known_in(units))
    for share in ("自付比例", "报销比例") if borne else ("报销比例", "自付比例"):
        rules = _rules(asked, [k for k in read if k.saying.aspect == share and _is_share(k.saying)], read)
        if rules != []:
            return _estimate(asked, expense, rules, read, borne=borne) if rules else None
    return None


def _is_share(said: Saying) -> bool:
    """Whether a ratio is a share of costs, and not of wages."""
    return bool(_SHARE.search(said.line)) and not _NO_SHARE.search(sentence_of(said))


def _rules(asked: Asked, ratios: Sequence[Known], read: Sequence[Known]) -> list[Known] | None:
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


def _is_understood(known: Known, read: Sequence[Known]) -> bool:
    """Whether all figures beside a ratio are known for what they are: bands, deductible, cap, age."""
    sentence = known.sentence
    beside = [k.saying for k in read if k.sentence == sentence]
    limits = {s.value[0] for s in beside if s.aspect == "封顶线" or is_deductible(s)}
    return all(
        figure.kind in {"ratio", "age"}
        or (figure.kind == "amount" and (figure.low in limits or band_of(figure, sentence) is not None))
        for figure in figures(sentence)
    )


def _limits(asked: Asked, rules: Sequence[Known], read: Sequence[Known]) -> Limits | None:
    """Deductible and cap in the sections of the rules; None if uncertain, or if two of a kind might fit."""
    sections = {k.section for k in rules}
    near = [k for k in read if k.section in sections and asked.fit(k) != "excluded"]
    starts = [k for k in near if is_deductible(k.saying)]
    caps = [k for k in near if k.saying.aspect == "封顶线"]
    if any(len({k.value for k in found}) > 1 for found in (starts, caps)) or any(k.band for k in caps):
        return None
    if not all(k.certain and k.is_exact for k in (*starts, *caps)):
        return None
    start, cap = (found[0].value[0] if found else None for found in (starts, caps))
    return Limits(start, cap, tuple(found[0].saying.unit for found in (starts, caps) if found))


def _estimate(
    asked: Asked, expense: Decimal, rules: Sequence[Known], read: Sequence[Known], *, borne: bool
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
    sums = [Sum(expense, stretches, limits, end) for end in ends]
    shown = "；".join(s.by_own_share(borne=borne) if by_own_share else s.by_share(borne=borne) for s in sums)
    results = f"，即{'至'.join(money(r) for r in sorted(s.result for s in sums))}" if len(sums) > 1 else ""
    rates = "、".join(dict.fromkeys(percent(s.rule.value) for s in stretches))
    start = f"、起付线{money(limits.deductible)}" if limits.deductible else ""
    whose = "个人负担" if by_own_share else ""
    text = f"按{whose}{rates}{start}估算：{shown}{results}{_left_out(asked, limits)}"
    used = (*(s.rule.saying.unit for s in stretches), *limits.units)
    return ComposedClaim(text, tuple({unit.id: unit for unit in used}.values()), "computed")


def _stretches(expense: Decimal, rules: Sequence[Known], deductible: Decimal) -> list[Stretch]:
    """The expense above the deductible, cut by the bands; none when a stretch has no rule, or nothing is left."""
    found, at = [], deductible
    for rule in rules:
        low, high = rule.band or (Decimal(0), ENDLESS)
        if low > at or at >= expense:
            break
        if high > at:
            found.append(Stretch(at, min(high, expense), rule))
            at = min(high, expense)
    return found if at == expense else []


def _left_out(asked: Asked, limits: Limits) -> str:
    """What an estimate does not count."""
    left = ["起付线"] if limits.deductible is None else []
    left += [] if _COVERED.search(asked.text) else ["目录外费用"]
    left += ["封顶线"] if limits.cap is None else []
    return f"（未计{'和'.join(filter(None, ('、'.join(left[:-1]), left[-1])))}）" if left else ""
