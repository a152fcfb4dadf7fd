"""The reranking endpoint: what is asked, what comes back, and what is no answer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from rag.adapters.rerank import HttpReranker
from rag.errors import RerankerUnavailable
from tests.fakes.rerank_server import Reply, RerankServer, ranking

Serve = Callable[[Reply], RerankServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers that always give one reply, and closes them afterwards."""
    with contextlib.ExitStack() as started:
        yield lambda reply: started.enter_context(RerankServer(lambda _: reply))


def row(index: int, score: float) -> dict[str, object]:
    """A row of a reply."""
    return {"index": index, "relevance_score": score}


def test_scores_come_in_the_order_of_the_texts(serve: Serve) -> None:
    """Servers reply best first; model and key go with the request."""
    server = serve((200, ranking([0.2, 0.9])))
    reranker = HttpReranker(server.url, "bge-reranker", "secret")
    assert reranker.scores("护理费报多少", ["甲。", "乙。"]) == [0.2, 0.9]
    reranker.close()
    assert server.requests == [
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
def test_what_is_no_ranking_is_unavailable(serve: Serve, reply: Reply) -> None:
    """The caller's own ranking is better than half of another."""
    reranker = HttpReranker(serve(reply).url, None, None)
    with pytest.raises(RerankerUnavailable):
        reranker.scores("护理费报多少", ["甲。", "乙。"])
    reranker.close()


def test_nobody_there_is_unavailable() -> None:
    """A refused connection, or an address that is none."""
    for url in ("http://127.0.0.1:9/rerank", "nonsense"):
        with pytest.raises(RerankerUnavailable, match=url):
            HttpReranker(url, None, None).scores("护理费", ["甲。"])
