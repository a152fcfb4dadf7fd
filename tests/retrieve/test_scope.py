"""Whose rule is asked for: the insured place and the place of care are two places."""

from __future__ import annotations

import pytest

from rag.domain import Scope
from rag.retrieve.scope import asked_places, read_scope, scoped_question

NOTHING = Scope()


@pytest.mark.parametrize(
    ("question", "insured", "care"),
    [
        ("嘉兴医保在苏州看病能报多少？", "嘉兴", "苏州"),
        ("在苏州住院，嘉兴医保报多少？", "嘉兴", "苏州"),
        ("嘉兴参保，去了苏州市的医院，怎么办？", "嘉兴", "苏州"),
        ("到苏州就医要备案吗？", None, "苏州"),
        ("嘉兴门诊报多少？", "嘉兴", None),
        ("我在嘉兴，门诊报多少？", "嘉兴", None),
        ("门诊报多少？", None, None),
        ("嘉兴医保到海宁看病怎么报？", "嘉兴", "海宁市"),
        ("嘉兴医保到海宁市看病怎么报？", "嘉兴", "海宁市"),
        ("在广西壮族自治区住院，嘉兴医保报多少？", "嘉兴", "广西"),
    ],
)
def test_places_have_their_roles(question: str, insured: str | None, care: str | None) -> None:
    """Where one is treated is told by the words around the name; any other place is where one is insured."""
    scope = read_scope(question, NOTHING)
    assert (scope.insured_place, scope.care_place) == (insured, care)


@pytest.mark.parametrize(
    ("question", "field", "value"),
    [
        ("职工医保门诊报多少？", "insured_type", "职工"),
        ("新农合能报吗？", "insured_type", "居民"),
        ("职工和居民有什么不同？", "insured_type", None),
        ("退休以后报多少？", "person", "退休"),
        ("在职和退休报得一样吗？", "person", None),
        ("自由职业怎么参保？", "person", "灵活就业"),
        ("大学生怎么参保？", "person", "学生"),
        ("宝宝刚出生怎么参保？", "person", "新生儿"),
        ("看急诊报多少？", "care_type", "急诊"),
        ("高血压慢性病门诊报多少？", "care_type", "慢特病"),
        ("剖腹产住院报多少？", "care_type", "生育"),
        ("药店买药能报吗？", "care_type", "购药"),
        ("出院时报多少？", "care_type", "住院"),
        ("怎么查余额？", "care_type", None),
    ],
)
def test_people_and_care_are_read(question: str, field: str, value: str | None) -> None:
    """One value is taken; of two that exclude each other, none."""
    assert getattr(read_scope(question, NOTHING), field) == value


def test_what_the_caller_states_wins() -> None:
    """A stated field replaces what was read; the others stay as read."""
    scope = read_scope("嘉兴职工医保在苏州看病报多少？", Scope(insured_place="湖州", insured_type="居民"))
    assert scope == Scope(insured_place="湖州", care_place="苏州", insured_type="居民")


def test_the_stated_insured_place_governs() -> None:
    """It goes before the question's own words, and by its short name."""
    assert asked_places("嘉兴医保在苏州看病", Scope(insured_place="湖州市", care_place="苏州")) == ("湖州",)


def test_a_stated_place_of_care_governs_where_nothing_else_does() -> None:
    """Beside an insured place it does not."""
    stated = Scope(care_place="苏州")
    assert asked_places("门诊报多少？", stated) == ("苏州",)
    assert asked_places("嘉兴医保门诊报多少？", stated) == ("嘉兴",)


def test_a_place_that_no_table_knows_is_kept() -> None:
    """What the caller states is not dropped in silence."""
    assert asked_places("门诊报多少？", Scope(insured_place="乌有乡")) == ("乌有乡",)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("洛阳转郑州，人已经住进医院了，怎么补办？", True),
        ("洛阳转诊到郑州，怎么报？", False),
        ("医保从洛阳转到郑州，要多久？", False),
        ("洛阳医保在郑州住院，怎么报？", False),
    ],
)
def test_who_is_sent_on_is_referred(question: str, *, said: bool) -> None:
    """洛阳转郑州 means 转诊 and does not say so; where the insurance moves, nobody is referred."""
    assert (" 转诊" in scoped_question(question, Scope())) is said
