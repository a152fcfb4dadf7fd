"""The reranking endpoint: what is asked, what comes back, and what is no answer."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rag.adapters.rerank import HttpReranker
from rag.errors import RerankerUnavailable

Reply = tuple[int, object]


@pytest.fixture
def serve() -> Iterator[Callable[[Reply], tuple[str, list[dict[str, Any]]]]]:
    """Starts a server that always gives one reply, and keeps what it was asked."""
    servers: list[http.server.HTTPServer] = []

    def started(reply: Reply) -> tuple[str, list[dict[str, Any]]]:
        asked: list[dict[str, Any]] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                asked.append(json.loads(body) | {"key": self.headers.get("authorization")})
                self.send_response(reply[0])
                self.end_headers()
                self.wfile.write(json.dumps(reply[1]).encode())

            def log_message(self, *_: object) -> None:
                """Silence."""

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/rerank", asked

    yield started
    for server in servers:
        server.shutdown()
        server.server_close()


def row(index: int, score: float) -> dict[str, object]:
    """A row of a reply, with a field more than is read."""
    return {"index": index, "relevance_score": score, "document": {"text": "…"}}


def test_scores_come_in_the_order_of_the_texts(serve: Callable[..., Any]) -> None:
    """Servers reply best first; model and key go with the request."""
    url, asked = serve((200, {"id": "1", "results": [row(1, 0.9), row(0, 0.2)]}))
    reranker = HttpReranker(url, "bge-reranker", "secret")
    assert reranker.scores("护理费报多少", ["甲。", "乙。"]) == [0.2, 0.9]
    reranker.close()
    assert asked == [
        {"query": "护理费报多少", "documents": ["甲。", "乙。"], "model": "bge-reranker", "key": "Bearer secret"}
    ]


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param((500, {}), id="fault"),
        pytest.param((200, {"results": [row(0, 0.2)]}), id="one too few"),
        pytest.param((200, {"results": [row(0, 0.2), row(0, 0.3)]}), id="one twice"),
        pytest.param((200, {"results": [row(0, 0.2), row(7, 0.3)]}), id="one that there is not"),
        pytest.param((200, {"scores": [0.1, 0.2]}), id="another shape"),
    ],
)
def test_what_is_no_ranking_is_unavailable(serve: Callable[..., Any], reply: Reply) -> None:
    """The caller's own ranking is better than half of another."""
    reranker = HttpReranker(serve(reply)[0], None, None)
    with pytest.raises(RerankerUnavailable):
        reranker.scores("护理费报多少", ["甲。", "乙。"])
    reranker.close()


def test_nobody_there_is_unavailable() -> None:
    """A refused connection, or an address that is none."""
    for url in ("http://127.0.0.1:9/rerank", "nonsense"):
        with pytest.raises(RerankerUnavailable, match=url):
            HttpReranker(url, None, None).scores("护理费", ["甲。"])
