"""False claims written by hand: how many of them the verifier catches, by what is wrong with them.

Knows kinds and bar. Where the claims come from is the job of `truths`; claims that are made false by rule are the job
of `mutants`, and people make other mistakes than rules do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import get_args

from evals.handwritten import Wrong
from evals.statistics import wilson
from evals.truths import LookAlike
from rag.answer.verifying.problems import Problem
from rag.domain import Value

# A wrong figure, date, place or person is told with the same certainty as a right one, and costs most.
FACTS: frozenset[Wrong] = frozenset({"number", "unit", "date", "place", "person"})
FACTS_BAR = 0.95


class Caught(Value):
    """How many look-alikes of a kind were caught, with a 95 % interval; `bar` is absent where none is set."""

    kind: str
    n: int
    caught: int
    low: float
    high: float
    bar: float | None = None

    @property
    def met(self) -> bool:
        """Whether the share caught reaches the bar, if there is one and anything was tried."""
        return self.bar is None or self.n == 0 or self.caught >= self.bar * self.n

    def __str__(self) -> str:
        share = f"{self.caught / self.n:.3f}" if self.n else "    -"
        bar = "" if self.bar is None else f"  {self.bar:.2f} {'met' if self.met else 'MISSED'}"
        return f"{self.kind:<12}{self.caught:>6} {self.n:>6}  {share} [{self.low:.3f}, {self.high:.3f}]{bar}"


class Verdicts(Value):
    """The rows by kind, that of all facts and that of all look-alikes, and the look-alikes that were let through."""

    rows: tuple[Caught, ...]
    missed: tuple[LookAlike, ...]

    @property
    def met(self) -> bool:
        """Whether every bar is reached."""
        return all(row.met for row in self.rows)

    def __str__(self) -> str:
        lines = [f"written false by hand ({'kind':<10} right, n, share [95 %], bar)", *map(str, self.rows)]
        lines += [
            f"- {one.kind}: {one.id}\n    evidence: {_on_a_line(one)}\n    false: {one.claim}" for one in self.missed
        ]
        return "\n".join(lines)


def judge(
    look_alikes: Sequence[LookAlike], verify: Callable[[str, Sequence[str], str], tuple[Problem, ...]]
) -> Verdicts:
    """Ask the verifier about each."""
    missed = [one for one in look_alikes if not verify(one.claim, (one.evidence,), one.title)]
    return Verdicts(tuple(_rows(look_alikes, missed)), tuple(missed))


def _rows(tried: Sequence[LookAlike], missed: Sequence[LookAlike]) -> Iterator[Caught]:
    for kind in get_args(Wrong):
        yield _row(kind, frozenset({kind}), tried, missed, None)
    yield _row("facts", FACTS, tried, missed, FACTS_BAR)
    yield _row("all", frozenset(get_args(Wrong)), tried, missed, None)


def _row(
    name: str,
    kinds: frozenset[Wrong],
    tried: Sequence[LookAlike],
    missed: Sequence[LookAlike],
    bar: float | None,
) -> Caught:
    n = sum(one.kind in kinds for one in tried)
    caught = n - sum(one.kind in kinds for one in missed)
    return Caught(name, n, caught, *wilson(caught, n), bar)


def _on_a_line(one: LookAlike) -> str:
    return one.evidence.replace("\n", " / ")
