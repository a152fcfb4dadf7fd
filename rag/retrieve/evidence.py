"""Passages to evidence: which sentences answer the question, and whether they suffice.

Knows two linear models over features of a (question, unit) pair, fitted on development questions (`evals fit`): one
ranks units (listwise softmax regression, after Cao et al. 2007, ListNet), one says whether the best of them answer at
all (logistic regression). The language model has no say in either. The features are the job of `features`, what
scores choose that of `choosing`.
"""

from __future__ import annotations

import importlib.resources
import math
from collections.abc import Callable, Collection, Sequence
from itertools import chain

import msgspec

from rag import qualifiers
from rag.domain import Evidence, EvidenceUnit, Value
from rag.retrieve import cues
from rag.retrieve.choosing import Candidates, Margins, arranged, by_score, choose, overlap
from rag.retrieve.features import Profile, rank_rows, sufficiency_row, with_titles
from rag.retrieve.linear import Linear, Matrix
from rag.retrieve.narrowing import Narrowing

# How much less than the whole a part may score and still stand for it.
MAX_LOSS = 1.0
_MAX_POOL = 40


class EvidenceModel(Value):
    """Fitted parameters.

    `threshold` is the sufficiency below which the service abstains; `fitted_on` says on what, with n.
    """

    rank: Linear
    sufficiency: Linear
    margins: Margins
    threshold: float
    fitted_on: str


def load_model(profile: Profile) -> EvidenceModel:
    """The parameters shipped with the package, for an index with the vectors that the profile says."""
    packed = (importlib.resources.files("rag.retrieve") / "evidence_model.json").read_bytes()
    return msgspec.json.decode(packed, type=dict[str, EvidenceModel])[profile]


class EvidenceFinder:
    """Chooses evidence with a fitted model."""

    def __init__(self, model: EvidenceModel, idf: Callable[[str], float]) -> None:
        self._model, self._idf = model, idf

    def find(self, question: str, asked_places: Collection[str], found: Candidates) -> Evidence:
        """The evidence for the question; empty with sufficiency 0 when there are no candidates."""
        if not found.units:
            return Evidence((), (), 0.0, sufficient=False)
        rows = rank_rows(question, asked_places, found, self._model.rank.features)
        scores = arranged(self._model.rank(rows), asked_places, found)
        one = cues.asks_one_thing(question)
        chosen = choose(found, scores, self._model.margins, one_thing=one)
        row = sufficiency_row(question, asked_places, found, scores, self._idf, self._model.sufficiency.features)
        probability = 1.0 / (1.0 + math.exp(-float(self._model.sufficiency(row[None, :])[0])))
        near = choose(found, scores, self._model.margins, one_thing=False)
        narrowed = Narrowing(found.units, question, asked_places)
        chosen = list(dict.fromkeys(row for i in chosen for row in narrowed(i)))
        pool = _pool(found, scores, chosen, narrowed)
        units = tuple(found.units[i] for i in chosen)
        details = _details(found, scores, chosen) if one else {}
        return Evidence(
            units=units,
            pool=pool,
            sufficiency=round(probability, 4),
            sufficient=probability >= self._model.threshold and not _for_others(question, units),
            details=details,
            asks_one_thing=one,
            near=tuple(found.units[i] for i in near),
            behind=_behind(found, scores),
        )


def _for_others(question: str, units: Sequence[EvidenceUnit]) -> bool:
    """Whether all that was chosen is for people insured or employed in another way."""
    return all(qualifiers.for_others(question, with_titles(unit)) for unit in units)


def _pool(
    found: Candidates, scores: Matrix, chosen: Sequence[int], narrowed: Callable[[int], list[int]]
) -> tuple[EvidenceUnit, ...]:
    """The chosen units and the best others, of tables and lists what is for what the question names; none overlap."""
    kept = list(chosen)
    ranked = chain.from_iterable(narrowed(i) for i in by_score(found, scores))
    for j in ranked:
        if len(kept) == _MAX_POOL:
            break
        if not any(overlap(found.units[j], found.units[k]) for k in kept):
            kept.append(j)
    return tuple(found.units[i] for i in kept)


def _behind(found: Candidates, scores: Matrix) -> dict[str, float]:
    """By passage, how far its best unit scores below the best of all."""
    best: dict[str, float] = {}
    for unit, score in zip(found.units, (scores.max() - scores).tolist(), strict=True):
        best[unit.chunk_id] = min(score, best.get(unit.chunk_id, score))
    return best


def _details(found: Candidates, scores: Matrix, chosen: Sequence[int]) -> dict[str, EvidenceUnit]:
    """The best part of each chosen unit that has parts, if it scores nearly as well as the whole."""
    details: dict[str, EvidenceUnit] = {}
    ranked = by_score(found, scores)
    for i in chosen:
        whole = found.units[i]
        inside = (j for j in ranked if j != i and _is_part(found.units[j], whole))
        if (best := next(inside, None)) is not None and scores[best] >= scores[i] - MAX_LOSS:
            details[whole.id] = found.units[best]
    return details


def _is_part(unit: EvidenceUnit, whole: EvidenceUnit) -> bool:
    return unit.document_id == whole.document_id and whole.span.contains(unit.span)
