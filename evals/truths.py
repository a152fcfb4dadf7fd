"""True claims beside the evidence that they follow from: what mutants are made of.

Knows where they come from: the corpus' own sentences and table cells, sentences of third-party files, paraphrases
written by hand; look-alikes written by hand come along. How a claim is made false is the job of `mutants`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Literal

import msgspec

from evals import handwritten
from evals.dataset import GOLD
from evals.figures import figures
from evals.handwritten import Source, Split, Written, Wrong
from evals.library import Library, NoBudget, read_library
from rag import places
from rag.domain import Document, EvidenceUnit, Span, Value
from rag.text import sentence_spans, squeeze

HANDWRITTEN = GOLD / "mutate"

Wording = Literal["verbatim", "paraphrase"]

_MIN_LENGTH, _MAX_LENGTH = 12, 120
_SHORT = 20  # a cell that is a value and no sentence
_MARK = re.compile(
    r"^(?:[-*•·]\s*|\d+(?:\.\d+)*[.、．)）]?\s+|\d+[.、．)）]\s*|[（(][一二三四五六七八九十\d]+[)）]\s*"
    r"|第[零一二三四五六七八九十百]+条\s*|[一二三四五六七八九十]+、)+"
)
_RULE = re.compile(r"\|?[\s:|-]+\|?")
_GAP = re.compile(
    r"(?<=[一-龥，。；：、（）])\s+(?=[一-龥\d，。；：、（）])|(?<=\d)\s+(?=[一-龥])"
)  # a line's break in print
# A question, a heading or a broken line is not a claim.
_NO_CLAIM = re.compile(r"[？?�□…\[\]]|[：:]$|^[^一-龥\d《“（]|如何|哪些|见下|如下|(..+)\1\1")
_BRACKETS = (("（", "）"), ("(", ")"), ("“", "”"), ("《", "》"))


class Pair(Value):
    """A claim that follows from its evidence, read under its title path.

    `rivals` are (value, value of another case) of the same table: each is wrong in the other's place.
    """

    id: str
    split: Split
    source: Source
    document: str
    wording: Wording
    evidence: tuple[str, ...]
    title: str
    claim: str
    rivals: tuple[tuple[str, str], ...] = ()

    @property
    def told(self) -> str:
        """All that the claim may be read from."""
        return "\n".join((self.title, *self.evidence))


class LookAlike(Value):
    """A claim written by hand that does not follow from its evidence; `kind` says what is wrong with it."""

    id: str
    split: Split
    kind: Wrong
    evidence: str
    title: str
    claim: str


class Truths(Value):
    """The pairs, the look-alikes beside them, and what could not be read and why."""

    pairs: tuple[Pair, ...]
    look_alikes: tuple[LookAlike, ...] = ()
    notes: tuple[str, ...] = ()


def truths(corpus: Path, data: Path | None, paraphrases: Path = HANDWRITTEN) -> Truths:
    """All pairs of the corpus, of the third-party folders in `data`, and of the paraphrases of any of these.

    A document is in the half that its paraphrases are in, else in one that its name decides.

    Raises:
        UnreadableFile: a document can't be read.
        ValueError: a paraphrase is malformed, or its quote is not in its document; file and line are named.
    """
    library = read_library([corpus], NoBudget())
    clauses, statutes = _clauses(data), _statutes(data)
    written = list(handwritten.read(paraphrases))
    halves = {p.document: p.split for p in written}
    verbatim = [*_of_library(library, halves), *_of_clauses(clauses, halves), *_of_statutes(statutes, halves)]
    texts = {name: text for name, (_, text) in clauses.items()} | statutes
    found = [(line, handwritten.evidence(line, library, texts)) for line in written]
    told = [(line, evidence) for line, evidence in found if evidence is not None]
    worded = [_of_paraphrase(line, evidence) for line, evidence in told if line.kind is None]
    look_alikes = [_look_alike(line, line.kind, evidence) for line, evidence in told if line.kind is not None]
    notes = _notes(data, clauses, statutes, len(found) - len(told))
    return Truths((*verbatim, *worded), tuple(look_alikes), tuple(notes))


def _notes(data: Path | None, clauses: object, statutes: object, unread: int) -> Iterator[str]:
    if data is None:
        yield "no third-party data given (--data): the corpus alone is small"
    elif not clauses:
        yield f"absent: {data / 'insqa_clause'}"
    if data is not None and not statutes:
        yield f"absent: {data / 'regulations'}"
    if unread:
        yield f"{unread} claims written by hand are of documents that are absent"


# --- the corpus -------------------------------------------------------------------------------------------------------


def _of_library(library: Library, halves: dict[str, Split]) -> Iterator[Pair]:
    for document in library.documents.values():
        units = library.units_on(document.path, document.extent)
        own = [u for u in units if u.document_id == document.id]
        for claim, unit, evidence, rivals in _corpus_claims(library.text(document.path), own):
            yield _pair(
                "corpus", document.id, halves, _located(claim, document), evidence, "：".join(unit.title_path), rivals
            )


def _corpus_claims(
    text: str, units: Sequence[EvidenceUnit]
) -> Iterator[tuple[str, EvidenceUnit, str, tuple[tuple[str, str], ...]]]:
    tables: dict[Span, list[EvidenceUnit]] = {}
    for unit in units:
        if unit.kind == "row" and unit.lead:
            tables.setdefault(unit.lead[0], []).append(unit)
        elif unit.kind in {"sentence", "item"} and _is_claim(claim := _readable(text[unit.span.start : unit.span.end])):
            yield claim, unit, "\n".join(text[s.start : s.end] for s in unit.spans), ()
    for header, rows in tables.items():
        whole = text[header.start : rows[-1].span.end]
        cells = [_cells(text[row.span.start : row.span.end]) for row in rows]
        for claim, n, rivals in _cell_claims(_cells(text[header.start : header.end].partition("\n")[0]), cells):
            yield claim, rows[n], whole, rivals


def _cell_claims(
    head: Sequence[str], rows: Sequence[Sequence[str]]
) -> Iterator[tuple[str, int, tuple[tuple[str, str], ...]]]:
    """Each figure of a table as a sentence, with the figures of its column's other rows and its row's other columns."""
    valued = [j for j in range(1, len(head)) if _is_value_column([row[j] for row in rows if len(row) == len(head)])]
    for n, row in enumerate(rows):
        if not valued or len(row) != len(head):
            continue
        key = "，".join(row[: valued[0]])
        others = [other for other in rows if len(other) == len(head) and other[: valued[0]] != row[: valued[0]]]
        for j in valued:
            cells = [*(other[j] for other in others), *(row[k] for k in valued if k != j)]
            if _measures(row[j]):
                yield f"{key}，{head[j]}是{row[j]}。", n, tuple((row[j], c) for c in cells if _is_rival(row[j], c))


def _is_value_column(cells: Sequence[str]) -> bool:
    """Whether a column says how much rather than what of: most of its cells are short and hold a figure."""
    return 2 * sum(len(cell) <= _SHORT and bool(figures(cell)) for cell in cells) > len(cells)


def _is_rival(cell: str, other: str) -> bool:
    """Whether both measure in one unit, and something else."""
    own, others = _measures(cell), _measures(other)
    return bool(others) and own != others and own[0][1] == others[0][1]


def _measures(cell: str) -> list[tuple[Decimal, str]]:
    return [(figure.value, figure.unit) for figure in figures(cell)]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _located(claim: str, document: Document) -> str:
    """The claim with the place of its document said, where it holds a figure and names none."""
    if len(document.places) == 1 and document.places[0] in document.title and figures(claim):
        return claim if places.find(claim) else f"在{document.places[0]}，{claim}"
    return claim


# --- third-party files ------------------------------------------------------------------------------------------------


class _Clause(msgspec.Struct, frozen=True):
    id: str
    title: str
    text: str


def _clauses(data: Path | None) -> dict[str, tuple[str, str]]:
    """Title and text of the insurance clauses by id."""
    file = data / "insqa_clause" / "corpus.jsonl" if data else None
    if file is None or not file.is_file():
        return {}
    lines = [msgspec.json.decode(line, type=_Clause) for line in file.read_bytes().splitlines() if line]
    return {clause.id: (clause.title, clause.text) for clause in lines}


def _statutes(data: Path | None) -> dict[str, str]:
    """The texts of the statutes by file name."""
    folder = data / "regulations" if data else None
    return {file.name: file.read_text("utf-8") for file in sorted(folder.glob("*.md"))} if folder else {}


def _of_clauses(clauses: dict[str, tuple[str, str]], halves: dict[str, Split]) -> Iterator[Pair]:
    for name, (title, text) in clauses.items():
        for claim, evidence in _sentences(text):
            yield _pair("insqa_clause", name, halves, claim, evidence, title)


def _of_statutes(statutes: dict[str, str], halves: dict[str, Split]) -> Iterator[Pair]:
    for name, text in statutes.items():
        title = name.removesuffix(".md")
        for line in text.partition("<!-- INFO END -->")[2].splitlines():
            for claim, evidence in _sentences(line):
                yield _pair("regulations", name, halves, _of_region(claim, title), evidence, title)


def _sentences(text: str) -> Iterator[tuple[str, str]]:
    """The claims of a text, each with its sentence, for every other one with the sentences around it."""
    spans = list(sentence_spans(text, 0, len(text)))
    for i, span in enumerate(spans):
        claim = _readable(text[span.start : span.end])
        if _is_claim(claim) and claim.endswith("。"):
            around = i % 2
            first, last = spans[max(0, i - around)], spans[min(len(spans) - 1, i + around)]
            yield claim, text[first.start : last.end]


def _of_region(claim: str, title: str) -> str:
    """The claim with 本市 and 本省 called by name, as whoever answers has to."""
    region = re.match(r"[^市省]{2,3}[市省]", title)
    return re.sub("本[市省]", region.group(), claim) if region else claim


# --- written by hand --------------------------------------------------------------------------------------------------


def _of_paraphrase(line: Written, evidence: str) -> Pair:
    return Pair(line.id, line.split, line.origin, line.document, "paraphrase", (evidence,), line.title, line.claim)


def _look_alike(line: Written, kind: Wrong, evidence: str) -> LookAlike:
    return LookAlike(line.id, line.split, kind, evidence, line.title, line.claim)


# --- shared -----------------------------------------------------------------------------------------------------------


def _pair(
    source: Source,
    document: str,
    halves: dict[str, Split],
    claim: str,
    evidence: str,
    title: str,
    rivals: Iterable[tuple[str, str]] = (),
) -> Pair:
    split = halves.get(document) or ("dev" if digest(document) % 2 else "test")
    name = f"{document}#{digest(claim, evidence) % 10**8:08}"
    return Pair(name, split, source, document, "verbatim", (evidence,), title, claim, tuple(rivals))


def digest(*words: str) -> int:
    """A number that depends on the words alone, for choices that are the same on every machine."""
    return int.from_bytes(hashlib.sha256("\n".join(words).encode()).digest()[:8], "big")


def _readable(text: str) -> str:
    return _GAP.sub("", _MARK.sub("", squeeze(text)))


def _is_claim(text: str) -> bool:
    whole = all(text.count(opening) == text.count(closing) for opening, closing in _BRACKETS)
    return whole and _MIN_LENGTH <= len(text) <= _MAX_LENGTH and not _NO_CLAIM.search(text)
