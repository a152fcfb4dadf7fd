"""The answer as server-sent events: meta, passages, claim ..., answer; error when it breaks off.

Knows the event names and bodies. What happens when is the job of `pipeline`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

import msgspec
from litestar.response.sse import ServerSentEventMessage

from rag.domain import Query
from rag.pipeline import ClaimProven, Event, Finished, Opened, PassagesFound, Pipeline
from rag.web.passages import passage_row
from rag.web.problems import of_exception


async def events(pipeline: Pipeline, query: Query) -> AsyncIterator[ServerSentEventMessage]:
    """All events of one answer. A client that goes away cancels this, and the model call with it."""
    try:
        async with aclosing(pipeline.events(query)) as found:
            async for event in found:
                yield _message(event)
    except Exception as error:  # noqa: BLE001 - the status is sent already; the rest is an event
        yield _sse("error", of_exception(error))


def _message(event: Event) -> ServerSentEventMessage:
    match event:
        case Opened():
            return _sse("meta", event)
        case PassagesFound(asked=asked, passages=passages):
            rows = [passage_row(rank, passage) for rank, passage in enumerate(passages, 1)]
            return _sse("passages", {"asked": asked, "passages": rows})
        case ClaimProven(claim=claim, citations=citations):
            return _sse("claim", {"claim": claim, "citations": citations})
        case Finished(outcome=outcome):
            return _sse("answer", outcome)


def _sse(name: str, body: object) -> ServerSentEventMessage:
    return ServerSentEventMessage(event=name, data=msgspec.json.encode(body).decode())
