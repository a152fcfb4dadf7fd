"""Any OpenAI-compatible server: chat completions for phrasing, embeddings for search.

Knows the client, its errors and the ways of asking for JSON. What is asked is the job of `answer.drafting`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Literal

import httpx2
import numpy as np
import openai
from openai import AsyncOpenAI, OpenAI

from rag.domain import Usage
from rag.errors import EmbedderUnavailable, ModelBusy, ModelDown, ModelOutputInvalid, ModelTooSlow
from rag.ports import Message, Piece, Vectors

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

    async def stream(self, messages: Sequence[Message], schema: dict[str, object]) -> AsyncGenerator[Piece]:
        """One reply within the deadline, waiting for a place included.

        Raises:
            ModelBusy: all places are taken and the queue is full.
            ModelTooSlow, ModelDown, ModelOutputInvalid: as they say.
        """
        if self._inside >= self._room:
            raise ModelBusy(f"{self._inside} answers are being written")
        self._inside += 1
        due = asyncio.get_running_loop().time() + self._deadline
        try:
            async with contextlib.AsyncExitStack() as held:
                async with asyncio.timeout_at(due):
                    await held.enter_async_context(self._places)
                async with contextlib.aclosing(self._pieces(messages, schema)) as pieces:
                    while (piece := await _next(pieces, due)) is not None:
                        yield piece
        except TimeoutError as error:
            raise ModelTooSlow(f"no answer within {self._deadline:g} s") from error
        finally:
            self._inside -= 1

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _pieces(self, messages: Sequence[Message], schema: dict[str, object]) -> AsyncGenerator[Piece]:
        """The reply as the server sends it, its errors translated. A server that can't stream sends it whole."""
        wanted: list[Any] = [{"role": m.role, "content": m.content} for m in messages]
        try:
            async with self._client.chat.completions.with_streaming_response.create(
                model=self.name,
                messages=wanted,
                temperature=TEMPERATURE,
                seed=SEED,
                max_tokens=MAX_OUTPUT_TOKENS,
                stream=True,
                stream_options={"include_usage": True},
                **self._format(schema),
            ) as reply:
                if "event-stream" in reply.headers.get("content-type", ""):
                    async with contextlib.aclosing(_streamed(await reply.parse())) as pieces:
                        async for piece in pieces:
                            yield piece
                else:
                    yield _whole(await reply.json())
        except (openai.APITimeoutError, httpx2.TimeoutException) as error:
            raise ModelTooSlow(str(error)) from error
        except (AttributeError, IndexError, TypeError, KeyError) as error:  # the client does not check what it decodes
            raise ModelOutputInvalid(f"not a chat completion: {error}") from error
        except (openai.OpenAIError, httpx2.HTTPError, ValueError) as error:  # ValueError: a proxy's page, not JSON
            raise ModelDown(f"{type(error).__name__}: {error}") from error

    def _format(self, schema: dict[str, object]) -> dict[str, Any]:
        if self._output == "json_schema":
            named = {"name": "draft", "schema": schema, "strict": True}
            return {"response_format": {"type": "json_schema", "json_schema": named}}
        return {"response_format": {"type": "json_object"}} if self._output == "json_object" else {}


async def _next(pieces: AsyncGenerator[Piece], due: float) -> Piece | None:
    """The next piece, or None at the end.

    The deadline is set around each wait, not around the whole: nobody may be cancelled while the consumer has the word.

    Raises:
        TimeoutError: it did not come by `due`.
    """
    async with asyncio.timeout_at(due):
        return await anext(pieces, None)


async def _streamed(chunks: Any) -> AsyncGenerator[Piece]:  # noqa: ANN401 - whatever the server sent
    """The words of a stream as they come, and the cost at its end.

    Raises:
        ModelOutputInvalid: it held no words, or was cut short.
    """
    wrote, finish, usage = False, None, None
    async for chunk in chunks:
        usage = chunk.usage or usage
        for choice in chunk.choices[:1]:
            finish = choice.finish_reason or finish
            if choice.delta.content:
                wrote = True
                yield Piece(choice.delta.content)
    _check_finished(finish or "none, the stream broke off", wrote=wrote)
    yield Piece("", _spent(usage.prompt_tokens, usage.completion_tokens) if usage else Usage())


def _whole(reply: Any) -> Piece:  # noqa: ANN401 - whatever the server sent
    choice = reply["choices"][0]
    words = choice["message"]["content"]
    _check_finished(choice.get("finish_reason"), wrote=isinstance(words, str) and bool(words))
    usage = reply.get("usage") or {}
    return Piece(words, _spent(usage.get("prompt_tokens"), usage.get("completion_tokens")))


def _check_finished(reason: object, *, wrote: bool) -> None:
    if not wrote or reason not in {"stop", None}:
        raise ModelOutputInvalid(f"finish reason {reason}, {'cut short' if wrote else 'no words'}")


def _spent(prompt: object, completion: object) -> Usage:
    return Usage(_count(prompt), _count(completion))


def _count(tokens: object) -> int:
    """What a server counts is shown and summed up, so it has to be a count."""
    return tokens if isinstance(tokens, int) and tokens > 0 else 0


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
