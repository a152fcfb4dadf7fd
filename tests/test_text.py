"""Characters: width, comparison keys, sentences, lines."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domain import Span
from rag.text import bigrams, fold, line_spans, sentence_spans, squeeze, strip_span

CHINESE = st.text(alphabet="参保人住院。！？!?”）)；，：70%. \n\t\u3000", max_size=80)


def _sentences(text: str) -> list[str]:
    return [text[s.start : s.end] for s in sentence_spans(text, 0, len(text))]


@pytest.mark.parametrize(
    ("one", "other"),
    [("\uff16\uff10％", "60%"), ("\uff21\uff30\uff30", "app"), ("医 保\n卡", "医保卡"), ("（甲）", "(甲)")],
)
def test_fold_makes_equal_what_differs_in_width_case_or_space_only(one: str, other: str) -> None:
    """Two ways to write the same words have one key."""
    assert fold(one) == fold(other)


def test_fold_keeps_different_figures_apart() -> None:
    """Folding never makes 5% out of 75%, nor 1.5 out of 15."""
    assert len({fold(t) for t in ("5%", "75%", "1.5", "15")}) == 4


def test_squeeze_leaves_single_spaces_and_none_at_the_ends() -> None:
    """White space of any kind becomes one plain space."""
    assert squeeze(" 三级\u3000\n 医院\t70% ") == "三级 医院 70%"


def test_strip_span_drops_white_space_at_both_ends() -> None:
    """What remains begins and ends with a character that counts; of blanks nothing remains."""
    assert strip_span("\u3000 医保 \n", 0, 6) == Span(2, 4)
    assert len(strip_span(" \n ", 0, 3)) == 0


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("先备案。再住院！可以吗？", ["先备案。", "再住院！", "可以吗？"]),
        ("他说：“能报销。”随后结算。", ["他说：“能报销。”", "随后结算。"]),
        ("（见附表。）另有规定。", ["（见附表。）", "另有规定。"]),
        ("真的吗？！是的。", ["真的吗？！", "是的。"]),
        ("第一行没有句号\n  第二行也没有 ", ["第一行没有句号", "第二行也没有"]),
        ("报销75.5%，上限2.4万元；其余自付。", ["报销75.5%，上限2.4万元；其余自付。"]),
        (" \n\n ", []),
    ],
)
def test_a_sentence_ends_where_a_reader_ends_it(text: str, sentences: list[str]) -> None:
    """Full stops, closing quotes after them and line breaks end a sentence; decimal points and semicolons do not."""
    assert _sentences(text) == sentences


def test_an_address_is_not_cut_at_its_question_mark() -> None:
    """A web address stays whole, or what is cited would lead nowhere."""
    assert _sentences("查询网址是https://kangan.example/p?id=1。可以收藏。") == [
        "查询网址是https://kangan.example/p?id=1。",
        "可以收藏。",
    ]


@given(CHINESE)
def test_sentences_cover_every_character_that_counts_in_order(text: str) -> None:
    """Joined together the sentences are the text without its white space, and none overlaps the next."""
    spans = list(sentence_spans(text, 0, len(text)))
    assert all(a.end <= b.start for a, b in pairwise(spans))
    assert "".join("".join(text[s.start : s.end].split()) for s in spans) == "".join(text.split())


@given(CHINESE, CHINESE, CHINESE)
def test_sentences_stay_inside_the_stretch_asked_for(before: str, text: str, after: str) -> None:
    """What surrounds a stretch changes none of its sentences, and no span leaves it or has blank ends."""
    whole, start = before + text + after, len(before)
    spans = list(sentence_spans(whole, start, start + len(text)))
    assert [whole[s.start : s.end] for s in spans] == _sentences(text)
    assert all(whole[s.start : s.end].strip() == whole[s.start : s.end] != "" for s in spans)


@given(CHINESE)
def test_lines_are_those_of_the_text(text: str) -> None:
    """Line spans give the lines as they stand, blank ones too."""
    assert [text[s.start : s.end] for s in line_spans(text, 0, len(text))] == text.split("\n")


def test_bigrams_measure_shared_wording() -> None:
    """Overlapping pairs of characters, whatever the width of the letters; one character has none."""
    assert bigrams("医 保卡") == {"医保", "保卡"}
    assert bigrams("医") == frozenset()
