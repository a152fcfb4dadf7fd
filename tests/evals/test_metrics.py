"""What each metric says of small cases, and that a right answer with one thing changed no longer passes for right."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

import cn2an
import msgspec
import pytest

from evals.domain import Sample, Scored, Unscored, Verdict
from evals.library import Library
from evals.metrics.attribution import fault
from evals.scoring import METRICS
from rag import places, qualifiers
from rag.answer.verifying.slots import Slot, slots
from rag.domain import DISCLAIMER, Answer, Claim, Conflict, ConflictSide, EvidenceUnit, Turn, Usage
from tests.evals.samples import (
    BEDS,
    LABEL,
    MEALS,
    QUESTION,
    RECORDS,
    ROW,
    a_library,
    a_sample,
    a_triage,
    an_abstention,
    an_example,
    gold,
    passages,
    quoting,
    recited,
    reworded,
    saying_of,
    the_corpus,
    unit_with,
    units_of,
    with_markers,
)

BY_NAME = {metric.name: metric for metric in METRICS}
ELSEWHERE = "哈尔滨"
# A right rewording lowers none of these.
OF_A_RIGHT_ANSWER = (
    "all_facts",
    "numbers",
    "wrong_amounts",
    "citation_recall",
    "citation_precision",
    "phantom_citations",
    "markers",
    "evidence_precision",
    "evidence_recall",
    "verbatim",
    "region",
    "person",
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Three made-up documents."""
    return a_library(tmp_path_factory.mktemp("documents"))


@pytest.fixture(scope="module")
def corpus() -> Library:
    """The project's own documents."""
    return the_corpus()


@pytest.fixture(scope="module")
def bed_claim(library: Library) -> Answer:
    """A right answer with one claim."""
    return quoting(library, unit_with(library, BEDS))


@pytest.fixture(scope="module")
def two_claims(library: Library) -> Answer:
    """An answer with two claims from two documents."""
    return quoting(library, unit_with(library, BEDS), unit_with(library, RECORDS))


def says(name: str, sample: Sample) -> Verdict:
    """What the metric of that name says."""
    return BY_NAME[name].of(sample)


def value(name: str, sample: Sample) -> float:
    """The metric's value, where it has one."""
    verdict = says(name, sample)
    assert isinstance(verdict, Scored), verdict
    return verdict.value


def worse(name: str, before: Sample, after: Sample) -> bool:
    """Whether the metric's value went to the worse."""
    change = value(name, after) - value(name, before)
    return change < 0 if BY_NAME[name].better == "high" else change > 0


def asked_for_beds(library: Library, outcome: Answer | None, **fields: object) -> Sample:
    """The question about beds, with two facts and their evidence."""
    told = {"facts": (("70%", "七成"), ("40元",)), "evidence": gold(library, BEDS)}
    return a_sample(library, an_example(**(told | fields)), outcome)


# Names


def test_names_are_unique() -> None:
    """No two metrics share a name."""
    assert len(BY_NAME) == len(METRICS)


def test_flags_are_zero_or_one(library: Library, two_claims: Answer) -> None:
    """What is averaged as a share is a share's part."""
    sample = asked_for_beds(library, two_claims, category="conflict", forbidden=("80%",))
    values = [says(m.name, sample) for m in METRICS if m.kind == "flag"]
    assert {v.value for v in values if isinstance(v, Scored)} <= {0.0, 1.0}


def test_without_an_outcome_nothing_but_facts_is_scored(library: Library) -> None:
    """A metric says why it is silent; facts that nobody told are lost."""
    sample = a_sample(library, an_example(facts=(("70%",),)), None)
    scored = {m.name for m in METRICS if isinstance(says(m.name, sample), Scored)}
    assert scored <= {"all_facts", "facts", "hit@5", "mrr@10", "ndcg@10", "document_hit@5", "passage_precision"}


# Kinds and reasons


@pytest.mark.parametrize(
    ("expected", "outcome", "right"),
    [
        ("abstention", an_abstention(), 1),
        ("triage", an_abstention(), 0),
        ("triage", a_triage(), 1),
        ("answer", an_abstention(), 0),
    ],
)
def test_kind_is_that_of_the_outcome(library: Library, expected: str, outcome: Answer, right: int) -> None:
    """The kind is right where it is the expected one."""
    assert says("kind", a_sample(library, an_example(kind=expected), outcome)) == Scored(right)


@pytest.mark.parametrize(
    ("wanted", "given", "verdict"),
    [
        ("no_evidence", "no_evidence", Scored(1)),
        ("no_evidence", "weak_evidence", Scored(1)),
        ("out_of_domain", "weak_evidence", Scored(0)),
        (None, "weak_evidence", Unscored("no reason is expected")),
    ],
)
def test_reason_takes_no_and_weak_evidence_for_one(
    library: Library, wanted: str | None, given: str, verdict: Verdict
) -> None:
    """The two abstentions for want of evidence are one reason; others differ."""
    example = an_example(kind="abstention", reason=wanted)
    assert says("reason", a_sample(library, example, an_abstention(given))) == verdict


