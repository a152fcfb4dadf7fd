"""Chinese text to search terms."""

from __future__ import annotations

import pytest

from rag.tokens import terms, topic_terms


def test_terms_hold_long_words_and_the_shorter_words_inside() -> None:
    """A search for 医保 finds 医保卡, too."""
    assert {"医保", "医保卡"} <= set(terms("医保卡丢了"))


@pytest.mark.parametrize(
    ("one", "other"), [("报销比例６０％", "报销比例60%"), ("ＡＰＰ备案", "app备案"), ("医 保 卡", "医保卡")]
)
def test_terms_do_not_depend_on_width_case_or_space(one: str, other: str) -> None:
    """The same words typed in another width give the same terms."""
    assert terms(one) == terms(other)


def test_terms_hold_no_punctuation_and_keep_repeats() -> None:
    """Marks are no terms; how often a word stands there counts."""
    found = terms("住院，住院！（住院）")
    assert found == ["住院"] * 3


def test_terms_of_nothing_are_none() -> None:
    """A text without letters or digits has no terms."""
    assert terms("……？！ \n") == []


def test_topic_terms_say_what_a_question_is_about() -> None:
    """Question words, function words and repeats are left out; the order stays."""
    assert topic_terms("请问住院怎么备案？住院多少钱") == ["住院", "备案", "钱"]


def test_a_question_of_function_words_has_no_topic() -> None:
    """Of 请问怎么做呢 nothing is left to search for."""
    assert topic_terms("请问怎么做呢？") == []
