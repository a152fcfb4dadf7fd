"""A PDF with a text layer to paragraphs, headings and tables, and what it states of itself.

Knows lines on pages: what repeats on every page, which lines are one paragraph, what is large print. What labelled
lines mean is the job of `imprint`, the shape of a table of `tables`.

`pdfplumber` (MIT, widely used, kept) gives letters with their places and the cells of ruled tables; `pypdf` and
`pypdfium2` know no tables, PyMuPDF is under the AGPL.
"""

from __future__ import annotations

import io
import itertools
import re
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rag.domain import Value
from rag.errors import UnreadableFile
from rag.ingest import imprint
from rag.ingest import page as marks
from rag.ingest.page import Page
from rag.ingest.tables import Cell, markdown, tables
from rag.text import fold, squeeze

if TYPE_CHECKING:
    import pdfplumber.page
    import pdfplumber.table

MAX_PAGES = 1000
_PAGE_NUMBER = re.compile(r"[\s—–\-·]*(?:第?\s*\d{1,4}\s*页?(?:\s*[/,，]?\s*共?\s*\d{1,4}\s*页?)?)[\s—–\-·]*")
_LETTERHEAD = re.compile(r"(?P<issuer>.{4,40}?)\s*文件$")
_JUNK_TITLE = re.compile(
    r"^(?:untitled|无标题|未命名|microsoft word|幻灯片|\(.*\))|\.(?:docx?|wps|pptx?|xlsx?|pdf)$", re.IGNORECASE
)
_UNREADABLE = re.compile(r"\(cid:\d+\)|[\ue000-\uf8ff\ufffd]")
_OPENS = re.compile(
    r"(?:[一二三四五六七八九十]+、|[（(][一二三四五六七八九十\d]{1,3}[)）]|\d{1,2}[.．、](?!\d)|[①-⑳•●■◆]"
    r"|第[一二三四五六七八九十百零〇\d]+[编章节条][\s　])"
)
_CLOSED = "。；！？：:;!?"
_EDGE_LINES = 2
_REPEATED = 0.5
_LARGE = 1.15
_UNREADABLE_SHARE = 0.1
_SAME_SIZE = 0.5
_SLOPE = 0.1
_INDENT = 0.8
_MARGIN = 2.0
_GAP = 0.5
_HEAD_LINES = 12


class _Line(Value):
    """A line of print. Coordinates are points from the top left of its page; `size` is that of its letters.

    `sheet` is how wide the page is.
    """

    text: str
    left: float
    right: float
    top: float
    bottom: float
    size: float
    page: int
    sheet: float


class _Ruled(Value):
    """A ruled table, where it stands."""

    top: float
    page: int
    rows: tuple[tuple[Cell, ...], ...]


_Printed = _Line | _Ruled


class _PageOfPrint(Value):
    """What one page holds, and whether it is a picture."""

    printed: tuple[_Printed, ...]
    pictures: bool


def read_pdf(data: bytes, name: str) -> Page:
    """The text of a PDF.

    Raises:
        UnreadableFile: empty, damaged, encrypted, too long, or without a text layer on most of its pages.
    """
    if not data.strip():
        raise UnreadableFile(name, "empty file")
    pages, title = _printed(data, name)
    _check_text(pages, name)
    printed = _without_running_heads(pages)
    lines = [p for p in printed if isinstance(p, _Line)]
    setting = _setting(lines)
    head = _head(lines, setting.size)
    text = list(_texts(printed, setting, head.title))
    kept = [words for block in text if (words := imprint.without_imprint(block))]
    if not kept:
        raise UnreadableFile(name, "no text besides page numbers and running heads")
    return Page("\n\n".join(kept), _declared(head, title, text, kept))


