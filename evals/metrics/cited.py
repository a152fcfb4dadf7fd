"""What an answer cites, as the documents have it: its own quotes are not taken on trust.

Knows how markers lead to citations, and citations to documents. What a metric makes of that is its own job.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from evals.domain import Sample
from evals.library import Library
from rag.domain import Citation, EvidenceUnit, Span
from rag.text import squeeze

MARKER = re.compile(r"\[(\d{1,3})\]")


def real(citation: Citation, library: Library) -> bool:
    """Whether the document is there, and every span in it."""
    return bool(citation.spans) and all(
        library.quote(citation.document_id, span.start, span.end) is not None for span in citation.spans
    )


def behind(sample: Sample, markers: Iterable[int]) -> list[Citation]:
    """The real citations that the markers lead to."""
    wanted = set(markers)
    citations = sample.answer.citations if sample.answer else ()
    return [c for c in citations if c.marker in wanted and real(c, sample.library)]


def path(citation: Citation, library: Library) -> str:
    """The file that a real citation is cut from."""
    return library.documents[citation.document_id].path


def spans(citation: Citation) -> list[Span]:
    """Where the quotes of a citation stand."""
    return [Span(span.start, span.end) for span in citation.spans]


def bodies(citation: Citation, library: Library) -> list[Span]:
    """The spans of a real citation without the lead-ins and table headers, which are cited for reading only."""
    leads = {lead for unit in _units(citation, library) for lead in unit.lead}
    return [span for span in spans(citation) if span not in leads]


def parts(citation: Citation, library: Library) -> list[str]:
    """The words of each body of a real citation, below its lead-in."""
    leads = {unit.span: unit.lead for unit in _units(citation, library)}
    return [
        "\n".join(_words(citation, span, library) for span in (*leads.get(body, ()), body))
        for body in bodies(citation, library)
    ]


def words(citations: Iterable[Citation], library: Library) -> str:
    """All that real citations show, in their order."""
    return "\n".join(_words(citation, span, library) for citation in citations for span in spans(citation))


def titles(citations: Iterable[Citation], library: Library) -> str:
    """The title paths above what real citations show."""
    paths = [
        unit.title_path
        for citation in citations
        for span in spans(citation)
        for unit in library.units_on(path(citation, library), span)
        if unit.document_id == citation.document_id
    ]
    return "：".join(dict.fromkeys(title for one in paths for title in one))


def _units(citation: Citation, library: Library) -> list[EvidenceUnit]:
    """The units whose own span is cited."""
    file = path(citation, library)
    return [unit for span in spans(citation) for unit in library.units_on(file, span) if unit.span == span]


def _words(citation: Citation, span: Span, library: Library) -> str:
    return squeeze(library.quote(citation.document_id, span.start, span.end) or "")
