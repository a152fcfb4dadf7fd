"""A draft and its evidence to the claims of an answer: proven sentences of the model, else the sources' own words.

Knows when a model's sentence may stand for evidence. How that is checked is the job of `verifying`, how it is shown,
of `rendering`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from rag.answer.verifying.checking import check, completeness
from rag.answer.verifying.problems import Problem
from rag.domain import ClaimMode, DraftClaim, Evidence, EvidenceUnit, Value
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


class Composer(Protocol):
    """Makes claims of an answer from the sentences that a model writes, while it writes.

    `failed` holds sentences that were refused and might be mended.
    """

    failed: list[tuple[DraftClaim, tuple[Problem, ...]]]

    def take(self, sentence: DraftClaim) -> list[ComposedClaim]:
        """One more sentence; the claims that are final now, if any."""
        ...

    def rest(self, *, broken: bool) -> list[ComposedClaim]:
        """The claims that are still due when no more sentences come; `broken` when the model did not finish."""
        ...


class Phrasing:
    """One claim a chosen unit, in order: the model's rewording where it proves true and whole, else the unit itself.

    For a model that only phrases: it can't add or drop a unit. It may narrow one to a part of it, where its wording is
    proven by just the part that the ranking, too, holds for the best. A sentence about a later unit settles the ones
    before it.
    """

    def __init__(self, question: str, evidence: Evidence, shown: Sequence[EvidenceUnit]) -> None:
        self.failed: list[tuple[DraftClaim, tuple[Problem, ...]]] = []
        self._question, self._evidence, self._shown = question, evidence, shown
        self._sentences: dict[str, list[str]] = {unit.id: [] for unit in evidence.units}
        self._due = list(evidence.units)

    def take(self, sentence: DraftClaim) -> list[ComposedClaim]:
        """Keep a sentence with the units that it names; units before the first of them are settled."""
        named = {self._shown[n - 1].id for n in sentence.evidence}
        claims = self._settle(next((n for n, unit in enumerate(self._due) if unit.id in named), 0))
        for unit_id in named & self._sentences.keys():
            self._sentences[unit_id].append(sentence.text)
        return claims

    def rest(self, *, broken: bool) -> list[ComposedClaim]:  # noqa: ARG002 - what is due is due either way
        """All units that are left."""
        return self._settle(len(self._due))

    def _settle(self, n: int) -> list[ComposedClaim]:
        due, self._due = self._due[:n], self._due[n:]
        return [self._claim(unit, self._sentences.pop(unit.id)) for unit in due]

    def _claim(self, unit: EvidenceUnit, sentences: list[str]) -> ComposedClaim:
        part = self._evidence.details.get(unit.id)
        provers = [unit] if part is None else [unit, part]
        longest, whole = len(readable(unit.text)), not self._evidence.asks_one_thing
        for text in _rewordings(sentences):
            for by in provers if len(text) < longest else ():
                if _stands_for(text, by, self._question, whole=whole):
                    return ComposedClaim(text, (by,), "generated")
        return quoted([unit])[0]


class Selecting:
    """The claims that the model chose to make.

    For a model that may choose: what it left out stays out. One that fails its check can be mended; what is not is
    replaced by what it cites, where that is what the ranking, too, holds for the answer.
    """

    def __init__(self, evidence: Evidence, shown: Sequence[EvidenceUnit]) -> None:
        self.failed: list[tuple[DraftClaim, tuple[Problem, ...]]] = []
        self._evidence, self._shown = evidence, shown
        self._said: set[str] = set()
        self._proving: set[str] = set()

    def take(self, sentence: DraftClaim) -> list[ComposedClaim]:
        """The sentence as a claim, where it is proven and not said yet."""
        units = tuple(self._shown[n - 1] for n in sentence.evidence)
        if problems := check(sentence.text, [u.text for u in units], "：".join(t for u in units for t in u.title_path)):
            self.failed.append((sentence, problems))
            return []
        if fold(sentence.text) in self._said:
            return []
        self._said.add(fold(sentence.text))
        self._proving.update(unit.id for unit in units)
        return [ComposedClaim(sentence.text, units, "generated")]

    def rest(self, *, broken: bool) -> list[ComposedClaim]:
        """The sources' own words for what failed; for all of the evidence, where the model did not say anything."""
        if broken and not self._proving:
            return quoted(self._evidence.units) if self._evidence.sufficient else []
        cited = dict.fromkeys(self._shown[n - 1] for sentence, _ in self.failed for n in sentence.evidence)
        return quoted([unit for unit in cited if unit.id not in self._proving and self._answers(unit)])

    def _answers(self, unit: EvidenceUnit) -> bool:
        return any(unit.document_id == own.document_id and unit.span.overlaps(own.span) for own in self._evidence.units)


def compose(question: str, evidence: Evidence, shown: Sequence[EvidenceUnit], *, chooses: bool) -> Composer:
    """The composer for a model that may choose, or for one that only phrases."""
    return Selecting(evidence, shown) if chooses else Phrasing(question, evidence, shown)


def removed(sentences: Sequence[DraftClaim], composed: Sequence[ComposedClaim]) -> int:
    """How many of the model's sentences are in no claim of the answer."""
    shown = [fold(claim.text) for claim in composed if claim.mode == "generated"]
    return sum(not any(fold(sentence.text) in text for text in shown) for sentence in sentences)


def _rewordings(sentences: Sequence[str]) -> list[str]:
    """What the model wrote of one unit: its sentences together, then each alone."""
    own = list(dict.fromkeys(sentences))
    return list(dict.fromkeys(["".join(map(_sentence, own)), *own])) if own else []


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
