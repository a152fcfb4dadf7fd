"""A tokenizer without ranks: a character is a token."""

from __future__ import annotations


class CharacterTokenizer:
    """`ports.Tokenizer` by length."""

    def count(self, text: str) -> int:
        """Characters of `text`."""
        return len(text)
