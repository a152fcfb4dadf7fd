"""What people call things, and what the rules call them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from rag.retrieve import wording
from rag.retrieve.wording import MAX_TERMS, official, renamed, worded

TABLE = tomllib.loads(Path(wording.__file__).with_suffix(".toml").read_text("utf-8"))
EXPRESSIONS = [
    (term, expression) for topic in TABLE.values() for term, expressions in topic.items() for expression in expressions
]


@pytest.mark.parametrize(
    ("question", "term"),
    [
        ("住院的门槛费要几百？", "起付线"),
        ("救护车的钱给报吗？", "急救车费"),
        ("医保卡里的钱能不能领现金？", "取现"),
        ("自己生的，没开刀，怎么算？", "顺产"),
        ("医保断了三个月要紧吗？", "中断缴费"),
        ("老家的农合在这边能用吗？", "城乡居民医保"),
        ("换厂子了，医保怎么办？", "转移接续"),
        ("请看护一天两百块，谁来出？", "护工费"),
        ("婆婆来帮我们带孙子，看病咋办？", "异地安置退休人员"),
        ("回老家再报行不行？", "手工报销"),
    ],
)
def test_everyday_words_mean_official_terms(question: str, term: str) -> None:
    """Who asks in words of every day is understood in those of the rules."""
    assert term in official(question)


@pytest.mark.parametrize(
    ("question", "term"),
    [
        ("健保有没有给付洗肾？", "血液透析"),
        ("住院自负额是几成？", "个人自付"),
        ("洗牙部分负担多少？", "个人自付"),
        ("想睇医生，诊金点计？", "诊查费"),
        ("阿妈做物理治疗得唔得？", "康复治疗"),
        ("帐户里的钱会过期吗？", "个人账户"),
    ],
)
def test_words_of_taiwan_hong_kong_and_dialects_are_understood(question: str, term: str) -> None:
    """The same things have other names elsewhere."""
    assert term in official(question)


@pytest.mark.parametrize(
    ("question", "term"),
    [
        ("诊断书上写了三个月", "中断缴费"),
        ("手摔断了三个月", "等待期"),
        ("怎么报名参加？", "报销"),
        ("骨头卡住了喉咙", "挂失"),
        ("自己生病了", "顺产"),
        ("发烧了一天", "意外伤害"),
        ("医保什么时候才生效？", "新生儿"),
        ("检查一下要多少钱？", "查询"),
        ("听说可以告诉单位", "举报"),
        ("医保转到北京", "转诊转院"),
        ("学生的费用怎么报？", "生育医疗费用"),
        ("护工费报不报？", "不予支付"),
    ],
)
def test_another_sense_of_a_word_means_something_else(question: str, term: str) -> None:
    """报 is not always 报销, 断 not always 断缴, 卡 not always a card."""
    assert term not in official(question)


@pytest.mark.parametrize("question", ["", "你好", "今天天气怎么样？", "住院起付线是多少？", "起付线就是门槛费吗？"])
def test_nothing_is_added_to_what_needs_nothing(question: str) -> None:
    """A term that the question uses is not repeated; words of other matters mean none."""
    assert official(question) == ()


def test_terms_come_in_the_order_of_the_question() -> None:
    """What is meant first stands first."""
    assert official("请护工和坐救护车")[:2] == ("护工费", "急救车费")
    assert official("坐救护车和请护工")[:2] == ("急救车费", "护工费")


def test_a_worded_question_keeps_its_own_words() -> None:
    """The terms follow what was said; a question that needs none stays as it is."""
    assert worded("叫救护车的钱") == "叫救护车的钱 急救车费"
    assert worded("住院起付线是多少？") == "住院起付线是多少？"


def test_terms_are_few() -> None:
    """A long tale adds no more than five terms."""
    assert len(official("洗牙、镶牙、种牙、箍牙、洗肾、中风、开刀、拍片、打胎、上环都算吗？")) == MAX_TERMS


def test_width_case_and_spaces_do_not_count() -> None:
    """Full-width letters and spaces between characters are the same words."""
    assert official("要住 \uff29\uff23\uff35") == official("要住icu") == ("重症监护",)


def test_no_expression_fits_everything() -> None:
    """An expression that fits the empty text would fit every question."""
    assert [expression for _, expression in EXPRESSIONS if re.search(expression, "")] == []


def test_no_expression_fits_the_term_alone() -> None:
    """An expression that is the term itself says nothing new."""
    assert [term for term, expression in EXPRESSIONS if expression == term] == []


def test_no_expression_stands_twice() -> None:
    """What is written twice under one term is a slip."""
    assert [pair for pair in EXPRESSIONS if EXPRESSIONS.count(pair) > 1] == []


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("起付线多少？", ["起付标准"]),
        ("门槛费多少？", ["起付线", "起付标准"]),
        ("最高支付限额是多少？", ["封顶线"]),
        ("门诊怎么挂号？", []),
    ],
)
def test_a_question_finds_what_goes_by_another_name(question: str, names: list[str]) -> None:
    """A rule says 起付标准 or 起付线; a name that is part of one that was used is not added."""
    added = renamed(question).split()[1:]
    assert [name for name in added if name in names] == names
    assert renamed("门诊怎么挂号？") == worded("门诊怎么挂号？")