def test_reason_is_silent_where_the_kind_is_wrong(library: Library) -> None:
    """One mistake is counted once."""
    sample = a_sample(library, an_example(kind="triage", reason="emergency"), an_abstention())
    assert says("reason", sample) == Unscored("the kind is wrong already")


# Facts


def test_facts_are_a_share_and_all_facts_the_whole(library: Library, bed_claim: Answer) -> None:
    """One of two facts is a half for the one, nothing for the other."""
    sample = asked_for_beds(library, bed_claim, facts=(("70%",), ("90%",)))
    assert (value("facts", sample), value("all_facts", sample)) == (0.5, 0)


@pytest.mark.parametrize("outcome", [an_abstention(), a_triage()])
def test_a_refusal_loses_its_facts(library: Library, outcome: Answer) -> None:
    """An answerable question that was not answered scores 0."""
    sample = asked_for_beds(library, outcome)
    assert (value("facts", sample), value("all_facts", sample)) == (0, 0)


def test_facts_need_an_answerable_question(library: Library) -> None:
    """Where there is no answer, there are no facts to hold."""
    sample = a_sample(library, an_example(kind="abstention"), an_abstention())
    assert isinstance(says("facts", sample), Unscored)


@pytest.mark.parametrize(("forbidden", "right"), [(("80%",), 1), (("0%",), 1), (("70%",), 0)])
def test_forbidden_strings_are_compared_on_digit_boundaries(
    library: Library, bed_claim: Answer, forbidden: tuple[str, ...], right: int
) -> None:
    """0% does not stand in 70%."""
    assert value("no_forbidden", asked_for_beds(library, bed_claim, forbidden=forbidden)) == right


def test_no_forbidden_needs_forbidden_strings_and_an_answer(library: Library, bed_claim: Answer) -> None:
    """Nothing is said of an example without forbidden strings, or without an answer."""
    assert isinstance(says("no_forbidden", asked_for_beds(library, bed_claim)), Unscored)
    assert isinstance(says("no_forbidden", asked_for_beds(library, an_abstention(), forbidden=("80%",))), Unscored)


# Figures


def test_figures_that_stand_in_the_citation_are_right(library: Library, two_claims: Answer) -> None:
    """All figures of quoted claims stand."""
    sample = asked_for_beds(library, two_claims)
    assert (value("numbers", sample), value("wrong_amounts", sample)) == (1, 0)


def test_a_wrong_figure_counts(library: Library, bed_claim: Answer) -> None:
    """One of two figures wrong: half the figures, one wrong amount."""
    sample = asked_for_beds(library, reworded(bed_claim, "40元", "90元"))
    assert (value("numbers", sample), value("wrong_amounts", sample)) == (0.5, 1)


def test_a_figure_needs_its_unit(library: Library, bed_claim: Answer) -> None:
    """40 yuan do not prove 40 days."""
    assert value("wrong_amounts", asked_for_beds(library, reworded(bed_claim, "40元", "40天"))) == 1


def test_a_figure_stands_in_what_its_own_claim_cites(library: Library, two_claims: Answer) -> None:
    """With markers swapped, each claim's figures stand in the other's source: they are wrong."""
    assert value("numbers", asked_for_beds(library, with_markers(two_claims, [(2,), (1,)]))) == 0


def test_a_figure_in_the_text_alone_is_seen(library: Library, bed_claim: Answer) -> None:
    """A digit changed in the text, and not in the claim, is a wrong amount, too."""
    spoilt = msgspec.structs.replace(bed_claim, text=bed_claim.text.replace("40元", "90元"))
    assert value("wrong_amounts", asked_for_beds(library, spoilt)) == 1


def test_the_date_of_a_source_is_its_own(library: Library, bed_claim: Answer) -> None:
    """Dates of sources are allowed as the documents give them, and no others."""
    spoilt = msgspec.structs.replace(bed_claim, text=bed_claim.text.replace("2023-05-04", "2025-05-04"))
    assert value("wrong_amounts", asked_for_beds(library, spoilt)) == 1


def test_a_forged_quote_proves_no_figure(library: Library, bed_claim: Answer) -> None:
    """A figure stands in the document or nowhere: a quote changed along with the claim does not help."""
    quote = bed_claim.citations[0].quote.replace("40元", "90元")
    spoilt = recited(reworded(bed_claim, "40元", "90元"), quote=quote)
    assert value("wrong_amounts", asked_for_beds(library, spoilt)) == 1


def test_a_phantom_citation_proves_no_figure(library: Library, bed_claim: Answer) -> None:
    """Both figures of the claim fall with its source, and so does the date that the text gives it."""
    assert value("wrong_amounts", asked_for_beds(library, recited(bed_claim, document_id="nowhere"))) == 3


def test_a_contact_may_be_named_and_no_other_number(library: Library) -> None:
    """An abstention gives the hotline; one digit off is a wrong amount."""
    right = an_abstention()
    spoilt = msgspec.structs.replace(right, text=right.text.replace("12393", "12398"))
    assert value("wrong_amounts", asked_for_beds(library, right)) == 0
    assert value("wrong_amounts", asked_for_beds(library, spoilt)) == 1


