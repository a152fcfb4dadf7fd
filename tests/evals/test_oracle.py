"""A model that always picks the right units shows what everything around a model allows a strong one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from evals.dataset import SEEDS, GoldExample, holds_fact, load
from evals.domain import Observation, Scored, Unscored, Verdict
from evals.library import NoBudget, read_library
from evals.runner import Setup, index, observe
from evals.scoring import samples, score
from rag.settings import Settings
from rag.wiring import Service
from tests.fakes.openai_server import Reply, ScriptedServer, chat_reply

_LINE = re.compile(r"^\[(\d+)\](.+)$", re.MULTILINE)


class Oracle:
    """Replies with the fewest evidence lines that hold all facts of the question, word for word."""

    def __init__(self, examples: list[GoldExample]) -> None:
        self._by_question = {" ".join(e.question.split()): e for e in examples}

    def __call__(self, request: dict) -> Reply:  # type: ignore[type-arg]
        prompt = request["messages"][-1]["content"]
        evidence, _, question = prompt.rpartition("问题：")
        example = self._by_question[question.strip()]
        lines = {int(n): text for n, text in _LINE.findall(evidence)}
        picked = {self._line_with(fact, lines) for fact in example.facts}
        claims = [] if None in picked else [{"text": lines[n], "evidence": [n]} for n in sorted(picked) if n]
        return chat_reply(json.dumps({"claims": claims}, ensure_ascii=False))

    @staticmethod
    def _line_with(fact: tuple[str, ...], lines: dict[int, str]) -> int | None:
        return next((n for n, text in lines.items() if holds_fact(text, fact)), None)


@pytest.fixture(scope="module")
def verdicts(shared: Path, model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Verdict]]:
    """Both halves of the questions on the raw pages, asked of the oracle."""
    examples = load([SEEDS / "dev.jsonl", SEEDS / "test.jsonl"])
    settings = Settings(data_dir=str(tmp_path_factory.mktemp("oracle")), model_dir=str(model_dir), llm="extractive")
    setup = Setup(settings, (shared / "seeds",), "extractive")
    index(setup, None, _quiet)
    seen: list[Observation] = []
    with ScriptedServer(Oracle(examples)) as server:
        live = msgspec.structs.replace(settings, llm="model", llm_base_url=server.base_url, llm_model="oracle")
        service = Service(live)
        observe(service, examples, seen.append, _quiet)
        service.close()
    library = read_library([shared / "seeds"], NoBudget())
    return [score(sample).verdicts for sample in samples(examples, seen, library)]


def _quiet(_stage: str, _done: int, _total: int) -> None:
    """No progress bar in tests."""


def test_a_strong_model_is_not_capped(verdicts: list[dict[str, Verdict]]) -> None:
    """Retrieval, budget and checks let at least 95 % of the answerable questions through whole."""
    facts = [v["all_facts"].value for v in verdicts if isinstance(v["all_facts"], Scored)]
    assert len(facts) >= 100
    assert sum(facts) / len(facts) >= 0.95


def test_a_strong_model_may_decline(verdicts: list[dict[str, Verdict]]) -> None:
    """What the oracle can't find in the pool is declined, not answered."""
    declined = [v["false_answer"] for v in verdicts if isinstance(v["all_facts"], Unscored)]
    assert len(declined) >= 50
    assert all(v == Scored(0.0) for v in declined)
