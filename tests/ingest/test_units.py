"""A section's blocks to what may be cited on its own."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domain import Span
from rag.ingest.blocks import blocks
from rag.ingest.units import MAX_LEAD, MAX_LIST, UnitSpan, groups
from rag.text import sentence_spans

TITLE = "# 标题\n\n"


def _cut(body: str) -> tuple[str, list[UnitSpan]]:
    text = TITLE + body
    return text, [u for g in groups(text, blocks(text, 0, len(text))[1:]) for u in g.units]


def _shown(body: str) -> list[tuple[str, str, tuple[str, ...]]]:
    text, found = _cut(body)
    return [(u.kind, text[u.span.start : u.span.end], tuple(text[s.start : s.end] for s in u.lead)) for u in found]


def test_a_paragraph_is_its_sentences() -> None:
    """Each can be cited alone."""
    assert _shown("先备案。再住院。") == [("sentence", "先备案。", ()), ("sentence", "再住院。", ())]


def test_a_list_is_one_unit_and_each_item_carries_the_lead_in() -> None:
    """An item without its lead-in says nothing; the whole list answers 'which'."""
    assert _shown("材料如下：\n\n- 身份证。\n- 发票。") == [
        ("list", "材料如下：\n\n- 身份证。\n- 发票。", ()),
        ("item", "身份证。", ("材料如下：",)),
        ("item", "发票。", ("材料如下：",)),
    ]


def test_only_the_sentence_that_announces_leads_in() -> None:
    """What stands before it in the paragraph is a unit of its own."""
    assert _shown("先备案。材料如下：\n- 身份证。\n- 发票。")[:2] == [
        ("sentence", "先备案。", ()),
        ("list", "材料如下：\n- 身份证。\n- 发票。", ()),
    ]


def test_items_are_children_of_their_list() -> None:
    """`parent` names the larger unit over the same words."""
    _, found = _cut("材料如下：\n\n- 身份证。\n- 发票。")
    assert [u.parent for u in found] == [None, 0, 0]


def test_nested_items_carry_the_item_above_them() -> None:
    """住院 and 门诊 each lead in their own ratios."""
    shown = _shown("- 住院：\n  - 三级70%。\n  - 二级80%。\n- 门诊：\n  - 三级50%。\n  - 二级60%。")
    assert [(words, lead) for kind, words, lead in shown if kind == "item"] == [
        ("三级70%。", ("住院：",)),
        ("二级80%。", ("住院：",)),
        ("三级50%。", ("门诊：",)),
        ("二级60%。", ("门诊：",)),
    ]


def test_short_paragraphs_after_a_lead_in_are_its_items() -> None:
    """A page that lost its list marks still has a list."""
    assert _shown("材料如下：\n\n身份证。\n\n发票。")[1:] == [
        ("item", "身份证。", ("材料如下：",)),
        ("item", "发票。", ("材料如下：",)),
    ]


def test_a_row_carries_its_header() -> None:
    """70% without the column's name says nothing; a small table can be cited whole, too."""
    table = "| 医院 | 比例 |\n|---|---|\n| 三级 | 70% |\n| 二级 | 80% |"
    assert _shown(table) == [
        ("list", table, ()),
        ("row", "| 三级 | 70% |", ("| 医院 | 比例 |",)),
        ("row", "| 二级 | 80% |", ("| 医院 | 比例 |",)),
    ]


def test_two_tables_keep_their_own_headers() -> None:
    """A ratio never stands below the header of another table."""
    shown = _shown("| 医院 | 比例 |\n|---|---|\n| 三级 | 70% |\n\n| 人员 | 限额 |\n|---|---|\n| 职工 | 2000元 |")
    assert [(words, lead) for kind, words, lead in shown if kind == "row"] == [
        ("| 三级 | 70% |", ("| 医院 | 比例 |",)),
        ("| 职工 | 2000元 |", ("| 人员 | 限额 |",)),
    ]


def test_a_row_without_a_header_is_not_cut() -> None:
    """Full stops inside cells do not split a row."""
    assert _shown("| 三级 | 报销70%。退休的加5%。 |") == [("row", "| 三级 | 报销70%。退休的加5%。 |", ())]


def test_a_label_leads_in_the_sentences_after_the_first() -> None:
    """住院报销： holds for the whole paragraph."""
    assert _shown("住院报销：三级医院70%。二级医院80%。") == [
        ("sentence", "住院报销：三级医院70%。", ()),
        ("sentence", "二级医院80%。", ("住院报销：",)),
    ]


def test_a_clock_time_is_no_label() -> None:
    """The colon of 8:30 announces nothing."""
    assert _shown("上午8:30开门。下午不开门。")[1] == ("sentence", "下午不开门。", ())


