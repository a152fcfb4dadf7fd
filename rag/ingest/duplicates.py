"""Which documents are reprints (转载) of which, so that a text is indexed once and shown with all its sources.

Knows when two texts are one: they differ in width, punctuation, what a page says of itself, a clause that states
nothing, or a tail that is cut off. What differs in a figure, a day, a place, or in whom or what it is about, is never
one: that is a conflict, and the job of `answer.conflicts`. Storing reprints is the job of `indexing`.

Candidates come from an index of sampled windows of letters: exact, and right for texts that are parts of others, which
MinHash (datasketch) measures badly and for which it would bring scipy.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from rag import places, qualifiers
from rag.domain import Document, Reprint, Span, Value
from rag.ports import SourceRecord
from rag.text import fold

_DAY = r"(?:\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}月\d{1,2}日)"
_CLOCK = r"(?:\d{1,2}:\d{2}(?::\d{2})?)"
_TIME = re.compile(rf"{_DAY}|{_CLOCK}")
# What a page says of itself: a label with a name and times, or a clause about reading and copying.
_LABEL = (
    r"(?:文章|信息|图片|稿件)?(?:来源|转自|转载自|原载|原标题|作者|记者|通讯员|编辑|责任编辑|责编|审核|校对|发布时间|更新时间"
    r"|原文链接)"
)
_LABELLED = re.compile(
    rf"[(【\[]{_LABEL}:[^)】\]\n]{{0,60}}[)】\]]|(?:(?<=[\s。;,])|^){_LABEL}:\s*[^\s。;]{{0,30}}(?:\s*{_DAY}|\s*{_CLOCK})*"
)
# A day that begins a text is its stamp if a time of day, the end of the line or a label follows: 7月1日起 is content.
_STAMP = re.compile(
    rf"[\s(]*(?:{_DAY}|\d{{1,2}}-\d{{1,2}}(?=\s+\d{{1,2}}:))"
    rf"(?:[\sT]*{_CLOCK}(?=[\s,)])[\s,)]*(?:正文:)?|[\s,)]*正文:|[^\S\n]*\n)"
)
# Where and by whom a report was filed: 新华社北京6月3日电（记者 …）.
_DATELINE = re.compile(
    r"[(【\[]?[^。,]{0,12}[社报网][^。,]{0,16}[电讯][)】\]]?(?=[\s(:,])"
    r"(?:\s*\(记者[^)]*\))?"
)
_ABOUT_THE_PAGE = re.compile(
    r"转载|小编|公众号|二维码|扫码|阅读原文|点击(?:上方|下方|蓝字|阅读)|版权|侵权|仅供参考|(?<!基)本(?:文|站|网|平台)|本报(?!销)"
)
_GROUPED_DIGITS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_RANGE = re.compile(r"(?<=[\d%‰])[~–—-]+(?=\d)")
_CLAUSE = re.compile(r"(?:[^\W_]|[%‰<>≤≥±]|(?<=\d)[.:/-](?=\d)|(?<=[%‰])-(?=\d))+")
_FIGURE = re.compile(
    r"\d+(?:[.:/-]\d+)*(?:[^\W\d]|[%‰])?|[〇零一二三四五六七八九十百千万亿两半]+(?:分之[零一二三四五六七八九十百]+"
    r"|(?=[年月日天元级次倍成折岁档种类个项周])[^\W\d])"
)
_STATES = re.compile(r"[不无未没非免禁勿]|可以|应当|应该|必须|需|须|仅|只|除|但|超过|以上|以下|以内|最[高低多少]|至少")
_SENTENCE_ENDS = "。！？；.!?;"
_WINDOW = 16
_SAMPLED = 16
_CROWD = 200  # what stands in so many texts tells none from another
_SHARED = 0.4
_DIFFERENT = 0.1
_CUT = 0.5
_TINY = 50


class Edition(Value):
    """A document as it is compared: with the clauses of its body in letters and digits.

    `begins` holds the index of the first clause of each paragraph; `broken` says that the last sentence has no end.
    """

    document: Document
    clauses: tuple[str, ...]
    begins: frozenset[int]
    broken: bool

    @property
    def letters(self) -> str:
        """The body without anything between its clauses."""
        return "".join(self.clauses)


def editions(record: SourceRecord) -> list[Edition]:
    """The documents of one file, ready to be compared."""
    spans: dict[str, list[Span]] = defaultdict(list)
    for unit in record.units:
        spans[unit.document_id] += unit.spans
    return [_edition(d, _body(record.text, d, spans[d.id])) for d in record.documents]


def _edition(document: Document, body: str) -> Edition:
    begins: list[int] = []
    clauses: list[str] = []
    for line in _without_head(unicodedata.normalize("NFKC", body)).splitlines():
        begins.append(len(clauses))
        clauses += _clauses(line)
    # A Document without its sections takes little room.
    slim = msgspec.structs.replace(document, sections=())
    return Edition(slim, tuple(clauses), frozenset(begins), broken=body.rstrip()[-1:] not in _SENTENCE_ENDS)


def reprints(found: Iterable[Edition]) -> dict[str, str]:
    """The id of every reprint, with the id of the document that stands for it.

    The same for the same editions in any order. Of several that say the same, the official one stays, an article
    rather than an excerpt, the one published first, the longest; what is cut gives way to what is whole, but nothing
    official to what is not.
    """
    stands_for: dict[str, str] = {}
    for first, *others in _groups(sorted(found, key=lambda e: (_standing(e), -len(e.letters), _age(e)))):
        equals = [first, *(e for e in others if _covers(e, first))]
        stays = min(equals, key=lambda e: (_standing(e), _age(e)))
        stands_for |= {e.document.id: stays.document.id for e in (first, *others) if e is not stays}
    return stands_for


class Collation(Value):
    """What of a whole index is a reprint: ids with the document that stands for each, and each one's reprints."""

    stands_for: Mapping[str, str]
    copies: Mapping[str, tuple[Document, ...]]

    def indexed(self, record: SourceRecord) -> SourceRecord:
        """What of a file is indexed: its documents that are no reprints, with the sources of theirs."""
        part = _part(record, [d.id for d in record.documents if d.id not in self.stands_for])
        named = (msgspec.structs.replace(d, also_at=_sources(self.copies.get(d.id, ()))) for d in part.documents)
        return msgspec.structs.replace(part, documents=tuple(named))

    def set_aside(self, record: SourceRecord) -> SourceRecord:
        """What of a file is kept and not indexed, so that it comes back when what stands for it goes."""
        return _part(record, [d.id for d in record.documents if d.id in self.stands_for])