def test_a_side_of_a_conflict_is_a_statement(library: Library, two_claims: Answer) -> None:
    """The value of each side stands in the source of that side."""
    sides = (ConflictSide("70%", 1), ConflictSide("80%", 2))
    sample = asked_for_beds(
        library, msgspec.structs.replace(two_claims, conflicts=(Conflict("比例", "disagree", sides),))
    )
    assert value("wrong_amounts", sample) == 1


def test_numbers_need_figures(library: Library) -> None:
    """An answer without figures has none right and none wrong."""
    sample = asked_for_beds(library, quoting(library, unit_with(library, MEALS)))
    assert isinstance(says("numbers", sample), Unscored)
    assert value("wrong_amounts", sample) == 0


def test_computed_claims_are_left_out(library: Library, bed_claim: Answer) -> None:
    """The result of a computation stands in no source."""
    formula = "3天的陪护床费：3*40元=120元。"
    claim = Claim(formula, (1,), "computed")
    computed = msgspec.structs.replace(bed_claim, claims=(claim,), text=f"{formula[:-1]}[1]。\n\n{DISCLAIMER}\n{LABEL}")
    sample = asked_for_beds(library, computed)
    assert isinstance(says("numbers", sample), Unscored)
    assert (value("wrong_amounts", sample), value("citation_recall", sample), value("computed", sample)) == (0, 1, 1)


# Citations


def test_a_quote_is_carried_by_what_it_cites(library: Library, two_claims: Answer) -> None:
    """Right claims with right markers have full recall."""
    sample = asked_for_beds(library, two_claims)
    assert (value("citation_recall", sample), value("markers", sample)) == (1, 1)


def test_precision_is_the_share_of_citations_on_gold(library: Library, two_claims: Answer) -> None:
    """One of two sources is the one that was needed."""
    sample = asked_for_beds(library, two_claims)
    assert (value("citation_precision", sample), value("evidence_precision", sample)) == (0.5, 0.5)


def test_further_support_is_right_and_not_needed(library: Library, two_claims: Answer) -> None:
    """`also` counts for precision, and not for recall of evidence."""
    sample = asked_for_beds(library, two_claims, also=gold(library, RECORDS))
    assert (value("citation_precision", sample), value("evidence_precision", sample)) == (1, 1)
    other = asked_for_beds(library, quoting(library, unit_with(library, RECORDS)), also=gold(library, RECORDS))
    assert (value("evidence_precision", other), value("evidence_recall", other)) == (1, 0)


@pytest.mark.parametrize("markers", [[(2,), (1,)], [(1,), (1,)], [(), (2,)]])
def test_shuffled_citations_cost_recall(library: Library, two_claims: Answer, markers: list[tuple[int, ...]]) -> None:
    """A claim whose marker leads elsewhere, or that has none, is carried by nothing."""
    before = asked_for_beds(library, two_claims)
    assert worse("citation_recall", before, asked_for_beds(library, with_markers(two_claims, markers)))


def test_swapped_documents_cost_recall(library: Library, two_claims: Answer) -> None:
    """Two sources under each other's number prove neither claim."""
    one, two = two_claims.citations
    swapped = (msgspec.structs.replace(two, marker=1), msgspec.structs.replace(one, marker=2))
    sample = asked_for_beds(library, msgspec.structs.replace(two_claims, citations=swapped))
    assert value("citation_recall", sample) == 0


def test_markers_of_the_text_are_those_of_the_claims(library: Library, two_claims: Answer) -> None:
    """What the reader sees behind a sentence is what the claim cites."""
    swapped = with_markers(two_claims, [(2,), (1,)]).text
    sample = asked_for_beds(library, msgspec.structs.replace(two_claims, text=swapped))
    assert value("markers", sample) == 0


def test_a_marker_more_in_the_text_is_seen(library: Library, bed_claim: Answer) -> None:
    """A second marker behind a sentence that cites one is no marker of the claim."""
    spoilt = msgspec.structs.replace(bed_claim, text=bed_claim.text.replace("[1]。", "[1][1]。", 1))
    assert value("markers", asked_for_beds(library, spoilt)) == 0


def test_a_phantom_marker_is_counted_and_proves_nothing(library: Library, bed_claim: Answer) -> None:
    """A marker without a citation counts once, costs recall and halves precision."""
    sample = asked_for_beds(library, with_markers(bed_claim, [(1, 7)]))
    assert value("phantom_citations", sample) == 1
    assert (value("citation_recall", sample), value("citation_precision", sample)) == (0, 0.5)


def test_a_phantom_marker_in_the_text_alone_is_counted(library: Library, bed_claim: Answer) -> None:
    """The text has no markers of its own."""
    spoilt = msgspec.structs.replace(bed_claim, text=bed_claim.text.replace("[1]。", "[1][9]。", 1))
    assert value("phantom_citations", asked_for_beds(library, spoilt)) == 1


