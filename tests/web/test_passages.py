"""A passage is shown with where it is from and where it stands."""

from __future__ import annotations

import datetime as dt

import msgspec

from rag.domain import Chunk, Document, Origin, Passage, Span
from rag.web.passages import passage_row

DOCUMENT = Document(
    "d", "陪护费用", "beds.md", "/x/beds.md", Origin(), "article", Span(0, 99), dt.date(2025, 1, 2), places=("宁波",)
)
CHUNK = Chunk("d#c0", "d", ("陪护费用", "报销"), Span(10, 14), "陪护床费")


def test_a_row_has_the_fields_of_the_contract() -> None:
    """The names and values of `rag search --json`; the path of the file on our disk is not among them."""
    assert msgspec.to_builtins(passage_row(3, Passage(CHUNK, DOCUMENT, 0.5))) == {
        "rank": 3,
        "score": 0.5,
        "document_id": "d",
        "source": "beds.md",
        "section": "陪护费用 / 报销",
        "kind": "article",
        "places": ("宁波",),
        "published": "2025-01-02",
        "text": "陪护床费",
        "start": 10,
        "end": 14,
    }
