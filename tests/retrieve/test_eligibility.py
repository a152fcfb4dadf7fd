"""Only what holds on that day and somewhere near may answer."""

from __future__ import annotations

import datetime as dt

import pytest

from rag.domain import Document, Origin, Section
from rag.retrieve.eligibility import bounded, eligible
from tests.making import a_document

DAY = dt.date(2031, 5, 4)
BEFORE, AFTER = DAY - dt.timedelta(days=1), DAY + dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("dates", "holds"),
    [
        ({}, True),
        ({"effective_from": DAY}, True),
        ({"effective_from": AFTER}, False),
        ({"effective_to": DAY}, True),
        ({"effective_to": BEFORE}, False),
        ({"effective_from": BEFORE, "effective_to": AFTER}, True),
        ({"published": AFTER}, True),
    ],
)
def test_a_rule_holds_from_its_first_to_its_last_day(dates: dict[str, dt.date], *, holds: bool) -> None:
    """Both days count; the day of publication decides nothing."""
    assert eligible(a_document("rule", **dates), (), DAY) is holds


def test_a_superseded_rule_does_not_answer() -> None:
    """Where a newer text stands, the old one is silent, though no date was given."""
    assert not eligible(a_document("rule", superseded_by="rule-2032"), (), DAY)


def test_a_superseded_rule_answers_for_its_own_time() -> None:
    """Asked as of a day on which it was in force, the old text is the right one."""
    old = a_document("rule", superseded_by="rule-2032", effective_from=BEFORE, effective_to=AFTER)
    assert eligible(old, (), DAY)
    assert not eligible(old, (), AFTER + dt.timedelta(days=1))


@pytest.mark.parametrize(
    ("asked", "own", "fits"),
    [
        ((), ("嘉兴",), True),
        (("嘉兴",), (), True),
        (("嘉兴",), ("嘉兴",), True),
        (("嘉兴",), ("浙江",), True),
        (("浙江",), ("嘉兴",), True),
        (("嘉兴",), ("湖州",), False),
        (("山东",), ("山西",), False),
        (("嘉兴", "上海"), ("上海",), True),
        (("嘉兴",), ("上海", "嘉兴"), True),
    ],
)
def test_a_rule_answers_for_its_places(asked: tuple[str, ...], own: tuple[str, ...], *, fits: bool) -> None:
    """The place itself, what lies in it and what it lies in; neighbours never."""
    document: Document = a_document("rule", places=own)
    assert eligible(document, asked, DAY) is fits


def day(written: str) -> dt.date:
    """2018-12-29."""
    return dt.date.fromisoformat(written)


def a_statute(name: str, title: str, first: str | None, last_article: str = "", **fields: object) -> Document:
    """A statute in force from `first` on; its only section is its last article."""
    section = Section((title, "第五条"), 0, len(last_article))
    told = {"kind": "statute", "title": title, "effective_from": day(first) if first else None, "sections": (section,)}
    return a_document(name, **(told | fields))


def last_days(*documents: Document, text: str = "") -> list[str | None]:
    """The last day of each, `text` being that of the last one."""
    texts = {documents[-1].id: text}
    found = bounded(documents, lambda i: texts.get(i, ""))
    assert [d.id for d in found] == [d.id for d in documents]
    return [str(d.effective_to) if d.effective_to else None for d in found]


def test_a_version_ends_on_the_day_before_the_next() -> None:
    """In whatever order they were ingested; the newest has no end, though it is not in force yet."""
    middle = a_statute("b", "护理补助法", "2018-05-06")
    first = a_statute("a", "护理补助法", "2010-07-01")
    newest = a_statute("c", "护理补助法", "2039-06-01")
    assert last_days(middle, first, newest) == ["2039-05-31", "2018-05-05", None]


@pytest.mark.parametrize(
    "title",
    [
        "中华人民共和国护理补助法",
        "护理补助法（2018年修正）",
        "护理补助法(2018-05-06)",
        "护理补助法〔2018修订〕",
        "《护理补助法》（修正本）",
        "护理补助法2018年修正版",
        "护理 补助法",
    ],
)
def test_versions_are_known_by_their_name(title: str) -> None:
    """The state's name, brackets with the version and spaces belong to no name."""
    assert last_days(a_statute("a", "护理补助法", "2010-07-01"), a_statute("b", title, "2018-05-06")) == [
        "2018-05-05",
        None,
    ]


