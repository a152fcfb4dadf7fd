"""The best eligible passages, by vectors and words together or by words alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pytest

from rag.ports import SourceRecord
from rag.retrieve.lexical import LexicalIndex
from rag.retrieve.passages import PassageRetriever, Retrieved, highest
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.storage import MemoryCatalogue, MemoryVectors
from tests.making import a_record

DAY = dt.date(2031, 5, 4)
RECORDS = (
    a_record("nursing", "护理补贴按月发放到本人账户。"),
    a_record("dental", "种植牙自费。", places=("嘉兴",)),
    a_record("implant", "种植牙由大病保险支付一半。", places=("湖州",)),
    a_record("old", "种植牙按门诊报销。", effective_to=DAY - dt.timedelta(days=1)),
    a_record("glasses", "配镜不在范围内。"),
)


def retriever(records: Sequence[SourceRecord], embedder: FakeEmbedder | None = None) -> PassageRetriever:
    """A retriever over `records`, with vectors if there is an embedder."""
    catalogue, vectors = MemoryCatalogue(), MemoryVectors()
    for record in records:
        catalogue.add(record)
        if embedder is not None:
            documents = {record.documents[0].id: record.documents[0]}
            vectors.add_chunks(record.chunks, documents, embedder.passages([record.text]))
    lexical = LexicalIndex.build([record.text for record in records])
    return PassageRetriever(catalogue, lexical, vectors if embedder else None, embedder)


def ids(found: Retrieved) -> list[str]:
    """The documents found, best first."""
    return [passage.document.id for passage in found.passages]


@pytest.fixture(params=["hybrid", "lexical"])
def subject(request: pytest.FixtureRequest) -> PassageRetriever:
    """With vectors, and without."""
    return retriever(RECORDS, FakeEmbedder() if request.param == "hybrid" else None)


def test_the_passage_about_the_question_comes_first(subject: PassageRetriever) -> None:
    """Passages carry chunk, document and a score that falls with the rank."""
    found = subject.search("护理补贴怎么发放", 3, (), DAY)
    assert ids(found)[0] == "nursing"
    assert found.passages[0].chunk.text == "护理补贴按月发放到本人账户。"
    assert [p.score for p in found.passages] == sorted((p.score for p in found.passages), reverse=True)


def test_no_more_than_k(subject: PassageRetriever) -> None:
    """At most `k`, and all eligible ones where there are fewer."""
    assert len(subject.search("种植牙", 2, (), DAY).passages) == 2
    assert len(subject.search("种植牙", 50, (), DAY).passages) == 4


def test_only_what_holds_is_found(subject: PassageRetriever) -> None:
    """A rule that has ended is found for its own time and not for today."""
    assert "old" not in ids(subject.search("种植牙按门诊报销吗", 5, (), DAY))
    assert ids(subject.search("种植牙按门诊报销吗", 5, (), DAY - dt.timedelta(days=9)))[0] == "old"


def test_only_what_is_of_the_place_is_found(subject: PassageRetriever) -> None:
    """A neighbour's rule is not shown, be it ever so similar; rules of no place are."""
    found = ids(subject.search("种植牙", 5, ("嘉兴",), DAY))
    assert found[0] == "dental"
    assert "implant" not in found
    assert "nursing" in found


def test_raw_scores_are_those_of_the_passages(subject: PassageRetriever) -> None:
    """Who weighs evidence gets raw scores, of the chosen passages alone."""
    found = subject.search("种植牙", 2, (), DAY)
    chosen = {p.chunk.id for p in found.passages}
    assert set(found.bm25) == chosen
    assert set(found.cosines) <= chosen
    assert (found.vector is None) == (not found.cosines)


def test_without_vectors_words_rank() -> None:
    """No embedder, no vector, no cosines."""
    found = retriever(RECORDS).search("种植牙", 3, (), DAY)
    assert (found.vector, dict(found.cosines)) == (None, {})
    assert ids(found)[0] == "dental"


def test_an_empty_index_finds_nothing() -> None:
    """A question to nothing is no error."""
    assert retriever((), FakeEmbedder()).search("种植牙", 5, (), DAY) == Retrieved((), {}, {}, None)


def test_a_question_of_no_known_words_is_answered_in_a_fixed_order() -> None:
    """Where nothing tells passages apart their ids do: the same question finds the same passages tomorrow."""
    assert ids(retriever(RECORDS).search("quux", 5, (), DAY)) == ["dental", "glasses", "implant", "nursing"]


@pytest.mark.parametrize("embedder", [None, FakeEmbedder()])
def test_a_crowd_of_other_places_does_not_hide_the_right_one(embedder: FakeEmbedder | None) -> None:
    """The best eligible passages are found though four hundred that are not eligible rank above them."""
    crowd = [a_record(f"other{n:03}", f"种植牙报销比例第{n}条。", places=("湖州",)) for n in range(400)]
    right = a_record("right", "牙科的事项一律自费，种植也不例外。", places=("嘉兴",))
    found = retriever([*crowd, right], embedder).search("种植牙报销比例", 5, ("嘉兴",), DAY)
    assert ids(found) == ["right"]


def test_vectors_find_what_words_miss() -> None:
    """A passage that shares no word with the question is found through its vector."""

    class Knowing(FakeEmbedder):
        """Knows that two texts mean one thing."""

        def query(self, text: str) -> np.ndarray:
            return super().query("配镜不在范围内。" if text == "近视眼睛能报吗" else text)

    assert ids(retriever(RECORDS, Knowing()).search("近视眼睛能报吗", 1, (), DAY)) == ["glasses"]


@pytest.mark.parametrize("n", [1, 3, 4, 7, 8, 20])
def test_the_highest_are_those_of_a_full_sort(n: int) -> None:
    """Equals stay in the order of their rows, at the edge, too."""
    scores = np.array([2.0, 0.0, -np.inf, 2.0, 3.0, 0.0, 0.0, -np.inf], dtype=np.float32)
    assert highest(scores, n).tolist() == np.argsort(-scores, kind="stable")[:n].tolist()
