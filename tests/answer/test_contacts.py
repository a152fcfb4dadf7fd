"""Whom to ask comes from a table of ours."""

from __future__ import annotations

import pytest

from rag.answer.contacts import where_to_ask
from rag.domain import Scope


def test_the_hotline_is_always_named() -> None:
    """12393 is the medical insurance hotline everywhere in the country."""
    assert "医保服务热线12393" in where_to_ask(Scope())


@pytest.mark.parametrize(
    ("scope", "office"),
    [
        (Scope(), "参保地医疗保障局"),
        (Scope(insured_place="宁波"), "宁波医疗保障局"),
        (Scope(insured_place="宁波", care_place="杭州"), "宁波医疗保障局"),
        (Scope(care_place="杭州"), "参保地医疗保障局"),
    ],
)
def test_the_office_is_that_of_the_insured_place(scope: Scope, office: str) -> None:
    """Where someone is treated says nothing about who insures them."""
    assert f"向{office}（" in where_to_ask(scope)


def test_the_table_is_read_with_unusual_places() -> None:
    """A place with braces or percent signs in its name is a name and no template."""
    assert "{place}%s医疗保障局" in where_to_ask(Scope(insured_place="{place}%s"))
