"""The routes: chat, documents, health, the page.

Knows paths and bodies. Answering is the job of `pipeline`, errors that of `problems`.
"""

from __future__ import annotations

import datetime as dt
import logging
from pathlib import Path
from typing import Any

import msgspec
from litestar import MediaType, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody
from litestar.response import ServerSentEvent

from rag.domain import DocumentKind, Origin, Outcome, Reprint
from rag.errors import OperatorError
from rag.pipeline import Pipeline
from rag.searching import CurrentSearcher
from rag.web.problems import Problem
from rag.web.requests import ChatBody, checked_conversation, checked_question, checked_scope
from rag.web.stream import events
from rag.wiring import Service

log = logging.getLogger("rag.web")
_STATIC = Path(__file__).parent / "static"
_ERRORS = {
    400: ResponseSpec(Problem, description="A field is wrong; it is named.", media_type="application/problem+json"),
    503: ResponseSpec(
        Problem, description="Nothing is indexed, or the index can't be opened.", media_type="application/problem+json"
    ),
}


class SectionBody(msgspec.Struct, frozen=True):
    """A titled stretch of a document."""

    title: str
    start: int
    end: int


class DocumentBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """A document with the canonical text that spans refer to; `also_at` only where the text stands elsewhere, too."""

    id: str
    title: str
    source: str
    origin: Origin
    kind: DocumentKind
    published: dt.date | None
    places: tuple[str, ...]
    text: str
    sections: tuple[SectionBody, ...]
    also_at: tuple[Reprint, ...] = ()


class Health(msgspec.Struct, frozen=True):
    """Whether the service can answer, and with which parts."""

    status: str
    index: str | None = None
    embedder: str | None = None
    model: str | None = None


@post("/chat", status_code=200, responses=_ERRORS, summary="Answer a question; with `stream` as server-sent events")
async def chat(data: JSONBody[ChatBody], pipeline: NamedDependency[Pipeline]) -> Response[Outcome] | ServerSentEvent:
    """An outcome: answer, abstention, triage or clarification."""
    query = pipeline.query(
        checked_question(data.question),
        conversation=checked_conversation(data.conversation),
        scope=checked_scope(data.scope),
        as_of=data.as_of,
    )
    if data.stream:
        return ServerSentEvent(events(pipeline, query))
    return Response(await pipeline.answer(query))


@get("/documents/{document_id:str}", sync_to_thread=True, summary="A document's canonical text and sections")
def document(document_id: FromPath[str], searchers: NamedDependency[CurrentSearcher]) -> DocumentBody:
    """What a citation's spans refer to."""
    with searchers.lend() as searcher:
        found = searcher.catalogue.document(document_id)
        if found is None:
            raise NotFoundException(detail=f"no document {document_id!r}")
        return DocumentBody(
            id=found.id,
            title=found.title,
            source=found.source,
            origin=found.origin,
            kind=found.kind,
            published=found.published,
            places=found.places,
            text=searcher.catalogue.text(found.id),
            sections=tuple(SectionBody(s.title, s.start, s.end) for s in found.sections),
            also_at=found.also_at,
        )


@get("/health/live", sync_to_thread=False, summary="Whether the process runs")
def live() -> Health:
    """Always well: it answers."""
    return Health("live")


@get("/health/ready", sync_to_thread=True, summary="Whether questions can be answered, and which parts are there")
def ready(service: NamedDependency[Service]) -> Response[Health]:
    """503 while there is nothing to search."""
    try:
        parts = service.parts()
    except OperatorError as error:
        log.warning("not ready: %s", error)
        return Response(Health("not ready"), status_code=503)
    return Response(Health("ready", parts.snapshot, parts.embedder, parts.model))


@get("/", media_type=MediaType.HTML, include_in_schema=False, sync_to_thread=False)
def page() -> str:
    """The page for people."""
    return (_STATIC / "index.html").read_text("utf-8")


ROUTES: tuple[Any, ...] = (chat, document, live, ready, page)
