"""Evidence and question to a draft: the model's sentences as they come, broken output repaired once.

Knows the prompts' inputs, the schema and what a model of a given strength is asked to do. What it is shown is the job
of `context`, whether a drafted claim stands that of `verifying` and `composing`.

`jiter` (of pydantic, and what the openai client reads JSON with) parses JSON that is not finished yet.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import jiter
import msgspec

from rag.answer.conflicts import FoundConflict
from rag.answer.context import Context, assembled, listed, one_line
from rag.answer.verifying.problems import Problem
from rag.domain import Document, DraftClaim, EvidenceUnit, Usage, Value
from rag.errors import ModelOutputInvalid
from rag.ports import ChatModel, Message, Piece, Tokenizer
from rag.prompts import Prompt

_FENCE = re.compile(r"^\s*```(?:json)?\s*|\s*```\s*$")
_MARKERS = re.compile(r"[\[【［]\s*\d{1,2}\s*[\]】］]")
_MAX_CLAIMS = 8
_SHOWN_AGAIN = 500
# No sentence and no draft is so long; reading and proving one that goes on would keep the event loop from all others.
_LONGEST_CLAIM = 800
_LONGEST_REPLY = 8_000
_NO_DOCUMENTS: Mapping[str, Document] = MappingProxyType({})


class ModelProfile(Value):
    """What a model can be trusted with. A small one phrases what code chose; a strong one also chooses and declines.

    `mends` says whether it is worth asking once more for a claim that failed its check.
    """

    name: Literal["phrase", "answer"]
    evidence_tokens: int
    mends: bool = False

    @property
    def chooses(self) -> bool:
        """Whether the model selects from a pool of evidence and may decline."""
        return self.name == "answer"


class Prompts(Value):
    """What is asked: the draft, and once more where the reply was no JSON or a claim failed."""

    draft: Prompt
    repair_json: Prompt
    repair_claims: Prompt


class Draft:
    """One draft in the making: `units` are what the model is shown, `usage` sums up its calls so far.

    `written` counts the sentences that came.
    """

    def __init__(self, drafter: Drafter, question: str, context: Context) -> None:
        self.units, self.usage, self.written = context.units, Usage(), 0
        self._drafter = drafter
        self._messages = drafter.opening(question, context)
        self._reply = ""

    async def claims(self) -> AsyncGenerator[DraftClaim]:
        """The claims as they come; a reply in which there is nothing to read is asked for once more.

        Raises:
            ModelFailure: no valid draft came, or the reply broke off; the claims before that were whole.
        """
        try:
            async for claim in self._read(self._messages):
                yield claim
        except ModelOutputInvalid:
            if self.written:
                raise
            async for claim in self._read(self._again(self._drafter.prompts.repair_json, {})):
                yield claim

    async def mended(self, failed: Sequence[tuple[DraftClaim, Sequence[Problem]]]) -> AsyncGenerator[DraftClaim]:
        """What the model makes of claims that failed, told what is wrong with each.

        Raises:
            ModelFailure: nothing usable came.
        """
        faults = "\n".join(_fault(claim, problems) for claim, problems in failed)
        async for claim in self._read(self._again(self._drafter.prompts.repair_claims, {"faults": faults})):
            yield claim

    def _again(self, prompt: Prompt, values: dict[str, str]) -> tuple[Message, ...]:
        return (*self._messages, Message("assistant", self._reply[:_SHOWN_AGAIN]), *prompt.fill(values))

    async def _read(self, messages: Sequence[Message]) -> AsyncGenerator[DraftClaim]:
        async with contextlib.aclosing(self._raw_claims(messages)) as found:
            async for raw in found:
                if claim := _claim(raw, len(self.units)):
                    self.written += 1
                    yield claim

    async def _raw_claims(self, messages: Sequence[Message]) -> AsyncGenerator[object]:
        """What stands in the reply, as soon as it is whole; a model that babbles is cut short."""
        self._reply, taken = "", 0
        async with contextlib.aclosing(self._drafter.ask(messages, len(self.units))) as pieces:
            async for piece in pieces:
                self._reply += piece.text
                if len(self._reply) > _LONGEST_REPLY:
                    raise ModelOutputInvalid(f"more than {_LONGEST_REPLY} characters")
                self.usage = _sum(self.usage, piece.usage or Usage())
                for raw in _finished_claims(self._reply)[taken:_MAX_CLAIMS]:
                    taken += 1
                    yield raw
                if taken == _MAX_CLAIMS:
                    return
        for raw in _all_claims(self._reply)[taken:_MAX_CLAIMS]:
            yield raw


class Drafter:
    """Asks the model for drafts."""

    def __init__(self, model: ChatModel, prompts: Prompts, profile: ModelProfile, tokenizer: Tokenizer) -> None:
        self.profile, self.prompts = profile, prompts
        self._model, self._tokenizer = model, tokenizer

    @property
    def model_name(self) -> str:
        """The name reported in an outcome."""
        return self._model.name

    def draft(
        self,
        question: str,
        units: Sequence[EvidenceUnit],
        documents: Mapping[str, Document] = _NO_DOCUMENTS,
        conflicts: Sequence[FoundConflict] = (),
    ) -> Draft:
        """A draft over as many of `units` as the budget holds, best first; at least one.

        A model that chooses is shown them by source: `documents` holds these by id, `conflicts` are those of the units.
        """
        budget = self.profile.evidence_tokens
        if self.profile.chooses:
            return Draft(self, question, assembled(units, documents, conflicts, self._tokenizer, budget))
        return Draft(self, question, listed(units, self._tokenizer, budget))

    def opening(self, question: str, context: Context) -> tuple[Message, ...]:
        """The messages that ask for a draft."""
        return self.prompts.draft.fill({"evidence": "\n".join(context.lines), "question": one_line(question)})

    def ask(self, messages: Sequence[Message], units: int) -> AsyncGenerator[Piece]:
        """A reply in pieces, to be read as claims over so many units."""
        return self._model.stream(messages, _schema(units, may_decline=self.profile.chooses))

    async def aclose(self) -> None:
        """Close the model's connections."""
        await self._model.aclose()

    async def warm_up(self) -> None:
        """Ask once with the prompt's own sample, so that a server with a prompt cache has read the fixed part.

        Raises:
            ModelFailure: the model does not answer.
        """
        async with contextlib.aclosing(self.ask(self.prompts.draft.fill(self.prompts.draft.sample), 1)) as pieces:
            async for _ in pieces:
                pass


