"""Two rankings to one: a linear model over what each of them, and a few plain signs, say of a passage.

Knows features of a (question, passage) pair; their weights are fitted by listwise softmax regression (after Cao et al.
2007, ListNet) on development questions of several kinds of text (`evals fit-fusion`). Where the scores come from is
the job of `passages`.

The usual reciprocal rank fusion throws away by how much a passage is better: where one ranking is sure and the other
gropes about, equal weights make the result worse than the better of the two.
"""

from __future__ import annotations

import functools
import importlib.resources
import math
from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec
import numpy as np

from rag import places, qualifiers
from rag.domain import Chunk, Document, Value
from rag.retrieve import cues
from rag.retrieve.eligibility import local
from rag.retrieve.linear import Linear, Matrix
from rag.retrieve.siblings import nearer_first
from rag.text import fold

FEATURES = (
    "cosine", "behind", "bm25", "overlap", "figure", "qualifiers", "excerpt", "length", "local", "elsewhere",
)  # fmt: skip
# Cosines of short Chinese texts lie close together: this much is a clear lead.
_LEAD = 0.03
_BELOW_ALL = 1000.0


class FusionModel(Value):
    """Fitted weights, and what they were fitted on."""

    linear: Linear
    fitted_on: str


class Pool(Value):
    """Candidate passages of a question with the raw scores of both rankings, row by row."""

    chunks: tuple[Chunk, ...]
    documents: tuple[Document, ...]
    cosine: Matrix
    bm25: Matrix


@functools.cache
def load_fusion() -> FusionModel:
    """The weights shipped with the package."""
    packed = (importlib.resources.files("rag.retrieve") / "fusion_model.json").read_bytes()
    return msgspec.json.decode(packed, type=FusionModel)


def fused(question: str, asked_places: Collection[str], pool: Pool) -> Matrix:
    """What each passage of the pool is worth, shape (n,).

    Rounded, so that a last-digit difference between machines reorders nothing. A passage under the title of another
    place is worth less than every other one.
    """
    if not pool.chunks:
        return np.zeros(0)
    model = load_fusion().linear
    scores = np.round(model(fusion_rows(question, asked_places, pool)), 4)
    scores = nearer_first(scores, [c.text for c in pool.chunks], [local(d, asked_places) for d in pool.documents])
    return np.where(_under_another_place(asked_places, pool), scores - _BELOW_ALL, scores)


def fusion_rows(question: str, asked_places: Collection[str], pool: Pool) -> Matrix:
    """One row a passage, shape (n, features)."""
    texts = [chunk.searched for chunk in pool.chunks]
    types, asked = cues.answer_types(question), qualifiers.mentioned(question)
    makers: Mapping[str, Callable[[], Sequence[float] | Matrix]] = {
        "cosine": lambda: standardised(pool.cosine),
        "behind": lambda: (pool.cosine - pool.cosine.max()) / _LEAD,
        "bm25": lambda: standardised(pool.bm25),
        "overlap": lambda: _overlap(question, texts),
        "figure": lambda: [float(cues.has_figure(text, types)) for text in texts],
        "qualifiers": lambda: [float(qualifiers.shared(asked, qualifiers.mentioned(text))) for text in texts],
        "excerpt": lambda: [float(document.kind == "excerpt") for document in pool.documents],
        "length": lambda: [math.log(len(text)) for text in texts],
        "local": lambda: [local(document, asked_places) for document in pool.documents],
        "elsewhere": lambda: [float(_is_elsewhere(text, asked_places)) for text in texts],
    }
    return np.column_stack([np.asarray(makers[name](), dtype=float) for name in FEATURES])


def standardised(scores: Matrix) -> Matrix:
    """Zero mean, unit spread; all zero when there is no spread."""
    spread = scores.std() if scores.size else 0.0
    return (scores - scores.mean()) / spread if spread > 1e-9 else np.zeros_like(scores)  # noqa: PLR2004


def _overlap(question: str, texts: Sequence[str]) -> Matrix:
    """The share of the question's character pairs that stand in each text, rare ones counting for more.

    It sees through what a segmenter cuts otherwise in the question than in the text.
    """
    wanted = _pairs(question)
    held = np.array([[pair in pairs for pair in wanted] for pairs in map(_pairs, texts)], dtype=float)
    frequency = held.sum(axis=0)
    weights = np.log1p((len(texts) - frequency + 0.5) / (frequency + 0.5))  # BM25's idf, over the candidates
    return held @ weights / max(weights.sum(), 1e-9) if wanted else np.zeros(len(texts))


def _pairs(text: str) -> dict[str, None]:
    key = fold(text)
    return dict.fromkeys(key[i : i + 2] for i in range(len(key) - 1))


def _is_elsewhere(text: str, asked_places: Collection[str]) -> bool:
    """Whether a text names places, and none that has to do with those asked for."""
    named = _named(text) if asked_places else ()
    return bool(named) and not places.any_related(asked_places, named)


# What a passage names does not change from one question to the next.
_named = functools.lru_cache(20_000)(places.find)


def _under_another_place(asked_places: Collection[str], pool: Pool) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.array([_is_elsewhere("：".join(c.title_path), asked_places) for c in pool.chunks], dtype=bool)
