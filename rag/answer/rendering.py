"""Proven claims to an Outcome: citations cut from the canonical text, markers, disclaimer, label.

Knows how an outcome reads. The model never writes a quote, a marker, a disclaimer or a contact.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence

from rag.answer.composing import ComposedClaim
from rag.answer.contacts import where_to_ask
from rag.answer.verifying.slots import slots
from rag.domain import (
    DISCLAIMER,
    Abstention,
    AbstentionReason,
    Answer,
    Citation,
    Claim,
    Degradation,
    Document,
    EvidenceUnit,
    Mode,
    QuotedSpan,
    Scope,
    Span,
    Timings,
    Usage,
    Value,
)
from rag.ports import Catalogue

_FINAL = "。！？；!?;."
_OLD_AFTER = dt.timedelta(days=365)
_DECLINED: Mapping[AbstentionReason, str] = {
    "no_evidence": "现有资料中没有能回答这个问题的内容。",
    "weak_evidence": "现有资料不足以可靠地回答这个问题。",
    "unverified": "现有资料中的说法未能通过核对，不能据此作答。",
    "out_of_domain": "这个问题不属于医疗保险的范围。",
}


class Frame(Value):
    """What every outcome of one request carries."""

    id: str
    scope: Scope
    as_of: dt.date
    ai_label: str
    mode: Mode
    model: str
    degraded: Degradation | None = None
    usage: Usage = Usage()
    timings: Timings = Timings()


def new_id() -> str:
    """An id for one outcome."""
    return f"ans_{secrets.token_hex(8)}"


class AnswerInMaking:
    """Claims and their citations as they are proven: one citation a passage, numbered in order of use."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.claims: list[Claim] = []
        self._catalogue = catalogue
        self._units: dict[str, list[EvidenceUnit]] = {}

    def add(self, composed: ComposedClaim) -> tuple[Claim, tuple[Citation, ...]]:
        """The claim with its markers, and the citations behind them with what they show so far."""
        for unit in composed.units:
            self._units.setdefault(unit.chunk_id, []).append(unit)
        order = list(self._units)
        markers = tuple(sorted({order.index(unit.chunk_id) + 1 for unit in composed.units}))
        self.claims.append(Claim(composed.text, markers, composed.mode))
        return self.claims[-1], tuple(self._citation(marker) for marker in markers)

    def finish(self, frame: Frame) -> Answer:
        """The whole answer."""
        citations = tuple(self._citation(marker) for marker in range(1, len(self._units) + 1))
        lines = [_marked(claim) for claim in self.claims]
        return Answer(
            text=_framed([*lines, *_notes(citations, frame.as_of)], frame),
            claims=tuple(self.claims),
            citations=citations,
            warnings=_warnings(citations, frame.as_of),
            **_common(frame),
        )

    def _citation(self, marker: int) -> Citation:
        return cite(marker, list(self._units.values())[marker - 1], self._catalogue)


def render_abstention(reason: AbstentionReason, nearest: Document | None, frame: Frame) -> Abstention:
    """No answer: why, what is nearest, where to ask."""
    lines = [_DECLINED[reason]]
    if nearest is not None and not slots(nearest.title):  # a figure in a title would stand there without proof
        lines.append(f"最接近的资料是《{nearest.title}》，但它没有回答所问的内容。")
    lines.append(where_to_ask(frame.scope))
    return Abstention(text=_framed(["".join(lines)], frame), reason=reason, **_common(frame))


def cite(marker: int, units: Sequence[EvidenceUnit], catalogue: Catalogue) -> Citation:
    """A citation of units of one passage; `quote` and spans are cut from the canonical text."""
    document = catalogue.document(units[0].document_id)
    if document is None:
        raise LookupError(units[0].document_id)
    text = catalogue.text(document.id)
    spans = _merged([span for unit in units for span in unit.spans])
    quotes = tuple(QuotedSpan(span.start, span.end, text[span.start : span.end]) for span in spans)
    return Citation(
        marker=marker,
        document_id=document.id,
        document_title=document.title,
        section=" / ".join(units[0].title_path[1:]) or document.title,
        source=document.source,
        origin=document.origin,
        kind=document.kind,
        published=document.published,
        effective_from=document.effective_from,
        effective_to=document.effective_to,
        places=document.places,
        quote="\n".join(q.quote for q in quotes),
        spans=quotes,
    )


def _merged(spans: Sequence[Span]) -> list[Span]:
    """In reading order, without those inside another."""
    kept: list[Span] = []
    for span in sorted(set(spans), key=lambda s: (s.start, -s.end)):
        if not any(other.contains(span) for other in kept):
            kept.append(span)
    return kept


def _marked(claim: Claim) -> str:
    marks = "".join(f"[{n}]" for n in claim.citations)
    text = claim.text.rstrip()
    if text and text[-1] in _FINAL:
        return text[:-1].rstrip() + marks + text[-1]
    return text + marks + "。"


def _notes(citations: Sequence[Citation], as_of: dt.date) -> list[str]:
    """How old the sources are, from their metadata alone."""
    notes = []
    for citation in citations:
        standing = (
            "第三方资料，请以当地医保部门为准" if citation.origin.authority == "third-party" else "法规或官方资料"
        )
        age = f"发布于{citation.published.isoformat()}" if citation.published else "未注明发布日期"
        old = "，距今已超过一年" if _is_old(citation, as_of) else ""
        notes.append(f"来源[{citation.marker}]：{standing}，{age}{old}。")
    return ["\n" + "\n".join(notes)] if notes else []


def _warnings(citations: Sequence[Citation], as_of: dt.date) -> tuple[str, ...]:
    found = []
    if any(_is_old(c, as_of) for c in citations):
        found.append("source_older_than_a_year")
    if any(c.published is None and c.effective_from is None for c in citations):
        found.append("source_undated")
    if any(c.origin.authority == "third-party" for c in citations):
        found.append("third_party_source")
    return tuple(found)


def _is_old(citation: Citation, as_of: dt.date) -> bool:
    """Statutes hold until they are replaced; of other sources the date of publication counts."""
    return citation.kind != "statute" and citation.published is not None and as_of - citation.published > _OLD_AFTER


def _framed(lines: Sequence[str], frame: Frame) -> str:
    return "\n".join(lines) + f"\n\n{DISCLAIMER}\n{frame.ai_label}"


def _common(frame: Frame) -> dict:  # type: ignore[type-arg]
    return {
        "id": frame.id,
        "scope": frame.scope,
        "as_of": frame.as_of,
        "ai_label": frame.ai_label,
        "mode": frame.mode,
        "degraded": frame.degraded,
        "model": frame.model,
        "usage": frame.usage,
        "timings_ms": frame.timings,
    }
