"""The nouns of evaluation: an observation, a sample, a metric and what it says.

Knows shapes only. Running is the job of `runner`, the formulas of `metrics`, what blocks of `gate`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from evals.dataset import GoldExample, GoldSpans
from evals.library import Library
from rag.domain import Answer, Claim, Outcome, Value
from rag.web.passages import PassageRow


class Observation(msgspec.Struct, frozen=True):
    """What one example gave: an outcome, or the error that prevented one. A line of `observations.jsonl`.

    `asked` is the question as it was searched: put into Chinese, and completed from the conversation. `drafted`
    sentences came from the model, `removed` of them the checks did not let through.
    """

    example_id: str
    outcome: Outcome | None
    retrieved: tuple[PassageRow, ...] = ()
    error: str | None = None
    asked: str = ""
    drafted: int = 0
    removed: int = 0


class Sample(Value):
    """An observation beside its gold example, with the documents that it was answered from."""

    example: GoldExample
    observation: Observation
    gold: GoldSpans
    library: Library

    @property
    def outcome(self) -> Outcome | None:
        """What came out; None after an error."""
        return self.observation.outcome

    @property
    def answer(self) -> Answer | None:
        """The outcome, if it is an answer."""
        return self.outcome if isinstance(self.outcome, Answer) else None

    @property
    def answerable(self) -> bool:
        """Whether the documents hold an answer."""
        return self.example.kind == "answer"

    @property
    def claimed(self) -> str:
        """The words of the claims; empty when nothing was answered.

        A dot parts them, since comparison drops white space: 12333 and 0792 on two lines are no 123330792.
        """
        return "\n·".join(claim.text for claim in self.claims)

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The claims of the answer; none when nothing was answered."""
        return self.answer.claims if self.answer else ()


class Scored(Value, tag="scored"):
    """A metric's value for a sample."""

    value: float


class Unscored(Value, tag="unscored"):
    """Why a metric says nothing about a sample."""

    reason: str


Verdict = Scored | Unscored


class Metric(Value):
    """One way to look at a sample.

    `kind` says how values average: a `flag` is 0 or 1 (share, Wilson, McNemar), a `mean` any number (bootstrap).
    """

    name: str
    kind: Literal["flag", "mean"]
    better: Literal["high", "low", "neither"]
    of: Callable[[Sample], Verdict]


class SampleScores(msgspec.Struct, frozen=True):
    """All verdicts on one sample, by metric. A line of `scores.jsonl`."""

    example_id: str
    category: str
    split: str
    cluster: str
    verdicts: dict[str, Verdict]
    fault: str | None = None


def flag(value: object) -> Scored:
    """1 for true, 0 for false."""
    return Scored(float(bool(value)))
