"""What every catalogue keeps: SQLite's and the fake."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from rag.adapters.sqlite import SqliteCatalogue
from rag.domain import Chunk, Document, EvidenceUnit, Span
from rag.ports import CatalogueFile, SourceRecord
from tests.fakes.storage import MemoryCatalogue
from tests.making import a_record

Make = Callable[[], CatalogueFile]

NURSING = a_record(
    "nursing", "护理补贴按月发放。", "每月不超过九百元。", published=dt.date(2031, 5, 4), places=("嘉兴",)
)
DENTAL = a_record("dental", "种植牙自费。", insured_types=("职工",))


@pytest.fixture(params=["sqlite", "fake"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes empty catalogues of each kind in turn."""
    made: list[CatalogueFile] = []

    def new() -> CatalogueFile:
        path = tmp_path / f"{len(made)}.sqlite"
        made.append(SqliteCatalogue(path, create=True) if request.param == "sqlite" else MemoryCatalogue())
        return made[-1]

    yield new
    for catalogue in made:
        catalogue.close()


@pytest.fixture
def subject(make: Make) -> CatalogueFile:
    """A catalogue of two files."""
    catalogue = make()
    catalogue.add(NURSING)
    catalogue.add(DENTAL)
    return catalogue


def test_an_empty_catalogue_has_nothing(make: Make) -> None:
    """Before the first file there is nothing to list, and no error."""
    empty = make()
    assert (empty.documents(), empty.chunk_ids(), empty.unit_ids(), empty.digests()) == ([], [], [], {})


def test_a_file_comes_back_as_it_went_in(subject: CatalogueFile) -> None:
    """Text, dates, places, spans and titles survive: what is carried over is what was cut."""
    assert subject.source("/in/nursing.md") == NURSING


def test_digests_are_by_path(subject: CatalogueFile) -> None:
    """Each file's digest is found under its path."""
    assert subject.digests() == {"/in/nursing.md": "digest-nursing", "/in/dental.md": "digest-dental"}


def test_rows_are_in_the_order_they_were_added(subject: CatalogueFile) -> None:
    """The lexical index's rows and the ids agree by position."""
    assert [d.id for d in subject.documents()] == ["nursing", "dental"]
    assert subject.chunk_ids() == ["nursing#c0", "dental#c0"]
    assert subject.unit_ids() == ["nursing#u0", "nursing#u1", "dental#u0"]


def test_a_document_is_found_by_its_id(subject: CatalogueFile) -> None:
    """One document by id; an unknown id is None and not an error."""
    assert subject.document("dental") == DENTAL.documents[0]
    assert subject.document("elsewhere") is None


def test_spans_cut_the_canonical_text(subject: CatalogueFile) -> None:
    """A unit's span cuts its words out of its document's text."""
    unit = subject.units_of("nursing#c0")[1]
    assert subject.text("nursing")[unit.span.start : unit.span.end] == "每月不超过九百元。"


def test_chunks_come_in_the_order_asked_for(subject: CatalogueFile) -> None:
    """A ranking stays a ranking."""
    for asked in (["dental#c0", "nursing#c0"], ["nursing#c0", "dental#c0"]):
        assert [c.id for c in subject.chunks_by_id(asked)] == asked
    assert subject.chunks_by_id([]) == []


def test_units_belong_to_their_chunk(subject: CatalogueFile) -> None:
    """A chunk's units are its own, in order; an unknown chunk has none."""
    assert [u.id for u in subject.units_of("nursing#c0")] == ["nursing#u0", "nursing#u1"]
    assert subject.units_of("nursing#c9") == []


def test_documents_of_one_file_share_its_text(make: Make) -> None:
    """A page and its teaser refer to one canonical text."""
    page = a_record("page", "门诊统筹扩面。", "另见种植牙。")
    teaser = msgspec.structs.replace(page.documents[0], id="page~1", kind="excerpt")
    catalogue = make()
    catalogue.add(msgspec.structs.replace(page, documents=(*page.documents, teaser)))
    assert catalogue.text("page~1") == catalogue.text("page") == page.text


def test_equal_rows_have_equal_digests(make: Make, subject: CatalogueFile) -> None:
    """The digest speaks of content and not of the file that holds it."""
    other = make()
    other.add(NURSING)
    other.add(DENTAL)
    assert other.row_digest() == subject.row_digest()


def _replaced(record: SourceRecord, part: str) -> SourceRecord:
    document: Document = record.documents[0]
    chunk: Chunk = record.chunks[0]
    unit: EvidenceUnit = record.units[0]
    changes = {
        "text": {"text": record.text.replace("月", "年")},
        "documents": {"documents": (msgspec.structs.replace(document, places=("湖州",)),)},
        "chunks": {"chunks": (msgspec.structs.replace(chunk, text="改过的话。"),)},
        "units": {"units": (msgspec.structs.replace(unit, span=Span(1, 3)), *record.units[1:])},
    }
    return msgspec.structs.replace(record, **changes[part])


@pytest.mark.parametrize("part", ["text", "documents", "chunks", "units"])
def test_the_digest_is_over_all_rows(make: Make, part: str) -> None:
    """A changed canonical text, document, chunk or unit changes the digest: verification relies on it."""
    one, other = make(), make()
    one.add(NURSING)
    other.add(_replaced(NURSING, part))
    assert one.row_digest() != other.row_digest()
