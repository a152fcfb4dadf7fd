"""What a model is shown is held against the gold: how much of the evidence, how far up, for how many tokens."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from evals.context import Found, found, judge, precision, recall, relevant
from evals.dataset import GoldSpans
from evals.fit import prepared
from evals.runner import Setup
from rag.domain import Evidence, EvidenceUnit, Span
from rag.settings import Settings
from tests.evals.samples import an_example, gold
from tests.fakes.tokenizer import CharacterTokenizer
from tests.making import a_document, a_unit
from tests.samples import FACT, OFF_TOPIC, QUESTION, write_documents

LEAD = Span(0, 10)
NEEDED = a_unit("a#u0", "陪护床费按70%的比例报销。", 20, lead=(LEAD,))
FURTHER = a_unit("b#u0", "陪护费用可以报销一部分。", 0)
OTHERS = tuple(a_unit(f"c{n}#u0", f"第{n}项与此无关的规定。") for n in range(4))
GOLD = GoldSpans((("/in/a.md", NEEDED.span), ("/in/a.md", Span(90, 99))), (("/in/b.md", FURTHER.span),))


def asked(*pool: EvidenceUnit, chosen: int = 1, spans: GoldSpans = GOLD) -> Found:
    """A question for which these units were found."""
    documents = {unit.document_id: a_document(unit.document_id) for unit in pool}
    return Found(QUESTION, Evidence(pool[:chosen], pool, 0.9, sufficient=True), documents, spans, "a.md")


@pytest.mark.parametrize(
    ("judged", "value"),
    [([True], 1), ([False, True], 1 / 2), ([True, False, True], (1 + 2 / 3) / 2), ([False], 0), ([], 0)],
)
def test_context_precision_is_that_of_ragas(judged: list[bool], value: float) -> None:
    """The mean of the precision at each rank with something relevant; without any it is 0."""
    assert precision(judged) == pytest.approx(value)


def test_further_evidence_is_relevant_and_not_needed() -> None:
    """Recall asks for the needed spans alone."""
    one = asked(FURTHER, OTHERS[0], NEEDED)
    assert relevant(one, one.evidence.pool) == [True, False, True]
    assert recall(one, one.evidence.pool) == 0.5
    assert recall(one, (FURTHER,)) == 0.0


def test_a_lead_in_is_shown_and_not_judged() -> None:
    """A unit whose lead-in is the evidence shows it, though its own words are beside the point."""
    one = asked(NEEDED, spans=GoldSpans((("/in/a.md", LEAD),), ()))
    assert (recall(one, (NEEDED,)), relevant(one, (NEEDED,))) == (1.0, [False])


def test_each_profile_is_measured_by_what_it_is_shown() -> None:
    """The model that phrases sees the chosen unit, the other the pool; the old way stands beside it."""
    judged = judge([asked(*OTHERS, NEEDED)], [80, 10_000], CharacterTokenizer())
    told = [(s.profile, s.budget, s.evidence_recall.value, s.context_precision.value) for s in judged.shown]
    assert told == [
        ("phrase", 300, 0.0, 0.0),
        ("ranked", 80, 0.0, 0.0),
        ("answer", 80, 0.0, 0.0),
        ("ranked", 10_000, 0.5, 0.2),
        ("answer", 10_000, 0.5, 0.2),
    ]
    assert [(s.tokens.value <= s.budget, s.units) for s in judged.shown[1:3]] == [(True, 3.0), (True, 2.0)]


def test_what_stands_together_is_ahead_of_the_ranking() -> None:
    """A second unit of the section comes up with the first; by how much is told with an interval."""
    sibling = a_unit("a#u1", "每日最高40元，超出的部分自付。", 90)
    judged = judge([asked(NEEDED, *OTHERS, sibling)] * 2, [], CharacterTokenizer())
    (ahead,) = judged.ahead
    assert ahead.budget == 3_000
    assert ahead.evidence_recall.value == 0.0
    assert ahead.context_precision.value == pytest.approx(1 - (1 + 2 / 6) / 2)
    assert (ahead.context_precision.low, ahead.context_precision.high) == pytest.approx((1 / 3, 1 / 3))
    assert "answer - ranked  3000  evidence_recall +0.000" in str(judged)


def test_nothing_asked_is_no_figure() -> None:
    """And not a perfect one."""
    with pytest.raises(ValueError, match="no mean"):
        judge([], [], CharacterTokenizer())


def test_the_evidence_is_what_the_service_finds(tmp_path: Path, settings: Settings) -> None:
    """Of answerable questions; the gold is looked up in the same files."""
    folder = write_documents(tmp_path / "documents")
    setup = Setup(msgspec.structs.replace(settings, embedder="none"), (folder,), "extractive", vectors=None)
    questions = prepared(setup, [], lambda *_: None)
    examples = (
        an_example(evidence=gold(questions.library, FACT)),
        an_example(OFF_TOPIC, id="declined-1", kind="abstention", reason="out_of_domain"),
    )
    (one,) = found(msgspec.structs.replace(questions, examples=examples), lambda *_: None)
    questions.snapshot.close()
    assert (one.question, one.cluster) == (QUESTION, "beds.md")
    assert one.evidence.units[0].text == FACT
    assert one.documents["ningbo-beds"].places == ("宁波",)
    assert recall(one, one.evidence.units) == 1.0
