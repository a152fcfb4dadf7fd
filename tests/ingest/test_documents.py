"""A read file to its Documents."""

from __future__ import annotations

import datetime as dt

import pytest

from rag.domain import Document, Origin
from rag.errors import UnreadableFile
from rag.ingest.documents import documents
from rag.ingest.reading import SourceText

BODY = "# 住院备案\n\n先备案，再住院。\n"
PAGE = "宁波居民怎么备案\n\n先备案。\n\n相关推荐\n\n杭州职工怎么备案\n\n到窗口备案。\n\n康安网 2024-01-02\n"
STATUTE = (
    "# 浙江省医疗救助办法\n\n2023年12月1日 浙江省人民政府常务会议通过\n\n"
    + "".join(f"第{n}条 医疗救助应当公开、公平、及时。\n\n" for n in "一二三四五")
    + "第六条 本办法自2024年2月1日起施行。\n"
)


def _documents(text: str, path: str = "/corpus/a.txt", **declared: object) -> list[Document]:
    source = SourceText(path=path, source=path.rsplit("/", 1)[-1], text=text, declared=declared)
    return [parsed.document for parsed in documents(source, "a")]


def _declared(**declared: object) -> Document:
    (document,) = _documents(BODY, "/corpus/a.md", **declared)
    return document


def test_everything_declared_is_taken_over() -> None:
    """Front matter goes before what the page shows."""
    document = _declared(
        id="filing",
        title="备案指南",
        publisher="康安网",
        url="https://kangan.example/a",
        authority="official",
        published=dt.date(2024, 2, 5),
        retrieved="2024-03-01",
        effective_from=dt.date(2024, 1, 1),
        effective_to=dt.date(2024, 12, 31),
        superseded_by="filing-2",
        places=["宁波"],
        insured_types=["居民"],
        kind="excerpt",
    )
    assert (document.id, document.title, document.kind) == ("filing", "备案指南", "excerpt")
    assert document.origin == Origin("康安网", "https://kangan.example/a", "official")
    assert (document.published, document.retrieved) == (dt.date(2024, 2, 5), dt.date(2024, 3, 1))
    assert (document.effective_from, document.effective_to) == (dt.date(2024, 1, 1), dt.date(2024, 12, 31))
    assert (document.superseded_by, document.places, document.insured_types) == ("filing-2", ("宁波",), ("居民",))


def test_what_is_not_declared_is_read_off_the_page_or_left_empty() -> None:
    """The title is the first heading, places and insured types are those of the title; no date is made up."""
    document = _documents("绍兴职工怎么备案\n\n宁波居民先备案。\n")[0]
    assert (document.id, document.title, document.kind) == ("a", "绍兴职工怎么备案", "article")
    assert (document.places, document.insured_types) == (("绍兴",), ("职工",))
    assert (document.published, document.origin) == (None, Origin())


def test_a_title_without_a_place_is_of_the_place_that_its_publisher_speaks_for() -> None:
    """Unless places are declared, be it none; a newspaper of a city speaks for none."""
    assert _declared(title="怎么备案", publisher="绍兴市医疗保障局").places == ("绍兴",)
    assert _declared(title="宁波怎么备案", publisher="绍兴市医疗保障局").places == ("宁波",)
    assert _declared(title="怎么备案", publisher="绍兴市医疗保障局", places=[]).places == ()
    assert _declared(title="怎么备案", publisher="绍兴晚报").places == ()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("published", "2024-2-5"),
        ("published", 20240205),
        ("published", dt.datetime(2024, 2, 5, 8, 30, tzinfo=dt.UTC)),
        ("effective_to", "去年"),
        ("title", ["备案"]),
        ("title", 2024),
        ("places", "宁波"),
        ("places", [1]),
        ("insured_types", {"职工": True}),
        ("kind", "book"),
        ("authority", "官方"),
        ("superseded_by", 7),
    ],
)
def test_a_value_of_the_wrong_form_is_refused_by_its_key(key: str, value: object) -> None:
    """The message names the file and the key."""
    with pytest.raises(UnreadableFile, match=f"'{key}' must be") as caught:
        _declared(**{key: value})
    assert caught.value.path == "/corpus/a.md"


def test_an_unknown_key_is_refused_by_name() -> None:
    """A misspelt key is never ignored."""
    with pytest.raises(UnreadableFile, match="unknown key 'efective_to'"):
        _declared(efective_to=dt.date(2024, 12, 31))


