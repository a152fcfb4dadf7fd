"""What every reranker keeps: a `/rerank` endpoint and the fake."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rag.adapters.rerank import HttpReranker
from rag.errors import RerankerUnavailable
from rag.ports import Reranker
from tests.fakes.rerank_server import Reply, RerankServer, ranking
from tests.fakes.reranker import FakeReranker, shared_pairs

QUESTION = "护理补贴按月发放吗？"
NEAR, FAR = "护理补贴按月发放到本人账户。", "停车场夜间免费开放。"
TEXTS = [FAR, NEAR, "", "a\x00b", "异地购药凭处方。" * 50]


def _judged(request: dict[str, Any]) -> Reply:
    """The fake's scores, best first: the adapter has to put them in order."""
    return 200, ranking([shared_pairs(request["query"], text) for text in request["documents"]])


@pytest.fixture(params=["http", "fake"])
def subject(request: pytest.FixtureRequest) -> Iterator[Reranker]:
    """Each reranker in turn."""
    with RerankServer(_judged) as server:
        made: Reranker = HttpReranker(server.url, "small", None) if request.param == "http" else FakeReranker()
        yield made
        made.close()


@pytest.fixture(params=["http", "fake"])
def silent(request: pytest.FixtureRequest) -> Iterator[Reranker]:
    """Each reranker in turn, out of order: whatever stands in the reply."""
    with RerankServer(lambda asked: (503, _judged(asked)[1])) as server:
        made: Reranker = HttpReranker(server.url, None, None) if request.param == "http" else FakeReranker(fails=True)
        yield made
        made.close()


def test_every_text_has_a_score(subject: Reranker) -> None:
    """Empty, odd and long texts have one, too."""
    scores = subject.scores(QUESTION, TEXTS)
    assert [type(score) for score in scores] == [float] * len(TEXTS)


def test_scores_are_in_the_order_of_the_texts(subject: Reranker) -> None:
    """The i-th score is the i-th text's, whichever is best."""
    assert subject.scores(QUESTION, TEXTS[::-1]) == subject.scores(QUESTION, TEXTS)[::-1]


def test_a_text_that_answers_scores_higher(subject: Reranker) -> None:
    """More is better."""
    far, near = subject.scores(QUESTION, [FAR, NEAR])
    assert near > far


def test_no_texts_have_no_scores(subject: Reranker) -> None:
    """Nothing in, nothing out."""
    assert subject.scores(QUESTION, []) == []


def test_one_that_does_not_say_is_unavailable(silent: Reranker) -> None:
    """The caller is told by one error, and has its own ranking."""
    with pytest.raises(RerankerUnavailable):
        silent.scores(QUESTION, TEXTS)
