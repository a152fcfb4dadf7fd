"""What every cache of vectors keeps: SQLite's and the fake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rag.adapters.sqlite import SqliteVectorCache
from rag.ports import VectorCache
from tests.fakes.storage import MemoryVectorCache

LARGE = 10**9
ONE, TWO = np.array([0.6, 0.8], dtype=np.float32), np.array([1.0, 0.0], dtype=np.float32)


@pytest.fixture(params=["sqlite", "fake"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorCache]:
    """Each cache in turn, empty."""
    made = (
        SqliteVectorCache(tmp_path / "cache" / "vectors.sqlite", LARGE)
        if request.param == "sqlite"
        else MemoryVectorCache()
    )
    yield made
    made.close()


def test_what_was_put_is_got(subject: VectorCache) -> None:
    """A vector comes back as it was, under its own text."""
    subject.put("e", ["甲", "乙"], np.stack([ONE, TWO]))
    found = subject.get("e", ["乙", "甲"])
    assert found["甲"].tolist() == ONE.tolist()
    assert found["乙"].tolist() == TWO.tolist()


def test_what_is_not_there_is_left_out(subject: VectorCache) -> None:
    """Only texts that have a vector are in the answer."""
    subject.put("e", ["甲"], ONE[None])
    assert set(subject.get("e", ["甲", "丙"])) == {"甲"}
    assert subject.get("e", []) == {}


def test_embedders_do_not_share(subject: VectorCache) -> None:
    """One embedder's vector is never another's."""
    subject.put("e", ["甲"], ONE[None])
    assert subject.get("e2", ["甲"]) == {}


def test_the_last_vector_stands(subject: VectorCache) -> None:
    """Putting a text again replaces its vector."""
    subject.put("e", ["甲"], ONE[None])
    subject.put("e", ["甲"], TWO[None])
    assert subject.get("e", ["甲"])["甲"].tolist() == TWO.tolist()


def test_many_texts_are_got_at_once(subject: VectorCache) -> None:
    """A whole corpus is asked for in one call."""
    texts = [f"第{n}句" for n in range(1_201)]
    subject.put("e", texts, np.stack([ONE * n for n in range(1_201)]))
    found = subject.get("e", texts)
    assert len(found) == 1_201
    assert found["第1200句"].tolist() == (ONE * 1_200).tolist()


def test_uneven_rows_are_refused(subject: VectorCache) -> None:
    """A vector too few is an error and not a text with another's vector."""
    with pytest.raises(ValueError, match="shorter"):
        subject.put("e", ["甲", "乙"], ONE[None])