def test_a_page_gives_its_article_and_each_teaser() -> None:
    """Teasers are excerpts with an id, a title, a date and places of their own."""
    found = _documents(PAGE)
    assert [(d.id, d.title, d.kind, d.published, d.places, d.insured_types) for d in found] == [
        ("a", "宁波居民怎么备案", "article", None, ("宁波",), ("居民",)),
        ("a~1", "杭州职工怎么备案", "excerpt", dt.date(2024, 1, 2), ("杭州",), ("职工",)),
    ]


def test_what_a_page_declares_holds_for_its_article_only() -> None:
    """A teaser does not inherit the page's title or date."""
    main, teaser = _documents(PAGE, "/corpus/a.html", title="全文", published="2024-03-03")
    assert (main.title, main.published) == ("全文", dt.date(2024, 3, 3))
    assert (teaser.title, teaser.published) == ("杭州职工怎么备案", dt.date(2024, 1, 2))


def test_a_file_with_front_matter_is_one_document() -> None:
    """Who declares a document has cleaned it: a line that looks like page furniture is content."""
    (document,) = _documents("# 指南\n\n先备案。\n\n相关推荐\n\n再住院。\n", "/corpus/a.md", id="guide")
    assert document.sections[-1].end == document.extent.end == len("# 指南\n\n先备案。\n\n相关推荐\n\n再住院。")


def test_a_statute_is_known_by_its_articles() -> None:
    """Kind, standing, day of enactment and day of effect come from the text."""
    (document,) = _documents(STATUTE)
    assert (document.kind, document.origin, document.places) == ("statute", Origin(authority="official"), ("浙江",))
    assert (document.published, document.effective_from) == (dt.date(2023, 12, 1), dt.date(2024, 2, 1))
    assert [s.title for s in document.sections][-6:] == [f"第{n}条" for n in "一二三四五六"]


def test_a_statutes_day_of_effect_in_its_note_is_not_its_publisher() -> None:
    """The first date below the title is that of enactment."""
    (document,) = _documents(STATUTE.replace("通过\n\n", "通过\n\n2024年2月1日 施行\n\n", 1))
    assert (document.published, document.origin.publisher) == (dt.date(2023, 12, 1), None)


@pytest.mark.parametrize("wrong", [("2024年2月1日", "2024年2月31日"), ("2023年12月1日", "2023年13月1日")])
def test_an_impossible_date_in_a_statute_is_left_out(wrong: tuple[str, str]) -> None:
    """A slip of the pen in a text does not stop the ingest."""
    (document,) = _documents(STATUTE.replace(*wrong))
    assert None in {document.published, document.effective_from}


def _statute(head: str, last: str, source: str = "a.md") -> Document:
    articles = "".join(f"第{n}条 医疗救助应当公开、公平、及时。\n\n" for n in "一二三四五")
    text = f"# 医疗救助法\n\n{head}\n\n## 第一章 总则\n\n{articles}第六条 {last}\n"
    return documents(SourceText(path="/in/a.md", source=source, text=text), "a")[0].document


