"""One estimate: an expense cut into stretches, each times its share, limited and shown step by step.

Knows the arithmetic. Which shares and limits hold is the job of `reimbursing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rag.answer.sums.stated import Known
from rag.answer.sums.writing import MINUS, TIMES, cents, money, plain
from rag.domain import EvidenceUnit, Value

_HUNDRED = Decimal(100)


class Limits(Value):
    """Deductible and cap, None where the evidence does not tell, and the units that tell them."""

    deductible: Decimal | None
    cap: Decimal | None
    units: tuple[EvidenceUnit, ...]


class Stretch(Value):
    """A stretch of an expense, from and to, with the rule for it."""

    start: Decimal
    end: Decimal
    rule: Known


class Sum:
    """One estimate on its way: the steps, each as it is shown, and the result so far."""

    def __init__(self, expense: Decimal, stretches: Sequence[Stretch], limits: Limits, end: int) -> None:
        self._expense, self._limits, self._steps = expense, limits, list[str]()
        shares = [self._share(s, s.rule.value[end]) for s in stretches]
        self.result = self._step(shares, "+") if len(shares) > 1 else shares[0]

    def by_share(self, *, borne: bool) -> str:
        """The shares are the fund's, at most its cap."""
        cap = self._limits.cap
        if cap is not None and self.result > cap:
            self._steps.append(f"超过最高支付限额{money(cap)}，按{money(cap)}计")
            self.result = cap
        return self._shown(is_rest=borne)

    def by_own_share(self, *, borne: bool) -> str:
        """The shares are the insured's, who bears the deductible as well."""
        if self._limits.deductible:
            self.result = self._step((self.result, self._limits.deductible), "+")
        return self._shown(is_rest=not borne)

    def _share(self, stretch: Stretch, ratio: Decimal) -> Decimal:
        value = cents((stretch.end - stretch.start) * ratio / _HUNDRED)
        base = money(stretch.end)
        base = f"（{base} {MINUS} {money(stretch.start)}）" if stretch.start else base
        self._steps.append(f"{base} {TIMES} {plain(ratio)}% = {money(value)}")
        return value

    def _step(self, values: Sequence[Decimal], sign: str) -> Decimal:
        result = values[0] + sum(values[1:]) * (1 if sign == "+" else -1)
        self._steps.append(f" {sign} ".join(map(money, values)) + f" = {money(result)}")
        return result

    def _shown(self, *, is_rest: bool) -> str:
        if is_rest:
            self.result = self._step((self._expense, self.result), MINUS)
        return "，".join(self._steps)
