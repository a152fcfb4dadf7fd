"""A read file to its Documents: declared metadata first, what the page itself shows where nothing is declared.

Knows titles, dates, places and kinds. Layout is the job of `cleaning`, structure of `sectioning`; which version of a
statute ends another is seen from the whole index only, and the job of `retrieve.eligibility`.

`cn2an` (widely used) reads Han numerals.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

import cn2an

from rag import places
from rag.domain import Authority, Document, DocumentKind, Origin, Span, Value
from rag.errors import UnreadableFile
from rag.ingest.blocks import Block, blocks
from rag.ingest.cleaning import Extent, extents
from rag.ingest.imprint import of_the_issuer
from rag.ingest.reading import SourceText
from rag.ingest.sectioning import Part, parts
from rag.text import squeeze

_FRONT_MATTER_KEYS = frozenset(
    "id title publisher url page authority published retrieved effective_from effective_to superseded_by places "
    "insured_types kind".split()
)
_INSURED_TYPES = (("职工", ("职工",)), ("居民", ("居民", "新农合", "合作医疗")), ("灵活就业", ("灵活就业",)))
_STATUTE_ARTICLES = 5
# A text without a title is called by its first words.
_LONGEST_TITLE = 30
_LAST_ARTICLES = 3
_NUMBER = r"[\d〇○零一二三四五六七八九十]"
_DAY = re.compile(rf"({_NUMBER}{{4}})\s*年\s*({_NUMBER}{{1,3}})\s*月\s*({_NUMBER}{{1,3}})\s*日")
_IN_FORCE = re.compile(r"\s*起?\s*(?:正式)?(?:施行|实施|执行|生效|实行|试行)")
_AMENDED = re.compile(r"修正|修订|修改")
_ENACTED = re.compile(r"通过|批准|公布|发布|颁布|印发")
_FROM_ENACTMENT = re.compile(r"自(?:通过|批准|公布|发布|颁布|印发)之日起(?:施行|实施|执行|生效|实行|试行)")
# What expires is the text itself, not a certificate that it speaks of.
_EXPIRY = re.compile(
    rf"(?:(?:施行|实施|执行|生效|实行|试行)[，,；;。\s]*|本\w{{1,4}})有效期限?"
    rf"(?:[至到]\s*(?P<year>{_NUMBER}{{4}})\s*年\s*(?P<month>{_NUMBER}{{1,3}})\s*月\s*(?P<day>{_NUMBER}{{1,3}})\s*日"
    rf"|为?\s*(?P<years>{_NUMBER}{{1,2}})\s*年)"
)
# The version in the name of a file, as in "(2018-12-29).md".
_VERSION = re.compile(r"[(（\[【](\d{4})-(\d{2})-(\d{2})[)）\]】]")

_Event = Literal["enacted", "amended", "in force"]


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
    times = _times(source, found) if _is_statute(found) else _Times()
    publisher = declared.text("publisher") or extent.publisher
    document = Document(
        id=document_id,
        title=title,
        source=source.source,
        path=source.path,
        origin=Origin(
            publisher=publisher,
            url=declared.text("url"),
            authority=declared.choice("authority", get_args(Authority)) or _authority(found),
        ),
        kind=declared.choice("kind", get_args(DocumentKind)) or _kind(found, extent),
        extent=extent.span,
        published=declared.date("published") or times.published or extent.published,
        retrieved=declared.date("retrieved"),
        effective_from=declared.date("effective_from") or times.effective_from,
        effective_to=declared.date("effective_to") or times.effective_to,
        superseded_by=declared.text("superseded_by"),
        places=_places(title, publisher) if (stated := declared.names("places")) is None else stated,
        insured_types=_insured_types(title) if (types := declared.names("insured_types")) is None else types,
        sections=tuple(part.section for part in cut),
    )
    return ParsedDocument(document, cut)


def _places(title: str, publisher: str | None) -> tuple[str, ...]:
    """The places in the title, else those that the publisher speaks for."""
    return places.find(title) or of_the_issuer(publisher or "")


def _title(text: str, found: list[Block]) -> str:
    """The first heading, or the beginning of a text that has none."""
    first = next((b for b in found if b.kind == "heading"), found[0])
    words = squeeze(text[first.span.start : first.span.end])
    return words if first.kind == "heading" or len(words) <= _LONGEST_TITLE else f"{words[:_LONGEST_TITLE]}…"


def _is_statute(found: list[Block]) -> bool:
    return sum(block.kind == "article" for block in found) >= _STATUTE_ARTICLES


def _kind(found: list[Block], extent: Extent) -> DocumentKind:
    if extent.excerpt:
        return "excerpt"
    return "statute" if _is_statute(found) else "article"


def _authority(found: list[Block]) -> Authority:
    return "official" if _is_statute(found) else "third-party"


class _Times(Value):
    """The day of a text's version, and the first and last day on which this version holds."""

    published: dt.date | None = None
    effective_from: dt.date | None = None
    effective_to: dt.date | None = None


