"""The second look is fitted on its own cases and development questions, and judged on batches that it has not seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import pytest

from evals.dataset import GOLD, SEEDS, load
from evals.fit_triage import SecondLook, Share, TriageCase, fit, read_cases
from rag.answer.resemblance import CLASSES, Resemblance
from rag.languages import simplified
from rag.ports import Vectors

GOLD_QUESTION = ("gold", 0)
ENOUGH = 100
BATCH_AND_LABEL = {simplified(case.question): (case.split, case.label) for case in read_cases()}
COLUMNS = sorted({GOLD_QUESTION, *BATCH_AND_LABEL.values()})


def told_by_label(question: str) -> int:
    """The class of a question: something that all batches have in common."""
    return BATCH_AND_LABEL.get(question, GOLD_QUESTION)[1]


def told_by_batch(question: str) -> int:
    """The class of a question within its batch: of no use to whoever has not seen the batch."""
    return COLUMNS.index(BATCH_AND_LABEL.get(question, GOLD_QUESTION))


class Telling:
    """An embedder whose vectors tell one thing about a question and nothing else; it keeps what it was asked."""

    id, dimension = "telling", len(COLUMNS)

    def __init__(self, tell: Callable[[str], int]) -> None:
        self._tell, self.asked = tell, list[str]()

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Shape (len(texts), dimension)."""
        return np.array([self.query(text) for text in texts])

    def query(self, text: str) -> Vectors:
        """Shape (dimension,)."""
        self.asked.append(text)
        return np.asarray(np.eye(self.dimension, dtype=np.float32)[self._tell(text)])


Fitted = tuple[Resemblance, SecondLook, Telling]


def fitted_with(tell: Callable[[str], int]) -> Fitted:
    """A fit with such an embedder."""
    embedder = Telling(tell)
    return *fit(embedder), embedder


@pytest.fixture(scope="module")
def by_label() -> Fitted:
    """What can be learnt is learnt."""
    return fitted_with(told_by_label)


@pytest.fixture(scope="module")
def by_batch() -> Fitted:
    """What can't be known without the batch."""
    return fitted_with(told_by_batch)


def test_what_all_batches_share_is_learnt(by_label: Fitted) -> None:
    """Every danger is told, and no harmless question is taken for one."""
    _, look, _ = by_label
    assert (look.danger.hits, look.medical.hits) == (look.danger.n, look.medical.n)
    assert (look.alarms.hits, look.alarms_in_gold.hits) == (0, 0)


def test_a_batch_is_judged_by_a_model_that_has_not_seen_it(by_batch: Fitted) -> None:
    """What only the batch itself could tell is told of none of its questions, though the model that ships knows it."""
    model, look, embedder = by_batch
    assert (look.danger.hits, look.medical.hits) == (0, 0)
    known = {case.question: case for case in read_cases() if case.kind in {"emergency", "self_harm"}}
    told = [model.reason(embedder.query(simplified(question))) for question in known]
    assert told == [case.kind for case in known.values()]


def test_every_case_and_every_harmless_question_is_counted(by_label: Fitted) -> None:
    """The denominators are those of the file and of the note that ships with the parameters."""
    model, look, _ = by_label
    kinds = Counter(case.kind for case in read_cases())
    assert look.danger.n == kinds["emergency"] + kinds["self_harm"]
    assert look.medical.n == kinds["medical_advice"]
    assert look.alarms.n == sum(kinds.values()) - look.danger.n - look.medical.n
    assert model.fitted_on.startswith(f"{sum(kinds.values())} cases")
    assert model.fitted_on.endswith(f"and {look.alarms_in_gold.n} development questions")


def test_no_test_question_is_ever_fitted_on(by_label: Fitted) -> None:
    """The gold set's test half is not looked at, unless a case was written in the same words."""
    _, _, embedder = by_label
    examples = load([*GOLD.glob("*.jsonl"), *SEEDS.glob("*.jsonl")])
    known = {e.question for e in examples if e.split == "dev"} | {case.question for case in read_cases()}
    held_back = {simplified(e.question) for e in examples if e.split == "test" and e.question not in known}
    assert len(held_back) > ENOUGH
    assert len(held_back & set(embedder.asked)) == 0


def test_the_same_cases_make_the_same_model(by_label: Fitted) -> None:
    """Nothing in the fit is drawn at random; the parameters name their embedder and survive their file."""
    model, look, _ = by_label
    again, other, _ = fitted_with(told_by_label)
    assert (again, other) == (model, look)
    assert model.embedder == Telling.id
    assert msgspec.json.decode(msgspec.json.encode(model), type=Resemblance) == model


@pytest.mark.parametrize(
    ("kind", "label"),
    [("emergency", 1), ("self_harm", 2), ("medical_advice", 3), ("near_emergency", 0), ("off_topic", 0)],
)
def test_a_case_is_labelled_by_its_kind(kind: str, label: int) -> None:
    """What only looks like danger, and whatever else there is, is harmless."""
    case = TriageCase(kind, "dev", "？")
    assert case.label == label
    assert CLASSES[label] == (kind if label else None)


def test_every_kind_is_in_more_than_one_batch() -> None:
    """A kind that is in one batch alone could not be judged by a model that has not seen that batch."""
    batches = {kind: {case.split for case in read_cases() if case.kind == kind} for kind in CLASSES if kind}
    assert all(len(of_kind) > 1 for of_kind in batches.values())


def test_a_case_with_a_misspelt_field_is_refused() -> None:
    """So that no label is ever ignored."""
    with pytest.raises(msgspec.ValidationError, match="knd"):
        msgspec.json.decode('{"knd": "emergency", "split": "dev", "question": "？"}', type=TriageCase)


def test_a_share_is_shown_with_its_interval() -> None:
    """Nine of ten is not ninety of a hundred."""
    assert str(Share(9, 10)) == "9 of 10 [0.596, 0.982]"
    assert str(Share(90, 100)) == "90 of 100 [0.826, 0.945]"
