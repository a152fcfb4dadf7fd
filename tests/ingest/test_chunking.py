"""Documents to chunks and evidence units within a token budget."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from rag.adapters.tiktoken import TiktokenTokenizer
from rag.ingest.chunking import TOKEN_BUDGET, Cut, cut
from rag.ingest.documents import documents
from rag.ingest.reading import SourceText
from rag.text import sentence_spans

SENTENCE = "参保人到外地住院之前应当先在参保地的窗口办理备案手续并带齐材料。"


@pytest.fixture
def cut_text(tokenizer: TiktokenTokenizer) -> Callable[[str], Cut]:
    """Cuts the one document of a text, with the real tokenizer."""

    def _cut(text: str) -> Cut:
        (parsed,) = documents(SourceText(path="a.txt", source="a.txt", text=text), "a")
        return cut(parsed.document, text, parsed.parts, tokenizer)

    return _cut


@pytest.fixture
def long_text() -> str:
    """One section of forty paragraphs, far beyond the budget."""
    return "# 住院\n\n## 备案\n\n" + "\n\n".join(f"第{n}种情形：{SENTENCE}" for n in range(40)) + "\n"


def test_a_short_section_is_one_chunk_with_its_heading(cut_text: Callable[[str], Cut]) -> None:
    """What is found shows what it is about; sections are never mixed."""
    found = cut_text("# 住院\n\n## 备案\n\n甲。乙。\n\n## 报销\n\n丙。\n")
    assert [(c.text, c.title_path) for c in found.chunks] == [
        ("备案\n\n甲。乙。", ("住院", "备案")),
        ("报销\n\n丙。", ("住院", "报销")),
    ]


def test_no_chunk_of_several_paragraphs_exceeds_the_budget(
    cut_text: Callable[[str], Cut], long_text: str, tokenizer: TiktokenTokenizer
) -> None:
    """Counted over the chunk's whole text, heading and line breaks included."""
    found = cut_text(long_text)
    assert len(found.chunks) > 1
    assert max(tokenizer.count(c.text) for c in found.chunks) <= TOKEN_BUDGET


def test_a_heading_counts_towards_the_budget(cut_text: Callable[[str], Cut], tokenizer: TiktokenTokenizer) -> None:
    """Paragraphs that just fill the budget leave no room for a heading above them."""
    paragraphs = [SENTENCE]
    while tokenizer.count(SENTENCE) * (len(paragraphs) + 1) <= TOKEN_BUDGET:
        paragraphs.append(SENTENCE)
    found = cut_text(
        "# 住院\n\n## 到外地住院之前需要办理备案手续的人员以及各自应当带齐的材料\n\n" + "\n\n".join(paragraphs) + "\n"
    )
    assert max(tokenizer.count(c.text) for c in found.chunks) <= TOKEN_BUDGET


def test_chunks_are_filled_before_the_next_begins(
    cut_text: Callable[[str], Cut], long_text: str, tokenizer: TiktokenTokenizer
) -> None:
    """Any two neighbours of one section together exceed the budget."""
    sizes = [tokenizer.count(c.text) for c in cut_text(long_text).chunks]
    assert all(a + b > TOKEN_BUDGET for a, b in pairwise(sizes))


def test_no_sentence_is_cut_by_a_chunk(cut_text: Callable[[str], Cut], long_text: str) -> None:
    """Each sentence of the text lies wholly in exactly one chunk."""
    found = cut_text(long_text)
    start = long_text.index("第0种")
    for sentence in sentence_spans(long_text, start, len(long_text)):
        assert sum(c.span.contains(sentence) for c in found.chunks) == 1


def test_a_table_longer_than_the_budget_is_not_cut_inside_a_row(cut_text: Callable[[str], Cut]) -> None:
    """Whatever chunk a row is in holds all of it, and its unit shows the header."""
    rows = [f"| 医院{n} | {SENTENCE}{SENTENCE} | {n}% |" for n in range(30)]
    found = cut_text("# 比例\n\n| 医院 | 条件 | 比例 |\n|---|---|---|\n" + "\n".join(rows) + "\n")
    assert all(sum(row in c.text for c in found.chunks) == 1 for row in rows)
    assert [u.text for u in found.units if u.kind == "row"] == [f"| 医院 | 条件 | 比例 |\n{row}" for row in rows]


