"""ragas: five judged metrics with Chinese prompts, and four that compare characters.

Knows ragas and the way to the judge's server. It is the only file that imports ragas (2 s, 215 MB), so it is itself
imported late. What a judge is shown is the job of `judge`.

What ragas does on its own and is not wanted here: it calls home; its cache forgets which model answered; a judge that
says nothing or too little becomes NaN or a number. All of these are a reason in an `Unscored` here.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import msgspec
import openai
from openai import AsyncOpenAI
from pydantic import BaseModel, ValidationError

from evals.cassette import Cassette, CassetteMiss, Recorded
from evals.domain import Scored, Unscored, Verdict
from evals.judge import TAPE, Case, JudgeSpec, Spent, TapeMode, embedded, external, prompts, served
from rag.adapters.openai import SEED, TEMPERATURE
from rag.domain import Usage
from rag.ports import Embedder
from rag.prompts import Prompt
from rag.settings import Settings
from rag.wiring import build_embedder

# Read once, at import; any other value but this word leaves the calls home switched on.
os.environ["RAGAS_DO_NOT_TRACK"] = "true"

from ragas.dataset_schema import SingleTurnSample
from ragas.embeddings.base import BaseRagasEmbedding
from ragas.llms.base import InstructorBaseRagasLLM
from ragas.metrics._context_precision import NonLLMContextPrecisionWithReference
from ragas.metrics._context_recall import NonLLMContextRecall
from ragas.metrics.collections import (
    AnswerRelevancy,
    CHRFScore,
    ContextPrecision,
    ContextRecall,
    FactualCorrectness,
    Faithfulness,
    NonLLMStringSimilarity,
)

_NO_KEY = "none"  # servers without keys still want the header
_RETRIES = 2
# What a reply is about: without it there is nothing to count, and ragas would count it as 0 or NaN.
_CONTENT = ("statements", "claims", "classifications", "question")


class JudgeReplyInvalid(Exception):
    """The judge's reply can't be counted: refused, cut off, of another shape, or not about all that was asked."""


class JudgeDown(Exception):
    """The judge's server did not answer."""


class TapedLLM(InstructorBaseRagasLLM):
    """The judge's model as ragas wants it, over a tape.

    `replay` never calls, `record` calls for what is not on the tape, `live` always calls and leaves the tape alone.
    """

    def __init__(self, spec: JudgeSpec, mode: TapeMode, tape: Cassette) -> None:
        self.spent = Spent()
        self._spec, self._mode, self._tape = spec, mode, tape
        self._places = asyncio.Semaphore(spec.parallel)
        self._client: AsyncOpenAI | None = None

    def generate(self, prompt: str, response_model: type[BaseModel]) -> BaseModel:
        """Asked for by the base class; no metric here uses it."""
        raise NotImplementedError("this judge is only asked asynchronously")

    async def agenerate(self, prompt: str, response_model: type[BaseModel]) -> BaseModel:
        """The judge's reply to the messages that `ChinesePrompt` wrote.

        Raises:
            CassetteMiss, JudgeDown, JudgeReplyInvalid: as they say.
        """
        messages = msgspec.json.decode(prompt, type=list[dict[str, str]])
        schema = strict_schema(response_model.model_json_schema())
        key = judge_key(self._spec, messages, schema)
        call = None if self._mode == "live" else self._tape.get(key)
        taped = call is not None
        if call is None:
            if self._mode == "replay":
                raise CassetteMiss("the judge was not asked this before; `--tape record` asks and keeps it")
            call = await self._ask(key, messages, schema)
        self._count(call, taped=taped)
        return read_reply(call, response_model)

    async def aclose(self) -> None:
        """Close the connections. Client and places belong to the event loop that ends here."""
        if self._client is not None:
            await self._client.close()
            self._client = None
        self._places = asyncio.Semaphore(self._spec.parallel)

    async def _ask(self, key: str, messages: list[dict[str, str]], schema: dict[str, Any]) -> Recorded:
        """What the server says goes on the tape, useless or not; that it was not there does not."""
        spec = self._spec
        async with self._places:
            try:
                reply = await self._connected().chat.completions.create(
                    model=spec.model, messages=messages, **_parameters(spec, schema)
                )
                said = reply.choices[0].message
                text = said.content or said.refusal
            except (openai.OpenAIError, ValueError, AttributeError, IndexError, TypeError) as error:
                raise JudgeDown(f"{type(error).__name__}: {error}") from error
        usage = reply.usage
        tokens = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
        call = Recorded(key, spec.server, spec.model, messages[-1]["content"], text, *tokens)
        if self._mode == "record":
            self._tape.put(call)
        return call

    def _connected(self) -> Any:  # noqa: ANN401 - the client's overloads don't take messages as they are on the tape
        if self._client is None:
            spec = self._spec
            self._client = AsyncOpenAI(
                base_url=spec.base_url, api_key=spec.api_key or _NO_KEY, timeout=spec.deadline, max_retries=_RETRIES
            )
        return self._client

    def _count(self, call: Recorded, *, taped: bool) -> None:
        spent, usage = self.spent, self.spent.usage
        self.spent = Spent(
            spent.asked + (not taped),
            spent.replayed + taped,
            Usage(usage.prompt_tokens + call.prompt_tokens, usage.completion_tokens + call.completion_tokens),
        )


