"""Evidence and question to a Draft: one model call, one repair, locally validated.

Knows the prompt's inputs, the schema and what a model of a given strength is asked to do. Whether a
drafted claim stands is the job of `verifying` and `composing`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from rag.domain import Draft, DraftClaim, EvidenceUnit, Usage, Value
from rag.errors import ModelOutputInvalid
from rag.ports import ChatModel, Message, Tokenizer
from rag.prompts import Prompt

_FENCE = re.compile(r"^\s*```(?:json)?\s*|\s*```\s*$")
_MARKERS = re.compile(r"[\[【［]\s*\d{1,2}\s*[\]】］]")
_REPAIR = '上一次的输出不是合格的JSON。请只输出形如{"claims":[{"text":"…","evidence":[1]}]}的JSON。'
_MAX_CLAIMS = 8
_TITLES_SHOWN = 2


class ModelProfile(Value):
    """What a model can be trusted with. A small one phrases what code chose; a strong one also chooses and declines."""

    name: Literal["phrase", "answer"]
    evidence_tokens: int

    @property
    def chooses(self) -> bool:
        """Whether the model selects from a pool of evidence and may decline."""
        return self.name == "answer"


class Drafted(Value):
    """A draft, the units that its numbers refer to, and what it cost."""

    draft: Draft
    units: tuple[EvidenceUnit, ...]
    usage: Usage


class Drafter:
    """Asks the model for a draft."""

    def __init__(self, model: ChatModel, prompt: Prompt, profile: ModelProfile, tokenizer: Tokenizer) -> None:
        self.profile = profile
        self._model, self._prompt, self._tokenizer = model, prompt, tokenizer

    @property
    def model_name(self) -> str:
        """The name reported in an outcome."""
        return self._model.name

    async def draft(self, question: str, units: Sequence[EvidenceUnit]) -> Drafted:
        """A draft over as many of `units` as the budget holds, first ones first; at least one.

        Raises:
            ModelFailure: no valid draft came back, also after one repair.
        """
        shown = self._within_budget(units)
        messages = self._prompt.fill({"evidence": "\n".join(_numbered(shown)), "question": _one_line(question)})
        schema = _schema(len(shown), may_decline=self.profile.chooses)
        reply = await self._model.complete(messages, schema)
        usage = reply.usage
        try:
            return Drafted(_decode(reply.text, len(shown)), shown, usage)
        except ModelOutputInvalid:
            again = (*messages, Message("assistant", reply.text[:500]), Message("user", _REPAIR))
            reply = await self._model.complete(again, schema)
        spent = Usage(
            usage.prompt_tokens + reply.usage.prompt_tokens, usage.completion_tokens + reply.usage.completion_tokens
        )
        return Drafted(_decode(reply.text, len(shown)), shown, spent)

    async def aclose(self) -> None:
        """Close the model's connections."""
        await self._model.aclose()

    async def warm_up(self) -> None:
        """Ask once with the prompt's own sample, so that a server with a prompt cache has read the fixed part.

        Raises:
            ModelFailure: the model does not answer.
        """
        await self._model.complete(self._prompt.fill(self._prompt.sample), _schema(1, may_decline=self.profile.chooses))

    def _within_budget(self, units: Sequence[EvidenceUnit]) -> tuple[EvidenceUnit, ...]:
        shown: list[EvidenceUnit] = []
        spent = 0
        for unit in units:
            spent += self._tokenizer.count(unit.text)
            if shown and spent > self.profile.evidence_tokens:
                break
            shown.append(unit)
        return tuple(shown)


def _numbered(units: Sequence[EvidenceUnit]) -> list[str]:
    return [
        _one_line(f"[{n}]（{' / '.join(unit.title_path[-_TITLES_SHOWN:])}）{unit.text}")
        for n, unit in enumerate(units, 1)
    ]


def _one_line(text: str) -> str:
    """Line breaks would let a text pose as the next line of the prompt."""
    return " ".join(text.split())


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


def _decode(text: str, units: int) -> Draft:
    try:
        raw = json.loads(_FENCE.sub("", text))
        draft = msgspec.convert(raw, Draft)
    except (ValueError, msgspec.ValidationError) as error:
        raise ModelOutputInvalid(f"not a draft: {error}") from error
    claims = []
    for claim in draft.claims[:_MAX_CLAIMS]:
        numbers = tuple(dict.fromkeys(n for n in claim.evidence if 1 <= n <= units))
        words = _MARKERS.sub("", claim.text).strip()
        if numbers and words:
            claims.append(DraftClaim(words, numbers))
    return Draft(tuple(claims))
