"""A table's cells to rows under one header, as text and as Markdown.

Knows spanning cells, headers of several rows, captions and rows that divide a table. Where cells come from is the job
of `webpage` and `pdf`; which rows may be cited, of `units`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.domain import Value
from rag.text import squeeze

_FIGURE = re.compile(r"\d+(?:\.\d+)?\s*(?:[%％‰元万]|\s*倍|\s*折)|\d{5,}")


class Cell(Value):
    """One cell as it is drawn: its words, how far it spans, and whether it is marked as a heading."""

    text: str
    height: int = 1
    width: int = 1
    heads: bool = False


class Table(Value):
    """Rows of equal length under a header; `caption` stands above it. A header of no cells: the table has none."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


_Row = tuple[Cell, ...]


def expanded(rows: Sequence[Sequence[Cell]]) -> list[_Row]:
    """A grid without holes: a cell that spans several places stands in each of them."""
    grid: dict[tuple[int, int], Cell] = {}
    for i, row in enumerate(rows):
        j = 0
        for cell in row:
            while (i, j) in grid:
                j += 1
            for down in range(min(cell.height, len(rows) - i)):
                grid.update(((i + down, j + right), cell) for right in range(cell.width))
            j += cell.width
    width = 1 + max((j for _, j in grid), default=-1)
    return [tuple(grid.get((i, j), Cell("")) for j in range(width)) for i in range(len(rows))]


def tables(grid: Sequence[_Row]) -> list[Table]:
    """The grid as tables: a row that is one cell from edge to edge is a caption, below which the header holds on."""
    filled = [row for row in _without_empty_columns(grid) if any(cell.text for cell in row)]
    above = 0
    while above < len(filled) and _is_caption(filled[above]):
        above += 1
    captions, filled = [row[0].text for row in filled[:above]], filled[above:]
    depth = _header_depth(filled)
    header = _header(filled[:depth])
    found: list[Table] = []
    for caption, rows in _divided(" ".join(captions), filled[depth:]):
        if rows or caption:
            found.append(Table(caption, header if rows else (), tuple(tuple(c.text for c in row) for row in rows)))
    if header and not any(table.rows for table in found):  # one row alone heads nothing
        found.append(Table("", (), (header,)))
    return found


def markdown(table: Table) -> str:
    """The table in Markdown; lines of caption, header, rule and rows."""
    lines = [table.caption, ""] if table.caption else []
    if table.header:
        lines += [_line(table.header), "|" + "---|" * len(table.header)]
    return "\n".join([*lines, *map(_line, table.rows)]).strip()


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(plain(cell) for cell in cells) + " |"


def plain(text: str) -> str:
    """A cell's words on one line, without the mark that parts cells."""
    return squeeze(text).replace("|", "｜")  # noqa: RUF001 - the full-width bar parts nothing


def _without_empty_columns(grid: Sequence[_Row]) -> list[_Row]:
    width = len(grid[0]) if grid else 0
    kept = [j for j in range(width) if any(row[j].text for row in grid)]
    return [tuple(row[j] for j in kept) for row in grid]


def _is_caption(row: _Row) -> bool:
    return len(row) > 1 and row[0].width > 1 and all(cell is row[0] for cell in row)


def _header_depth(grid: Sequence[_Row]) -> int:
    """How many of the first rows are the header; 0 where the first row tells figures or is a label with its value."""
    if not grid or len(grid[0]) < 2:  # noqa: PLR2004 - one column is a list
        return 0
    marked = next((n for n, row in enumerate(grid) if not all(c.heads or not c.text for c in row)), len(grid))
    if marked:
        return min(marked, max(len(grid) - 1, 1))
    if any(_FIGURE.search(cell.text) for cell in grid[0]) or _labels_its_rows(grid):
        return 0
    spanning = max(*(cell.height for cell in grid[0]), 2 if any(cell.width > 1 for cell in grid[0]) else 1)
    return spanning if spanning < len(grid) else 1


def _labels_its_rows(grid: Sequence[_Row]) -> bool:
    """Whether the first column names what the second tells: 办理地点：…, or its cells alone are marked."""
    labels = [row[0] for row in grid]
    return all(c.heads for c in labels) or all(c.text.endswith(("：", ":")) for c in labels)


def _header(rows: Sequence[_Row]) -> tuple[str, ...]:
    columns = zip(*rows, strict=True)
    return tuple(" ".join(dict.fromkeys(c.text for c in column if c.text)) for column in columns)


def _divided(caption: str, rows: Sequence[_Row]) -> Iterator[tuple[str, list[_Row]]]:
    below: list[_Row] = []
    for row in rows:
        if not _is_caption(row):
            below.append(row)
            continue
        yield caption, below
        caption, below = row[0].text, []
    yield caption, below
