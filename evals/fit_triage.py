"""Fits the second look of triage on labelled questions and writes `rag/answer/resemblance.json`.

Knows the fitting (softmax regression) and its cross-validation by batch: the cases were written in batches of unlike
wording, and a batch is judged by a model that has seen none of it. The rules of triage are not its business.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from evals.dataset import GOLD, SEEDS, corpus_dev, load
from evals.statistics import wilson
from rag.answer.resemblance import CLASSES, Resemblance
from rag.domain import Value
from rag.languages import simplified
from rag.ports import Embedder, Vectors

CASES = GOLD / "triage" / "cases.jsonl"
TARGET = Path(__file__).parents[1] / "rag" / "answer" / "resemblance.json"
PENALTY = 0.003
SCALE = 10.0  # the vectors' components are small; so the penalty weighs like that of other models
LEAST = 0.6
LEAST_MEDICAL = 0.8
_DANGER = slice(1, 3)

Matrix = npt.NDArray[np.float64]
_GOLD_FOLDS = 5


class TriageCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question; `kind` is the reason to send it away, or what it only looks like. `split` names its batch."""

    kind: str
    split: str
    question: str

    @property
    def label(self) -> int:
        """Its class."""
        return CLASSES.index(self.kind) if self.kind in CLASSES else 0


class Share(Value):
    """So many of so many, with its 95 % interval."""

    hits: int
    n: int

    def __str__(self) -> str:
        low, high = wilson(self.hits, self.n)
        return f"{self.hits} of {self.n} [{low:.3f}, {high:.3f}]"


class SecondLook(Value):
    """What the model says of questions of batches that it has not seen: dangers told, harmless questions taken for one.

    `alarms` are among look-alikes, made to be mistaken; `alarms_in_gold` among development questions of the gold set.
    """

    danger: Share
    medical: Share
    alarms: Share
    alarms_in_gold: Share


def read_cases() -> list[TriageCase]:
    """All cases."""
    return [msgspec.json.decode(line, type=TriageCase) for line in CASES.read_text("utf-8").splitlines()]


def fit(embedder: Embedder) -> tuple[Resemblance, SecondLook]:
    """The model fitted on all cases, and what models fitted without a batch say of it."""
    cases = read_cases()
    gold = [*corpus_dev(), *load([SEEDS / "dev.jsonl"])]
    harmless = [e.question for e in gold if e.kind != "triage"]
    x = _vectors(embedder, [*(case.question for case in cases), *harmless])
    y = np.array([case.label for case in cases] + [0] * len(harmless))
    batch = np.array([case.split for case in cases] + [f"gold {n % _GOLD_FOLDS}" for n in range(len(harmless))])
    unseen = np.zeros((len(y), len(CLASSES)))
    for name in sorted(set(batch)):
        unseen[batch == name] = _fitted(x[batch != name], y[batch != name], embedder.id, "").chances(x[batch == name])
    note = f"{len(cases)} cases in {len({c.split for c in cases})} batches and {len(harmless)} development questions"
    return _fitted(x, y, embedder.id, note), _judged(unseen, y, len(cases))


def write(model: Resemblance) -> None:
    """Replace the shipped parameters."""
    TARGET.write_bytes(msgspec.json.encode(model) + b"\n")


def _vectors(embedder: Embedder, questions: Sequence[str]) -> Vectors:
    return np.array([embedder.query(simplified(question)) for question in questions])


def _fitted(x: Vectors, y: npt.NDArray[np.int64], embedder: str, note: str) -> Resemblance:
    mean = x.mean(axis=0)
    rows = np.column_stack([(x - mean) * SCALE, np.ones(len(x))])
    wanted = np.eye(len(CLASSES))[y]

    def objective(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        weights = flat.reshape(len(CLASSES), -1)
        logits = rows @ weights.T
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        loss = -np.log((shares * wanted).sum(axis=1) + 1e-12).mean() + PENALTY * (weights[:, :-1] ** 2).sum() / 2
        gradient = (shares - wanted).T @ rows / len(y)
        gradient[:, :-1] += PENALTY * weights[:, :-1]
        return float(loss), gradient.ravel()

    start = np.zeros(len(CLASSES) * rows.shape[1])
    weights = minimize(objective, start, jac=True, method="L-BFGS-B").x.reshape(len(CLASSES), -1)
    weights[:, :-1] *= SCALE
    rounded = tuple(tuple(round(float(w), 4) for w in row) for row in weights)
    return Resemblance(embedder, tuple(round(float(m), 5) for m in mean), rounded, LEAST, LEAST_MEDICAL, note)


def _judged(chances: Matrix, y: npt.NDArray[np.int64], cases: int) -> SecondLook:
    danger = chances[:, _DANGER].sum(axis=1) >= LEAST
    is_danger, is_case = np.isin(y, (1, 2)), np.arange(len(y)) < cases

    def share(hit: npt.NDArray[np.bool_], of: npt.NDArray[np.bool_]) -> Share:
        return Share(int(hit[of].sum()), int(of.sum()))

    return SecondLook(
        danger=share(danger, is_danger),
        medical=share(chances[:, 3] >= LEAST_MEDICAL, y == CLASSES.index("medical_advice")),
        alarms=share(danger, is_case & (y == 0)),
        alarms_in_gold=share(danger, ~is_case),
    )
