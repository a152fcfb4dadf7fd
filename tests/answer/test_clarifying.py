"""The insured place is asked for where the evidence parts by place, and only there."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answer.clarifying import INSURED_PLACE, general, missing
from rag.domain import Document, EvidenceUnit
from tests.making import a_document, a_unit

Source = tuple[str, tuple[str, ...]]


def evidence(*sources: Source) -> tuple[list[EvidenceUnit], dict[str, Document]]:
    """A unit with these words from a document of these places, one a source."""
    units = [a_unit(f"d{n}#u0", words, title_path=("补助",)) for n, (words, _) in enumerate(sources)]
    return units, {f"d{n}": a_document(f"d{n}", places=places) for n, (_, places) in enumerate(sources)}


ANYWHERE = ("补助须凭发票申请。", ())
APART = [
    [("补助为230元。", ("绍兴",)), ("补助为310元。", ("湖州",))],
    [("绍兴补助为230元。", ()), ("湖州补助为310元。", ())],
    [("补助为230元。", ("绍兴",)), ("湖州补助为310元。", ())],
    [("补助为230元。", ("浙江",)), ("补助为310元。", ("绍兴",)), ("补助为450元。", ("南京",))],
    [("补助为230元。", ("湖州",)), ("补助由省里定。", ("浙江",)), ("补助为310元。", ("绍兴",))],
    [("补助为230元。", ("江苏",)), ANYWHERE, ("补助为310元。", ("绍兴",))],
]
TOGETHER = [
    [],
    [ANYWHERE],
    [ANYWHERE, ANYWHERE],
    [("补助为230元。", ("绍兴",))],
    [("补助为230元。", ("绍兴",)), ANYWHERE],
    [("补助为230元。", ("绍兴",)), ("次年补助为250元。", ("绍兴",))],
    [("补助为230元。", ("浙江",)), ("补助为310元。", ("绍兴",))],
    [("补助为230元。", ("长三角",)), ("补助为310元。", ("绍兴",))],
    [("补助为230元。", ("绍兴", "湖州")), ("补助为310元。", ("湖州",))],
]


@pytest.mark.parametrize("sources", APART)
def test_places_with_rules_of_their_own_are_asked_for(sources: list[Source]) -> None:
    """By the document's places or, where it has none, by those that the words name."""
    assert missing(*evidence(*sources)) == (INSURED_PLACE,)


@pytest.mark.parametrize("sources", TOGETHER)
def test_one_place_or_none_needs_no_question(sources: list[Source]) -> None:
    """A province and its city, a region and its member, or one city twice do not part."""
    assert missing(*evidence(*sources)) == ()


@settings(deadline=None)
@given(st.sampled_from([*APART, *TOGETHER]), st.randoms())
def test_the_order_of_the_evidence_does_not_matter(sources: list[Source], random: Random) -> None:
    """Whichever comes first, and with a rule for everywhere beside it or without."""
    asked = missing(*evidence(*sources))
    shuffled = random.sample([*sources, ANYWHERE], len(sources) + 1)
    assert missing(*evidence(*shuffled)) == asked


def test_a_documents_places_go_before_its_words() -> None:
    """A rule of 绍兴 that mentions 湖州 is a rule of 绍兴."""
    assert missing(*evidence(("在湖州也可以申请。", ("绍兴",)), ("补助为230元。", ("绍兴",)))) == ()


def test_a_title_names_the_place_too() -> None:
    """What stands below 绍兴补助 is a rule of 绍兴."""
    units = [
        a_unit(f"d{n}#u0", "补助见下表。", title_path=(f"{place}补助",)) for n, place in enumerate(("绍兴", "湖州"))
    ]
    assert missing(units, {}) == (INSURED_PLACE,)


def test_of_an_unknown_document_only_the_words_are_known() -> None:
    """A unit whose document is not at hand is judged by what it says."""
    units, _ = evidence(("绍兴补助为230元。", ("绍兴",)), ("补助为310元。", ("湖州",)))
    assert missing(units, {}) == ()


def test_what_holds_everywhere_can_be_told_at_once() -> None:
    """In the order of the evidence; nothing that is of a place, by its document or its words, is among it."""
    everywhere = "补助每年可以申请一次。"
    units, documents = evidence(ANYWHERE, ("补助为230元。", ("绍兴",)), ("湖州补助为310元。", ()), (everywhere, ()))
    assert [unit.text for unit in general(units, documents)] == [ANYWHERE[0], everywhere]
