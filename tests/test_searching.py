"""A reader has one snapshot from the first line to the last, and the next reader the newest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rag.errors import EmbedderMismatch, EmbedderUnavailable, IndexMissing
from rag.indexing import Indexer
from rag.ports import Vectors
from rag.retrieve.passages import PassageRetriever
from rag.searching import CurrentSearcher, Searcher
from rag.snapshots import SnapshotStore
from rag.wiring import LocalStorage
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.tokenizer import CharacterTokenizer

Ingest = Callable[[str], str]

TODAY = dt.date(2031, 5, 4)


class _DyingEmbedder(FakeEmbedder):
    """Embeds passages, and has no vector for a question."""

    def query(self, text: str) -> Vectors:
        raise EmbedderUnavailable(f"nobody embeds {text}")


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    """Real files: what is read here is open, closed and deleted."""
    return SnapshotStore(tmp_path / "data", LocalStorage(tmp_path / "data", None))


@pytest.fixture
def ingest(store: SnapshotStore, tmp_path: Path) -> Ingest:
    """Makes a snapshot with one sentence more and returns its id."""
    storage = LocalStorage(tmp_path / "data", None)
    indexer = Indexer(store, storage, CharacterTokenizer(), FakeEmbedder(), lambda _: None, lambda *_: None)

    def add(sentence: str) -> str:
        path = tmp_path / "in" / f"n{len(store.manifests())}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"# 第{len(store.manifests())}篇\n\n{sentence}\n", "utf-8")
        snapshot = indexer.ingest([path.parent]).snapshot
        assert snapshot is not None
        return snapshot

    return add


@pytest.fixture
def searchers(store: SnapshotStore) -> Iterator[CurrentSearcher]:
    """What the service holds for its lifetime."""
    made = CurrentSearcher(store, FakeEmbedder())
    yield made
    made.close()


def found(searcher: Searcher, question: str) -> list[str]:
    """The last line of each passage found."""
    return [p.chunk.text.splitlines()[-1] for p in searcher.passages(question, (), TODAY, 5)]


def test_without_an_index_nothing_is_lent(searchers: CurrentSearcher) -> None:
    """The error says that nothing was ingested, and the next request may find it otherwise."""
    with pytest.raises(IndexMissing, match="rag ingest"), searchers.lend():
        pytest.fail("lent nothing")


def test_the_first_ingest_is_found_without_a_restart(searchers: CurrentSearcher, ingest: Ingest) -> None:
    """A service that started empty serves what comes."""
    with pytest.raises(IndexMissing), searchers.lend():
        pytest.fail("lent nothing")
    ingest("护理补贴按月发放。")
    with searchers.lend() as searcher:
        assert found(searcher, "护理补贴怎么发") == ["护理补贴按月发放。"]


def test_the_next_request_sees_the_new_snapshot(searchers: CurrentSearcher, ingest: Ingest) -> None:
    """Between two requests the service follows the pointer."""
    first = ingest("护理补贴按月发放。")
    with searchers.lend() as searcher:
        assert searcher.snapshot.manifest.id == first
    second = ingest("种植牙自费。")
    with searchers.lend() as searcher:
        assert searcher.snapshot.manifest.id == second
        assert found(searcher, "种植牙报不报")[0] == "种植牙自费。"


def test_a_request_keeps_the_snapshot_it_began_with(searchers: CurrentSearcher, ingest: Ingest) -> None:
    """While it is lent the old snapshot stays open, though others have the new one already."""
    ingest("护理补贴按月发放。")
    with searchers.lend() as old:
        ingest("种植牙自费。")
        with searchers.lend() as new:
            assert "种植牙自费。" in found(new, "种植牙报不报")
        assert found(old, "种植牙报不报") == ["护理补贴按月发放。"]
        assert old.catalogue.text("n0").endswith("护理补贴按月发放。\n")


def test_the_old_snapshot_is_closed_when_given_back(searchers: CurrentSearcher, ingest: Ingest) -> None:
    """Nothing stays open that nobody reads."""
    ingest("护理补贴按月发放。")
    with searchers.lend() as old:
        ingest("种植牙自费。")
        with searchers.lend():
            pass
        assert old.catalogue.unit_ids() == ["n0#u0"]
    with pytest.raises(Exception, match=r"closed|can't be read"):
        old.catalogue.unit_ids()


def test_one_snapshot_is_opened_once(searchers: CurrentSearcher, ingest: Ingest) -> None:
    """Requests at one time share what is open, and one giving it back does not close it for the other."""
    ingest("护理补贴按月发放。")
    with searchers.lend() as one:
        with searchers.lend() as other:
            assert one is other
        assert found(one, "护理补贴") == ["护理补贴按月发放。"]


def test_rolling_back_while_lent_serves_both(searchers: CurrentSearcher, store: SnapshotStore, ingest: Ingest) -> None:
    """Forth and back while a slow request reads: its snapshot and the same one opened anew do not close each other."""
    ingest("护理补贴按月发放。")
    with searchers.lend() as slow:
        ingest("种植牙自费。")
        with searchers.lend():
            pass
        store.rollback()
        with searchers.lend() as again:
            assert found(again, "护理补贴") == ["护理补贴按月发放。"]
        assert found(slow, "护理补贴") == ["护理补贴按月发放。"]
    with searchers.lend() as after:
        assert found(after, "护理补贴") == ["护理补贴按月发放。"]


def test_garbage_collected_under_a_reader_does_not_disturb_it(
    searchers: CurrentSearcher, store: SnapshotStore, ingest: Ingest
) -> None:
    """What is being read stays until it is given back, and goes with the next clean-up."""
    ingest("护理补贴按月发放。")
    with searchers.lend() as slow:
        assert found(slow, "护理补贴") == ["护理补贴按月发放。"]
        ingest("种植牙自费。")
        ingest("配镜不报。")
        assert store.collect_garbage() == []
        assert slow.catalogue.text("n0").endswith("护理补贴按月发放。\n")
        read = slow.snapshot.manifest.id
    with searchers.lend():
        assert store.collect_garbage() == [read]


def test_an_index_of_another_embedder_is_not_searched(store: SnapshotStore, ingest: Ingest) -> None:
    """Vectors of two models are never compared: both are named, and nothing stays open."""
    ingest("护理补贴按月发放。")
    searchers = CurrentSearcher(store, FakeEmbedder("new-model"))
    with pytest.raises(EmbedderMismatch, match=r"fake-1.*new-model"), searchers.lend():
        pytest.fail("lent a mixture")


def test_without_an_embedder_words_are_enough(store: SnapshotStore, ingest: Ingest) -> None:
    """BM25 alone ranks, on an index with vectors too."""
    ingest("护理补贴按月发放。")
    ingest("种植牙自费。")
    searchers = CurrentSearcher(store, None)
    with searchers.lend() as searcher:
        assert found(searcher, "种植牙报不报")[0] == "种植牙自费。"
        passages, evidence = searcher.evidence("种植牙报不报", (), TODAY, 5)
    searchers.close()
    assert evidence.units[0].text == "种植牙自费。"
    assert passages[0].document.title == "第1篇"


def test_an_embedder_that_fails_now_is_done_without(store: SnapshotStore, ingest: Ingest) -> None:
    """A question is answered by BM25 and not refused, in the one way of asking and in the other."""
    ingest("护理补贴按月发放。")
    ingest("种植牙自费。")
    lexical, dying = CurrentSearcher(store, None), CurrentSearcher(store, _DyingEmbedder())
    with lexical.lend() as without, dying.lend() as searcher:
        assert found(searcher, "种植牙报不报") == found(without, "种植牙报不报")
        assert searcher.evidence("种植牙", (), TODAY, 5) == without.evidence("种植牙", (), TODAY, 5)
    lexical.close()
    dying.close()


def test_a_passage_counts_by_its_best_unit_too(store: SnapshotStore, ingest: Ingest) -> None:
    """That of the unit which answers best keeps its score; the farther another lags behind, the more it loses."""
    for sentence in ("护理补贴每月发300元。", "护理补贴怎么发，大家常问。", "停车费不发补贴。"):
        ingest(sentence)
    question, searcher = "护理补贴每月发多少钱", Searcher(store.open_current(), FakeEmbedder())
    snapshot = searcher.snapshot
    retriever = PassageRetriever(snapshot.catalogue, snapshot.lexical_chunks, snapshot.vectors, FakeEmbedder())
    fused = {p.chunk.id: p.score for p in retriever.search(question, 5, (), TODAY).passages}
    passages, evidence = searcher.evidence(question, (), TODAY, 5)
    lost = {p.chunk.id: fused[p.chunk.id] - p.score for p in passages}
    assert lost[evidence.units[0].chunk_id] == 0
    assert len(lost) == 3
    by_lag = sorted(evidence.behind, key=lambda chunk: evidence.behind[chunk])
    assert sorted(lost, key=lambda chunk: lost[chunk]) == by_lag
    assert [p.score for p in passages] == sorted((p.score for p in passages), reverse=True)


def test_passages_for_each_ask_come_behind_those_for_the_whole(store: SnapshotStore, ingest: Ingest) -> None:
    """What only one of several asks finds is there for its evidence, none comes twice, and the ranking stands."""
    for sentence in ("护理补贴每月发300元。", "停车费要自己出。", "种植牙不予报销。", "押金出院时退还。"):
        ingest(sentence)
    snapshot, question = store.open_current(), "护理补贴每月发多少钱？种植牙能不能报销？"
    searcher = Searcher(snapshot, FakeEmbedder())
    retriever = PassageRetriever(snapshot.catalogue, snapshot.lexical_chunks, snapshot.vectors, FakeEmbedder())
    several = searcher.evidence(question, (), TODAY, 2)[0]
    assert {p.chunk.id for p in several[:2]} == {p.chunk.id for p in retriever.search(question, 2, (), TODAY).passages}
    assert len({p.chunk.id for p in several}) == len(several) > 2
    snapshot.close()
