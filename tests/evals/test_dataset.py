"""Gold examples: files are read strictly, evidence is found exactly, facts are held on digit boundaries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from evals.dataset import (
    GoldExample,
    GoldSpans,
    QuoteRef,
    forbidden_in,
    holds_fact,
    load,
    resolve,
    stratified,
    supported_by,
)
from evals.library import Library
from rag.domain import Span
from tests.evals.samples import BEDS, MEALS, a_library, an_example

LINE = msgspec.to_builtins(an_example())


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Three made-up documents."""
    return a_library(tmp_path / "docs")


def _file(folder: Path, *lines: str) -> Path:
    path = folder / "gold.jsonl"
    path.write_text("\n".join(lines), "utf-8")
    return path


def _line(**fields: Any) -> str:  # noqa: ANN401 - the fields of GoldExample
    return json.dumps(LINE | fields, ensure_ascii=False)


# Reading


def test_examples_are_read_in_order(tmp_path: Path) -> None:
    """File by file, line by line; empty lines part groups."""
    one, other = _file(tmp_path, _line(id="a"), "", _line(id="b")), tmp_path / "other.jsonl"
    other.write_text(_line(id="c"), "utf-8")
    assert [e.id for e in load([other, one])] == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        pytest.param(_line(fact=[]), "fact", id="unknown field"),
        pytest.param(json.dumps({k: v for k, v in LINE.items() if k != "also"}), "also", id="missing field"),
        pytest.param(_line(split="train"), "split", id="unknown half"),
        pytest.param(_line(kind="refusal"), "kind", id="unknown kind"),
        pytest.param(_line(as_of="23.11.2026"), "as_of", id="no date"),
        pytest.param(_line(evidence=[{"document": "beds", "qoute": "x"}]), "qoute", id="misspelt in a reference"),
        pytest.param(_line()[:-5], "truncated", id="cut short"),
    ],
)
def test_a_line_that_is_no_example_is_named(tmp_path: Path, line: str, told: str) -> None:
    """File, line and field."""
    with pytest.raises(ValueError, match=rf"gold\.jsonl:3: .*{told}"):
        load([_file(tmp_path, _line(), "", line)])


# Evidence


def test_a_quote_becomes_its_span(library: Library) -> None:
    """Needed and further evidence, each in its place."""
    found = resolve(an_example(evidence=(QuoteRef("beds", BEDS),), also=(QuoteRef("beds", MEALS),)), library)
    path = library.path_of("beds.md")
    quotes = [library.text(p)[span.start : span.end] for p, span in (*found.needed, *found.also)]
    assert quotes == [BEDS, MEALS]
    assert [p for p, _ in (*found.needed, *found.also)] == [path, path]


@pytest.mark.parametrize(
    "ref",
    [
        pytest.param(QuoteRef("beds", "这句话不在文件里"), id="not there"),
        pytest.param(QuoteRef("glasses", BEDS), id="elsewhere"),
        pytest.param(QuoteRef("beds", "陪护"), id="more than once"),
        pytest.param(QuoteRef("nobody", BEDS), id="no such document"),
        pytest.param(QuoteRef("beds"), id="no quote"),
        pytest.param(QuoteRef("beds", ""), id="empty"),
        pytest.param(QuoteRef(), id="nothing"),
    ],
)
def test_evidence_that_is_not_there_exactly_once_is_an_error(library: Library, ref: QuoteRef) -> None:
    """The example is named, whether the evidence is needed or further support."""
    for example in (an_example(evidence=(ref,)), an_example(also=(ref,))):
        with pytest.raises(ValueError, match="number-001: not exactly once"):
            resolve(example, library)


def test_offsets_are_taken_as_they_are(library: Library) -> None:
    """Evidence in files that are not ours is given without their words, from the first character on."""
    found = resolve(an_example(evidence=(QuoteRef(source="beds.md", start=0, end=3),)), library)
    assert found.needed == ((library.path_of("beds.md"), Span(0, 3)),)