def _times(source: SourceText, found: list[Block]) -> _Times:
    """What a statute says of its own time.

    An amended one holds from its amendment on: its last article still names the day of the first version, unless it
    was rewritten with the rest and names a later one.
    """
    articles = [block.span.start for block in found if block.kind == "article"]
    head = source.text[found[0].span.start : articles[0]]
    tail = source.text[articles[-_LAST_ARTICLES] : found[-1].span.end]
    events = [event for line in head.splitlines() for event in _events(line)]
    enacted, amended, stated = (_latest(*(day for what, day in events if what == kind)) for kind in get_args(_Event))
    version = _VERSION.search(source.source)
    named = _day(*version.groups()) if version else None
    if named is not None and named > (_latest(enacted, amended) or dt.date.min):
        amended = named  # an act that the head is silent about
    first = _first_day(tail, enacted)
    return _Times(_latest(enacted, amended), _latest(amended, stated, first), _last_day(tail, first))


def _events(text: str) -> Iterator[tuple[_Event, dt.date]]:
    """What is said to have happened on the days that a text names: the words after a day tell."""
    _, *parts = _DAY.split(text)
    for *numbers, following in zip(parts[::4], parts[1::4], parts[2::4], parts[3::4], strict=True):
        day = _day(*numbers)
        if day is None:
            continue
        if _IN_FORCE.match(following):
            yield "in force", day
        elif _AMENDED.search(following):
            yield "amended", day
        elif _ENACTED.search(following):
            yield "enacted", day


def _first_day(tail: str, enacted: dt.date | None) -> dt.date | None:
    """The day that the last articles give, or that of the enactment where they refer to it."""
    stated = next((day for what, day in _events(tail) if what == "in force"), None)
    return enacted if stated is None and _FROM_ENACTMENT.search(tail) else stated


def _last_day(tail: str, first: dt.date | None) -> dt.date | None:
    """The day on which the last articles let the text expire: 有效期至…, 有效期五年."""
    match = _EXPIRY.search(tail)
    if match is None:
        return None
    if match["years"] is None:
        return _day(*match.group("year", "month", "day"))
    if first is None:
        return None
    year = first.year + _number(match["years"])
    anniversary = _day(str(year), str(first.month), str(first.day)) or dt.date(year, 3, 1)  # there is no 29 February
    return anniversary - dt.timedelta(days=1)


def _latest(*days: dt.date | None) -> dt.date | None:
    return max((day for day in days if day is not None), default=None)


def _day(*parts: str) -> dt.date | None:
    try:
        return dt.date(*map(_number, parts))
    except ValueError:  # a slip of the pen: 2月31日
        return None


def _number(written: str) -> int:
    return int(written) if written.isdecimal() else int(cn2an.cn2an(re.sub("[〇○]", "零", written), "smart"))


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
