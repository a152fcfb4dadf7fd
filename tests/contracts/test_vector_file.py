"""What every vector index keeps: Chroma in a folder, a Chroma server on this machine, and the fake."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from rag.adapters.chroma import ChromaVectorIndex
from rag.domain import Chunk, Document
from rag.errors import IndexDamaged
from rag.ports import VectorFile, Vectors
from tests.fakes.chroma_server import ChromaServer
from tests.fakes.storage import MemoryStorage
from tests.making import a_record

Open = Callable[..., VectorFile]

RECORDS = [
    a_record("nursing", "护理补贴按月发放。", published=None),
    a_record("dental", "种植牙自费。", places=("嘉兴", "湖州")),
    a_record("glasses", "配镜不报。"),
]
CHUNKS: list[Chunk] = [r.chunks[0] for r in RECORDS]
DOCUMENTS: dict[str, Document] = {d.id: d for r in RECORDS for d in r.documents}


def unit_rows(*rows: list[float]) -> Vectors:
    """The rows as unit vectors."""
    made = np.array(rows, dtype=np.float32)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), dtype=np.float32)


NORTH, EAST, BETWEEN = unit_rows([0, 1, 0], [1, 0, 0], [1, 2, 0])


@pytest.fixture(scope="module")
def chroma_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Chroma server of this module's own."""
    with ChromaServer(tmp_path_factory.mktemp("chroma-server")) as server:
        yield server.url


@pytest.fixture(params=["folder", "server", "fake"])
def open_index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens or makes the index `name` of each kind in turn; all are closed afterwards."""
    url = request.getfixturevalue("chroma_url") if request.param == "server" else None
    storage, run, opened = MemoryStorage(), secrets.token_hex(4), []

    def open_one(name: str = "s", *, create: bool = False) -> VectorFile:
        if request.param == "fake":
            return storage.vectors(tmp_path, name, create=create)
        opened.append(ChromaVectorIndex(tmp_path / "chroma", f"{run}-{name}", url, create=create))
        return opened[-1]

    yield open_one
    for index in opened:
        index.close()


@pytest.fixture
def subject(open_index: Open) -> VectorFile:
    """An index of three chunks and two units."""
    index = open_index(create=True)
    index.add_chunks(CHUNKS, DOCUMENTS, np.stack([NORTH, EAST, BETWEEN]))
    index.add_units(["nursing#u0", "dental#u0"], np.stack([NORTH, EAST]))
    return index


def test_the_nearest_chunks_come_first(subject: VectorFile) -> None:
    """Chunks are ranked by cosine, and the cosine is told."""
    assert subject.nearest_chunks(NORTH, 3) == [
        ("nursing#c0", pytest.approx(1.0, abs=1e-5)),
        ("glasses#c0", pytest.approx(2 / 5**0.5, abs=1e-5)),
        ("dental#c0", pytest.approx(0.0, abs=1e-5)),
    ]


def test_no_more_than_asked_for(subject: VectorFile) -> None:
    """At most `k` chunks, and all of them when there are fewer."""
    assert len(subject.nearest_chunks(NORTH, 2)) == 2
    assert len(subject.nearest_chunks(NORTH, 50)) == 3


def test_equal_chunks_go_by_id(open_index: Open) -> None:
    """Where cosines are equal the order is that of the ids, not of chance."""
    index = open_index(create=True)
    index.add_chunks(CHUNKS, DOCUMENTS, np.stack([NORTH, NORTH, NORTH]))
    assert [i for i, _ in index.nearest_chunks(NORTH, 3)] == ["dental#c0", "glasses#c0", "nursing#c0"]


def test_unit_vectors_come_in_the_order_asked_for(subject: VectorFile) -> None:
    """The i-th row is the i-th id's."""
    assert subject.unit_vectors(["dental#u0", "nursing#u0"]) == pytest.approx(np.stack([EAST, NORTH]))


def test_a_unit_vector_may_be_asked_for_twice(subject: VectorFile) -> None:
    """An id that is named twice comes twice: the shape is that of the question."""
    rows = subject.unit_vectors(["dental#u0", "nursing#u0", "dental#u0"])
    assert rows == pytest.approx(np.stack([EAST, NORTH, EAST]))


def test_a_missing_unit_is_said_to_be_missing(subject: VectorFile) -> None:
    """A vector that is not there is an error and not a shorter table."""
    with pytest.raises(IndexDamaged, match="1 vectors are missing"):
        subject.unit_vectors(["nursing#u0", "nursing#u9"])


def test_chunk_vectors_come_in_the_order_asked_for(subject: VectorFile) -> None:
    """The i-th row is the i-th id's, and one that is not there is an error."""
    rows = subject.chunk_vectors(["glasses#c0", "nursing#c0"])
    assert subject.nearest_chunks(rows[0], 1)[0] == ("glasses#c0", pytest.approx(1))
    assert subject.nearest_chunks(rows[1], 1)[0] == ("nursing#c0", pytest.approx(1))
    with pytest.raises(IndexDamaged, match="1 vectors are missing"):
        subject.chunk_vectors(["nursing#c0", "nursing#c9"])


def test_rows_are_counted(subject: VectorFile) -> None:
    """Chunks and units are counted apart."""
    assert subject.counts() == (3, 2)


def test_the_nearest_unit_is_found(subject: VectorFile) -> None:
    """A unit is found by searching for its own vector."""
    assert subject.nearest_unit(EAST) == "dental#u0"


def test_the_nearest_chunk_is_found(subject: VectorFile) -> None:
    """So is a chunk."""
    assert subject.nearest_chunk(EAST) == "dental#c0"


def test_an_empty_index_has_no_nearest(open_index: Open) -> None:
    """Nothing there is None."""
    empty = open_index(create=True)
    assert (empty.nearest_unit(EAST), empty.nearest_chunk(EAST)) == (None, None)


def test_what_was_added_is_there_when_opened_again(open_index: Open, subject: VectorFile) -> None:
    """A closed index is found whole under its name."""
    subject.close()
    assert open_index().counts() == (3, 2)
    assert open_index().nearest_chunks(EAST, 1)[0][0] == "dental#c0"


def test_one_reader_closing_does_not_disturb_another(open_index: Open, subject: VectorFile) -> None:
    """The server closes a snapshot while a slower request still reads it elsewhere."""
    open_index().close()
    assert subject.nearest_unit(EAST) == "dental#u0"


def test_an_index_that_was_never_made_is_damaged(open_index: Open) -> None:
    """Opening makes nothing by the way."""
    with pytest.raises(IndexDamaged, match="missing"):
        open_index("other")


def test_many_rows_go_in_at_once(open_index: Open) -> None:
    """More rows than the store takes in one call arrive all the same, each with its own vector."""
    index = open_index(create=True)
    ids = [f"nursing#u{n}" for n in range(5_600)]
    angles = np.linspace(0, 1.5, len(ids))
    rows = np.column_stack([np.cos(angles), np.sin(angles), np.zeros(len(ids))]).astype(np.float32)
    index.add_units(ids, rows)
    assert index.counts() == (0, 5_600)
    assert index.unit_vectors(["nursing#u5500"])[0] == pytest.approx(rows[5_500])
