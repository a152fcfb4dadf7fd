"""A small OpenAI-compatible HTTP server on a loopback port, scripted by a function.

Knows HTTP and the shape of a chat completion; what is replied is the test's own.

    with ScriptedServer(lambda request: chat_reply('{"claims": []}')) as server:
        ... server.base_url, server.requests
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Reply:
    """What the server answers: a dict is sent as JSON, bytes as they are; `delay` is in seconds."""

    status: int = 200
    body: dict[str, Any] | bytes | None = None
    delay: float = 0.0


def chat_reply(content: str, finish_reason: str = "stop") -> Reply:
    """A chat completion with one choice that says `content`; it cost 11 and 7 tokens."""
    message = {"role": "assistant", "content": content}
    return Reply(
        body={
            "id": "chatcmpl-fake",
            "object": "chat.completion",
            "created": 0,
            "model": "scripted",
            "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
            "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
        }
    )


def embedding_reply(vectors: list[list[float]]) -> Reply:
    """An embeddings reply with one row a vector, in order."""
    rows = [{"object": "embedding", "index": i, "embedding": vector} for i, vector in enumerate(vectors)]
    return Reply(
        body={"object": "list", "model": "scripted", "data": rows, "usage": {"prompt_tokens": 1, "total_tokens": 1}}
    )


Script = Callable[[dict[str, Any]], Reply]


class ScriptedServer:
    """Serves /v1/chat/completions and /v1/embeddings until closed; `requests` holds every JSON body it was sent."""

    def __init__(self, reply: Script) -> None:
        self.requests: list[dict[str, Any]] = []
        self._closing = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, reply))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        self.base_url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def close(self) -> None:
        """Stop listening; replies still delayed are let go."""
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def wait(self, seconds: float) -> bool:
        """Sit out a delay; whether the server was closed meanwhile."""
        return self._closing.wait(seconds)

    def __enter__(self) -> Self:
        """Serve until the block ends."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()


Serve = Callable[[Script], ScriptedServer]


def _handler(server: ScriptedServer, reply: Script) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            if self.path not in {"/v1/chat/completions", "/v1/embeddings"}:
                self._send(Reply(404, {"error": {"message": f"no route {self.path}"}}))
                return
            request: dict[str, Any] = json.loads(body)
            server.requests.append(request)
            given = reply(request)
            if given.delay and server.wait(given.delay):
                return
            self._send(given)

        def _send(self, given: Reply) -> None:
            body = given.body if isinstance(given.body, bytes) else json.dumps(given.body or {}).encode()
            try:
                self.send_response(given.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the client gave up first, as some tests want

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    return Handler
