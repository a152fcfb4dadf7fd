"""A text as plain statements: a table's rows and a list that runs parallel to its figures become a sentence a figure.

Knows the shapes in which Chinese texts bind figures to what they are said of: a row under its header, or
一级、二级医院分别为90%、87%. What a statement says is the job of `mentions`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag import places, qualifiers
from rag.answer.verifying import contrasts
from rag.answer.verifying.slots import Slot, slots

_SENTENCE_END = re.compile(r"(?<=[。！？!?])|\n")
_RULE = re.compile(r"^[|\s:-]+$")
_JOINED = re.compile(r"[、,，和与及以或\s]{1,3}")
_BETWEEN_ITEMS = re.compile(r"、|以及|和|与|及|或")
_CLAUSE_END = re.compile(r"[，。；：:;,]")
_LABEL_LENGTH = 4
_BEFORE = ("在职", "退休", "城镇", "城乡")
_QUALIFIED = 2
_MEASURES = frozenset({"ratio", "amount", "period", "date"})


def statements(text: str) -> list[str]:
    """The sentences of a plain text, rows and parallel lists taken apart; blank ones left out."""
    found = []
    for part in _unfolded(text):
        for sentence in _SENTENCE_END.split(part):
            if sentence.strip():
                found += _paired(sentence.strip())
    return found


_RULE_INSIDE = re.compile(r"\|\s*\|\s*:?-{3,}")
_ROW_END = re.compile(r"(?<=\|)\s+(?=\|)")


def tables(text: str) -> list[list[list[str]]]:
    """The tables of a plain text: the names of the columns first, then the rows that are as long."""
    found: list[list[list[str]]] = []
    inside = False
    for line in _lines(text):
        cells = _cells(line)
        if cells is None:
            inside = False
        elif not inside:
            found.append([cells])
            inside = True
        elif not _RULE.match(line) and len(cells) == len(found[-1][0]):
            found[-1].append(cells)
    return found


def _unfolded(text: str) -> Iterator[str]:
    """Lines; of a table a sentence for each cell that a row's label leads to."""
    header: list[str] | None = None
    for line in _lines(text):
        cells = _cells(line)
        if cells is None:
            header = None
            yield line
        elif _RULE.match(line):
            continue
        elif header is None:
            header = cells
            yield "，".join(cells)
        elif len(cells) == len(header):
            yield from _row(header, cells)
        else:
            yield "，".join(cells)


def _lines(text: str) -> Iterator[str]:
    """Lines; a table whose white space was squeezed into one line is cut at its rows' ends."""
    for line in text.split("\n"):
        yield from _ROW_END.split(line.strip()) if _RULE_INSIDE.search(line) else (line,)


def _cells(line: str) -> list[str] | None:
    line = line.strip()
    return [cell.strip() for cell in line[1:-1].split("|")] if line.startswith("|") and line.endswith("|") else None


def _row(header: Sequence[str], cells: Sequence[str]) -> Iterator[str]:
    """The first cell is the row's label, and so is each further one without a figure that stands before a figure."""
    named = [f"{name}：{cell}" if name else cell for name, cell in zip(header, cells, strict=True)]
    labels = 1
    while labels < len(cells) - 1 and not _measured(cells[labels]) and any(_measured(c) for c in cells[labels + 1 :]):
        labels += 1
    for value in named[labels:]:
        yield "，".join([*named[:labels], value]) + "。"
    if labels == len(cells):
        yield "，".join(named) + "。"


def _measured(cell: str) -> bool:
    return any(slot.kind in _MEASURES for slot in slots(cell))


def _paired(sentence: str) -> list[str]:
    """A sentence for each name of a list that as many figures run parallel to; else the sentence itself."""
    runs = list(_runs(slots(sentence), sentence))
    for n, run in enumerate(runs):
        if names := _names(sentence[: run[0].start], len(run)):
            parallel = [run, *(other for other in runs[n + 1 :] if len(other) == len(run))]
            return [part for i in range(len(run)) for part in _paired(_one_of(sentence, names, parallel, i))]
    return [sentence]


def _one_of(sentence: str, names: tuple[int, int, list[str]], runs: Sequence[Sequence[Slot]], i: int) -> str:
    """The sentence with the i-th name of the list only, and the i-th figure of each run."""
    start, done, labels = names
    text = sentence[:start] + labels[i]
    for run in runs:
        text += sentence[done : run[0].start] + sentence[run[i].start : run[i].end]
        done = run[-1].end
    return text + sentence[done:]


def _runs(found: Sequence[Slot], sentence: str) -> Iterator[list[Slot]]:
    """Figures of one kind with nothing but 、 or 和 between them."""
    run: list[Slot] = []
    for slot in found:
        if run and slot.kind == run[-1].kind and _JOINED.fullmatch(sentence[run[-1].end : slot.start]):
            run.append(slot)
            continue
        if len(run) > 1:
            yield run
        run = [slot]
    if len(run) > 1:
        yield run


def _names(before: str, count: int) -> tuple[int, int, list[str]] | None:
    """The nearest list of `count` names in `before`: where it begins, where it ends, and the names."""
    end = len(before)
    for boundary in [*reversed([m.end() for m in _CLAUSE_END.finditer(before)]), 0]:
        clause = before[boundary:end]
        parts = _parts(clause)
        if len(parts) == count:
            return _edges(clause, parts, boundary)
        end = max(boundary - 1, 0)
    return None


def _parts(clause: str) -> list[tuple[int, int]]:
    cuts = [(m.start(), m.end()) for m in _BETWEEN_ITEMS.finditer(clause)]
    starts = [0, *(end for _, end in cuts)]
    ends = [*(start for start, _ in cuts), len(clause)]
    return [(s, e) for s, e in zip(starts, ends, strict=True) if e > s]


def _edges(clause: str, parts: Sequence[tuple[int, int]], offset: int) -> tuple[int, int, list[str]]:
    """The first name ends its part, the last one begins its own; how far they reach, a known word tells."""
    first, last = clause[slice(*parts[0])], clause[slice(*parts[-1])]
    starts = [start for start, _ in _known(first)]
    ends = _ends(last)
    begin = starts[-1] if starts else max(0, len(first) - _LABEL_LENGTH)
    begin = max(0, begin - _QUALIFIED) if first[max(0, begin - _QUALIFIED) : begin] in _BEFORE else begin
    stop = ends[0] if ends else min(len(last), _LABEL_LENGTH)
    labels = [first[begin:], *(clause[s:e] for s, e in parts[1:-1]), last[:stop]]
    return offset + parts[0][0] + begin, offset + parts[-1][0] + stop, labels


def _ends(name: str) -> list[int]:
    """Where the known words end with which a name begins: 70周岁以下的退休."""
    ends: list[int] = []
    for start, end in _known(name):
        if ends and name[ends[-1] : start] not in {"", "的"}:
            break
        ends.append(max(end, *ends) if ends else end)
    return ends[-1:]


def _known(text: str) -> list[tuple[int, int]]:
    found = [(start, end) for _, _, start, end in (*qualifiers.located(text), *contrasts.located(text))]
    return sorted({*found, *((start, end) for _, start, end in places.located(text))})
