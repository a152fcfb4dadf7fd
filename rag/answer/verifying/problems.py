"""What can be wrong with a claim.

Knows the kinds by name. What finds them is the job of the other modules here.
"""

from __future__ import annotations

from typing import Literal

from rag.domain import Value

ProblemKind = Literal[
    "number", "unit", "bound", "place", "person", "qualifier", "polarity", "date", "unsupported", "incomplete"
]


class Problem(Value):
    """What is wrong with a claim: the part of it, and what the evidence has there."""

    kind: ProblemKind
    claim: str
    evidence: str = ""


_PERSONS = frozenset({"insured_type", "employment", "party", "kin", "agent", "payer", "sex", "grown"})
_BOUNDS = frozenset({"direction", "most", "above", "until", "scope", "early", "change", "full", "exceed"})
_MODAL = frozenset({"need", "sure", "usual", "valid", "share", "same", "only"})


def kind_of(dimension: str) -> ProblemKind:
    """The kind of a problem with a word of this dimension, which is no figure."""
    if dimension == "place":
        return "place"
    if dimension in _PERSONS:
        return "person"
    if dimension in _BOUNDS:
        return "bound"
    return "polarity" if dimension in _MODAL else "qualifier"
