"""A cross-encoder behind the common `/rerank` shape (Cohere, Jina, vLLM, llama.cpp, Xinference).

Knows the request and the reply. When passages are reranked, and what happens without, is the job of `searching`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx2
import msgspec

from rag.errors import RerankerUnavailable

_TIMEOUT = 3.0


class _Ranked(msgspec.Struct, frozen=True):
    """One row of a reply."""

    index: int
    relevance_score: float


class _Reply(msgspec.Struct, frozen=True):
    """A reply; servers add more to it."""

    results: list[_Ranked]


class HttpReranker:
    """`ports.Reranker` over HTTP."""

    def __init__(self, url: str, model: str | None, api_key: str | None) -> None:
        headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._url, self._model = url, model
        self._client = httpx2.Client(headers=headers, timeout=_TIMEOUT)

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers, in the order given.

        Raises:
            RerankerUnavailable: no reply in time, or one that does not score every text exactly once.
        """
        body: dict[str, Any] = {"query": question, "documents": list(texts)}
        if self._model:
            body["model"] = self._model
        try:
            reply = self._client.post(self._url, json=body).raise_for_status()
            rows = msgspec.json.decode(reply.content, type=_Reply).results
        except (httpx2.HTTPError, httpx2.InvalidURL, msgspec.DecodeError) as error:
            raise RerankerUnavailable(f"{self._url} does not rerank: {error}") from error
        scored = {row.index: row.relevance_score for row in rows}
        if len(rows) != len(texts) or scored.keys() != set(range(len(texts))):
            raise RerankerUnavailable(f"{self._url} scored {len(scored)} of {len(texts)} texts")
        return [scored[i] for i in range(len(texts))]

    def close(self) -> None:
        """Release the connection."""
        self._client.close()
