"""Units of the passages found, and which of them are chosen by their scores.

Knows scores, margins and the room that there is. What the scores are made of is the job of `features`, whether the
chosen ones suffice that of `evidence`.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np

from rag.domain import EvidenceUnit, Passage, Value
from rag.retrieve.eligibility import local
from rag.retrieve.linear import Matrix
from rag.retrieve.siblings import nearer_first
from rag.text import fold

MAX_UNITS = 5
MAX_CHARACTERS = 400
_ANNOUNCING = re.compile(r"[：:]\s*$")
_FIGURE = re.compile(r"\d(?!\d*年)")


class Candidates(Value):
    """The units of the retrieved passages with their raw scores, row by row. Cosines are zero without an embedder."""

    units: tuple[EvidenceUnit, ...]
    passages: tuple[Passage, ...]
    cosine: Matrix
    cosine_chunk: Matrix
    bm25_unit: Matrix
    bm25_chunk: Matrix


class Margins(Value):
    """How far below the best unit a further one may score.

    `within` where it stands in a passage that is cited already; in another passage `elsewhere` where one thing is
    asked, and `elsewhere_several` where several are: who asks one thing wants one answer.
    """

    within: float
    elsewhere: float
    elsewhere_several: float


def arranged(scores: Matrix, asked_places: Collection[str], found: Candidates) -> Matrix:
    """Scores of the ranking model as they count: of one rule in several places, the nearest goes first.

    Rounded, so that a last-digit difference between machines reorders nothing.
    """
    nearness = [local(p.document, asked_places) for p in found.passages]
    return nearer_first(np.asarray(np.round(scores, 4)), [unit.text for unit in found.units], nearness)


def choose(found: Candidates, scores: Matrix, margins: Margins, *, one_thing: bool) -> list[int]:
    """Rows of the chosen units, best first: the best, and up to four near it within 400 characters; none overlap.

    What only announces a list or a table is left out beside anything that says more.
    """
    chosen: list[int] = []
    cited: set[str] = set()
    spent, elsewhere = 0, margins.elsewhere if one_thing else margins.elsewhere_several
    for i in by_score(found, scores):
        unit = found.units[i]
        margin = margins.within if unit.chunk_id in cited else elsewhere
        if chosen and scores[i] < scores[chosen[0]] - margin:
            continue
        if any(overlap(unit, found.units[j]) for j in chosen) or (chosen and spent + len(unit.text) > MAX_CHARACTERS):
            continue
        chosen.append(i)
        cited.add(unit.chunk_id)
        spent += len(unit.text)
        if len(chosen) == MAX_UNITS:
            break
    return [i for i in chosen if not _announces(found.units[i])] or chosen


def _announces(unit: EvidenceUnit) -> bool:
    """Whether a unit only says what comes next: 缴费期限如下：. One with a figure of its own says more."""
    return unit.kind == "sentence" and bool(_ANNOUNCING.search(unit.text)) and not _FIGURE.search(unit.text)


def by_score(found: Candidates, scores: Matrix) -> list[int]:
    """Rows, best first."""
    return sorted(range(len(found.units)), key=lambda i: (-scores[i], found.units[i].id))


def overlap(one: EvidenceUnit, other: EvidenceUnit) -> bool:
    """Whether two units say the same, or cover the same text."""
    if fold(one.text) == fold(other.text):
        return True
    return one.document_id == other.document_id and one.span.overlaps(other.span)
