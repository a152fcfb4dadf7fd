"""Of a table or a list only the parts are shown that the question is about, where they are few."""

from __future__ import annotations

import pytest

from rag.domain import EvidenceUnit, Span
from rag.retrieve.narrowing import Narrowing
from tests.making import a_unit

SENTENCE = a_unit("c#u0", "三级医院报80%。")
LEVELS = a_unit("a#u0", "| 级别 | 比例 |\n| --- | --- |\n| 三级 | 80% |\n| 二级 | 85% |\n| 一级 | 90% |", kind="list")
OTHERS = ("其他医疗机构", "85%")


def _row(n: int, level: str, share: str) -> EvidenceUnit:
    """A row of the table of levels."""
    text, header = f"| 级别 | 比例 |\n| {level} | {share} |", (Span(0, 5),)
    return a_unit(f"a#u{n}", text, 10 * n, kind="row", parent="a#u0", lead=header)


ROWS = tuple(_row(n, *cells) for n, cells in enumerate((("三级", "80%"), ("二级", "85%"), ("一级", "90%")), 1))
CITIES = tuple(
    a_unit(f"b#u{n}", f"各地起付线：\n- {where}{line}元", 10 * n, kind="item", parent="b#u0")
    for n, (where, line) in enumerate((("全国一般", 800), ("北京", 1300), ("成都", 300)), 1)
)


@pytest.mark.parametrize(
    ("question", "shown"),
    [
        ("三级医院报多少？", [1]),
        ("三级和二级医院各报多少？", [1, 2]),
        ("医院报多少？", [0]),
        ("不去三级医院的话报多少？", [0]),
        ("社区医院报多少？", [0]),
        ("三级、二级、一级医院各报多少？", [0]),
    ],
)
def test_of_a_table_the_rows_that_are_asked_for_are_shown(question: str, shown: list[int]) -> None:
    """What the question names singles them out; where it names none of them, denies one or wants all, the whole."""
    assert Narrowing((LEVELS, *ROWS), question, ())(0) == shown


@pytest.mark.parametrize(("chosen", "shown"), [(1, [1]), (2, [1]), (3, [1])])
def test_a_row_by_itself_gives_way_to_the_one_that_is_asked_for(chosen: int, shown: list[int]) -> None:
    """However near in wording it is, the row of another level is somebody else's rule; with the table or without."""
    assert Narrowing((LEVELS, *ROWS), "三级医院报多少？", ())(chosen) == shown
    assert Narrowing(ROWS, "三级医院报多少？", ())(chosen - 1) == [row - 1 for row in shown]


def test_the_row_for_all_others_is_for_whom_no_row_names() -> None:
    """A third-class hospital is one of 其他医疗机构 where only 基层 has a row of its own; else both rows may be."""
    others = (LEVELS, ROWS[0], *(_row(n, *cells) for n, cells in enumerate((("基层医疗机构", "90%"), OTHERS), 2)))
    assert Narrowing((others[0], *others[2:]), "三级医院报多少？", ())(0) == [2]
    assert Narrowing(others, "三级医院报多少？", ())(0) == [1, 3]


def test_of_a_long_table_no_half_is_shown() -> None:
    """An answer stays short."""
    many = tuple(_row(n, "三级" if n % 2 else "二级", f"{n}%") for n in range(1, 21))
    assert Narrowing((LEVELS, *many), "三级医院报多少？", ())(0) == [0]
    assert Narrowing((LEVELS, *many[:10]), "三级医院报多少？", ())(0) == [1, 3, 5, 7, 9]


def test_of_a_table_of_tiers_the_one_that_is_paid_for_is_shown() -> None:
    """一档 and 二档 are names of what somebody pays, and tell rows apart as levels do."""
    found = (LEVELS, _row(1, "一档标准", "45%"), _row(2, "二档标准", "55%"))
    assert Narrowing(found, "按二档缴费，住院报多少？", ())(0) == [2]
    assert Narrowing(found, "一档和二档各报多少？", ())(0) == [0]


