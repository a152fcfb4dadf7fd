"""Which documents are reprints of which: one text is one document, two rules are never one."""

from __future__ import annotations

import datetime as dt
import itertools
import time
from collections.abc import Mapping

import pytest

from rag.domain import Reprint
from rag.ingest.chunking import cut
from rag.ingest.documents import documents
from rag.ingest.duplicates import Edition, collate, editions, reprints, whole
from rag.ingest.reading import SourceText
from rag.ports import SourceRecord
from tests.fakes.tokenizer import CharacterTokenizer
from tests.making import a_document

TITLE = "异地安置人员怎么办理住院备案"
BODY = """长期在外地居住的参保人员，可以在参保地办理备案，办好之后在当地住院直接结算。

备案要交身份证、居住证明，经办窗口当场办结；也可以在手机上提交照片，一般两天之内审核完毕。

三级医院的起付标准为1,200元，统筹基金支付85%，一年之内第二次住院的起付标准减半。

备案自办理之日起长期有效，2024年7月1日以前办理的不用重新提交材料。

回到宁波就医的，不需要取消备案，待遇与没有备案的时候相同。"""


def _record(name: str, body: str = BODY, title: str = TITLE, path: str = "", **declared: object) -> SourceRecord:
    text = f"# {title}\n\n{body}\n"
    source = path or f"{name}.md"
    return _cut(SourceText(path=f"/in/{name}.md", source=source, text=text, declared={"id": name} | declared), name)


def _page_record(name: str, text: str) -> SourceRecord:
    return _cut(SourceText(path=f"/in/{name}.txt", source=f"{name}.txt", text=text), name)


def _cut(source: SourceText, name: str) -> SourceRecord:
    found = documents(source, name)
    cuts = [cut(parsed.document, source.text, parsed.parts, CharacterTokenizer()) for parsed in found]
    return SourceRecord(
        source.path,
        f"digest-{name}",
        source.text,
        tuple(parsed.document for parsed in found),
        tuple(chunk for one in cuts for chunk in one.chunks),
        tuple(unit for one in cuts for unit in one.units),
    )


def _editions(*records: SourceRecord) -> list[Edition]:
    return [edition for record in records for edition in editions(record)]


def _found(*records: SourceRecord) -> dict[str, str]:
    return reprints(_editions(*records))


def test_the_same_text_on_two_pages_is_one_document() -> None:
    """One stays, and stands for the other."""
    assert _found(_record("a"), _record("b")) == {"b": "a"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("，", ","),
        ("；", "。"),
        ("、", "，"),
        ("1,200元", "1200元"),
        ("85%", "85％"),
        ("\n\n", "\n"),
        ("长期在外地", "（来源：甬江晚报 2024-03-05）长期在外地"),
        ("长期在外地", "甬江晚报讯（记者 王某）长期在外地"),
        ("长期在外地", "新华社北京6月3日电（记者 王某）长期在外地"),
        ("长期在外地", "2024-03-05 08:30 长期在外地"),
        ("长期在外地", "记者从市里获悉，长期在外地"),
        ("备案要交", "更多内容见本公众号。\n\n备案要交"),
        ("相同。", "相同。\n\n责任编辑：小康"),
        ("相同。", "相同。\n\n转载请联系本站。"),
        ("相同。", "相同。希望对大家有帮助。"),
        ("\n\n回到宁波就医的，不需要取消备案，待遇与没有备案的时候相同。", ""),
        ("待遇与没有备案的时候相同。", "待遇与没有……"),
    ],
)
def test_what_reprinting_does_to_a_text_leaves_it_the_same(old: str, new: str) -> None:
    """Width, punctuation, a note of origin, a word of the editors, and an end that is cut off make no other text."""
    assert old in BODY
    first, again = _record("a", published="2024-01-02"), _record("b", BODY.replace(old, new), published="2024-03-04")
    assert _found(first, again) == {"b": "a"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1,200元", "1,300元"),
        ("1,200元", "1,200万元"),
        ("85%", "8.5%"),
        ("85%", "80%"),
        ("两天", "三天"),
        ("2024年7月1日", "2024年8月1日"),
        ("宁波", "绍兴"),
        ("长期在外地", "7月1日起，长期在外地"),
        ("三级医院", "二级医院"),
        ("住院直接结算", "门诊直接结算"),
        ("不需要取消备案", "需要取消备案"),
        ("起付标准减半", "起付标准不减半"),
        ("一年之内第二次住院的起付标准减半。", ""),
        ("；也可以在手机上提交照片，一般两天之内审核完毕", ""),
        ("待遇与没有备案的时候相同。", "待遇与没有备案的时候相同，急诊除外。"),
        ("待遇与没有备案的时候相同。", "待遇与没有备案的时候相同。个人先付10%。"),
        ("待遇与没有备案的时候相同。", "待遇比没有备案的时候要高。"),
        ("经办窗口当场办结", "经办窗口次日办结"),
        ("长期在外地", "来源：个人缴费300元。长期在外地"),
    ],
)
def test_texts_that_say_something_else_are_never_one(old: str, new: str) -> None:
    """However alike the rest: a figure, a day, a place, whom it concerns or whether it holds makes two rules."""
    assert old in BODY
    assert _found(_record("a"), _record("b", BODY.replace(old, new))) == {}


