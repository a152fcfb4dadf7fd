"""One open snapshot, ready to be searched: passages, evidence, texts; and the switch from one snapshot to the next.

Knows which parts make up a search. Ranking is the job of `retrieve`, the life of snapshots that of `snapshots`.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import msgspec

from rag.domain import Evidence, Passage
from rag.errors import EmbedderUnavailable, IndexMissing, RerankerUnavailable
from rag.ports import Embedder, Reranker
from rag.retrieve.candidates import CandidateSource
from rag.retrieve.evidence import EvidenceFinder, Profile, load_model
from rag.retrieve.passages import PassageRetriever
from rag.snapshots import Snapshot, SnapshotStore

# How many passages are looked at for an answer; a reranker chooses them among twice as many.
LOOKED_AT = 20

log = logging.getLogger(__name__)


class Searcher:
    """Searches one snapshot. Without an embedder, or on an index without vectors, BM25 alone ranks."""

    def __init__(self, snapshot: Snapshot, embedder: Embedder | None, reranker: Reranker | None = None) -> None:
        """Prepare the search.

        Raises:
            EmbedderMismatch: the snapshot's vectors are another embedder's.
        """
        snapshot.check_embedder(embedder)
        self.snapshot, self.catalogue = snapshot, snapshot.catalogue
        self._reranker = reranker
        self._dense = self._assembled(embedder if snapshot.vectors else None)
        self._lexical = self._assembled(None)

    def _assembled(self, embedder: Embedder | None) -> tuple[PassageRetriever, CandidateSource, EvidenceFinder]:
        snapshot = self.snapshot
        vectors = snapshot.vectors if embedder else None
        profile: Profile = "lexical" if vectors is None else "hybrid" if snapshot.manifest.units_embedded else "chunks"
        return (
            PassageRetriever(snapshot.catalogue, snapshot.lexical_chunks, vectors, embedder),
            CandidateSource(snapshot.catalogue, snapshot.lexical_units, vectors if profile == "hybrid" else None),
            EvidenceFinder(load_model(profile), snapshot.lexical_units.idf),
        )

    def passages(self, question: str, places: Collection[str], as_of: dt.date, k: int) -> tuple[Passage, ...]:
        """The `k` best passages."""
        return self.evidence(question, places, as_of, max(k, LOOKED_AT))[0][:k]

    def evidence(
        self, question: str, places: Collection[str], as_of: dt.date, k: int
    ) -> tuple[tuple[Passage, ...], Evidence]:
        """The `k` best passages and the evidence in them. An embedder that fails now is done without."""
        try:
            return self._evidence(self._dense, question, places, as_of, k)
        except EmbedderUnavailable:
            return self._evidence(self._lexical, question, places, as_of, k)

    def _evidence(
        self,
        parts: tuple[PassageRetriever, CandidateSource, EvidenceFinder],
        question: str,
        places: Collection[str],
        as_of: dt.date,
        k: int,
    ) -> tuple[tuple[Passage, ...], Evidence]:
        retriever, source, finder = parts
        if self._reranker is None:
            retrieved = retriever.search(question, k, places, as_of)
        else:
            found = retriever.search(question, 2 * k, places, as_of)
            retrieved = msgspec.structs.replace(found, passages=_reranked(self._reranker, question, found.passages, k))
        return retrieved.passages, finder.find(question, places, source.candidates(question, places, retrieved))


def _reranked(reranker: Reranker, question: str, passages: tuple[Passage, ...], k: int) -> tuple[Passage, ...]:
    """The `k` best passages by the cross-encoder; by the order given where it does not say."""
    if not passages:
        return ()
    try:
        scores = reranker.scores(question, [p.chunk.searched for p in passages])
    except RerankerUnavailable as error:
        log.warning("%s: the fused ranking stands", error)
        return passages[:k]
    scored = [msgspec.structs.replace(p, score=score) for p, score in zip(passages, scores, strict=True)]
    return tuple(sorted(scored, key=lambda p: -p.score)[:k])


class CurrentSearcher:
    """Lends out the searcher of the current snapshot and follows the pointer between two requests."""

    def __init__(self, store: SnapshotStore, embedder: Embedder | None, reranker: Reranker | None = None) -> None:
        self._store, self._embedder, self._reranker = store, embedder, reranker
        self._lock = threading.Lock()
        self._searcher: Searcher | None = None
        self._users: dict[int, int] = {}

    @contextmanager
    def lend(self) -> Iterator[Searcher]:
        """The current searcher; its snapshot stays open until everyone who has it gives it back.

        Raises:
            IndexMissing, IndexDamaged, EmbedderMismatch: there is nothing to search.
        """
        searcher = self._borrow()
        try:
            yield searcher
        finally:
            self._give_back(searcher)

    def close(self) -> None:
        """Close the current snapshot, or leave that to whoever still has it."""
        with self._lock:
            old, self._searcher = self._searcher, None
            if old is not None and not self._users.get(id(old)):
                old.snapshot.close()

    def _borrow(self) -> Searcher:
        with self._lock:
            current = self._store.current_id()
            if current is None:
                raise IndexMissing(f"no index in {self._store.root}; build one with `rag ingest PATH...`")
            if self._searcher is None or self._searcher.snapshot.manifest.id != current:
                self._replace()
            searcher = self._searcher
            if searcher is None:
                raise AssertionError("a searcher was just opened")
            self._users[id(searcher)] = self._users.get(id(searcher), 0) + 1
            return searcher

    def _replace(self) -> None:
        old, self._searcher = self._searcher, None
        snapshot = self._store.open_current()
        try:
            self._searcher = Searcher(snapshot, self._embedder, self._reranker)
        except BaseException:
            snapshot.close()
            raise
        finally:
            if old is not None and not self._users.get(id(old)):
                old.snapshot.close()

    def _give_back(self, searcher: Searcher) -> None:
        with self._lock:
            self._users[id(searcher)] -= 1
            if self._users[id(searcher)] == 0:
                del self._users[id(searcher)]
                if searcher is not self._searcher:
                    searcher.snapshot.close()
