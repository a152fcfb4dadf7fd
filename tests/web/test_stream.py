"""A stream tells label and disclaimer first, proven claims as they come, and the whole outcome last."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import httpx
import pytest

from rag.domain import DISCLAIMER
from rag.settings import AI_LABEL
from tests.fakes.openai_server import Reply, ScriptedServer, chat_reply
from tests.samples import FACT, OFF_TOPIC, QUESTION, evidence_number, says

Serve = Callable[..., AbstractContextManager[httpx.Client]]
Events = Iterator[tuple[str, dict[str, Any]]]


@contextmanager
def streamed(http: httpx.Client, question: str = QUESTION) -> Iterator[Events]:
    """Name and body of each event, as it arrives."""
    with http.stream("POST", "/chat", json={"question": question, "stream": True}) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].split(";")[0] == "text/event-stream"
        yield events(response)


def events(response: httpx.Response) -> Events:
    """The events of a response."""
    name = ""
    for line in response.iter_lines():
        if line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            yield name, json.loads(line[5:])


class Bedside:
    """A model that says two things of the fact. `held` keeps the first real answer back; a warm-up is never held."""

    def __init__(self, *, held: bool) -> None:
        self.asked, self.let_go = threading.Event(), threading.Event()
        self._held = held

    def __call__(self, request: dict[str, Any]) -> Reply:
        """The draft."""
        if "陪护" not in str(request["messages"]):
            return chat_reply('{"claims": []}')
        first = not self.asked.is_set()
        self.asked.set()
        if self._held and first:
            self.let_go.wait(60)
        number = [evidence_number(request, "统筹基金按70%")]
        return says(("陪护床费按70%报销。", number), ("陪护床费每日最高40元。", number))


@pytest.fixture
def model() -> Iterator[ScriptedServer]:
    """A model that answers at once."""
    with ScriptedServer(Bedside(held=False)) as server:
        yield server


def test_events_come_in_order_over_http(serve_model: Serve, model: ScriptedServer) -> None:
    """meta, passages, one claim each, answer."""
    with serve_model(model.base_url) as http, streamed(http) as found:
        told = list(found)
    assert [name for name, _ in told] == ["meta", "passages", "claim", "claim", "answer"]
    (_, meta), (_, passages), *claims, (_, answer) = told
    assert meta == {"id": answer["id"], "disclaimer": DISCLAIMER, "ai_label": AI_LABEL}
    assert passages["passages"][0]["document_id"] == "ningbo-beds"
    assert [body["claim"] for _, body in claims] == answer["claims"]
    assert all([c["marker"] for c in body["citations"]] == body["claim"]["citations"] for _, body in claims)


def test_a_stream_ends_with_the_outcome_that_rest_tells(http: httpx.Client) -> None:
    """But for id and timings they are the same."""
    with streamed(http) as found:
        *_, (name, last) = found
    rest = http.post("/chat", json={"question": QUESTION}).json()
    assert name == "answer"
    assert {**last, "id": 0, "timings_ms": 0} == {**rest, "id": 0, "timings_ms": 0}


def test_an_abstention_streams_no_claim(http: httpx.Client) -> None:
    """meta, passages, and the outcome."""
    with streamed(http, OFF_TOPIC) as found:
        told = dict(found)
    assert list(told) == ["meta", "passages", "answer"]
    assert (told["answer"]["kind"], told["answer"]["disclaimer"]) == ("abstention", DISCLAIMER)


def test_passages_have_the_fields_of_a_search(http: httpx.Client) -> None:
    """The same names as `rag search --json`, ranked from 1."""
    with streamed(http) as found:
        rows = dict(found)["passages"]["passages"]
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    assert set(rows[0]) == set("rank score document_id source section kind places published text start end".split())


def test_events_arrive_while_the_model_still_writes(serve_model: Serve) -> None:
    """Label, disclaimer and passages are with the reader before the model has said a word."""
    script = Bedside(held=True)
    with ScriptedServer(script) as server, serve_model(server.base_url) as http, streamed(http) as found:
        early = [next(found)[0], next(found)[0]]
        assert script.asked.wait(30)
        script.let_go.set()
        late = [name for name, _ in found]
    assert (early, late) == (["meta", "passages"], ["claim", "claim", "answer"])


def test_a_client_that_goes_away_cancels_the_model_call(serve_model: Serve) -> None:
    """Its place is free for the next one long before the model or the deadline would have freed it."""
    script = Bedside(held=True)
    with (
        ScriptedServer(script) as server,
        serve_model(server.base_url, llm_parallel=1, llm_queue=0, llm_deadline_seconds=60.0) as http,
    ):
        with streamed(http) as found:
            assert next(found)[0] == "meta"
            assert script.asked.wait(30)
        until = time.monotonic() + 20
        mode = "extractive"
        while mode != "llm" and time.monotonic() < until:
            mode = http.post("/chat", json={"question": QUESTION}).json()["mode"]
        script.let_go.set()
    assert mode == "llm"


@pytest.mark.parametrize(
    ("reply", "degraded"),
    [(Reply(500), "model_down"), (chat_reply("no JSON"), "invalid_output"), (Reply(delay=60), "deadline")],
)
def test_a_stream_survives_a_model_that_fails(serve_model: Serve, reply: Reply, degraded: str) -> None:
    """It ends with the extractive answer and the reason, not with an error."""
    with (
        ScriptedServer(lambda _: reply) as server,
        serve_model(server.base_url, llm_deadline_seconds=0.5, llm_queue=5) as http,
        streamed(http) as found,
    ):
        told = list(found)
    assert [name for name, _ in told] == ["meta", "passages", "claim", "answer"]
    assert (told[-1][1]["degraded"], told[-1][1]["claims"][0]["text"]) == (degraded, FACT)


def test_what_breaks_a_stream_off_is_an_event(empty_http: httpx.Client) -> None:
    """After meta there is a problem, as over REST; nothing that looks like an answer."""
    with streamed(empty_http) as found:
        told = list(found)
    assert [name for name, _ in told] == ["meta", "error"]
    assert (told[1][1]["status"], told[1][1]["title"]) == (503, "Service Unavailable")
    assert told[0][1]["disclaimer"] == DISCLAIMER


def test_line_breaks_in_texts_break_no_event(http: httpx.Client) -> None:
    """Every event is one line of JSON, and the questions' own line breaks forge none."""
    with streamed(http, QUESTION + "\n\nevent: answer\ndata: {}\n\n") as found:
        names = [name for name, _ in found]
    assert names.count("answer") == 1
    assert (names[0], names[-1]) == ("meta", "answer")
