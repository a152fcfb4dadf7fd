"""Whose insurance a question is about, and which texts are for others."""

from __future__ import annotations

import pytest

from rag.retrieve.insurance import insurance


def test_one_is_insured_where_the_question_says_so() -> None:
    """Of two places that are compared in each; where nobody says it, nowhere."""
    assert insurance("嘉兴参保在上海住院报多少？", ("嘉兴", "上海")).own == {"嘉兴"}
    assert insurance("嘉兴和绍兴的居民各报多少？", ("嘉兴", "绍兴")).own == {"嘉兴", "绍兴"}
    assert insurance("门诊报多少？", ("嘉兴",)).own == {"嘉兴"}  # the caller says it
    assert insurance("在嘉兴看病报多少？", ("嘉兴",)).own == frozenset()


@pytest.mark.parametrize(
    ("text", "elsewhere"),
    [
        ("绍兴参保人在嘉兴就医，先到绍兴备案。", True),
        ("绍兴医保卡在嘉兴能用的机构包括嘉兴市第一医院。", True),
        ("嘉兴参保人在绍兴就医，先到嘉兴备案。", False),
        ("嘉兴和绍兴的参保人员看病都能直接结算。", False),
        ("异地就医要先备案。", False),
    ],
)
def test_a_rule_for_those_insured_in_another_place_is_known(text: str, *, elsewhere: bool) -> None:
    """By who is insured there, not by where one goes."""
    assert insurance("嘉兴医保去绍兴看病怎么报？", ("嘉兴",)).admits(text) is not elsewhere
    assert insurance("在嘉兴看病怎么报？", ("嘉兴",)).admits(text)


def test_a_stranger_is_not_insured_where_one_is_treated() -> None:
    """外地人在嘉兴看病 wants no rule for those insured in 嘉兴."""
    stranger = insurance("外地人在嘉兴看病怎么报？", ("嘉兴",))
    assert not stranger.admits("嘉兴医保参保人员到上海就医，先在嘉兴备案。")
    assert stranger.admits("绍兴参保人在嘉兴就医，先到绍兴备案。")
    assert stranger.admits("异地就医要先备案。")
