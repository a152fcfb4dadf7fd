"""What joins the two rankings is learnt from one half of every set of questions, and told of the other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from evals import confusions
from evals.collection import Collection, Passage, Question, searchable
from evals.fit import Questions
from evals.fit_fusion import Lesson, fit, foreign_lessons, holds, is_shown, own_lessons, write
from evals.library import read_library
from rag.adapters.tiktoken import TiktokenTokenizer
from rag.domain import Span
from rag.indexing import Indexer
from rag.retrieve.fusion import FEATURES, FusionModel
from rag.retrieve.linear import Linear
from rag.snapshots import SnapshotStore
from rag.wiring import LocalStorage
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.storage import MemoryStorage
from tests.fakes.tokenizer import CharacterTokenizer

TODAY = dt.date(2026, 11, 23)
SIZE = 4


def lessons(feature: str, *, shown: bool, count: int = 20, sign: int = 1, seed: int = 1) -> list[Lesson]:
    """Questions of which one feature decides: the relevant row has most of it, or least."""
    draw = np.random.default_rng(seed)
    column = FEATURES.index(feature)
    made = []
    for n in range(count):
        rows = draw.normal(size=(SIZE, len(FEATURES)))
        rows[n % SIZE, column] = sign * (np.abs(rows[:, column]).max() + 2.0)
        made.append(Lesson(rows, np.eye(SIZE)[n % SIZE], shown))
    return made


def without_answer(count: int, *, shown: bool) -> list[Lesson]:
    """Questions whose right passage neither ranking found."""
    rows = np.random.default_rng(2).normal(size=(count, SIZE, len(FEATURES)))
    return [Lesson(one, np.zeros(SIZE), shown) for one in rows]


def weights(model: FusionModel) -> dict[str, float]:
    """The weights by feature."""
    return dict(zip(model.linear.features, model.linear.weights, strict=True))


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, tokenizer: TiktokenTokenizer) -> Iterator[Questions]:
    """The development questions on near-identical rules, over their documents without vectors."""
    data = tmp_path_factory.mktemp("near")
    storage = LocalStorage(data, None)
    store = SnapshotStore(data, storage)
    documents = confusions.FOLDER / "corpus"
    Indexer(store, storage, tokenizer, None, lambda _: None, lambda *_: None).ingest([documents])
    examples = tuple(confusions.as_gold(one, TODAY) for one in confusions.load() if one.split == "dev")
    snapshot = store.open_current()
    yield Questions(examples, read_library([documents], tokenizer), snapshot, None, TODAY)
    snapshot.close()


def test_the_feature_that_decides_gets_the_weight() -> None:
    """And the questions that it was not fitted on are all answered by it."""
    asked = lessons("bm25", shown=True) + lessons("bm25", shown=False, seed=3)
    model, told = fit({"toy": asked})
    found = weights(model)
    assert found["bm25"] == max(found.values(), key=abs)
    assert found["bm25"] > 3 * max(abs(weight) for name, weight in found.items() if name != "bm25")
    assert told == {"toy": 1.0}


def test_only_questions_that_were_not_shown_are_told_of() -> None:
    """Where the other half is decided by the opposite, every one of it is missed."""
    asked = lessons("bm25", shown=True) + lessons("bm25", shown=False, sign=-1)
    assert fit({"toy": asked})[1] == {"toy": 0.0}


def test_what_was_not_shown_moves_no_weight() -> None:
    """Whatever is held back, the model is the same."""
    shown = lessons("bm25", shown=True)
    one, _ = fit({"toy": [*shown, *lessons("bm25", shown=False)]})
    other, _ = fit({"toy": [*shown, *lessons("cosine", shown=False, sign=-1, seed=5)]})
    assert one == other


def test_a_question_without_a_right_passage_teaches_nothing() -> None:
    """No order of its passages would be better than another."""
    asked = lessons("bm25", shown=True) + lessons("bm25", shown=False)
    assert fit({"toy": [*asked, *without_answer(9, shown=True)]})[0].linear == fit({"toy": asked})[0].linear


def test_a_question_without_a_right_passage_is_told_as_missed() -> None:
    """It is not left out of the count."""
    asked = [*lessons("bm25", shown=True), *lessons("bm25", shown=False, count=6), *without_answer(2, shown=False)]
    assert fit({"toy": asked})[1] == {"toy": 0.75}


def test_every_set_counts_the_same_however_large() -> None:
    """One question for a feature in a set, ten against it in another: they cancel out."""
    rows = np.zeros((2, len(FEATURES)))
    rows[:, FEATURES.index("bm25")] = 1.0, -1.0
    up, down = (Lesson(rows, relevance, shown=True) for relevance in np.eye(2))
    held = lessons("bm25", shown=False, count=1)
    model, _ = fit({"few": [up, *held], "many": [*[down] * 10, *held]})
    assert weights(model)["bm25"] == pytest.approx(0.0, abs=1e-3)


def test_with_nothing_to_learn_from_there_is_no_model() -> None:
    """Not even a model of zeros."""
    with pytest.raises(ValueError, match="at least one"):
        fit({"toy": [*without_answer(3, shown=True), *lessons("bm25", shown=False)]})


def test_a_question_is_in_one_half_for_good() -> None:
    """Its id alone decides, in every process alike, and about half of all are shown."""
    asked = ["near-002", "near-007", "pair-001", "q1"]
    assert [name for name in asked if is_shown(name)] == ["near-002", "q1"]
    assert sum(is_shown(f"question-{n}") for n in range(2000)) == pytest.approx(1000, abs=100)


def test_a_foreign_question_knows_its_passage_and_its_half() -> None:
    """The row of the passage that is judged relevant, and no other."""
    passages = (
        Passage("beds", "陪护床费每日最高40元。", "陪护床费"),
        Passage("glasses", "每副眼镜补助300元。", "配镜"),
    )
    questions = tuple(Question(f"q{n}", "陪护床费一天最多多少钱") for n in range(8))
    collection = Collection(passages, questions, {question.id: {"beds": 1.0} for question in questions})
    search = searchable(collection, CharacterTokenizer(), FakeEmbedder(), MemoryStorage(), lambda *_: None)
    made = foreign_lessons(collection, search, TODAY)
    assert [one.shown for one in made] == [is_shown(question.id) for question in questions]
    assert {True, False} == {one.shown for one in made}
    assert all(one.rows.shape == (2, len(FEATURES)) and one.relevance.tolist() == [1.0, 0.0] for one in made)


def test_an_own_question_knows_the_passages_that_hold_its_evidence(own: Questions) -> None:
    """A rule that stands once is in one passage of those found; without vectors no cosine tells anything."""
    made = own_lessons(own)
    assert len(made) == len(own.examples)
    assert [one.shown for one in made] == [is_shown(example.id) for example in own.examples]
    assert {one.relevance.sum() for one in made} == {1.0}
    assert not any(one.rows[:, FEATURES.index("cosine")].any() for one in made)


def test_questions_without_an_answer_teach_no_order(own: Questions) -> None:
    """What should be declined has no right passage."""
    declined = tuple(msgspec.structs.replace(example, kind="abstention", evidence=()) for example in own.examples)
    assert own_lessons(msgspec.structs.replace(own, examples=declined)) == []


@pytest.mark.parametrize(
    ("path", "span", "held"),
    [
        ("a.md", Span(0, 100), True),
        ("a.md", Span(50, 90), True),
        ("a.md", Span(51, 90), False),
        ("b.md", Span(0, 100), False),
    ],
    ids=["whole", "half", "less", "other file"],
)
def test_a_passage_is_right_with_half_of_the_evidence(path: str, span: Span, *, held: bool) -> None:
    """Where evidence is cut in two, each half will do."""
    assert holds(path, span, [("a.md", Span(40, 60))]) is held


def test_weights_survive_their_file(tmp_path: Path) -> None:
    """What is written is what the service reads."""
    halves = (0.5,) * len(FEATURES)
    model = FusionModel(Linear(FEATURES, halves, halves, halves), "made up")
    write(model, tmp_path / "model.json")
    assert msgspec.json.decode((tmp_path / "model.json").read_bytes(), type=FusionModel) == model
