"""A text that the question names is among the cited sources, or the answer says that it is not."""

from __future__ import annotations

import pytest

from rag.answer.references import asks_of_unseen, unseen_reference
from rag.domain import Citation, Document, EvidenceUnit, Origin
from tests.making import a_document, a_unit


def a_citation(title: str, quote: str, section: str = "") -> Citation:
    """A citation that shows so much."""
    return Citation(
        marker=1,
        document_id="a",
        document_title=title,
        section=section or title,
        source="a.md",
        origin=Origin("测试"),
        kind="article",
        published=None,
        effective_from=None,
        effective_to=None,
        places=(),
        quote=quote,
        spans=(),
    )


@pytest.mark.parametrize(
    "question",
    [
        "《甬城护理补贴办法》说每天补多少？",
        "甬护发〔2031〕5号把补贴提到多少了？",
        "护理补贴条例第九十九条写的是不是每天10元？",
        "根据浙江省护理补贴条例，每天补多少？",
        "《护理补贴条例》和《陪护费细则》是怎么说的？",
    ],
)
def test_what_no_cited_source_names_is_unseen(question: str) -> None:
    """By title, by number, by article; one of two is enough."""
    cited = a_citation("护理补贴条例", "依据甬护发〔2022〕5号，护理补贴每天5元。", "护理补贴条例 / 第九条")
    assert unseen_reference(question, [cited])


@pytest.mark.parametrize(
    "question",
    [
        "护理补贴每天多少？",
        "《护理补贴条例》说每天补多少？",
        "甬护发[2022]5号说的补贴是多少？",
        "护理补贴条例第9条是怎么说的？",
        "听说甬护发〔2022〕5号改了，每天补多少？",
        "按照报销办法，护理补贴每天多少？",
        "按甬护发〔2022〕5号和《护理补贴 条例》第九条，每天补多少？",
    ],
)
def test_what_a_cited_source_is_or_names_is_seen(question: str) -> None:
    """However its number is written; a question that names no text has nothing to be seen."""
    other = a_citation("别的文章", "补贴按月发放。")
    cited = a_citation("护理补贴条例", "依据甬护发〔2022〕5号，护理补贴每天5元。", "护理补贴条例 / 第九条")
    assert not unseen_reference(question, [other, cited])


def told_by(title: str, text: str) -> tuple[list[EvidenceUnit], dict[str, Document]]:
    """A unit and its document."""
    unit = a_unit("a#u0", text, title_path=(title,))
    return [unit], {unit.document_id: a_document(unit.document_id, title=title)}


@pytest.mark.parametrize(
    "question",
    [
        "《甬城护理补贴办法》规定每天补多少？",
        "按甬护发〔2031〕5号，护理补贴每天多少",
        "护理补贴条例第九十九条，每天能补几块",
        "根据浙江省护理补贴条例，每天补多少？",
        "《甬城护理补贴办法》第三条列了哪些人",
        "《甬城护理补贴办法》第三条规定了什么",
    ],
)
def test_who_asks_what_a_text_says_that_is_not_here_asks_of_unseen(question: str) -> None:
    """By title, number, article or bare name."""
    assert asks_of_unseen(question, *told_by("护理补贴条例", "依据甬护发〔2022〕5号，护理补贴每天5元。"))


@pytest.mark.parametrize(
    "question",
    [
        "护理补贴每天多少？",
        "《护理补贴条例》规定每天补多少？",
        "按甬护发〔2022〕5号，护理补贴每天多少？",
        "《甬城护理补贴办法》是不是说每天补10元？",
        "《甬城护理补贴办法》规定每天补10元，是真的吗？",
    ],
)
def test_who_asks_of_the_thing_does_not(question: str) -> None:
    """What is to be confirmed, others may answer; what is here is seen."""
    assert not asks_of_unseen(question, *told_by("护理补贴条例", "依据甬护发〔2022〕5号，护理补贴每天5元。"))


def test_without_any_unit_every_text_is_unseen() -> None:
    """Nothing found mentions nothing."""
    assert asks_of_unseen("《护理补贴条例》规定每天补多少？", [], {})
    assert not asks_of_unseen("护理补贴每天多少？", [], {})
