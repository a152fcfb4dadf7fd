"""The web application, assembled, and the process that serves it.

Knows how the parts are put together. Routes, errors and streams have files of their own.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import click
import uvicorn
from litestar import Litestar
from litestar.di import Provide
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, SwaggerRenderPlugin
from litestar.static_files import create_static_files_router

from rag.errors import ModelFailure
from rag.settings import Settings
from rag.web.problems import respond
from rag.web.routes import ROUTES
from rag.wiring import Service

log = logging.getLogger("rag.web")
_DOCS = "/assets/docs"
_GRACE_SECONDS = 5


def create_app(service: Service) -> Litestar:
    """The application over an assembled service, which it closes at the end."""
    return Litestar(
        [*ROUTES, create_static_files_router(_DOCS, [_swagger_files()], include_in_schema=False)],
        dependencies={
            "service": Provide(lambda: service, sync_to_thread=False),
            "pipeline": Provide(lambda: service.pipeline, sync_to_thread=False),
            "searchers": Provide(lambda: service.searchers, sync_to_thread=False),
        },
        exception_handlers={Exception: respond},
        lifespan=[_lifespan(service)],
        openapi_config=_openapi(),
        logging_config=None,  # litestar's own would replace the handlers of the root logger, which mask
    )


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until interrupted; says where to look and how to ask."""
    service = Service(settings)
    where = f"http://{host}:{port}"
    click.echo(f"医保问答: {where}  (API: {where}/schema)", err=True)
    body = '{"question": "宁波医保，婴儿保温箱费能报销吗？"}'
    click.echo(f"curl -s {where}/chat -H 'Content-Type: application/json' -d '{body}'", err=True)
    uvicorn.run(
        create_app(service),
        host=host,
        port=port,
        log_config=None,  # uvicorn's own handlers would not mask
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


def _lifespan(service: Service):  # type: ignore[no-untyped-def]  # noqa: ANN202 - litestar's own nested type
    @asynccontextmanager
    async def run(_: Litestar) -> AsyncIterator[None]:
        warming = asyncio.create_task(_warm_up(service))
        try:
            yield
        finally:
            warming.cancel()
            with suppress(asyncio.CancelledError):
                await warming
            await service.aclose()

    return run


async def _warm_up(service: Service) -> None:
    """Let the model read the part of the prompt that never changes, so that the first question need not wait for it."""
    if service.drafter is None:
        return
    try:
        await service.drafter.warm_up()
    except ModelFailure as failure:
        log.warning("the language model does not answer yet: %s", failure)


def _openapi() -> OpenAPIConfig:
    swagger = SwaggerRenderPlugin(
        js_url=f"{_DOCS}/swagger-ui-bundle.js",
        css_url=f"{_DOCS}/swagger-ui.css",
        standalone_preset_js_url=f"{_DOCS}/swagger-ui-standalone-preset.js",
        favicon="",
    )
    return OpenAPIConfig(title="医保问答", version="1", path="/schema", render_plugins=[swagger, JsonRenderPlugin()])


def _swagger_files() -> Path:
    """Swagger UI from the package `swagger-ui-py` (read as files): the pages must work without a network."""
    spec = importlib.util.find_spec("swagger_ui")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("the package swagger-ui-py is missing; run `make setup`")
    return Path(spec.submodule_search_locations[0]) / "static"
