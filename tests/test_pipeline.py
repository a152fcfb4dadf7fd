"""A question becomes an outcome: proven where the model helps, extractive where it fails, and never an exception."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rag.answer.frames import phrases
from rag.answer.verifying.slots import slots
from rag.domain import Abstention, Answer, Outcome, Scope, Usage
from rag.errors import IndexMissing
from rag.pipeline import ClaimProven, Finished, Opened, PassagesFound, Pipeline
from rag.settings import Settings
from rag.wiring import Service
from tests.fakes.openai_server import Reply, ScriptedServer, chat_reply
from tests.samples import FACT, OFF_TOPIC, QUESTION, build_index, evidence_number, says

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[1]
AS_OF = dt.date(2026, 11, 23)
Script = Callable[[dict[str, Any]], Reply]


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory, model_dir: Path) -> Settings:
    """Extractive answers over the three sample documents, indexed once."""
    folder = tmp_path_factory.mktemp("pipeline")
    data = str(folder / "data")
    return build_index(
        folder, Settings(data_dir=data, model_dir=str(model_dir), prompt_dir=str(ROOT / "prompts"), llm="extractive")
    )


@pytest.fixture
def services() -> Iterator[list[Service]]:
    """Services that the test opened; all are closed at its end."""
    opened: list[Service] = []
    yield opened
    for service in opened:
        service.close()


@pytest.fixture
def extractive(indexed: Settings, services: list[Service]) -> Pipeline:
    """A pipeline without a model."""
    services.append(Service(indexed))
    return services[-1].pipeline


Connect = Callable[..., Pipeline]


@pytest.fixture
def connect(indexed: Settings, services: list[Service]) -> Connect:
    """Pipelines with the model at an address, and further settings."""

    def to(base_url: str, **changed: object) -> Pipeline:
        model = {"llm": "model", "llm_base_url": base_url, "llm_model": "scripted", "llm_deadline_seconds": 10.0}
        services.append(Service(msgspec.structs.replace(indexed, **(model | changed))))
        return services[-1].pipeline

    return to


async def ask(pipeline: Pipeline, question: str = QUESTION) -> Outcome:
    """The outcome for a fixed date."""
    return await pipeline.answer(pipeline.query(question, as_of=AS_OF))


def assert_extractive(outcome: Outcome, degraded: str | None) -> None:
    """The outcome is the fact in the source's own words, with its evidence."""
    assert isinstance(outcome, Answer)
    assert (outcome.mode, outcome.model, outcome.degraded) == ("extractive", "extractive", degraded)
    assert [claim.mode for claim in outcome.claims] == ["quoted"]
    assert outcome.citations[0].quote == FACT
    assert outcome.text.startswith(FACT[:-1] + "[1]。")


def assert_proven(outcome: Outcome) -> None:
    """Every figure of every claim stands in what the claim cites."""
    quotes = {citation.marker: citation.quote for citation in outcome.citations}
    for claim in outcome.claims:
        told = {slot.key for n in claim.citations for slot in slots(quotes[n])}
        assert {slot.key for slot in slots(claim.text)} <= told


def about_beds(*texts: str) -> Script:
    """A model that says these sentences of the fact, under whatever number it was shown."""
    return lambda request: says(*[(text, [evidence_number(request, "统筹基金按70%")]) for text in texts])


async def test_who_asks_two_things_is_told_both(extractive: Pipeline) -> None:
    """Each thing has its own evidence, wherever it stands; the second is no near miss of the first."""
    outcome = await ask(extractive, "宁波职工医保的陪护床费能报销多少？长期在外地住的人，备案办一次管多久？")
    assert isinstance(outcome, Answer)
    assert {citation.document_id for citation in outcome.citations} == {"ningbo-beds", "records"}
    assert "70%" in outcome.text
    assert "12个月" in outcome.text


async def test_without_a_model_the_source_speaks(extractive: Pipeline) -> None:
    """Extractive is a mode of its own and not a degraded one."""
    assert_extractive(await ask(extractive), None)


async def test_what_nothing_tells_of_is_not_answered(extractive: Pipeline) -> None:
    """An abstention claims nothing and says whom to ask."""
    outcome = await ask(extractive, OFF_TOPIC)
    assert isinstance(outcome, Abstention)
    assert (outcome.reason, outcome.claims, outcome.citations) == ("out_of_domain", (), ())
    assert "12393" in outcome.text


async def test_a_text_that_is_in_no_source_is_said_to_be_in_none(extractive: Pipeline) -> None:
    """What a document that nobody has seen is said to say is neither confirmed nor denied."""
    outcome = await ask(extractive, f"《宁波陪护条例》里写的是多少？{QUESTION}")
    assert isinstance(outcome, Answer)
    assert outcome.warnings[0] == "unseen_reference"


