"""What a page says of itself."""

from __future__ import annotations

import datetime as dt

import pytest

from rag.ingest.imprint import Imprint, declared, governed, imprint, is_official, labelled, signed, without_imprint

DAY = dt.date(2024, 5, 6)


@pytest.mark.parametrize(
    "written",
    ["2024-05-06", "2024/5/6", "2024.05.06", "2024年5月6日", "2024-05-06 09:30", "2024年05月06日09时"],
)
@pytest.mark.parametrize("label", ["发布时间", "发布日期", "公开日期", "成文日期", "发 布 日 期", "印发日期"])
def test_a_labelled_day_is_the_day_of_publication(label: str, written: str) -> None:
    """However the label is spaced and the day is written."""
    assert imprint([f"{label}：{written}"], None).published == DAY


def test_a_line_of_several_labels_is_taken_apart() -> None:
    """Each value ends where the next label begins."""
    told = imprint(["发布时间：2024-05-06 09:30　来源：甬江晚报　浏览次数：235"], None)
    assert told == Imprint(issuer="甬江晚报", published=DAY)


def test_publication_goes_before_signing_and_the_issuer_before_the_source() -> None:
    """Whatever the order of the lines."""
    told = imprint(["成文日期：2024-05-01", "来源：办公室", "发文机关：宁波市医疗保障局", "发布日期：2024-05-06"], None)
    assert (told.issuer, told.published) == ("宁波市医疗保障局", DAY)


def test_the_first_value_of_a_label_counts() -> None:
    """Further down, other pages are listed with days of their own."""
    assert imprint(["发布时间：2024-05-06", "发布时间：2020-01-01"], None).published == DAY


@pytest.mark.parametrize(
    ("line", "ended"),
    [
        ("有效性：有效", False),
        ("有效性：失效", True),
        ("时效性：已废止", True),
        ("有效性：未失效", False),
        ("是否有效：继续有效", False),
    ],
)
def test_a_page_may_say_that_its_text_has_ended(line: str, ended: bool) -> None:  # noqa: FBT001
    """废止 and 失效 end it; 未失效 does not."""
    assert imprint([line], None).ended is ended


def test_an_ended_text_without_a_last_day_answers_for_no_day() -> None:
    """It counts as replaced; with a last day, it holds until then."""
    told = declared(Imprint(ended=True), title="办法", publisher=None, published=None, url=None, head="")
    assert set(told) == {"title", "superseded_by"}
    until = declared(
        Imprint(ended=True, effective_to=DAY), title="办法", publisher=None, published=None, url=None, head=""
    )
    assert until == {"title": "办法", "effective_to": DAY}


def test_the_line_below_the_title_is_a_byline() -> None:
    """A day and a name without labels; such a line further down is none."""
    told = imprint(["首页", "医保新规", "甬江晚报 2024-05-06 10:20", "一句话。"], "医保新规")
    assert told == Imprint(issuer="甬江晚报", published=DAY)
    assert imprint(["医保新规", "一。", "二。", "三。", "甬江晚报 2024-05-06"], "医保新规") == Imprint()


def test_a_sentence_with_a_day_is_no_byline() -> None:
    """What is said of a day is content."""
    assert imprint(["医保新规", "2024年5月6日起，门诊可以结算。"], "医保新规") == Imprint()


@pytest.mark.parametrize("line", ["发布时间：2024-13-40", "发布时间：昨天", "发布时间："])
def test_a_day_that_does_not_exist_is_none(line: str) -> None:
    """No day is made up."""
    assert imprint([line], None).published is None


def test_only_lines_of_labels_are_left_out_of_a_text() -> None:
    """A sentence stays, also when it begins like a label."""
    block = "发布时间：2024-05-06 来源：甬江晚报\n- 索引号：0029\n来源：甬江晚报昨天报道。备案可以网办。\n报销比例：70%"
    assert without_imprint(block) == "来源：甬江晚报昨天报道。备案可以网办。\n报销比例：70%"


def test_cells_of_labels_become_lines() -> None:
    """With a colon or without; a label without a value gives none."""
    assert labelled(["索引号", "0029", "发文机关：", "某局"]) == ["索引号：0029", "发文机关：某局"]
    assert labelled(["有效性", "发文机关", "某局"]) == ["发文机关：某局"]
    assert labelled(["医院", "比例"]) == []


def test_a_day_alone_below_the_text_is_its_signature() -> None:
    """Only at the end, and only where nothing else is in the line."""
    assert signed(["一句话。", "某市医疗保障局", "2024年5月6日"]) == DAY
    assert signed(["2024年5月6日", "一。", "二。", "三。", "四。"]) is None
    assert signed(["自2024年5月6日起施行。"]) is None


@pytest.mark.parametrize(
    ("issuer", "url", "official"),
    [
        ("宁波市医疗保障局", None, True),
        ("绍兴市人民政府办公室", None, True),
        ("舟山市社保中心", None, True),
        ("市医疗保险管理服务中心", None, True),
        (None, "https://www.nhsa.gov.cn/art/1.html", True),
        (None, "http://ybj.ningbo.gov.cn", True),
        ("康安网", "https://gov.cn.example/a", False),
        ("甬江晚报", None, False),
        (None, None, False),
    ],
)
def test_public_bodies_and_their_sites_are_official(issuer: str | None, url: str | None, *, official: bool) -> None:
    """By name or address; a site that merely bears the letters is none."""
    assert is_official(issuer, url) is official


@pytest.mark.parametrize(
    ("issuer", "head", "found"),
    [
        ("宁波市医疗保障局", "各参保单位：", ("宁波",)),
        ("国家医疗保障局", "各省、自治区、直辖市医疗保障局：", ()),
        ("杭州网", "国家医疗保障局昨天公布了新的目录。", ()),
        ("某某网（杭州）", "起付标准如下。", ("杭州",)),
        ("某某网绍兴站", "起付标准如下。", ("绍兴",)),
        ("某某（北京）科技公司", "起付标准如下。", ()),
        (None, "新华社北京6月3日电 全国跨省结算的人次继续增长。", ()),
        (None, "（北京讯）全国跨省结算的人次继续增长。", ()),
        (None, "宁波职工医保参保人员在杭州住院的，可以直接结算。", ("宁波",)),
        (None, "绍兴市居民医保的缴费已经开始。", ("绍兴",)),
        (None, "记者在上海看到，窗口前没有人排队。", ()),
    ],
)
def test_a_text_is_of_the_place_that_governs_it(issuer: str | None, head: str, found: tuple[str, ...]) -> None:
    """The issuer's, if a public body; else that of the insured; not where a report was filed or care is given."""
    assert governed(issuer, head) == found


def test_a_place_in_the_title_is_left_to_the_title() -> None:
    """Places are declared only where the title names none."""
    told = declared(
        Imprint(issuer="宁波市医疗保障局"), title="杭州就医怎么结算", publisher=None, published=None, url=None, head=""
    )
    assert "places" not in told