@pytest.mark.parametrize(
    "other",
    [
        a_statute("b", "护理补助法实施细则", "2018-05-06"),
        a_statute("b", "护理补助法（试行）", "2018-05-06"),
        a_statute("b", "护理补助法", "2018-05-06", places=("嘉兴",)),
        a_statute("b", "护理补助法", "2018-05-06", origin=Origin("湖州市医疗保障局")),
        a_statute("b", "护理补助法", "2010-07-01"),
        a_statute("b", "护理补助法", None),
        a_document("b", title="护理补助法", effective_from=dt.date(2018, 5, 6)),
    ],
)
def test_what_is_no_later_version_ends_nothing(other: Document) -> None:
    """Another name, another place's statute, the same text once more, an undated text, an article about it."""
    assert last_days(a_statute("a", "护理补助法", "2010-07-01"), other) == [None, None]


def test_the_issuer_tells_statutes_of_one_name_apart_and_together() -> None:
    """Where a title names no place, that of the publisher counts."""
    one = a_statute("a", "护理补助办法", "2010-07-01", origin=Origin("湖州市医疗保障局"))
    two = a_statute("b", "护理补助办法", "2018-05-06", origin=Origin("湖州市人民政府"))
    assert last_days(one, two) == ["2018-05-05", None]


def test_an_end_of_its_own_stands_where_it_is_earlier() -> None:
    """Declared or read off the text; a later one gives way to the next version."""
    later = a_statute("b", "护理补助法", "2018-05-06")
    ends = [dt.date(2015, 12, 31), dt.date(2030, 12, 31)]
    found = [last_days(a_statute("a", "护理补助法", "2010-07-01", effective_to=end), later)[0] for end in ends]
    assert found == ["2015-12-31", "2018-05-05"]


def test_a_version_without_a_first_day_ends_the_other_when_it_was_published() -> None:
    """An amended text holds from its amendment on, as far as anybody knows."""
    later = a_statute("b", "护理补助法", None, published=dt.date(2018, 5, 6))
    assert last_days(a_statute("a", "护理补助法", "2010-07-01"), later) == ["2018-05-05", None]


def test_a_superseded_version_answers_for_its_own_time_once_that_is_known() -> None:
    """The next version says since when it is replaced."""
    old = a_statute("a", "护理补助法", "2010-07-01", superseded_by="b")
    (old, _) = bounded([old, a_statute("b", "护理补助法", "2018-05-06")], lambda _: "")
    assert eligible(old, (), day("2018-05-05"))
    assert not eligible(old, (), day("2018-05-06"))


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("本法自2018年5月6日起施行。《护理补助暂行办法》同时废止。", "2018-05-05"),
        ("本法自2018年5月6日起施行，《护理补助暂行办法》同时废止。", "2018-05-05"),
        ("1998年9月22日公布的《护理补助暂行办法》（令第3号，2001年修订）和《别的办法》同时废止。", "2018-05-05"),
        ("《别的办法》、《护理补助暂行办法》自本法施行之日起废止。", "2018-05-05"),
        ("本法自2012年1月1日起施行。《护理补助暂行办法》同时废止。", "2011-12-31"),
        ("《护理补助暂行办法》第九条同时废止。", None),
        ("依照《护理补助暂行办法》制定的规定同时废止。", None),
        ("依照《护理补助暂行办法》和本法，《别的办法》同时废止。", None),
        ("《护理补助暂行办法（试行）》同时废止。", None),
        ("《护理补助暂行办法》继续施行。", None),
    ],
)
def test_a_statute_ends_those_that_it_repeals_as_a_whole(text: str, ends: str | None) -> None:
    """By name, from the first day of the repealing statute, which an amended text still gives in its last article."""
    repealed = a_statute("a", "护理补助暂行办法", "2003-02-01")
    assert last_days(repealed, a_statute("b", "护理补助法", "2018-05-06", text), text=text) == [ends, None]


def test_a_repealed_statute_ends_though_nobody_knows_its_first_day() -> None:
    """It is named; versions of one name are put in order by their days alone."""
    text = "《护理补助暂行办法》同时废止。"
    repealed = a_statute("a", "护理补助暂行办法", None)
    assert last_days(repealed, a_statute("b", "护理补助法", "2018-05-06", text), text=text) == ["2018-05-05", None]


def test_a_city_does_not_repeal_the_statute_of_another() -> None:
    """Two cities may have a rule of one name."""
    text = "《护理补助暂行办法》同时废止。"
    own = a_statute("a", "护理补助暂行办法", "2003-02-01", places=("嘉兴",))
    other = a_statute("b", "护理补助暂行办法", "2003-02-01", places=("湖州",))
    repealing = a_statute("c", "护理补助办法", "2018-05-06", text, places=("嘉兴",))
    assert last_days(own, other, repealing, text=text) == ["2018-05-05", None, None]
