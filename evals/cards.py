"""An example as a reader sees it: what was asked, what came out, on which words it stands, and what is wrong with it.

Knows a sample and its verdicts. How a card looks is the job of the template, what a verdict means that of `metrics`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from evals.dataset import forbidden_in, holds_fact
from evals.domain import Metric, Sample, SampleScores, Scored, Unscored
from rag.domain import Citation, Claim, Conflict, Document, Span, Turn, Usage, Value
from rag.web.passages import PassageRow

# What makes an example a failure, whatever else it scores: the value that a right one has, and what another one means.
_RIGHT: Mapping[str, tuple[float, str]] = {
    "kind": (1.0, "an outcome of another kind than expected"),
    "all_facts": (1.0, "key facts are missing"),
    "no_forbidden": (1.0, "a forbidden fact is claimed"),
    "wrong_amounts": (0.0, "an amount is not in what its claim cites"),
    "phantom_citations": (0.0, "a citation of nothing"),
    "verbatim": (1.0, "a quote is not what stands in the document"),
    "disclaimer": (1.0, "disclaimer or label is missing"),
}
_ROOM = 60
_HEAD = 80
_RED = "red-"


class Piece(Value):
    """Words of a passage, and whether an answer cites them and the gold example needs them."""

    words: str
    cited: bool = False
    gold: bool = False


class PassageView(Value):
    """A passage trimmed to what is marked in it. `rank` is None for one that was cited but not retrieved."""

    rank: int | None
    title: str
    about: str
    origin: str
    markers: tuple[int, ...]
    gold: bool
    pieces: tuple[Piece, ...]
    note: str = ""


class FactView(Value):
    """A key fact with its other wordings, and whether the claims hold it."""

    words: str
    others: tuple[str, ...]
    held: bool


class VerdictView(Value):
    """A scored metric as text; `tone` is good, bad or plain."""

    name: str
    value: str
    tone: str


class Card(Value):
    """One example with all that a reader needs to judge it."""

    id: str
    question: str
    conversation: tuple[Turn, ...]
    category: str
    split: str
    why: str
    expected: str
    got: str
    error: str | None
    failures: tuple[str, ...]
    fault: str | None
    text: str
    claims: tuple[Claim, ...]
    conflicts: tuple[Conflict, ...]
    facts: tuple[FactView, ...]
    forbidden: tuple[str, ...]
    passages: tuple[PassageView, ...]
    missing: tuple[PassageView, ...]
    verdicts: tuple[VerdictView, ...]
    unscored: Mapping[str, tuple[str, ...]]
    degraded: str | None
    usage: Usage
    milliseconds: float | None

    @property
    def red(self) -> bool:
        """Whether it is an attack of the red team."""
        return self.id.startswith(_RED)


def failures(scores: SampleScores, error: str | None) -> tuple[str, ...]:
    """Why the example is a failure; nothing when it is none."""
    if error is not None:
        return (f"error: {error}",)
    return tuple(meaning for name, (_, meaning) in _RIGHT.items() if _wrong(name, scores))


def card(sample: Sample, scores: SampleScores, metrics: Sequence[Metric]) -> Card:
    """The card of one example."""
    example, outcome, error = sample.example, sample.outcome, sample.observation.error
    return Card(
        id=example.id,
        question=example.question,
        conversation=example.conversation,
        category=example.category,
        split=example.split,
        why=example.why,
        expected=_named(example.kind, example.reason),
        got=_named(type(outcome).__name__.lower(), outcome.reason) if outcome else "error",
        error=error,
        failures=failures(scores, error),
        fault=scores.fault,
        text=outcome.text if outcome else "",
        claims=sample.claims,
        conflicts=outcome.conflicts if outcome else (),
        facts=tuple(_fact(alternatives, sample.claimed) for alternatives in example.facts),
        forbidden=tuple(forbidden_in(sample.claimed, example.forbidden)),
        passages=(*_retrieved(sample), *_not_retrieved(sample)),
        missing=tuple(_missing(sample)),
        verdicts=tuple(_verdicts(scores, metrics)),
        unscored=_unscored(scores),
        degraded=outcome.degraded if outcome else None,
        usage=outcome.usage if outcome else Usage(),
        milliseconds=outcome.timings_ms.total if outcome else None,
    )


def number(value: float) -> str:
    """A mean as people read it: from three digits on, decimals are noise."""
    return f"{value:.3f}" if abs(value) < 100 else f"{value:,.0f}"  # noqa: PLR2004


def head(words: str, most: int) -> str:
    """The first words, and a sign that there are more."""
    return words if len(words) <= most else words[:most] + "…"


def _named(kind: str, reason: str | None) -> str:
    return f"{kind}: {reason}" if reason else kind


def _wrong(name: str, scores: SampleScores) -> bool:
    verdict = scores.verdicts.get(name)
    return isinstance(verdict, Scored) and name in _RIGHT and verdict.value != _RIGHT[name][0]


def _fact(alternatives: Sequence[str], claimed: str) -> FactView:
    return FactView(alternatives[0], tuple(alternatives[1:]), holds_fact(claimed, alternatives))


def _verdicts(scores: SampleScores, metrics: Sequence[Metric]) -> Iterable[VerdictView]:
    for metric in metrics:
        verdict = scores.verdicts.get(metric.name)
        if isinstance(verdict, Scored):
            value = number(verdict.value)
            shown = value.rstrip("0").rstrip(".") if "." in value else value
            yield VerdictView(metric.name, shown, _tone(metric, scores, verdict.value))


def _tone(metric: Metric, scores: SampleScores, value: float) -> str:
    """Counts and milliseconds have no good or bad of their own: only shares and what fails an example do."""
    if metric.name in _RIGHT:
        return "bad" if _wrong(metric.name, scores) else "good"
    share = metric.kind == "flag" or metric.better == "high"
    if not share or metric.better == "neither" or 0 < value < 1:
        return "plain"
    return "good" if (value >= 1) == (metric.better == "high") else "bad"


def _unscored(scores: SampleScores) -> dict[str, tuple[str, ...]]:
    """Names by reason: most metrics that say nothing of an example do so for the same few reasons."""
    found: dict[str, tuple[str, ...]] = {}
    for name, verdict in scores.verdicts.items():
        if isinstance(verdict, Unscored):
            found[verdict.reason] = (*found.get(verdict.reason, ()), name)
    return found


def _retrieved(sample: Sample) -> Iterable[PassageView]:
    for row in sample.observation.retrieved:
        span, citations = Span(row.start, row.end), _citations_in(sample, row)
        cited = [Span(s.start, s.end) for c in citations for s in c.spans]
        gold = [target for path, target in sample.gold.needed if path == _path(sample, row.document_id)]
        about = " · ".join(
            [row.section.rsplit(" / ", 1)[-1], *row.places, row.published.isoformat() if row.published else "undated"]
        )
        yield PassageView(
            rank=row.rank,
            title=row.document_id,
            about=about,
            origin=_origin(sample.library.documents.get(row.document_id)),
            markers=tuple(c.marker for c in citations),
            gold=any(span.overlaps(target) for target in gold),
            pieces=_trimmed(_pieces(row.text, row.start, cited, gold)),
        )


def _not_retrieved(sample: Sample) -> Iterable[PassageView]:
    """Citations of what is in no retrieved passage: a phantom, or a sign that a passage was looked up elsewhere."""
    shown = {c.marker for row in sample.observation.retrieved for c in _citations_in(sample, row)}
    for citation in sample.outcome.citations if sample.outcome else ():
        if citation.marker not in shown:
            yield PassageView(
                rank=None,
                title=citation.document_id,
                about=citation.section,
                origin=_origin(sample.library.documents.get(citation.document_id)),
                markers=(citation.marker,),
                gold=False,
                pieces=(Piece(citation.quote, cited=True),),
                note=_note(citation, sample),
            )


def _note(citation: Citation, sample: Sample) -> str:
    if citation.document_id not in sample.library.documents:
        return "no such document"
    stands = all(sample.library.quote(citation.document_id, s.start, s.end) == s.quote for s in citation.spans)
    return "cited, not retrieved" if stands else "the quote is not what stands there"


def _missing(sample: Sample) -> Iterable[PassageView]:
    """Gold evidence that no retrieved passage touches."""
    seen = [(_path(sample, row.document_id), Span(row.start, row.end)) for row in sample.observation.retrieved]
    for path, target in sample.gold.needed:
        if not any(path == other and span.overlaps(target) for other, span in seen):
            quote = sample.library.text(path)[target.start : target.end]
            name = path.rsplit("/", 1)[-1]
            yield PassageView(None, name, "", "", (), gold=True, pieces=(Piece(head(quote, 2 * _HEAD), gold=True),))


def _citations_in(sample: Sample, row: PassageRow) -> list[Citation]:
    """The citations with a span in a passage."""
    span = Span(row.start, row.end)
    return [
        citation
        for citation in (sample.outcome.citations if sample.outcome else ())
        if citation.document_id == row.document_id and any(span.overlaps(Span(s.start, s.end)) for s in citation.spans)
    ]


def _path(sample: Sample, document_id: str) -> str | None:
    document = sample.library.documents.get(document_id)
    return document.path if document else None


def _origin(document: Document | None) -> str:
    return document.origin.url or "" if document else ""


def _pieces(text: str, offset: int, cited: Sequence[Span], gold: Sequence[Span]) -> list[Piece]:
    """The text cut wherever a span begins or ends."""
    edges = {edge - offset for span in (*cited, *gold) for edge in (span.start, span.end)}
    cuts = sorted({0, len(text), *(edge for edge in edges if 0 < edge < len(text))})
    return [
        Piece(text[a:b], cited=_within(a, b, offset, cited), gold=_within(a, b, offset, gold))
        for a, b in pairwise(cuts)
    ]


def _within(start: int, end: int, offset: int, spans: Sequence[Span]) -> bool:
    return any(span.contains(Span(start + offset, end + offset)) for span in spans)


def _trimmed(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """What is marked, whole, with some room around it; the head of a passage with no mark."""
    if not any(p.cited or p.gold for p in pieces):
        return (Piece(head("".join(p.words for p in pieces), _HEAD)),)
    last = len(pieces) - 1
    return tuple(
        p if p.cited or p.gold else Piece(_shortened(p.words, first=n == 0, last=n == last))
        for n, p in enumerate(pieces)
    )


def _shortened(words: str, *, first: bool, last: bool) -> str:
    if len(words) <= 2 * _ROOM:
        return words
    before = "" if first else words[:_ROOM]
    after = "" if last else words[-_ROOM:]
    return f"{before} … {after}".strip(" ")
