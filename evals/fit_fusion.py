"""Fits the weights that join the two rankings and writes `rag/retrieve/fusion_model.json`.

Knows which questions teach them. Features are the job of `rag.retrieve.fusion`, arithmetic that of `fitting`; test
halves are never read here.

Every set of questions counts the same, however many there are. Half of the questions of a set, by a hash of their ids,
are fitted on; what is told are figures of the other half, under weights that have not seen it.
"""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

from evals.collection import Collection, Searchable
from evals.dataset import resolve
from evals.fit import Questions
from evals.fitting import listwise
from rag.asking import understood
from rag.domain import Query, Span, Value
from rag.retrieve.fusion import FEATURES, FusionModel, fusion_rows
from rag.retrieve.linear import Linear, Matrix
from rag.retrieve.passages import PassageRetriever
from rag.searching import LOOKED_AT

TARGET = Path(__file__).parents[1] / "rag" / "retrieve" / "fusion_model.json"
PENALTY = 0.02
_HELD = 0.5


class Lesson(Value):
    """One question: the rows of its pool, which passages are relevant, and whether the weights may see it."""

    rows: Matrix
    relevance: Matrix
    shown: bool

    @property
    def teaches(self) -> bool:
        """Whether the weights are fitted on it: they may see it, and something in its pool is right."""
        return self.shown and bool(self.relevance.any())


def own_lessons(one: Questions) -> list[Lesson]:
    """The answerable development questions over one of the project's own indexes."""
    snapshot = one.snapshot
    retriever = PassageRetriever(snapshot.catalogue, snapshot.lexical_chunks, snapshot.vectors, one.embedder)
    lessons = []
    for example in one.examples:
        if example.kind == "answer":
            asked = understood(Query(example.question, example.as_of or one.clock, example.conversation))
            pool, _ = retriever.pool(asked.searched, LOOKED_AT, asked.places, example.as_of or one.clock)
            needed = resolve(example, one.library).needed
            found = zip(pool.documents, pool.chunks, strict=True)
            right = np.array([holds(document.path, chunk.span, needed) for document, chunk in found], dtype=float)
            lessons.append(_lesson(example.id, fusion_rows(asked.searched, asked.places, pool), right))
    return lessons


def foreign_lessons(collection: Collection, search: Searchable, today: dt.date) -> list[Lesson]:
    """The questions of a foreign collection."""
    lessons = []
    for question in collection.questions:
        asked = understood(Query(question.text, today))
        pool, _ = search.retriever.pool(asked.searched, LOOKED_AT, asked.places, today)
        relevant = collection.relevant[question.id]
        right = np.array([chunk.document_id in relevant for chunk in pool.chunks], dtype=float)
        lessons.append(_lesson(question.id, fusion_rows(asked.searched, asked.places, pool), right))
    return lessons


def fit(sets: Mapping[str, Sequence[Lesson]]) -> tuple[FusionModel, dict[str, float]]:
    """The weights from the halves shown, and on each set's other half how often the first passage is a right one."""
    model = _fitted(sets)
    others = {name: [x for x in own if not x.shown] for name, own in sets.items()}
    told = {name: _first(model, own) for name, own in others.items() if own}
    counts = ", ".join(f"{sum(x.teaches for x in own)} {name}" for name, own in sets.items())
    return FusionModel(model, f"questions, each set counting the same: {counts}"), told


def write(model: FusionModel, target: Path = TARGET) -> None:
    """Replace the shipped weights."""
    target.write_bytes(msgspec.json.format(msgspec.json.encode(model), indent=1) + b"\n")


def is_shown(question_id: str) -> bool:
    """Whether a question belongs to the half that weights are fitted on."""
    return zlib.crc32(question_id.encode()) % 2 == 0


def _lesson(question_id: str, rows: Matrix, right: Matrix) -> Lesson:
    return Lesson(rows, right, is_shown(question_id))


def _fitted(sets: Mapping[str, Sequence[Lesson]]) -> Linear:
    shown = {name: [x for x in own if x.teaches] for name, own in sets.items()}
    lists = [(x.rows, x.relevance, 1 / len(own)) for own in shown.values() for x in own]
    return listwise(lists, np.vstack([rows for rows, _, _ in lists]), FEATURES, PENALTY)


def _first(model: Linear, lessons: Sequence[Lesson]) -> float:
    first = [x.relevance[int(np.argmax(np.round(model(x.rows), 4)))] if x.relevance.any() else 0.0 for x in lessons]
    return round(float(np.mean(first)), 3)


def holds(path: str, span: Span, needed: Sequence[tuple[str, Span]]) -> bool:
    """Whether a passage, by its file and span, holds at least half of a needed span."""
    return any(
        path == needed_path and min(span.end, target.end) - max(span.start, target.start) >= _HELD * len(target)
        for needed_path, target in needed
    )