async def test_the_rule_for_other_people_is_no_answer(extractive: Pipeline) -> None:
    """What employees are paid says nothing of residents."""
    outcome = await ask(extractive, QUESTION.replace("职工", "居民"))
    assert isinstance(outcome, Abstention)
    assert outcome.reason == "weak_evidence"


async def test_what_a_text_says_that_is_in_no_source_is_not_answered(extractive: Pipeline) -> None:
    """The rule of another text is no answer to what this one says."""
    outcome = await ask(extractive, "按《宁波陪护条例》第十条，宁波职工医保的陪护床费能报销多少？")
    assert isinstance(outcome, Abstention)
    assert (outcome.reason, outcome.claims) == ("no_evidence", ())
    assert outcome.text.startswith(phrases("zh").text_unseen)


async def test_a_table_row_answers_with_its_header(extractive: Pipeline) -> None:
    """Both figures of the row are told, and the cited spans hold them."""
    outcome = await ask(extractive, "无锡6至14周岁儿童配镜补助多少钱？")
    assert "450元" in outcome.text
    assert "每副补助" in outcome.citations[0].quote
    assert_proven(outcome)


async def test_a_good_draft_is_the_answer(connect: Connect) -> None:
    """The model's sentence stands with its evidence; model and tokens are told."""
    with ScriptedServer(about_beds("宁波职工医保住院期间的陪护床费按70%报销，每日最高40元。")) as server:
        outcome = await ask(connect(server.base_url))
    assert (outcome.mode, outcome.model, outcome.degraded, outcome.usage) == ("llm", "scripted", None, Usage(11, 7))
    assert outcome.text.startswith("宁波职工医保住院期间的陪护床费按70%报销，每日最高40元[1]。")
    assert outcome.citations[0].quote == FACT


async def test_timings_tell_the_stages(connect: Connect) -> None:
    """Each stage took some time, and all of them no more than the whole."""
    with ScriptedServer(about_beds("陪护床费按70%报销，每日最高40元。")) as server:
        spent = (await ask(connect(server.base_url))).timings_ms
    assert min(spent.retrieve, spent.generate) > 0
    assert spent.retrieve + spent.generate + spent.verify <= spent.total + 1


FALSE = [
    ("陪护床费按80%报销，每日最高40元。", "80%"),
    ("陪护床费按70%报销，每日最高400元。", "400元"),
    ("陪护床费按70%报销，每日最高40元，每年限额2万元。", "2万元"),
    ("陪护床费按70%报销，疑问请拨打96345。", "96345"),
    ("陪护床费按百分之九十报销。", "九十"),
    ("陪护床费自2025年7月1日起按70%报销。", "2025年"),
    ("依据甬医保发〔2021〕9号，陪护床费按70%报销。", "2021"),
    ("陪护床费按百分之百报销。", "百分之百"),
    ("陪护床费不予报销。", "不予"),
    ("温州职工陪护床费按70%报销。", "温州"),
    ("宁波居民医保的陪护床费按70%报销。", "居民"),
]


@pytest.mark.parametrize(("text", "wrong"), FALSE)
async def test_what_the_model_invents_never_reaches_the_reader(connect: Connect, text: str, wrong: str) -> None:
    """The source's own words stand in its place; the model did answer, so nothing is degraded."""
    with ScriptedServer(about_beds(text)) as server:
        outcome = await ask(connect(server.base_url))
    assert wrong not in outcome.text
    assert (outcome.mode, outcome.degraded, [c.mode for c in outcome.claims]) == ("llm", None, ["quoted"])
    assert outcome.citations[0].quote == FACT
    assert_proven(outcome)


async def test_figures_of_other_evidence_prove_nothing(connect: Connect) -> None:
    """A figure that stands in another shown unit than the cited one does not reach the reader."""

    def script(request: dict[str, Any]) -> Reply:
        return says(("餐费和停车费每日最高40元。", [evidence_number(request, "餐费和停车费")]))

    with ScriptedServer(script) as server:
        outcome = await ask(connect(server.base_url))
    assert "40元" not in outcome.text
    assert_proven(outcome)


DEAD = [
    (Reply(500, {"error": {"message": "boom"}}), "model_down"),
    (Reply(503, b"<html>busy</html>"), "model_down"),
    (Reply(401, {"error": {"message": "no key"}}), "model_down"),
    (Reply(404, {}), "model_down"),
    (Reply(429, {"error": {"message": "slow down"}}), "model_down"),
    (chat_reply(""), "invalid_output"),
    (chat_reply("陪护床费报销80%。"), "invalid_output"),
    (chat_reply('{"claims": [{"text": "陪护床费报销80%。"'), "invalid_output"),
    (chat_reply('{"claims": [', finish_reason="length"), "invalid_output"),
    (chat_reply("{}", finish_reason="content_filter"), "invalid_output"),
    (Reply(200, {}), "invalid_output"),
    (Reply(200, {"choices": []}), "invalid_output"),
]


