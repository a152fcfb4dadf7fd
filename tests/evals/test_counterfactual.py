"""Twins fit the corpus, worlds keep them apart, and an answer that does not follow an edit is caught.

Knows promises about `evals.counterfactual`. How well the service follows is measured by `evals counterfactual`.
"""

from __future__ import annotations

import datetime as dt
import itertools
import shutil
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from evals.counterfactual import (
    Delete,
    Rename,
    Replace,
    Twin,
    TwinVerdict,
    edited,
    first_of_each,
    judge,
    load_twins,
    report,
    run_twins,
    worlds,
    write_world,
)
from evals.dataset import forbidden_in, holds_fact
from evals.domain import Observation, Scored, Unscored
from rag.domain import Abstention, Answer, Claim, Outcome
from rag.settings import Settings

CORPUS = Path(__file__).parents[2] / "corpus" / "documents"
TWINS = {twin.id: twin for twin in load_twins()}

RENAMED = Twin(
    id="renamed",
    kind="city",
    question="我在外地，想打电话查赣州医保，拨什么号码？前面要加区号吗，加多少？",
    control="我在外地，想打电话查九江医保，拨什么号码？前面要加区号吗，加多少？",
    expect="answer",
    was=(("12333",), ("0792",)),
    facts=(("12333",), ("0797",)),
    forbidden=("九江", "0792"),
    edits=(
        Rename("excerpt-jiujiang-insurance-query", "九江", "赣州"),
        Replace("excerpt-jiujiang-insurance-query", "0792", "0797"),
    ),
)
RAISED = Twin(
    id="raised",
    kind="figure",
    question="福州灵活就业 2025年医保每个月交多少钱",
    expect="answer",
    was=(("364.46",),),
    facts=(("400.90",),),
    forbidden=("364.46",),
    edits=(Replace("excerpt-fuzhou-contribution-standard-2025", "费率10%，月缴费364.46元", "费率11%，月缴费400.90元"),),
)
GONE = Twin(
    id="gone",
    kind="deleted",
    question="无锡建国前老工人门诊特殊病报销比例",
    expect="abstention",
    was=(("99.1%",),),
    facts=(),
    forbidden=("99.1%",),
    edits=(Delete("excerpt-wuxi-outpatient-pooling-ratio"),),
)
SMALL = (RENAMED, RAISED, GONE)


