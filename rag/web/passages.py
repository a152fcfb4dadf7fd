"""A passage as it is shown over HTTP and by `rag search --json`.

Knows field names. Which passages there are is the job of `retrieve`.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from rag.domain import DocumentKind, Passage


class PassageRow(msgspec.Struct, frozen=True):
    """One retrieved passage; `score` orders passages of one question only."""

    rank: int
    score: float
    document_id: str
    source: str
    section: str
    kind: DocumentKind
    places: tuple[str, ...]
    published: dt.date | None
    text: str
    start: int
    end: int


def passage_row(rank: int, passage: Passage) -> PassageRow:
    """The passage at `rank`."""
    document, chunk = passage.document, passage.chunk
    return PassageRow(
        rank=rank,
        score=passage.score,
        document_id=document.id,
        source=document.source,
        section=" / ".join(chunk.title_path),
        kind=document.kind,
        places=document.places,
        published=document.published,
        text=chunk.text,
        start=chunk.span.start,
        end=chunk.span.end,
    )
