"""Gold examples: reading them, and finding their evidence in an index.

Knows the file format (`evals/gold/README.md`). How an answer is scored is the job of `scoring`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from evals.library import Library
from rag.domain import Span, Turn
from rag.text import fold

GOLD = Path(__file__).parent / "gold"
SEEDS = GOLD / "seeds"
# Written for fitting alone: nearly the same words, answered and not.
_NOT_ASKED = frozenset({"pairs.jsonl"})


class QuoteRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Evidence as an exact quote of a corpus document, or as offsets into a file that is not in this repository."""

    document: str | None = None
    quote: str | None = None
    source: str | None = None
    start: int | None = None
    end: int | None = None


class GoldExample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question with what a right answer holds.

    `facts` are lists of alternatives; `also` is further support that a fair judge accepts.
    """

    id: str
    split: Literal["dev", "test"]
    category: str
    question: str
    conversation: tuple[Turn, ...]
    as_of: dt.date | None
    kind: Literal["answer", "abstention", "triage", "clarification"]
    reason: str | None
    facts: tuple[tuple[str, ...], ...]
    forbidden: tuple[str, ...]
    evidence: tuple[QuoteRef, ...]
    also: tuple[QuoteRef, ...]
    why: str


class GoldSpans(msgspec.Struct, frozen=True):
    """Evidence resolved to (source path, span), needed and further."""

    needed: tuple[tuple[str, Span], ...]
    also: tuple[tuple[str, Span], ...]


def load(files: Iterable[Path]) -> list[GoldExample]:
    """All examples of the files, in order.

    Raises:
        ValueError: a line is not an example; file and line are named.
    """
    found: list[GoldExample] = []
    for file in files:
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            if line.strip():
                try:
                    found.append(msgspec.json.decode(line, type=GoldExample))
                except msgspec.DecodeError as error:
                    raise ValueError(f"{file}:{number}: {error}") from error
    return found


def gold_files() -> list[Path]:
    """The gold files that a run asks by default."""
    return [path for path in sorted(GOLD.glob("*.jsonl")) if path.name not in _NOT_ASKED]


def corpus_dev() -> list[GoldExample]:
    """The development examples over the corpus that the evidence model is fitted on."""
    return [e for e in load(sorted(GOLD.glob("*.jsonl"))) if e.split == "dev"]


def resolve(example: GoldExample, library: Library) -> GoldSpans:
    """The example's evidence as spans of canonical texts.

    Raises:
        ValueError: a quote does not stand, exactly once, in the document it names.
    """

    def one(ref: QuoteRef) -> tuple[str, Span]:
        if ref.source is not None and ref.start is not None and ref.end is not None:
            return library.path_of(ref.source), Span(ref.start, ref.end)
        document = library.documents.get(ref.document or "")
        text = library.text(document.path) if document else ""
        if document is None or ref.quote is None or text.count(ref.quote) != 1:
            raise ValueError(f"{example.id}: not exactly once in {ref.document}: {ref.quote!r}")
        start = text.index(ref.quote)
        return document.path, Span(start, start + len(ref.quote))

    return GoldSpans(tuple(map(one, example.evidence)), tuple(map(one, example.also)))


def holds_fact(text: str, alternatives: Sequence[str]) -> bool:
    """Whether one alternative stands in `text`, compared folded and on digit boundaries: 5% is not in 75%."""
    key = fold(text)
    return any(_stands_in(fold(alternative), key) for alternative in alternatives)


def forbidden_in(text: str, forbidden: Iterable[str]) -> list[str]:
    """What of `forbidden` stands in `text`, compared as facts are."""
    return [words for words in forbidden if holds_fact(text, (words,))]


def stratified(examples: Sequence[GoldExample], per_category: int, split: str = "test") -> list[GoldExample]:
    """Up to `per_category` examples of each category of a half, always the same ones, in the order of `examples`."""
    picked: set[str] = set()
    for category in sorted({e.category for e in examples}):
        own = [e.id for e in examples if e.category == category and e.split == split]
        picked.update(sorted(own, key=lambda i: hashlib.sha256(i.encode()).hexdigest())[:per_category])
    return [e for e in examples if e.id in picked]


def _stands_in(needle: str, key: str) -> bool:
    before = r"(?<![\d.])" if needle[:1].isdigit() else ""
    after = r"(?!\d|\.\d)" if needle[-1:].isdigit() else ""
    return re.search(before + re.escape(needle) + after, key) is not None


def supported_by(spans: Iterable[Span], path: str, gold: GoldSpans) -> bool:
    """Whether a citation's spans fall on gold evidence: half of one of them does, or one holds a needed quote."""
    for span in spans:
        for gold_path, target in (*gold.needed, *gold.also):
            shared = min(span.end, target.end) - max(span.start, target.start)
            if gold_path == path and shared >= min(0.5 * len(span), 0.8 * len(target)):
                return True
    return False
