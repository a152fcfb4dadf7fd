"""The sets of near-identical rules: what their questions point at stands there, can be told apart, and halves differ.

Knows the files in `evals/gold/confusions` and in its folder `fresh`. How a retriever fares on them is the job
of `evals`.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from evals.dataset import GOLD
from evals.library import Library, NoBudget, read_library
from rag import places
from rag.domain import Document, Span, Value
from rag.ingest.imprint import of_the_issuer

FIRST = GOLD / "confusions"
FRESH = FIRST / "fresh"
CORPUS = Path(__file__).parents[2] / "corpus" / "documents"
# From here on two questions are one question in other words; the gold set draws the line at .6.
TOO_NEAR = 0.5
# A run of the rule's own characters as long as this would find it without any understanding.
COPIED = 8
AT_LEAST = {
    FIRST: {"region": 60, "person": 20, "type": 20, "level": 4, "year": 6, "channel": 4},
    FRESH: {"region": 60, "person": 15, "type": 15, "level": 5, "year": 5, "channel": 5},
}
SPLITS = {FIRST: {"dev": 30, "test": 90}, FRESH: {"test": 118}}

_FIGURE = re.compile(r"\d+(?:\.\d+)?")


class Quoted(Value, forbid_unknown_fields=True):
    """One rule: a whole sentence or table row of a document."""

    document: str
    quote: str


class Confusion(Value, forbid_unknown_fields=True):
    """A question, the rule that answers it, and rules that read like it."""

    id: str
    split: Literal["dev", "test"]
    question: str
    kind: Literal["region", "person", "type", "level", "year", "channel"]
    as_of: dt.date | None
    right: Quoted
    wrong: tuple[Quoted, ...]

    @property
    def quoted(self) -> tuple[Quoted, ...]:
        """The right rule first."""
        return (self.right, *self.wrong)


@pytest.fixture(scope="module", params=[FIRST, FRESH], ids=["first", "fresh"])
def folder(request: pytest.FixtureRequest) -> Path:
    """One set after the other."""
    chosen: Path = request.param
    return chosen


@pytest.fixture(scope="module")
def questions(folder: Path) -> list[Confusion]:
    """All lines, in order."""
    return _questions(folder)


@pytest.fixture(scope="module")
def library(folder: Path) -> Library:
    """The documents, as they would be ingested."""
    return read_library([folder / "corpus"], NoBudget())


def _questions(folder: Path) -> list[Confusion]:
    lines = (folder / "questions.jsonl").read_text("utf-8").splitlines()
    return [msgspec.json.decode(line, type=Confusion) for line in lines]


def _units(library: Library, quoted: Quoted) -> list[str]:
    """The text of the evidence units on a quote."""
    document = library.documents[quoted.document]
    start = library.text(document.path).index(quoted.quote)
    units = library.units_on(document.path, Span(start, start + len(quoted.quote)))
    return [library.text(document.path)[u.span.start : u.span.end] for u in units]


def _bigrams(question: str) -> set[str]:
    key = "".join(c for c in unicodedata.normalize("NFKC", question).casefold() if c.isalnum())
    return {key[i : i + 2] for i in range(len(key) - 1)}


def _runs(text: str, length: int) -> set[str]:
    return {text[i : i + length] for i in range(len(text) - length + 1)}


def test_every_quote_stands_exactly_once_in_its_document(questions: list[Confusion], library: Library) -> None:
    """Whoever changes a document changes the questions with it."""
    texts = {name: library.text(document.path) for name, document in library.documents.items()}
    lost = [(e.id, q.quote) for e in questions for q in e.quoted if texts.get(q.document, "").count(q.quote) != 1]
    assert lost == []


def test_every_quote_is_a_unit_of_evidence(questions: list[Confusion], library: Library) -> None:
    """Right and wrong can be told apart in the ranking, even where they share a passage."""
    assert [(e.id, q.quote) for e in questions for q in e.quoted if q.quote not in _units(library, q)] == []


def test_every_file_is_one_document_of_its_name(folder: Path, library: Library) -> None:
    """A document is named in the questions as its file is."""
    assert sorted(library.documents) == sorted(path.stem for path in (folder / "corpus").glob("*.md"))


def test_no_document_has_the_name_of_one_of_the_corpus(library: Library) -> None:
    """A made-up rule is never taken for one of the service's own sources."""
    assert [name for name in library.documents if (CORPUS / f"{name}.md").exists()] == []