def test_a_source_that_is_not_there_is_a_phantom(library: Library, bed_claim: Answer) -> None:
    """A document that nobody has is worth nothing to any metric of citations."""
    sample = asked_for_beds(library, recited(bed_claim, document_id="nowhere"))
    assert value("phantom_citations", sample) == 1
    zero = ("citation_recall", "citation_precision", "evidence_precision", "evidence_recall", "verbatim", "region")
    assert [value(name, sample) for name in zero] == [0] * len(zero)


def test_a_place_that_is_not_in_the_document_is_a_phantom(library: Library, bed_claim: Answer) -> None:
    """So is a span behind the end of its document."""
    far = tuple(msgspec.structs.replace(span, start=90_000, end=90_010) for span in bed_claim.citations[0].spans)
    assert value("phantom_citations", asked_for_beds(library, recited(bed_claim, spans=far))) == 1


def test_a_table_header_is_not_judged_by_itself(library: Library) -> None:
    """A row is cited with its header; only the row has to be evidence."""
    example = an_example("无锡6岁以下儿童配镜补助多少？", evidence=gold(library, ROW))
    sample = a_sample(library, example, quoting(library, unit_with(library, ROW)))
    assert len(sample.answer.citations[0].spans) == 2  # type: ignore[union-attr]
    assert (value("evidence_precision", sample), value("evidence_recall", sample)) == (1, 1)


def test_every_unit_carries_itself(corpus: Library) -> None:
    """Whatever the service may quote from the corpus passes for a right quote: no metric raises a false alarm."""
    names = ("citation_recall", "phantom_citations", "markers", "verbatim", "provenance", "wrong_amounts")
    for unit in units_of(corpus):
        sample = a_sample(corpus, an_example(), quoting(corpus, unit))
        assert [value(name, sample) for name in names] == [1, 0, 1, 1, 1, 0], unit.text


# Verbatim


def test_a_fabricated_quote_is_not_verbatim(library: Library, bed_claim: Answer) -> None:
    """One digit in a quote that the document does not have there."""
    span = bed_claim.citations[0].spans[0]
    forged = msgspec.structs.replace(span, quote=span.quote.replace("70%", "80%"))
    sample = asked_for_beds(library, recited(bed_claim, spans=(forged,), quote=forged.quote))
    assert value("verbatim", sample) == 0


def test_a_shifted_span_is_not_verbatim(library: Library, bed_claim: Answer) -> None:
    """The right words one character off."""
    span = bed_claim.citations[0].spans[0]
    shifted = msgspec.structs.replace(span, start=span.start + 1, end=span.end + 1)
    assert value("verbatim", asked_for_beds(library, recited(bed_claim, spans=(shifted,)))) == 0


def test_a_quote_is_its_spans(library: Library, bed_claim: Answer) -> None:
    """What is shown as the quote has nothing that no span has."""
    quote = bed_claim.citations[0].quote + "全额报销。"
    assert value("verbatim", asked_for_beds(library, recited(bed_claim, quote=quote))) == 0


@pytest.mark.parametrize("fields", [{"published": None}, {"places": ()}, {"document_title": "陪护床费全报"}])
def test_a_source_is_told_as_it_is(library: Library, bed_claim: Answer, fields: dict[str, object]) -> None:
    """Title, date and places of a source are those of its document."""
    assert value("provenance", asked_for_beds(library, bed_claim)) == 1
    assert value("provenance", asked_for_beds(library, recited(bed_claim, **fields))) == 0


# Place and person


@pytest.mark.parametrize(
    ("question", "right"),
    [("宁波的陪护床费报多少？", 1), ("浙江的陪护床费报多少？", 1), ("无锡的陪护床费报多少？", 0)],
)
def test_region_asks_for_a_related_place(library: Library, bed_claim: Answer, question: str, right: int) -> None:
    """A rule of Ningbo is one of Zhejiang, and none of Wuxi."""
    assert value("region", a_sample(library, an_example(question), bed_claim)) == right


def test_a_national_source_fits_every_place(library: Library) -> None:
    """A document without places answers for any."""
    sample = a_sample(library, an_example("无锡的备案多久有效？"), quoting(library, unit_with(library, RECORDS)))
    assert value("region", sample) == 1


def test_a_place_that_the_source_lists_may_be_named(library: Library, bed_claim: Answer) -> None:
    """A claim names another place beside the one asked for only where its source does."""
    sample = a_sample(library, an_example("宁波的陪护床费报多少？"), reworded(bed_claim, "宁波", "宁波、温州"))
    assert value("region", sample) == 0


def test_a_follow_up_is_about_the_place_named_last(library: Library, bed_claim: Answer) -> None:
    """A question that names no place goes on from the turn that did."""
    turns = (Turn("user", "宁波的医保怎么报？"), Turn("assistant", "无锡"), Turn("user", "无锡的医保怎么报？"))
    sample = a_sample(library, an_example("那陪护床费呢？", conversation=turns), bed_claim)
    assert value("region", sample) == 0


@pytest.mark.parametrize(("question", "right"), [("职工医保陪护床费报多少？", 1), ("居民医保陪护床费报多少？", 0)])
def test_person_asks_for_the_same_group(library: Library, bed_claim: Answer, question: str, right: int) -> None:
    """A rule for employees is none for residents."""
    assert value("person", a_sample(library, an_example(question), bed_claim)) == right


