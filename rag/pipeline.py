"""Story 2: a question becomes an outcome. Understand, triage, retrieve, judge the evidence, draft, verify, render.

Reads top-down; what each step does is the job of `retrieve` and `answer`.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractContextManager, aclosing

import msgspec

from rag.answer.clarifying import general, missing
from rag.answer.composing import ComposedClaim, Composer, compose, quoted, removed
from rag.answer.computing import computed
from rag.answer.conflicts import FoundConflict, conflict_units, find_conflicts
from rag.answer.drafting import Draft, Drafter, ModelProfile
from rag.answer.references import asks_of_unseen
from rag.answer.rendering import AnswerInMaking, Frame, new_id, render_abstention, render_triage
from rag.answer.triage import assess, in_domain
from rag.asking import Asked, understood
from rag.domain import (
    DISCLAIMER,
    AbstentionReason,
    Citation,
    Claim,
    Document,
    DraftClaim,
    Evidence,
    Outcome,
    Passage,
    Query,
    Scope,
    Timings,
    TriageReason,
    Turn,
    Value,
)
from rag.errors import ModelFailure
from rag.languages import simplified
from rag.ports import Clock
from rag.retrieve.asks import asked_last
from rag.retrieve.cues import answer_types
from rag.retrieve.dates import as_of_in
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
    """What was retrieved, and for which question: the user's own, put into Chinese and completed."""

    asked: str
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


# What a question resembles that a person should answer.
SecondLook = Callable[[str], TriageReason | None]
Event = Opened | PassagesFound | ClaimProven | Finished


class Pipeline:
    """Answers questions over the current snapshot. Without a drafter every answer is extractive."""

    def __init__(
        self,
        searcher: Callable[[], AbstractContextManager[Searcher]],
        drafter: Drafter | None,
        clock: Clock,
        ai_label: str,
        second_look: SecondLook | None = None,
    ) -> None:
        self._searcher, self._drafter, self._clock, self._ai_label = searcher, drafter, clock, ai_label
        self._second_look = second_look

    def query(
        self,
        question: str,
        *,
        conversation: tuple[Turn, ...] = (),
        scope: Scope | None = None,
        as_of: dt.date | None = None,
        today: dt.date | None = None,
    ) -> Query:
        """A query with everything that the caller left open filled in; the question may say which date it is about."""
        now = today or self._clock.today()
        return Query(question, as_of or as_of_in(simplified(question), now) or now, conversation, scope or Scope())

    async def answer(self, query: Query) -> Outcome:
        """The outcome alone."""
        async for event in self.events(query):
            if isinstance(event, Finished):
                return event.outcome
        raise AssertionError("a pipeline always finishes")

    async def events(self, query: Query) -> AsyncGenerator[Event]:
        """The answer as it comes about. Closing the generator cancels the model call."""
        asked = await asyncio.to_thread(understood, query)
        run = _Run(self._frame(asked, query))
        yield Opened(run.frame.id, DISCLAIMER, self._ai_label)
        if reason := await self._sent_away(asked):
            yield Finished(render_triage(reason, run.finished_frame()))
            return
        with self._searcher() as searcher:
            found = _Found(
                *await asyncio.to_thread(searcher.evidence, asked.searched, asked.places, query.as_of, LOOKED_AT)
            )
            run.watch.lap("retrieve")
            yield PassagesFound(asked.question, found.passages[:SHOWN])
            answer = AnswerInMaking(searcher.catalogue)
            async with aclosing(self._claims(asked, found, run)) as claims:
                async for claim in claims:
                    run.composed.append(claim)
                    yield ClaimProven(*answer.add(claim))
            outcome = _outcome(asked, found, answer, run)
        yield Finished(outcome, len(run.sentences), removed(run.sentences, run.composed))

    def _frame(self, asked: Asked, query: Query) -> Frame:
        return Frame(
            id=new_id(),
            scope=asked.scope,
            as_of=query.as_of,
            ai_label=self._ai_label,
            mode="extractive",
            model=EXTRACTIVE,
            language=asked.language,
            asked=asked.question,
        )

    async def _sent_away(self, asked: Asked) -> TriageReason | None:
        """Danger is read in the user's own words; what they go on about, in the whole: 那怎么办, not the bill."""
        danger = assess(asked.said)
        if danger in {"emergency", "self_harm"}:
            return danger
        if self._second_look and (reason := await asyncio.to_thread(self._second_look, asked.said)):
            return reason
        whole = assess(asked.question)
        return None if whole in {"emergency", "self_harm"} and in_domain(asked.said) else whole

    async def _claims(self, asked: Asked, found: _Found, run: _Run) -> AsyncGenerator[ComposedClaim]:
        """The claims as they are proven: the general rule where something has to be asked back, else the answer's.

        The other side of a conflict is quoted behind them, whoever wrote the answer; a sum asked for is done by code.
        """
        if missing_fields := _to_ask_back(asked, found):
            run.missing = missing_fields
            for claim in quoted(general(found.evidence.near, found.documents)):
                yield claim
            return
        async with aclosing(self._answering(asked, found, run)) as claims:
            async for claim in claims:
                yield claim
        if run.composed:
            cited = {unit.id for claim in run.composed for unit in claim.units}
            for claim in quoted([unit for unit in conflict_units(run.conflicts) if unit.id not in cited]):
                yield claim
            if not run.conflicts and (sum_of_it := computed(_with_place(asked), found.evidence.pool)):
                yield sum_of_it

    async def _answering(self, asked: Asked, found: _Found, run: _Run) -> AsyncGenerator[ComposedClaim]:
        """The model's proven words or the sources' own; nothing where the evidence does not suffice."""
        drafter, evidence = self._drafter, found.evidence
        worth_asking = drafter is not None and drafter.profile.chooses and evidence.sufficiency >= _HOPELESS
        run.text_unseen = asks_of_unseen(asked_last(asked.question), evidence.pool, found.documents)
        if run.text_unseen or not evidence.units or not (evidence.sufficient or worth_asking):
            run.reason = "weak_evidence" if evidence.units and not run.text_unseen else "no_evidence"
            return
        run.conflicts = find_conflicts(asked.question, evidence.pool, found.documents, len(evidence.units))
        if drafter is None:
            for claim in quoted(evidence.units):
                yield claim
            return
        async with aclosing(self._drafted(drafter, asked.searched, found, run)) as claims:
            async for claim in claims:
                yield claim

    async def _drafted(
        self, drafter: Drafter, question: str, found: _Found, run: _Run
    ) -> AsyncGenerator[ComposedClaim]:
        """What the model wrote and was proven; what it did not get to, or got wrong, in the sources' own words."""
        evidence, chooses = found.evidence, drafter.profile.chooses
        units = evidence.pool if chooses else evidence.units
        draft = drafter.draft(question, units, found.documents, run.conflicts)
        composer = compose(question, evidence, draft.units, chooses=chooses)
        try:
            async with aclosing(_sentences(draft, composer, drafter.profile)) as sentences:
                async for sentence in sentences:
                    run.watch.lap("generate")
                    run.sentences.append(sentence)
                    for claim in composer.take(sentence):
                        yield claim
                    run.watch.lap("verify")
        except ModelFailure as failure:
            run.frame = msgspec.structs.replace(run.frame, degraded=failure.degraded)
        run.watch.lap("generate")
        if run.sentences:
            run.reason = "unverified"
        for claim in composer.rest(broken=run.frame.degraded is not None):
            yield claim
        if run.frame.degraded is None or any(claim.mode == "generated" for claim in run.composed):
            run.frame = msgspec.structs.replace(run.frame, mode="llm", model=drafter.model_name, usage=draft.usage)
        run.watch.lap("verify")


