"""Lays the model files that the settings call for: tokenizer ranks and, unless another model is named, the weights.

Knows which settings make a download needless. How the files are made is the job of `rag.adapters`. Without the weights
the service still answers, in the documents' own sentences, so their absence is told and is not a failure.
"""

from __future__ import annotations

import sys

from rag.adapters import weights
from rag.adapters.tiktoken import TiktokenTokenizer
from rag.errors import ModelFileInvalid, OperatorError
from rag.settings import Settings, read_settings


def main() -> int:
    """Exit status 0, also without weights; 1 when nothing would run: a wrong setting, or no tokenizer."""
    try:
        settings = read_settings()
        TiktokenTokenizer(settings.models / "tiktoken")
    except OperatorError as error:
        print(f"set-up failed: {error}", file=sys.stderr)
        return 1
    reason = _needless(settings)
    if reason:
        print(f"no weights needed: {reason}", file=sys.stderr)
    elif not weights.verified(weights.weights_path(settings.models)):
        _fetch(settings)
    return 0


def _needless(settings: Settings) -> str | None:
    if settings.llm == "extractive":
        return "RAG_LLM is extractive"
    if settings.llm_base_url:
        return "RAG_LLM_BASE_URL names a server"
    if settings.llm_model_path:
        return "RAG_LLM_MODEL_PATH names a file"
    return None


def _fetch(settings: Settings) -> None:
    from rich.console import Console  # noqa: PLC0415 - only where something is shown
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("weights", total=weights.SIZE)
            weights.fetch(
                settings.models,
                lambda what, done, total: bar.update(task, description=f"weights: {what}", completed=done, total=total),
            )
    except ModelFileInvalid as error:
        print(f"the service will answer in extractive mode, without a language model: {error}", file=sys.stderr)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("interrupted; `make setup` goes on from here", file=sys.stderr)
        sys.exit(130)
