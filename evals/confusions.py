"""Whether the right one of several near-identical rules is found first: two cities, two kinds of insured, two years.

Knows the set in `gold/confusions` and its count. A question is decided by the first passage, and by the first
evidence unit that holds one of the rules: several may stand in one passage, and in a whole table even in one unit.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from evals.dataset import GoldExample, QuoteRef
from evals.runner import Progress
from evals.statistics import wilson
from rag.asking import understood
from rag.domain import Evidence, EvidenceUnit, Passage, Query, Value
from rag.languages import simplified
from rag.retrieve.dates import as_of_in
from rag.searching import LOOKED_AT, Searcher

FOLDER = Path(__file__).parent / "gold" / "confusions"
FRESH = FOLDER / "fresh"

_LEGEND = (
    "the share and its 95 % interval: passage first and rule first, both",
    "passage first: the first passage is of the right document and holds the right rule",
    "rule first: the first unit with one of the rules holds the right one, be it a whole table with wrong ones, too",
    "strictly: likewise, but units that hold both are passed over, and where there are no others it does not count",
)


class Quote(msgspec.Struct, frozen=True):
    """A rule: where it stands, word for word."""

    document: str
    quote: str


class Confusion(msgspec.Struct, frozen=True):
    """A question, the rule that answers it, and those that look like it."""

    id: str
    split: Literal["dev", "test"]
    question: str
    kind: str
    as_of: dt.date | None
    right: Quote
    wrong: tuple[Quote, ...]


def as_gold(one: Confusion, clock: dt.date) -> GoldExample:
    """The question as a gold example of its own documents, for fitting."""
    as_of = one.as_of or as_of_in(simplified(one.question), clock) or clock
    return GoldExample(
        id=one.id,
        split=one.split,
        category=one.kind,
        question=one.question,
        conversation=(),
        as_of=as_of,
        kind="answer",
        reason=None,
        facts=(),
        forbidden=(),
        evidence=(QuoteRef(document=one.right.document, quote=one.right.quote),),
        also=(),
        why="",
    )


class Found(Value):
    """What came first for a question.

    `first_rule` holds for a unit with wrong rules beside the right one, too; `first_rule_strict` passes over such
    units, and does not hold where there are no others.
    """

    id: str
    kind: str
    question: str
    first_passage: bool
    first_rule: bool
    first_rule_strict: bool

    @property
    def right(self) -> bool:
        """The right passage is first, and the right rule in it."""
        return self.first_passage and self.first_rule


def load(folder: Path = FOLDER) -> list[Confusion]:
    """All questions, in order."""
    lines = (folder / "questions.jsonl").read_text("utf-8").splitlines()
    return [msgspec.json.decode(line, type=Confusion) for line in lines]


def ask(searcher: Searcher, confusions: Sequence[Confusion], clock: dt.date, progress: Progress) -> Iterator[Found]:
    """What the search puts first for each question."""
    for n, one in enumerate(confusions, 1):
        today = one.as_of or as_of_in(simplified(one.question), clock) or clock
        asked = understood(Query(one.question, today))
        passages, evidence = searcher.evidence(asked.searched, asked.places, today, LOOKED_AT)
        units = _telling(one, evidence)
        rule = next((right for right, _ in units), False)
        strict = next((right for right, wrong in units if right != wrong), False)
        yield Found(one.id, one.kind, one.question, _first_passage(one, passages), rule, strict)
        progress("检索", n, len(confusions))


def table(found: Sequence[Found]) -> str:
    """Shares by kind, what they mean, and the questions that went wrong."""
    kinds = sorted({f.kind for f in found})
    lines = [_line(kind, [f for f in found if f.kind == kind]) for kind in kinds]
    missed = [f"  {f.id} {f.kind}: {f.question}" for f in found if not f.right]
    return "\n".join([*lines, _line("all", found), *_LEGEND, *missed])


def _line(kind: str, found: Sequence[Found]) -> str:
    """The share of right ones with its 95 % interval, and what it is made of."""
    n, right = len(found), sum(f.right for f in found)
    low, high = wilson(right, n)
    passage = sum(f.first_passage for f in found) / n
    rule = sum(f.first_rule for f in found) / n
    strict = sum(f.first_rule_strict for f in found) / n
    share = f"{right / n:.3f} [{low:.3f}, {high:.3f}] (n={n})"
    return f"{kind:<10} {share}, passage first {passage:.3f}, rule first {rule:.3f}, strictly {strict:.3f}"


def _first_passage(one: Confusion, passages: Sequence[Passage]) -> bool:
    """Whether the first passage is of the right document and holds the right rule."""
    if not passages:
        return False
    first = passages[0].chunk
    return first.document_id == one.right.document and one.right.quote in first.text


def _telling(one: Confusion, evidence: Evidence) -> list[tuple[bool, bool]]:
    """Of each unit that holds one of the rules, best first: whether it holds the right one, and a wrong one."""
    sides = [(_holds(unit, one.right), any(_holds(unit, wrong) for wrong in one.wrong)) for unit in evidence.pool]
    return [(right, wrong) for right, wrong in sides if right or wrong]


def _holds(unit: EvidenceUnit, rule: Quote) -> bool:
    return unit.document_id == rule.document and rule.quote in unit.text
