"""Web pages of different shapes to the text of their article; the rules in them are made up."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from rag.domain import Document
from rag.errors import UnreadableFile
from rag.ingest import reading
from rag.ingest.documents import documents
from rag.ingest.webpage import read_page

PAGES = Path(__file__).parent / "pages"


def _page(name: str) -> reading.SourceText:
    return reading.read(PAGES / f"{name}.html", f"{name}.html")


def _document(name: str) -> Document:
    return documents(_page(name), name)[0].document


DECLARED: dict[str, dict[str, Any]] = {
    "account": {"title": "陪护床费能不能报？一文说清", "publisher": "甬城医保", "published": dt.date(2025, 3, 4)},
    "agency": {
        "title": "全国跨省住院直接结算人次再创新高",
        "publisher": "新华社",
        "url": "https://www.nhsa.gov.cn/art/1.html",
        "authority": "official",
        "published": dt.date(2024, 6, 3),
    },
    "divs": {"published": dt.date(2024, 3, 2)},
    "expired": {
        "title": "嘉兴市住院医疗护理补助办法",
        "publisher": "嘉兴市医疗保障局",
        "authority": "official",
        "published": dt.date(2020, 1, 10),
        "effective_from": dt.date(2020, 2, 1),
        "effective_to": dt.date(2023, 1, 31),
    },
    "faq": {
        "title": "跨省住院的常见问题",
        "publisher": "小康问医",
        "url": "https://wen.example/faq/7",
        "published": dt.date(2023, 9, 1),
    },
    "figures": {"title": "杭州市医疗保障局关于公布门诊待遇标准的公告"},
    "hospital": {"title": "异地患者住院须知"},
    "notice": {
        "title": "关于调整住院起付标准的通知",
        "publisher": "宁波市医疗保障局",
        "authority": "official",
        "published": dt.date(2024, 5, 8),
        "places": ["宁波"],
    },
    "old_site": {
        "title": "居民医保缴费标准",
        "publisher": "舟山市社保中心",
        "authority": "official",
        "published": dt.date(2019, 10, 8),
        "places": ["舟山"],
    },
    "portal": {
        "title": "外地生孩子能报销吗？这几点要先弄清楚",
        "publisher": "康安网",
        "url": "https://www.kangan.example/a/20240205.html",
        "published": dt.date(2024, 2, 5),
    },
    "repealed": {
        "title": "绍兴市职工门诊统筹暂行规定",
        "publisher": "绍兴市人民政府办公室",
        "authority": "official",
        "published": dt.date(2015, 3, 2),
        "superseded_by": "unnamed",
    },
    "report": {
        "title": "我市新增一批定点药店",
        "publisher": "甬江晚报",
        "published": dt.date(2024, 5, 6),
        "places": ["宁波"],
    },
}


@pytest.mark.parametrize("name", sorted(DECLARED))
def test_a_page_tells_its_title_publisher_day_and_standing(name: str) -> None:
    """From metadata, a header table, labelled lines or a byline; what it does not tell stays out."""
    assert _page(name).declared == DECLARED[name]


@pytest.mark.parametrize("name", sorted(DECLARED))
def test_what_a_page_tells_makes_a_document(name: str) -> None:
    """Every field passes the same checks as front matter, and each page gives a text."""
    document = _document(name)
    assert document.sections
    assert document.published == DECLARED[name].get("published")


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "notice",
            "# 关于调整住院起付标准的通知|## 一、调整后的起付标准|## 二、执行时间|宁波市医疗保障局|2024年5月6日",
        ),
        ("hospital", "### 办理入院|### 办理出院"),
        ("portal", "## 直接结算|## 回参保地报销|### 相关推荐"),
        ("faq", "### 备案多久有效？|备案要钱吗？|不要钱，在手机上几分钟就能办好。|以参保地经办机构的答复为准。"),
        ("divs", "（一）身份证|（二）近半年的病历|（三）一寸照片一张"),
        ("account", "不少家属问，住院陪护的床费能不能报销。今天一次说清。|### 能报的部分|### 不能报的部分"),
    ],
)
def test_headings_and_paragraphs_of_an_article_are_kept(name: str, lines: str) -> None:
    """Each a line of its own, headings with their marks, also those that are only bold or only numbered."""
    text = _page(name).text.splitlines()
    assert [line for line in lines.split("|") if line not in text] == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("notice", "首页|当前位置|索引号|浏览次数|主办单位|发布时间"),
        ("hospital", "探视须知|版权所有|专家"),
        ("portal", "今日热点|首页"),
        ("old_site", "常见问题|下载|发布日期"),
        ("faq", "扫码关注"),
        ("account", "隐藏的推广文字"),
        ("report", "网友评论"),
        ("repealed", "要闻|索引号|有效性"),
    ],
)
def test_what_stands_around_an_article_is_left_out(name: str, words: str) -> None:
    """Navigation, header tables, counters, hidden text, comments and the foot of the page."""
    assert [word for word in words.split("|") if word in _page(name).text] == []


def test_a_table_with_spanning_cells_is_read_row_by_row() -> None:
    """Every row says all that holds for it, below a header that names every column."""
    assert (
        "| 医院等级 | 起付标准 职工 | 起付标准 居民 |\n|---|---|---|\n| 三级医院 | 800元 | 600元 |\n"
        "| 其他医院 | 400元 | 300元 |\n| 其他医院 | 200元 | 100元 |"
    ) in _page("notice").text


def test_a_table_that_is_divided_keeps_its_parts_apart() -> None:
    """职工 stands above its own rows, 居民 above its own, and the header above both."""
    text = _page("figures").text
    header = "| 就医机构 | 在职 | 退休 |\n|---|---|---|\n"
    assert f"职工医保\n\n{header}| 三级医院 | 76% | 82% |\n| 社区卫生服务中心 | 86% | 92% |" in text
    assert f"居民医保\n\n{header}| 三级医院 | 40% | 40% |" in text


def test_a_table_inside_tables_that_only_place_it_is_found() -> None:
    """Old sites lay out whole pages as tables."""
    text = _page("old_site").text
    assert "| 人员 | 个人缴费 | 财政补助 |\n|---|---|---|\n| 成年居民 | 每年480元 | 每年860元 |" in text
    assert "缴费期到十二月底结束" in text


def test_lists_keep_their_numbers_and_depth() -> None:
    """An item below an item is indented."""
    assert "2. 身份证原件\n  - 代办的，还要代办人的身份证\n3. 门诊病历" in _page("hospital").text


def test_teasers_below_an_article_are_documents_of_their_own() -> None:
    """With their own titles and days, which are not the article's."""
    main, *teasers = [parsed.document for parsed in documents(_page("portal"), "portal")]
    assert (main.kind, main.published) == ("article", dt.date(2024, 2, 5))
    assert [(t.kind, t.title, t.published) for t in teasers] == [
        ("excerpt", "药店买药能刷外地的卡吗", dt.date(2023, 11, 2)),
        ("excerpt", "外地急诊怎么结算", dt.date(2023, 12, 12)),
    ]


