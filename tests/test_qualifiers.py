"""The words for whom and for what a rule holds."""

from __future__ import annotations

import pytest

from rag.qualifiers import DIMENSIONS, excluded, for_others, located, mentioned, restricted, shared


@pytest.mark.parametrize(
    ("text", "dimension", "values"),
    [
        ("新农合能用吗", "insured_type", {"居民"}),
        ("职工医保和城乡居民医保", "insured_type", {"职工", "居民"}),
        ("个体户交多少", "employment", {"灵活就业"}),
        ("退休职工", "employment", {"退休"}),
        ("在职职工", "employment", {"在职"}),
        ("三甲医院住院", "level", {"三级"}),
        ("社区卫生院", "level", {"基层"}),
        ("剖腹产能报多少", "delivery", {"剖宫产"}),
        ("慢病门诊", "chronic", {"慢特病"}),
        ("外省就医", "area", {"跨省"}),
        ("用app备案", "channel", {"线上"}),
        ("窗口办理", "channel", {"线下"}),
        ("药房买药", "care", {"购药"}),
        ("门急诊费用", "urgency", {"急诊"}),
    ],
)
def test_everyday_words_name_the_values_of_the_rules(text: str, dimension: str, values: set[str]) -> None:
    """What a patient says stands for the word that the rules use."""
    assert mentioned(text)[dimension] == values


def test_a_text_without_qualifiers_mentions_none() -> None:
    """Dimensions of which nothing is said are absent."""
    assert mentioned("医保卡丢了怎么补办") == {}


@pytest.mark.parametrize("text", ["上年度职工平均工资", "上年度城镇职工平均工资"])
def test_average_wages_are_no_insured_type(text: str) -> None:
    """职工平均工资 is a statistic, not an insurance."""
    assert "insured_type" not in mentioned(text)


@pytest.mark.parametrize("text", ["费用在职工医保中报销", "可在职工医保范围内结算"])
def test_employees_insurance_after_a_preposition_is_not_being_employed(text: str) -> None:
    """在 before 职工 does not make 在职."""
    assert mentioned(text) == {"insured_type": {"职工"}}


def test_every_value_mentions_itself() -> None:
    """The name of a value is one of its words."""
    for dimension, values in DIMENSIONS.items():
        assert {v for v in values if v in mentioned(v).get(dimension, ())} == set(values)


def test_shared_counts_the_values_that_both_name() -> None:
    """Two values in common count two, those of one side only nothing."""
    asked, told = mentioned("退休职工住院"), mentioned("退休人员在三级医院住院")
    assert shared(asked, told) == 2


def test_excluded_counts_dimensions_that_speak_of_others_only() -> None:
    """A rule for 居民 excludes a question on 职工; one for both, or that is silent, does not."""
    asked = mentioned("职工住院")
    assert excluded(asked, mentioned("居民门诊")) == 2
    assert excluded(asked, mentioned("职工和居民住院")) == 0
    assert excluded(asked, mentioned("三级医院")) == 0


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("成都城乡居民医保住院的起付线", "职工医保的起付线：成都700元"),
        ("职工医保住院报多少", "新农合住院报60%"),
        ("我爸退休了，门诊报多少", "在职职工门诊报50%"),
    ],
)
def test_a_rule_for_others_alone_is_for_others(question: str, told: str) -> None:
    """Another kind of insurance, or the employed for the retired."""
    assert for_others(question, told)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("居民医保住院报多少", "职工报80%，居民报60%"),
        ("职工和居民差多少", "职工报80%"),
        ("住院报多少", "职工报80%"),
        ("居民医保住院报多少", "住院报60%"),
        ("我还没退休，门诊报多少", "在职职工门诊报50%"),
        ("灵活就业的门诊报多少", "在职人员门诊报50%"),
    ],
)
def test_a_rule_for_both_for_all_or_for_those_asked_about_is_not(question: str, told: str) -> None:
    """Nor one for the employed where somebody is neither employed nor retired."""
    assert not for_others(question, told)


@pytest.mark.parametrize(
    ("text", "of_its_own"),
    [
        ("基层医疗机构90%，其他医疗机构85%", {}),
        ("基层医疗机构90%，其余定点医院85%", {}),
        ("灵活就业和其他人员", {}),
        ("基层医疗机构90%", {"level": {"基层"}}),
        ("基层医疗机构和其他材料", {"level": {"基层"}}),
        ("基层医疗机构和其他医疗费用", {"level": {"基层"}}),
        ("二级（含）以上医院", {"level": {"二级", "三级"}}),
        ("二级医院及以下", {"level": {"二级", "一级", "基层"}}),
    ],
)
def test_what_speaks_of_all_others_too_is_restricted_to_nobody(text: str, of_its_own: dict[str, set[str]]) -> None:
    """A third-class hospital is one of the others where only 基层 is named."""
    assert restricted(text) == of_its_own


def test_mentions_are_located_in_the_text() -> None:
    """Every mention of a value comes with its place."""
    assert [(v, text) for _, v, s, e in located("退休职工住院") if (text := "退休职工住院"[s:e])] == [
        ("职工", "职工"),
        ("退休", "退休"),
        ("住院", "住院"),
    ]
