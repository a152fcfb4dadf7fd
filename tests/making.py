"""Documents, chunks and units made from a few words, for tests that need them and do not test how they are cut."""

from __future__ import annotations

from typing import Any

from rag.domain import Chunk, Document, EvidenceUnit, Origin, Passage, Span
from rag.ports import SourceRecord


def a_document(name: str, **fields: Any) -> Document:  # noqa: ANN401 - the fields of Document
    """An article called `name`; `fields` go before what is invented here."""
    told: dict[str, Any] = {
        "id": name,
        "title": f"{name}的办法",
        "source": f"{name}.md",
        "path": f"/in/{name}.md",
        "origin": Origin(),
        "kind": "article",
        "extent": Span(0, 100),
    }
    return Document(**(told | fields))


def a_unit(unit_id: str, text: str, start: int = 0, **fields: Any) -> EvidenceUnit:  # noqa: ANN401 - as above
    """A sentence `text` that stands at `start`; its id names document and number, `doc#u0`."""
    document = unit_id.split("#", maxsplit=1)[0]
    told: dict[str, Any] = {
        "id": unit_id,
        "document_id": document,
        "chunk_id": f"{document}#c0",
        "kind": "sentence",
        "span": Span(start, start + len(text)),
        "title_path": (f"{document}的办法",),
        "text": text,
    }
    return EvidenceUnit(**(told | fields))


def a_record(name: str, *sentences: str, **fields: Any) -> SourceRecord:  # noqa: ANN401 - the fields of Document
    """A file with one document, one chunk and a unit a sentence."""
    text = "".join(sentences)
    units: list[EvidenceUnit] = []
    at = 0
    for n, sentence in enumerate(sentences):
        units.append(a_unit(f"{name}#u{n}", sentence, at))
        at += len(sentence)
    document = a_document(name, extent=Span(0, len(text)), **fields)
    chunk = Chunk(f"{name}#c0", name, (document.title,), Span(0, len(text)), text, tuple(u.id for u in units))
    return SourceRecord(document.path, f"digest-{name}", text, (document,), (chunk,), tuple(units))


def a_passage(record: SourceRecord, score: float = 1.0) -> Passage:
    """The record's one chunk as retrieved."""
    return Passage(record.chunks[0], record.documents[0], score)
