"""What is found for each thing asked, put together."""

from __future__ import annotations

from rag.domain import Evidence, EvidenceUnit
from rag.retrieve.choosing import MAX_UNITS
from rag.retrieve.joining import joined
from tests.making import a_unit

DEPOSIT, FILING, LIST = (
    a_unit("a#u0", "押金是900元。"),
    a_unit("b#u0", "在窗口备案。"),
    a_unit("c#u0", "出院带：发票；清单。"),
)
ITEM = a_unit("c#u1", "发票；", 4)


def found(*units: EvidenceUnit, sufficient: bool = True) -> Evidence:
    """Evidence with these units."""
    return Evidence(units, units, 0.9 if sufficient else 0.1, sufficient=sufficient)


def test_the_best_for_each_thing_comes_to_what_was_found_for_all() -> None:
    """One unit a thing, behind those for the whole question, and in its pool."""
    both = joined(found(DEPOSIT), [found(DEPOSIT), found(FILING, LIST)])
    assert both.units == (DEPOSIT, FILING)
    assert both.pool[:2] == both.units
    assert LIST in both.pool


def test_what_does_not_suffice_for_a_thing_does_not_come_along() -> None:
    """Nor does a part of what is there already."""
    assert joined(found(DEPOSIT), [found(FILING, sufficient=False), found(DEPOSIT)]).units == (DEPOSIT,)
    assert joined(found(LIST), [found(ITEM), found(LIST)]).units == (LIST,)


def test_where_nothing_suffices_for_all_each_thing_needs_its_own() -> None:
    """One that has nothing leaves the question unanswered."""
    whole = found(LIST, sufficient=False)
    answered = joined(whole, [found(DEPOSIT), found(FILING)])
    assert answered.sufficient
    assert answered.units == (DEPOSIT, FILING)
    assert joined(whole, [found(DEPOSIT), found(FILING, sufficient=False)]) is whole


def test_an_answer_keeps_its_length() -> None:
    """However many things are asked; each of them has its place."""
    many = tuple(a_unit(f"d{n}#u0", f"第{n}条。") for n in range(MAX_UNITS))
    assert joined(found(*many), [found(DEPOSIT), found(FILING)]).units == (*many[:-2], DEPOSIT, FILING)
    assert joined(found(*many), [found(many[0]), found(many[1])]).units == many


def test_one_sentence_of_two_documents_is_told_once() -> None:
    """Whichever ask found it."""
    again = a_unit("z#u0", FILING.text)
    assert joined(found(FILING), [found(FILING), found(again)]).units == (FILING,)


def test_the_best_part_of_a_list_comes_along_with_it() -> None:
    """As it does for a question that asks one thing."""
    with_part = Evidence((LIST,), (LIST,), 0.9, sufficient=True, details={LIST.id: ITEM})
    assert joined(found(DEPOSIT), [found(DEPOSIT), with_part]).details == {LIST.id: ITEM}
