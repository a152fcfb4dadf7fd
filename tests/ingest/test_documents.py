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
