"""The tape of vectors: what is on it is looked up, and only what is missing is embedded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evals.vectors import TapedEmbedder
from rag.ports import Embedder
from tests.fakes.embedder import FakeEmbedder


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    """Where a tape will be."""
    return tmp_path / "tapes" / "vectors.npz"


def taped(tape: Path, real: Callable[[], Embedder | None], name: str = "fake-1") -> TapedEmbedder:
    """An embedder that looks on the tape first."""
    return TapedEmbedder(tape, name, 64, real)


def never() -> Embedder:
    """No embedder may be built."""
    raise AssertionError("all of it is on the tape")


def record(tape: Path, *passages: str, queries: tuple[str, ...] = ()) -> None:
    """A tape of these texts."""
    embedder = taped(tape, FakeEmbedder)
    embedder.passages(passages)
    for query in queries:
        embedder.query(query)
    embedder.save()


def test_vectors_come_back_to_the_bit(tape: Path) -> None:
    """A run on tape sees what the embedder gave, in the order asked for."""
    record(tape, "甲", "乙", queries=("问",))
    embedder, real = taped(tape, never), FakeEmbedder()
    assert isinstance(embedder, Embedder)
    np.testing.assert_array_equal(embedder.passages(["乙", "甲", "乙"]), real.passages(["乙", "甲", "乙"]))
    np.testing.assert_array_equal(embedder.query("问"), real.query("问"))
    assert embedder.query("问").dtype == np.float32


def test_only_what_is_missing_is_embedded(tape: Path) -> None:
    """A changed document costs its own texts and no others."""
    record(tape, "甲", "乙")
    real = FakeEmbedder()
    found = taped(tape, lambda: real).passages(["甲", "丙", "乙", "丁"])
    assert real.texts == ["丙", "丁"]
    np.testing.assert_array_equal(found, FakeEmbedder().passages(["甲", "丙", "乙", "丁"]))


def test_the_embedder_is_built_once_and_late(tape: Path) -> None:
    """It is built for the first text that is missing, and kept."""
    record(tape, "甲")
    built: list[Embedder] = []

    def build() -> Embedder:
        built.append(FakeEmbedder())
        return built[-1]

    embedder = taped(tape, build)
    embedder.passages(["甲"])
    assert not built
    embedder.passages(["乙"])
    embedder.query("问")
    assert len(built) == 1


def test_another_embedders_tape_is_ignored(tape: Path) -> None:
    """Vectors of two models are never mixed."""
    record(tape, "甲")
    real = FakeEmbedder("fake-2")
    taped(tape, lambda: real, "fake-2").passages(["甲"])
    assert real.texts == ["甲"]


def test_a_question_is_not_a_passage(tape: Path) -> None:
    """The same words in the other role are another vector."""
    record(tape, "甲")
    real = FakeEmbedder()
    embedder = taped(tape, lambda: real)
    embedder.query("甲")
    assert embedder.save() == 1
    with pytest.raises(RuntimeError, match="not on the tape"):
        taped(tape, lambda: None).passages(["甲"])


def test_a_machine_without_embedder_says_so(tape: Path) -> None:
    """A text that is not on tape is an error there: BM25 alone would be another service."""
    with pytest.raises(RuntimeError, match="not on the tape"):
        taped(tape, lambda: None).query("问")


def test_what_a_run_did_not_use_is_not_kept(tape: Path) -> None:
    """Texts of old documents go from the tape."""
    record(tape, "甲", "乙", queries=("问", "又问"))
    embedder = taped(tape, never)
    embedder.passages(["乙"])
    embedder.query("问")
    assert embedder.save() == 2
    again = taped(tape, lambda: None)
    assert (again.passages(["乙"]).shape, again.query("问").shape) == ((1, 64), (64,))
    for gone in ("甲", "又问"):
        with pytest.raises(RuntimeError):
            again.passages([gone])


def test_the_same_vectors_are_the_same_bytes(tmp_path: Path) -> None:
    """Neither order nor time is in the file."""
    record(tmp_path / "one.npz", "甲", "乙")
    record(tmp_path / "other.npz", "乙", "甲")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()


def test_no_texts_have_no_vectors(tape: Path) -> None:
    """The shape is right also for nothing."""
    assert taped(tape, never).passages([]).shape == (0, 64)