@pytest.mark.parametrize(("question", "right"), [("退休后备案多久有效？", 1), ("在职人员备案多久有效？", 0)])
def test_a_claim_that_names_no_group_is_about_its_titles(library: Library, question: str, right: int) -> None:
    """A heading says for whom the sentence below it holds."""
    sample = a_sample(library, an_example(question), quoting(library, unit_with(library, RECORDS)))
    assert value("person", sample) == right


def test_place_and_person_need_to_be_asked_for(library: Library, bed_claim: Answer) -> None:
    """A question without either is not judged on them."""
    sample = a_sample(library, an_example("陪护床费报多少？"), bed_claim)
    assert isinstance(says("region", sample), Unscored)
    assert isinstance(says("person", sample), Unscored)


# Conflicts, refusals, frame


def test_a_conflict_is_shown_with_both_its_sources(library: Library, two_claims: Answer) -> None:
    """Both values in the claims are one thing, naming the conflict with its sources another."""
    facts = (("70%",), ("12个月",))
    shown = Conflict("比例", "disagree", (ConflictSide("70%", 1), ConflictSide("12个月", 2)))
    unproven = Conflict("比例", "disagree", (ConflictSide("70%", 1), ConflictSide("12个月", 3)))
    seen = [
        asked_for_beds(library, msgspec.structs.replace(two_claims, conflicts=c), category="conflict", facts=facts)
        for c in ((), (shown,), (unproven,))
    ]
    assert [value("both_sides", sample) for sample in seen] == [1, 1, 1]
    assert [value("conflict_shown", sample) for sample in seen] == [0, 1, 0]


def test_half_a_conflict_is_none(library: Library, bed_claim: Answer) -> None:
    """One side alone is no answer to a conflict, a refusal neither."""
    for outcome in (bed_claim, an_abstention()):
        sample = asked_for_beds(library, outcome, category="conflict", facts=(("70%",), ("80%",)))
        assert (value("both_sides", sample), value("conflict_shown", sample)) == (0, 0)


def test_false_answers_and_false_refusals(library: Library, bed_claim: Answer) -> None:
    """Each counts where the other can't."""
    to_decline = an_example(kind="abstention", reason="no_evidence")
    assert value("false_answer", a_sample(library, to_decline, bed_claim)) == 1
    assert value("false_answer", a_sample(library, to_decline, an_abstention())) == 0
    assert value("false_refusal", asked_for_beds(library, an_abstention())) == 1
    assert value("false_refusal", asked_for_beds(library, bed_claim)) == 0
    assert isinstance(says("false_refusal", a_sample(library, to_decline, bed_claim)), Unscored)
    assert isinstance(says("false_answer", asked_for_beds(library, bed_claim)), Unscored)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda o: {"text": o.text.replace(DISCLAIMER, "")},
        lambda o: {"text": o.text.replace(LABEL, "")},
        lambda _: {"disclaimer": ""},
        lambda _: {"disclaimer": "仅供参考。"},
        lambda _: {"ai_label": ""},
    ],
)
def test_disclaimer_and_label_are_on_every_kind(library: Library, bed_claim: Answer, spoil: Callable) -> None:  # type: ignore[type-arg]
    """Missing from text or field, of an answer, an abstention or a triage, they are missed."""
    for outcome in (bed_claim, an_abstention(), a_triage()):
        assert value("disclaimer", asked_for_beds(library, outcome)) == 1  # type: ignore[arg-type]
        assert value("disclaimer", asked_for_beds(library, msgspec.structs.replace(outcome, **spoil(outcome)))) == 0


def test_modes_are_shares_of_claims(library: Library, two_claims: Answer) -> None:
    """Who phrased how much, and whether the model failed."""
    one, two = two_claims.claims
    mixed = msgspec.structs.replace(two_claims, claims=(msgspec.structs.replace(one, mode="generated"), two))
    sample = asked_for_beds(library, msgspec.structs.replace(mixed, degraded="deadline"))
    assert [value(n, sample) for n in ("generated", "quoted", "computed", "degraded")] == [0.5, 0.5, 0, 1]


def test_characters_are_those_of_the_claims(library: Library, bed_claim: Answer) -> None:
    """Notes, markers and disclaimer are not counted."""
    assert value("characters", asked_for_beds(library, bed_claim)) == len(BEDS)


def test_tokens_need_a_model(library: Library, bed_claim: Answer) -> None:
    """An extractive answer has not used none: it is not counted."""
    assert isinstance(says("prompt_tokens", asked_for_beds(library, bed_claim)), Unscored)
    spent = msgspec.structs.replace(bed_claim, mode="llm", usage=Usage(120, 30))
    sample = asked_for_beds(library, spent)
    assert (value("prompt_tokens", sample), value("completion_tokens", sample)) == (120, 30)


# Retrieval


def retrieving(library: Library, *words: str, needed: tuple[str, ...] = (BEDS,), **fields: object) -> Sample:
    """The question about beds, with these passages retrieved."""
    example = an_example(**({"evidence": gold(library, *needed)} | fields))
    return a_sample(library, example, an_abstention(), passages(*(unit_with(library, one) for one in words)))


