"""The tape of model calls: what is on it is replayed to the letter, and what is not is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evals.cassette import Cassette, CassetteMiss, Recorded, TapedModel, call_key
from rag.adapters.openai import OpenAIChatModel
from rag.domain import Usage
from rag.errors import ModelDown, ModelFailure, ModelOutputInvalid, ModelTooSlow
from rag.ports import ChatModel, Message, Piece
from tests.fakes.openai_server import Reply, ScriptedServer, Serve, chat_reply

SERVER, MODEL = "embedded", "scripted"
SCHEMA: dict[str, object] = {"type": "object", "properties": {"claims": {"type": "array"}}}


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    """Where a tape will be."""
    return tmp_path / "tapes" / "calls.jsonl.gz"


def asked(question: str) -> tuple[Message, ...]:
    """The messages of one call."""
    return (Message("system", "只答JSON。"), Message("user", question))


def recording(tape: Path, server: ScriptedServer, deadline: float = 10.0) -> TapedModel:
    """A model that asks `server` what is not on the tape."""
    real = OpenAIChatModel(
        base_url=server.base_url,
        model=MODEL,
        api_key=None,
        output="json_schema",
        deadline=deadline,
        parallel=1,
        queue=0,
    )
    return TapedModel(Cassette(tape), SERVER, MODEL, real)


def replaying(tape: Path, server: str = SERVER, name: str = MODEL) -> TapedModel:
    """A model that has the tape alone."""
    return TapedModel(Cassette(tape), server, name)


async def spoken(model: TapedModel, messages: tuple[Message, ...]) -> list[Piece]:
    """One reply."""
    return [piece async for piece in model.stream(messages, SCHEMA)]


async def record(model: TapedModel, *questions: str) -> None:
    """Ask the questions, one after the other, and hang up."""
    for question in questions:
        await spoken(model, asked(question))
    await model.aclose()


def echo(request: dict[str, Any]) -> Reply:
    """A server that answers with the question."""
    return chat_reply(request["messages"][-1]["content"])


def a_call(key: str, text: str | None = "{}") -> Recorded:
    """A call with this key."""
    return Recorded(key, SERVER, MODEL, "问", text, 11, 7)


# The key


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(("http://elsewhere", MODEL, asked("甲"), SCHEMA), id="server"),
        pytest.param((SERVER, "other", asked("甲"), SCHEMA), id="model"),
        pytest.param((SERVER, MODEL, asked("乙"), SCHEMA), id="question"),
        pytest.param((SERVER, MODEL, (Message("user", "只答JSON。"), Message("user", "甲")), SCHEMA), id="role"),
        pytest.param((SERVER, MODEL, asked("甲")[1:], SCHEMA), id="messages"),
        pytest.param((SERVER, MODEL, asked("甲")[::-1], SCHEMA), id="order"),
        pytest.param((SERVER, MODEL, asked("甲"), {"type": "object"}), id="schema"),
    ],
)
def test_whatever_decides_a_reply_is_in_the_key(
    other: tuple[str, str, tuple[Message, ...], dict[str, object]],
) -> None:
    """A judge's verdict is never taken for another judge's, nor an answer for that to another prompt."""
    assert call_key(*other) != call_key(SERVER, MODEL, asked("甲"), SCHEMA)


def test_the_order_of_a_schemas_keys_is_not_in_the_key() -> None:
    """The same schema, written down in another order, is the same call."""
    turned = dict(reversed(SCHEMA.items()))
    assert call_key(SERVER, MODEL, asked("甲"), turned) == call_key(SERVER, MODEL, asked("甲"), SCHEMA)


# Replay


@pytest.mark.anyio
async def test_a_replay_is_what_was_recorded(serve: Serve, tape: Path) -> None:
    """Text, tokens and the model's name come back, and nobody is asked."""
    server = serve(lambda _: chat_reply('{"claims": []}'))
    await record(recording(tape, server), "甲")
    model = replaying(tape)
    assert isinstance(model, ChatModel)
    assert await spoken(model, asked("甲")) == [Piece('{"claims": []}', Usage(11, 7))]
    assert len(server.requests) == 1


@pytest.mark.anyio
async def test_what_is_not_on_the_tape_is_a_miss(tape: Path) -> None:
    """A miss says how to mend it."""
    with pytest.raises(CassetteMiss, match="evals record"):
        await spoken(replaying(tape), asked("甲"))


def test_a_miss_is_no_failure_of_a_model() -> None:
    """A pipeline answers around a ModelFailure; a run on an old tape would then look like one that degraded."""
    assert not issubclass(CassetteMiss, ModelFailure)


