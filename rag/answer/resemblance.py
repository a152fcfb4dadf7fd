"""A second look at a question that no rule of `triage` sent away: does it resemble those that should have been?

Knows a linear model over the embedder's vector of the question (softmax regression, fitted by `evals fit-triage`). It
only adds: what the rules say stands. With another embedder than the one it was fitted on there is no second look.
"""

from __future__ import annotations

import functools
import importlib.resources

import msgspec
import numpy as np

from rag.domain import TriageReason, Value
from rag.ports import Vectors

CLASSES: tuple[TriageReason | None, ...] = (None, "emergency", "self_harm", "medical_advice")
_DANGER = (1, 2)


class Resemblance(Value):
    """Weights by class over the centred vector and a bias.

    `least` is the probability from which danger counts, `least_medical` the one from which a medical question does: to
    send a harmless question to 120 is better than to miss one, to send it to a doctor is just no answer.
    """

    embedder: str
    mean: tuple[float, ...]
    weights: tuple[tuple[float, ...], ...]
    least: float
    least_medical: float
    fitted_on: str

    def reason(self, vector: Vectors) -> TriageReason | None:
        """Why a person should answer; danger of either kind counts together, and then the likelier one is told."""
        chances = self.chances(np.atleast_2d(vector))[0]
        if chances[list(_DANGER)].sum() >= self.least:
            return CLASSES[max(_DANGER, key=lambda n: chances[n])]
        return "medical_advice" if chances[CLASSES.index("medical_advice")] >= self.least_medical else None

    def chances(self, vectors: Vectors) -> Vectors:
        """Probabilities by class, shape (n, 4)."""
        rows = np.column_stack([vectors - np.asarray(self.mean), np.ones(len(vectors))])
        logits = rows @ np.asarray(self.weights).T
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True), dtype=np.float32)


@functools.cache
def load_resemblance() -> Resemblance:
    """The parameters shipped with the package."""
    packed = (importlib.resources.files("rag.answer") / "resemblance.json").read_bytes()
    return msgspec.json.decode(packed, type=Resemblance)