def test_the_rank_of_evidence_counts(library: Library) -> None:
    """Found second: a hit, half the reciprocal rank, less gain than first."""
    sample = retrieving(library, RECORDS, BEDS)
    assert (value("hit@5", sample), value("mrr@10", sample), value("passage_precision", sample)) == (1, 0.5, 0.5)
    assert value("ndcg@10", sample) == pytest.approx(0.6309, abs=1e-4)


def test_evidence_that_is_not_found_is_no_hit(library: Library) -> None:
    """Another section of the right document is the right document, and no hit."""
    sample = retrieving(library, MEALS)
    assert [value(n, sample) for n in ("hit@5", "mrr@10", "ndcg@10", "document_hit@5")] == [0, 0, 0, 1]


def test_the_best_order_is_attainable(library: Library) -> None:
    """Two needed places in two passages, both found first: nothing better is possible."""
    assert value("ndcg@10", retrieving(library, BEDS, RECORDS, needed=(BEDS, RECORDS))) == 1
    assert value("ndcg@10", retrieving(library, BEDS, needed=(BEDS, RECORDS))) == pytest.approx(0.6131, abs=1e-4)


def test_the_same_evidence_twice_is_no_second_gain(library: Library) -> None:
    """A passage found twice is worth no more than once, also where something else is still missing."""
    assert value("ndcg@10", retrieving(library, BEDS, BEDS)) == 1
    assert value("ndcg@10", retrieving(library, BEDS, BEDS, needed=(BEDS, RECORDS))) == pytest.approx(0.6131, abs=1e-4)