def test_a_row_that_the_question_names_is_shown_alone() -> None:
    """By the very words that head it, whatever they mean; one that the question sets aside is not."""
    rows = (_row(1, "数额较大", "两年"), _row(2, "数额巨大", "五年"), _row(3, "情节特别严重", "十年"))
    assert Narrowing((LEVELS, *rows), "数额较大判几年？", ())(0) == [1]
    assert Narrowing((LEVELS, *rows), "不是数额较大，判几年？", ())(0) == [0]
    assert Narrowing((LEVELS, *rows), "判几年？", ())(0) == [0]
    assert Narrowing((LEVELS, *rows), "听说分数额较大和巨大，巨大的判几年？", ())(0) == [0]
    assert Narrowing((LEVELS, *rows), "数额较大和巨大的分别判几年？", ())(0) == [0]
    kinds = (_row(1, "医疗机构", "300家"), _row(2, "零售药店", "900家"), _row(3, "检验机构", "20家"))
    assert Narrowing((LEVELS, *kinds), "医疗机构和药房各有多少家？", ())(0) == [0]


@pytest.mark.parametrize(
    ("question", "absent"),
    [
        ("二档，在一级医院报多少？", True),
        ("二档，在三级医院报多少？", False),
        ("一级医院报多少？", False),
        ("二档报多少？", False),
        ("医院报多少？", False),
    ],
)
def test_a_table_without_the_cell_that_is_asked_for_is_known(question: str, *, absent: bool) -> None:
    """Rows of 二档 and rows of 一级, and none of both."""
    header = (Span(0, 5),)
    cells = (("一档", "三级", "70%"), ("一档", "一级", "80%"), ("二档", "三级", "60%"))
    rows = [
        a_unit(f"d#u{n}", "| 档次 | 级别 | 比例 |\n| " + " | ".join(row) + " |", 10 * n, kind="row", lead=header)
        for n, row in enumerate(cells)
    ]
    assert all(Narrowing(rows, question, ()).cell_absent(n) is absent for n in range(len(rows)))


def test_of_a_list_of_places_the_one_asked_for_is_shown() -> None:
    """With what is said of no place; a place that only the question names counts, too."""
    whole = a_unit("b#u0", "各地起付线：\n- 全国一般800元\n- 北京1300元\n- 成都300元", kind="list")
    found = (whole, *CITIES)
    assert Narrowing(found, "起付线多少？", ("成都",))(0) == [1, 3]
    assert Narrowing(found, "去北京看病，起付线多少？", ("成都",))(0) == [0]
    assert Narrowing(found, "起付线多少？", ("宁波",))(0) == [0]


def test_of_a_table_of_ways_that_of_where_one_is_insured_is_shown() -> None:
    """Both rows name both cities; the insurance tells them apart."""
    ways = ("成都医保卡在北京使用", "可以直接结算"), ("北京医保卡在成都使用", "先行垫付")
    whole = a_unit("e#u0", "| 情形 | 结算 |\n" + "\n".join(f"| {a} | {b} |" for a, b in ways), kind="list")
    rows = [
        a_unit(f"e#u{n}", f"| 情形 | 结算 |\n| {a} | {b} |", 10 * n, kind="row", parent="e#u0", lead=(Span(0, 5),))
        for n, (a, b) in enumerate(ways, 1)
    ]
    assert Narrowing((whole, *rows), "北京医保卡在成都能用吗？", ("北京",))(0) == [2]
    assert Narrowing((whole, *rows), "成都医保卡在北京能用吗？", ("成都",))(0) == [1]


def test_a_class_is_told_by_its_name() -> None:
    """乙类药 asks for the row of 乙类药品."""
    header = (Span(0, 5),)
    rows = [
        a_unit(f"f#u{n}", f"| 类别 | 报销 |\n| {name}药品 | {how} |", 10 * n, kind="row", lead=header)
        for n, (name, how) in enumerate((("甲类", "全额"), ("乙类", "部分"), ("丙类", "不报")))
    ]
    assert Narrowing(rows, "乙类药能报吗？", ())(0) == [1]


def test_wuxi_is_no_denial() -> None:
    """无 of 无锡 denies nothing: the level behind it counts."""
    assert Narrowing((LEVELS, *ROWS), "退休人员在无锡三级医院看门诊报多少？", ("无锡",))(0) == [1]


def test_what_has_no_parts_is_shown_as_it_is() -> None:
    """A sentence, or a table whose rows were not found."""
    assert Narrowing((SENTENCE, LEVELS), "三级医院报多少？", ())(0) == [0]
    assert Narrowing((SENTENCE, LEVELS), "三级医院报多少？", ())(1) == [1]
