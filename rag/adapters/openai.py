"""Any OpenAI-compatible server: chat completions for phrasing, embeddings for search.

Knows the client, its errors and the ways of asking for JSON. What is asked is the job of `answer.drafting`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import openai
from openai import AsyncOpenAI, OpenAI

from rag.domain import Usage
from rag.errors import EmbedderUnavailable, ModelBusy, ModelDown, ModelOutputInvalid, ModelTooSlow
from rag.ports import Completion, Message, Vectors

OutputMode = Literal["json_schema", "json_object", "prompt"]
MAX_OUTPUT_TOKENS = 400
TEMPERATURE = 0.0
SEED = 7
_EMBED_TIMEOUT = 30.0
_NO_KEY = "none"  # servers without keys still want the header


class OpenAIChatModel:
    """`ports.ChatModel` over chat completions, the one route that every compatible server has."""

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        api_key: str | None,
        output: OutputMode,
        deadline: float,
        parallel: int,
        queue: int,
    ) -> None:
        self.name = model
        self._output, self._deadline = output, deadline
        self._places = asyncio.Semaphore(parallel)
        self._room = parallel + queue
        self._inside = 0
        # Retries would multiply the deadline, and the extractive path is the better second try.
        self._client = AsyncOpenAI(base_url=base_url, api_key=api_key or _NO_KEY, max_retries=0, timeout=deadline)

    async def complete(self, messages: Sequence[Message], schema: dict[str, object]) -> Completion:
        """One reply within the deadline, waiting for a place included.

        Raises:
            ModelBusy: all places are taken and the queue is full.
            ModelTooSlow, ModelDown, ModelOutputInvalid: as they say.
        """
        if self._inside >= self._room:
            raise ModelBusy(f"{self._inside} answers are being written")
        self._inside += 1
        try:
            async with asyncio.timeout(self._deadline), self._places:
                return await self._call(messages, schema)
        except TimeoutError as error:
            raise ModelTooSlow(f"no answer within {self._deadline:g} s") from error
        finally:
            self._inside -= 1

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _call(self, messages: Sequence[Message], schema: dict[str, object]) -> Completion:
        wanted: list[Any] = [{"role": m.role, "content": m.content} for m in messages]
        try:
            reply = await self._client.chat.completions.create(
                model=self.name,
                messages=wanted,
                temperature=TEMPERATURE,
                seed=SEED,
                max_tokens=MAX_OUTPUT_TOKENS,
                **self._format(schema),
            )
        except openai.APITimeoutError as error:
            raise ModelTooSlow(str(error)) from error
        except (openai.OpenAIError, ValueError) as error:  # ValueError: a proxy's page where JSON should be
            raise ModelDown(f"{type(error).__name__}: {error}") from error
        try:
            return self._read(reply)
        except (AttributeError, IndexError, TypeError) as error:  # the client does not check what it decodes
            raise ModelOutputInvalid(f"not a chat completion: {error}") from error

    def _read(self, reply: Any) -> Completion:  # noqa: ANN401 - whatever the server sent
        choice = reply.choices[0] if reply.choices else None
        if (
            choice is None
            or not isinstance(choice.message.content, str)
            or not choice.message.content
            or choice.finish_reason not in {"stop", None}
        ):
            raise ModelOutputInvalid(f"finish reason {choice.finish_reason if choice else 'none'}, no usable content")
        usage = reply.usage
        spent = Usage(usage.prompt_tokens or 0, usage.completion_tokens or 0) if usage else Usage()
        return Completion(choice.message.content, spent, self.name)

    def _format(self, schema: dict[str, object]) -> dict[str, Any]:
        if self._output == "json_schema":
            named = {"name": "draft", "schema": schema, "strict": True}
            return {"response_format": {"type": "json_schema", "json_schema": named}}
        return {"response_format": {"type": "json_object"}} if self._output == "json_object" else {}


class OpenAIEmbedder:
    """`ports.Embedder` over an embeddings endpoint. Its dimension is read from a first call."""

    def __init__(self, *, base_url: str, model: str, api_key: str | None) -> None:
        """Connect and measure the dimension.

        Raises:
            EmbedderUnavailable: the endpoint does not answer.
        """
        self._client = OpenAI(base_url=base_url, api_key=api_key or _NO_KEY, timeout=_EMBED_TIMEOUT, max_retries=2)
        self._model = model
        self.id = f"openai:{model}@{base_url.rstrip('/')}"
        self.dimension = int(self._embed(["医保"]).shape[1])

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Shape (len(texts), dimension), L2-normalised."""
        return self._embed(list(texts)) if texts else np.zeros((0, self.dimension), dtype=np.float32)

    def query(self, text: str) -> Vectors:
        """Shape (dimension,), L2-normalised."""
        return np.asarray(self._embed([text])[0], dtype=np.float32)

    def _embed(self, texts: list[str]) -> Vectors:
        try:
            reply = self._client.embeddings.create(model=self._model, input=texts, encoding_format="float")
            rows = sorted(reply.data, key=lambda row: row.index)
            vectors = np.array([row.embedding for row in rows], dtype=np.float32)
        except (openai.OpenAIError, ValueError, TypeError, AttributeError) as error:  # the client checks no shapes
            raise EmbedderUnavailable(f"the embeddings endpoint gives no vectors: {error}") from error
        if len(vectors) != len(texts):
            raise EmbedderUnavailable(f"the embeddings endpoint gave {len(vectors)} vectors for {len(texts)} texts")
        expected = (len(texts), getattr(self, "dimension", vectors.shape[-1] if vectors.ndim else 0))
        if vectors.shape != expected or not np.isfinite(vectors).all():
            raise EmbedderUnavailable(f"the embeddings endpoint gave vectors of shape {vectors.shape}, not {expected}")
        return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), dtype=np.float32)
