"""The embedded language model: llama.cpp's own OpenAI-compatible HTTP server, inside this process, on a loopback port.

Knows how the server is started and stopped. It is spoken to through `adapters.openai` like any other server.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from rag.errors import ModelFileInvalid

MODEL_NAME = "qwen2.5-coder-1.5b-instruct-q4_k_m"
_CONTEXT_TOKENS = 4096


class EmbeddedServer:
    """A running server; `base_url` is what an OpenAI client wants."""

    def __init__(self, weights: Path, threads: int | None = None) -> None:
        """Load the weights (mapped, about a second) and listen.

        Raises:
            ModelFileInvalid: the package can't run here, or the file is no model.
        """
        try:
            import xllamacpp  # noqa: PLC0415 - 100 MB of engine that only this adapter needs
        except ImportError as error:
            raise ModelFileInvalid(f"the embedded model server can't run here: {error}") from error
        params: Any = xllamacpp.CommonParams()
        params.model.path = str(weights)
        params.model_alias = {MODEL_NAME} if isinstance(params.model_alias, set) else params.model_alias
        params.n_ctx = _CONTEXT_TOKENS
        params.n_parallel = 1
        params.port = 0
        params.cpuparams.n_threads = threads or os.cpu_count() or 2
        params.verbosity = -1
        try:
            self._server = xllamacpp.Server(params)
        except (RuntimeError, ValueError, OSError) as error:
            raise ModelFileInvalid(f"{weights} can't be loaded: {error}") from error
        self.base_url = f"{self._server.listening_address}/v1"

    def close(self) -> None:
        """Stop the server and release the weights."""
        self._server = None
