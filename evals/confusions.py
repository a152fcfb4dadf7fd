"""Whether the right one of several near-identical rules is found first: two cities, two kinds of insured, two years.

Knows the set in `gold/confusions` and its count. A question is decided by the first passage, and by the first
evidence unit that holds one of the rules: several may stand in one passage.
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
from rag.domain import Evidence, Passage, Query, Value
from rag.languages import simplified
from rag.retrieve.dates import as_of_in
from rag.searching import LOOKED_AT, Searcher

FOLDER = Path(__file__).parent / "gold" / "confusions"


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
    """What came first for a question."""

    id: str
    kind: str
    question: str
    first_passage: bool
    first_rule: bool

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
        yield Found(one.id, one.kind, one.question, _first_passage(one, passages), _first_rule(one, evidence))
        progress("检索", n, len(confusions))


def table(found: Sequence[Found]) -> str:
    """Shares by kind with their 95 % intervals, and the questions that went wrong."""
    lines = []
    for kind in (*sorted({f.kind for f in found}), "all"):
        own = [f for f in found if kind in ("all", f.kind)]
        right = sum(f.right for f in own)
        low, high = wilson(right, len(own))
        passages = sum(f.first_passage for f in own) / len(own)
        lines.append(
            f"{kind:<10} {right / len(own):.3f} [{low:.3f}, {high:.3f}] (n={len(own)}), passage first {passages:.3f}"
        )
    missed = [f"  {f.id} {f.kind}: {f.question}" for f in found if not f.right]
    return "\n".join([*lines, *missed])


def _first_passage(one: Confusion, passages: Sequence[Passage]) -> bool:
    """Whether the first passage is of the right document and holds the right rule."""
    if not passages:
        return False
    first = passages[0].chunk
    return first.document_id == one.right.document and one.right.quote in first.text


def _first_rule(one: Confusion, evidence: Evidence) -> bool:
    """Whether the first unit that holds one of the rules holds the right one; a whole table may hold others, too."""
    for unit in evidence.pool:
        right = unit.document_id == one.right.document and one.right.quote in unit.text
        wrong = any(unit.document_id == w.document and w.quote in unit.text for w in one.wrong)
        if right or wrong:
            return right
    return False