def collate(records: Iterable[SourceRecord]) -> Collation:
    """The reprints among all the files of an index. Each record is let go when its letters have been read."""
    found = [edition for record in records for edition in editions(record)]
    stands_for = reprints(found)
    copies: dict[str, tuple[Document, ...]] = {}
    for edition in found:
        if (stays := stands_for.get(edition.document.id)) is not None:
            copies[stays] = (*copies.get(stays, ()), edition.document)
    return Collation(stands_for, copies)


def whole(indexed: SourceRecord, aside: SourceRecord) -> SourceRecord:
    """The record of a file as it was cut, from the two parts that `Collation` makes of it."""
    merged = sorted((*indexed.documents, *aside.documents), key=lambda d: d.extent)
    place = {d.id: n for n, d in enumerate(merged)}
    return msgspec.structs.replace(
        indexed,
        documents=tuple(msgspec.structs.replace(d, also_at=()) for d in merged),
        chunks=tuple(sorted((*indexed.chunks, *aside.chunks), key=lambda c: place[c.document_id])),
        units=tuple(sorted((*indexed.units, *aside.units), key=lambda u: place[u.document_id])),
    )


def _part(record: SourceRecord, ids: Collection[str]) -> SourceRecord:
    return msgspec.structs.replace(
        record,
        documents=tuple(d for d in record.documents if d.id in ids),
        chunks=tuple(c for c in record.chunks if c.document_id in ids),
        units=tuple(u for u in record.units if u.document_id in ids),
    )


def _sources(copies: Sequence[Document]) -> tuple[Reprint, ...]:
    found = [Reprint(d.source, d.origin.publisher, d.origin.url, d.published) for d in copies]
    return tuple(sorted(found, key=lambda r: (r.published or dt.date.max, r.source, r.publisher or "", r.url or "")))


def _standing(edition: Edition) -> tuple[bool, bool]:
    """Official before third-party, article before excerpt."""
    return edition.document.origin.authority != "official", edition.document.kind == "excerpt"


def _age(edition: Edition) -> tuple[dt.date, int, str]:
    return edition.document.published or dt.date.max, -len(edition.letters), edition.document.id


def _groups(ordered: Sequence[Edition]) -> list[list[Edition]]:
    """Each edition below the first one before it that says all it says, or on its own."""
    groups: list[list[Edition]] = []
    windows: dict[str, list[int]] = defaultdict(list)
    for edition in ordered:
        own = _windows(edition.letters)
        near = Counter(n for window in own if len(windows.get(window, ())) <= _CROWD for n in windows.get(window, ()))
        likely = sorted(n for n, times in near.items() if times >= _SHARED * len(own))
        group = next((groups[n] for n in likely if _covers(groups[n][0], edition)), None)
        if group is not None:
            group.append(edition)
            continue
        for window in own:
            windows[window].append(len(groups))
        groups.append([edition])
    return groups


