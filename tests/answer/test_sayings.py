"""A unit's figures and rules are read with what they are of, for whom and where they hold."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rag.answer.aspects import asked_aspects
from rag.answer.figures import ENDLESS, figures
from rag.answer.sayings import CARE, INSURED, Saying, sayings
from tests.making import a_document, a_unit

ALL = asked_aspects("起付线、限额、缴费标准、自付比例、百分点、有效期多久、几种、电话？要不要备案？能不能报？谁去办？")


def said(text: str, *titles: str, places: tuple[str, ...] = ()) -> list[Saying]:
    """Everything of interest that a unit says."""
    unit = a_unit("d#u0", text, title_path=titles)
    return list(sayings(unit, a_document("d", places=places), ALL))


FIGURES = [
    ("起付线为1.5万元。", 15000, 15000),
    ("不设起付线。", 0, 0),
    ("报销60%至80%。", 60, 80),
    ("备案半年内有效。", 180, 180),
    ("备案长期有效。", ENDLESS, ENDLESS),
    ("降低10个百分点。", 10, 10),
    ("降低10%至20%。", 10, 20),
    ("处二倍以上五倍以下罚款。", 2, 5),
    ("次月生效。", 30, 30),
    ("次日起享受。", 1, 1),
    ("免收起付线。", 0, 0),
    ("门诊无限额。", ENDLESS, ENDLESS),
    ("没有等待期。", 0, 0),
    ("次数不限。", ENDLESS, ENDLESS),
    ("免缴费。", 0, 0),
    ("一年有效。", 365, 365),
    ("最多报20万。", 200000, 200000),
    ("即时生效。", 0, 0),
]


@pytest.mark.parametrize(("text", "low", "high"), FIGURES)
def test_figures_are_numbers_whatever_their_words(text: str, low: int, high: int) -> None:
    """Ranges have two ends; a figure in words is one as well."""
    (figure,) = figures(text)
    assert (figure.low, figure.high) == (Decimal(low), Decimal(high))


def test_what_is_part_of_a_name_is_no_figure() -> None:
    """第二次 and 一档 count nothing; 有没有起付线 asks."""
    assert figures("第二次住院按一档缴费，有没有起付线") == ()


def test_a_date_begins_or_ends() -> None:
    """Both ends of a range of dates, and the words around a lone date."""
    measures = [figure.measure for figure in figures("9月1日至12月31日缴费，1月15日截止，从2月1日起享受")]
    assert measures == ["datestart", "dateend", "dateend", "datestart"]


NAMED = [
    ("住院起付线600元，报销80%。", ["起付线", "报销比例"]),
    ("住院个人负担20%。", ["自付比例"]),
    ("未备案的报销比例降低10个百分点。", ["报销比例的增减"]),
    ("最多支付26万元。", ["封顶线"]),
    ("每人每年缴费400元。", ["缴费标准"]),
    ("门诊特殊病共37种。", ["数量"]),
    ("咨询电话0716-8550001。", ["电话"]),
]


@pytest.mark.parametrize(("text", "aspects"), NAMED)
def test_a_figure_is_of_what_names_it(text: str, aspects: list[str]) -> None:
    """Before it, after it, or by its kind alone."""
    assert [s.aspect for s in said(text)] == aspects


def test_scope_is_read_from_title_to_clause() -> None:
    """What is named later replaces what was named before."""
    (saying,) = said("退休人员住院报销90%。", "宁波职工医保", "在职职工")
    named = saying.scope.names
    assert [*named["insured_type"], *named["employment"], *named[INSURED]] == ["职工", "退休", "宁波"]


def test_a_place_is_of_care_after_a_word_of_going_and_a_frame_when_set_off() -> None:
    """在杭州住院 is about care there, 在杭州，... about all that follows."""
    (there,), (frame,) = said("在杭州住院报销80%。"), said("在杭州，住院报销80%。")
    assert [*there.scope.names[CARE], *frame.scope.names[INSURED]] == ["杭州", "杭州"]


def test_a_group_and_a_condition_are_cases() -> None:
    """Words before a noun for people, and a clause that ends in 的."""
    (group,), (condition,) = said("低保居民住院报销80%。"), said("转出治疗的，报销80%。")
    assert [*group.scope.cases, *condition.scope.cases] == ["低保", "转出治疗的"]


def test_a_part_of_the_costs_ends_with_its_clause() -> None:
    """超出部分 says nothing of the figure after it."""
    above, all_costs = said("费用超过5万元的部分报销90%，起付线600元。")
    assert (len(above.scope.parts), len(all_costs.scope.parts)) == (1, 0)


def test_what_is_said_of_some_other_place_is_not_said_here() -> None:
    """某地 and 有的地方 give examples."""
    assert said("例如某地报销70%。") == said("有的地方报销70%。") == []


def test_a_rule_is_read_with_its_answer() -> None:
    """The first answer is no, the second yes; a question is none."""
    answers = [s.value[0] for text in ("无需备案。", "需要备案。", "是否可以报销？") for s in said(text) if s.is_rule]
    assert set(answers[:2]) == {Decimal(0)}
    assert set(answers[2:]) == {Decimal(1)}


def test_who_does_a_thing_is_an_answer_of_its_own() -> None:
    """单位 and 本人 differ; 无需本人申请 does not name the 本人."""
    texts = ("生育津贴由用人单位申请。", "生育津贴由本人申请。", "由用人单位申请，无需本人申请。")
    values = [[s.value[0] for s in said(text) if s.aspect == "由谁办理"] for text in texts]
    assert values[0] == values[2] != values[1]


def test_only_what_is_wanted_is_read() -> None:
    """A figure of another kind is passed over."""
    unit = a_unit("d#u0", "起付线600元，报销80%。")
    assert [s.aspect for s in sayings(unit, None, asked_aspects("报销比例是多少"))] == ["报销比例"]


def test_the_header_of_a_column_that_asks_says_nothing() -> None:
    """能否直接结算 is answered by the cells below it, and is no answer."""
    table = "| 情形 | 能否直接结算 |\n| --- | --- |\n| 宁波卡在杭州 | 可以直接结算 |"
    wanted = asked_aspects("能不能直接结算？")
    found = sayings(a_unit("d#u0", table, kind="list"), a_document("d"), wanted)
    assert [s.shown for s in found if s.aspect == "直接结算"] == ["可以直接结算"]
