"""Retrieved passages to candidate units with their raw scores.

Knows where the scores of units come from. What they are worth is the job of `evidence`.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from rag import places
from rag.domain import Document, EvidenceUnit, Passage
from rag.instructions import for_machines
from rag.ports import Catalogue, VectorIndex
from rag.retrieve.brackets import asked_bracket, beside
from rag.retrieve.choosing import Candidates
from rag.retrieve.insurance import insurance
from rag.retrieve.lexical import LexicalIndex
from rag.retrieve.passages import Retrieved
from rag.retrieve.wording import renamed


class CandidateSource:
    """Units of one snapshot, scored for a question."""

    def __init__(self, catalogue: Catalogue, lexical_units: LexicalIndex, vectors: VectorIndex | None) -> None:
        self._catalogue, self._lexical, self._vectors = catalogue, lexical_units, vectors
        self._rows = {unit_id: row for row, unit_id in enumerate(catalogue.unit_ids())}

    def candidates(self, question: str, asked_places: Collection[str], retrieved: Retrieved) -> Candidates:
        """Every unit of the retrieved passages that may be evidence."""
        found = self._admitted(question, asked_places, retrieved)
        units = tuple(unit for unit, _ in found)
        passages = tuple(passage for _, passage in found)
        bm25 = self._lexical.scores(renamed(question))
        cosine = np.zeros(len(units))
        if retrieved.vector is not None and self._vectors is not None and units:
            vectors = self._vectors.unit_vectors([unit.id for unit in units])
            cosine = np.round(vectors.astype(np.float64) @ retrieved.vector.astype(np.float64), 5)
        lowest = min(retrieved.cosines.values(), default=0.0)
        return Candidates(
            units=units,
            passages=passages,
            cosine=cosine,
            cosine_chunk=np.array([retrieved.cosines.get(p.chunk.id, lowest) for p in passages], dtype=float),
            bm25_unit=np.array([round(float(bm25[self._rows[u.id]]), 5) for u in units], dtype=float),
            bm25_chunk=np.array([retrieved.bm25.get(p.chunk.id, 0.0) for p in passages], dtype=float),
        )

    def _admitted(
        self, question: str, asked_places: Collection[str], retrieved: Retrieved
    ) -> list[tuple[EvidenceUnit, Passage]]:
        """Each unit with its passage.

        None that speaks to a machine, of elsewhere, of those insured elsewhere, or of another bracket of the expense
        than the one asked about. Tables and lists stay whole; what is chosen of them is narrowed later.
        """
        bracket, insured = asked_bracket(question), insurance(question, asked_places)
        found = [
            (unit, p)
            for p in retrieved.passages
            for unit in self._catalogue.units_of(p.chunk.id)
            if not for_machines(_with_titles(unit))
            and not _of_another_place(unit, p.document, asked_places)
            and not (bracket and beside(bracket, _with_titles(unit)))
        ]
        elsewhere = {unit.id for unit, _ in found if not insured.admits(unit.text)}
        return [(unit, p) for unit, p in found if (unit.parent or unit.id) not in elsewhere]


def _of_another_place(unit: EvidenceUnit, document: Document, asked_places: Collection[str]) -> bool:
    """Whether a document for all places tells in this unit of one that was not asked for: 北京 50万元."""
    if not asked_places or document.places:
        return False
    named = places.find(_with_titles(unit))
    return bool(named) and not places.any_related(asked_places, named)


def _with_titles(unit: EvidenceUnit) -> str:
    return "\n".join((*unit.title_path, unit.text))
