"""Fits the evidence model on development questions and writes `rag/retrieve/evidence_model.json`.

Knows the fitting. Features and their use are the job of `rag.retrieve.evidence`; test halves are never read here.

Method: listwise softmax regression for the ranking (marginal likelihood of the relevant units), logistic regression
for sufficiency; margin and threshold are chosen on out-of-fold predictions, so that they are not tuned on fitted data.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
from scipy.optimize import minimize

from evals.dataset import GoldExample, GoldSpans, holds_fact, resolve, supported_by
from rag import places
from rag.ports import Embedder
from rag.retrieve.candidates import CandidateSource
from rag.retrieve.evidence import (
    RANK_FEATURES,
    SUFFICIENCY_FEATURES,
    Candidates,
    EvidenceModel,
    Linear,
    Matrix,
    Profile,
    choose,
    feature_names,
    rank_rows,
    sufficiency_row,
)
from rag.retrieve.passages import PassageRetriever
from rag.snapshots import Snapshot

TARGET = Path(__file__).parents[1] / "rag" / "retrieve" / "evidence_model.json"
PASSAGES = 12
FOLDS = 8
RANK_PENALTY = 0.05
SUFFICIENCY_PENALTY = 0.02
ALSO_WEIGHT = 0.4
MARGINS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
MIN_PRECISION = 0.88  # the bar is .85; the rest is reserve against optimism


class Case:
    """One development question with its candidates, ready to be fitted."""

    def __init__(self, example: GoldExample, gold: GoldSpans, found: Candidates, idf: Callable[[str], float], profile: Profile) -> None:
        self.example, self.gold, self.found, self.idf = example, gold, found, idf
        self.asked_places = places.find(example.question)
        self.names = feature_names(RANK_FEATURES, profile)
        self.rows = rank_rows(example.question, found, self.names)
        needed = GoldSpans(gold.needed, ())
        spans = [(u.span, p.document.path) for u, p in zip(found.units, found.passages, strict=True)]
        also = np.array([supported_by([s], path, gold) for s, path in spans])
        right = np.array([supported_by([s], path, needed) for s, path in spans])
        self.relevance = np.where(right, 1.0, ALSO_WEIGHT * also)

    @property
    def answerable(self) -> bool:
        """Whether the question has an answer in the index."""
        return self.example.kind == "answer"

    def sufficiency(self, chosen: Sequence[int], profile: Profile) -> Matrix:
        """The row that the sufficiency model sees."""
        names = feature_names(SUFFICIENCY_FEATURES, profile)
        return sufficiency_row(self.example.question, self.asked_places, self.found, chosen, self.idf, names)

    def outcome(self, chosen: Sequence[int]) -> tuple[bool, float]:
        """Whether the chosen units hold all facts, and the share of them that is relevant."""
        words = "\n".join(self.found.units[i].text for i in chosen)
        facts = all(holds_fact(words, alternatives) for alternatives in self.example.facts)
        return facts, float(np.mean(self.relevance[list(chosen)] > 0))


def cases(examples: Sequence[GoldExample], snapshot: Snapshot, embedder: Embedder | None, as_of: dt.date) -> list[Case]:
    """The examples that retrieval sees (no triage, no conversation), with their candidates in `snapshot`."""
    profile: Profile = "hybrid" if embedder else "lexical"
    documents = snapshot.catalogue.documents()
    vectors = snapshot.vectors if embedder else None
    retriever = PassageRetriever(snapshot.catalogue, snapshot.lexical_chunks, vectors, embedder)
    source = CandidateSource(snapshot.catalogue, snapshot.lexical_units, vectors)
    found = []
    for example in examples:
        if example.kind in {"answer", "abstention"} and not example.conversation:
            retrieved = retriever.search(example.question, PASSAGES, places.find(example.question), as_of)
            candidates = source.candidates(example.question, retrieved)
            gold = resolve(example, snapshot.catalogue, documents)
            found.append(Case(example, gold, candidates, snapshot.lexical_units.idf, profile))
    return found


def fit(data: Sequence[Case], profile: Profile) -> tuple[EvidenceModel, dict[str, float]]:
    """The model fitted on all of `data`, with its cross-validated figures."""
    folds = np.arange(len(data)) % FOLDS
    np.random.default_rng(7).shuffle(folds)
    scores = _out_of_fold_scores(data, folds)
    margin, figures = _best_margin(data, scores)
    chosen = [choose(case.found, s, margin) for case, s in zip(data, scores, strict=True)]
    rows = np.array([case.sufficiency(c, profile) for case, c in zip(data, chosen, strict=True)])
    answerable = np.array([case.answerable for case in data], dtype=float)
    probability = np.empty(len(data))
    for fold in range(FOLDS):
        model = _fit_logistic(rows[folds != fold], answerable[folds != fold], feature_names(SUFFICIENCY_FEATURES, profile))
        probability[folds == fold] = 1 / (1 + np.exp(-model(rows[folds == fold])))
    threshold = _balanced_threshold(probability, answerable)
    figures |= _figures(data, chosen, probability, threshold)
    rank = _fit_rank(data)
    sufficiency = _fit_logistic(rows, answerable, feature_names(SUFFICIENCY_FEATURES, profile))
    note = f"{len(data)} development questions, {int(answerable.sum())} answerable; margin and threshold on {FOLDS}-fold predictions"
    return EvidenceModel(rank, sufficiency, margin, round(threshold, 3), note), figures


def curve(probability: Sequence[float], answerable: Sequence[bool]) -> list[tuple[float, float, float]]:
    """(threshold, false answers, false refusals) over the range of thresholds."""
    p, y = np.asarray(probability), np.asarray(answerable, dtype=bool)
    return [(round(float(t), 2), float((p[~y] >= t).mean()), float((p[y] < t).mean())) for t in np.arange(0.05, 1.0, 0.05)]


def write(models: dict[str, EvidenceModel], target: Path = TARGET) -> None:
    """Replace the shipped parameters."""
    target.write_bytes(msgspec.json.format(msgspec.json.encode(models), indent=1) + b"\n")


def _out_of_fold_scores(data: Sequence[Case], folds: Matrix) -> list[Matrix]:
    scores: list[Matrix] = [np.empty(0)] * len(data)
    for fold in range(FOLDS):
        model = _fit_rank([case for case, f in zip(data, folds, strict=True) if f != fold])
        for i in np.flatnonzero(folds == fold):
            scores[i] = np.round(model(data[i].rows), 4)
    return scores


def _fit_rank(data: Sequence[Case]) -> Linear:
    used = [case for case in data if case.answerable and case.relevance.max() == 1.0]
    stacked = np.vstack([case.rows for case in data])
    mean, spread = _scale(stacked)
    lists = [((case.rows - mean) / spread, case.relevance) for case in used]

    def objective(w: Matrix) -> tuple[float, Matrix]:
        loss, gradient = 0.0, np.zeros_like(w)
        for rows, relevance in lists:
            logits = rows @ w
            share = np.exp(logits - logits.max())
            share /= share.sum()
            good = share * relevance
            loss -= float(np.log(good.sum() + 1e-12))
            gradient -= rows.T @ (good / (good.sum() + 1e-12)) - rows.T @ share
        return loss / len(lists) + RANK_PENALTY * float(w @ w) / 2, gradient / len(lists) + RANK_PENALTY * w

    weights = minimize(objective, np.zeros(len(mean)), jac=True, method="L-BFGS-B").x
    return _linear(data[0].names, mean, spread, weights, 0.0)


def _fit_logistic(rows: Matrix, y: Matrix, names: tuple[str, ...]) -> Linear:
    mean, spread = _scale(rows)
    scaled = (rows - mean) / spread
    balance = np.where(y == 1, 0.5 / y.mean(), 0.5 / (1 - y.mean()))

    def objective(w: Matrix) -> tuple[float, Matrix]:
        logits = scaled @ w[:-1] + w[-1]
        loss = float(np.mean(balance * (np.logaddexp(0, logits) - y * logits)))
        error = balance * (1 / (1 + np.exp(-logits)) - y) / len(y)
        gradient = np.append(scaled.T @ error + SUFFICIENCY_PENALTY * w[:-1], error.sum())
        return loss + SUFFICIENCY_PENALTY * float(w[:-1] @ w[:-1]) / 2, gradient

    w = minimize(objective, np.zeros(rows.shape[1] + 1), jac=True, method="L-BFGS-B").x
    return _linear(names, mean, spread, w[:-1], float(w[-1]))


def _scale(rows: Matrix) -> tuple[Matrix, Matrix]:
    """Mean and spread by feature; a feature that never varies keeps the spread 1, so that nothing divides by zero."""
    spread = rows.std(axis=0)
    return rows.mean(axis=0), np.where(spread < 1e-4, 1.0, spread)  # noqa: PLR2004


def _linear(names: Sequence[str], mean: Matrix, spread: Matrix, weights: Matrix, bias: float) -> Linear:
    def rounded(values: Matrix) -> tuple[float, ...]:
        return tuple(round(float(v), 5) for v in values)

    return Linear(tuple(names), rounded(mean), rounded(spread), rounded(weights), round(bias, 5))


def _best_margin(data: Sequence[Case], scores: Sequence[Matrix]) -> tuple[float, dict[str, float]]:
    """The margin with the most facts among those that are precise enough."""
    tried = []
    for margin in MARGINS:
        outcomes = [c.outcome(choose(c.found, s, margin)) for c, s in zip(data, scores, strict=True) if c.answerable]
        facts, precision = np.mean([f for f, _ in outcomes]), np.mean([p for _, p in outcomes])
        tried.append((float(facts), float(precision), margin))
    best = max(t for t in tried if t[1] >= min(MIN_PRECISION, max(p for _, p, _ in tried)))
    return best[2], {f"margin {m}: facts": round(f, 3) for f, _, m in tried} | {f"margin {m}: precision": round(p, 3) for _, p, m in tried}


def _balanced_threshold(probability: Matrix, answerable: Matrix) -> float:
    y = answerable.astype(bool)
    grid = np.arange(0.02, 0.99, 0.01)
    return float(min(grid, key=lambda t: max((probability[~y] >= t).mean(), (probability[y] < t).mean())))


def _figures(data: Sequence[Case], chosen: Sequence[list[int]], probability: Matrix, threshold: float) -> dict[str, float]:
    y = np.array([case.answerable for case in data])
    outcomes = [case.outcome(c) for case, c, p in zip(data, chosen, probability, strict=True) if case.answerable and p >= threshold]
    return {
        "false answers": round(float((probability[~y] >= threshold).mean()), 3),
        "false refusals": round(float((probability[y] < threshold).mean()), 3),
        "facts of answerable": round(sum(f for f, _ in outcomes) / int(y.sum()), 3),
        "precision of answered": round(float(np.mean([p for _, p in outcomes])), 3),
        "units": round(float(np.mean([len(c) for c, case in zip(chosen, data, strict=True) if case.answerable])), 2),
        "n": float(len(data)),
    }

