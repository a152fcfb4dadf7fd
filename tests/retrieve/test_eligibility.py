"""Only what holds on that day and somewhere near may answer."""

from __future__ import annotations

import datetime as dt

import pytest

from rag.domain import Document
from rag.retrieve.eligibility import eligible
from tests.making import a_document

DAY = dt.date(2031, 5, 4)
BEFORE, AFTER = DAY - dt.timedelta(days=1), DAY + dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("dates", "holds"),
    [
        ({}, True),
        ({"effective_from": DAY}, True),
        ({"effective_from": AFTER}, False),
        ({"effective_to": DAY}, True),
        ({"effective_to": BEFORE}, False),
        ({"effective_from": BEFORE, "effective_to": AFTER}, True),
        ({"published": AFTER}, True),
    ],
)
def test_a_rule_holds_from_its_first_to_its_last_day(dates: dict[str, dt.date], *, holds: bool) -> None:
    """Both days count; the day of publication decides nothing."""
    assert eligible(a_document("rule", **dates), (), DAY) is holds


def test_a_superseded_rule_does_not_answer() -> None:
    """Where a newer text stands, the old one is silent, though no date was given."""
    assert not eligible(a_document("rule", superseded_by="rule-2032"), (), DAY)


def test_a_superseded_rule_answers_for_its_own_time() -> None:
    """Asked as of a day on which it was in force, the old text is the right one."""
    old = a_document("rule", superseded_by="rule-2032", effective_from=BEFORE, effective_to=AFTER)
    assert eligible(old, (), DAY)
    assert not eligible(old, (), AFTER + dt.timedelta(days=1))


@pytest.mark.parametrize(
    ("asked", "own", "fits"),
    [
        ((), ("嘉兴",), True),
        (("嘉兴",), (), True),
        (("嘉兴",), ("嘉兴",), True),
        (("嘉兴",), ("浙江",), True),
        (("浙江",), ("嘉兴",), True),
        (("嘉兴",), ("湖州",), False),
        (("山东",), ("山西",), False),
        (("嘉兴", "上海"), ("上海",), True),
        (("嘉兴",), ("上海", "嘉兴"), True),
    ],
)
def test_a_rule_answers_for_its_places(asked: tuple[str, ...], own: tuple[str, ...], *, fits: bool) -> None:
    """The place itself, what lies in it and what it lies in; neighbours never."""
    document: Document = a_document("rule", places=own)
    assert eligible(document, asked, DAY) is fits