class ChinesePrompt:
    """A prompt file in the place of one of ragas' own.

    ragas hands a prompt on to the model as one text, so the messages travel as JSON.
    """

    def __init__(self, prompt: Prompt) -> None:
        self._prompt = prompt

    def to_string(self, data: BaseModel) -> str:
        """The messages with what ragas wants to ask filled in."""
        given = data.model_dump()
        values = {name: _shown(given[name]) for name in self._prompt.inputs}
        return msgspec.json.encode(self._prompt.fill(values)).decode()


class ProjectEmbedding(BaseRagasEmbedding):
    """The project's embedder as ragas wants it. Both sides of the comparison are questions."""

    def __init__(self, embedder: Embedder) -> None:
        super().__init__()
        self._embedder = embedder

    def embed_text(self, text: str, **_: object) -> list[float]:
        """One vector."""
        return [float(x) for x in self._embedder.query(text)]

    async def aembed_text(self, text: str, **_: object) -> list[float]:
        """One vector, off the event loop."""
        return await asyncio.to_thread(self.embed_text, text)


class CountedFaithfulness(Faithfulness):
    """Faithfulness that wants a verdict on every statement: ragas takes the share of those that came back."""

    async def _create_verdicts(self, statements: list[str], context: str) -> Any:  # noqa: ANN401 - ragas' own type
        return _all_judged(statements, await super()._create_verdicts(statements, context))


class CountedFactualCorrectness(FactualCorrectness):
    """FactualCorrectness that wants a verdict on every claim."""

    async def _verify_claims(self, claims: list[str], reference: str) -> Any:  # noqa: ANN401 - ragas' own type
        return _all_judged(claims, await super()._verify_claims(claims, reference))


class Similarity:
    """A distance as ragas' older metrics want it.

    Their own public methods prepare a call home for every single comparison, a file in the user's home included.
    """

    def __init__(self, metric: NonLLMStringSimilarity) -> None:
        self._metric = metric

    async def single_turn_ascore(self, sample: SingleTurnSample, _callbacks: object = None) -> float:
        """How alike two texts are, in [0, 1]."""
        return await _value(self._metric.ascore(reference=sample.reference or "", response=sample.response or ""))


@contextmanager
def open_judge(
    settings: Settings, tape: TapeMode, base_url: str | None, model: str | None
) -> Iterator[tuple[JudgeSpec, RagasJudge]]:
    """The judge asked for: a server's model, or the embedded one, which is started unless all is on tape.

    Raises:
        ValueError: a server is named without a model.
    """
    if base_url and not model:
        raise ValueError("--judge names the model to ask at --base-url")
    key = os.environ.get("EVALS_JUDGE_API_KEY")
    spec = external(base_url, model, key) if base_url and model else embedded(settings)
    with nullcontext(spec) if tape == "replay" else served(spec, settings) as ready:
        yield ready, RagasJudge(TapedLLM(ready, tape, Cassette(TAPE)), prompts(), build_embedder(settings))


