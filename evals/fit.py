"""Fits the evidence model on development questions and writes `rag/retrieve/evidence_model.json`.

Knows the fitting. Features and their use are the job of `rag.retrieve.evidence`; test halves are never read here.

Method: listwise softmax regression for the ranking (marginal likelihood of the relevant units), logistic regression
for sufficiency; margin and threshold are chosen on out-of-fold predictions, so that they are not tuned on fitted data.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from evals.dataset import GoldExample, GoldSpans, holds_fact, resolve, supported_by
from evals.fitting import linear, listwise, scale
from evals.library import Library, read_library
from evals.runner import Progress, Setup, build_taped_embedder, index
from rag.asking import Asked, understood
from rag.domain import Query, Value
from rag.ports import Embedder
from rag.retrieve import cues
from rag.retrieve.candidates import CandidateSource
from rag.retrieve.choosing import Candidates, Margins, arranged, choose
from rag.retrieve.evidence import EvidenceModel
from rag.retrieve.features import (
    RANK_FEATURES,
    SUFFICIENCY_FEATURES,
    Profile,
    feature_names,
    rank_rows,
    sufficiency_row,
)
from rag.retrieve.linear import Linear, Matrix
from rag.retrieve.passages import PassageRetriever
from rag.searching import LOOKED_AT
from rag.snapshots import Snapshot
from rag.wiring import build_store, build_tokenizer

TARGET = Path(__file__).parents[1] / "rag" / "retrieve" / "evidence_model.json"
PROFILES: tuple[Profile, ...] = ("hybrid", "chunks", "lexical")
# Questions that are made to be hard: near misses, one word apart, and near-identical rules.
MISSES = ("pair-", "conf-")
MADE = (*MISSES, "near-")
MADE_WEIGHT = 0.25
FOLDS = 8
REPEATS = 4
RANK_PENALTY = 0.05
SUFFICIENCY_PENALTY = 0.02
ALSO_WEIGHT = 0.4
WITHIN = (1.0, 1.5, 2.0, 2.5, 3.0)
ELSEWHERE = (0.5, 0.75, 1.0, 1.5, 2.0, 2.5)
# So much is allowed of each: who is answered wrongly loses more than who is sent to the bureau.
FALSE_ANSWERS, FALSE_REFUSALS = 0.05, 0.08
MIN_PRECISION = 0.88  # the bar is .85; the rest is reserve against optimism


class Questions(Value):
    """Questions and the index that they are asked of."""

    examples: tuple[GoldExample, ...]
    library: Library
    snapshot: Snapshot
    embedder: Embedder | None
    clock: dt.date


class Chosen(Value):
    """What chosen units are worth: whether they hold all facts, and the share that is relevant.

    An idle passage is cited for nothing that is relevant.
    """

    facts: bool
    precision: float
    no_idle: bool


class Case:
    """One development question with its candidates, ready to be fitted."""

    def __init__(
        self,
        example: GoldExample,
        asked: Asked,
        gold: GoldSpans,
        found: Candidates,
        idf: Callable[[str], float],
        profile: Profile,
    ) -> None:
        self.example, self.asked, self.gold, self.found, self.idf = example, asked, gold, found, idf
        self.names = feature_names(RANK_FEATURES, profile)
        self.rows = rank_rows(asked.searched, asked.places, found, self.names)
        needed = GoldSpans(gold.needed, ())
        spans = [(u.span, p.document.path) for u, p in zip(found.units, found.passages, strict=True)]
        also = np.array([supported_by([s], path, gold) for s, path in spans])
        right = np.array([supported_by([s], path, needed) for s, path in spans])
        self.relevance = np.where(right, 1.0, ALSO_WEIGHT * also)

    @property
    def answerable(self) -> bool:
        """Whether the question has an answer in the index."""
        return self.example.kind == "answer"

    @property
    def natural(self) -> bool:
        """Whether the question was written as people ask.

        Matched near-miss pairs teach the weights; margin and threshold belong to the mix of questions that comes in.
        """
        return not self.example.id.startswith(MADE)

    @property
    def ranks(self) -> bool:
        """Whether the question teaches the order of units."""
        return not self.example.id.startswith(MISSES)

    def scores(self, rank: Linear) -> Matrix:
        """What a ranking model makes of the candidates."""
        return arranged(rank(self.rows), self.asked.places, self.found)

    def sufficiency(self, scores: Matrix, profile: Profile) -> Matrix:
        """The row that the sufficiency model sees."""
        names = feature_names(SUFFICIENCY_FEATURES, profile)
        asked = self.asked
        return sufficiency_row(asked.searched, asked.places, self.found, scores, self.idf, names)

    @property
    def one_thing(self) -> bool:
        """Whether one answer will do."""
        return cues.asks_one_thing(self.asked.searched)

    def chosen(self, scores: Matrix, margins: Margins) -> list[int]:
        """The rows that these scores and margins choose."""
        return choose(self.found, scores, margins, one_thing=self.one_thing)

    def outcome(self, chosen: Sequence[int]) -> Chosen:
        """What the chosen units are worth."""
        units = [self.found.units[i] for i in chosen]
        words = "\n".join(unit.text for unit in units)
        right = self.relevance[list(chosen)] > 0
        cited: dict[str, bool] = {}
        for unit, is_right in zip(units, right, strict=True):
            cited[unit.chunk_id] = bool(is_right) or cited.get(unit.chunk_id, False)
        return Chosen(
            all(holds_fact(words, alternatives) for alternatives in self.example.facts),
            float(np.mean(right)),
            all(cited.values()),
        )


def prepared(setup: Setup, examples: Sequence[GoldExample], progress: Progress) -> Questions:
    """The documents of `setup` in an index of their own, with the questions for them."""
    embedder = build_taped_embedder(setup)
    index(setup, embedder, progress)
    library = read_library(setup.corpus, build_tokenizer(setup.settings))
    return Questions(tuple(examples), library, build_store(setup.settings).open_current(), embedder, setup.clock)


def fit_profile(everything: Sequence[Questions], profile: Profile) -> tuple[EvidenceModel, dict[str, float]]:
    """The model of a profile, fitted on all questions, with its cross-validated figures."""
    return fit([case for one in everything for case in cases(one, profile)], profile)


def cases(one: Questions, profile: Profile) -> list[Case]:
    """The examples that retrieval sees, with their candidates; triage comes before it."""
    snapshot = one.snapshot
    vectors, embedder = (None, None) if profile == "lexical" else (snapshot.vectors, one.embedder)
    retriever = PassageRetriever(snapshot.catalogue, snapshot.lexical_chunks, vectors, embedder)
    of_units = vectors if profile == "hybrid" else None
    source = CandidateSource(snapshot.catalogue, snapshot.lexical_units, of_units)
    found = []
    for example in one.examples:
        if example.kind in {"answer", "abstention"}:
            asked = understood(Query(example.question, example.as_of or one.clock, example.conversation))
            retrieved = retriever.search(asked.searched, LOOKED_AT, asked.places, example.as_of or one.clock)
            candidates = source.candidates(asked.searched, asked.places, retrieved)
            gold = resolve(example, one.library)
            found.append(Case(example, asked, gold, candidates, snapshot.lexical_units.idf, profile))
    return found


def fit(data: Sequence[Case], profile: Profile) -> tuple[EvidenceModel, dict[str, float]]:
    """The model fitted on all of `data`, with its cross-validated figures."""
    names = feature_names(SUFFICIENCY_FEATURES, profile)
    natural = np.array([case.natural for case in data])
    rounds = [_out_of_fold_scores(data, seed) for seed in range(REPEATS)]
    margins, figures = _best_margins(
        [(c, s) for scores in rounds for c, s in zip(data, scores, strict=True) if c.natural and c.answerable]
    )
    judged = [
        row
        for seed, scores in enumerate(rounds)
        for row in _out_of_fold_judgements(data, scores, margins, profile, seed)
    ]
    threshold = _balanced_threshold([(case, p) for case, _, p in judged if case.natural])
    for name, wanted in (("natural", True), ("near-miss pairs", False)):
        figures |= _figures(name, [row for row in judged if row[0].natural is wanted], threshold)
    for at, false_answers, false_refusals in curve([(case, p) for case, _, p in judged if case.natural]):
        figures |= {
            f"threshold {at}: false answers": round(false_answers, 3),
            f"threshold {at}: false refusals": round(false_refusals, 3),
        }
    rank = _fit_rank(data)
    ranked = [c.scores(rank) for c in data]
    rows = np.array([c.sufficiency(s, profile) for c, s in zip(data, ranked, strict=True)])
    sufficiency = _fit_logistic(rows, *_targets(data), names)
    note = (
        f"{len(data)} development questions, {sum(c.answerable for c in data)} answerable; margins and threshold on "
        f"{FOLDS}-fold predictions, {REPEATS} times, of the {int(natural.sum())} that are no matched pairs"
    )
    return EvidenceModel(rank, sufficiency, margins, round(threshold, 3), note), figures


def curve(judged: Sequence[tuple[Case, float]]) -> list[tuple[float, float, float]]:
    """(threshold, false answers, false refusals) over the range of thresholds."""
    p = np.array([probability for _, probability in judged])
    y = np.array([case.answerable for case, _ in judged])
    return [
        (round(float(t), 2), float((p[~y] >= t).mean()), float((p[y] < t).mean())) for t in np.arange(0.1, 1.0, 0.1)
    ]


def write(models: Mapping[Profile, EvidenceModel], target: Path = TARGET) -> None:
    """Replace the shipped parameters."""
    target.write_bytes(msgspec.json.format(msgspec.json.encode(models), indent=1) + b"\n")


def _folds(n: int, seed: int) -> npt.NDArray[np.int64]:
    folds = np.arange(n) % FOLDS
    np.random.default_rng(seed).shuffle(folds)
    return folds


def _out_of_fold_scores(data: Sequence[Case], seed: int) -> list[Matrix]:
    folds = _folds(len(data), seed)
    scores: list[Matrix] = [np.empty(0)] * len(data)
    for fold in range(FOLDS):
        model = _fit_rank([case for case, f in zip(data, folds, strict=True) if f != fold])
        for i in np.flatnonzero(folds == fold).tolist():
            scores[i] = data[i].scores(model)
    return scores


def _out_of_fold_judgements(
    data: Sequence[Case], scores: Sequence[Matrix], margins: Margins, profile: Profile, seed: int
) -> list[tuple[Case, list[int], float]]:
    """Every case with its chosen units and the sufficiency that a model gave it that had not seen it."""
    names = feature_names(SUFFICIENCY_FEATURES, profile)
    folds = _folds(len(data), seed)
    chosen = [case.chosen(s, margins) for case, s in zip(data, scores, strict=True)]
    rows = np.array([case.sufficiency(s, profile) for case, s in zip(data, scores, strict=True)])
    y, weight = _targets(data)
    probability = np.empty(len(data))
    for fold in range(FOLDS):
        model = _fit_logistic(rows[folds != fold], y[folds != fold], weight[folds != fold], names)
        probability[folds == fold] = 1 / (1 + np.exp(-model(rows[folds == fold])))
    return [(case, c, float(p)) for case, c, p in zip(data, chosen, probability, strict=True)]


def _targets(data: Sequence[Case]) -> tuple[Matrix, Matrix]:
    """Whether each case is answerable, and how much it counts."""
    y = np.array([case.answerable for case in data], dtype=float)
    return y, np.array([1.0 if case.natural else MADE_WEIGHT for case in data])


def _fit_rank(data: Sequence[Case]) -> Linear:
    used = [case for case in data if case.ranks and case.answerable and case.relevance.max() == 1.0]
    seen = np.vstack([case.rows for case in data if case.ranks])
    return listwise([(case.rows, case.relevance, 1.0) for case in used], seen, data[0].names, RANK_PENALTY)


def _fit_logistic(rows: Matrix, y: Matrix, weight: Matrix, names: tuple[str, ...]) -> Linear:
    mean, spread = scale(rows)
    scaled = (rows - mean) / spread
    share = float(np.average(y, weights=weight))
    balance = np.where(y == 1, 0.5 / share, 0.5 / (1 - share)) * weight / weight.mean()

    def objective(w: Matrix) -> tuple[float, Matrix]:
        logits = scaled @ w[:-1] + w[-1]
        loss = float(np.mean(balance * (np.logaddexp(0, logits) - y * logits)))
        error = balance * (1 / (1 + np.exp(-logits)) - y) / len(y)
        gradient = np.append(scaled.T @ error + SUFFICIENCY_PENALTY * w[:-1], error.sum())
        return loss + SUFFICIENCY_PENALTY * float(w[:-1] @ w[:-1]) / 2, gradient

    w = minimize(objective, np.zeros(rows.shape[1] + 1), jac=True, method="L-BFGS-B").x
    return linear(names, mean, spread, w[:-1], float(w[-1]))


def _best_margins(scored: Sequence[tuple[Case, Matrix]]) -> tuple[Margins, dict[str, float]]:
    """Margins for questions that ask one thing, then for those that ask several.

    One thing: the pair under which the share with all facts and the share that is whole and to the point are highest
    together. Several: the most facts with enough precision.
    """
    one, several = ([(c, s) for c, s in scored if c.one_thing is wanted] for wanted in (True, False))
    tried = {(w, e): _worth(one, Margins(w, e, e)) for w in WITHIN for e in ELSEWHERE if e <= w}
    within, elsewhere = max(tried, key=lambda m: tried[m][0] + tried[m][2])
    more = {e: _worth(several, Margins(within, e, e)) for e in ELSEWHERE}
    least = min(MIN_PRECISION, max(precision for _, precision, _ in more.values()))
    wide = max((e for e, t in more.items() if t[1] >= least), key=lambda e: more[e][0])
    shown = {f"one thing, within {w}, elsewhere {e}": t for (w, e), t in tried.items() if w == within}
    shown |= {f"several, within {within}, elsewhere {e}": t for e, t in more.items()}
    columns = ("facts", "precision", "whole and to the point")
    figures = {f"{name}: {c}": round(v, 3) for name, t in shown.items() for c, v in zip(columns, t, strict=True)}
    return Margins(within, elsewhere, wide), figures


def _worth(scored: Sequence[tuple[Case, Matrix]], margins: Margins) -> tuple[float, float, float]:
    """Shares: all facts; of units, relevant ones; all facts with no idle passage."""
    found = [case.outcome(case.chosen(scores, margins)) for case, scores in scored]
    if not found:
        return 0.0, 0.0, 0.0
    shares = ([f.facts for f in found], [f.precision for f in found], [f.facts and f.no_idle for f in found])
    facts, precision, exact = (float(np.mean(share)) for share in shares)
    return facts, precision, exact


def _balanced_threshold(judged: Sequence[tuple[Case, float]]) -> float:
    """Where the worse of the two kinds of error is least, each measured by how much of it is allowed."""
    p = np.array([probability for _, probability in judged])
    y = np.array([case.answerable for case, _ in judged])

    def worse(threshold: float) -> float:
        errors = (p[~y] >= threshold).mean() / FALSE_ANSWERS, (p[y] < threshold).mean() / FALSE_REFUSALS
        return float(max(errors))

    return float(min(np.arange(0.02, 0.99, 0.01), key=worse))


def _figures(group: str, judged: Sequence[tuple[Case, list[int], float]], threshold: float) -> dict[str, float]:
    if not judged:
        return {}
    others = [p for case, _, p in judged if not case.answerable]
    answerable = [(case, chosen, p) for case, chosen, p in judged if case.answerable]
    outcomes = [case.outcome(chosen) for case, chosen, p in answerable if p >= threshold]
    n, precision = max(len(answerable), 1), [o.precision for o in outcomes]
    return {
        f"{group}: n": float(len(judged)),
        f"{group}: false answers": round(sum(p >= threshold for p in others) / max(len(others), 1), 3),
        f"{group}: false refusals": round(sum(p < threshold for _, _, p in answerable) / n, 3),
        f"{group}: facts of answerable": round(sum(o.facts for o in outcomes) / n, 3),
        f"{group}: whole and to the point": round(sum(o.facts and o.no_idle for o in outcomes) / n, 3),
        f"{group}: precision of answered": round(float(np.mean(precision)), 3) if outcomes else 0.0,
        f"{group}: units": round(float(np.mean([len(chosen) for _, chosen, _ in answerable])), 2),
    }
