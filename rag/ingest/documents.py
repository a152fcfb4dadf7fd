"""A read file to its Documents: declared metadata first, what the page itself shows where nothing is declared.

Knows titles, dates, places and kinds. Layout is the job of `cleaning`, structure of `sectioning`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, get_args

from rag import places
from rag.domain import Authority, Document, DocumentKind, Origin, Span, Value
from rag.errors import UnreadableFile
from rag.ingest.blocks import Block, blocks
from rag.ingest.cleaning import Extent, extents
from rag.ingest.reading import SourceText
from rag.ingest.sectioning import Part, parts
from rag.text import squeeze

_FRONT_MATTER_KEYS = frozenset(
    "id title publisher url page authority published retrieved effective_from effective_to superseded_by places "
    "insured_types kind".split()
)
_INSURED_TYPES = (("职工", ("职工",)), ("居民", ("居民", "新农合", "合作医疗")), ("灵活就业", ("灵活就业",)))
_STATUTE_ARTICLES = 5
_CHINESE_DATE = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日")
_IN_FORCE = re.compile(r"自(\d{4})年(\d{1,2})月(\d{1,2})日起(?:施行|实施|执行)")


class ParsedDocument(Value):
    """A document with its sections and their blocks, ready to be cut."""

    document: Document
    parts: tuple[Part, ...]


def documents(source: SourceText, document_id: str) -> list[ParsedDocument]:
    """The documents of one file. `document_id` names the first; teasers get `~1`, `~2` after it.

    Raises:
        UnreadableFile: front matter with an unknown key or a value of the wrong form, or no text below it.
    """
    found = extents(source.text, source.body_start)
    if not found:
        raise UnreadableFile(source.path, "no text besides navigation")
    if source.declared and source.path.lower().endswith(".md"):
        found = [_whole(source)]
    base = str(source.declared.get("id") or document_id)
    return [_document(source, extent, base if n == 0 else f"{base}~{n}") for n, extent in enumerate(found)]


def _whole(source: SourceText) -> Extent:
    start = source.body_start + len(source.text[source.body_start :]) - len(source.text[source.body_start :].lstrip())
    end = len(source.text.rstrip())
    if start >= end:
        raise UnreadableFile(source.path, "no text below the front matter")
    return Extent(Span(start, end))


def _document(source: SourceText, extent: Extent, document_id: str) -> ParsedDocument:
    found = [
        block
        for block in blocks(source.text, extent.span.start, extent.span.end)
        if not any(skipped.overlaps(block.span) for skipped in extent.skipped)
    ]
    declared = _Declared(source.path, {} if extent.excerpt else source.declared)
    title = squeeze(declared.text("title") or "") or _title(source.text, found)
    cut = tuple(parts(source.text, title, found))
    if not cut:
        raise UnreadableFile(source.path, f"no text below the title {title!r}")
    document = Document(
        id=document_id,
        title=title,
        source=source.source,
        path=source.path,
        origin=Origin(
            publisher=declared.text("publisher") or extent.publisher,
            url=declared.text("url"),
            authority=declared.choice("authority", get_args(Authority)) or _authority(found),
        ),
        kind=declared.choice("kind", get_args(DocumentKind)) or _kind(found, extent),
        extent=extent.span,
        published=declared.date("published") or extent.published or _enacted(source.text, found),
        retrieved=declared.date("retrieved"),
        effective_from=declared.date("effective_from") or _in_force(source.text, found),
        effective_to=declared.date("effective_to"),
        superseded_by=declared.text("superseded_by"),
        places=places.find(title) if (stated := declared.names("places")) is None else stated,
        insured_types=_insured_types(title) if (types := declared.names("insured_types")) is None else types,
        sections=tuple(part.section for part in cut),
    )
    return ParsedDocument(document, cut)


def _title(text: str, found: list[Block]) -> str:
    first = next((b for b in found if b.kind == "heading"), found[0])
    return squeeze(text[first.span.start : first.span.end])


def _is_statute(found: list[Block]) -> bool:
    return sum(block.kind == "article" for block in found) >= _STATUTE_ARTICLES


def _kind(found: list[Block], extent: Extent) -> DocumentKind:
    if extent.excerpt:
        return "excerpt"
    return "statute" if _is_statute(found) else "article"


def _authority(found: list[Block]) -> Authority:
    return "official" if _is_statute(found) else "third-party"


def _enacted(text: str, found: list[Block]) -> dt.date | None:
    """The date in the note below a statute's title."""
    head = next((b for b in found[1:3] if b.kind == "paragraph"), None) if _is_statute(found) else None
    match = _CHINESE_DATE.search(text, head.span.start, head.span.end) if head else None
    return _date(match)


def _date(match: re.Match[str] | None) -> dt.date | None:
    try:
        return dt.date(*map(int, match.groups())) if match else None
    except ValueError:  # a slip of the pen: 2月31日
        return None


def _in_force(text: str, found: list[Block]) -> dt.date | None:
    """What a statute's last articles say of the day from which it holds."""
    if not _is_statute(found):
        return None
    match = _IN_FORCE.search(text, found[-3 if len(found) > 3 else 0].span.start, found[-1].span.end)  # noqa: PLR2004
    return _date(match)


def _insured_types(title: str) -> tuple[str, ...]:
    return tuple(name for name, words in _INSURED_TYPES if any(word in title for word in words))


class _Declared:
    """Front matter, checked value by value; errors name the file and the key."""

    def __init__(self, path: str, table: Mapping[str, Any]) -> None:
        self._path, self._table = path, table
        for key in table:
            if key not in _FRONT_MATTER_KEYS:
                raise UnreadableFile(path, f"unknown key {key!r} in the front matter")

    def text(self, key: str) -> str | None:
        value = self._table.get(key)
        if value is not None and not isinstance(value, str):
            raise self._wrong(key, "a text")
        return value or None

    def date(self, key: str) -> dt.date | None:
        value = self._table.get(key)
        if isinstance(value, str):
            try:
                return dt.date.fromisoformat(value)
            except ValueError as error:
                raise self._wrong(key, "a date, YYYY-MM-DD") from error
        if value is not None and type(value) is not dt.date:  # a datetime is a date, too, and would be kept as one
            raise self._wrong(key, "a date, YYYY-MM-DD")
        return value

    def names(self, key: str) -> tuple[str, ...] | None:
        """The names declared; none at all ([]) is a statement, too: the rule holds everywhere, for everyone."""
        value = self._table.get(key)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise self._wrong(key, "a list of names")
        return tuple(value)

    def choice(self, key: str, allowed: tuple[str, ...]) -> Any:  # noqa: ANN401 - one of `allowed`
        value = self.text(key)
        if value is not None and value not in allowed:
            raise self._wrong(key, "one of " + ", ".join(allowed))
        return value

    def _wrong(self, key: str, form: str) -> UnreadableFile:
        return UnreadableFile(self._path, f"front matter: {key!r} must be {form}")