@pytest.mark.parametrize("name", ["notice", "old_site"])
@pytest.mark.parametrize("charset", ["gb2312", "gbk", "GB18030"])
def test_a_page_in_a_chinese_encoding_reads_the_same(tmp_path: Path, name: str, charset: str) -> None:
    """Also with characters that GB 2312 lacks, whatever name of the encoding the page gives."""
    markup = (PAGES / f"{name}.html").read_text("utf-8").replace("utf-8", charset).replace("gb2312", charset)
    (tmp_path / "page.html").write_bytes(markup.encode("gb18030"))
    read = reading.read(tmp_path / "page.html", "page.html")
    assert (read.text, read.declared) == (_page(name).text, _page(name).declared)


def test_one_broken_character_does_not_lose_a_page(tmp_path: Path) -> None:
    """A page that names its encoding is taken at its word; the character is lost, and nothing else."""
    markup = (PAGES / "notice.html").read_text("utf-8").replace("utf-8", "gbk")
    data = markup.encode("gbk").replace("235</span>".encode("gbk"), b"\xff235</span>")
    (tmp_path / "page.html").write_bytes(data)
    assert reading.read(tmp_path / "page.html", "page.html").text == _page("notice").text


def test_a_page_that_names_the_wrong_encoding_is_read_by_its_bytes(tmp_path: Path) -> None:
    """UTF-8 that calls itself GB 2312 is UTF-8."""
    markup = (PAGES / "notice.html").read_text("utf-8").replace("utf-8", "gb2312")
    (tmp_path / "page.html").write_text(markup, "utf-8")
    assert reading.read(tmp_path / "page.html", "page.html").text == _page("notice").text


