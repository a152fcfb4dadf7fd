"""A cross-encoder puts the passages of the fused ranking in an order of its own, and is done without where it fails."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import re
from collections.abc import Callable, Iterator

import pytest

from rag.adapters.rerank import HttpReranker
from rag.domain import Passage
from rag.indexing import Indexer
from rag.ports import Embedder, Reranker
from rag.retrieve.passages import PassageRetriever
from rag.searching import LOOKED_AT, CurrentSearcher, Searcher
from rag.snapshots import SnapshotStore
from rag.wiring import LocalStorage
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.rerank_server import RerankServer, ranking
from tests.fakes.reranker import FakeReranker
from tests.fakes.tokenizer import CharacterTokenizer

Search = Callable[..., Searcher]

TODAY = dt.date(2031, 5, 4)
QUESTION = "护理补贴每月发放多少元？"
GRADES = 50
assert GRADES > 2 * LOOKED_AT
EMBEDDER = FakeEmbedder()


def amount(_question: str, text: str) -> float:
    """A judge that likes money: what a text pays, in yuan."""
    return float(re.findall(r"(\d+)元", text)[-1])


def likes(wanted: Passage) -> Reranker:
    """A reranker to which one passage is all."""
    return FakeReranker(lambda _, text: float(text == wanted.chunk.searched))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> SnapshotStore:
    """An index of one regulation with a passage a grade, in force since 2030."""
    root = tmp_path_factory.mktemp("graded")
    grades = "\n\n".join(f"## 第{n}档\n\n护理补贴第{n}档每月发放{(37 * n) % 101}元。" for n in range(1, GRADES + 1))
    (root / "grades.md").write_text(f"---\neffective_from: 2030-01-01\n---\n\n# 护理补贴\n\n{grades}\n", "utf-8")
    storage = LocalStorage(root / "data", None)
    made = SnapshotStore(root / "data", storage)
    indexer = Indexer(made, storage, CharacterTokenizer(), EMBEDDER, lambda _: None, lambda *_: None)
    assert indexer.ingest([root / "grades.md"]).chunks == GRADES
    return made


@pytest.fixture
def search(store: SnapshotStore) -> Iterator[Search]:
    """Opens the index with a reranker, and with an embedder unless another or none is given."""
    with contextlib.ExitStack() as opened:

        def made(reranker: Reranker | None = None, embedder: Embedder | None = EMBEDDER) -> Searcher:
            searchers = CurrentSearcher(store, embedder, reranker)
            opened.callback(searchers.close)
            return opened.enter_context(searchers.lend())

        yield made


def fused(search: Search, k: int, embedder: Embedder | None = EMBEDDER) -> tuple[Passage, ...]:
    """The `k` best passages by the fused ranking alone, before anyone has looked into them."""
    snapshot = search().snapshot
    retriever = PassageRetriever(snapshot.catalogue, snapshot.lexical_chunks, snapshot.vectors, embedder)
    return retriever.search(QUESTION, k, (), TODAY).passages


@pytest.mark.parametrize(
    ("embedder", "ranks"),
    [(EMBEDDER, EMBEDDER), (None, None), (FakeEmbedder(fails_after=0), None)],
    ids=["dense", "lexical", "failing"],
)
def test_the_cross_encoder_has_the_last_word(search: Search, embedder: Embedder | None, ranks: Embedder | None) -> None:
    """Of the passages that it was shown the best come first, by its scores, with vectors and without."""
    shown = fused(search, 2 * LOOKED_AT, ranks)
    best = sorted((amount("", p.chunk.text) for p in shown), reverse=True)[:5]
    passages = search(FakeReranker(amount), embedder).passages(QUESTION, (), TODAY, 5)
    assert [amount("", p.chunk.text) for p in passages] == [p.score for p in passages] == best
    assert [p.chunk.id for p in passages] != [p.chunk.id for p in shown[:5]]


def test_it_is_asked_once_about_twice_as_many_as_are_wanted(search: Search) -> None:
    """The question as it is searched, and the best passages of the fused ranking with their titles."""
    reranker = FakeReranker()
    passages, _ = search(reranker).evidence(QUESTION, (), TODAY, LOOKED_AT)
    assert reranker.asked == [(QUESTION, [p.chunk.searched for p in fused(search, 2 * LOOKED_AT)])]
    assert len(passages) == LOOKED_AT


def test_a_short_list_is_chosen_among_as_many_as_an_answer(search: Search) -> None:
    """What is shown first does not depend on how much is shown."""
    reranker = FakeReranker()
    assert len(search(reranker).passages(QUESTION, (), TODAY, 3)) == 3
    assert [len(texts) for _, texts in reranker.asked] == [2 * LOOKED_AT]


def test_a_passage_beyond_those_looked_at_can_come_first(search: Search) -> None:
    """Among twice as many it is found where the fused ranking alone would not have looked."""
    last = fused(search, 2 * LOOKED_AT)[-1]
    passages, evidence = search(likes(last)).evidence(QUESTION, (), TODAY, LOOKED_AT)
    assert passages[0].chunk == last.chunk
    assert last.chunk.units[0] in {unit.id for unit in evidence.pool}


def test_evidence_comes_from_the_passages_chosen(search: Search) -> None:
    """What the cross-encoder left out is not quoted."""
    passages, evidence = search(FakeReranker(amount)).evidence(QUESTION, (), TODAY, 4)
    assert {unit.chunk_id for unit in evidence.pool} == {p.chunk.id for p in passages}
    assert len(passages) == 4


def test_equal_scores_keep_the_fused_order(search: Search) -> None:
    """A cross-encoder that sees no difference changes nothing."""
    passages, _ = search(FakeReranker(lambda *_: 0.5)).evidence(QUESTION, (), TODAY, LOOKED_AT)
    assert [p.chunk for p in passages] == [p.chunk for p in fused(search, LOOKED_AT)]


def test_one_that_fails_leaves_the_fused_ranking(search: Search, caplog: pytest.LogCaptureFixture) -> None:
    """Passages, scores and evidence are those without a reranker, and the log says so."""
    with caplog.at_level(logging.WARNING):
        found = search(FakeReranker(fails=True)).evidence(QUESTION, (), TODAY, LOOKED_AT)
    assert found == search().evidence(QUESTION, (), TODAY, LOOKED_AT)
    assert "the fused ranking stands" in caplog.text


def test_nothing_found_is_nothing_to_rank(search: Search) -> None:
    """No endpoint is asked about no passage."""
    reranker = FakeReranker()
    passages, evidence = search(reranker).evidence(QUESTION, (), dt.date(2029, 12, 31), LOOKED_AT)
    assert (passages, evidence.units, reranker.asked) == ((), (), [])


def test_an_endpoint_ranks_as_the_fake_does(search: Search) -> None:
    """The same searcher over HTTP: the same passages with the same scores."""
    with RerankServer(lambda asked: (200, ranking([amount("", text) for text in asked["documents"]]))) as server:
        over_http = HttpReranker(server.url, None, None)
        found = search(over_http).evidence(QUESTION, (), TODAY, LOOKED_AT)
        over_http.close()
    assert found == search(FakeReranker(amount)).evidence(QUESTION, (), TODAY, LOOKED_AT)
