"""Runs questions through the real pipeline and writes down what came out.

Knows how a run is made: an index of its own, a pinned date, one observation a line. Judging is the job of `scoring`.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from evals.dataset import GoldExample
from rag.domain import Outcome, Query, Scope
from rag.pipeline import Finished, PassagesFound
from rag.settings import Settings
from rag.web.passages import PassageRow, passage_row
from rag.wiring import Service, build_indexer

PINNED = dt.date(2026, 11, 23)


class Observation(msgspec.Struct, frozen=True):
    """What one example gave: an outcome, or the error that prevented one."""

    example_id: str
    outcome: Outcome | None
    retrieved: tuple[PassageRow, ...] = ()
    error: str | None = None


def index(settings: Settings, paths: Sequence[Path], progress: Callable[[str, int, int], None]) -> None:
    """Bring `paths` into the run's own index.

    Raises:
        RuntimeError: a file did not go in.
    """
    report = build_indexer(settings, progress).ingest(paths, prune=True)
    if report.problems:
        raise RuntimeError(f"not everything could be indexed: {report.problems}")


def observe(
    service: Service, examples: Sequence[GoldExample], progress: Callable[[str, int, int], None]
) -> list[Observation]:
    """One observation an example, in order."""
    return asyncio.run(_observe(service, examples, progress))


async def _observe(
    service: Service, examples: Sequence[GoldExample], progress: Callable[[str, int, int], None]
) -> list[Observation]:
    found = []
    for n, example in enumerate(examples, 1):
        query = service.pipeline.query(
            example.question, conversation=example.conversation, scope=Scope(), as_of=example.as_of or PINNED
        )
        try:
            found.append(await _one(service, example, query))
        except Exception as error:  # noqa: BLE001 - a failed example is an observation, not the end of the run
            found.append(Observation(example.id, None, error=f"{type(error).__name__}: {error}"))
        progress("提问", n, len(examples))
    return found


async def _one(service: Service, example: GoldExample, query: Query) -> Observation:
    retrieved: tuple[PassageRow, ...] = ()
    async for event in service.pipeline.events(query):
        match event:
            case PassagesFound(passages=passages):
                retrieved = tuple(passage_row(rank, passage) for rank, passage in enumerate(passages, 1))
            case Finished(outcome=outcome):
                return Observation(example.id, outcome, retrieved)
    raise AssertionError("a pipeline always finishes")


def write(observations: Iterable[Observation], folder: Path) -> Path:
    """`folder/observations.jsonl`, a line an example."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "observations.jsonl"
    target.write_bytes(b"".join(msgspec.json.encode(o) + b"\n" for o in observations))
    return target