def test_every_place_is_known_to_the_gazetteer(library: Library) -> None:
    """What is lost was not lost for want of a name."""
    named = [place for document in library.documents.values() for place in document.places]
    assert [place for place in named if places.find(place) != (place,)] == []


def test_documents_without_a_place_are_the_publishers_or_the_countrys(library: Library) -> None:
    """Whose rules these are can always be told from the document."""
    placeless = [d for d in library.documents.values() if not d.places and not d.id.startswith("national-")]
    assert [d.id for d in placeless if len(places.find(d.origin.publisher or "")) != 1] == []


def test_half_of_the_documents_name_their_place_above_the_text_only(library: Library) -> None:
    """There the sentences alone are the same for all cities, but for the figures; of publishers that name it, apart."""
    placed = [d for d in library.documents.values() if d.places and not of_the_issuer(d.origin.publisher or "")]
    silent = [d.id for d in placed if not _named_inside(d, library)]
    assert len(silent) == pytest.approx(len(library.documents) / 2, abs=1)


def _named_inside(document: Document, library: Library) -> bool:
    """Whether a place of the document stands below its title."""
    body = library.text(document.path).split(f"\n# {document.title}\n")[1]
    return any(place.rstrip("市区") in body for place in document.places)


def test_wrong_rules_have_other_figures(questions: list[Confusion]) -> None:
    """What is ranked first decides what a patient is told."""
    figures = {e.id: [_FIGURE.findall(q.quote) for q in e.quoted] for e in questions}
    assert [name for name, (right, *wrong) in figures.items() if not right or not wrong or right in wrong] == []


def test_confusers_of_a_region_stand_in_other_documents(questions: list[Confusion], library: Library) -> None:
    """These questions are lost between places, not between rows; a document may have the rules of two cities."""
    shared = {d.id for d in library.documents.values() if len(d.places) > 1}
    regional = [e for e in questions if e.kind == "region"]
    inside = {q.document for e in regional for q in e.wrong if q.document == e.right.document}
    assert inside <= shared


def test_ids_and_rules_are_asked_once(questions: list[Confusion]) -> None:
    """A verdict names one question, and no half knows the answer to a question of the other."""
    assert len({e.id for e in questions}) == len({e.right for e in questions}) == len(questions)


def test_no_question_of_one_part_is_in_another() -> None:
    """What was fitted on a question, or mended after it was read, would look like skill on its rewording."""
    keys = [(folder, e, _bigrams(e.question)) for folder in (FIRST, FRESH) for e in _questions(folder)]
    near = [
        (one.id, other.id)
        for (here, one, a), (there, other, b) in itertools.combinations(keys, 2)
        if (here, one.split) != (there, other.split) and len(a & b) / len(a | b) >= TOO_NEAR
    ]
    assert near == []


def test_no_document_is_in_both_sets() -> None:
    """A verdict names one document, and the fresh set repeats nothing."""
    first, fresh = ({path.stem for path in (folder / "corpus").glob("*.md")} for folder in (FIRST, FRESH))
    assert first & fresh == set()


def test_no_question_copies_the_words_of_a_rule(questions: list[Confusion]) -> None:
    """Finding the right rule takes more than finding its letters."""
    copied = [
        (e.id, q.quote) for e in questions for q in e.quoted if _runs(e.question, COPIED) & _runs(q.quote, COPIED)
    ]
    assert copied == []


def test_each_kind_is_asked_often_enough(folder: Path, questions: list[Confusion]) -> None:
    """A difference in one kind can be seen, and most questions are for measuring alone."""
    kinds: Counter[str] = Counter(e.kind for e in questions)
    assert {kind: kinds[kind] for kind, least in AT_LEAST[folder].items() if kinds[kind] < least} == {}
    assert Counter(e.split for e in questions) == SPLITS[folder]