def _windows(letters: str) -> frozenset[str]:
    """Windows of letters that begin where the letter says so: the same in every text that holds the words."""
    begins = (n for n, letter in enumerate(letters) if ord(letter) % _SAMPLED == 0)
    return frozenset((letters[:_WINDOW], *(letters[n : n + _WINDOW] for n in begins if n + _WINDOW <= len(letters))))


def _covers(whole: Edition, other: Edition) -> bool:
    """Whether `whole` says all that `other` says, of the same: `other` may lack its end, and add empty words."""
    if _scope(whole.document) != _scope(other.document) or _two_authorities(whole.document, other.document):
        return False
    if whole.clauses == other.clauses and (len(whole.letters) >= _TINY or whole.document.title == other.document.title):
        return True
    if len(other.letters) < _TINY or {whole.document.kind, other.document.kind} != {"article"}:
        return False
    return len(other.letters) >= _CUT * len(whole.letters) and _same_but_for_trifles(whole, other)


def _scope(document: Document) -> tuple[object, ...]:
    """What must be equal for two texts to be one rule: where, for whom and when it holds, and what its title names."""
    titled = () if document.title.endswith("…") else _signature(_normal(document.title))  # else its own first words
    held = (document.effective_from, document.effective_to, document.superseded_by)
    return (set(document.places), set(document.insured_types), titled, held)


def _two_authorities(one: Document, other: Document) -> bool:
    """Whether public bodies of two places speak, for each of which 本市 is another city."""
    official = one.origin.authority == other.origin.authority == "official"
    return official and set(places.find(one.origin.publisher or "")) != set(places.find(other.origin.publisher or ""))


def _same_but_for_trifles(whole: Edition, other: Edition) -> bool:
    """Whether the clauses differ in nothing but where they are parted, clauses that state nothing, and a lost end.

    An end is lost with whole paragraphs, or within a sentence; a sentence that is added says something else.
    """
    trifles = 0
    matcher = difflib.SequenceMatcher(None, whole.clauses, other.clauses, autojunk=False)
    for tag, i, i_end, j, j_end in matcher.get_opcodes():
        ours, theirs = "".join(whole.clauses[i:i_end]), "".join(other.clauses[j:j_end])
        at_end = i_end == len(whole.clauses) and j_end == len(other.clauses)
        lost_end = at_end and ours.startswith(theirs) and (other.broken or (not theirs and i in whole.begins))
        if tag == "equal" or ours == theirs or lost_end:
            continue
        if (ours and theirs) or _states(ours or theirs):
            return False
        trifles += len(ours or theirs)
    return trifles <= _DIFFERENT * len(other.letters)


def _states(clauses: str) -> bool:
    """Whether something is said: a figure, a day, a place, whom it concerns, what may or must be."""
    return bool(_STATES.search(clauses)) or _signature(clauses) != ()


def _signature(words: str) -> tuple[str, ...]:
    """The figures, places and qualifiers that normalised words name."""
    told = (value for _, value, _, _ in qualifiers.located(words))
    return tuple(sorted({*_FIGURE.findall(words), *places.find(words), *told}))


def _body(text: str, document: Document, spans: Sequence[Span]) -> str:
    """Headings below the title and what may be cited, in reading order; page furniture is in neither."""
    pieces = [(s.start, s.title) for s in document.sections if len(s.title_path) > 1]
    pieces += [(span.start, text[span.start : span.end]) for span in _merged(spans)]
    return "\n".join(words for _, words in sorted(pieces))


def _merged(spans: Sequence[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def _clauses(line: str) -> Iterator[str]:
    """The stretches between marks, in letters and digits, without those in which the page speaks of itself."""
    said = _LABELLED.sub(lambda match: match[0] if _tells(match[0]) else " ", line)
    yield from (c for c in _CLAUSE.findall(_normal(said)) if not _ABOUT_THE_PAGE.search(c) or _tells(c))


def _without_head(body: str) -> str:
    """The body without the time and the note of origin with which a report begins."""
    begun = body.strip()
    for pattern in (_STAMP, _DATELINE):
        match = pattern.match(begun)
        begun = begun[match.end() :].strip() if match else begun
    return begun


def _tells(words: str) -> bool:
    """Whether words of the page about itself tell more: a figure besides times, or what is insured and for whom."""
    timeless = _TIME.sub("", words)
    return bool(_FIGURE.search(timeless) or qualifiers.located(timeless))


def _normal(words: str) -> str:
    """One width and case, no white space, digits in one group, one dash for ranges."""
    folded = _GROUPED_DIGITS.sub("", fold(words))
    return _RANGE.sub("-", folded)