def _printed(data: bytes, name: str) -> tuple[list[_PageOfPrint], str | None]:
    """All that is printed, page by page from top to bottom, and the title among the metadata."""
    import pdfplumber  # noqa: PLC0415 - a quarter of a second that only PDF needs
    from pdfminer.pdfdocument import PDFEncryptionError, PDFPasswordIncorrect  # noqa: PLC0415 - the same

    try:
        with pdfplumber.open(io.BytesIO(data)) as pdf:
            pages = [_page(page, n) for n, page in enumerate(pdf.pages[:MAX_PAGES])]
            title, whole = pdf.metadata.get("Title"), len(pdf.pages) <= MAX_PAGES
    except Exception as error:  # what a broken file makes its readers raise is not listed anywhere
        causes = (error, error.__cause__, error.__context__, *error.args)
        locked = any(isinstance(cause, PDFPasswordIncorrect | PDFEncryptionError) for cause in causes)
        reason = "encrypted: it opens with a password only" if locked else "damaged or cut off: not readable as PDF"
        raise UnreadableFile(name, reason) from error
    if not whole:
        raise UnreadableFile(name, f"more than {MAX_PAGES} pages")
    return pages, title if isinstance(title, str) else None


def _page(page: pdfplumber.page.Page, number: int) -> _PageOfPrint:
    # Bold letters are often drawn twice; slanting ones are a watermark.
    upright = page.dedupe_chars().filter(_is_level)
    ruled = [table for table in upright.find_tables() if len(table.rows) > 1 and len(table.rows[0].cells) > 1]
    found: list[_Printed] = [_ruled(table, number) for table in ruled]
    outside = upright.filter(lambda thing: not any(_inside(thing, table.bbox) for table in ruled))
    found += [_line(line, number, float(page.width)) for line in outside.extract_text_lines(return_chars=True)]
    pictures = bool(page.images)
    page.close()  # a page's letters take a megabyte
    return _PageOfPrint(tuple(sorted(found, key=lambda p: p.top)), pictures)


def _is_level(thing: dict[str, Any]) -> bool:
    along, across, *_ = thing.get("matrix", (1, 0))
    return bool(abs(across) <= _SLOPE * abs(along))


def _inside(thing: dict[str, Any], box: tuple[float, float, float, float]) -> bool:
    if thing["object_type"] != "char":
        return False
    across, down = (thing["x0"] + thing["x1"]) / 2, (thing["top"] + thing["bottom"]) / 2
    return bool(box[0] <= across <= box[2] and box[1] <= down <= box[3])


def _line(line: dict[str, Any], number: int, sheet: float) -> _Line:
    size = statistics.median(char["size"] for char in line["chars"])
    return _Line(squeeze(line["text"]), line["x0"], line["x1"], line["top"], line["bottom"], size, number, sheet)


def _ruled(table: pdfplumber.table.Table, number: int) -> _Ruled:
    """The table's grid: where no cell begins, the one that spans the place stands."""
    words = table.extract()
    boxes = {
        cell: _joined((words[i][j] or "").split("\n"))
        for i, row in enumerate(table.rows)
        for j, cell in enumerate(row.cells)
        if cell
    }
    lefts = sorted({cell[0] for cell in boxes})
    tops = sorted({cell[1] for cell in boxes})
    cells = {
        box: Cell(text, sum(box[1] <= top < box[3] for top in tops), sum(box[0] <= left < box[2] for left in lefts))
        for box, text in boxes.items()
    }
    grid = tuple(tuple(_covering(cells, left, top) for left in lefts) for top in tops)
    return _Ruled(table.bbox[1], number, grid)


def _covering(cells: dict[tuple[float, float, float, float], Cell], left: float, top: float) -> Cell:
    return next((cell for box, cell in cells.items() if box[0] <= left < box[2] and box[1] <= top < box[3]), Cell(""))


