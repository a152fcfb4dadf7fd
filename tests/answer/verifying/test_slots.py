"""Figures are read by what they mean: one value however it is written, and never a part of another one."""

from __future__ import annotations

import itertools

import pytest

from rag.answer.verifying.slots import slots


def keys(text: str) -> list[tuple[str, str]]:
    """Kind and value of every figure of a text, in order."""
    return [slot.key for slot in slots(text)]


# What is written, how else it is written, and what both mean.
ONE_MEANING = [
    ("报销60%", "报销百分之六十", [("ratio", "60")]),
    ("报销60%", "报销60％", [("ratio", "60")]),
    ("报销60%", "报销６０％", [("ratio", "60")]),
    ("报销60%", "报销60 %", [("ratio", "60")]),
    ("报销60%", "报销六成", [("ratio", "60")]),
    ("报销60%", "报销60.0%", [("ratio", "60")]),
    ("报销65%", "报销六成半", [("ratio", "65")]),
    ("报销65%", "报销百分之六十五", [("ratio", "65")]),
    ("报销6.5%", "报销百分之六点五", [("ratio", "6.5")]),
    ("2万元", "20000元", [("amount", "20000")]),
    ("2万元", "20,000元", [("amount", "20000")]),
    ("2万元", "２万元", [("amount", "20000")]),
    ("2万元", "两万元", [("amount", "20000")]),
    ("2万元", "2.0 万元", [("amount", "20000")]),
    ("1.5万元", "15000元", [("amount", "15000")]),
    ("1.5万元", "一万五千元", [("amount", "15000")]),
    ("3千元", "3000元", [("amount", "3000")]),
    ("500元", "五百元", [("amount", "500")]),
    ("500元", "500块钱", [("amount", "500")]),
    ("1200元", "一千二百元", [("amount", "1200")]),
    ("2亿元", "200000000元", [("amount", "200000000")]),
    ("12,345.60元", "12345.6元", [("amount", "12345.6")]),
    ("半年", "6个月", [("period", "6month")]),
    ("半年", "六个月", [("period", "6month")]),
    ("1年", "12个月", [("period", "12month")]),
    ("一年", "１２个月", [("period", "12month")]),
    ("一年半", "18个月", [("period", "18month")]),
    ("1.5年", "18个月", [("period", "18month")]),
    ("两年", "24个月", [("period", "24month")]),
    ("5个工作日", "五个工作日", [("period", "5workday")]),
    ("30天", "30日", [("period", "30day")]),
    ("16周岁", "十六岁", [("age", "16")]),
    ("三家医院", "3家医院", [("count", "3家")]),
    ("每年两次", "每年2次", [("count", "2次")]),
    ("40万人", "400000人", [("count", "400000人")]),
    ("三级医院", "3级医院", [("level", "三")]),
    ("2024年1月1日", "2024-01-01", [("date", "2024-1-1")]),
    ("2024年1月1日", "2024/1/1", [("date", "2024-1-1")]),
    ("2024年1月1日", "２０２４年０１月０１日", [("date", "2024-1-1")]),
    ("0571-87654321", "057187654321", [("phone", "057187654321")]),
    ("400-123-4567", "4001234567", [("phone", "4001234567")]),
    ("50%-70%", "50-70%", [("ratio", "50"), ("ratio", "70")]),
    ("50%-70%", "50％～70％", [("ratio", "50"), ("ratio", "70")]),
    ("50%-70%", "50%至70%", [("ratio", "50"), ("ratio", "70")]),
    ("6个月到12个月", "6-12个月", [("period", "6month"), ("period", "12month")]),
    ("2000元-3500元", "2000至3500元", [("amount", "2000"), ("amount", "3500")]),
    ("2万元至3万元", "2-3万元", [("amount", "20000"), ("amount", "30000")]),
    ("7至15个工作日", "7个工作日—15个工作日", [("period", "7workday"), ("period", "15workday")]),
]

# The same, for writings that are rarer in the sources.
RARER = [
    ("5万元至九六万元", "5万元至96万元"),
    ("共一二〇元", "共120元"),
    ("报销100%", "报销百分之百"),
    ("报销65%", "报销六成五"),
    ("15年", "十五年"),
    ("3年", "36个月"),
    ("100万元", "百万元"),
    ("15000元", "1万5千元"),
    ("31000元", "三万一千元"),
    ("20分钟", "二十分钟"),
    ("0.5小时", "半小时"),
    ("0.5天", "半天"),
    ("21种", "二十一种"),
    ("11项", "十一项"),
    ("31个", "三十一个"),
    ("第12条", "第十二条"),
    ("第120条", "第一百二十条"),
    ("18周岁至60周岁", "18-60周岁"),
    ("2024年1月1日", "2024.1.1"),
    ("2024年1月1日", "二〇二四年一月一日"),
    ("医保发〔2022〕22号", "医保发〔２０２２〕２２号"),  # noqa: RUF001 - full width is the point
    ("医保发(2022)22号", "医保发（2022）22号"),
    ("医保发〔2022〕22号", "医保发[2022]22号"),
    ("医保发〔2022〕22号", "医保发【2022】22号"),
    ("医保发〔2022〕22号", "医保发（2022）22号"),
    ("依据医保发〔2022〕22号", "按照医保发〔2022〕22号"),
    ("120种", "一百二十种"),
    ("120小时", "一百二十小时"),
]