class RagasJudge:
    """`judge.Judge` over ragas."""

    def __init__(self, llm: TapedLLM, worded: Mapping[str, Prompt], embedder: Embedder | None = None) -> None:
        self._llm = llm
        self._scores: dict[str, Callable[[Case], Awaitable[float]]] = {
            **_judged_scores(llm, {name: ChinesePrompt(prompt) for name, prompt in worded.items()}),
            **_surface_scores(),
        }
        if embedder is not None:
            asked = ChinesePrompt(worded["question"])
            self._scores["answer_relevancy"] = _relevancy(llm, asked, ProjectEmbedding(embedder))

    @property
    def spent(self) -> Spent:
        """The cost so far."""
        return self._llm.spent

    async def verdict(self, metric: str, case: Case) -> Verdict:
        """One metric on one case; whatever goes wrong is the reason why there is no number.

        Raises:
            CassetteMiss: replaying, and a call is not on the tape.
        """
        lacking = _lacking(metric, case)
        if lacking or metric not in self._scores:
            return Unscored(lacking or f"{metric} can't be asked here")
        try:
            value = await self._scores[metric](case)
        except CassetteMiss:
            raise
        except Exception as error:  # noqa: BLE001 - ragas raises what it likes, and one case must not end the run
            return Unscored(f"{type(error).__name__}: {error}")
        return Scored(value) if math.isfinite(value) else Unscored("ragas gave no number")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._llm.aclose()


def judge_key(spec: JudgeSpec, messages: list[dict[str, str]], schema: dict[str, Any]) -> str:
    """SHA-256 over everything that decides a reply: another judge's verdict is never taken for this one's."""
    asked = [spec.server, spec.model, messages, _parameters(spec, schema)]
    return hashlib.sha256(msgspec.json.encode(asked, order="sorted")).hexdigest()


