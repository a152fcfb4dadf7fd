"""An observation against its gold example: kind, facts, size, citations.

Knows what a right answer is. Averages and intervals are the job of `summary`.
"""

from __future__ import annotations

import msgspec

from evals.dataset import GoldExample, GoldSpans, holds_fact, supported_by
from evals.observe import Observation
from rag.domain import Answer, Citation, Document, Span

MAX_UNITS = 5
TOP = 5
MAX_CHARACTERS = 400


class Score(msgspec.Struct, frozen=True):
    """One judged observation. What does not apply is None: an abstention has no facts, an answer no refusal."""

    example_id: str
    category: str
    answerable: bool
    answered: bool
    document_hit: bool | None
    facts: bool | None
    within_budget: bool | None
    citation_precision: float | None
    span_precision: float | None
    characters: int | None
    generated_share: float | None
    mode: str | None
    degraded: str | None
    total_ms: float | None
    error: str | None


def score(example: GoldExample, seen: Observation, gold: GoldSpans, documents: dict[str, Document]) -> Score:
    """The score of one observation. `facts` asks whether the claims hold all key facts."""
    outcome = seen.outcome
    answer = outcome if isinstance(outcome, Answer) else None
    words = "\n".join(claim.text for claim in answer.claims) if answer else ""
    spans = [Span(s.start, s.end) for c in answer.citations for s in c.spans] if answer else []
    return Score(
        example_id=example.id,
        category=example.category,
        answerable=example.kind == "answer",
        answered=answer is not None,
        document_hit=_document_hit(seen, gold, documents) if example.kind == "answer" else None,
        facts=all(holds_fact(words, f) for f in example.facts) if answer and example.kind == "answer" else None,
        within_budget=len(spans) <= MAX_UNITS or len(words) <= MAX_CHARACTERS if answer else None,
        citation_precision=_precision(answer, gold, documents) if answer and example.kind == "answer" else None,
        span_precision=_span_precision(answer, gold, documents) if answer and example.kind == "answer" else None,
        characters=len(words) if answer else None,
        generated_share=sum(c.mode == "generated" for c in answer.claims) / len(answer.claims) if answer else None,
        mode=outcome.mode if outcome else None,
        degraded=outcome.degraded if outcome else None,
        total_ms=outcome.timings_ms.total if outcome else None,
        error=seen.error,
    )


def _document_hit(seen: Observation, gold: GoldSpans, documents: dict[str, Document]) -> bool:
    """Whether one of the first five passages is of a document that holds needed evidence."""
    right = {
        d.id for d in documents.values() for path, span in gold.needed if d.path == path and d.extent.overlaps(span)
    }
    return any(row.document_id in right for row in seen.retrieved[:TOP])


def _precision(answer: Answer, gold: GoldSpans, documents: dict[str, Document]) -> float:
    """The share of citations of which a span falls on gold evidence."""
    good = [
        supported_by([Span(s.start, s.end) for s in c.spans], documents[c.document_id].path, gold)
        for c in answer.citations
    ]
    return sum(good) / len(good)


def _span_precision(answer: Answer, gold: GoldSpans, documents: dict[str, Document]) -> float:
    """The share of cited units (a span with its lead-in) that fall on gold evidence."""
    good = [supported_by([span], documents[c.document_id].path, gold) for c in answer.citations for span in _bodies(c)]
    return sum(good) / len(good)


def _bodies(citation: Citation) -> list[Span]:
    """The cited spans without short lead-ins and headers, which are cited for reading only."""
    spans = [Span(s.start, s.end) for s in citation.spans]
    return [
        s
        for n, s in enumerate(spans)
        if n == len(spans) - 1 or not citation.spans[n].quote.rstrip().endswith((":", "：", "|"))
    ]
