"""Whether a judge may be believed: its verdicts beside those of people, on pairs labelled by hand.

Knows the pairs and the agreement. Asking is the job of `judge` and its adapter; what a believed judge blocks of `gate`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from evals.dataset import GOLD
from evals.domain import Scored, Unscored, Verdict
from evals.judge import Case, Judge, Progress, judge_all

PAIRS = GOLD / "judge" / "pairs.jsonl"
# An answer is faithful only if every statement of it is: one wrong amount in five right sentences misleads a patient.
FAITHFUL_FROM = 0.999
# Landis and Koch call agreement from 0.61 on substantial. Below, the judge's errors are about as large as the
# differences between two runs that it would have to tell apart.
MIN_KAPPA = 0.6
# A judge that has nothing to say about more than a tenth of the pairs is not known well enough.
MAX_UNSCORED = 0.1
_ROUNDS, _SEED = 10_000, 20261123

Bools = npt.NDArray[np.bool_]


class QuotedPassage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An exact quote of a corpus document."""

    document: str
    quote: str


class Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer beside its passages, with a person's verdict, why, and what kind of change makes it wrong."""

    id: str
    question: str
    passages: tuple[QuotedPassage, ...]
    answer: str
    verdict: Literal["faithful", "unfaithful"]
    why: str
    kind: str


class Table(msgspec.Struct, frozen=True):
    """Verdicts of person and judge, counted. "Unfaithful" is what is looked for: a miss was let through."""

    caught: int
    missed: int
    false_alarms: int
    passed: int

    @property
    def n(self) -> int:
        """All verdicts."""
        return self.caught + self.missed + self.false_alarms + self.passed

    def __str__(self) -> str:
        return (
            f"caught {self.caught}, missed {self.missed}, "
            f"false alarms {self.false_alarms}, rightly passed {self.passed}"
        )


class KindRow(msgspec.Struct, frozen=True):
    """How often the judge agreed on one kind of pair."""

    kind: str
    verdict: str
    n: int
    agreed: int
    unscored: int

    def __str__(self) -> str:
        return f"  {self.verdict:<11} {self.kind:<18} {self.agreed:>3} of {self.n:>3} agreed, {self.unscored} unscored"


class Calibration(msgspec.Struct, frozen=True):
    """The agreement of a judge with people."""

    judge: str
    pairs: int
    unscored: dict[str, str]
    table: Table
    accuracy: Verdict
    kappa: Verdict
    kappa_interval: tuple[float, float]
    precision: Verdict
    recall: Verdict
    kinds: tuple[KindRow, ...]
    disagreed: tuple[str, ...]

    @property
    def may_block(self) -> bool:
        """Whether the gate may listen to this judge."""
        enough = len(self.unscored) <= MAX_UNSCORED * self.pairs
        return enough and isinstance(self.kappa, Scored) and self.kappa.value >= MIN_KAPPA

    def __str__(self) -> str:
        low, high = self.kappa_interval
        word = "may block" if self.may_block else "can't block"
        lines = [
            f"judge {self.judge}: {word} (kappa floor {MIN_KAPPA}, at most {MAX_UNSCORED:.0%} unscored)",
            f"  pairs {self.pairs}, scored {self.table.n}, unscored {len(self.unscored)}",
            f"  kappa {_number(self.kappa)} [{low:.2f}, {high:.2f}], accuracy {_number(self.accuracy)}",
            f"  unfaithful: precision {_number(self.precision)}, recall {_number(self.recall)}; {self.table}",
        ]
        return "\n".join([*lines, *map(str, self.kinds)])


def load_pairs(path: Path = PAIRS) -> list[Pair]:
    """The labelled pairs, in order."""
    return [msgspec.json.decode(line, type=Pair) for line in path.read_bytes().splitlines() if line]


def calibrate(name: str, pairs: Sequence[Pair], judge: Judge, *, parallel: int, progress: Progress) -> Calibration:
    """Ask the judge for the faithfulness of every pair and compare.

    Raises:
        CassetteMiss: replaying, and a call is not on the tape; the pair is named.
    """
    shown = [Case(p.id, p.question, p.answer, tuple(passage.quote for passage in p.passages)) for p in pairs]
    lines = asyncio.run(judge_all(shown, ("faithfulness",), judge, parallel, progress))
    return agreement(name, pairs, [line.verdicts["faithfulness"] for line in lines])