def strict_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with nothing left open: no further fields, and every whole number is a yes or a no."""

    def tightened(node: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(node, list):
            return [tightened(item) for item in node]
        if not isinstance(node, dict):
            return node
        inner = {name: tightened(value) for name, value in node.items() if name not in {"title", "description"}}
        if inner.get("type") == "object":
            inner["additionalProperties"] = False
        return inner | {"enum": [0, 1]} if inner.get("type") == "integer" else inner

    return dict(tightened(schema))


def read_reply(call: Recorded, shape: type[BaseModel]) -> BaseModel:
    """The reply as ragas' own type.

    Raises:
        JudgeReplyInvalid: it is of another shape, holds nothing, or a verdict is neither 0 nor 1.
    """
    text = call.text or ""
    try:
        reply = shape.model_validate_json(text[text.find("{") : text.rfind("}") + 1])
    except ValidationError as error:
        raise JudgeReplyInvalid(f"not the JSON asked for ({call.completion_tokens} tokens): {text[:80]!r}") from error
    said = reply.model_dump()
    if any(not said[name] for name in _CONTENT if name in said):
        raise JudgeReplyInvalid(f"nothing in the reply: {text[:80]!r}")
    if any(number not in {0, 1} for number in _numbers(said)):
        raise JudgeReplyInvalid(f"a verdict is neither 0 nor 1: {text[:80]!r}")
    return reply


def _parameters(spec: JudgeSpec, schema: dict[str, Any]) -> dict[str, Any]:
    fixed = {"temperature": TEMPERATURE, "seed": SEED, "max_tokens": spec.max_tokens}
    if spec.output == "json_schema":
        named = {"name": "verdict", "schema": schema, "strict": True}
        return fixed | {"response_format": {"type": "json_schema", "json_schema": named}}
    return fixed | ({"response_format": {"type": "json_object"}} if spec.output == "json_object" else {})


def _judged_scores(
    llm: TapedLLM, prompts: Mapping[str, ChinesePrompt]
) -> dict[str, Callable[[Case], Awaitable[float]]]:
    # Any: ragas types its prompts by its own classes, and asks of them no more than `to_string`.
    faithfulness: Any = CountedFaithfulness(llm=llm)
    correctness: Any = CountedFactualCorrectness(llm=llm)
    recall: Any = ContextRecall(llm=llm)
    precision: Any = ContextPrecision(llm=llm)
    faithfulness.statement_generator_prompt = prompts["statements"]
    faithfulness.nli_statement_prompt = correctness.nli_prompt = prompts["verdicts"]
    correctness.prompt = prompts["claims"]
    recall.prompt, precision.prompt = prompts["recall"], prompts["precision"]

    def found(metric: Any) -> Callable[[Case], Awaitable[float]]:  # noqa: ANN401 - ragas' metrics share no useful type
        return lambda case: _value(
            metric.ascore(user_input=case.question, retrieved_contexts=list(case.retrieved), reference=case.reference)
        )

    return {
        "faithfulness": lambda case: _value(
            faithfulness.ascore(user_input=case.question, response=case.answer, retrieved_contexts=list(case.cited))
        ),
        "factual_correctness": lambda case: _value(correctness.ascore(response=case.answer, reference=case.reference)),
        "context_recall": found(recall),
        "context_precision": found(precision),
    }


def _relevancy(llm: TapedLLM, prompt: ChinesePrompt, embedding: ProjectEmbedding) -> Callable[[Case], Awaitable[float]]:
    """One question is made from the answer: a judge at temperature 0 would make the same one three times."""
    metric: Any = AnswerRelevancy(llm=llm, embeddings=embedding, strictness=1)
    metric.prompt = prompt
    return lambda case: _value(metric.ascore(user_input=case.question, response=case.answer))


def _surface_scores() -> dict[str, Callable[[Case], Awaitable[float]]]:
    chrf, levenshtein = CHRFScore(), NonLLMStringSimilarity()
    alike: Any = Similarity(levenshtein)
    recall = NonLLMContextRecall(_distance_measure=alike)
    precision = NonLLMContextPrecisionWithReference(distance_measure=alike)

    def against(metric: Any) -> Callable[[Case], Awaitable[float]]:  # noqa: ANN401 - ragas' metrics share no useful type
        return lambda case: _value(metric.ascore(reference=case.reference, response=case.answer))

    def found(metric: Any) -> Callable[[Case], Awaitable[float]]:  # noqa: ANN401 - as above
        def of(case: Case) -> Awaitable[float]:
            sample = SingleTurnSample(retrieved_contexts=list(case.retrieved), reference_contexts=list(case.references))
            scored: Awaitable[float] = metric._single_turn_ascore(sample, None)  # noqa: SLF001 - as in Similarity
            return scored

        return of

    return {
        "surface_chrf": against(chrf),
        "surface_levenshtein": against(levenshtein),
        "surface_context_recall": found(recall),
        "surface_context_precision": found(precision),
    }


def _lacking(metric: str, case: Case) -> str:
    """What the metric can't do without and the case has not; empty when all is there."""
    if not case.answer:
        return "no answer"
    if metric == "faithfulness" and not case.cited:
        return "nothing cited"
    if "context_" in metric and not case.retrieved:
        return "nothing retrieved"
    if metric not in {"faithfulness", "answer_relevancy"} and not case.references:
        return "the gold has no evidence"
    return ""


async def _value(result: Awaitable[Any]) -> float:
    return float((await result).value)


def _all_judged(asked: list[str], verdicts: Any) -> Any:  # noqa: ANN401 - ragas' own type
    if len(verdicts.statements) != len(asked):
        raise JudgeReplyInvalid(f"{len(verdicts.statements)} verdicts on {len(asked)} statements")
    return verdicts


def _numbers(value: object) -> Iterator[int]:
    if isinstance(value, int):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        yield from _numbers(item)


def _shown(value: object) -> str:
    """A list is numbered, a line an item."""
    return "\n".join(f"{n}. {item}" for n, item in enumerate(value, 1)) if isinstance(value, list) else str(value)
