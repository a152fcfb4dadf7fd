"""One open snapshot, ready to be searched: passages, evidence, texts; and the switch from one snapshot to the next.

Knows which parts make up a search. Ranking is the job of `retrieve`, the life of snapshots that of `snapshots`.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain

import msgspec

from rag.domain import Evidence, Passage, Value
from rag.errors import EmbedderUnavailable, IndexMissing, RerankerUnavailable
from rag.ports import Embedder, Reranker
from rag.retrieve.asks import asks
from rag.retrieve.candidates import CandidateSource
from rag.retrieve.evidence import EvidenceFinder, load_model
from rag.retrieve.features import Profile
from rag.retrieve.joining import joined
from rag.retrieve.passages import PassageRetriever
from rag.snapshots import Snapshot, SnapshotStore

# How many passages are looked at for an answer; a reranker chooses them among twice as many.
LOOKED_AT = 20
# What a passage loses for each step that its best unit lags behind the best of all, and how far that goes at most; both
# chosen on development questions, in units of the two rankings' scores.
_LAG, _FARTHEST = 0.8, 6.0

log = logging.getLogger(__name__)

_Parts = tuple[PassageRetriever, CandidateSource, EvidenceFinder]
_Found = tuple[tuple[Passage, ...], Evidence]


class _Within(Value):
    """For which places and which day something is looked for, and how many passages are wanted."""

    places: tuple[str, ...]
    as_of: dt.date
    k: int


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

    def _assembled(self, embedder: Embedder | None) -> _Parts:
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
        within = _Within(tuple(places), as_of, max(k, LOOKED_AT))
        return self._or_lexically(self._found, question, within)[0][:k]

    def evidence(self, question: str, places: Collection[str], as_of: dt.date, k: int) -> _Found:
        """The `k` best passages, behind them those that only one of several asks found, and the evidence in all."""
        return self._or_lexically(self._answering, question, _Within(tuple(places), as_of, k))

    def _or_lexically(self, search: Callable[[_Parts, str, _Within], _Found], question: str, within: _Within) -> _Found:
        """What a search finds. An embedder that fails now is done without."""
        try:
            return search(self._dense, question, within)
        except EmbedderUnavailable:
            return search(self._lexical, question, within)

    def _answering(self, parts: _Parts, question: str, within: _Within) -> _Found:
        """What is found for the question; where it asks several things, with what is found for each of them."""
        passages, evidence = self._found(parts, question, within)
        several = asks(question)
        if len(several) == 1:
            return passages, evidence
        found = [self._found(parts, one, within) for one in several]
        distinct: dict[str, Passage] = {}
        for passage in chain(passages, *(more for more, _ in found)):
            distinct.setdefault(passage.chunk.id, passage)
        return tuple(distinct.values()), joined(evidence, [its for _, its in found])

    def _found(self, parts: _Parts, question: str, within: _Within) -> _Found:
        retriever, source, finder = parts
        wanted = within.k if self._reranker is None else 2 * within.k
        retrieved = retriever.search(question, wanted, within.places, within.as_of)
        scores = _relevance(self._reranker, question, retrieved.passages) if self._reranker else None
        best = (_ordered(retrieved.passages, scores) if scores is not None else retrieved.passages)[: within.k]
        retrieved = msgspec.structs.replace(retrieved, passages=best)
        evidence = finder.find(question, within.places, source.candidates(question, within.places, retrieved))
        is_fused = scores is None and retrieved.vector is not None
        return _by_their_units(best, evidence) if is_fused else best, evidence


def _relevance(reranker: Reranker, question: str, passages: tuple[Passage, ...]) -> Sequence[float] | None:
    """What the cross-encoder makes of each passage; None where it does not say."""
    try:
        return reranker.scores(question, [p.chunk.searched for p in passages]) if passages else None
    except RerankerUnavailable as error:
        log.warning("%s: the fused ranking stands", error)
        return None


def _by_their_units(passages: tuple[Passage, ...], evidence: Evidence) -> tuple[Passage, ...]:
    """The passages anew, by their own score and by the best of their units: what answers is seen closer up."""
    lags = (min(evidence.behind.get(p.chunk.id, _FARTHEST), _FARTHEST) for p in passages)
    return _ordered(passages, [round(p.score - _LAG * lag, 4) for p, lag in zip(passages, lags, strict=True)])


def _ordered(passages: tuple[Passage, ...], scores: Sequence[float]) -> tuple[Passage, ...]:
    """The passages by new scores; equal ones keep their order."""
    scored = [msgspec.structs.replace(p, score=score) for p, score in zip(passages, scores, strict=True)]
    return tuple(sorted(scored, key=lambda p: -p.score))


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