def test_a_passage_that_breaks_off_early_is_no_hit(library: Library) -> None:
    """Less than half of what was needed touches it, and does not hold it."""
    (whole,) = passages(unit_with(library, BEDS))
    cut = msgspec.structs.replace(whole, end=whole.start + len(BEDS) // 3)
    sample = a_sample(library, an_example(evidence=gold(library, BEDS)), an_abstention(), [cut])
    assert (value("hit@5", sample), value("mrr@10", sample), value("passage_precision", sample)) == (0, 0, 1)


def test_retrieval_needs_an_answerable_question(library: Library) -> None:
    """Where nothing is to be found, nothing is missed."""
    sample = retrieving(library, BEDS, kind="abstention")
    assert isinstance(says("hit@5", sample), Unscored)


# Faults


def test_a_right_answer_has_no_fault(library: Library, bed_claim: Answer) -> None:
    """All facts held, nothing forbidden said."""
    assert fault(asked_for_beds(library, bed_claim)) is None


@pytest.mark.parametrize(
    ("retrieved", "cited", "stage"),
    [
        ((RECORDS,), RECORDS, "not_retrieved"),
        ((BEDS, RECORDS), RECORDS, "not_used"),
        ((BEDS,), None, "refused"),
        ((RECORDS,), None, "not_retrieved"),
        ((BEDS,), BEDS, "used_wrong"),
    ],
)
def test_the_first_stage_that_lost_the_fact_is_at_fault(
    library: Library, retrieved: tuple[str, ...], cited: str | None, stage: str
) -> None:
    """Not found, found and not used, used and wrong."""
    answer = quoting(library, unit_with(library, cited)) if cited else an_abstention()
    wrong = reworded(answer, "70%", "90%") if isinstance(answer, Answer) else answer
    example = an_example(facts=(("70%",),), evidence=gold(library, BEDS))
    sample = a_sample(library, example, wrong, passages(*(unit_with(library, words) for words in retrieved)))
    assert fault(sample) == stage


def test_only_the_place_of_the_missing_fact_counts(library: Library, bed_claim: Answer) -> None:
    """Of two needed places the one that was not found is at fault, not the one that was used."""
    example = an_example(facts=(("70%",), ("12个月",)), evidence=gold(library, BEDS, RECORDS))
    assert fault(a_sample(library, example, bed_claim, passages(unit_with(library, BEDS)))) == "not_retrieved"


def test_what_is_no_unit_is_not_in_the_index(library: Library, bed_claim: Answer) -> None:
    """Evidence in a heading can't be cited."""
    title = {"document": "records", "quote": "# 退休人员备案的有效期"}
    example = msgspec.convert(
        msgspec.to_builtins(an_example(facts=(("有效期",),))) | {"evidence": [title]}, type(an_example())
    )
    assert fault(a_sample(library, example, bed_claim)) == "not_in_index"


def test_forbidden_words_are_a_fault(library: Library, bed_claim: Answer) -> None:
    """All facts and a false one beside them."""
    sample = asked_for_beds(library, bed_claim, forbidden=("70%",))
    found = a_sample(library, sample.example, bed_claim, passages(unit_with(library, BEDS)))
    assert fault(found) == "used_wrong"


def test_an_answer_without_evidence_is_a_fault(library: Library, bed_claim: Answer) -> None:
    """Declining it is none."""
    example = an_example(kind="abstention", reason="no_evidence")
    assert fault(a_sample(library, example, bed_claim)) == "answered_without_evidence"
    assert fault(a_sample(library, example, an_abstention())) is None


def test_an_error_is_a_fault_of_its_own(library: Library) -> None:
    """Whatever was expected."""
    assert fault(a_sample(library, an_example(), None)) == "error"


# One thing changed in right answers over real sentences


def right(corpus: Library, unit: EvidenceUnit, question: str, fact: str, claim: str | None = None) -> Sample:
    """A right answer: one unit in its own words (or in `claim`'s), which is the gold evidence, with a fact of it."""
    example = an_example(question, facts=((fact,),), evidence=gold(corpus, unit.text))
    answer = quoting(corpus, unit) if claim is None else saying_of(corpus, (claim, unit))
    return a_sample(corpus, example, answer)


def changed(sample: Sample, old: str, new: str) -> Sample:
    """The sample as if the service had said `new` for `old`."""
    assert sample.answer is not None
    return a_sample(sample.library, sample.example, reworded(sample.answer, old, new))


def sentences(corpus: Library) -> list[EvidenceUnit]:
    """Sentences and items of the corpus that need no lead-in and stand once."""
    whole = [u for u in units_of(corpus) if u.kind in {"sentence", "item"} and not u.lead]
    return [
        u for u in whole if "\n" not in u.text and corpus.text(corpus.documents[u.document_id].path).count(u.text) == 1
    ]


def shown(unit: EvidenceUnit, slot: Slot) -> str:
    """A figure as it is written."""
    return unicodedata.normalize("NFKC", unit.text)[slot.start : slot.end]


def with_a_figure(corpus: Library, *kinds: str) -> Iterator[tuple[EvidenceUnit, str]]:
    """Sentences with a figure of these kinds that is written in digits and once."""
    for unit in sentences(corpus):
        for slot in slots(unit.text):
            figure = shown(unit, slot)
            if slot.kind in kinds and re.search(r"\d", figure) and unit.text.count(figure) == 1:
                yield unit, figure


def next_figure(figure: str, text: str) -> str | None:
    """The figure with its first digit raised, unless the text has that, too."""
    other = re.sub(r"\d", lambda digit: str(int(digit.group()) % 9 + 1), figure, count=1)
    keys = {slot.key for slot in slots(text)}
    return other if all(slot.key not in keys for slot in slots(other)) else None


def test_a_changed_number_is_seen(corpus: Library) -> None:
    """One digit of an amount, a ratio, a period, an age or a count: four metrics fall, on every sentence."""
    cases = [
        (unit, figure, other)
        for unit, figure in with_a_figure(corpus, "amount", "ratio", "period", "age", "count")
        if (other := next_figure(figure, unit.text))
    ]
    assert len(cases) >= 70
    for unit, figure, other in cases:
        before = right(corpus, unit, "报销多少？", figure)
        after = changed(before, figure, other)
        for name in ("numbers", "wrong_amounts", "citation_recall", "all_facts"):
            assert worse(name, before, after), (name, unit.text, figure, other)


def test_a_changed_year_is_seen(corpus: Library) -> None:
    """The year of a date, on every sentence that has one."""
    cases = [(u, f) for u, f in with_a_figure(corpus, "date", "document") if re.search(r"\d{4}", f)]
    assert len(cases) >= 8
    for unit, figure in cases:
        other = re.sub(r"\d{4}", lambda year: str(int(year.group()) - 7), figure)
        before = right(corpus, unit, "什么时候？", figure)
        for name in ("numbers", "wrong_amounts", "citation_recall", "all_facts"):
            assert worse(name, before, changed(before, figure, other)), (name, unit.text)


def test_a_changed_city_is_seen(corpus: Library) -> None:
    """Another city for one that the question asks about: region and citation recall fall."""
    cases = [(unit, place) for unit in sentences(corpus) for place in places.find(unit.text)]
    assert len(cases) >= 80
    for unit, place in cases:
        before = right(corpus, unit, f"{place}医保怎么报销？", unit.text[:6])
        if before.answer is None or value("region", before) == 0:
            continue
        after = changed(before, place, ELSEWHERE)
        for name in ("region", "citation_recall"):
            assert worse(name, before, after), (name, unit.text, place)


@pytest.mark.parametrize(("asked", "other"), [("职工", "居民"), ("居民", "职工"), ("在职", "退休"), ("退休", "在职")])
def test_a_changed_group_is_seen(corpus: Library, asked: str, other: str) -> None:
    """The rule of one group told for another: person falls on every sentence that names the group alone."""
    own, strange = frozenset({asked}), frozenset({other})
    dimension = "insured_type" if asked in {"职工", "居民"} else "employment"
    cases = [
        unit
        for unit in sentences(corpus)
        if qualifiers.mentioned(unit.text).get(dimension) == own
        and qualifiers.mentioned(unit.text.replace(asked, other)).get(dimension) == strange
    ]
    assert len(cases) >= 4
    for unit in cases:
        before = right(corpus, unit, f"{asked}人员的医保怎么报销？", unit.text[:6])
        assert worse("person", before, changed(before, asked, other)), unit.text


def spellings(figure: str) -> Iterator[str]:
    """The figure in other words: Chinese numerals, other scales, full width."""
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)%", figure):
        yield "百分之" + ("百" if match[1] == "100" else cn2an.an2cn(match[1]))
        yield unicodedata.normalize("NFKC", figure).translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789%"})
    if match := re.fullmatch(r"([1-9])0%", figure):
        yield cn2an.an2cn(match[1]) + "成"
    if match := re.fullmatch(r"(\d)万元", figure):
        yield f"{match[1]}0000元"
        yield f"{int(match[1]) * 10_000:,}元"
    if match := re.fullmatch(r"(\d+)000元", figure):
        yield cn2an.an2cn(match[1] + "000") + "元"
    if match := re.fullmatch(r"([1-9]|1[0-2])(个月|周岁|年|天|个工作日)", figure):
        yield cn2an.an2cn(match[1]) + match[2]