@pytest.mark.parametrize(
    "told",
    [
        {"places": ["绍兴"]},
        {"insured_types": ["居民"]},
        {"effective_from": "2024-01-01"},
        {"effective_to": "2025-12-31"},
        {"superseded_by": "c"},
        {"title": "宁波异地安置人员怎么办理住院备案"},
        {"title": "2025年异地安置人员怎么办理住院备案"},
        {"title": "异地安置人员怎么办理门诊备案"},
    ],
)
def test_a_text_for_another_place_time_or_person_is_another_rule(told: Mapping[str, object]) -> None:
    """The words may be the same: whom, where and when they hold for, and what their title names, is not."""
    assert _found(_record("a"), _record("b", **told)) == {}


def test_two_cities_that_say_this_city_do_not_say_the_same() -> None:
    """本市 of one public body is not 本市 of another."""
    one = _record("a", authority="official", publisher="宁波市医疗保障局")
    other = _record("b", authority="official", publisher="绍兴市医疗保障局")
    assert _found(one, other) == {}


def test_a_short_text_is_one_with_another_under_the_same_title_only() -> None:
    """What is asked is half of a short answer."""
    one = _record("a", "可以直接结算，不用备案。", "药店买药怎么结算")
    other = _record("b", "可以直接结算，不用备案。", "药店买器械怎么结算")
    assert _found(one, other) == {}
    assert _found(one, _record("c", "可以直接结算，不用备案。", "药店买药怎么结算")) == {"c": "a"}


def test_an_excerpt_is_one_with_its_equal_only() -> None:
    """A teaser that breaks off is no reprint of the article, for it is dated on its own."""
    teaser = BODY.rsplit("\n\n", 1)[0]
    assert _found(_record("a"), _record("b", teaser, kind="excerpt")) == {}
    assert _found(_record("b", teaser, kind="excerpt"), _record("c", teaser, kind="excerpt")) == {"c": "b"}


@pytest.mark.parametrize(
    ("first", "second", "stays"),
    [
        ({"published": "2024-01-01"}, {"authority": "official"}, "b"),
        ({"kind": "excerpt", "published": "2024-01-01"}, {}, "b"),
        ({}, {"published": "2024-01-01"}, "b"),
        ({"published": "2024-05-01"}, {"published": "2024-01-01"}, "b"),
        ({"published": "2024-01-01"}, {"published": "2024-01-01"}, "a"),
    ],
)
def test_the_best_of_several_sources_stays(first: dict[str, str], second: dict[str, str], stays: str) -> None:
    """Official before third-party, article before excerpt, the earlier, and for want of these the first name."""
    found = _found(_record("a", **first), _record("b", **second))
    assert set(found.values()) == {stays}


def test_what_is_whole_stays_rather_than_what_is_cut() -> None:
    """Also when the cut one was published before: nothing that is said may be lost."""
    whole, part = _record("a", published="2024-05-01"), _record("b", BODY[:-20], published="2024-01-01")
    assert _found(whole, part) == {"b": "a"}


def test_a_short_beginning_is_no_reprint_of_a_long_text() -> None:
    """A page of one question and a page of many are not one."""
    other = "\n\n".join(f"第{n}种情形由经办机构核实以后办理，结果在{n}天之内告知本人。" for n in range(10, 20))
    assert _found(_record("a"), _record("b", f"{BODY}\n\n{other}")) == {}


def test_nothing_official_gives_way_to_what_is_not() -> None:
    """An official text that is cut stays beside a whole one of others."""
    assert _found(_record("a"), _record("b", BODY[:-20], authority="official")) == {}


