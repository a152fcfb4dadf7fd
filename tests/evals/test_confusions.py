"""What came first among near-identical rules is judged by the passage, and by the sentence, row or table in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from evals import confusions
from evals.confusions import Confusion, Found, Quote, as_gold, ask, load, table
from evals.dataset import resolve
from evals.library import NoBudget, read_library
from rag.adapters.tiktoken import TiktokenTokenizer
from rag.indexing import Indexer
from rag.searching import Searcher
from rag.snapshots import SnapshotStore
from rag.wiring import LocalStorage

TODAY = dt.date(2026, 11, 23)
CORPUS = confusions.FOLDER / "corpus"

ACTIVE = Quote("ningbo-employee-outpatient", "在职职工普通门诊的年度起付标准为700元。")
RETIRED = Quote("ningbo-employee-outpatient", "退休人员普通门诊的年度起付标准为400元。")
PHARMACY = Quote("ningbo-employee-outpatient", "持定点医院的外配处方到定点药店购药，统筹基金支付73%。")
ELSEWHERE = Quote("zhoushan-employee-outpatient", "在职职工普通门诊的年度起付标准为650元。")
OLD = Quote("hefei-resident-2024", "成年居民参加居民医保，个人缴费标准为每年380元。")
NEW = Quote("hefei-resident-2025", "成年居民参加居民医保，个人缴费标准为每年400元。")
ROW = Quote("ningbo-employee-outpatient", "| 在职职工 | 三级医院 | 63% |")
OTHER_ROWS = (
    Quote("ningbo-employee-outpatient", "| 在职职工 | 二级医院 | 74% |"),
    Quote("ningbo-employee-outpatient", "| 退休人员 | 三级医院 | 69% |"),
)

# What stands in the table and in sentences after it, too.
REPEATED = Quote("ningbo-employee-outpatient", "在职职工")

DEDUCTIBLE = "宁波在职职工普通门诊的年度起付标准是多少？"
RATIO = "宁波在职职工在三级医院看普通门诊，统筹基金支付多少？"
RATIOS = "宁波职工普通门诊各级医院的统筹基金支付比例分别是多少？"
CONTRIBUTION = "合肥成年居民参加居民医保，个人缴费标准是每年多少？"


def open_search(folder: Path, documents: Path, tokenizer: TiktokenTokenizer) -> Searcher:
    """The search of some documents by words alone."""
    storage = LocalStorage(folder, None)
    store = SnapshotStore(folder, storage)
    Indexer(store, storage, tokenizer, None, lambda _: None, lambda *_: None).ingest([documents])
    return Searcher(store.open_current(), None)


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory, tokenizer: TiktokenTokenizer) -> Iterator[Searcher]:
    """The near-identical rules."""
    made = open_search(tmp_path_factory.mktemp("near"), CORPUS, tokenizer)
    yield made
    made.snapshot.close()


def a_confusion(question: str, right: Quote, *wrong: Quote, as_of: dt.date | None = None) -> Confusion:
    """A question with the rule that answers and those that look like it."""
    return Confusion("near-x", "dev", question, "region", as_of, right, wrong)


def found(searcher: Searcher, one: Confusion) -> tuple[bool, bool, bool]:
    """Whether the passage is right, the rule, and the rule where it is told apart."""
    (judged,) = ask(searcher, [one], TODAY, lambda *_: None)
    return judged.first_passage, judged.first_rule, judged.first_rule_strict


def test_the_rule_of_the_place_asked_for_is_right(searcher: Searcher) -> None:
    """Its passage is first, and its sentence in it."""
    assert found(searcher, a_confusion(DEDUCTIBLE, ACTIVE, ELSEWHERE, RETIRED)) == (True, True, True)


def test_the_same_rule_of_another_place_is_wrong(searcher: Searcher) -> None:
    """What is right for one question is not right because it stands first."""
    assert found(searcher, a_confusion(DEDUCTIBLE, ELSEWHERE, ACTIVE)) == (False, False, False)


def test_a_wrong_rule_before_the_right_one_in_its_passage_is_wrong(searcher: Searcher) -> None:
    """The passage holds both; what is quoted from it is decided by the first of the two sentences."""
    assert found(searcher, a_confusion(DEDUCTIBLE, RETIRED, ACTIVE)) == (True, False, False)


def test_another_section_of_the_right_document_is_not_the_passage(searcher: Searcher) -> None:
    """The first passage has to hold the rule itself; the rule may still be the first of those that are compared."""
    assert found(searcher, a_confusion(DEDUCTIBLE, PHARMACY, ELSEWHERE)) == (False, True, True)


def test_a_table_with_right_and_wrong_rows_is_right_but_not_strictly(searcher: Searcher) -> None:
    """Who is shown the whole table is shown the right row; that the search knew which one it is remains to be seen."""
    assert found(searcher, a_confusion(RATIOS, ROW, *OTHER_ROWS)) == (True, True, False)


def test_a_row_that_the_question_singles_out_is_right_strictly(searcher: Searcher) -> None:
    """Of the table only what is asked for is shown."""
    assert found(searcher, a_confusion(RATIO, ROW, *OTHER_ROWS)) == (True, True, True)


@pytest.mark.parametrize(("right", "wrong", "strict"), [(REPEATED, ROW, True), (ROW, REPEATED, False)])
def test_strictly_a_table_with_both_is_passed_over(
    searcher: Searcher, right: Quote, wrong: Quote, *, strict: bool
) -> None:
    """What decides is the next unit, which holds one of the two."""
    assert found(searcher, a_confusion(RATIO, right, wrong)) == (True, True, strict)


def test_what_no_passage_holds_is_not_found(searcher: Searcher) -> None:
    """Neither the right rule nor a wrong one is there to be first."""
    absent = Quote(ACTIVE.document, "在职职工普通门诊的年度起付标准为1元。")
    assert found(searcher, a_confusion(DEDUCTIBLE, absent, ELSEWHERE)) == (False, False, False)


def test_the_words_of_a_rule_in_another_document_do_not_count(searcher: Searcher) -> None:
    """A rule is where it stands, and not what it says."""
    borrowed = Quote(ELSEWHERE.document, ACTIVE.quote)
    assert found(searcher, a_confusion(DEDUCTIBLE, borrowed)) == (False, False, False)


@pytest.mark.parametrize(
    ("question", "as_of", "right", "wrong"),
    [
        (CONTRIBUTION, None, NEW, OLD),
        (CONTRIBUTION, dt.date(2024, 6, 15), OLD, NEW),
        (f"2024年的时候，{CONTRIBUTION}", None, OLD, NEW),
        (f"2024年的时候，{CONTRIBUTION}", dt.date(2025, 6, 15), NEW, OLD),
    ],
    ids=["today", "date", "words", "date before words"],
)
def test_a_question_is_asked_as_of_its_date(
    searcher: Searcher, question: str, as_of: dt.date | None, right: Quote, wrong: Quote
) -> None:
    """The date beside it, else the one in its words, else today."""
    assert found(searcher, a_confusion(question, right, wrong, as_of=as_of)) == (True, True, True)


def test_every_question_is_told_of_in_order(searcher: Searcher) -> None:
    """With its id, kind and words; progress ends at the number of questions."""
    asked = [one for one in load() if one.split == "dev"]
    told: list[tuple[int, int]] = []
    judged = list(ask(searcher, asked, TODAY, lambda _, done, total: told.append((done, total))))
    assert [(f.id, f.kind, f.question) for f in judged] == [(one.id, one.kind, one.question) for one in asked]
    assert told == [(n, len(asked)) for n in range(1, len(asked) + 1)]


def test_nothing_in_force_is_nothing_found(tmp_path: Path, tokenizer: TiktokenTokenizer) -> None:
    """Before the first rule there was none."""
    early = a_confusion(CONTRIBUTION, OLD, NEW, as_of=dt.date(2023, 12, 31))
    made = open_search(tmp_path, CORPUS / f"{OLD.document}.md", tokenizer)
    assert found(made, early) == (False, False, False)
    made.snapshot.close()


def test_a_table_has_a_share_a_kind_and_one_of_all() -> None:
    """A right one has both passage and rule; what is only counted beside it does not make it wrong."""
    shown = table(
        [
            Found("near-1", "year", "甲？", first_passage=True, first_rule=True, first_rule_strict=False),
            Found("near-2", "region", "乙？", first_passage=True, first_rule=False, first_rule_strict=False),
            Found("near-3", "region", "丙？", first_passage=False, first_rule=True, first_rule_strict=True),
            Found("near-4", "region", "丁？", first_passage=True, first_rule=True, first_rule_strict=True),
        ]
    )
    assert shown.splitlines()[:3] == [
        "region     0.333 [0.061, 0.792] (n=3), passage first 0.667, rule first 0.667, strictly 0.667",
        "year       1.000 [0.207, 1.000] (n=1), passage first 1.000, rule first 1.000, strictly 0.000",
        "all        0.500 [0.150, 0.850] (n=4), passage first 0.750, rule first 0.750, strictly 0.500",
    ]


def test_a_table_names_what_it_counts_and_what_went_wrong() -> None:
    """Each figure has its meaning below; of the questions only the wrong ones are listed."""
    right = Found("near-1", "year", "甲？", first_passage=True, first_rule=True, first_rule_strict=False)
    wrong = Found("near-2", "region", "乙？", first_passage=True, first_rule=False, first_rule_strict=False)
    below = table([right, wrong]).splitlines()[3:]
    assert [line.split(":")[0] for line in below[:-1]] == [
        "the share and its 95 % interval",
        "passage first",
        "rule first",
        "strictly",
    ]
    assert below[-1] == "  near-2 region: 乙？"


def test_a_question_teaches_with_its_right_rule_as_evidence() -> None:
    """As a gold example it points at the rule's one place in its document, as of the date that it is asked for."""
    library = read_library([CORPUS], NoBudget())
    dated = a_confusion(CONTRIBUTION, OLD, NEW, as_of=dt.date(2024, 6, 15))
    ((path, span),) = resolve(as_gold(dated, TODAY), library).needed
    assert library.text(path)[span.start : span.end] == OLD.quote
    assert as_gold(dated, TODAY).as_of == dt.date(2024, 6, 15)
    assert as_gold(a_confusion(DEDUCTIBLE, ACTIVE), TODAY).as_of == TODAY
