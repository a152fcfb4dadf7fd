"""What kind of answer a question wants, and whether a text has one."""

from __future__ import annotations

import pytest

from rag.retrieve.cues import answer_types, asks_one_thing, has_figure, wants_list


@pytest.mark.parametrize(
    ("question", "types"),
    [
        ("护理床一个月补贴多少钱？", {"amount"}),
        ("起付线是几块？", {"amount"}),
        ("护理费的报销比例是多少？", {"ratio"}),
        ("康复治疗能报几成？", {"ratio"}),
        ("评估结论多久有效？", {"period"}),
        ("一共有几家定点机构？", {"count"}),
        ("评估机构的热线是哪个？", {"phone"}),
        ("护理补贴发给谁？", set()),
        ("选第几档合适？", set()),
        ("够了什么线才按比例补？", set()),
    ],
)
def test_question_words_tell_the_kind_of_figure(question: str, types: set[str]) -> None:
    """Amount, ratio, period, count or phone; none where none is asked for."""
    assert answer_types(question) == types


@pytest.mark.parametrize(
    ("kind", "with_one", "without"),
    [
        ("amount", "每月不超过 900 元。", "每月不超过900次。"),
        ("amount", "限额2万元。", "限额见附件。"),
        ("amount", "社区的门诊不设起付线。", "社区的门诊有起付线。"),
        ("ratio", "按75％支付。", "按75元支付。"),
        ("ratio", "报销百分之六十。", "报销六十元。"),
        ("ratio", "能报六成。", "六人成行。"),
        ("period", "15个工作日内办结。", "15人办结。"),
        ("period", "评估结论两年内有效。", "评估结论有效。"),
        ("count", "定点机构共 32 家。", "定点机构在32号。"),
        ("phone", "请拨打12393。", "请到3号窗口。"),
    ],
)
def test_a_figure_counts_with_its_unit(kind: str, with_one: str, without: str) -> None:
    """75元 is no ratio: a number is of a kind only through what stands beside it."""
    assert has_figure(with_one, frozenset({kind}))
    assert not has_figure(without, frozenset({kind}))


def test_a_figure_of_another_kind_does_not_count() -> None:
    """Who asks for a period is not answered by an amount."""
    assert not has_figure("每月900元。", frozenset({"ratio", "phone"}))
    assert not has_figure("每月900元。", frozenset())


@pytest.mark.parametrize("question", ["申请要带啥？", "需要哪些材料", "怎么申请评估？", "办理流程是什么"])
def test_lists_are_asked_for(question: str) -> None:
    """Materials, steps and ways want the whole list."""
    assert wants_list(question)
    assert not asks_one_thing(question)


@pytest.mark.parametrize("question", ["职工和居民各报多少？", "起付线多少？封顶线多少？", "门诊报多少以及住院报多少"])
def test_several_things_at_once_are_not_one(question: str) -> None:
    """Two questions in one are not answered by one sentence."""
    assert not asks_one_thing(question)


def test_one_thing_is_one() -> None:
    """A plain question wants one sentence."""
    assert asks_one_thing("护理补贴每月多少钱？")
