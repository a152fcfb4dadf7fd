"""What every tokenizer keeps: tiktoken's and the fake."""

from __future__ import annotations

import pytest

from rag.adapters.tiktoken import TiktokenTokenizer
from rag.ports import Tokenizer
from tests.fakes.tokenizer import CharacterTokenizer


@pytest.fixture(params=["tiktoken", "fake"])
def subject(request: pytest.FixtureRequest, tokenizer: TiktokenTokenizer) -> Tokenizer:
    """Each tokenizer in turn."""
    return tokenizer if request.param == "tiktoken" else CharacterTokenizer()


def test_no_text_costs_nothing(subject: Tokenizer) -> None:
    """The empty text has no tokens."""
    assert subject.count("") == 0


def test_more_text_costs_more(subject: Tokenizer) -> None:
    """A text costs more than its first half."""
    assert 0 < subject.count("长期护理补贴") < subject.count("长期护理补贴按季度发放到本人账户")


@pytest.mark.parametrize("text", ["<|endoftext|>", "\x00\ufffd", "🧾①〔2031〕", "\ud83d"])
def test_any_text_is_counted(subject: Tokenizer, text: str) -> None:
    """Special tokens, control characters and half a surrogate pair are text like any other."""
    assert subject.count(text) > 0
