"""Real servers on loopback ports: an extractive one for all, and others with settings of the test's own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec
import pytest
import uvicorn
from litestar import get
from litestar.handlers import HTTPRouteHandler

from rag.settings import Settings
from rag.web.app import create_app
from rag.wiring import Service
from tests.samples import build_index

ROOT = Path(__file__).parents[2]


@contextmanager
def running(settings: Settings, *more_routes: HTTPRouteHandler) -> Iterator[str]:
    """The service over HTTP, with further routes if a test wants some; the address."""
    app = create_app(Service(settings))
    for route in more_routes:
        app.register(route)
    # Listening begins here: whoever connects early waits in the queue.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="critical", access_log=False, timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory, model_dir: Path) -> Settings:
    """Extractive answers over the three sample documents, indexed once."""
    folder = tmp_path_factory.mktemp("web")
    data = str(folder / "data")
    return build_index(
        folder, Settings(data_dir=data, model_dir=str(model_dir), prompt_dir=str(ROOT / "prompts"), llm="extractive")
    )


@pytest.fixture(scope="session")
def base_url(indexed: Settings) -> Iterator[str]:
    """The address of an extractive service."""
    with running(indexed) as address:
        yield address


@pytest.fixture
def http(base_url: str) -> Iterator[httpx.Client]:
    """A client of the extractive service."""
    with httpx.Client(base_url=base_url, timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture
def empty_http(settings: Settings) -> Iterator[httpx.Client]:
    """A client of a service without an index."""
    with running(settings) as address, httpx.Client(base_url=address, timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture
def broken_http(settings: Settings) -> Iterator[httpx.Client]:
    """A client of a service that has a route `/broken`, which divides by zero."""

    @get("/broken", sync_to_thread=False)
    def broken() -> float:
        return 1 / 0

    with running(settings, broken) as address, httpx.Client(base_url=address, timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture
def serve_model(indexed: Settings) -> Callable[..., object]:
    """Starts services with the model at an address, and further settings; a context manager over their clients."""

    @contextmanager
    def serve(model_url: str, **changed: object) -> Iterator[httpx.Client]:
        model = {"llm": "model", "llm_base_url": model_url, "llm_model": "scripted", "llm_deadline_seconds": 10.0}
        chosen = msgspec.structs.replace(indexed, **(model | changed))
        with running(chosen) as address, httpx.Client(base_url=address, timeout=30, trust_env=False) as client:
            yield client

    return serve
