"""How well passages are found in any BEIR-like folder: BM25, vectors, their reciprocal rank fusion, and the service.

    hit@k      1 if one of the first k passages is relevant
    recall@10  the share of the relevant passages among the first 10
    ndcg@10    sum of gain / log2(rank + 1) over the first 10, by the same for the best order; the gain is the judgement
    mrr@10     1 / rank of the first relevant one, 0 if none of the first 10 is

Knows rankings and their figures. The folder is the job of `collection`; the service's ranking is that of `rag search`:
the question is understood as the service understands it, and what does not hold in the places that it names is left
out.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import numpy as np

from evals.collection import Collection, Searchable
from evals.dataset import resolve
from evals.fit import Questions
from evals.fit_fusion import holds
from evals.runner import Progress
from evals.statistics import Interval, bootstrap_difference
from rag.asking import Asked, understood
from rag.domain import Query, Value
from rag.retrieve.passages import PassageRetriever
from rag.retrieve.wording import worded
from rag.searching import LOOKED_AT

System = Literal["bm25", "dense", "rrf", "service"]
SYSTEMS: tuple[System, ...] = ("bm25", "dense", "rrf", "service")
METRICS = ("hit@1", "hit@5", "hit@10", "recall@10", "ndcg@10", "mrr@10")
_RRF = 60  # Cormack et al. 2009
_DEEP = 100
_TOP = 10

Ranking = Sequence[str]


class Judged(Value):
    """Every system's figures, one a question, by metric. Without an embedder there are no vectors and no fusion."""

    rows: Mapping[System, Mapping[str, tuple[float, ...]]]
    questions: tuple[str, ...]

    def mean(self, system: System, metric: str) -> float:
        """Over all questions."""
        return float(np.mean(self.rows[system][metric]))

    def better_part(self, metric: str) -> System:
        """BM25 or vectors, whichever is better alone."""
        parts: list[System] = [s for s in ("bm25", "dense") if s in self.rows]
        return max(parts, key=lambda system: self.mean(system, metric))

    def ahead(self, of: System, metric: str) -> tuple[float, Interval]:
        """By how much the service is better, with the 95 % interval of the paired difference."""
        ours, theirs = self.rows["service"][metric], self.rows[of][metric]
        return self.mean("service", metric) - self.mean(of, metric), bootstrap_difference(theirs, ours, self.questions)

    def as_json(self) -> dict[str, object]:
        """The figures as `evals retrieval --json` prints them; null for what needs an embedder and has none."""
        told: dict[str, object] = dict.fromkeys(SYSTEMS)
        told |= {system: {m: round(self.mean(system, m), 4) for m in METRICS} for system in self.rows}
        return {**told, "queries": len(self.questions)}


# A question's id, what each system finds, and what is relevant.
Answered = tuple[str, Mapping[System, Ranking], Mapping[str, float]]


def judge(answered: Iterable[Answered]) -> Judged:
    """The figures of all systems over all questions."""
    rows: dict[System, dict[str, list[float]]] = {}
    ids = []
    for question_id, found, relevant in answered:
        ids.append(question_id)
        for system, ranking in found.items():
            own = rows.setdefault(system, {metric: [] for metric in METRICS})
            for metric, value in figures(ranking, relevant).items():
                own[metric].append(value)
    return Judged({system: {m: tuple(v) for m, v in own.items()} for system, own in rows.items()}, tuple(ids))


def over_collection(
    collection: Collection, search: Searchable, today: dt.date, progress: Progress
) -> Iterator[Answered]:
    """All systems asked all questions of a foreign collection."""
    for n, question in enumerate(collection.questions, 1):
        yield question.id, rankings(search, question.text, today), collection.relevant[question.id]
        progress("检索", n, len(collection.questions))