@pytest.mark.parametrize(
    ("markup", "reason"),
    [
        ((PAGES / "navigation.html").read_text("utf-8"), "nothing but links"),
        ("<html><body><script>render()</script><div id=app></div></body></html>", "no main text"),
        ("<html><head><title>题</title></head></html>", "no main text"),
        ("<!-- 空 -->", "no main text"),
        ("   ", "no main text"),
    ],
)
def test_a_page_without_an_article_is_refused_with_its_reason(markup: str, reason: str) -> None:
    """A list of links is no document, and a page that a script fills is empty."""
    with pytest.raises(UnreadableFile, match=reason) as caught:
        read_page(markup, "page.html")
    assert caught.value.path == "page.html"


def test_a_page_without_a_day_gets_none() -> None:
    """Neither a year in the text nor one in the foot of the page dates it."""
    body = "<p>2021年以来，参保人员可以在外地直接结算。</p><p>办理备案以后就不用先垫付了。</p>"
    page = read_page(f"<html><body><h1>直接结算</h1>{body}<footer>© 2023 康安网</footer></body></html>", "page.html")
    assert page.declared == {"title": "直接结算"}


@pytest.mark.parametrize(
    ("window", "title"),
    [
        ("住院备案怎么办_康安网", "住院备案怎么办"),
        ("住院备案怎么办 - 康安网", "住院备案怎么办"),
        ("康安网 | 住院备案怎么办", "住院备案怎么办"),
        ("3-6个月能报多少", "3-6个月能报多少"),
    ],
)
def test_the_name_of_the_site_is_no_part_of_the_title(window: str, title: str) -> None:
    """Bars and dashes with room around them part the two; a range is no dash."""
    body = "<div><p>备案在参保地办理，办好就可以直接结算。</p><p>没有备案的，回参保地报销。</p></div>"
    assert (
        read_page(f"<html><head><title>{window}</title></head><body>{body}</body></html>", "page.html").declared[
            "title"
        ]
        == title
    )


@pytest.mark.parametrize(("depth", "kept"), [(200, True), (5000, False)])
def test_deep_markup_does_no_harm(depth: int, *, kept: bool) -> None:
    """Two hundred nested elements are read; what lies thousands deep is lost, and nothing else."""
    deep = "<div>" * depth + "<p>备案在参保地办理，办好就可以直接结算。</p>" + "</div>" * depth
    page = read_page(f"<html><body><p>门诊费用也可以直接结算。</p>{deep}</body></html>", "page.html")
    assert "门诊费用也可以直接结算" in page.text
    assert ("备案在参保地办理" in page.text) is kept


def test_spans_of_nonsense_do_no_harm() -> None:
    """A span that is no number is one; one that is too large ends with the table; a row may have no cells."""
    rows = "<tr></tr><tr><td colspan=x>医院</td><td>比例</td></tr><tr><td>三级</td><td rowspan=99999>70%</td></tr>"
    page = read_page(f"<html><body><p>比例见下表。</p><table>{rows}</table></body></html>", "page.html")
    assert page.text.endswith("| 医院 | 比例 |\n|---|---|\n| 三级 | 70% |")