def _check_text(pages: Sequence[_PageOfPrint], name: str) -> None:
    """Refuse what the letters of can't be read, or of which they are a part only."""
    words = "".join(line.text for page in pages for line in page.printed if isinstance(line, _Line))
    words += "".join(
        cell.text for page in pages for t in page.printed if isinstance(t, _Ruled) for row in t.rows for cell in row
    )
    scanned = sum(page.pictures and not page.printed for page in pages)
    if not words.strip():
        raise UnreadableFile(
            name, "no text layer: a scan, to be run through text recognition first" if scanned else "no text in the PDF"
        )
    if scanned * 2 > len(pages):
        raise UnreadableFile(name, f"no text layer on {scanned} of {len(pages)} pages: a scan")
    if sum(map(len, _UNREADABLE.findall(words))) > _UNREADABLE_SHARE * len(words):
        raise UnreadableFile(name, "its letters have no Unicode names: the text layer can't be read")


def _without_running_heads(pages: Sequence[_PageOfPrint]) -> list[_Printed]:
    """All that is printed, without page numbers and what stands at one place at the edge of half of several pages."""
    times = Counter(key for page in pages for key in {_place(line) for edge in _edges(page) for line in edge})
    repeated = {key for key, n in times.items() if n > 1 and n >= _REPEATED * len(pages)}
    kept: list[_Printed] = []
    for page in pages:
        running = [
            line
            for edge in _edges(page)
            for line in itertools.takewhile(lambda p: _place(p) in repeated or _PAGE_NUMBER.fullmatch(p.text), edge)
        ]
        kept += [p for p in page.printed if p not in running]
    return kept


def _edges(page: _PageOfPrint) -> Iterator[list[_Line]]:
    """The lines of the upper and of the lower edge that may be no text, from the outermost inwards."""
    for edge in (page.printed[:_EDGE_LINES], page.printed[: -_EDGE_LINES - 1 : -1]):
        found: list[_Line] = []
        for thing in edge:
            if isinstance(thing, _Ruled) or thing.text[-1] in _CLOSED:
                break
            found.append(thing)
        yield found


def _place(line: _Line) -> tuple[str, int]:
    """What stands where: the words without the number of the page, and how far down, to half a line."""
    return fold(line.text).replace(str(line.page + 1), "#"), round(line.top / (line.size / 2))


class _Setting(Value):
    """How the text is set: the size of its letters, its margins, and how far its lines are apart."""

    size: float
    left: float
    right: float
    gap: float


def _setting(lines: Sequence[_Line]) -> _Setting:
    """What holds for most of the letters."""
    sizes = Counter[float]()
    for line in lines:
        sizes[round(line.size, 1)] += len(line.text)
    size = max(sizes, key=lambda size: (sizes[size], -size), default=0.0)
    text = [line for line in lines if abs(line.size - size) < _SAME_SIZE]
    gaps = [below.top - line.bottom for line, below in itertools.pairwise(text) if line.page == below.page]
    return _Setting(
        size,
        min((line.left for line in text), default=0.0),
        max((line.right for line in text), default=0.0),
        statistics.median_low(gaps) if gaps else 0.0,
    )


class _Head(Value):
    """What stands in large print above the text: the lines of the title, and who issued it by the letterhead."""

    title: tuple[_Line, ...] = ()
    issuer: str | None = None


def _head(lines: Sequence[_Line], size: float) -> _Head:
    """The largest lines of the beginning; those of a letterhead (某局文件) name the issuer, not the text."""
    large = [line for line in lines[:_HEAD_LINES] if line.page == lines[0].page and line.size >= _LARGE * size]
    letterheads = {line: match["issuer"] for line in large if (match := _LETTERHEAD.search(line.text))}
    rest = [line for line in large if line not in letterheads and not marks.is_heading(line.text)]
    issuer = next(iter(letterheads.values()), None)
    if not rest:
        return _Head((), issuer)
    largest = max(line.size for line in rest)
    first = next(n for n, line in enumerate(rest) if line.size > largest - _SAME_SIZE)
    title = itertools.takewhile(lambda line: line.size > largest - _SAME_SIZE, rest[first:])
    return _Head(tuple(title), issuer)


