"""Who asks about one bracket of an expense is not told of another."""

from __future__ import annotations

import math

import pytest

from rag.retrieve.brackets import Bracket, asked_bracket, beside

ABOVE_TEN = Bracket(100_000, math.inf)


@pytest.mark.parametrize(
    ("question", "low", "high"),
    [
        ("住院花了十二万，十万往上那部分报多少", 100_000, math.inf),
        ("他也超了10万，那部分是多少", 100_000, math.inf),
        ("超过1.2万元的部分报几成？", 12_000, math.inf),
        ("5万到10万那一段报几成", 50_000, 100_000),
        ("五万到十万那一截给报多少", 50_000, 100_000),
        ("5至10万元这一段呢", 50_000, 100_000),
        ("超过两千块的部分怎么报", 2_000, math.inf),
    ],
)
def test_a_bracket_is_asked_about_by_its_ends(question: str, low: float, high: float) -> None:
    """In digits and in Han numerals, with the unit at either end."""
    assert asked_bracket(question) == Bracket(low, high)


@pytest.mark.parametrize(
    "question",
    [
        "住院花了12万报多少",  # all brackets
        "自费的部分怎么报",
        "起付线以上部分报多少",  # of no amount
        "5万到10万那段和10万以上那部分各报多少",  # two
        "每月交500到2400元社保，住院报多少",
    ],
)
def test_other_questions_ask_about_no_single_bracket(question: str) -> None:
    """Nothing is left out for them."""
    assert asked_bracket(question) is None


@pytest.mark.parametrize(
    "text",
    [
        "退休人员住院，费用在5万元至10万元部分的：基层医疗卫生机构报销95%。",
        "费用在起付标准至5万元部分的报销90%。",
        "| 5万元至10万元 | 其他医疗机构 | 85% | 90% |",
        "5至10万元的部分报85%。",
    ],
)
def test_a_rule_below_is_beside_what_lies_above(text: str) -> None:
    """Their expenses have nothing in common."""
    assert beside(ABOVE_TEN, text)


@pytest.mark.parametrize(
    "text",
    [
        "费用在10万元以上至最高支付限额的部分，报销90%。",
        "最高支付限额是5万元，超出5万元的部分按90%报销。",  # holds above 10万, too
        "5万元至10万元的部分报85%，10万元以上的部分报90%。",  # one of both
        "住院报销比例是85%。",
        "三年以上十年以下有期徒刑",
    ],
)
def test_what_names_that_bracket_or_none_stays(text: str) -> None:
    """Only what is expressly for other brackets goes."""
    assert not beside(ABOVE_TEN, text)
