"""How a sum writes its figures: amounts in yuan to the cent, ratios in percent, signs of arithmetic.

Knows notation and nothing of what a figure is of.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from rag.answer.sayings import Range

TIMES, MINUS = "\u00d7", "\u2212"
_CENT = Decimal("0.01")


def percent(value: Range) -> str:
    """60%, or 60%至80%."""
    return "至".join(f"{plain(end)}%" for end in dict.fromkeys(value))


def money(amount: Decimal) -> str:
    """1234.5元: rounded to the cent, no zeros at the end."""
    return f"{plain(cents(amount))}元"


def cents(amount: Decimal) -> Decimal:
    """An amount rounded to the cent, halves up."""
    return amount.quantize(_CENT, ROUND_HALF_UP)


def plain(number: Decimal) -> str:
    """A number in digits, no zeros at the end."""
    return format(number.normalize(), "f")
