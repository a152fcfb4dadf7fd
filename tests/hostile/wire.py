"""A server that sends bytes as they are, on a loopback port: what a proper HTTP server would never say.

Knows sockets and how a well-formed reply begins. `tests.fakes.openai_server` speaks proper HTTP; this one need not.

    with WireServer(lambda request: Wire((http(b"<html>", "text/html"),))) as server:
        ... server.base_url
"""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

CHUNK = {"id": "chatcmpl-wire", "object": "chat.completion.chunk", "created": 0, "model": "wire"}
_RESET = struct.pack("ii", 1, 0)  # linger for no time: closing throws away what is unsent and resets


@dataclass(frozen=True)
class Wire:
    """Bytes with `pause` seconds after each piece; then the connection is closed, or reset if `resets`."""

    pieces: tuple[bytes, ...]
    pause: float = 0.0
    resets: bool = False


def http(body: bytes, content_type: str = "text/event-stream", status: str = "200 OK") -> bytes:
    """A reply that ends where the connection ends."""
    return f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nConnection: close\r\n\r\n".encode() + body


def event(body: object) -> bytes:
    """One event of a stream: bytes as they are, anything else as JSON."""
    told = body if isinstance(body, bytes) else json.dumps(body).encode()
    return b"data: " + told + b"\n\n"


def delta(said: dict[str, Any], finish_reason: str | None = None, index: int = 0) -> bytes:
    """The event of one chunk."""
    return event(CHUNK | {"choices": [{"index": index, "delta": said, "finish_reason": finish_reason}]})


class WireServer:
    """Answers every request with what the script says of its JSON body, until closed."""

    def __init__(self, reply: Callable[[dict[str, Any]], Wire]) -> None:
        self.reply = reply
        self.closing = threading.Event()
        self._tcp = _Tcp(self)
        self._thread = threading.Thread(target=self._tcp.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        self.base_url = f"http://127.0.0.1:{self._tcp.server_address[1]}/v1"

    def __enter__(self) -> Self:
        """Serve until the block ends."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close; pauses are cut short."""
        self.closing.set()
        self._tcp.shutdown()
        self._tcp.server_close()
        self._thread.join()


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, owner: WireServer) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(socketserver.StreamRequestHandler):
    server: _Tcp

    def handle(self) -> None:
        """One request, one reply."""
        owner = self.server.owner
        wire = owner.reply(self._request())
        with contextlib.suppress(OSError):  # the client gave up first, as some cases want
            for piece in wire.pieces:
                self.connection.sendall(piece)
                if wire.pause and owner.closing.wait(wire.pause):
                    break
            if wire.resets:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

    def _request(self) -> dict[str, Any]:
        length = 0
        while (line := self.rfile.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        return dict(json.loads(self.rfile.read(length)))