def over_gold(one: Questions, progress: Progress) -> Iterator[Answered]:
    """All systems asked the answerable gold questions; a passage that holds a needed span is relevant, found or not.

    The parts rank what the service ranks: passages in force, of a place that fits.
    """
    snapshot = one.snapshot
    retriever = PassageRetriever(snapshot.catalogue, snapshot.lexical_chunks, snapshot.vectors, one.embedder)
    paths = {document.id: document.path for document in snapshot.catalogue.documents()}
    chunks = snapshot.catalogue.chunks_by_id(snapshot.catalogue.chunk_ids())
    examples = [example for example in one.examples if example.kind == "answer"]
    for n, example in enumerate(examples, 1):
        day = example.as_of or one.clock
        asked = understood(Query(example.question, day, example.conversation))
        needed = resolve(example, one.library).needed
        relevant = {chunk.id: 1.0 for chunk in chunks if holds(paths[chunk.document_id], chunk.span, needed)}
        if not relevant:
            raise ValueError(f"{example.id}: no passage holds half of its evidence, so that nothing can find it")
        yield example.id, _pooled(retriever, asked, day), relevant
        progress("检索", n, len(examples))


def _pooled(retriever: PassageRetriever, asked: Asked, day: dt.date) -> dict[System, Ranking]:
    pool, _ = retriever.pool(asked.searched, LOOKED_AT, asked.places, day)
    ids = [chunk.id for chunk in pool.chunks]
    lexical = [ids[n] for n in np.argsort(-pool.bm25, kind="stable")]
    dense = [ids[n] for n in np.argsort(-pool.cosine, kind="stable")]
    service = retriever.search(asked.searched, LOOKED_AT, asked.places, day).passages
    return {
        "bm25": lexical,
        "dense": dense,
        "rrf": _reciprocal(lexical, dense),
        "service": [passage.chunk.id for passage in service],
    }


def rankings(search: Searchable, question: str, today: dt.date) -> dict[System, Ranking]:
    """Each system's passages for a question, best first."""
    asked = understood(Query(question, today))
    ids = search.index.chunk_ids()
    bm25 = search.lexical.scores(worded(asked.searched))
    lexical = [ids[row] for row in np.argsort(-bm25, kind="stable")[:_DEEP]]
    found: dict[System, list[str]] = {"bm25": lexical}
    if search.embedder is not None:
        dense = [i for i, _ in search.index.nearest_chunks(search.embedder.query(asked.searched), _DEEP)]
        found |= {"dense": dense, "rrf": _reciprocal(lexical, dense)}
    passages = search.retriever.search(asked.searched, _DEEP, asked.places, today).passages
    found["service"] = [p.chunk.id for p in passages]
    return {system: _owners(chunks) for system, chunks in found.items()}


def figures(ranking: Ranking, relevant: Mapping[str, float]) -> dict[str, float]:
    """A ranking's figures by metric."""
    gains = [relevant.get(i, 0.0) for i in ranking[:_TOP]]
    first = next((rank for rank, gain in enumerate(gains, 1) if gain), None)
    return {
        **{f"hit@{k}": float(any(gains[:k])) for k in (1, 5, 10)},
        "recall@10": sum(gain > 0 for gain in gains) / len(relevant),
        "ndcg@10": _dcg(gains) / _dcg(sorted(relevant.values(), reverse=True)[:_TOP]),
        "mrr@10": 1 / first if first else 0.0,
    }


def table(judged: Judged) -> str:
    """The figures for people, with what the service is ahead of its parts and of the usual fusion."""
    present = [s for s in SYSTEMS if s in judged.rows]
    lines = [f"{len(judged.questions)} questions", " " * 10 + "".join(f"{m:>11}" for m in METRICS)]
    lines += [f"{s:<10}" + "".join(f"{judged.mean(s, m):>11.3f}" for m in METRICS) for s in present]
    others: list[System] = [judged.better_part("ndcg@10"), "rrf"]
    for other in (system for system in others if system in judged.rows):
        for metric in ("hit@1", "ndcg@10"):
            difference, (low, high) = judged.ahead(other, metric)
            lines.append(f"service - {other:<6} {metric:<8} {difference:+.3f} [{low:+.3f}, {high:+.3f}]")
    return "\n".join(lines)


def _reciprocal(*given: Sequence[str]) -> list[str]:
    """Reciprocal rank fusion with equal weights."""
    scores: dict[str, float] = {}
    for ranking in given:
        for rank, i in enumerate(ranking, 1):
            scores[i] = scores.get(i, 0.0) + 1 / (_RRF + rank)
    return sorted(scores, key=lambda i: (-scores[i], i))


def _owners(chunks: Sequence[str]) -> list[str]:
    """The passages that chunks belong to, each where its best chunk stands."""
    return list(dict.fromkeys(i.rpartition("#")[0] for i in chunks))


def _dcg(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))