@pytest.mark.parametrize(("reply", "degraded"), DEAD)
async def test_a_model_that_fails_is_done_without(connect: Connect, reply: Reply, degraded: str) -> None:
    """The answer is extractive and says why."""
    with ScriptedServer(lambda _: reply) as server:
        assert_extractive(await ask(connect(server.base_url)), degraded)


STRANGE = [
    Reply(200, b"<html>busy</html>"),
    Reply(200, b"[]"),
    Reply(200, b""),
    Reply(200, {"choices": [{}]}),
    Reply(200, {"choices": [{"message": None, "finish_reason": "stop"}]}),
    Reply(200, {"choices": [{"message": {"role": "assistant", "content": [1]}, "finish_reason": "stop"}]}),
    Reply(200, {"choices": [{"message": {"content": "{}"}, "finish_reason": "stop"}], "usage": {"total_tokens": 3}}),
]


@pytest.mark.parametrize("reply", STRANGE)
async def test_a_server_that_is_no_model_is_done_without(connect: Connect, reply: Reply) -> None:
    """A proxy's page or half a completion is a failure with a reason and no exception."""
    with ScriptedServer(lambda _: reply) as server:
        outcome = await ask(connect(server.base_url))
    assert outcome.degraded in {"model_down", "invalid_output"}
    assert_extractive(outcome, outcome.degraded)


async def test_broken_output_is_asked_for_twice_and_no_more(connect: Connect) -> None:
    """One repair, then the extractive answer."""
    with ScriptedServer(lambda _: chat_reply("not JSON")) as server:
        assert_extractive(await ask(connect(server.base_url)), "invalid_output")
        assert len(server.requests) == 2


async def test_a_repaired_draft_counts_as_the_models(connect: Connect) -> None:
    """Both calls are paid for; nothing is degraded."""
    good = about_beds("陪护床费按70%报销，每日最高40元。")

    def script(request: dict[str, Any]) -> Reply:
        asked_again = len(request["messages"]) > 2
        return good({"messages": request["messages"][:2]}) if asked_again else chat_reply("not JSON")

    with ScriptedServer(script) as server:
        outcome = await ask(connect(server.base_url))
    assert (outcome.mode, outcome.degraded, outcome.usage) == ("llm", None, Usage(22, 14))


async def test_a_model_that_is_not_there_is_done_without(connect: Connect) -> None:
    """Connection refused."""
    with ScriptedServer(lambda _: chat_reply("{}")) as server:
        gone = server.base_url
    assert_extractive(await ask(connect(gone)), "model_down")


async def test_a_model_that_is_too_slow_is_not_waited_for(connect: Connect) -> None:
    """The deadline holds, whatever the model does."""
    with ScriptedServer(lambda _: Reply(delay=60)) as server:
        outcome = await ask(connect(server.base_url, llm_deadline_seconds=0.2))
    assert_extractive(outcome, "deadline")
    assert outcome.timings_ms.generate < 5_000


async def test_the_time_in_the_queue_counts(connect: Connect) -> None:
    """Whoever waits for a place waits no longer than the deadline either."""
    with ScriptedServer(lambda _: Reply(delay=60)) as server:
        pipeline = connect(server.base_url, llm_parallel=1, llm_queue=1, llm_deadline_seconds=1.0)
        both = await asyncio.gather(ask(pipeline), ask(pipeline))
    assert [outcome.degraded for outcome in both] == ["deadline", "deadline"]
    assert max(outcome.timings_ms.generate for outcome in both) < 1_700


class Held:
    """A script that holds every reply until it is let go."""

    def __init__(self, reply: Script) -> None:
        self._reply, self._let_go, self.asked = reply, threading.Event(), threading.Event()

    def __call__(self, request: dict[str, Any]) -> Reply:
        """The reply, later."""
        self.asked.set()
        self._let_go.wait(30)
        return self._reply(request)

    def let_go(self) -> None:
        """Reply now, and at once from now on."""
        self._let_go.set()

    async def wait_until_asked(self) -> None:
        """Until the model has a call to answer."""
        assert await asyncio.to_thread(self.asked.wait, 30)


@pytest.fixture
def held() -> Iterator[Held]:
    """A good draft, held back."""
    script = Held(about_beds("陪护床费按70%报销，每日最高40元。"))
    yield script
    script.let_go()


