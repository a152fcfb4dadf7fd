"""Story 2: a question becomes an outcome. Scope, retrieve, judge the evidence, draft, verify, render.

Reads top-down; what each step does is the job of `retrieve` and `answer`.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager

import msgspec

from rag.answer.composing import ComposedClaim, phrased, quoted, removed, selected
from rag.answer.drafting import Drafted, Drafter
from rag.answer.rendering import Frame, new_id, render_abstention, render_answer
from rag.domain import (
    DISCLAIMER,
    AbstentionReason,
    Citation,
    Claim,
    Evidence,
    Outcome,
    Passage,
    Query,
    Scope,
    Timings,
    Turn,
    Usage,
    Value,
)
from rag.errors import ModelFailure
from rag.ports import Clock
from rag.retrieve.scope import read_scope, scope_places, scoped_question
from rag.searching import LOOKED_AT, Searcher

EXTRACTIVE = "extractive"
# How many of the passages looked at are shown.
SHOWN = 12
# Below this sufficiency even a model that may choose for itself is not asked.
_HOPELESS = 0.05


class Opened(Value):
    """First event of an answer, before any content: what every outcome will carry."""

    id: str
    disclaimer: str
    ai_label: str


class PassagesFound(Value):
    """What was retrieved."""

    passages: tuple[Passage, ...]


class ClaimProven(Value):
    """One claim of the answer, already verified, with its citations."""

    claim: Claim
    citations: tuple[Citation, ...]


class Finished(Value):
    """The whole outcome; the last event. `drafted` sentences came from the model, `removed` of them were not shown."""

    outcome: Outcome
    drafted: int = 0
    removed: int = 0


class _Composition(Value):
    """The claims, or the reason why there are none, and how many sentences the model wrote and lost."""

    claims: tuple[ComposedClaim, ...] = ()
    reason: AbstentionReason = "weak_evidence"
    drafted: int = 0
    removed: int = 0


Event = Opened | PassagesFound | ClaimProven | Finished


class Pipeline:
    """Answers questions over the current snapshot. Without a drafter every answer is extractive."""

    def __init__(
        self,
        searcher: Callable[[], AbstractContextManager[Searcher]],
        drafter: Drafter | None,
        clock: Clock,
        ai_label: str,
    ) -> None:
        self._searcher, self._drafter, self._clock, self._ai_label = searcher, drafter, clock, ai_label

    def query(
        self,
        question: str,
        *,
        conversation: tuple[Turn, ...] = (),
        scope: Scope | None = None,
        as_of: dt.date | None = None,
    ) -> Query:
        """A query with everything that the caller left open filled in."""
        return Query(question, as_of or self._clock.today(), conversation, scope or Scope())

    async def answer(self, query: Query) -> Outcome:
        """The outcome alone."""
        async for event in self.events(query):
            if isinstance(event, Finished):
                return event.outcome
        raise AssertionError("a pipeline always finishes")

    async def events(self, query: Query) -> AsyncIterator[Event]:
        """The answer as it comes about. Cancelling the iteration cancels the model call."""
        watch = _Watch()
        frame = Frame(
            new_id(), read_scope(query.question, query.scope), query.as_of, self._ai_label, "extractive", EXTRACTIVE
        )
        yield Opened(frame.id, DISCLAIMER, self._ai_label)
        with self._searcher() as searcher:
            places = scope_places(query.question, frame.scope)
            asked = scoped_question(query.question, query.scope)
            passages, evidence = await asyncio.to_thread(searcher.evidence, asked, places, query.as_of, LOOKED_AT)
            watch.lap("retrieve")
            yield PassagesFound(passages[:SHOWN])
            composed, frame = await self._composed(asked, evidence, frame, watch)
            frame = msgspec.structs.replace(frame, timings=watch.timings())
            if not composed.claims:
                nearest = passages[0].document if passages else None
                declined = render_abstention(composed.reason, nearest, frame)
                yield Finished(declined, composed.drafted, composed.removed)
                return
            outcome = render_answer(composed.claims, searcher.catalogue, frame)
        for claim in outcome.claims:
            yield ClaimProven(claim, tuple(c for c in outcome.citations if c.marker in claim.citations))
        yield Finished(outcome, composed.drafted, composed.removed)

    async def _composed(
        self, question: str, evidence: Evidence, frame: Frame, watch: _Watch
    ) -> tuple[_Composition, Frame]:
        """The claims, or the reason why there are none; and the frame with what the model did."""
        enough = evidence.sufficient
        chooses = self._drafter is not None and self._drafter.profile.chooses
        if not evidence.units or not (enough or (chooses and evidence.sufficiency >= _HOPELESS)):
            return _Composition(reason="weak_evidence" if evidence.units else "no_evidence"), frame
        if self._drafter is None:
            return _Composition(tuple(quoted(evidence.units))), frame
        try:
            drafted = await self._drafter.draft(question, evidence.pool if chooses else evidence.units)
        except ModelFailure as failure:
            watch.lap("generate")
            frame = msgspec.structs.replace(frame, degraded=failure.degraded)
            return _Composition(tuple(quoted(evidence.units) if enough else ())), frame
        watch.lap("generate")
        frame = msgspec.structs.replace(
            frame, mode="llm", model=self._drafter.model_name, usage=_sum(frame.usage, drafted.usage)
        )
        claims = tuple(self._proven(question, evidence, drafted))
        watch.lap("verify")
        return _Composition(claims, drafted=len(drafted.draft.claims), removed=removed(drafted, claims)), frame

    def _proven(self, question: str, evidence: Evidence, drafted: Drafted) -> list[ComposedClaim]:
        if self._drafter is not None and self._drafter.profile.chooses:
            return selected(drafted)
        return phrased(question, evidence, drafted)


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(one.prompt_tokens + other.prompt_tokens, one.completion_tokens + other.completion_tokens)


class _Watch:
    """Milliseconds by stage."""

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self._laps[stage] = round((now - self._last) * 1000, 1)
        self._last = now

    def timings(self) -> Timings:
        return Timings(**self._laps, total=round((time.perf_counter() - self._start) * 1000, 1))
