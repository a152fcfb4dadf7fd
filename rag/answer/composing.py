"""A draft and its evidence to the claims of an answer: proven sentences of the model, else the sources' own words.

Knows when a model's sentence may stand for evidence. How that is checked is the job of `verifying`, how it is shown,
of `rendering`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answer.drafting import Drafted
from rag.answer.verifying.checking import check, completeness
from rag.domain import ClaimMode, Evidence, EvidenceUnit, Value
from rag.text import fold

_TABLE_ROW = re.compile(r"^\|(.+)\|$")
_TABLE_RULE = re.compile(r"^[|\s:-]+$")
_TABLE_RULE_INSIDE = re.compile(r"\|\s*\|\s*:?-{3,}")
_BULLET = re.compile(r"^(?:[-*+•·●○▪]\s+|[•●]\s*)")
_INLINE_BULLET = re.compile(
    r"(?<![\d%％元])\s+(?:[•●]|(?<![年月日天周岁时万千] )-|-(?!\s*\d))\s+"
)  # not the dash of 50% - 60%
# A source's own footnote mark would pose as one of ours; document numbers such as 〔2022〕22号 have four digits.
_OWN_MARKER = re.compile(r"[\[【［]\s*(\d{1,3})\s*[\]】］]")


class ComposedClaim(Value):
    """A sentence of the answer with the units that prove it."""

    text: str
    units: tuple[EvidenceUnit, ...]
    mode: ClaimMode


def quoted(units: Sequence[EvidenceUnit]) -> list[ComposedClaim]:
    """The units in their own words, one claim each."""
    return [ComposedClaim(readable(unit.text), (unit,), "quoted") for unit in units]


def phrased(question: str, evidence: Evidence, drafted: Drafted) -> list[ComposedClaim]:
    """One claim a chosen unit, in order: the model's rewording where it proves true and whole, else the unit itself.

    For a model that only phrases: it can't add or drop a unit. It may narrow one to a part of it, where its wording is
    proven by just the part that the ranking, too, holds for the best.
    """
    composed = []
    for unit in evidence.units:
        part = evidence.details.get(unit.id)
        provers = [unit] if part is None else [unit, part]
        longest = len(readable(unit.text))
        texts = [text for text in _rewordings(unit, drafted) if len(text) < longest]
        found = next(
            (
                (text, by)
                for text in texts
                for by in provers
                if _stands_for(text, by, question, whole=not evidence.asks_one_thing)
            ),
            None,
        )
        composed += [ComposedClaim(found[0], (found[1],), "generated")] if found else quoted([unit])
    return composed


def selected(drafted: Drafted) -> list[ComposedClaim]:
    """The claims that the model chose to make; one that fails its check is replaced by what it cites.

    For a model that may choose: what it left out stays out.
    """
    composed: list[ComposedClaim] = []
    for claim in drafted.draft.claims:
        units = tuple(drafted.units[n - 1] for n in claim.evidence)
        if check(claim.text, [u.text for u in units], "：".join(t for u in units for t in u.title_path)):
            composed += [c for c in quoted(units) if not any(set(c.units) <= set(old.units) for old in composed)]
        elif not any(fold(claim.text) == fold(old.text) for old in composed):
            composed.append(ComposedClaim(claim.text, units, "generated"))
    return composed


def removed(drafted: Drafted, composed: Sequence[ComposedClaim]) -> int:
    """How many of the model's sentences are in no claim of the answer."""
    shown = [fold(claim.text) for claim in composed if claim.mode == "generated"]
    return sum(not any(fold(claim.text) in text for text in shown) for claim in drafted.draft.claims)


def _rewordings(unit: EvidenceUnit, drafted: Drafted) -> list[str]:
    """What the model wrote from this unit: its sentences together, then each alone."""
    own = [claim.text for claim in drafted.draft.claims if unit.id in {drafted.units[n - 1].id for n in claim.evidence}]
    return [*dict.fromkeys(["".join(_sentence(text) for text in dict.fromkeys(own)), *own])] if own else []


def _stands_for(text: str, unit: EvidenceUnit, question: str, *, whole: bool) -> bool:
    title = "：".join(unit.title_path)
    return not check(text, [unit.text], title) and not completeness(text, [unit.text], question, title, whole=whole)


def _sentence(text: str) -> str:
    return text if text[-1:] in "。！？" else text + "。"


def readable(text: str) -> str:
    """A unit's words without the marks of lists and tables; every word and figure stays.

    A table row is read with its header: 医院级别：三级；报销比例：85%.
    """
    lines = [part for line in text.split("\n") for part in _table_lines(line)]
    cells = [_cells(line) for line in lines]
    header = next((c for c in cells if c), None)
    shown = []
    for line, row in zip(lines, cells, strict=True):
        if row is None:
            shown.append(_INLINE_BULLET.sub("\n· ", _BULLET.sub("", line.strip())))
        elif row is not header and header is not None and len(row) == len(header):
            shown.append("；".join(f"{name}：{value}" for name, value in zip(header, row, strict=True) if value))
        elif row is not header or sum(c is not None for c in cells) == 1:
            shown.append("；".join(row))
    text = "\n".join(line for line in shown if line)
    if "\n· " in text and _BULLET.match(lines[0].strip()):  # cut apart here: the first item is an item, too
        text = "· " + text
    return _OWN_MARKER.sub(r"（\1）", text)


def _table_lines(line: str) -> list[str]:
    """A whole table comes as one line when white space was squeezed: cut it at the row ends."""
    if not _TABLE_RULE_INSIDE.search(line):
        return [] if _TABLE_RULE.match(line) and "|" in line else [line]
    rows = re.split(r"(?<=\|)\s+(?=\|)", line.strip())
    return [row for row in rows if not _TABLE_RULE.match(row)]


def _cells(line: str) -> list[str] | None:
    match = _TABLE_ROW.match(line.strip())
    return [cell.strip() for cell in match.group(1).split("|")] if match else None