def test_the_order_of_files_plays_no_part() -> None:
    """Every order of five files gives the same reprints of the same originals."""
    found = _editions(
        _record("a", published="2024-05-01"),
        _record("b", BODY[:-20], published="2024-01-01"),
        _record("c", published="2024-02-01", authority="official"),
        _record("d", BODY.replace("85%", "80%")),
        _record("e", BODY.replace("，", ","), published="2023-12-31"),
    )
    assert {tuple(sorted(reprints(order).items())) for order in itertools.permutations(found)} == {
        (("a", "c"), ("b", "c"), ("e", "c"))
    }


def test_without_the_original_a_reprint_stands_for_itself() -> None:
    """Nothing is remembered of a text that is gone."""
    official, copy, third = _record("a", authority="official"), _record("b", published="2024-01-01"), _record("c")
    assert _found(official, copy, third) == {"b": "a", "c": "a"}
    assert _found(copy, third) == {"c": "b"}
    assert _found(third) == {}


def test_the_document_that_stays_names_all_its_sources() -> None:
    """In order of their days, with publisher and address."""
    kept = _record("a", authority="official")
    late = _record("b", publisher="甬江晚报", published="2024-05-01", url="https://news.example/b")
    early = _record("c", publisher="康安网", published="2024-02-01", path="portal/c.html")
    record = collate([late, kept, early]).indexed(kept)
    assert record.documents[0].also_at == (
        Reprint("portal/c.html", "康安网", None, dt.date(2024, 2, 1)),
        Reprint("b.md", "甬江晚报", "https://news.example/b", dt.date(2024, 5, 1)),
    )
    assert (record.chunks, record.units) == (kept.chunks, kept.units)


def test_a_reprint_is_set_aside_whole() -> None:
    """Nothing of it is indexed, and nothing of it is lost."""
    kept, copy = _record("a", published="2024-01-01"), _record("b")
    found = collate([kept, copy])
    left = found.indexed(copy)
    assert (left.documents, left.chunks, left.units, left.text) == ((), (), (), copy.text)
    assert found.set_aside(copy) == copy
    assert found.set_aside(kept).documents == ()


def test_the_parts_of_a_record_make_it_whole_again() -> None:
    """In their order, and without the sources that another collation will find."""
    teaser = "药店买药怎么结算\n\n药店扫码结算，个人账户的余额不足的，用现金补足。\n\n康安网 2024-01-03\n"
    more = "急诊怎么结算\n\n急诊凭医保码结算，出院的时候一并算清。\n\n康安网 2024-01-04\n"
    records = [
        _page_record("a", f"住院备案怎么办\n\n住院备案在窗口办理，当场办结。\n\n相关推荐\n\n{teaser}\n{more}"),
        _page_record("b", f"生育津贴怎么领\n\n生育津贴由单位申领，按月发放。\n\n相关推荐\n\n{teaser}"),
        _page_record("c", f"配镜能不能报\n\n配镜不在支付的范围之内。\n\n相关推荐\n\n{teaser}\n{more}"),
    ]
    found = collate(records)
    assert dict(found.stands_for) == {"b~1": "a~1", "c~1": "a~1", "c~2": "a~2"}
    assert [[d.id for d in found.indexed(r).documents] for r in records] == [["a", "a~1", "a~2"], ["b"], ["c"]]
    assert [whole(found.indexed(r), found.set_aside(r)) for r in records] == records


def test_collating_again_or_bit_by_bit_changes_nothing() -> None:
    """What an index kept of the first time is as good as the files themselves, whatever comes later."""
    records = [_record("a", published="2024-05-01"), _record("b", published="2024-01-01"), _record("c", BODY[:-20])]
    first = collate(records[:2])
    kept = [whole(first.indexed(r), first.set_aside(r)) for r in records[:2]]
    again = collate([records[2], *kept])
    assert [again.indexed(r) for r in [*kept, records[2]]] == [collate(records).indexed(r) for r in records]
    assert again.indexed(kept[1]).documents[0].also_at != first.indexed(kept[1]).documents[0].also_at


def test_ten_thousand_texts_are_collated_in_seconds() -> None:
    """Half of them copies; a text is compared with the few that share its words, not with all."""
    body = "第{n}类人员的待遇由经办机构按照{n}号标准核定，核定之后的第{n}天发放到本人的账户，不另行通知，也不收取费用。"
    editions_ = [
        Edition(
            a_document(f"{copy}{n:04}", title=f"第{n}类人员"),
            tuple(body.format(n=n).split("，")),
            frozenset({0}),
            broken=False,
        )
        for n in range(5_000)
        for copy in "ab"
    ]
    began = time.perf_counter()
    assert reprints(editions_) == {f"b{n:04}": f"a{n:04}" for n in range(5_000)}
    assert time.perf_counter() - began < 30