def agreement(name: str, pairs: Sequence[Pair], verdicts: Sequence[Verdict]) -> Calibration:
    """People's and the judge's verdicts compared; what the judge did not score is counted and left out."""
    scored = [(p, v.value < FAITHFUL_FROM) for p, v in zip(pairs, verdicts, strict=True) if isinstance(v, Scored)]
    wrong = np.array([_wrong(pair) for pair, _ in scored], dtype=np.bool_)
    alarm = np.array([flagged for _, flagged in scored], dtype=np.bool_)
    table = tabulate(wrong, alarm)
    return Calibration(
        judge=name,
        pairs=len(pairs),
        unscored={p.id: v.reason for p, v in zip(pairs, verdicts, strict=True) if isinstance(v, Unscored)},
        table=table,
        accuracy=_share(table.caught + table.passed, table.n),
        kappa=cohen_kappa(table),
        kappa_interval=kappa_interval(wrong, alarm),
        precision=_share(table.caught, table.caught + table.false_alarms),
        recall=_share(table.caught, table.caught + table.missed),
        kinds=_kinds(pairs, verdicts),
        disagreed=tuple(pair.id for pair, flagged in scored if _wrong(pair) != flagged),
    )


def tabulate(wrong: Bools, alarm: Bools) -> Table:
    """People's verdicts (`wrong`) against the judge's (`alarm`)."""
    caught, missed, alarms, passed = wrong & alarm, wrong & ~alarm, ~wrong & alarm, ~(wrong | alarm)
    return Table(int(caught.sum()), int(missed.sum()), int(alarms.sum()), int(passed.sum()))


def cohen_kappa(table: Table) -> Verdict:
    """Agreement beyond chance (Cohen 1960); none where chance alone agrees always."""
    if table.n == 0:
        return Unscored("no verdicts")
    wrong, alarms = (table.caught + table.missed) / table.n, (table.caught + table.false_alarms) / table.n
    chance = wrong * alarms + (1 - wrong) * (1 - alarms)
    if chance == 1:
        return Unscored("both always say the same one thing")
    return Scored(((table.caught + table.passed) / table.n - chance) / (1 - chance))


def kappa_interval(wrong: Bools, alarm: Bools) -> tuple[float, float]:
    """95 % percentile interval over pairs drawn anew; draws without a kappa are left out, and (-1, 1) says nothing."""
    if len(wrong) == 0:
        return -1.0, 1.0
    picks = np.random.default_rng(_SEED).integers(0, len(wrong), (_ROUNDS, len(wrong)))
    human, judge = wrong[picks], alarm[picks]
    agreed, share, alarms = (human == judge).mean(axis=1), human.mean(axis=1), judge.mean(axis=1)
    chance = share * alarms + (1 - share) * (1 - alarms)
    defined = chance < 1
    if not defined.any():
        return -1.0, 1.0
    low, high = np.percentile((agreed[defined] - chance[defined]) / (1 - chance[defined]), [2.5, 97.5])
    return float(low), float(high)


def _kinds(pairs: Sequence[Pair], verdicts: Sequence[Verdict]) -> tuple[KindRow, ...]:
    groups = Counter((pair.verdict, pair.kind) for pair in pairs)

    def row(verdict: str, kind: str) -> KindRow:
        own = [(p, v) for p, v in zip(pairs, verdicts, strict=True) if (p.verdict, p.kind) == (verdict, kind)]
        agreed = sum(isinstance(v, Scored) and (v.value < FAITHFUL_FROM) == _wrong(p) for p, v in own)
        return KindRow(kind, verdict, len(own), agreed, sum(isinstance(v, Unscored) for _, v in own))

    return tuple(row(*group) for group in sorted(groups))


def _wrong(pair: Pair) -> bool:
    return pair.verdict == "unfaithful"


def _share(part: int, whole: int) -> Verdict:
    return Scored(part / whole) if whole else Unscored("nothing to count")


def _number(verdict: Verdict) -> str:
    return f"{verdict.value:.2f}" if isinstance(verdict, Scored) else f"- ({verdict.reason})"
