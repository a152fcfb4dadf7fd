"""Of several places in a question, the one where a person is insured makes the rules."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.retrieve.roles import PlaceRole, governing, roles

CITIES = ("绍兴", "南京", "成都", "青岛", "长沙", "厦门", "大连", "西安")
PAIRS = st.permutations(CITIES).map(lambda cities: (cities[0], cities[1]))
# {0} insures, {1} does not.
WORDINGS = (
    "{0}医保在{1}住院能报多少？",
    "我在{1}住院，{0}医保报多少？",
    "我参保地是{0}，去{1}看病要备案吗？",
    "人在{1}，社保在{0}，怎么报销？",
    "我在{0}交的社保，来{1}看病能直接结算吗？",
    "我爸是{0}退休职工，到{1}的医院手术怎么报？",
    "{0}居民医保转到{1}的医院住院，先办什么？",
    "听说{1}能报九成，{0}职工医保能报多少？",
    "{1}的同事说要备案，我是{0}的，也要吗？",
    "不像{1}，{0}医保要先备案吗？",
    "医保从{1}转到{0}，要带什么？",
    "我从{1}调到{0}，门诊怎么报销？",
    "户口在{1}，可居民医保这些年都是在{0}交的，报几成？",
    "{0}转{1}，走得急没备案，已经住进医院了，怎么补？",
    "从{0}转院到{1}，起付线多少？",
    "{0}的，县医院给转到{1}看专家，手续管几个月？",
    "{0}城乡居民医保，跟老公在{1}打工，在那边住院报多少？",
)


@settings(deadline=None)
@given(PAIRS, st.sampled_from(WORDINGS))
def test_the_place_that_insures_governs(cities: tuple[str, str], wording: str) -> None:
    """Where one is treated, what one has heard of and what one has left give way, whichever cities they are."""
    assert governing(wording.format(*cities)) == (cities[0],)


COMPARED = (
    "{0}和{1}哪个报得多？",
    "{0}跟{1}的住院起付线有什么区别？",
    "{0}、{1}两地的门诊各报多少？",
    "我在{0}参保，去{1}住院是按{0}还是按{1}的规定？",
)


@settings(deadline=None)
@given(PAIRS, st.sampled_from(COMPARED))
def test_places_that_are_compared_all_count(cities: tuple[str, str], wording: str) -> None:
    """In the order in which they are named, each once."""
    assert governing(wording.format(*cities)) == cities


def test_hearsay_is_not_compared_with() -> None:
    """A colleague's city beside two that are compared stays out."""
    question = "听说成都报得多，绍兴和南京相比哪边划算？"
    assert governing(question) == ("绍兴", "南京")


def test_where_hospitals_are_asked_for_the_place_of_care_counts_too() -> None:
    """Which hospitals there are is told by the place where they stand, and not by the insurance."""
    assert governing("绍兴医保到南京看病，南京有哪些定点医院？") == ("绍兴", "南京")
    assert governing("绍兴医保到南京看病，要备案吗？") == ("绍兴",)


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("安徽安庆职工医保住院报多少？", ["安庆"]),
        ("绍兴嵊州居民医保住院报多少？", ["嵊州市"]),
        ("绍兴参保，绍兴住院，怎么报？", ["绍兴"]),
        ("南京住院，绍兴报销", ["南京", "绍兴"]),
        ("医保怎么报？", []),
        ("", []),
    ],
)
def test_each_place_is_named_once(question: str, names: list[str]) -> None:
    """In order of appearance; of a place inside another the inner one alone."""
    assert [role.name for role in roles(question)] == names


def role_of(place: str, question: str) -> PlaceRole:
    """What the question says of the place."""
    (found,) = (role for role in roles(question) if role.name == place)
    return found


@pytest.mark.parametrize(
    ("question", "sign"),
    [
        ("绍兴医保怎么报？", "insures"),
        ("社保关系在绍兴。", "insures"),
        ("绍兴市城乡居民医保怎么报？", "insures"),
        ("我住绍兴。", "self"),
        ("我妈住绍兴。", "family"),
        ("医保转到绍兴。", "moved_to"),
        ("医保从绍兴迁走。", "moved_from"),
        ("去绍兴看病。", "treats"),
        ("绍兴的亲戚。", "heard"),
        ("绍兴那边说要备案。", "heard"),
        ("门诊在绍兴报多少？", "asked"),
    ],
)
def test_the_words_around_a_name_tell_its_part(question: str, sign: str) -> None:
    """Before the name or behind it."""
    assert sign in role_of("绍兴", question).signs


def test_a_relatives_place_is_not_ones_own() -> None:
    """我妈 is not 我, and one's own place goes before hers."""
    question = "我妈在绍兴参保，我在南京参保，我的门诊怎么报？"
    assert role_of("绍兴", question).signs >= {"family", "insures"}
    assert "self" not in role_of("绍兴", question).signs
    assert governing(question) == ("南京",)


def test_one_is_treated_where_one_goes_and_is_not_insured() -> None:
    """Both said of one place make it the insured one."""
    assert role_of("南京", "绍兴医保，到南京看病").treats
    both = role_of("南京", "我有南京医保，到南京看病")
    assert (both.treats, both.insures) == (False, True)


PIECES = st.lists(
    st.sampled_from([*CITIES, "医保", "听说", "去", "看病", "，", "？", "我", "的同事", "哪个多", "从"]), max_size=8
)


@settings(deadline=None)
@given(PIECES.map("".join))
def test_whatever_governs_was_named(question: str) -> None:
    """Some place governs whenever one is named, and never one that is not."""
    named = [role.name for role in roles(question)]
    assert len(set(named)) == len(named)
    assert set(governing(question)) <= set(named)


def test_where_one_is_from_does_not_govern_where_another_place_insures() -> None:
    """南京人 with a card of 绍兴 has the rules of 绍兴."""
    assert governing("我是南京人，医保在绍兴。去杭州动手术怎么报？") == ("绍兴",)
    assert governing("江苏的医保在绍兴能用吗？") == ("江苏",)


def test_where_two_places_are_told_the_first_insures() -> None:
    """甲参保在乙: 参保 belongs to what stands before it."""
    assert governing("嘉兴参保在上海呢？") == ("嘉兴",)
