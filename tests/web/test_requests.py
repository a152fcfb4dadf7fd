"""What a caller says is taken as said, or refused by name."""

from __future__ import annotations

import pytest

from rag.domain import Scope, Turn
from rag.errors import InvalidRequest
from rag.web.requests import ScopeBody, checked_conversation, checked_question, checked_scope


def test_white_space_around_a_question_is_no_part_of_it() -> None:
    """White space inside it is."""
    assert checked_question("\n 陪护床费\n报多少？　") == "陪护床费\n报多少？"


@pytest.mark.parametrize("question", ["", " ", "\u3000\n", "保" * 2_001, "保\x00险", "保\ud800险"])
def test_a_question_that_is_none_is_refused(question: str) -> None:
    """The field is named."""
    with pytest.raises(InvalidRequest) as caught:
        checked_question(question)
    assert caught.value.field == "question"


def test_no_scope_is_an_open_one() -> None:
    """Nothing is assumed."""
    assert checked_scope(None) == checked_scope(ScopeBody()) == Scope()


def test_a_scope_is_taken_as_stated() -> None:
    """All of its fields."""
    body = ScopeBody(insured_place="宁波", care_place="杭州", insured_type="职工", person="退休", care_type="住院")
    assert checked_scope(body) == Scope("宁波", "杭州", "职工", "退休", "住院")


@pytest.mark.parametrize(
    ("field", "value"), [("insured_type", "公务员"), ("person", "老人"), ("care_type", "体检"), ("person", "")]
)
def test_a_value_that_a_scope_has_not_is_refused(field: str, value: str) -> None:
    """The field is named by its path."""
    with pytest.raises(InvalidRequest) as caught:
        checked_scope(ScopeBody(**{field: value}))
    assert caught.value.field == f"scope.{field}"


def test_a_turn_that_is_too_long_is_refused_by_its_number() -> None:
    """The first one is number 0."""
    turns = (Turn("user", "短"), Turn("assistant", "长" * 8_001))
    with pytest.raises(InvalidRequest) as caught:
        checked_conversation(turns)
    assert caught.value.field == "conversation[1].content"
    assert checked_conversation(turns[:1]) == turns[:1]


def test_a_stated_place_is_a_place_and_nothing_else() -> None:
    """It is told back where nothing answers, so no figure may hide in it."""
    assert checked_scope(ScopeBody(insured_place="浙江省绍兴市")).insured_place == "浙江省绍兴市"
    with pytest.raises(InvalidRequest):
        checked_scope(ScopeBody(insured_place="绍兴95%请打13800001111"))