def test_a_right_spelling_costs_nothing(corpus: Library) -> None:
    """百分之九十 for 90%, 20000元 for 2万元: no metric of a right answer falls, on any sentence."""
    cases = [
        (unit, figure, other)
        for unit, figure in with_a_figure(corpus, "amount", "ratio", "period", "age")
        for other in spellings(figure)
        if not re.search(rf"[-至到]\s*{figure}|{figure}\s*[-至到]", unit.text)  # both ends of a range are written alike
    ]
    assert len(cases) >= 60
    for unit, figure, other in cases:
        before = right(corpus, unit, "报销多少？", figure)
        after = changed(before, figure, other)
        held = msgspec.structs.replace(after.example, facts=((figure, other),))
        after = a_sample(corpus, held, after.answer)
        assert fallen(before, after) == [], (unit.text, other)


def fallen(before: Sample, after: Sample) -> list[str]:
    """The metrics of a right answer that went to the worse."""
    judged = [name for name in OF_A_RIGHT_ANSWER if isinstance(says(name, before), Scored)]
    return [name for name in judged if worse(name, before, after)]


@pytest.mark.parametrize(
    ("source", "claim", "fact"),
    [
        ("绍兴医保普通门诊的最高支付限额为5000元。", "绍兴医保普通门诊最高支付5000元。", "5000元"),
        (
            "绍兴市普通门诊的起付标准是400元，最高支付限额是5000元。",
            "在绍兴市看普通门诊，起付标准是400元，最高支付限额是5000元。",
            "400元",
        ),
        ("对乙类药品，医保仅报销70%。", "乙类药品，医保仅报销七成。", "七成"),
        (
            "职工医保在职职工到一级医院看门诊，报销比例可能达到70%左右。",
            "到一级医院看门诊，职工医保在职职工的报销比例可能达到百分之七十左右。",
            "百分之七十",
        ),
        ("异地门（急）诊的最高支付限额是5500元。", "最高支付限额，异地门（急）诊是5,500元。", "5,500元"),
        (
            "绍兴在职职工住院，费用在5万元至10万元部分的：基层医疗卫生机构报销90%，其他医疗机构报销85%。",
            "绍兴在职职工住院费用在50000元至100000元的部分，基层医疗卫生机构报销90%，其他医疗机构报销85%。",
            "85%",
        ),
        (
            "绍兴住院费用在10万元以上至最高支付限额的部分，在职职工的报销比例是90%。",
            "在职职工在绍兴住院，费用在10万元以上至最高支付限额的部分，报销比例是九成。",
            "九成",
        ),
        (
            "绍兴市普通门诊的报销比例：在职职工50%，退休人员70%。",
            "绍兴市普通门诊，在职职工的报销比例为50%，退休人员的为70%。",
            "70%",
        ),
    ],
)
def test_another_word_order_costs_nothing(corpus: Library, source: str, claim: str, fact: str) -> None:
    """The same statement in other words is as right as the quote."""
    unit = unit_with(corpus, source)
    before = right(corpus, unit, "职工医保报销多少？", fact, claim=source + fact)
    assert fallen(before, right(corpus, unit, "职工医保报销多少？", fact, claim=claim)) == []


@pytest.mark.parametrize(
    ("source", "claim"),
    [
        (
            "绍兴市普通门诊的报销比例：在职职工50%，退休人员70%。",
            "绍兴市普通门诊的报销比例：在职职工70%，退休人员50%。",
        ),
        ("对乙类药品，医保仅报销70%。", "对乙类药品，医保不报销70%。"),
        (
            "绍兴市普通门诊的起付标准是400元，最高支付限额是5000元。",
            "绍兴市普通门诊的起付标准是5000元，最高支付限额是400元。",
        ),
    ],
)
def test_right_figures_in_a_wrong_claim_cost_recall(corpus: Library, source: str, claim: str) -> None:
    """Figures that changed places, or a sentence turned round, pass as figures and not as a claim."""
    sample = right(corpus, unit_with(corpus, source), QUESTION, "", claim=claim)
    assert (value("wrong_amounts", sample), value("citation_recall", sample)) == (0, 0)
