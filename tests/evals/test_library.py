"""The documents that answers are judged against: canonical texts, and the units cut from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.library import Library, NoBudget, read_library
from rag.adapters.tiktoken import TiktokenTokenizer
from rag.domain import Span
from rag.errors import UnreadableFile
from tests.evals.samples import BEDS, CORPUS, MEALS, RECORDS, ROW, a_library, unit_with, units_of


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Three made-up documents."""
    return a_library(tmp_path / "docs")


def test_documents_go_by_their_ids(library: Library) -> None:
    """Every document of the folder is there."""
    assert sorted(library.documents) == ["beds", "glasses", "records"]


def test_a_canonical_text_is_the_whole_file(library: Library) -> None:
    """Front matter included: offsets in the gold count from the first character of the file."""
    path = library.path_of("beds.md")
    assert library.text(path) == Path(path).read_text("utf-8")


def test_a_file_is_found_by_its_name(library: Library) -> None:
    """The gold names files, and no folders of the machine that it was written on."""
    assert library.path_of("beds.md") == library.documents["beds"].path


@pytest.mark.parametrize("name", ["eds.md", "beds", "docs/beds.md", ""])
def test_a_file_that_is_not_there_is_named(library: Library, name: str) -> None:
    """A part of a name is no name."""
    with pytest.raises(ValueError, match=f"no file {name} among"):
        library.path_of(name)


def test_a_quote_is_cut_to_the_character(library: Library) -> None:
    """A span of a document gives its characters and no others."""
    start = library.text(library.path_of("beds.md")).index(BEDS)
    assert library.quote("beds", start, start + len(BEDS)) == BEDS


@pytest.mark.parametrize(
    ("document", "start", "end"),
    [("nobody", 0, 5), ("beds", -3, 5), ("beds", 5, 5), ("beds", 7, 3), ("beds", 0, 10_000)],
    ids=["document", "negative", "empty", "turned", "behind the end"],
)
def test_a_place_that_is_not_there_has_no_quote(library: Library, document: str, start: int, end: int) -> None:
    """An invented citation is told apart from an empty one."""
    assert library.quote(document, start, end) is None


def test_units_on_a_span_are_those_that_touch_it(library: Library) -> None:
    """A span of one sentence finds that sentence, and one across two finds both."""
    path, text = library.path_of("beds.md"), library.text(library.path_of("beds.md"))
    beds, meals = text.index(BEDS), text.index(MEALS)
    one = library.units_on(path, Span(beds + 3, beds + 4))
    both = library.units_on(path, Span(beds + 3, meals + 1))
    assert [u.text for u in one] == [BEDS]
    assert [u.text for u in both] == [BEDS, MEALS]


def test_an_unknown_file_has_no_units(library: Library) -> None:
    """A citation of a document that is not there finds nothing."""
    assert library.units_on("/nowhere.md", Span(0, 100)) == []


@pytest.mark.parametrize("words", [BEDS, MEALS, ROW, RECORDS])
def test_a_unit_stands_where_it_says(library: Library, words: str) -> None:
    """Its span holds its words."""
    unit = unit_with(library, words)
    assert words in (library.quote(unit.document_id, unit.span.start, unit.span.end) or "")


def test_units_do_not_depend_on_the_token_counter(tokenizer: TiktokenTokenizer) -> None:
    """What a run cited is found in a library that was cut without a budget."""
    cut = {(u.id, u.span, u.text) for u in units_of(read_library([CORPUS], tokenizer))}
    assert cut == {(u.id, u.span, u.text) for u in units_of(read_library([CORPUS], NoBudget()))}


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """It is named, and no empty library judges everything as unsupported."""
    with pytest.raises(UnreadableFile, match="nowhere"):
        read_library([tmp_path / "nowhere"], NoBudget())
