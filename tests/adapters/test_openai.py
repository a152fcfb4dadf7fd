"""OpenAI-compatible servers: every way in which they fail has a name of ours, and nothing is taken for an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from rag.adapters.openai import OpenAIChatModel, OpenAIEmbedder, OutputMode
from rag.domain import Usage
from rag.errors import EmbedderUnavailable, ModelBusy, ModelDown, ModelOutputInvalid, ModelTooSlow
from rag.ports import ChatModel, Message
from tests.fakes.openai_server import Reply, Serve, chat_reply, embedding_reply, endless

ASKED = (Message("system", "只答JSON。"), Message("user", "护理补贴发多少？"))
SCHEMA: dict[str, object] = {"type": "object", "properties": {"claims": {"type": "array"}}}


def a_model(
    base_url: str, *, output: OutputMode = "json_schema", deadline: float = 10.0, queue: int = 0
) -> OpenAIChatModel:
    """A model with one place."""
    return OpenAIChatModel(
        base_url=base_url, model="scripted", api_key=None, output=output, deadline=deadline, parallel=1, queue=queue
    )


async def ask(model: OpenAIChatModel) -> tuple[str, Usage | None]:
    """One reply, whole, and its cost."""
    pieces = [piece async for piece in model.stream(ASKED, SCHEMA)]
    return "".join(piece.text for piece in pieces), pieces[-1].usage


@pytest.mark.anyio
async def test_a_reply_comes_with_its_cost(serve: Serve) -> None:
    """Text, tokens and the model's name are handed on."""
    model = a_model(serve(lambda _: chat_reply('{"claims": []}')).base_url)
    assert isinstance(model, ChatModel)
    assert await ask(model) == ('{"claims": []}', Usage(11, 7))


@pytest.mark.anyio
async def test_a_reply_comes_in_pieces(serve: Serve) -> None:
    """What is written is handed on before the reply is whole."""
    model = a_model(serve(lambda _: endless("甲乙丙丁")).base_url)
    pieces = model.stream(ASKED, SCHEMA)
    assert (await anext(pieces)).text + (await anext(pieces)).text == "甲乙丙丁"[:2]
    await pieces.aclose()


@pytest.mark.anyio
async def test_a_server_that_does_not_stream_is_understood(serve: Serve) -> None:
    """It sends the whole reply as JSON."""
    model = a_model(serve(lambda _: Reply(body=chat_reply("{}").body)).base_url)
    assert await ask(model) == ("{}", Usage(11, 7))


@pytest.mark.anyio
async def test_a_reply_that_never_ends_is_too_slow(serve: Serve) -> None:
    """The deadline is for the whole reply, not for the next piece of it."""
    model = a_model(serve(lambda _: endless("甲")).base_url, deadline=0.5)
    with pytest.raises(ModelTooSlow):
        await ask(model)


@pytest.mark.anyio
async def test_a_stream_that_breaks_off_is_a_model_that_is_down(serve: Serve) -> None:
    """A connection lost half-way is a failure, and not the end of the reply."""
    model = a_model(serve(lambda _: Reply(pieces=("甲", "乙"), breaks=True)).base_url)
    with pytest.raises((ModelDown, ModelOutputInvalid)):
        await ask(model)


@pytest.mark.anyio
async def test_who_stops_listening_frees_the_place(serve: Serve) -> None:
    """Closing the stream ends the call at the server."""
    replies = iter([endless("甲"), chat_reply("{}")])
    model = a_model(serve(lambda _: next(replies)).base_url)
    pieces = model.stream(ASKED, SCHEMA)
    await anext(pieces)
    await pieces.aclose()
    assert (await ask(model))[0] == "{}"


@pytest.mark.anyio
async def test_roles_and_words_arrive_as_they_are(serve: Serve) -> None:
    """Messages are sent in order, and with settings under which an answer repeats itself."""
    server = serve(lambda _: chat_reply("{}"))
    await ask(a_model(server.base_url))
    (sent,) = server.requests
    assert sent["messages"] == [
        {"role": "system", "content": "只答JSON。"},
        {"role": "user", "content": "护理补贴发多少？"},
    ]
    assert (sent["model"], sent["temperature"], sent["seed"]) == ("scripted", 0, 7)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("output", "asked"),
    [
        ("json_schema", {"type": "json_schema", "json_schema": {"name": "draft", "schema": SCHEMA, "strict": True}}),
        ("json_object", {"type": "json_object"}),
        ("prompt", None),
    ],
)
async def test_json_is_asked_for_as_the_server_can(
    serve: Serve, output: OutputMode, asked: dict[str, Any] | None
) -> None:
    """By schema, by JSON mode, or by the prompt alone."""
    server = serve(lambda _: chat_reply("{}"))
    await ask(a_model(server.base_url, output=output))
    assert server.requests[0].get("response_format") == asked


@pytest.mark.anyio
@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
async def test_an_error_status_is_a_model_that_is_down(serve: Serve, status: int) -> None:
    """Any error status is ModelDown, after one call: a second try would outlast the deadline."""
    server = serve(lambda _: Reply(status, {"error": {"message": "no"}}))
    with pytest.raises(ModelDown, match=str(status)):
        await ask(a_model(server.base_url))
    assert len(server.requests) == 1


@pytest.mark.anyio
async def test_nobody_listening_is_a_model_that_is_down(serve: Serve) -> None:
    """A refused connection is ModelDown."""
    server = serve(lambda _: chat_reply("{}"))
    server.close()
    with pytest.raises(ModelDown, match="Connection"):
        await ask(a_model(server.base_url))


