"""Every unit of the retrieved passages, with its own scores beside it."""

from __future__ import annotations

import pytest

from rag.ports import Vectors
from rag.retrieve.candidates import CandidateSource
from rag.retrieve.lexical import LexicalIndex
from rag.retrieve.passages import Retrieved
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.storage import MemoryCatalogue, MemoryVectors
from tests.making import a_passage, a_record

NURSING = a_record("nursing", "护理补贴按月发放。", "每月不超过九百元。")
DENTAL = a_record("dental", "种植牙自费。")
GLASSES = a_record("glasses", "配镜不报。")
QUESTION = "种植牙自费吗"


@pytest.fixture
def catalogue() -> MemoryCatalogue:
    """Three files."""
    made = MemoryCatalogue()
    for record in (NURSING, DENTAL, GLASSES):
        made.add(record)
    return made


@pytest.fixture
def lexical(catalogue: MemoryCatalogue) -> LexicalIndex:
    """BM25 over the units."""
    return LexicalIndex.build([u.text for c in catalogue.chunk_ids() for u in catalogue.units_of(c)])


@pytest.fixture
def vectors(catalogue: MemoryCatalogue) -> MemoryVectors:
    """The units' vectors."""
    made = MemoryVectors()
    made.add_units(
        catalogue.unit_ids(),
        FakeEmbedder().passages([u.text for c in catalogue.chunk_ids() for u in catalogue.units_of(c)]),
    )
    return made


def retrieved(vector: Vectors | None) -> Retrieved:
    """Two passages, the first without a cosine of its own."""
    cosines = {} if vector is None else {"dental#c0": 0.75}
    return Retrieved((a_passage(NURSING), a_passage(DENTAL)), cosines, {"nursing#c0": 1.5, "dental#c0": 4.0}, vector)


def test_units_come_with_their_passages(
    catalogue: MemoryCatalogue, lexical: LexicalIndex, vectors: MemoryVectors
) -> None:
    """All units of the passages, in their order, each beside its own passage; those of other chunks are not there."""
    source = CandidateSource(catalogue, lexical, vectors)
    found = source.candidates(QUESTION, (), retrieved(FakeEmbedder().query(QUESTION)))
    assert [u.id for u in found.units] == ["nursing#u0", "nursing#u1", "dental#u0"]
    assert [p.document.id for p in found.passages] == ["nursing", "nursing", "dental"]


def test_scores_are_those_of_the_row(catalogue: MemoryCatalogue, lexical: LexicalIndex, vectors: MemoryVectors) -> None:
    """Cosine and BM25 of the unit, and those of its chunk; a chunk without a cosine gets the lowest."""
    vector = FakeEmbedder().query(QUESTION)
    found = CandidateSource(catalogue, lexical, vectors).candidates(QUESTION, (), retrieved(vector))
    expected = FakeEmbedder().passages([u.text for u in found.units]) @ vector
    assert found.cosine == pytest.approx(expected, abs=1e-4)
    assert found.bm25_unit == pytest.approx([0, 0, lexical.scores(QUESTION)[2]], abs=1e-4)
    assert found.bm25_unit[2] > 0
    assert found.bm25_chunk.tolist() == [1.5, 1.5, 4.0]
    assert found.cosine_chunk.tolist() == [0.75, 0.75, 0.75]


def test_without_vectors_cosines_are_zero(catalogue: MemoryCatalogue, lexical: LexicalIndex) -> None:
    """BM25 alone scores."""
    found = CandidateSource(catalogue, lexical, None).candidates(QUESTION, (), retrieved(None))
    assert found.cosine.tolist() == found.cosine_chunk.tolist() == [0, 0, 0]
    assert found.bm25_unit[2] > 0


def test_no_passages_are_no_candidates(
    catalogue: MemoryCatalogue, lexical: LexicalIndex, vectors: MemoryVectors
) -> None:
    """Nothing retrieved, nothing to weigh."""
    nothing = Retrieved((), {}, {}, FakeEmbedder().query(QUESTION))
    found = CandidateSource(catalogue, lexical, vectors).candidates(QUESTION, (), nothing)
    assert (found.units, found.passages, found.cosine.shape) == ((), (), (0,))
