"""Cells to rows under one header."""

from __future__ import annotations

import pytest

from rag.ingest.tables import Cell, Table, expanded, markdown, tables


def _read(*rows: str) -> list[Table]:
    """Rows of cells between bars; `^2` and `>2` after the words span down and right, `!` marks a heading."""
    return tables(expanded([[_cell(words) for words in row.split("|")] for row in rows]))


def _cell(words: str) -> Cell:
    text, _, marks = words.partition(" ")
    spans = {"^": 1, ">": 1}
    for mark in marks.split():
        spans[mark[0]] = int(mark[1:] or 1)
    return Cell(text, spans["^"], spans[">"], heads="!" in marks)


def test_the_first_row_heads_the_others() -> None:
    """A header need not be marked as one."""
    assert _read("医院|比例", "三级|70%") == [Table("", ("医院", "比例"), (("三级", "70%"),))]


def test_a_spanning_cell_stands_in_each_of_its_places() -> None:
    """So that each row can be read, and cited, without its neighbours."""
    (table,) = _read("医院|人员|比例", "三级 ^2|在职|70%", "退休|75%")
    assert table.rows == (("三级", "在职", "70%"), ("三级", "退休", "75%"))


def test_a_header_of_two_rows_becomes_one() -> None:
    """Each column is named by all that stands above it, each word once."""
    (table,) = _read("医院 ^2|起付标准 >2", "职工|居民", "三级|800元|600元")
    assert table.header == ("医院", "起付标准 职工", "起付标准 居民")
    assert table.rows == (("三级", "800元", "600元"),)


@pytest.mark.parametrize(
    "rows",
    [
        ("三级|800元", "二级|400元"),
        ("地点：|一楼", "电话：|见公告"),
        ("地点 !|一楼", "时间 !|工作日"),
    ],
)
def test_a_table_may_have_no_header(rows: tuple[str, ...]) -> None:
    """A first row of figures, or labels beside their values: no row is lost to a header that is none."""
    (table,) = _read(*rows)
    assert (table.header, len(table.rows)) == ((), 2)


def test_a_header_that_is_marked_may_hold_figures() -> None:
    """费用段 as columns."""
    (table,) = _read("费用 !|1万元以下 !|1万元以上 !", "比例|80%|90%")
    assert table.header == ("费用", "1万元以下", "1万元以上")


def test_a_row_that_is_one_cell_divides_the_table() -> None:
    """What it says heads the rows below it, and the header of the whole holds for them, too."""
    header = ("医院", "在职", "退休")
    assert _read("待遇表 >3", "医院|在职|退休", "职工 >3", "三级|76%|82%", "居民 >3", "三级|40%|40%") == [
        Table("待遇表", (), ()),
        Table("职工", header, (("三级", "76%", "82%"),)),
        Table("居民", header, (("三级", "40%", "40%"),)),
    ]


def test_empty_rows_and_columns_are_left_out() -> None:
    """They only make room on a page."""
    assert _read("医院||比例", "||", "三级||70%") == [Table("", ("医院", "比例"), (("三级", "70%"),))]


def test_one_row_alone_heads_nothing() -> None:
    """It is what the table tells."""
    assert _read("医院|比例") == [Table("", (), (("医院", "比例"),))]


def test_a_short_row_is_filled_up() -> None:
    """Rows are of equal length, whatever the markup left out."""
    (table,) = _read("医院|在职|退休", "三级|76%")
    assert table.rows == (("三级", "76%", ""),)


def test_markdown_has_a_rule_below_the_header_and_one_line_a_row() -> None:
    """A bar within a cell parts nothing, and a line break none."""
    table = Table("待遇", ("医院", "比例"), (("甲|乙", "70%\n起"),))
    assert markdown(table) == "待遇\n\n| 医院 | 比例 |\n|---|---|\n| 甲｜乙 | 70% 起 |"  # noqa: RUF001
