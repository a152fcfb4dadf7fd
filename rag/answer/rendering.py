"""Proven claims to an Outcome: citations cut from the canonical text, markers, disclaimer, label.

Knows how an outcome reads. The model never writes a quote, a marker, a disclaimer or a contact.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence

from rag.answer.composing import ComposedClaim
from rag.answer.conflicts import FoundConflict
from rag.answer.contacts import hotline, triage_text
from rag.answer.frames import Phrases, phrases
from rag.answer.references import unseen_reference
from rag.answer.verifying.slots import slots
from rag.domain import (
    DISCLAIMER,
    Abstention,
    AbstentionReason,
    Answer,
    Citation,
    Claim,
    Clarification,
    Conflict,
    ConflictSide,
    Degradation,
    Document,
    EvidenceUnit,
    Mode,
    QuotedSpan,
    Scope,
    Span,
    Timings,
    Triage,
    TriageReason,
    Usage,
    Value,
)
from rag.instructions import for_machines
from rag.languages import Language
from rag.ports import Catalogue

_FINAL = "。！？；!?;."
_OLD_AFTER = dt.timedelta(days=365)


class Frame(Value):
    """What every outcome of one request carries, and the question that was `asked`."""

    id: str
    scope: Scope
    as_of: dt.date
    ai_label: str
    mode: Mode
    model: str
    language: Language = "zh"
    degraded: Degradation | None = None
    usage: Usage = Usage()
    timings: Timings = Timings()
    asked: str = ""

    @property
    def phrases(self) -> Phrases:
        """The sentences around claims, in the language of the question."""
        return phrases(self.language)


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

    def finish(self, frame: Frame, conflicts: Sequence[FoundConflict] = ()) -> Answer:
        """The whole answer; of each conflict all sides are cited by now."""
        citations = tuple(self._citation(marker) for marker in range(1, len(self._units) + 1))
        shown = tuple(self._conflict(conflict) for conflict in conflicts)
        lines = [_marked(claim) for claim in self.claims]
        told = [_conflict_line(conflict, citations, frame.phrases) for conflict in shown]
        return Answer(
            text=_framed([*lines, *told, *_notes(citations, frame)], frame),
            claims=tuple(self.claims),
            citations=citations,
            conflicts=shown,
            warnings=_warnings(citations, frame),
            **_common(frame),
        )

    def ask_back(self, fields: Sequence[str], frame: Frame) -> Clarification:
        """What is missing, and the claims so far as the general rule."""
        words = frame.phrases
        citations = tuple(self._citation(marker) for marker in range(1, len(self._units) + 1))
        lines = [
            words.missing_scope.format(
                fields=words.between_fields.join(words.fields.get(field, field) for field in fields)
            )
        ]
        if self.claims:
            lines += [words.general_rule, *(_marked(claim) for claim in self.claims), *_notes(citations, frame)]
        return Clarification(
            text=_framed(lines, frame),
            claims=tuple(self.claims),
            citations=citations,
            warnings=_warnings(citations, frame),
            **_common(frame),
        )

    def _conflict(self, found: FoundConflict) -> Conflict:
        order = list(self._units)
        sides = tuple(ConflictSide(value, order.index(unit.chunk_id) + 1) for value, unit in found.sides)
        return Conflict(found.slot, found.relation, sides)

    def _citation(self, marker: int) -> Citation:
        return cite(marker, list(self._units.values())[marker - 1], self._catalogue)


def render_abstention(
    reason: AbstentionReason, nearest: Document | None, frame: Frame, *, text_unseen: bool = False
) -> Abstention:
    """No answer: why, what is nearest, where to ask.

    With `text_unseen` it was asked what a text says that is not here.
    """
    words = frame.phrases
    lines = [words.text_unseen if text_unseen else words.declined[reason]]
    # a figure in a title would stand there without proof, an instruction without its quotation marks
    if nearest is not None and not slots(nearest.title) and not for_machines(nearest.title):
        lines.append(words.nearest.format(title=nearest.title))
    place = frame.scope.insured_place
    office = words.office_of_place.format(place=place) if place else words.office_of_insured_place
    lines.append(words.where_to_ask.format(name=words.hotline, number=hotline(), office=office))
    return Abstention(text=_framed([words.joint.join(lines)], frame), reason=reason, **_common(frame))


def render_triage(reason: TriageReason, frame: Frame) -> Triage:
    """Not for a text service: whom to turn to, at once."""
    text = triage_text(reason, english=frame.language == "en")
    return Triage(text=_framed([text], frame), reason=reason, **_common(frame))


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


def _conflict_line(conflict: Conflict, citations: Sequence[Citation], words: Phrases) -> str:
    """Every side with where it stands, of what standing that is, and of when."""
    sides = []
    for side in conflict.sides:
        source = citations[side.citation - 1]
        standing = words.third_party_side if source.origin.authority == "third-party" else words.official_side
        date = source.published.isoformat() if source.published else words.undated_side
        sides.append(words.side.format(value=side.value, marker=side.citation, standing=standing, date=date))
    shape = words.disagree if conflict.relation == "disagree" else words.general_special
    return shape.format(slot=conflict.slot, sides=words.between_sides.join(sides))


def _notes(citations: Sequence[Citation], frame: Frame) -> list[str]:
    """What no source could tell, and how old the sources are, from their metadata alone."""
    words, notes = frame.phrases, []
    if unseen_reference(frame.asked, citations):
        notes.append(words.unseen_reference)
    for citation in citations:
        standing = words.third_party if citation.origin.authority == "third-party" else words.official
        age = words.published.format(date=citation.published.isoformat()) if citation.published else words.undated
        old = words.older_than_a_year if _is_old(citation, frame.as_of) else ""
        notes.append(words.source.format(marker=citation.marker, standing=standing, age=age, old=old))
    return ["\n" + "\n".join(notes)] if notes else []


def _warnings(citations: Sequence[Citation], frame: Frame) -> tuple[str, ...]:
    found = ["unseen_reference"] if unseen_reference(frame.asked, citations) else []
    if any(_is_old(c, frame.as_of) for c in citations):
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
    """Every text ends with the Chinese note and label; those in the question's own language stand before them."""
    words = frame.phrases
    foreign = (*words.disclaimers[1:], words.ai_label) if frame.language == "en" else ()
    own = [line for line in foreign if line != frame.ai_label]
    return "\n".join(lines) + "\n\n" + "\n".join((*own, DISCLAIMER, frame.ai_label))


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