@pytest.fixture(scope="module")
def small_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documents that the three twins of this file edit, and one beside them."""
    folder = tmp_path_factory.mktemp("small")
    names = {name for twin in SMALL for name in twin.documents} | {"excerpt-rural-cooperative-claim"}
    for name in names:
        shutil.copy(CORPUS / f"{name}.md", folder)
    return folder


@pytest.fixture(scope="module")
def verdicts(
    small_corpus: Path, model_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[TwinVerdict]]:
    """The three twins, asked of their own worlds, and of a service that goes on answering from the old documents."""
    work = tmp_path_factory.mktemp("work")
    settings = Settings(model_dir=str(model_dir), llm="extractive")
    stale = [msgspec.structs.replace(twin, question=twin.control or twin.question, edits=()) for twin in SMALL]
    return {
        name: run_twins(twins, small_corpus, settings, "extractive", work, lambda _stage, _done, _total: None)
        for name, twins in (("stale", stale), ("real", SMALL))
    }


def test_there_are_enough_twins() -> None:
    """At least a hundred twins, and ten of each kind but for figures, of which there are sixty."""
    kinds = Counter(twin.kind for twin in TWINS.values())
    assert kinds.total() >= 100
    assert kinds["figure"] >= 60
    assert all(kinds[kind] >= 10 for kind in ("city", "date", "expired", "deleted", "planted"))


def test_each_edit_fits_the_corpus() -> None:
    """Every old text stands exactly once in its document, or, to be renamed, at all; and the edits change something."""
    texts = {path.stem: path.read_text("utf-8") for path in CORPUS.glob("*.md")}
    assert [twin.id for twin in TWINS.values() if edited(texts, twin) == texts] == []
    assert {name for twin in TWINS.values() for name in twin.leave} <= texts.keys()


def test_each_twin_accepts_what_the_edited_corpus_says() -> None:
    """An answer of the new facts follows, or a refusal where nothing is left."""
    for twin in TWINS.values():
        new = _answer(*(fact[0] for fact in twin.facts)) if twin.expect == "answer" else _abstention()
        assert judge(twin, _old(twin), _observation(new)).verdict == Scored(1.0), twin.id


def test_each_twin_catches_what_the_old_corpus_says() -> None:
    """An answer of the old facts does not follow; nor does one that adds what was planted."""
    for twin in TWINS.values():
        if twin.kind == "planted":
            said = _observation(_answer(*(fact[0] for fact in twin.facts), twin.written))
            assert judge(twin, _old(twin), said).verdict == Scored(0.0), twin.id
        elif twin.expect == "abstention" or twin.facts != twin.was:
            assert judge(twin, _old(twin), _old(twin)).verdict == Scored(0.0), twin.id


def test_twins_of_one_world_do_not_meet() -> None:
    """Each twin is in one world; no two there touch one document, and none writes what another must not find."""
    found = worlds(TWINS.values())
    assert Counter(twin.id for world in found for twin in world) == Counter(TWINS.keys())
    for one, other in itertools.chain.from_iterable(itertools.permutations(world, 2) for world in found):
        assert not one.documents & other.documents
        assert not forbidden_in(one.written, other.forbidden)
        assert not [fact for fact in other.facts if holds_fact(one.written, fact)]


def test_a_world_holds_the_edits_of_all_its_twins(small_corpus: Path, tmp_path: Path) -> None:
    """Texts change, a deleted document is gone, all others stay."""
    write_world(small_corpus, SMALL, tmp_path / "world")
    texts = {path.stem: path.read_text("utf-8") for path in (tmp_path / "world").iterdir()}
    assert "九江" not in texts["excerpt-jiujiang-insurance-query"]
    assert "400.90元" in texts["excerpt-fuzhou-contribution-standard-2025"]
    assert "excerpt-wuxi-outpatient-pooling-ratio" not in texts
    assert len(texts) == 3


@pytest.mark.parametrize(
    ("edit", "told"),
    [(Replace("a", "三", "四"), "0 times"), (Replace("a", "一", "二"), "2 times"), (Delete("b"), "no document b")],
)
def test_an_edit_that_does_not_fit_is_refused(edit: Replace | Delete, told: str) -> None:
    """A corpus that has moved on under a twin is an error that names the twin, not a twin that passes."""
    with pytest.raises(ValueError, match=f"raised.*{told}"):
        edited({"a": "一加一"}, msgspec.structs.replace(RAISED, edits=(edit,)))


def test_the_service_follows_the_corpus(verdicts: dict[str, list[TwinVerdict]]) -> None:
    """Asked of a real index of the edited documents, the service says the new city and figure, or declines."""
    assert [v.why for v in verdicts["real"] if v.verdict != Scored(1.0)] == []


def test_a_service_that_answers_from_the_old_corpus_is_caught(verdicts: dict[str, list[TwinVerdict]]) -> None:
    """Answers from documents that were never edited fail every twin."""
    assert [v.verdict for v in verdicts["stale"]] == [Scored(0.0)] * 3


def test_what_the_unedited_corpus_does_not_answer_is_not_scored() -> None:
    """A refusal, an error, or an answer without the old fact in the first place says nothing about following."""
    followed = _observation(_answer("月缴费400.90元"))
    for before in (_observation(_abstention()), _observation(_answer("月缴费300元")), _observation(None)):
        assert isinstance(judge(RAISED, before, followed).verdict, Unscored)


def test_a_figure_is_found_on_digit_boundaries_only() -> None:
    """1400.90 is not 400.90: the new figure has to be there itself."""
    verdict = judge(RAISED, _observation(_answer("月缴费364.46元")), _observation(_answer("月缴费1400.90元")))
    assert verdict.why == ("does not say 400.90",)


def test_both_values_side_by_side_do_not_follow() -> None:
    """The new figure beside the old one is as wrong as the old one."""
    both = _observation(_answer("月缴费400.90元", "月缴费364.46元"))
    assert judge(RAISED, _observation(_answer("364.46元")), both).why == ("says 364.46",)


def test_totals_leave_out_what_was_not_scored() -> None:
    """A share is of those that could be judged, and how many could not is printed beside it."""
    before, after = _observation(_answer("364.46元")), _observation(_answer("400.90元"))
    silent = _observation(_abstention())
    made = report([judge(RAISED, before, after), judge(RAISED, before, before), judge(RAISED, silent, after)])
    total = made.figures[-1]
    assert (total.kind, total.followed, total.scored, total.unscored) == ("all", 1, 2, 1)
    assert 0 < total.low < 0.5 < total.high < 1
    assert "1 of 2" in str(made)


def test_a_part_has_all_kinds() -> None:
    """The part for a slow model takes as many of each kind as it is told."""
    assert set(Counter(twin.kind for twin in first_of_each(load_twins(), 2)).values()) == {2}


def _old(twin: Twin) -> Observation:
    """An answer of all facts of the unedited corpus."""
    return _observation(_answer(*(fact[0] for fact in twin.was)))


def _observation(outcome: Outcome | None) -> Observation:
    return Observation("raised", outcome, error=None if outcome else "CassetteMiss: not on the tape")


def _answer(*claims: str) -> Answer:
    made = tuple(Claim(text, (1,), "quoted") for text in claims)
    return Answer(id="a", text="", claims=made, as_of=dt.date(2026, 11, 23), ai_label="", mode="extractive", model="")


def _abstention() -> Abstention:
    return Abstention(
        id="a",
        text="",
        as_of=dt.date(2026, 11, 23),
        ai_label="",
        mode="extractive",
        model="",
        reason="weak_evidence",
    )
