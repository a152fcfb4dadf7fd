"""A page's text to its main article and its teasers."""

from __future__ import annotations

import datetime as dt

import pytest

from rag.ingest.cleaning import Extent, extents

PAGE = """外地住院怎么结算

2024-02-05 08:30:00康安网

先在参保地备案，再到外地住院。

住院费用可以直接结算。

温馨提示：本内容不能代替面诊，如有不适请尽快就医。

康安网声明：资讯来源于网络。投诉

相关推荐

门诊费用怎么结算

门诊费用刷卡结算。

康安网 2024-01-02

药店买药怎么结算

药店扫码结算。

康安网 2024-01-03
首页 顶部"""


def _words(text: str, found: list[Extent]) -> list[str]:
    return [text[e.span.start : e.span.end] for e in found]


@pytest.fixture
def page() -> list[Extent]:
    """The page above, cut."""
    return extents(PAGE)


def test_a_page_is_its_article_and_its_teasers(page: list[Extent]) -> None:
    """The article comes first; each teaser stands alone and never runs into the next."""
    main, *teasers = _words(PAGE, page)
    assert main.startswith("外地住院怎么结算")
    assert main.endswith("住院费用可以直接结算。")
    assert teasers == ["门诊费用怎么结算\n\n门诊费用刷卡结算。", "药店买药怎么结算\n\n药店扫码结算。"]


def test_each_extent_has_its_own_date_and_publisher(page: list[Extent]) -> None:
    """The date of a teaser is the teaser's alone."""
    assert [(e.published, e.publisher, e.excerpt) for e in page] == [
        (dt.date(2024, 2, 5), "康安网", False),
        (dt.date(2024, 1, 2), "康安网", True),
        (dt.date(2024, 1, 3), "康安网", True),
    ]


def test_a_page_without_a_byline_gets_no_date_from_its_teasers() -> None:
    """`published` is null when a page gives no date of its own."""
    found = extents(PAGE.replace("2024-02-05 08:30:00康安网\n\n", ""))
    assert (found[0].published, found[0].publisher) == (None, None)


def test_a_date_further_down_is_no_byline() -> None:
    """A line of the article that is a date dates nothing, and stays."""
    (found,) = extents("备案日期\n\n先备案。\n\n再住院。\n\n最近一次调整的日期：\n\n2024-02-05\n\n以窗口为准。")
    assert (found.published, found.skipped) == (None, ())


def test_the_byline_is_no_part_of_the_text(page: list[Extent]) -> None:
    """It stands inside the article's span and is skipped there."""
    assert [PAGE[s.start : s.end] for s in page[0].skipped] == ["2024-02-05 08:30:00康安网"]


@pytest.mark.parametrize(
    "mark",
    ["相关推荐", "相关阅读", "延伸阅读", "猜你喜欢", "更多相关内容", "相关推荐：", "相关阅读:", "【相关推荐】"],
)
def test_related_marks_are_known_in_their_usual_forms(mark: str) -> None:
    """However a page heads its teasers, they are not taken for its article."""
    text = PAGE.replace("相关推荐", mark)
    assert len(extents(text)) == 3


@pytest.mark.parametrize(
    "line",
    [
        "首页",
        "首页 | 登录",
        "上一篇：门诊怎么结算",
        "下一篇 药店怎么结算",
        "返回顶部",
        "投诉 分享 评论",
        "责任编辑：小康",
        "来源：康安网",
        "版权所有 康安网",
        "提示：本内容不能代替面诊",
        "门诊怎么结算(1月2日) 2024-01-02 08:30医保知识 药店怎么结算 2024-01-03 09:30医保知识",
    ],
)
def test_page_furniture_is_left_out(line: str) -> None:
    """Navigation, lists of links and boilerplate are no content, wherever they stand."""
    text = f"标题\n\n第一句话。\n\n{line}\n\n第二句话。"
    (found,) = extents(text)
    assert [text[s.start : s.end] for s in found.skipped] == [line]


@pytest.mark.parametrize(
    "line",
    [
        "首页点击“异地备案”即可办理。",
        "分享给家人的额度每年2000元。",
        "提示：备案后六个月内不能取消。",
        "来源于个人账户的资金可以用于家庭共济，余额不足时由本人补足差额后再结算。",
        "备案在2024-02-05 08:30之后办理的，按新的比例报销。",
        "办理时须签署声明：本人没有在其他地区参保。",
    ],
)
def test_content_that_resembles_furniture_stays(line: str) -> None:
    """A sentence of the article is not lost because it begins like navigation."""
    (found,) = extents(f"标题\n\n第一句话。\n\n{line}\n\n第二句话。")
    assert found.skipped == ()


@pytest.mark.parametrize("end", ["360 2024-01-02", "39 2024年1月2日"])
def test_a_publisher_whose_name_is_a_number_is_a_publisher(end: str) -> None:
    """A teaser of 360 is dated like any other."""
    teaser = extents(PAGE.replace("康安网 2024-01-02", end))[1]
    assert (teaser.published, teaser.publisher) == (dt.date(2024, 1, 2), end.split(maxsplit=1)[0])


def test_an_impossible_date_is_no_date() -> None:
    """30 February ends a teaser, and dates nothing."""
    teaser = extents(PAGE.replace("康安网 2024-01-02", "康安网 2024-02-30"))[1]
    assert teaser.published is None


def test_a_teaser_of_a_title_alone_is_dropped() -> None:
    """A title states nothing that could be cited."""
    found = extents(PAGE.replace("门诊费用刷卡结算。\n\n", ""))
    assert len(found) == 2


def test_the_note_of_a_statute_is_no_byline() -> None:
    """施行 after a date says what happens then; it is no publisher."""
    (found,) = extents("医疗救助办法\n\n2021年5月1日 施行\n\n第一条 为了规范医疗救助，制定本办法。")
    assert found.publisher is None


def test_a_page_of_navigation_has_no_extent() -> None:
    """Nothing is made of nothing."""
    assert extents("首页\n\n登录 注册\n\n返回顶部\n") == []


def test_extents_begin_after_the_front_matter() -> None:
    """What stands before `start` belongs to no extent."""
    text = "id: a\n标题\n\n一句话。"
    (found,) = extents(text, 6)
    assert text[found.span.start : found.span.end] == "标题\n\n一句话。"
