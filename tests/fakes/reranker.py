"""A cross-encoder without a model: a text answers as well as it holds the question's pairs of characters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rag.errors import RerankerUnavailable
from rag.text import fold

Judge = Callable[[str, str], float]


def shared_pairs(question: str, text: str) -> float:
    """The share of the question's pairs of neighbouring characters that stand in the text."""
    asked, told = _pairs(question), _pairs(text)
    return len(asked & told) / max(len(asked), 1)


class FakeReranker:
    """`ports.Reranker` by counting, or by another `judge`. `asked` keeps what was asked; with `fails` it never says."""

    def __init__(self, judge: Judge = shared_pairs, *, fails: bool = False) -> None:
        self.asked: list[tuple[str, list[str]]] = []
        self._judge, self._fails = judge, fails

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers, in the order given."""
        self.asked.append((question, list(texts)))
        if self._fails:
            raise RerankerUnavailable("told to fail")
        return [self._judge(question, text) for text in texts]

    def close(self) -> None:
        """Nothing to release."""


def _pairs(text: str) -> set[str]:
    key = fold(text)
    return {key[i : i + 2] for i in range(len(key) - 1)}
