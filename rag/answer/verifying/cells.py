"""A figure of a claim against a table: does it stand in the cell that the claim's own words lead to?

Knows rows, columns and which words of a label tell it from the others beside it. Figures in running text are the job of
`binding`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence

from rag.answer.verifying.problems import Problem
from rag.answer.verifying.slots import Slot, slots
from rag.answer.verifying.statements import tables
from rag.answer.verifying.wording import words
from rag.domain import Value

_CLAUSE_END = re.compile(r"[，。；：,;:]")
_OR = re.compile(r"或者?")
_MEASURES = frozenset({"ratio", "amount", "period", "count", "age"})


# The words of each of a label's alternatives: 巨大, or 严重 and 情节, of 数额巨大或者有其他严重情节.
_Label = frozenset[frozenset[str]]


class _Cell(Value):
    """The figures of one cell, and of each label that leads to it the words that no label beside it has."""

    figures: frozenset[tuple[str, str]]
    labels: tuple[_Label, ...]
    shown: str


def misplaced(claim: str, told: str) -> list[Problem]:
    """Figures of the claim that stand in another cell than the one whose labels the claim names."""
    if "|" not in told:
        return []
    return [
        problem
        for cells in _tables(told)
        for sentence in claim.split("。")
        for slot in slots(sentence)
        if slot.kind in _MEASURES and (problem := _misplaced(slot, sentence, cells))
    ]


def _misplaced(slot: Slot, sentence: str, cells: Sequence[_Cell]) -> Problem | None:
    led_to = _led_to(slot, sentence, cells)
    if led_to is None or slot.key in led_to.figures or all(kind != slot.kind for kind, _ in led_to.figures):
        return None
    if all(slot.key not in cell.figures for cell in cells):
        return None  # no figure of this table
    return Problem("qualifier", sentence[slot.start : slot.end], led_to.shown)


def _led_to(slot: Slot, sentence: str, cells: Sequence[_Cell]) -> _Cell | None:
    """The one cell of whose labels each is named: beside the figure, else ahead of all figures of its kind."""
    alike = [other for other in slots(sentence) if other.kind == slot.kind]
    begin = max((other.end for other in alike if other.end <= slot.start), default=0)
    stop = _CLAUSE_END.search(sentence, slot.end)
    near, ahead = sentence[begin : stop.start() if stop else len(sentence)], sentence[: alike[0].start]
    chosen: list[_Label] = []
    for labels in zip(*(cell.labels for cell in cells), strict=True):
        named = _best(labels, _words(near)) or _best(labels, _words(ahead))
        if len(named) != 1:
            return None
        chosen += named
    return next((cell for cell in cells if cell.labels == tuple(chosen)), None)


def _best(labels: Sequence[_Label], named: frozenset[str]) -> set[_Label]:
    """The labels one of whose alternatives is named, but those that another one that is named includes."""
    found = {(label, way) for label in labels for way in label if way <= named}
    return {label for label, way in found if not any(way < other for _, other in found)}


@functools.lru_cache(maxsize=256)
def _tables(told: str) -> list[list[_Cell]]:
    """The tables in which every label has words of its own."""
    found = [list(_cells(table)) for table in tables(told)]
    return [cells for cells in found if len(cells) > 1 and all(all(map(all, cell.labels)) for cell in cells)]


def _cells(table: Sequence[Sequence[str]]) -> Iterator[_Cell]:
    """Every cell of the columns of figures, with the cells that its row begins with and its column's name as labels."""
    head, *rows = table
    valued = [j for j in range(1, len(head)) if all(_figures(row[j]) for row in rows)]
    for row in rows if valued else ():
        beside = [(row[i], [other[i] for other in rows]) for i in range(valued[0])]
        for j in valued:
            columns = [(head[j], [head[k] for k in valued])]
            labels = tuple(_own(name, others) for name, others in (*beside, *columns) if set(others) != {name})
            yield _Cell(_figures(row[j]), labels, "，".join((*row[: valued[0]], row[j])))


def _own(label: str, beside: Sequence[str]) -> _Label:
    """The words of a label's alternatives that not all of the labels have."""
    shared = frozenset.intersection(*map(_words, beside))
    return frozenset(_words(way) - shared for way in _OR.split(label))


def _figures(cell: str) -> frozenset[tuple[str, str]]:
    return frozenset(slot.key for slot in slots(cell) if slot.kind in _MEASURES)


@functools.lru_cache(maxsize=1024)
def _words(text: str) -> frozenset[str]:
    """The words, and the figures by their values."""
    figures = slots(text)
    rest = text
    for slot in reversed(figures):
        rest = rest[: slot.start] + "，" + rest[slot.end :]
    return frozenset(word for word, _, length in words(rest) if length > 1) | {f"{s.kind}={s.value}" for s in figures}