def _to_ask_back(asked: Asked, found: _Found) -> tuple[str, ...]:
    """What decides the answer and was not said; asked for once in a conversation, and only where a figure is wanted."""
    if asked.places or asked.asked_back or not found.evidence.sufficient or not answer_types(asked.question):
        return ()
    return missing(found.evidence.near, found.documents)


def _with_place(asked: Asked) -> str:
    """The question with the place that governs it: a city's figure is for those insured there."""
    named = asked.scope.insured_place
    return f"{named}，{asked.searched}" if named and named not in asked.searched else asked.searched


def _outcome(asked: Asked, found: _Found, answer: AnswerInMaking, run: _Run) -> Outcome:
    frame = run.finished_frame()
    if run.missing:
        return answer.ask_back(run.missing, frame)
    if answer.claims:
        return answer.finish(frame, run.conflicts)
    reason: AbstentionReason = run.reason if in_domain(asked.question) else "out_of_domain"
    nearest = found.passages[0].document if found.passages else None
    return render_abstention(reason, nearest, frame, text_unseen=run.text_unseen)


async def _sentences(draft: Draft, composer: Composer, profile: ModelProfile) -> AsyncGenerator[DraftClaim]:
    """What the model writes, and once more what it makes of sentences that were refused.

    Raises:
        ModelFailure: the draft did not come, or broke off. A failed second try is none: the sources' words stand in.
    """
    async with aclosing(draft.claims()) as claims:
        async for claim in claims:
            yield claim
    if profile.mends and composer.failed:
        with contextlib.suppress(ModelFailure):
            async with aclosing(draft.mended(composer.failed)) as mended:
                async for claim in mended:
                    yield claim


class _Found(Value):
    """What retrieval gave."""

    passages: tuple[Passage, ...]
    evidence: Evidence

    @property
    def documents(self) -> Mapping[str, Document]:
        """The documents of the passages, by id."""
        return {passage.document.id: passage.document for passage in self.passages}


class _Run:
    """One question on its way: what becomes known of it bit by bit."""

    def __init__(self, frame: Frame) -> None:
        self.frame, self.watch = frame, _Watch()
        self.reason: AbstentionReason = "weak_evidence"
        self.sentences: list[DraftClaim] = []
        self.composed: list[ComposedClaim] = []
        self.conflicts: list[FoundConflict] = []
        self.missing: tuple[str, ...] = ()
        self.text_unseen = False

    def finished_frame(self) -> Frame:
        """The frame with the times."""
        return msgspec.structs.replace(self.frame, timings=self.watch.timings())


class _Watch:
    """Milliseconds by stage."""

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self._laps[stage] = round(self._laps.get(stage, 0.0) + (now - self._last) * 1000, 1)
        self._last = now

    def timings(self) -> Timings:
        return Timings(**self._laps, total=round((time.perf_counter() - self._start) * 1000, 1))
