"""The same story with the vectors on a Chroma server, and what happens when that server is gone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import chromadb
import pytest

from rag.errors import IndexDamaged, VectorsUnreachable
from rag.indexing import Indexer
from rag.searching import CurrentSearcher
from rag.snapshots import SnapshotStore
from rag.wiring import LocalStorage
from tests.fakes.chroma_server import ChromaServer
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.tokenizer import CharacterTokenizer
from tests.faults.conftest import write_files


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    """A server of this module's own."""
    with ChromaServer(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def store(server: ChromaServer, tmp_path: Path) -> SnapshotStore:
    """An empty index whose vectors go to the server."""
    return SnapshotStore(tmp_path / "data", LocalStorage(tmp_path / "data", server.url))


def ingest(store: SnapshotStore, server: ChromaServer, folder: Path, embedder: FakeEmbedder | None = None) -> str:
    """The real first story but for its embedder; the new snapshot's id."""
    storage = LocalStorage(store.root.parent, server.url)
    indexer = Indexer(store, storage, CharacterTokenizer(), embedder or FakeEmbedder(), lambda _: None, lambda *_: None)
    return str(indexer.ingest([folder]).snapshot)


def collections(server: ChromaServer) -> set[str]:
    """What the server holds."""
    port = int(server.url.rpartition(":")[2])
    return {c.name for c in chromadb.HttpClient("127.0.0.1", port).list_collections()}


def test_the_whole_life_on_a_server(store: SnapshotStore, server: ChromaServer, tmp_path: Path) -> None:
    """Ingest, search, switch, roll back and collect: the server holds what the snapshots need and nothing else."""
    made = [ingest(store, server, write_files(tmp_path / "in", count, "云上")) for count in (1, 2, 3)]
    searchers = CurrentSearcher(store, FakeEmbedder())
    with contextlib.closing(searchers), searchers.lend() as searcher:
        searcher.snapshot.verify()
        vectors = searcher.snapshot.vectors
        assert vectors is not None
        assert vectors.counts() == (searcher.snapshot.manifest.chunks, searcher.snapshot.manifest.units)
    assert store.rollback() == made[1]
    store.activate(made[2])
    assert store.collect_garbage() == [made[0]]
    assert {name.rpartition("-")[0] for name in collections(server)} == set(made[1:])


def test_a_failed_build_leaves_no_collection(store: SnapshotStore, server: ChromaServer, tmp_path: Path) -> None:
    """What was sent to the server goes with the build."""
    before = collections(server)
    with pytest.raises(Exception, match="told to fail"):
        ingest(store, server, write_files(tmp_path / "in", 3, "半途"), FakeEmbedder(fails_after=20))
    assert collections(server) == before


def test_a_server_that_is_gone_is_told_from_damage(tmp_path: Path) -> None:
    """Opening, searching, ingesting and collecting say that it does not answer; when it is back all is well."""
    with ChromaServer(tmp_path / "server") as server:
        store = SnapshotStore(tmp_path / "data", LocalStorage(tmp_path / "data", server.url))
        folder = write_files(tmp_path / "in", 1, "断线")
        old, before = ingest(store, server, folder), ingest(store, server, write_files(folder, 2, "断线"))
        after = ingest(store, server, write_files(folder, 3, "断线"))
        serving = store.open_current()
        server.kill()
        assert serving.vectors is not None
        with pytest.raises(VectorsUnreachable), contextlib.closing(serving):
            serving.vectors.nearest_chunks(FakeEmbedder().query("断线"), 3)
        for attempt in (store.open_current, store.collect_garbage):
            with pytest.raises(VectorsUnreachable, match="can't be read at http"):
                attempt()
        with pytest.raises(VectorsUnreachable):
            ingest(store, server, write_files(folder, 4, "断线"))
        assert (store.current_id(), old in {m.id for m in store.manifests()}) == (after, True)
        server.start()
        with contextlib.closing(store.open_current()) as snapshot:
            snapshot.verify()
        assert old in store.collect_garbage()
        assert {m.id for m in store.manifests()} == {before, after}


def test_a_server_that_lost_its_rows_is_damage(store: SnapshotStore, server: ChromaServer, tmp_path: Path) -> None:
    """Collections that are gone can't be waited for: the index has to be built anew."""
    made = ingest(store, server, write_files(tmp_path / "in", 1, "失踪"))
    LocalStorage(tmp_path, server.url).drop_vectors(made)
    with pytest.raises(IndexDamaged, match=r"missing.*--rebuild"):
        store.open_current()
