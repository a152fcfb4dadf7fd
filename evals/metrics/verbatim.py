"""Quotes and sources, letter for letter.

    verbatim    1 if every quoted span is what the document has there, and every quote its spans joined by a line break
    provenance  1 if every citation names its document's title, publisher, kind, dates and places as the document does

Can't see whether the quote has to do with the claim, nor whether the document is right.
"""

from __future__ import annotations

from evals.domain import Metric, Sample, Verdict, flag
from evals.library import Library
from evals.metrics.reasons import NO_OUTCOME, NOT_CITED
from rag.domain import Citation


def _verbatim(sample: Sample) -> Verdict:
    if sample.outcome is None:
        return NO_OUTCOME
    citations = sample.outcome.citations
    return flag(all(_is_verbatim(c, sample.library) for c in citations)) if citations else NOT_CITED


def _is_verbatim(citation: Citation, library: Library) -> bool:
    return citation.quote == "\n".join(span.quote for span in citation.spans) and all(
        span.quote == library.quote(citation.document_id, span.start, span.end) for span in citation.spans
    )


def _provenance(sample: Sample) -> Verdict:
    if sample.outcome is None:
        return NO_OUTCOME
    citations = sample.outcome.citations
    return flag(all(_is_told_right(c, sample.library) for c in citations)) if citations else NOT_CITED


def _is_told_right(citation: Citation, library: Library) -> bool:
    document = library.documents.get(citation.document_id)
    return document is not None and (
        citation.document_title == document.title
        and citation.origin == document.origin
        and citation.kind == document.kind
        and citation.published == document.published
        and citation.effective_from == document.effective_from
        and citation.effective_to == document.effective_to
        and citation.places == document.places
    )


METRICS = (Metric("verbatim", "flag", "high", _verbatim), Metric("provenance", "flag", "high", _provenance))
