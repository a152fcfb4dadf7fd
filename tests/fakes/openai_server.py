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
    """What the server answers: a dict is sent as JSON, bytes as they are; `delay` is in seconds.

    `pieces` are streamed to who asks for a stream: for ever, if it is `endless`; `breaks` cuts the connection after
    them. Without pieces the body is sent whole, as by a server that can't stream.
    """

    status: int = 200
    body: dict[str, Any] | bytes | None = None
    delay: float = 0.0
    pieces: tuple[str, ...] = ()
    finish_reason: str = "stop"
    endless: bool = False
    breaks: bool = False


def chat_reply(content: str, finish_reason: str = "stop") -> Reply:
    """A chat completion with one choice that says `content`; it cost 11 and 7 tokens."""
    message = {"role": "assistant", "content": content}
    body = {
        "id": "chatcmpl-fake",
        "object": "chat.completion",
        "created": 0,
        "model": "scripted",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": USAGE,
    }
    return Reply(
        body=body, pieces=tuple(content[n : n + 7] for n in range(0, len(content), 7)), finish_reason=finish_reason
    )


def endless(content: str) -> Reply:
    """`content`, a character at a time, and then nothing but white space, for ever."""
    return Reply(pieces=tuple(content), endless=True)


def embedding_reply(vectors: list[list[float]]) -> Reply:
    """An embeddings reply with one row a vector, in order."""
    rows = [{"object": "embedding", "index": i, "embedding": vector} for i, vector in enumerate(vectors)]
    return Reply(
        body={"object": "list", "model": "scripted", "data": rows, "usage": {"prompt_tokens": 1, "total_tokens": 1}}
    )


USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
Script = Callable[[dict[str, Any]], Reply]


class ScriptedServer:
    """Serves /v1/chat/completions and /v1/embeddings until closed; `requests` holds every JSON body it was sent."""

    def __init__(self, reply: Script) -> None:
        self.requests: list[dict[str, Any]] = []
        self._closing = threading.Event()
        self.reply = reply
        self._http = _Http(self)
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


class _Http(ThreadingHTTPServer):
    def __init__(self, scripted: ScriptedServer) -> None:
        self.scripted = scripted
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Http

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path not in {"/v1/chat/completions", "/v1/embeddings"}:
            self._send(Reply(404, {"error": {"message": f"no route {self.path}"}}))
            return
        request: dict[str, Any] = json.loads(body)
        self.server.scripted.requests.append(request)
        given = self.server.scripted.reply(request)
        if given.delay and self.server.scripted.wait(given.delay):
            return
        try:
            self._stream(given) if given.pieces and request.get("stream") else self._send(given)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client gave up first, as some tests want

    def _stream(self, given: Reply) -> None:
        self.send_response(given.status)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for piece in given.pieces:
            self._event({"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]})
        while given.endless and not self.server.scripted.wait(0.01):
            self._event({"choices": [{"index": 0, "delta": {"content": " "}, "finish_reason": None}]})
        if not given.breaks:
            self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": given.finish_reason}]})
            self._event({"choices": [], "usage": USAGE})
            self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def _event(self, chunk: dict[str, Any]) -> None:
        told = {"id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": 0, "model": "scripted"}
        self.wfile.write(b"data: " + json.dumps(told | chunk).encode() + b"\n\n")
        self.wfile.flush()

    def _send(self, given: Reply) -> None:
        body = given.body if isinstance(given.body, bytes) else json.dumps(given.body or {}).encode()
        self.send_response(given.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""
