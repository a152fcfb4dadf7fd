"""A question that leans on what was asked before is made whole; one that stands by itself is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.domain import Turn
from rag.retrieve.followups import completed

# Questions with a gap, and values of one kind to fill it.
VARIED = [
    ("绍兴{}人员住院能报几成？", ("在职", "退休", "灵活就业")),
    ("绍兴{}医保住院能报几成？", ("职工", "居民")),
    ("绍兴职工{}能报几成？", ("门诊", "住院")),
    ("绍兴职工在{}医院住院能报几成？", ("三级", "二级", "一级")),
    ("绍兴{}就医怎么备案？", ("跨省", "省内")),
    ("绍兴居民在{}缴费是多少钱？", ("2024年", "2025年", "2026年")),
    ("绍兴{}药品住院怎么报？", ("甲类", "乙类")),
    ("{}职工住院起付线是多少？", ("绍兴", "湖州", "南京")),
]
ASKING_ON = ("那{}呢？", "{}呢", "要是{}呢？", "换成{}呢？")
EARLIER = "绍兴职工医保住院起付线是多少？"


def said(*questions: str) -> list[Turn]:
    """A conversation in which these were asked, each with a reply about somewhere and someone else."""
    reply = Turn("assistant", "海口退休人员门诊的起付线是500元。")
    return [turn for question in questions for turn in (Turn("user", question), reply)]


@st.composite
def variations(draw: st.DrawFn) -> tuple[str, str, str]:
    """A question, a follow-up with another value for its gap, and what is meant by it."""
    gapped, values = draw(st.sampled_from(VARIED))
    before, now = draw(st.permutations(values))[:2]
    return gapped.format(before), draw(st.sampled_from(ASKING_ON)).format(now), gapped.format(now)


@settings(deadline=None)
@given(variations())
def test_another_value_takes_the_place_of_the_one_before(variation: tuple[str, str, str]) -> None:
    """Person, insurance, care, level, reach, year, class or place: all else of the question stays."""
    before, asked_on, meant = variation
    assert completed(asked_on, said(before)) == meant


@settings(deadline=None)
@given(variations())
def test_values_are_carried_from_one_follow_up_to_the_next(variation: tuple[str, str, str]) -> None:
    """A second follow-up varies what the first one meant; asking for the first value again leads back."""
    before, asked_on, meant = variation
    assert completed("那杭州呢？", said(before, asked_on)) == completed("那杭州呢？", said(meant))


@pytest.mark.parametrize(
    ("follow_up", "meant"),
    [
        ("那居民门诊呢？", "绍兴居民医保门诊起付线是多少？"),
        ("那湖州居民呢？", "湖州居民医保住院起付线是多少？"),
        ("南京的退休职工呢？", "南京职工医保住院起付线是多少？ 南京的退休职工呢？"),
    ],
)
def test_several_values_are_replaced_at_once(follow_up: str, meant: str) -> None:
    """Each one that there is another of; a kind that was not asked about before is added in the user's words."""
    assert completed(follow_up, said(EARLIER)) == meant


def test_a_longer_value_does_not_shift_the_next_one() -> None:
    """Each is put exactly where the other was."""
    before = said("绍兴在职人员门诊能报几成？")
    assert completed("灵活就业的住院呢？", before) == "绍兴灵活就业人员住院能报几成？"


@pytest.mark.parametrize(
    "follow_up",
    [
        "需要带什么？",
        "这个要多久才能办好？",
        "为什么？",
        "上面说的在哪里办？",
        "我妈也可以吗？",
        "绍兴职工呢？",
        "然后？",
    ],
)
def test_what_is_new_is_asked_of_what_was_asked(follow_up: str) -> None:
    """A next step, a pronoun or the same value once more: what was asked before goes first, and no word is lost."""
    assert completed(follow_up, said(EARLIER)) == f"{EARLIER} {follow_up}"


@pytest.mark.parametrize(
    "question",
    [
        "医保电子凭证怎么激活？",
        "生育津贴要连续缴费多久才能领？",
        "换个问题，医保卡丢了怎么补？",
        "对了，怎么查个人账户余额？",
        "顺便问一下，那新生儿呢？",
        "那我在湖州参加居民医保的孩子去上海的医院看病以后费用怎么报销？",
        "反过来呢？我妈是嘉兴的卡，来湖州看病能直接刷不",
    ],
)
def test_a_question_of_its_own_is_left_alone(question: str) -> None:
    """It names its subject, or says that the subject is another one."""
    assert completed(question, said(EARLIER)) == question


def test_a_follow_up_leans_on_the_latest_subject() -> None:
    """What was asked before the subject changed is forgotten."""
    conversation = said(EARLIER, "换个问题，医保卡丢了怎么补办？")
    assert completed("要多久？", conversation) == "换个问题，医保卡丢了怎么补办？ 要多久？"


def test_a_place_alone_answers_what_was_asked_back() -> None:
    """The reply to a request for the insured place makes the first question whole."""
    conversation = [Turn("user", "职工医保住院能报多少？"), Turn("assistant", "请补充：参保地。")]
    assert completed("绍兴", conversation) == "职工医保住院能报多少？ 绍兴"


@settings(deadline=None)
@given(st.text())
def test_without_a_conversation_a_question_is_itself(question: str) -> None:
    """There is nothing that it could lean on; only white space around it goes."""
    assert completed(question, []) == question.strip()


USERS = st.lists(st.sampled_from([EARLIER, "那退休的呢？", "湖州呢", "需要带什么？", "医保卡丢了怎么补？"]), max_size=5)
REPLIES = st.text(max_size=20) | st.sampled_from(["那南京呢？", "换个问题", "退休人员在海口报95%。"])


@settings(deadline=None)
@given(USERS, st.data())
def test_what_the_service_said_is_no_part_of_a_question(questions: list[str], data: st.DataObject) -> None:
    """Replies, and whatever poses as one, change nothing: only users ask."""
    alone = [Turn("user", question) for question in questions]
    answered = [turn for one in alone for turn in (one, Turn("assistant", data.draw(REPLIES)))]
    assert completed("那门诊呢？", answered) == completed("那门诊呢？", alone)


def test_a_value_is_replaced_wherever_it_stood() -> None:
    """And where both values of a kind stood, neither is."""
    assert completed("居民呢？", [Turn("user", "绍兴职工医保，职工住院报多少？")]) == "绍兴居民医保，居民住院报多少？"
    assert "门诊和住院" in completed("购药呢？", [Turn("user", "绍兴门诊和住院报多少？")])


@pytest.mark.parametrize(
    ("follow_up", "meant"),
    [
        ("那湖州参保在上海呢？", "湖州参保在上海住院报多少"),
        ("反过来呢？", "上海参保在嘉兴住院报多少 反过来呢？"),
    ],
)
def test_of_two_places_the_other_one_is_replaced_or_both_change_places(follow_up: str, meant: str) -> None:
    """The place that both name stays."""
    assert completed(follow_up, said("嘉兴参保在上海住院报多少")) == meant
