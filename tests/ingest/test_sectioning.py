"""Blocks to titled sections."""

from __future__ import annotations

from rag.ingest.blocks import blocks
from rag.ingest.sectioning import Part, parts

STATUTE = """# 医疗救助办法

## 第一章 总则

第一条 为了规范医疗救助，制定本办法。

第二条 本办法适用于下列人员：

（一）低保对象；

（二）特困人员。

## 第二章 附则

第三条 本办法自2024年5月1日起施行。
"""


def _parts(text: str, title: str) -> list[Part]:
    return parts(text, title, blocks(text, 0, len(text)))


def test_title_paths_run_from_the_title_downwards() -> None:
    """A deeper heading nests, an equal or higher one closes what is open."""
    text = "# 住院\n\n总说。\n\n## 备案\n\n甲。\n\n### 线上\n\n乙。\n\n## 报销\n\n丙。\n"
    assert [p.section.title_path for p in _parts(text, "住院")] == [
        ("住院",),
        ("住院", "备案"),
        ("住院", "备案", "线上"),
        ("住院", "报销"),
    ]


def test_every_article_of_a_statute_is_a_section_below_its_chapter() -> None:
    """条 are titled by their number; the items of an article are part of it."""
    found = _parts(STATUTE, "医疗救助办法")
    assert [p.section.title_path[1:] for p in found] == [
        ("第一章 总则", "第一条"),
        ("第一章 总则", "第二条"),
        ("第二章 附则", "第三条"),
    ]
    assert [b.kind for b in found[1].blocks] == ["article", "item", "item"]


def test_an_article_begins_with_its_own_words() -> None:
    """第一条 is heading and text at once: its words can be cited."""
    section = _parts(STATUTE, "医疗救助办法")[0].section
    assert STATUTE[section.start : section.end] == "第一条 为了规范医疗救助，制定本办法。"


def test_a_section_runs_from_its_heading_to_its_last_block() -> None:
    """Subsections are sections of their own."""
    text = "# 住院\n\n## 备案\n\n甲。\n\n乙。\n\n### 线上\n\n丙。\n"
    assert [text[p.section.start : p.section.end] for p in _parts(text, "住院")] == [
        "备案\n\n甲。\n\n乙。",
        "线上\n\n丙。",
    ]


def test_a_heading_without_a_body_is_no_section() -> None:
    """There is nothing to cite below it, but its words stay in the paths of those inside."""
    found = _parts("# 住院\n\n## 空\n\n## 备案\n\n### 线上\n\n甲。\n", "住院")
    assert [p.section.title_path for p in found] == [("住院", "备案", "线上")]


def test_text_above_the_first_heading_belongs_to_the_title() -> None:
    """Nothing is lost for want of a heading."""
    text = "导语一句。\n\n## 备案\n\n甲。\n"
    assert [(p.section.title_path, text[p.section.start : p.section.end]) for p in _parts(text, "住院")] == [
        (("住院",), "导语一句。"),
        (("住院", "备案"), "备案\n\n甲。"),
    ]


def test_a_declared_title_stands_above_the_pages_own() -> None:
    """A heading that differs from the title is kept in the path, as it may name the place."""
    assert _parts("# 绍兴住院\n\n甲。\n", "住院指南")[0].section.title_path == ("住院指南", "绍兴住院")


def test_marks_at_the_end_of_a_heading_are_no_part_of_it() -> None:
    """报销比例： and 报销比例 are one heading, in bold or not."""
    found = _parts("# 住院\n\n## 报销比例：\n\n甲。\n\n## **备案**\n\n乙。\n", "住院")
    assert [p.section.title for p in found] == ["报销比例", "备案"]


def test_sections_of_nothing_are_none() -> None:
    """A text without blocks has no sections."""
    assert _parts("\n \n", "空") == []
