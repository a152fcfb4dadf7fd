"""A client may go away at any byte: what it read is marked and proven, and the service goes on as if nothing was."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rag.domain import DISCLAIMER
from rag.settings import AI_LABEL
from tests.fakes.openai_server import Reply, ScriptedServer, chat_reply, endless
from tests.hostile.judging import claim_faults, faults
from tests.samples import QUESTION, draft, evidence_number

Serve = Callable[..., AbstractContextManager[httpx.Client]]
# A stream of the sample question is about so long; beyond it nothing is cut.
_LENGTH = 12_000
_PATIENCE = 10.0
cuts = settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class Talker:
    """A model that says two true things and a false one; while it `babbles`, it never ends."""

    def __init__(self) -> None:
        self.babbles = False

    def __call__(self, request: dict[str, Any]) -> Reply:
        """The draft."""
        if "陪护" not in str(request["messages"]):
            return chat_reply('{"claims": []}')
        number = [evidence_number({"messages": request["messages"][:2]}, "统筹基金按70%")]
        said = draft(
            ("陪护床费按70%报销。", number), ("陪护床费按99%报销。", number), ("陪护床费每日最高40元。", number)
        )
        return endless(said[:-2] + ', {"text": "') if self.babbles else chat_reply(said)


@pytest.fixture
def talker() -> Talker:
    """The model."""
    return Talker()


@pytest.fixture
def cut_http(serve_model: Serve, talker: Talker) -> Iterator[httpx.Client]:
    """A client of a service with one place for the model, no queue, and a deadline that nobody lives to see."""
    with (
        ScriptedServer(talker) as server,
        serve_model(server.base_url, llm_parallel=1, llm_queue=0, llm_deadline_seconds=60.0) as http,
    ):
        yield http


def read(http: httpx.Client, most: int, seconds: float = 0.3) -> bytes:
    """At most so many bytes of a stream, as far as they come in time; then the connection is closed."""
    body = {"question": QUESTION, "stream": True, "as_of": "2026-11-23"}
    got = b""
    with (
        contextlib.suppress(httpx.ReadTimeout),  # a model that babbles gives no more
        http.stream("POST", "/chat", json=body, timeout=httpx.Timeout(5, read=seconds)) as response,
    ):
        for more in response.iter_raw():
            got += more
            if len(got) >= most:
                break
    return got[:most]


def whole_events(told: bytes) -> list[tuple[str, dict[str, Any]]]:
    """The events that were read to their end."""
    parts = told.replace(b"\r\n", b"\n").split(b"\n\n")[:-1]
    pairs = (part.decode().strip().split("\n", 1) for part in parts)
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in pairs]


def assert_marked_and_proven(http: httpx.Client, events: list[tuple[str, dict[str, Any]]]) -> None:
    """Label and disclaimer came first, and each claim stands in what it cites."""

    def text(document_id: str) -> str:
        return str(http.get(f"/documents/{document_id}").json()["text"])

    for n, (name, body) in enumerate(events):
        if n == 0:
            assert name == "meta"
            assert (body["disclaimer"], body["ai_label"]) == (DISCLAIMER, AI_LABEL)
        if name == "claim":
            assert claim_faults(body["claim"], body["citations"]) == []
            assert "99" not in body["claim"]["text"]
        if name == "answer":
            assert faults(body, text, ["按99%报销"]) == []


def assert_well(http: httpx.Client) -> None:
    """The process lives, is ready, and its one place for the model is free again, long before the deadline."""
    assert http.get("/health/live").status_code == 200
    assert http.get("/health/ready").status_code == 200
    until = time.monotonic() + _PATIENCE
    while (outcome := http.post("/chat", json={"question": QUESTION}).json())["degraded"] == "queue_full":
        assert time.monotonic() < until, "the model call goes on without a reader"
    assert (outcome["mode"], outcome["degraded"]) == ("llm", None)


def test_a_stream_may_be_cut_anywhere(cut_http: httpx.Client) -> None:
    """At any byte of it: before meta, within an event, between two, right before the end."""

    @cuts
    @given(st.integers(0, _LENGTH))
    @example(_LENGTH * 10)
    def cut(most: int) -> None:
        assert_marked_and_proven(cut_http, whole_events(read(cut_http, most)))
        assert_well(cut_http)

    cut()


def test_a_stream_may_be_cut_while_the_model_writes(cut_http: httpx.Client, talker: Talker) -> None:
    """A model that would write for ever is let go with its reader."""

    @cuts
    @given(st.integers(0, _LENGTH))
    @example(_LENGTH * 10)
    def cut(most: int) -> None:
        talker.babbles = True
        events = whole_events(read(cut_http, most))
        talker.babbles = False
        assert "answer" not in dict(events)
        assert_marked_and_proven(cut_http, events)
        assert_well(cut_http)

    cut()


def test_what_is_read_before_a_cut_grows_with_it(cut_http: httpx.Client, talker: Talker) -> None:
    """So that the cuts above fall into every part of a stream."""
    names = [name for name, _ in whole_events(read(cut_http, _LENGTH * 10, seconds=20))]
    assert names == ["meta", "passages", "claim", "claim", "answer"]
    talker.babbles = True
    names = [name for name, _ in whole_events(read(cut_http, _LENGTH * 10, seconds=1))]
    assert names == ["meta", "passages", "claim", "claim"]