# Two writings that share digits and mean something else.
DIFFERENT = [
    ("75%", "5%"),
    ("0.5%", "5%"),
    ("5000元", "500元"),
    ("400元", "40元"),
    ("1.5万元", "5万元"),
    ("12,000元", "2,000元"),
    ("75元", "75%"),
    ("6个月", "6年"),
    ("3天", "3个工作日"),
    ("60岁", "60%"),
    ("120小时", "120分钟"),
    ("120种", "120次"),
    ("100位", "100份"),
    ("万分之五", "万分之八"),
    ("千分之三", "千分之五"),
    ("三分之二", "三分之一"),
    ("百分之百", "百分之六十"),
    ("1万5千元", "5千元"),
    ("医保发〔2022〕22号", "医保发〔2023〕22号"),
    ("2024年1月", "2025年1月"),
    ("1月1日", "11月1日"),
    ("12393", "12345"),
]


@pytest.mark.parametrize(("one", "other", "meaning"), ONE_MEANING)
def test_writings_of_one_figure_are_one_value(one: str, other: str, meaning: list[tuple[str, str]]) -> None:
    """Width, Chinese numerals, separators and the unit chosen make no difference."""
    assert (keys(one), keys(other)) == (meaning, meaning)


@pytest.mark.parametrize(("one", "other"), RARER)
def test_rarer_writings_of_one_figure_are_one_value_too(one: str, other: str) -> None:
    """A figure is found, and is the same, also where numerals, brackets or ranges are written less usually."""
    assert keys(one) == keys(other) != []


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_figures_that_share_digits_or_units_differ(one: str, other: str) -> None:
    """A figure is never confirmed by a part of another one, nor by its digits with another unit."""
    assert not set(keys(one)) & set(keys(other))
    assert keys(one)
    assert keys(other)


@pytest.mark.parametrize(
    "text", ["500元", "60%", "2万元", "12393", "2024年1月1日", "医保发〔2022〕22号", "6个月", "16周岁"]
)
def test_neighbouring_characters_hide_no_figure(text: str) -> None:
    """Han characters, brackets and full stops next to a figure do not keep it from being found."""
    around = [f"为{text}的", f"（{text}）", f"：{text}。", f" {text},", f"“{text}”"]
    assert [set(keys(text)) <= set(keys(written)) for written in around] == [True] * 5


@pytest.mark.parametrize("text", ["起付线为500.", "热线12393.", "比例60%.", "见2024.1.1的公告"])
def test_a_full_stop_of_latin_text_hides_no_figure(text: str) -> None:
    """An ASCII full stop after a figure is not a decimal point."""
    assert keys(text)


@pytest.mark.parametrize(
    "words",
    ["一般", "一卡通", "一站式服务", "统一办理", "一次性告知", "进一步", "万一丢失", "十分重要", "千万不要", "之一"],
)
def test_words_that_hold_a_numeral_are_no_figure(words: str) -> None:
    """An idiom asks for no proof."""
    assert keys(words) == []


def test_figures_come_in_the_order_of_the_text() -> None:
    """The order tells which figure belongs to whom."""
    assert [slot.value for slot in slots("在职80%，退休九成，限额2万元，12个月内有效")] == [
        "80",
        "90",
        "20000",
        "12month",
    ]


def test_offsets_point_at_the_figure() -> None:
    """A figure can be shown as it stands in the folded text."""
    text = "门诊报销60%，住院50-70%，限额2万元"
    assert [text[slot.start : slot.end] for slot in slots(text)][::3] == ["60%", "2万元"]


def test_a_document_number_is_one_figure() -> None:
    """Neither its year nor its number is read as a citation, a date or a count."""
    assert [slot.kind for slot in slots("依据医保发〔2022〕22号文件")] == ["document"]


def test_no_text_has_figures_that_overlap() -> None:
    """One stretch of text is one figure of one kind."""
    found = slots("自2024年1月1日起，3家三级医院60%，2000至3500元，拨打12393或0571-87654321，满16周岁、15年")
    assert all(one.end <= other.start for one, other in itertools.pairwise(found))
    assert len(found) == 10
