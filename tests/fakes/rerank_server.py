"""A small `/rerank` server on a loopback port, scripted by a function.

Knows HTTP and the shape of a ranking; what is replied is the test's own.

    with RerankServer(lambda request: (200, ranking([0.2, 0.9]))) as server:
        ... server.url, server.requests
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import TracebackType
from typing import Any, Self

Reply = tuple[int, object]
Script = Callable[[dict[str, Any]], Reply]


def ranking(scores: Sequence[float]) -> dict[str, object]:
    """A reply with a row a text, best first, as servers send it; rows have a field more than is read."""
    best_first = sorted(range(len(scores)), key=lambda i: -scores[i])
    rows = [{"index": i, "relevance_score": scores[i], "document": {"text": "…"}} for i in best_first]
    return {"id": "rerank-fake", "results": rows}


class RerankServer:
    """Serves POST until closed; `requests` holds every JSON body, and the key that came with it under `key`."""

    def __init__(self, reply: Script) -> None:
        self.requests: list[dict[str, Any]] = []
        self.reply = reply
        self._http = _Http(self)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}/rerank"

    def __enter__(self) -> Self:
        """Serve until the block ends."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Http(HTTPServer):
    def __init__(self, scripted: RerankServer) -> None:
        self.scripted = scripted
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Http

    def do_POST(self) -> None:
        request: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.scripted.requests.append(request | {"key": self.headers.get("Authorization")})
        status, body = self.server.scripted.reply(request)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""