def _fault(claim: DraftClaim, problems: Sequence[Problem]) -> str:
    wrong = "；".join(dict.fromkeys(one_line(p.claim) for p in problems if p.claim)) or "证据里没有"
    return f"- {one_line(claim.text)}（证据{'、'.join(map(str, claim.evidence))}；错处：{wrong}）"


def _schema(units: int, *, may_decline: bool) -> dict[str, object]:
    numbers = {"type": "integer", "enum": list(range(1, units + 1))}
    claim = {
        "type": "object",
        "properties": {
            "text": {"type": "string"},
            "evidence": {"type": "array", "items": numbers, "minItems": 1, "maxItems": min(units, 4)},
        },
        "required": ["text", "evidence"],
        "additionalProperties": False,
    }
    least, most = (0, _MAX_CLAIMS) if may_decline else (1, units)
    claims = {"type": "array", "items": claim, "minItems": least, "maxItems": most}
    return {"type": "object", "properties": {"claims": claims}, "required": ["claims"], "additionalProperties": False}


def _finished_claims(reply: str) -> list[Any]:
    """The claims of a reply that is still being written: all but the last, which may go on."""
    try:
        read = jiter.from_json(_opening_fence_off(reply).encode(), partial_mode=True)
    except ValueError:
        return []
    claims = read.get("claims") if isinstance(read, dict) else None
    return claims[:-1] if isinstance(claims, list) else []


def _all_claims(reply: str) -> list[Any]:
    """The claims of a whole reply.

    Raises:
        ModelOutputInvalid: it is no draft.
    """
    try:
        read = jiter.from_json(_FENCE.sub("", reply).encode())
        return msgspec.convert(read, _Reply).claims
    except (ValueError, msgspec.ValidationError) as error:
        raise ModelOutputInvalid(f"not a draft: {error}") from error


class _Reply(msgspec.Struct):
    """The shape that was asked for."""

    claims: list[DraftClaim]


def _claim(raw: object, units: int) -> DraftClaim | None:
    """A claim with words of its own and the units that exist; None for one without either.

    Raises:
        ModelOutputInvalid: it has another shape.
    """
    try:
        claim = msgspec.convert(raw, DraftClaim)
    except msgspec.ValidationError as error:
        raise ModelOutputInvalid(f"not a claim: {error}") from error
    numbers = tuple(dict.fromkeys(n for n in claim.evidence if 1 <= n <= units))
    words = _MARKERS.sub("", claim.text).strip()
    return DraftClaim(words, numbers) if numbers and 0 < len(words) <= _LONGEST_CLAIM else None


def _opening_fence_off(reply: str) -> str:
    return _FENCE.sub("", reply, count=1) if reply.lstrip().startswith("`") else reply


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(one.prompt_tokens + other.prompt_tokens, one.completion_tokens + other.completion_tokens)
