"""The documents that answers are judged against, read from the files themselves, without an index.

Knows documents, units and canonical texts. What of them is evidence for a question is the job of `dataset`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rag.domain import Document, EvidenceUnit, Span
from rag.indexing import source_record
from rag.ingest import reading
from rag.ports import SourceRecord, Tokenizer


class Library:
    """Documents by id, canonical texts by path."""

    def __init__(self, records: Iterable[SourceRecord]) -> None:
        self._records = {record.path: record for record in records}
        self.documents: dict[str, Document] = {d.id: d for r in self._records.values() for d in r.documents}

    def text(self, path: str) -> str:
        """The canonical text of a file."""
        return self._records[path].text

    def path_of(self, name: str) -> str:
        """The path of the file with this name.

        Raises:
            ValueError: no file has it.
        """
        found = next((path for path in self._records if path.rsplit("/", 1)[-1] == name), None)
        if found is None:
            raise ValueError(f"no file {name} among the documents")
        return found

    def quote(self, document_id: str, start: int, end: int) -> str | None:
        """The characters of a span; None when there is no such document or no such place in it."""
        document = self.documents.get(document_id)
        if document is None:
            return None
        text = self.text(document.path)
        return text[start:end] if 0 <= start < end <= len(text) else None

    def units_on(self, path: str, span: Span) -> list[EvidenceUnit]:
        """The evidence units of a file that touch a span."""
        return [u for u in self._records[path].units if u.span.overlaps(span)] if path in self._records else []


class NoBudget:
    """`ports.Tokenizer` for where nothing is cut by budget: the library needs units, which do not depend on it."""

    def count(self, text: str) -> int:
        """Characters: close enough, since chunks are not looked at."""
        return len(text)


def read_library(paths: Sequence[Path], tokenizer: Tokenizer) -> Library:
    """The library of some files or folders.

    Raises:
        UnreadableFile: one of them can't be read.
    """
    files = reading.source_files(list(paths))
    return Library(source_record(path, source, reading.read(path, source), tokenizer) for path, source in files)