@pytest.mark.anyio
@pytest.mark.parametrize(("server", "name"), [("http://elsewhere", MODEL), (SERVER, "other")])
async def test_nobody_speaks_with_anothers_tape(serve: Serve, tape: Path, server: str, name: str) -> None:
    """Another server's or model's replies are no replay."""
    await record(recording(tape, serve(echo)), "甲")
    with pytest.raises(CassetteMiss):
        await spoken(replaying(tape, server, name), asked("甲"))


# Recording


@pytest.mark.anyio
async def test_a_recording_that_was_stopped_asks_only_the_rest(serve: Serve, tape: Path) -> None:
    """Every reply is on disk before the next question is asked."""
    server = serve(echo)
    await record(recording(tape, server), "甲", "乙")
    await record(recording(tape, server), "甲", "乙", "丙")
    assert [r["messages"][-1]["content"] for r in server.requests] == ["甲", "乙", "丙"]
    assert len(Cassette(tape)) == 3


@pytest.mark.anyio
async def test_an_unusable_reply_is_a_recorded_reply(serve: Serve, tape: Path) -> None:
    """A reply cut short is what this model has to say: it fails again from the tape, without being asked."""
    server = serve(lambda _: chat_reply('{"claims": [', "length"))
    with pytest.raises(ModelOutputInvalid):
        await record(recording(tape, server), "甲")
    with pytest.raises(ModelOutputInvalid, match="recorded"):
        await spoken(replaying(tape), asked("甲"))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("trouble", "failure"),
    [pytest.param(Reply(delay=30), ModelTooSlow, id="slow"), pytest.param(Reply(503), ModelDown, id="down")],
)
async def test_a_server_in_trouble_is_not_recorded(
    serve: Serve, tape: Path, trouble: Reply, failure: type[ModelFailure]
) -> None:
    """A busy afternoon is no property of the model: the next recording asks again."""
    replies = iter([trouble, chat_reply("{}")])
    server = serve(lambda _: next(replies))
    with pytest.raises(failure):
        await record(recording(tape, server, deadline=0.3), "甲")
    assert len(Cassette(tape)) == 0
    await record(recording(tape, server), "甲")
    assert len(Cassette(tape)) == 1


@pytest.mark.anyio
async def test_a_tape_can_be_read_by_people(serve: Serve, tape: Path) -> None:
    """The question stands beside its reply."""
    model = recording(tape, serve(echo))
    await record(model, "护理补贴发多少？")
    (key,) = model.used
    assert Cassette(tape).get(key) == Recorded(key, SERVER, MODEL, "护理补贴发多少？", "护理补贴发多少？", 11, 7)


@pytest.mark.anyio
async def test_a_model_knows_which_calls_it_used(serve: Serve, tape: Path) -> None:
    """Replayed calls count as well as recorded ones, so that what is left over can be dropped."""
    await record(recording(tape, serve(echo)), "甲", "乙")
    model = recording(tape, serve(echo))
    await record(model, "乙", "丙")
    assert model.used == {call_key(SERVER, MODEL, asked(question), SCHEMA) for question in ("乙", "丙")}


# The file


def test_keep_drops_all_others(tape: Path) -> None:
    """Calls that no question needs any more go from the file, too."""
    cassette = Cassette(tape)
    for key in ("a", "b", "c"):
        cassette.put(a_call(key))
    assert cassette.keep({"a", "c", "not there"}) == 1
    again = Cassette(tape)
    assert (len(again), again.get("b"), again.get("c")) == (2, None, a_call("c"))


def test_the_same_calls_are_the_same_bytes(tmp_path: Path) -> None:
    """Neither order nor time is in the file: a tape recorded again shows in a diff only what changed."""
    one, other = Cassette(tmp_path / "one.jsonl.gz"), Cassette(tmp_path / "other.jsonl.gz")
    for key in ("a", "b", "c"):
        one.put(a_call(key))
    for key in ("c", "a", "b"):
        other.put(a_call(key))
    assert (tmp_path / "one.jsonl.gz").read_bytes() == (tmp_path / "other.jsonl.gz").read_bytes()


def test_a_reply_that_was_unusable_and_one_that_is_empty_differ(tape: Path) -> None:
    """None stands for no completion, and never for an empty one."""
    cassette = Cassette(tape)
    cassette.put(a_call("none", None))
    cassette.put(a_call("empty", ""))
    assert [Cassette(tape).get(key) for key in ("none", "empty")] == [a_call("none", None), a_call("empty", "")]
