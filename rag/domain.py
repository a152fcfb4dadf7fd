"""The nouns of the service: frozen values and nothing that acts on them.

Knows the shapes that cross a boundary (index rows, wire format). How a text is cut, found,
phrased or proven is the job of `ingest`, `retrieve` and `answer`.

All offsets are character offsets into a document's canonical text: `canonical[start:end]`.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal, dataclass_transform

import msgspec

DISCLAIMER = "提示：本内容不能代替面诊，如有不适请尽快就医。"

Authority = Literal["official", "third-party"]
DocumentKind = Literal["article", "excerpt", "statute"]
UnitKind = Literal["sentence", "item", "list", "row"]


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class _ValueMeta(msgspec.StructMeta):
    """Tells type checkers that every `Value` is frozen."""


class Value(msgspec.Struct, frozen=True, metaclass=_ValueMeta):
    """Base of every noun: immutable."""


class Span(msgspec.Struct, frozen=True, order=True):
    """A half-open range of characters in a canonical text."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    def contains(self, other: Span) -> bool:
        """Whether `other` lies wholly inside this span."""
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: Span) -> bool:
        """Whether the two share at least one character."""
        return self.start < other.end and other.start < self.end


class Origin(Value):
    """Who published a document, and with what standing."""

    publisher: str | None = None
    url: str | None = None
    authority: Authority = "third-party"


class Section(Value):
    """A titled stretch of a document; `title_path` runs from the document's title downwards."""

    title_path: tuple[str, ...]
    start: int
    end: int

    @property
    def title(self) -> str:
        """The section's own heading."""
        return self.title_path[-1]


class Reprint(Value):
    """Another place where the same text was published."""

    source: str
    publisher: str | None = None
    url: str | None = None
    published: dt.date | None = None


class Document(Value):
    """One article, excerpt or statute. Several may share one canonical text (a page and its teasers)."""

    id: str
    title: str
    source: str
    path: str
    origin: Origin
    kind: DocumentKind
    extent: Span
    published: dt.date | None = None
    retrieved: dt.date | None = None
    effective_from: dt.date | None = None
    effective_to: dt.date | None = None
    superseded_by: str | None = None
    places: tuple[str, ...] = ()
    insured_types: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    also_at: tuple[Reprint, ...] = ()


class EvidenceUnit(Value):
    """The smallest thing that is ever cited: a sentence, a list with its lead-in, a row with its header.

    `lead` holds the spans that the unit cannot be read without (lead-in, table header);
    `parent` is the id of the list that this unit is an item of, or of the item that it is a sentence of.
    """

    id: str
    document_id: str
    chunk_id: str
    kind: UnitKind
    span: Span
    lead: tuple[Span, ...] = ()
    parent: str | None = None
    title_path: tuple[str, ...] = ()
    text: str = ""

    @property
    def spans(self) -> tuple[Span, ...]:
        """Lead-in first, in reading order: what a citation of this unit shows."""
        return (*self.lead, self.span)


class Chunk(Value):
    """What is stored and found: one section, or a part of a long one."""

    id: str
    document_id: str
    title_path: tuple[str, ...]
    span: Span
    text: str
    units: tuple[str, ...] = ()

    @property
    def searched(self) -> str:
        """What is embedded and searched: the title path above the text."""
        return "：".join(self.title_path) + "\n" + self.text


class Passage(Value):
    """A chunk as retrieved, with its document and its fused score (comparable within one query only)."""

    chunk: Chunk
    document: Document
    score: float


class Scope(Value):
    """Whose rule is asked for. A field is null when neither the question nor the caller says."""

    insured_place: str | None = None
    care_place: str | None = None
    insured_type: Literal["职工", "居民"] | None = None
    person: Literal["在职", "退休", "灵活就业", "学生", "新生儿"] | None = None
    care_type: Literal["门诊", "住院", "急诊", "慢特病", "生育", "购药"] | None = None


class Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One message of the conversation so far."""

    role: Literal["user", "assistant"]
    content: str


class Query(Value):
    """A question with all that bears on it. `as_of` is the date that the answer is for."""

    question: str
    as_of: dt.date
    conversation: tuple[Turn, ...] = ()
    scope: Scope = Scope()


class Evidence(Value):
    """Units chosen for a question, best first, and whether they suffice to answer it.

    `pool` goes on below the chosen ones, in rank order, for a model that may choose for itself.
    `details` names for the id of a chosen list or paragraph the one part of it that answers best, where the question
    asks for one thing.
    `near` are the units that would be chosen if several things were asked: among them stand the rules of other places.
    `behind` says for the id of each passage how far its best unit scores below the best of all; 0 for that one's own.
    `sufficiency` is a calibrated probability in [0, 1] that the index holds the answer.
    """

    units: tuple[EvidenceUnit, ...]
    pool: tuple[EvidenceUnit, ...]
    sufficiency: float
    sufficient: bool
    details: dict[str, EvidenceUnit] = {}
    asks_one_thing: bool = False
    near: tuple[EvidenceUnit, ...] = ()
    behind: dict[str, float] = {}


class DraftClaim(Value):
    """A sentence that the model wrote, with the 1-based numbers of the units it names. Unchecked."""

    text: str
    evidence: tuple[int, ...]


class Usage(Value):
    """Tokens of one answer, summed over its model calls."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


class Timings(Value):
    """Milliseconds by stage."""

    retrieve: float = 0.0
    generate: float = 0.0
    verify: float = 0.0
    total: float = 0.0


ClaimMode = Literal["generated", "quoted", "computed"]


class Claim(Value):
    """A sentence of the answer, proven against the citations whose markers it carries."""

    text: str
    citations: tuple[int, ...]
    mode: ClaimMode


class QuotedSpan(Value):
    """A span with its characters, cut from the canonical text by code."""

    start: int
    end: int
    quote: str


class Citation(Value):
    """One numbered source of an answer. `quote` is the spans joined by a line break."""

    marker: int
    document_id: str
    document_title: str
    section: str
    source: str
    origin: Origin
    kind: DocumentKind
    published: dt.date | None
    effective_from: dt.date | None
    effective_to: dt.date | None
    places: tuple[str, ...]
    quote: str
    spans: tuple[QuotedSpan, ...]


class ConflictSide(Value):
    """One of the values that sources give for a slot."""

    value: str
    citation: int


class Conflict(Value):
    """Sources that differ on one slot, shown side by side."""

    slot: str
    relation: Literal["disagree", "general-special"]
    sides: tuple[ConflictSide, ...]


AbstentionReason = Literal["no_evidence", "weak_evidence", "unverified", "out_of_domain"]
TriageReason = Literal["emergency", "self_harm", "medical_advice"]
Degradation = Literal["model_down", "deadline", "invalid_output", "queue_full"]
Mode = Literal["llm", "extractive"]


class _Outcome(Value, tag_field="kind", kw_only=True):
    """What every outcome carries, whatever its kind."""

    id: str
    text: str
    claims: tuple[Claim, ...] = ()
    citations: tuple[Citation, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    warnings: tuple[str, ...] = ()
    scope: Scope = Scope()
    as_of: dt.date
    disclaimer: str = DISCLAIMER
    ai_label: str
    mode: Mode
    degraded: Degradation | None = None
    model: str
    usage: Usage = Usage()
    timings_ms: Timings = Timings()


class Answer(_Outcome, tag="answer", kw_only=True):
    """Claims, each proven against what it cites."""

    reason: None = None


class Abstention(_Outcome, tag="abstention", kw_only=True):
    """No answer, why not, what is nearest and where to ask."""

    reason: AbstentionReason


class Triage(_Outcome, tag="triage", kw_only=True):
    """Not a question for a text service: sent to a person or to 120."""

    reason: TriageReason


class Clarification(_Outcome, tag="clarification", kw_only=True):
    """What decides the answer was not said, and is asked for."""

    reason: Literal["missing_scope"] = "missing_scope"


Outcome = Answer | Abstention | Triage | Clarification
