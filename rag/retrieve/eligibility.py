"""Which documents may answer a question at all: those in force, of the place asked for or of no place.

Knows dates, versions of a statute and the chain of places. What a document says of its own time is read by
`ingest.documents`; how well an eligible document fits is the job of `passages` and `evidence`.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence

import msgspec

from rag import places
from rag.domain import Document

# What a title bears beside a statute's name: 《…》, the state's name, the version.
_VERSION = re.compile(
    r"[(\[〔【][^)\]〕】]*(?:\d{4}|修[正订改]|版)[^)\]〕】]*[)\]〕】]|\d{4}年?(?:修[正订改]|版)\w{0,2}$"
)
_NOT_OF_THE_NAME = re.compile(r"[《》〈〉\s]|^中华人民共和国")
_LAST_SECTIONS = 3
_CHAIN = ("区县", "市", "省")
# 《甲》（令第3号）、《乙》同时废止 repeals both; 《甲》第九条同时废止 leaves the rest of 《甲》 in force.
_REMARK = re.compile(r"(?<=》)\s*[（(][^（）()]*[)）]")
_REPEALING = re.compile(r"[^，。；;\n]*废止")
_REPEALED = re.compile(r"《([^《》]+)》(?=\s*(?:[、和及与自]|以及|同时|即行|予以|相应|废止))")
# The repeal is of the day on which the statute first held, which an amended text still names.
_SINCE = re.compile(r"自\s*(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日\s*起")

# Statutes by name and area: the versions of one.
_Named = dict[tuple[str, tuple[str, ...]], list[Document]]


def eligible(document: Document, asked_places: Collection[str], as_of: dt.date) -> bool:
    """Whether the document's rules hold at `as_of`, somewhere that has to do with the places asked for."""
    if document.effective_from and as_of < document.effective_from:
        return False
    if document.effective_to and as_of > document.effective_to:
        return False
    if document.superseded_by is not None and document.effective_to is None:
        return False  # replaced, and nobody knows since when
    if not asked_places or not document.places:
        return True
    return places.any_related(asked_places, document.places)


def local(document: Document, asked_places: Collection[str]) -> float:
    """How near an eligible document is to the places asked for.

    1 for a place's own document, less for each step up its chain, and 0 for one of no place: 鄞州 goes before 宁波,
    宁波 before 浙江, 浙江 before a rule for all.
    """
    if not asked_places or not document.places:
        return 0.0
    steps = [_steps(asked, own) for asked in asked_places for own in document.places]
    return 1.0 / (1 + min(steps))


def _steps(asked: str, own: str) -> int:
    """How far apart two places are in a chain; far, where they are related through a region."""
    for inner, outer in ((asked, own), (own, asked)):
        chain = (inner, *places.within(inner))
        if outer in chain:
            return chain.index(outer)
    return len(_CHAIN)


def bounded(documents: Sequence[Document], text_of: Callable[[str], str]) -> list[Document]:
    """The documents in their order, each with the last day that the others set it.

    A statute holds until the day before the next version of it holds, or a statute that repeals it by name; what it
    declares itself stands where it is earlier. `text_of` gives the canonical text of a document's id.
    """
    statutes = [d for d in documents if d.kind == "statute"]
    named: _Named = {}
    for statute in statutes:
        named.setdefault((_name(statute.title), _area(statute)), []).append(statute)
    last = {d.id: d.effective_to for d in documents if d.effective_to}
    for statute in statutes:
        for ended, day in (*_versions_before(statute, named), *_repealed(statute, named, text_of)):
            last[ended.id] = min(last.get(ended.id, dt.date.max), day - dt.timedelta(days=1))
    return [msgspec.structs.replace(d, effective_to=last.get(d.id)) for d in documents]


def _versions_before(statute: Document, named: _Named) -> Iterator[tuple[Document, dt.date]]:
    """Earlier versions of the statute, with the first day of this one; undated texts are in no order."""
    begins = _begins(statute) or dt.date.min
    for version in named[_name(statute.title), _area(statute)]:
        if (_begins(version) or dt.date.max) < begins:
            yield version, begins


def _repealed(statute: Document, named: _Named, text_of: Callable[[str], str]) -> Iterator[tuple[Document, dt.date]]:
    """The statutes that the last articles repeal as a whole, with the day of the repeal."""
    closing = statute.sections[-_LAST_SECTIONS:]
    text = _REMARK.sub("", text_of(statute.id)[closing[0].start : closing[-1].end]) if closing else ""
    day = _stated(_SINCE.search(text)) or _begins(statute) or dt.date.min
    for clause in _REPEALING.findall(text):
        for title in _REPEALED.findall(clause):
            for other in named.get((_name(title), _area(statute)), ()):
                if (_begins(other) or dt.date.min) < day:
                    yield other, day


def _stated(match: re.Match[str] | None) -> dt.date | None:
    try:
        return dt.date(*map(int, match.groups())) if match else None
    except ValueError:  # a slip of the pen: 2月31日
        return None


def _begins(document: Document) -> dt.date | None:
    """The first day of a text; where none is known it holds from the day of its version on."""
    return document.effective_from or document.published


def _name(title: str) -> str:
    """What all versions of a statute are called: 中华人民共和国社会保险法（2018年修正） is 社会保险法."""
    return _NOT_OF_THE_NAME.sub("", _VERSION.sub("", unicodedata.normalize("NFKC", title)))


def _area(document: Document) -> tuple[str, ...]:
    """Whose statute it is: that of the same name in the next city is another one."""
    return tuple(sorted(document.places or places.find(document.origin.publisher or "")))