def test_a_long_sentence_is_also_cut_at_its_semicolons() -> None:
    """A clause is a child of its sentence, and carries the sentence's label."""
    clauses = [
        f"在{level}医院住院的，起付线以上、封顶线以下的合规费用由统筹基金按照{n}0%的比例支付"
        for level, n in (("三级", 7), ("二级", 8), ("一级", 9))
    ]
    text, found = _cut("报销比例：" + "；".join(clauses) + "。")
    assert [u.parent for u in found] == [None, 0, 0, 0]
    assert [text[u.span.start : u.span.end] for u in found[2:]] == [clauses[1] + "；", clauses[2] + "。"]
    assert [text[u.lead[0].start : u.lead[0].end] for u in found[2:]] == ["报销比例："] * 2


def test_a_short_sentence_with_semicolons_stays_whole() -> None:
    """Clauses of a short sentence need each other."""
    assert len(_shown("三级70%；二级80%；一级90%。")) == 1


def test_a_long_item_is_also_cut_into_its_sentences() -> None:
    """They are children of the item, which is a child of the list."""
    long = "单位为职工参保的，由单位在窗口办理登记手续并按月缴纳。" * 4
    _, found = _cut(f"分两种：\n- {long}\n- 其他。")
    assert [(u.kind, u.parent) for u in found] == [("list", None), ("item", 0), *[("sentence", 1)] * 4, ("item", 0)]


def test_neither_lead_nor_list_grows_without_bound() -> None:
    """A long lead-in is not repeated with each item, a long list is not one unit."""
    items = "".join(f"- 第{n}种材料，原件和复印件都要带齐，交给窗口的工作人员。\n" for n in range(20))
    _, found = _cut(f"{'参保人在外地住院时应当带齐以下材料，' * 6}如下：\n{items}")
    assert all(len(s) <= MAX_LEAD for u in found for s in u.lead)
    assert all(len(u.span) <= MAX_LIST for u in found if u.kind == "list")


def test_a_long_lead_in_stays_citable() -> None:
    """Too long to be repeated with its items, it is a sentence of its own."""
    lead_in = f"{'参保人在外地住院时应当带齐以下材料，' * 6}如下："
    items = "".join(f"- 第{n}种材料，原件和复印件都要带齐，交给窗口的工作人员。\n" for n in range(20))
    assert ("sentence", lead_in, ()) in _shown(f"{lead_in}\n{items}")


def test_a_long_item_with_items_below_stays_citable() -> None:
    """An item's own words are not lost because of what is nested in it."""
    outer = f"{'参保人在外地住院时应当带齐以下材料，' * 6}如下："
    inner = "".join(f"  - 第{n}种材料，原件和复印件都要带齐，交给窗口的工作人员。\n" for n in range(20))
    assert outer in [words for _, words, _ in _shown(f"- {outer}\n{inner}- 其他。\n")]


ITEM = st.builds("{}条目{}。".format, st.sampled_from(["- ", "  - ", "1. "]), st.integers(1, 90).map("字".__mul__))
LINE = st.builds("{}{}".format, st.integers(1, 90).map("句".__mul__), st.sampled_from(["：", "。", "。又一句。", ""]))


@given(st.lists(st.one_of(ITEM, LINE), min_size=1, max_size=14))
def test_every_sentence_can_be_cited(lines: list[str]) -> None:
    """However lists nest and however long they are, no sentence of a body is left without a unit that shows it."""
    text = TITLE + "\n".join(lines)
    body = blocks(text, 0, len(text))[1:]
    shown = [s for g in groups(text, body) for u in g.units for s in (u.span, *u.lead)]
    missing = [
        text[sentence.start : sentence.end]
        for block in body
        for sentence in sentence_spans(text, block.span.start, block.span.end)
        if not any(s.contains(sentence) for s in shown)
    ]
    assert missing == []


@given(st.lists(st.one_of(ITEM, LINE), min_size=1, max_size=14))
def test_units_lie_in_their_group_and_children_in_their_parent(lines: list[str]) -> None:
    """Groups follow each other without overlap, and a parent always comes before its children."""
    text = TITLE + "\n".join(lines)
    found = groups(text, blocks(text, 0, len(text))[1:])
    assert all(a.span.end <= b.span.start for a, b in pairwise(found))
    for group in found:
        for n, unit in enumerate(group.units):
            assert all(group.span.contains(s) for s in (unit.span, *unit.lead))
            assert unit.parent is None or (unit.parent < n and group.units[unit.parent].span.contains(unit.span))


@pytest.mark.parametrize("body", ["材料如下：", "材料如下：\n\n## 下一节"])
def test_a_lead_in_with_nothing_below_is_a_sentence(body: str) -> None:
    """It announces something elsewhere, and stays citable."""
    text = TITLE + body
    (group,) = groups(text, [b for b in blocks(text, 0, len(text))[1:] if b.kind == "paragraph"])
    assert group.units == (UnitSpan("sentence", Span(len(TITLE), len(TITLE) + 5)),)