# Facts


@pytest.mark.parametrize(
    ("text", "fact", "holds"),
    [
        ("按70%的比例", ("70%",), True),
        ("按70％的比例", ("70%",), True),
        ("按 70 % 的比例", ("70%",), True),
        ("按75%的比例", ("5%",), False),
        ("按0.5%的比例", ("5%",), False),
        ("第5.5条", ("5",), False),
        ("第5条", ("5",), True),
        ("报销到5。", ("5",), True),
        ("拨打12393", ("1239",), False),
        ("每月12日", ("2日",), False),
        ("Cap of 3,000 Yuan", ("3,000yuan",), True),
        ("不用备案", ("无需备案", "不用备案"), True),
        ("需要备案", ("无需备案", "不用备案"), False),
        ("", ("70%",), False),
        ("按70%的比例", (), False),
    ],
)
def test_a_fact_is_held_on_digit_boundaries(text: str, fact: tuple[str, ...], holds: bool) -> None:  # noqa: FBT001 - a table
    """Width, case and white space do not matter, a digit more does."""
    assert holds_fact(text, fact) is holds


def test_forbidden_words_are_found_as_facts_are() -> None:
    """100% forbids 100％, and no 1100%."""
    assert forbidden_in("全部报销，100％", ("100%", "全额", "全部报销")) == ["100%", "全部报销"]
    assert forbidden_in("1100%", ("100%",)) == []


# Parts


def _examples() -> list[GoldExample]:
    return [
        an_example(id=f"{category}-{split}-{n}", category=category, split=split)
        for n in range(6)
        for category in ("fact", "region")
        for split in ("dev", "test")
    ]


def test_a_part_has_so_many_of_each_category_in_order() -> None:
    """Of one half, as the examples come."""
    examples = _examples()
    part = stratified(examples, 2)
    assert [(e.category, e.split) for e in sorted(part, key=lambda e: e.category)] == [
        ("fact", "test"),
        ("fact", "test"),
        ("region", "test"),
        ("region", "test"),
    ]
    assert part == [e for e in examples if e in part]


def test_a_part_is_always_the_same() -> None:
    """However the files are ordered; and a larger part holds the smaller one."""
    examples = _examples()
    assert {e.id for e in stratified(examples[::-1], 2)} == {e.id for e in stratified(examples, 2)}
    assert {e.id for e in stratified(examples, 2)} < {e.id for e in stratified(examples, 4)}


def test_a_small_category_is_taken_whole() -> None:
    """Asking for more than there is is no error."""
    assert stratified(_examples(), 99, "dev") == [e for e in _examples() if e.split == "dev"]


# Support

GOLD = GoldSpans(needed=(("/a.md", Span(100, 140)),), also=(("/b.md", Span(0, 10)),))


@pytest.mark.parametrize(
    ("spans", "path", "supported"),
    [
        pytest.param([Span(100, 140)], "/a.md", True, id="the quote"),
        pytest.param([Span(105, 120)], "/a.md", True, id="a part of it"),
        pytest.param([Span(60, 180)], "/a.md", True, id="a list around it"),
        pytest.param([Span(80, 120)], "/a.md", True, id="half on it"),
        pytest.param([Span(79, 119)], "/a.md", False, id="less than half"),
        pytest.param([Span(0, 40), Span(101, 139)], "/a.md", True, id="one of two"),
        pytest.param([Span(0, 10)], "/b.md", True, id="further support"),
        pytest.param([Span(100, 140)], "/b.md", False, id="another file"),
        pytest.param([Span(140, 180)], "/a.md", False, id="right behind it"),
        pytest.param([], "/a.md", False, id="nothing"),
    ],
)
def test_a_citation_is_supported_where_it_falls_on_gold(spans: list[Span], path: str, supported: bool) -> None:  # noqa: FBT001 - a table
    """Half of a span must lie on gold, or nearly a whole quote within it."""
    assert supported_by(spans, path, GOLD) is supported