def test_a_list_stays_with_its_lead_in(cut_text: Callable[[str], Cut]) -> None:
    """Items far down a list are not torn from what announces them."""
    body = "\n\n".join([SENTENCE] * 12) + "\n\n材料如下：\n\n" + "\n".join(f"- 材料{n}。" for n in range(9))
    found = cut_text(f"# 住院\n\n{body}\n")
    assert [("材料如下" in c.text, "材料8" in c.text) for c in found.chunks][-1] == (True, True)


def test_a_sentence_longer_than_the_budget_stays_whole(
    cut_text: Callable[[str], Cut], tokenizer: TiktokenTokenizer
) -> None:
    """A proof is never cut for want of room."""
    sentence = SENTENCE[:-1] * 20 + "。"
    assert tokenizer.count(sentence) > TOKEN_BUDGET
    assert [c.text for c in cut_text(f"# 住院\n\n先备案。\n\n{sentence}\n\n后结算。\n").chunks] == [
        "住院\n\n先备案。",
        sentence,
        "后结算。",
    ]


def test_ids_count_up_through_the_document(cut_text: Callable[[str], Cut]) -> None:
    """Chunks and units name their document and each other; children name their parent by id."""
    found = cut_text("# 住院\n\n甲。\n\n## 材料\n\n如下：\n\n- 乙。\n- 丙。\n")
    assert [(c.id, c.units) for c in found.chunks] == [
        ("a#c0", ("a#u0",)),
        ("a#c1", ("a#u1", "a#u2", "a#u3")),
    ]
    assert [(u.id, u.chunk_id, u.parent) for u in found.units][1:] == [
        ("a#u1", "a#c1", None),
        ("a#u2", "a#c1", "a#u1"),
        ("a#u3", "a#c1", "a#u1"),
    ]


def test_the_text_of_a_unit_is_its_spans_squeezed(cut_text: Callable[[str], Cut]) -> None:
    """Lead-in first, one line a span."""
    found = cut_text("# 住院\n\n材料  如下：\n\n- 身份证\u3000原件。\n- 发票。\n")
    assert found.units[1].text == "材料 如下：\n身份证 原件。"


def test_cutting_twice_gives_the_same(cut_text: Callable[[str], Cut], long_text: str) -> None:
    """Ids depend on the text alone, so vectors can be reused."""
    assert cut_text(long_text) == cut_text(long_text)


def test_a_long_paragraph_is_cut_between_its_sentences(
    cut_text: Callable[[str], Cut], tokenizer: TiktokenTokenizer
) -> None:
    """Nothing is lost, no chunk is too long, and the sentences are the same units as in short paragraphs."""
    text = "".join(f"第{n}种情形的人员，{SENTENCE}" for n in range(80))
    found = cut_text(text)
    assert len(found.chunks) > 1
    assert max(tokenizer.count(c.text) for c in found.chunks) <= TOKEN_BUDGET
    assert "".join(c.text for c in found.chunks) == text
    assert [u.text for u in found.units] == [f"第{n}种情形的人员，{SENTENCE}" for n in range(80)]


def test_a_long_table_is_cut_between_its_rows(cut_text: Callable[[str], Cut], tokenizer: TiktokenTokenizer) -> None:
    """Every row keeps its header, wherever it lands."""
    rows = "\n".join(f"| 第{n}项治疗 | {n}% |" for n in range(90))
    found = cut_text(f"# 目录\n\n## 比例\n\n| 项目 | 比例 |\n| --- | --- |\n{rows}\n")
    assert max(tokenizer.count(c.text) for c in found.chunks) <= TOKEN_BUDGET
    lines = [u for u in found.units if u.kind == "row"]
    assert len(lines) == 90
    assert all(u.text.startswith("| 项目 | 比例 |\n") for u in lines)