def _texts(printed: Sequence[_Printed], setting: _Setting, title: Sequence[_Line]) -> Iterator[str]:
    """Blocks of Markdown, in order."""
    for _, run in itertools.groupby(
        printed, key=lambda p: "table" if isinstance(p, _Ruled) else "title" if p in title else "text"
    ):
        things = list(run)
        lines = [p for p in things if isinstance(p, _Line)]
        if not lines:
            yield from _tables([p for p in things if isinstance(p, _Ruled)])
        elif lines[0] in title:
            yield marks.heading(1, _joined([line.text for line in lines]))
        else:
            yield from _paragraphs(lines, setting)


def _tables(ruled: Sequence[_Ruled]) -> Iterator[str]:
    """Tables in Markdown; one that goes on below a page's end is one, its repeated header left out."""
    grids: list[list[tuple[Cell, ...]]] = []
    for n, table in enumerate(ruled):
        goes_on = n and table.page == ruled[n - 1].page + 1 and len(table.rows[0]) == len(grids[-1][0])
        if not goes_on:
            grids.append(list(table.rows))
        else:
            repeated = [c.text for c in table.rows[0]] == [c.text for c in grids[-1][0]]
            grids[-1] += table.rows[1:] if repeated else table.rows
    for grid in grids:
        yield from (markdown(table) for table in tables(grid))


def _paragraphs(lines: Sequence[_Line], setting: _Setting) -> Iterator[str]:
    for group in _grouped(lines, setting):
        large = group[0].size >= _LARGE * setting.size and len(group) <= _EDGE_LINES
        yield marks.paragraph(_joined([line.text for line in group]), bold=large)


def _grouped(lines: Sequence[_Line], setting: _Setting) -> Iterator[list[_Line]]:
    """Lines that are one paragraph."""
    group: list[_Line] = []
    for line in lines:
        if group and _begins(group[-1], line, setting):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _begins(before: _Line, line: _Line, setting: _Setting) -> bool:
    """Whether a paragraph begins: other print, a gap, an indent, a number, or a line before that ends short."""
    letter = line.size
    gap = line.page == before.page and line.top - before.bottom > setting.gap + _GAP * letter
    # Lines of one length may all end short of the margin, which mostly is as wide as the left one.
    margin = line.sheet - setting.left if before.text[-1] in _CLOSED else setting.right
    short = before.right < margin - _MARGIN * letter
    indented = line.left > max(setting.left, before.left) + _INDENT * letter
    other_print = abs(line.size - before.size) > _SAME_SIZE
    return gap or short or indented or other_print or bool(_OPENS.match(line.text))


def _joined(lines: Sequence[str]) -> str:
    """Lines as one: a space between two only where both sides are of Latin letters or digits."""
    text = ""
    for line in map(squeeze, lines):
        apart = text and line and text[-1].isascii() and line[0].isascii() and text[-1].isalnum() and line[0].isalnum()
        text += f" {line}" if apart else line
    return text


def _declared(head: _Head, title: str | None, text: Sequence[str], kept: Sequence[str]) -> dict[str, Any]:
    """Metadata. The day on which the file was made is not the day on which the text was published."""
    called = _title(head, title, kept)
    paragraphs = [words for words in kept if not words.startswith(("#", "|"))]
    return imprint.declared(
        imprint.imprint(text, called),
        title=called,
        publisher=head.issuer,
        published=imprint.signed(paragraphs),
        url=None,
        head=paragraphs[0] if paragraphs else "",
    )


def _title(head: _Head, stated: str | None, kept: Sequence[str]) -> str | None:
    """The title that the metadata give, where the page shows it; else what is printed largest; else the metadata's."""
    words = squeeze(stated or "")
    usable = words if words and not _JUNK_TITLE.search(words) else None
    shown = usable is not None and any(fold(usable) in fold(block) for block in kept[:_HEAD_LINES])
    printed = _joined([line.text for line in head.title]) or None
    return usable if shown else printed or usable
