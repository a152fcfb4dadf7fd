"""Lines of a text to headings, paragraphs, items and rows."""

from __future__ import annotations

import pytest

from rag.ingest.blocks import blocks, is_lead_in


def _found(text: str) -> list[tuple[str, str]]:
    return [(b.kind, text[b.span.start : b.span.end]) for b in blocks(text, 0, len(text))]


@pytest.mark.parametrize(
    ("line", "kind", "words"),
    [
        ("- 身份证", "item", "身份证"),
        ("• 身份证", "item", "身份证"),
        ("•身份证", "item", "身份证"),
        ("1. 身份证", "item", "身份证"),
        ("12、身份证", "item", "身份证"),
        ("3）身份证", "item", "身份证"),
        ("（二）身份证", "item", "身份证"),
        ("(2) 身份证", "item", "身份证"),
        ("③身份证", "item", "身份证"),
        ("1.5万元以上的部分由大病保险报销。", "paragraph", "1.5万元以上的部分由大病保险报销。"),
        ("2024年起提高比例。", "paragraph", "2024年起提高比例。"),
        ("-5%的差额不补。", "paragraph", "-5%的差额不补。"),
        ("第十二条 参保人应当备案。", "article", "第十二条 参保人应当备案。"),
        ("第十二条之一\u3000参保人应当备案。", "article", "第十二条之一\u3000参保人应当备案。"),
        ("第十二条规定的备案在窗口办理。", "paragraph", "第十二条规定的备案在窗口办理。"),
        ("第二章 待遇", "heading", "第二章 待遇"),
        ("第三章规定的处罚由医保部门决定。", "paragraph", "第三章规定的处罚由医保部门决定。"),
        ("### 报销 ###比例", "heading", "报销 ###比例"),
        ("#医保 话题", "paragraph", "#医保 话题"),
    ],
)
def test_a_line_is_what_its_mark_says(line: str, kind: str, words: str) -> None:
    """List numbering is no part of the words; a figure or a reference at the start of a sentence is no mark."""
    assert _found(f"# 标题\n\n{line}\n\n结尾。")[1] == (kind, words)


def test_levels_order_headings_and_indents_nest_items() -> None:
    """Parts (编), chapters (章) and sections (节) nest as marks of Markdown do."""
    text = "# 甲\n## 乙\n第一编 丙\n第一章 丁\n第一节 戊\n- 己\n  - 庚"
    assert [b.level for b in blocks(text, 0, len(text))[:5]] == [1, 2, 2, 3, 4]
    assert [b.indent for b in blocks(text, 0, len(text))[5:]] == [0, 2]


@pytest.mark.parametrize("rule", ["|---|---|", "| --- | :---: |", "|:-:|-|", "--- | ---"])
def test_the_row_above_a_rule_is_the_header(rule: str) -> None:
    """The rule itself is no row, however many dashes it has."""
    assert _found(f"# 比例\n\n| 医院 | 比例 |\n{rule}\n| 三级 | 70% |\n") == [
        ("heading", "比例"),
        ("header", "| 医院 | 比例 |"),
        ("row", "| 三级 | 70% |"),
    ]


@pytest.mark.parametrize("rule", ["---", "***", "___", "-----", "* * *", "<!-- 注 -->"])
def test_rules_and_comments_are_no_text(rule: str) -> None:
    """What only separates can't be cited, nor be a heading."""
    assert _found(f"标题\n\n一句话。\n\n{rule}\n\n又一句话。")[1:] == [
        ("paragraph", "一句话。"),
        ("paragraph", "又一句话。"),
    ]


def test_a_plain_text_shows_its_headings_by_shape() -> None:
    """Without marks, a short line with no punctuation and something below it is a heading; the first is the title."""
    text = (
        "外地住院\n\n先备案，再住院。\n\n一、办理步骤\n\n准备材料\n\n带上身份证。\n\n2. 提交申请\n\n交给窗口。\n\n尾行"
    )
    assert [words for kind, words in _found(text) if kind == "heading"] == [
        "外地住院",
        "办理步骤",
        "准备材料",
        "提交申请",
    ]


@pytest.mark.parametrize("answer", ["可以", "不可以", "能", "没有", "是的"])
def test_a_bare_answer_below_the_title_is_content(answer: str) -> None:
    """可以 after a question is what the page answers, not a heading."""
    assert _found(f"外地能用吗\n\n{answer}\n\n先备案。")[1] == ("paragraph", answer)


def test_a_text_with_marks_gets_no_headings_by_shape() -> None:
    """In Markdown a short line stays a paragraph."""
    assert _found("# 标题\n\n准备材料\n\n带上身份证。")[1] == ("paragraph", "准备材料")


def test_numbered_lines_in_a_row_are_a_list() -> None:
    """Short as they are, none of them is a heading, nor is the last one before a paragraph."""
    assert [k for k, _ in _found("标题\n\n1. 身份证\n2. 发票\n3. 病历\n\n以上材料交窗口。")] == [
        "heading",
        "item",
        "item",
        "item",
        "paragraph",
    ]


@pytest.mark.parametrize(("line", "expected"), [("材料如下：", True), ("材料如下:", True), ("材料：身份证。", False)])
def test_a_lead_in_ends_with_a_colon(line: str, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    """Only what announces the next lines leads them in."""
    text = f"# 标题\n\n{line}\n"
    assert is_lead_in(text, blocks(text, 0, len(text))[1]) is expected


def test_blocks_stay_inside_the_stretch_asked_for() -> None:
    """Neither the teaser above nor the one below is read."""
    text = "上文。\n标题\n\n一句话。\n下文。"
    assert [text[b.span.start : b.span.end] for b in blocks(text, 4, len(text) - 4)] == ["标题", "一句话。"]