@pytest.mark.anyio
async def test_a_late_reply_is_a_model_that_is_too_slow(serve: Serve) -> None:
    """After the deadline nobody waits on."""
    server = serve(lambda _: Reply(delay=30))
    with pytest.raises(ModelTooSlow):
        await ask(a_model(server.base_url, deadline=0.3))


@pytest.mark.anyio
@pytest.mark.parametrize("reason", ["length", "content_filter"])
async def test_a_reply_cut_short_is_invalid(serve: Serve, reason: str) -> None:
    """Half an answer is not an answer."""
    with pytest.raises(ModelOutputInvalid, match=reason):
        await ask(a_model(serve(lambda _: chat_reply('{"claims": [', reason)).base_url))


BROKEN: dict[str, Reply] = {
    "no content": chat_reply(""),
    "no choices": Reply(body={"choices": []}),
    "no fields": Reply(body={}),
    "no message": Reply(body={"choices": [{"index": 0, "finish_reason": "stop"}]}),
    "no object": Reply(body=b"[]"),
    "half a body": Reply(body=b'{"choices": ['),
    "no body": Reply(body=b""),
}


@pytest.mark.anyio
@pytest.mark.parametrize("case", BROKEN)
async def test_a_broken_reply_is_a_failure_with_a_name(serve: Serve, case: str) -> None:
    """What is no chat completion is a ModelFailure, so that the extractive path answers instead."""
    with pytest.raises((ModelOutputInvalid, ModelDown)):
        await ask(a_model(serve(lambda _: BROKEN[case]).base_url))


@pytest.mark.anyio
async def test_who_finds_the_queue_full_is_turned_away(serve: Serve) -> None:
    """With all places and the queue taken the next one is told at once, and the others are not disturbed."""
    model = a_model(serve(lambda _: Reply(body=chat_reply("{}").body, delay=0.3)).base_url, queue=1)
    first, second = (
        asyncio.create_task(ask(model)),
        asyncio.create_task(ask(model)),
    )
    await asyncio.sleep(0)
    with pytest.raises(ModelBusy):
        await ask(model)
    assert [(await first)[0], (await second)[0]] == ["{}", "{}"]


@pytest.mark.anyio
async def test_places_are_given_back_after_a_failure(serve: Serve) -> None:
    """A call that failed leaves its place to the next one."""
    replies = iter([Reply(500), chat_reply("{}")])
    model = a_model(serve(lambda _: next(replies)).base_url)
    with pytest.raises(ModelDown):
        await ask(model)
    assert (await ask(model))[0] == "{}"


@pytest.mark.anyio
async def test_the_wait_for_a_place_counts(serve: Serve) -> None:
    """The deadline covers the queue as well: nobody waits twice as long as promised."""
    server = serve(lambda _: Reply(body=chat_reply("{}").body, delay=30))
    model = a_model(server.base_url, deadline=0.4, queue=1)
    calls = [asyncio.create_task(ask(model)) for _ in range(2)]
    started = asyncio.get_running_loop().time()
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(error) for error in ended] == [ModelTooSlow, ModelTooSlow]
    assert asyncio.get_running_loop().time() - started < 0.75


def _embeds(dimension: int) -> Callable[[dict[str, Any]], Reply]:
    return lambda request: embedding_reply([[1.0] * dimension for _ in request["input"]])


def test_an_embedder_is_named_by_model_and_address(serve: Serve) -> None:
    """Two endpoints of one dimension are two embedders: their vectors are never mixed."""
    one, other = serve(_embeds(4)), serve(_embeds(4))
    ids = {
        OpenAIEmbedder(base_url=url, model=model, api_key=None).id
        for url, model in [(one.base_url, "m"), (one.base_url, "m2"), (other.base_url, "m"), (one.base_url + "/", "m")]
    }
    assert len(ids) == 3


def test_the_dimension_is_the_endpoints_own(serve: Serve) -> None:
    """Nobody has to state it."""
    assert OpenAIEmbedder(base_url=serve(_embeds(5)).base_url, model="m", api_key=None).dimension == 5


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(401, {}), id="refused"),
        pytest.param(Reply(body={"data": []}), id="no rows"),
        pytest.param(Reply(body={}), id="no fields"),
        pytest.param(Reply(body=b'{"data": ['), id="half a body"),
        pytest.param(Reply(body={"data": [{"index": 0, "embedding": "AAAA"}]}), id="no numbers"),
        pytest.param(Reply(body=b'{"data": [{"index": 0, "embedding": [NaN, 1.0]}]}'), id="NaN"),
    ],
)
def test_an_endpoint_that_gives_no_vectors_is_unavailable(serve: Serve, reply: Reply) -> None:
    """Whatever comes instead of vectors is EmbedderUnavailable, so that search goes on with BM25."""
    server = serve(lambda _: reply)
    with pytest.raises(EmbedderUnavailable):
        OpenAIEmbedder(base_url=server.base_url, model="m", api_key=None)


def test_a_row_too_few_is_refused(serve: Serve) -> None:
    """Vectors are never shifted to the wrong texts."""
    embedder = OpenAIEmbedder(base_url=serve(lambda _: embedding_reply([[1.0, 0.0]])).base_url, model="m", api_key=None)
    with pytest.raises(EmbedderUnavailable, match="1 vectors for 2 texts"):
        embedder.passages(["甲", "乙"])


def test_a_change_of_dimension_is_refused(serve: Serve) -> None:
    """An endpoint whose model was exchanged behind its name is noticed at the next call."""
    widths = iter([3, 4])
    server = serve(lambda request: embedding_reply([[1.0] * next(widths) for _ in request["input"]]))
    embedder = OpenAIEmbedder(base_url=server.base_url, model="m", api_key=None)
    with pytest.raises(EmbedderUnavailable):
        embedder.query("护理补贴")