@pytest.mark.parametrize(
    ("head", "last", "published", "effective_from"),
    [
        ("2010年3月4日 第九次会议通过", "本法自2010年7月1日起施行。", "2010-03-04", "2010-07-01"),
        (
            "2010年3月4日 第九次会议通过\n\n2010年3月9日 令第6号公布",
            "本法自2010年7月1日起施行。",
            "2010-03-09",
            "2010-07-01",
        ),
        ("二〇一〇年三月四日通过", "本法自二〇一〇年七月一日起施行。", "2010-03-04", "2010-07-01"),
        ("1999年1月22日 令第6号发布", "本条例自发布之日起施行。", "1999-01-22", "1999-01-22"),
        (
            "2010年3月4日通过\n\n2018年5月6日 《关于修改〈医疗救助法〉的决定》修正",
            "本法自2010年7月1日起施行。",
            "2018-05-06",
            "2018-05-06",
        ),
        (
            "（2010年3月4日通过　根据2014年2月3日《关于修改〈医疗救助法〉的决定》修正　根据2018年5月6日《决定》修正）",
            "本法自2010年7月1日起施行。",
            "2018-05-06",
            "2018-05-06",
        ),
        ("2010年3月4日通过\n\n2018年5月6日修订", "本法自2018年9月1日起施行。", "2018-05-06", "2018-09-01"),
        (
            "2010年3月4日通过\n\n2018年5月6日修订\n\n2020年1月8日修正",
            "本法自2018年9月1日起施行。",
            "2020-01-08",
            "2020-01-08",
        ),
        (
            "2010年3月4日通过\n\n2018年5月6日修正，自2018年9月1日起施行",
            "本法自2010年7月1日起施行。",
            "2018-05-06",
            "2018-09-01",
        ),
        ("1999年1月22日发布\n\n2018年5月6日修订", "本条例自发布之日起施行。", "2018-05-06", "2018-05-06"),
        ("2024年1月15日印发", "本办法自2024年1月1日起施行。", "2024-01-15", "2024-01-01"),
        ("2010年3月4日通过", "本法由国务院解释。", "2010-03-04", None),
        ("", "本法由国务院解释。", None, None),
        (
            "2010年3月4日通过",
            "本法自2010年7月1日起施行。1998年9月22日公布的《救助规定》同时废止。",
            "2010-03-04",
            "2010-07-01",
        ),
    ],
)
def test_a_statute_is_dated_by_its_latest_version(
    head: str, last: str, published: str | None, effective_from: str | None
) -> None:
    """A text holds from its amendment on, unless it names a later day itself; unamended, from the day it names."""
    document = _statute(head, last)
    assert [str(day) if day else None for day in (document.published, document.effective_from)] == [
        published,
        effective_from,
    ]


@pytest.mark.parametrize(
    ("head", "last", "published", "effective_from"),
    [
        ("", "本法自2018年9月1日起施行。", "2018-05-06", "2018-09-01"),
        ("2010年3月4日通过", "本法自2010年7月1日起施行。", "2018-05-06", "2018-05-06"),
        ("2018年5月6日公布", "本法自2018年5月1日起施行。", "2018-05-06", "2018-05-01"),
        ("2019年1月1日修正", "本法自2010年7月1日起施行。", "2019-01-01", "2019-01-01"),
    ],
)
def test_the_version_in_a_files_name_tells_what_the_head_does_not(
    head: str, last: str, published: str, effective_from: str
) -> None:
    """A later act than any in the head; where the head knows as much, its name adds nothing."""
    document = _statute(head, last, "社会法/医疗救助法(2018-05-06).md")
    assert (str(document.published), str(document.effective_from)) == (published, effective_from)


@pytest.mark.parametrize(
    ("last", "effective_to"),
    [
        ("本办法自2024年3月1日起施行，有效期5年。", "2029-02-28"),
        ("本办法自2024年3月1日起施行，有效期至2027年12月31日。", "2027-12-31"),
        ("本办法自2024年1月1日起施行。本办法有效期五年。", "2028-12-31"),
        ("本办法自2024年2月29日起施行，有效期3年。", "2027-02-28"),
        ("本办法自2024年3月1日起施行。定点协议有效期2年。", None),
    ],
)
def test_a_statute_may_name_its_last_day(last: str, effective_to: str | None) -> None:
    """A term counts from the first day; the term of something else is none of the text's own."""
    day = _statute("2024年1月15日印发", last).effective_to
    assert (str(day) if day else None) == effective_to


def test_an_article_that_quotes_a_few_articles_is_no_statute() -> None:
    """One or two 条 do not make a text official."""
    (document,) = _documents("# 解读\n\n第一条 应当备案。\n\n第二条 应当公开。\n\n以上自2024年2月1日起施行。\n")
    assert (document.kind, document.origin.authority, document.effective_from) == ("article", "third-party", None)


@pytest.mark.parametrize("text", ["# 只有标题\n", "首页\n\n返回顶部\n", "\n \n"])
def test_a_file_without_a_text_is_refused(text: str) -> None:
    """A title alone, or navigation alone, is a problem with a reason."""
    with pytest.raises(UnreadableFile, match="no text"):
        _documents(text)


def test_sections_and_extent_refer_to_the_canonical_text() -> None:
    """With front matter above, offsets still count from the start of the file."""
    text = "---\nid: a\n---\n" + BODY
    source = SourceText(path="a.md", source="a.md", text=text, body_start=14, declared={"id": "a"})
    document = documents(source, "a")[0].document
    assert text[document.extent.start : document.extent.end] == BODY.strip()
    assert text[document.sections[0].start : document.sections[0].end] == "住院备案\n\n先备案，再住院。"
