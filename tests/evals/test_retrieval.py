"""A foreign collection is read, indexed and ranked as the service ranks; its figures are those of the textbook."""

from __future__ import annotations

import datetime as dt
import json
import math
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from evals.cli import main
from evals.collection import MemoryIndex, Passage, Searchable, read_collection, searchable
from evals.retrieval import METRICS, SYSTEMS, Judged, figures, judge, over_collection, table
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.storage import MemoryStorage
from tests.fakes.tokenizer import CharacterTokenizer

TODAY = dt.date(2026, 11, 23)
PASSAGES = [
    {"id": "ningbo", "title": "宁波门诊报销比例", "text": "在职职工在三级医院看门诊，统筹基金支付70%。"},
    {"id": "hangzhou", "title": "杭州门诊报销比例", "text": "在职职工在三级医院看门诊，统筹基金支付76%。"},
    {"id": "nursing", "title": "长期护理保险", "text": "失能评估的结论在两年之内有效。"},
]
QUESTIONS = [
    {"id": "q1", "text": "宁波在职职工三级医院门诊报多少"},
    {"id": "q2", "text": "失能评估管几年", "note": "fields of other people's making are no harm"},
    {"id": "q3", "text": "没有判断的问题"},
]
JUDGED = [
    {"query_id": "q1", "doc_id": "ningbo", "score": 1},
    {"query_id": "q1", "doc_id": "hangzhou", "score": 0},
    {"query_id": "q2", "doc_id": "nursing", "score": 2},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A collection of three passages."""
    for name, rows in (("corpus", PASSAGES), ("queries", QUESTIONS), ("qrels", JUDGED)):
        write(tmp_path / f"{name}.jsonl", rows)
    return tmp_path


def write(file: Path, rows: list[dict[str, Any]]) -> None:
    """A line of JSON a row."""
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def an_index(folder: Path, *, embeds: bool = True) -> Searchable:
    """The folder's index with an embedder that is fast."""
    embedder = FakeEmbedder() if embeds else None
    return searchable(read_collection(folder), CharacterTokenizer(), embedder, MemoryStorage(), lambda *_: None)


def judged(folder: Path, *, embeds: bool = True) -> Judged:
    """All systems asked all questions of the folder."""
    return judge(over_collection(read_collection(folder), an_index(folder, embeds=embeds), TODAY, lambda *_: None))


def test_questions_without_a_relevant_passage_are_left_out(folder: Path) -> None:
    """There is nothing to find for them; a judgement of 0 is none."""
    found = read_collection(folder)
    assert [q.id for q in found.questions] == ["q1", "q2"]
    assert found.relevant == {"q1": {"ningbo": 1.0}, "q2": {"nursing": 2.0}}


@pytest.mark.parametrize(
    ("file", "rows", "told"),
    [
        ("corpus", [{"id": "a"}], r"corpus.jsonl:1: .*text"),
        ("corpus", [PASSAGES[0], PASSAGES[0]], "'ningbo' comes twice"),
        ("corpus", [], "nothing in it"),
        ("qrels", [{"query_id": "q1", "doc_id": "beijing", "score": 1}], r"qrels.jsonl:1: there is no 'beijing'"),
        ("qrels", [{"query_id": "q9", "doc_id": "ningbo", "score": 1}], r"qrels.jsonl:1: there is no 'q9'"),
        ("qrels", [], "nothing is relevant"),
    ],
)
def test_what_is_wrong_with_a_folder_is_named(folder: Path, file: str, rows: list[dict[str, Any]], told: str) -> None:
    """File and line, or the id."""
    write(folder / f"{file}.jsonl", rows)
    with pytest.raises(ValueError, match=told):
        read_collection(folder)


def test_a_missing_file_is_an_error_of_use(folder: Path) -> None:
    """No traceback on the command line."""
    (folder / "qrels.jsonl").unlink()
    result = CliRunner().invoke(main, ["retrieval", str(folder), "--work", str(folder / "work")])
    assert (result.exit_code, "qrels.jsonl" in result.output) == (2, True)


def test_long_passages_are_cut_and_count_once() -> None:
    """A passage is found by any of its chunks, and a title alone is a passage, too."""
    long = Passage("long", "\n".join(f"有{n}项规定的内容各不相同。" for n in range(200)), "长文")
    index = MemoryIndex([long, Passage("bare", "", "只有标题")], CharacterTokenizer())
    assert len([c for c in index.chunks if c.document_id == "long"]) > 1
    assert [c.document_id for c in index.chunks][-1] == "bare"


def test_figures_are_those_of_the_textbook() -> None:
    """Two relevant passages, on ranks 2 and 4."""
    found = figures(["a", "b", "c", "d"], {"b": 1.0, "d": 2.0})
    best = 2 / math.log2(2) + 1 / math.log2(3)
    assert found == {
        "hit@1": 0.0,
        "hit@5": 1.0,
        "hit@10": 1.0,
        "recall@10": 1.0,
        "mrr@10": 0.5,
        "ndcg@10": pytest.approx((1 / math.log2(3) + 2 / math.log2(5)) / best),
    }


def test_nothing_found_is_zero() -> None:
    """And not an error."""
    assert set(figures([], {"a": 1.0}).values()) == {0.0}


def test_another_city_is_not_in_the_service_s_ranking(folder: Path) -> None:
    """Who asks for 宁波 does not get 杭州, however alike the words are."""
    ranking = {
        s: found
        for _, systems, _ in over_collection(read_collection(folder), an_index(folder), TODAY, lambda *_: None)
        for s, found in systems.items()
        if "ningbo" in found[:1]
    }
    assert ranking["service"][0] == "ningbo"
    assert "hangzhou" not in ranking["service"]
    assert "hangzhou" in ranking["bm25"]


def test_the_printed_object_has_the_shape_of_the_contract(folder: Path) -> None:
    """Four systems with six figures each, and how many questions."""
    told = judged(folder).as_json()
    assert told.keys() == {*SYSTEMS, "queries"}
    assert told["queries"] == 2
    for system in SYSTEMS:
        assert tuple(told[system]) == METRICS  # type: ignore[arg-type]


def test_without_an_embedder_words_alone_are_compared(folder: Path) -> None:
    """What needs vectors is null, and the table does without it."""
    found = judged(folder, embeds=False)
    told = found.as_json()
    assert (told["dense"], told["rrf"]) == (None, None)
    assert "dense" not in table(found)
    assert "service - bm25" in table(found)


def test_a_lead_comes_with_its_interval(folder: Path) -> None:
    """Over the better part and over the usual fusion."""
    text = table(judged(folder))
    assert text.startswith("2 questions")
    assert "service - rrf" in text