async def test_a_full_queue_is_not_joined(connect: Connect, held: Held) -> None:
    """The next question is answered extractively at once, the one before it by the model."""
    with ScriptedServer(held) as server:
        pipeline = connect(server.base_url, llm_parallel=1, llm_queue=0)
        first = asyncio.create_task(ask(pipeline))
        await held.wait_until_asked()
        assert_extractive(await ask(pipeline), "queue_full")
        held.let_go()
        assert (await first).mode == "llm"


async def test_a_question_that_is_given_up_frees_its_place(connect: Connect, held: Held) -> None:
    """Cancelling the answer cancels the model call."""
    with ScriptedServer(held) as server:
        pipeline = connect(server.base_url, llm_parallel=1, llm_queue=0)
        given_up = asyncio.create_task(ask(pipeline))
        await held.wait_until_asked()
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        held.let_go()
        assert (await ask(pipeline)).mode == "llm"


async def test_a_failed_model_makes_no_answer_out_of_weak_evidence(connect: Connect) -> None:
    """Without evidence there is an abstention, never an answer; the model is not even asked where nothing is near."""
    with ScriptedServer(lambda _: Reply(500)) as server:
        outcome = await ask(connect(server.base_url), OFF_TOPIC)
        assert isinstance(outcome, Abstention)
        assert server.requests == []


async def test_a_model_may_decline(connect: Connect) -> None:
    """An empty draft is an abstention by the model."""
    with ScriptedServer(lambda _: says()) as server:
        outcome = await ask(connect(server.base_url))
    assert isinstance(outcome, Abstention)
    assert (outcome.mode, outcome.degraded, outcome.citations) == ("llm", None, ())


async def test_a_model_that_names_no_evidence_says_nothing(connect: Connect) -> None:
    """Sentences without evidence are dropped."""
    with ScriptedServer(lambda _: says(("陪护床费报销80%。", [99]), ("陪护床费全免。", []))) as server:
        outcome = await ask(connect(server.base_url))
    assert "80%" not in outcome.text
    assert "全免" not in outcome.text


async def test_a_question_can_not_bring_its_own_figures(extractive: Pipeline) -> None:
    """What the user claims is not repeated as an answer."""
    outcome = await ask(extractive, QUESTION + "我听说报销99%，每日最高999元，对吗？")
    assert "99%" not in outcome.text
    assert "999元" not in outcome.text
    assert_proven(outcome)


async def test_events_come_in_order(connect: Connect) -> None:
    """Label and disclaimer first, then passages, proven claims, and the whole outcome last."""
    with ScriptedServer(about_beds("陪护床费按70%报销。", "陪护床费每日最高40元。")) as server:
        pipeline = connect(server.base_url)
        events = [event async for event in pipeline.events(pipeline.query(QUESTION, as_of=AS_OF))]
    assert [type(event) for event in events] == [Opened, PassagesFound, ClaimProven, ClaimProven, Finished]
    opened, found, *claims, finished = events
    assert (opened.id, opened.ai_label, opened.disclaimer) == (
        finished.outcome.id,
        finished.outcome.ai_label,
        finished.outcome.disclaimer,
    )
    assert found.passages[0].document.id == "ningbo-beds"
    assert tuple(event.claim for event in claims) == finished.outcome.claims
    assert all({c.marker for c in event.citations} == set(event.claim.citations) for event in claims)


async def test_the_callers_scope_goes_before_the_questions_words(extractive: Pipeline) -> None:
    """What is left open is read from the question."""
    query = extractive.query(QUESTION, scope=Scope(insured_type="居民", care_type="住院"), as_of=AS_OF)
    outcome = await extractive.answer(query)
    assert outcome.scope == Scope(insured_place="宁波", insured_type="居民", care_type="住院")


async def test_another_place_than_the_documents_is_not_answered_from_them(extractive: Pipeline) -> None:
    """A rule of Ningbo is none of Wuxi."""
    outcome = await ask(extractive, "无锡职工医保的陪护床费能报销多少？")
    assert "70%" not in outcome.text


async def test_the_answer_for_a_date_is_the_same_tomorrow(extractive: Pipeline) -> None:
    """Nothing but id and timings differs between two runs."""
    one, other = await ask(extractive), await ask(extractive)
    assert msgspec.structs.replace(other, id=one.id, timings_ms=one.timings_ms) == one


async def test_without_a_date_the_answer_is_for_today(extractive: Pipeline) -> None:
    """Today in China."""
    china = dt.timezone(dt.timedelta(hours=8))
    before = dt.datetime.now(china).date()
    assert before <= extractive.query(QUESTION).as_of <= dt.datetime.now(china).date()


async def test_without_an_index_there_is_an_error_for_the_operator(settings: Settings, services: list[Service]) -> None:
    """It says how to build one."""
    services.append(Service(settings))
    with pytest.raises(IndexMissing, match="rag ingest"):
        await ask(services[-1].pipeline)
