"""The real embedded model behind the real HTTP path: real Chroma, real embedder, real Litestar, nothing in the way."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import msgspec
import pytest

from evals.dataset import corpus_dev
from evals.fit import MISSES
from rag.adapters.weights import weights_path
from rag.domain import DISCLAIMER, Answer, Outcome
from rag.settings import Settings

QUESTIONS = 36
READY_SECONDS = 120
# Both floors lie below what was measured (32 of 34 answers, and 7 of 49 claims). The second is low because the checks
# let few rewordings of the terse corpus stand; a prompt that forgets the evidence leaves none.
MIN_ANSWERED_BY_MODEL = 0.9
MIN_GENERATED = 0.05
# Written to be hard, for fitting, or in another script: not how people mostly ask.
UNUSUAL = (*MISSES, "dia-", "english-", "traditional-")


@pytest.fixture(scope="module")
def server(corpus_settings: Settings, model_dir: Path) -> Iterator[str]:
    """`rag serve` as a process of its own, with the embedded model."""
    if not weights_path(model_dir).is_file():
        pytest.skip("the embedded model's weights are not there (no disk or no network at set-up)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "RAG_DATA_DIR": corpus_settings.data_dir,
        "RAG_MODEL_DIR": str(model_dir),
        "RAG_LLM": "model",
        "RAG_LLM_DEADLINE_SECONDS": "120",
    }
    process = subprocess.Popen([sys.executable, "-m", "rag.cli", "serve", "--port", str(port)], env=environment)
    try:
        yield _when_ready(process, f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(30)


def _when_ready(process: subprocess.Popen[bytes], base: str) -> str:
    transport = httpx2.HTTPTransport(retries=0)
    with httpx2.Client(transport=transport, timeout=5) as client:
        for _ in range(READY_SECONDS * 2):
            try:
                if client.get(f"{base}/health/ready").status_code == httpx2.codes.OK:
                    return base
            except httpx2.TransportError:
                pass
            if process.poll() is not None:
                break
            try:
                process.wait(0.5)
            except subprocess.TimeoutExpired:
                continue
    pytest.fail("the server did not become ready")


@pytest.fixture(scope="module")
def outcomes(server: str) -> list[Outcome]:
    """What the service says to development questions that the corpus answers."""
    natural = [e for e in corpus_dev() if e.kind == "answer" and not e.conversation and not e.id.startswith(UNUSUAL)]
    asked = [e.question for e in natural[::4]][:QUESTIONS]
    assert len(asked) >= 20
    with httpx2.Client(timeout=180) as client:
        replies = [client.post(f"{server}/chat", json={"question": question}) for question in asked]
    assert [reply.status_code for reply in replies] == [200] * len(asked)
    return [msgspec.json.decode(reply.content, type=Outcome) for reply in replies]


def test_answers_come_from_the_model(outcomes: list[Outcome]) -> None:
    """Nearly every answer went through the model; none fell back because it was broken."""
    answers = [o for o in outcomes if isinstance(o, Answer)]
    assert len(answers) >= 0.7 * len(outcomes)
    assert sum(a.mode == "llm" and a.degraded is None for a in answers) >= MIN_ANSWERED_BY_MODEL * len(answers)


def test_the_models_own_sentences_stand(outcomes: list[Outcome]) -> None:
    """A fair share of the claims are the model's own words, proven; a broken prompt leaves only quotes."""
    modes = [claim.mode for o in outcomes if isinstance(o, Answer) for claim in o.claims]
    assert modes.count("generated") >= MIN_GENERATED * len(modes)


def test_every_outcome_carries_the_disclaimer(outcomes: list[Outcome]) -> None:
    """Whatever the model wrote, disclaimer and label stand in the text and in their fields."""
    for outcome in outcomes:
        assert outcome.disclaimer == DISCLAIMER
        assert outcome.text.endswith(f"{DISCLAIMER}\n{outcome.ai_label}")
