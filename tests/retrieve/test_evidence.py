"""Which sentences answer, and whether they suffice: features, choice and the fitted parameters."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import numpy as np
import pytest

from rag.domain import EvidenceUnit, Span
from rag.retrieve.choosing import MAX_CHARACTERS, MAX_UNITS, Candidates, Margins, choose
from rag.retrieve.evidence import EvidenceFinder, EvidenceModel, load_model
from rag.retrieve.features import (
    RANK_FEATURES,
    SUFFICIENCY_FEATURES,
    Profile,
    feature_names,
    rank_rows,
    sufficiency_row,
)
from rag.retrieve.linear import Linear
from tests.making import a_document, a_passage, a_record, a_unit

Idf = Callable[[str], float]

RATIO = a_unit("nursing#u0", "护理费由基金支付75%。")
LEAD_IN = a_unit("nursing#u1", "申请材料如下：", 50)
RETIRED = a_unit("nursing#u2", "退休人员另有补贴。", 100)
ITEMS = a_unit("dental#u0", "申请材料如下：身份证；银行卡。", kind="list")


def candidates(*units: EvidenceUnit, bm25: tuple[float, ...] = (), cosine: tuple[float, ...] = ()) -> Candidates:
    """The units with their scores; those not given are zero."""
    zeros = np.zeros(len(units))
    return Candidates(
        units=units,
        passages=tuple(a_passage(a_record(unit.document_id, unit.text)) for unit in units),
        cosine=np.array(cosine or zeros, dtype=float),
        cosine_chunk=zeros,
        bm25_unit=np.array(bm25 or zeros, dtype=float),
        bm25_chunk=zeros,
    )


@pytest.fixture
def idf() -> Idf:
    """A word of three letters or more is rare, 火星 is unknown."""
    return lambda term: 9.0 if term in {"\x00", "火星"} else float(len(term))


WIDE = Margins(1.0, 1.0, 1.0)


def by(*features: str, threshold: float = 0.5, margins: Margins = WIDE) -> EvidenceModel:
    """A model that ranks by the sum of `features` and finds everything coverage-sufficient."""
    ones = (1.0,) * len(features)
    rank = Linear(features, (0.0,) * len(features), ones, ones)
    return EvidenceModel(rank, Linear(("coverage",), (0.5,), (0.1,), (1.0,)), margins, threshold, "a test")


def feature(question: str, name: str, *units: EvidenceUnit) -> list[float]:
    """One feature of each unit."""
    return [float(value) for value in rank_rows(question, (), candidates(*units), [name])[:, 0]]


def test_a_linear_model_standardises_first() -> None:
    """(x - mean) / spread, weighed, and the bias at last."""
    model = Linear(("a", "b"), (1.0, 10.0), (2.0, 5.0), (3.0, -1.0), 0.5)
    assert model(np.array([[5.0, 20.0], [1.0, 10.0]])).tolist() == [3 * 2 - 2 + 0.5, 0.5]


@pytest.mark.parametrize("profile", ["hybrid", "chunks", "lexical"])
def test_shipped_parameters_fit_the_features(profile: Profile) -> None:
    """Names and numbers of the file are those that the code computes."""
    model = load_model(profile)
    assert model.rank.features == feature_names(RANK_FEATURES, profile)
    assert model.sufficiency.features == feature_names(SUFFICIENCY_FEATURES, profile)
    for linear in (model.rank, model.sufficiency):
        assert len(linear.features) == len(linear.mean) == len(linear.spread) == len(linear.weights)
        assert min(linear.spread) > 0
    assert 0 < model.threshold < 1


def test_without_vectors_no_feature_needs_them() -> None:
    """The lexical profile is the hybrid one without cosines; with vectors of chunks alone those of units are absent."""
    of_chunks = [n for n in feature_names((*RANK_FEATURES, *SUFFICIENCY_FEATURES), "chunks") if "cosine" in n]
    assert of_chunks == ["cosine_chunk", "cosine_chunk_best"]
    assert not any("cosine" in name for name in feature_names((*RANK_FEATURES, *SUFFICIENCY_FEATURES), "lexical"))
    assert feature_names(RANK_FEATURES, "hybrid") == RANK_FEATURES


@pytest.mark.parametrize(
    ("name", "question", "values"),
    [
        ("figure", "护理费报销比例是多少", [1, 0, 0, 0]),
        ("announces", "怎么申请", [0, 1, 0, 0]),
        ("qualifiers", "退休人员有补贴吗", [0, 0, 1, 0]),
        ("excluded", "在职人员有补贴吗", [0, 0, 1, 0]),
        ("list", "申请要哪些材料", [0, 0, 0, 1]),
        ("list_unasked", "申请要哪些材料", [0, 0, 0, 0]),
        ("list_unasked", "护理费报销比例是多少", [0, 0, 0, 1]),
        ("excerpt", "怎么申请", [0, 0, 0, 0]),
    ],
)
def test_each_feature_says_one_thing(name: str, question: str, values: list[float]) -> None:
    """One unit of four has it."""
    assert feature(question, name, RATIO, LEAD_IN, RETIRED, ITEMS) == values


def test_a_title_speaks_for_its_sentences() -> None:
    """What the title says (退休) need not stand in the sentence."""
    titled = msgspec.structs.replace(RATIO, title_path=("退休人员",))
    assert feature("退休人员报多少", "qualifiers", RATIO, titled) == [0, 1]


def test_an_excerpt_is_known_by_its_document() -> None:
    """A teaser's sentence is marked as one."""
    found = candidates(RATIO)
    teaser = msgspec.structs.replace(found.passages[0], document=a_document("nursing", kind="excerpt"))
    rows = rank_rows("怎么申请", (), msgspec.structs.replace(found, passages=(teaser,)), ["excerpt"])
    assert rows.tolist() == [[1]]


def test_the_own_rule_is_nearer_than_that_of_the_province() -> None:
    """1 for the place asked for, less for each step up its chain, nothing for a rule of no place."""
    found = candidates(RATIO, LEAD_IN, RETIRED)
    told = ("宁波",), ("浙江",), ()
    passages = tuple(
        msgspec.structs.replace(p, document=a_document("nursing", places=places))
        for p, places in zip(found.passages, told, strict=True)
    )
    rows = rank_rows("护理费", ("宁波",), msgspec.structs.replace(found, passages=passages), ["local"])
    assert rows[:, 0].tolist() == [1.0, 0.5, 0.0]


def test_scores_are_relative_to_the_best() -> None:
    """The best candidate has 0, whatever the question's scale; equal scores say nothing."""
    found = candidates(RATIO, LEAD_IN, RETIRED, bm25=(4.0, 8.0, 6.0))
    assert rank_rows("甲", (), found, ["bm25_unit"])[:, 0] == pytest.approx([-(6**0.5), 0, -(6**0.5) / 2])
    assert rank_rows("甲", (), found, ["cosine"])[:, 0].tolist() == [0, 0, 0]


def test_coverage_is_the_share_of_telling_words(idf: Idf) -> None:
    """Words weigh by their rarity; the place's name is not counted as a word."""
    found = candidates(a_unit("nursing#u0", "护理床位费。", title_path=("说明",)))
    row = sufficiency_row("嘉兴护理停车", ("嘉兴",), found, np.zeros(len(found.units)), idf, ["coverage", "unseen"])
    assert row.tolist() == [0.5, 0.0]


def test_words_that_no_row_has_are_unseen(idf: Idf) -> None:
    """A question about something that the corpus never speaks of is known by that."""
    row = sufficiency_row("火星护理", (), candidates(RATIO), np.zeros(1), idf, ["unseen", "coverage"])
    assert row.tolist() == [0.5, 1.0]


@pytest.mark.parametrize(("place", "absent"), [("嘉兴", 0.0), ("浙江", 0.0), ("湖州", 1.0)])
def test_a_place_is_carried_by_its_relatives(idf: Idf, place: str, absent: float) -> None:
    """A sentence about 嘉兴 speaks for the place and its province, and for no neighbour."""
    found = candidates(a_unit("nursing#u0", "嘉兴市护理费由基金支付75%。"))
    assert sufficiency_row(
        f"{place}护理费", (place,), found, np.zeros(len(found.units)), idf, ["place_absent"]
    ).tolist() == [absent]


def test_a_figure_asked_for_must_be_there(idf: Idf) -> None:
    """One of the best units has it, or it is absent; others do not count."""
    found = candidates(LEAD_IN, RATIO)
    for scores, absent in (([9.0, 0.0], 1), ([9.0, 9.0], 0)):
        row = sufficiency_row("护理费报几成", (), found, np.array(scores), idf, ["figure_absent"])
        assert row.tolist() == [absent]


def test_a_figure_that_is_only_told_of_is_not_asked_for(idf: Idf) -> None:
    """Who has heard that the ratio is higher and asks where to apply asks for no ratio."""
    row = sufficiency_row(
        "听说护理费比例比以前多，去哪里申请", (), candidates(LEAD_IN), np.zeros(1), idf, ["figure_absent"]
    )
    assert row.tolist() == [0]


def test_the_best_come_first_and_near_ones_follow() -> None:
    """Who scores further below the best than the margin is not chosen."""
    found = candidates(RATIO, a_unit("nursing#u3", "护理费按月结算。", 150), RETIRED)
    assert choose(found, np.array([0.2, 1.0, -0.5]), WIDE, one_thing=True) == [1, 0]


def test_what_only_announces_is_left_out_beside_what_says_more() -> None:
    """Alone it is better than nothing; with a figure of its own, other than a year, it says something."""
    scores = np.array([0.9, 1.0])
    assert choose(candidates(RATIO, LEAD_IN), scores, WIDE, one_thing=True) == [0]
    assert choose(candidates(LEAD_IN), scores[:1], WIDE, one_thing=True) == [0]
    for lead_in, kept in (("超过1.2万元后按下表报销：", [1, 0]), ("2024年缴费期限如下：", [0])):
        found = candidates(RATIO, a_unit("nursing#u4", lead_in, 200))
        assert choose(found, scores, WIDE, one_thing=True) == kept


def test_another_passage_has_to_be_nearer_than_one_that_is_cited() -> None:
    """Where one thing is asked; who asks several things may need several passages."""
    first, same, other = a_unit("a#u0", "第一句。"), a_unit("a#u1", "第二句。", 9), a_unit("b#u0", "别处的一句。")
    found, scores = candidates(first, other, same), np.array([1.0, 0.4, 0.2])
    margins = Margins(within=1.0, elsewhere=0.5, elsewhere_several=0.7)
    assert choose(found, scores, margins, one_thing=True) == [0, 2]
    assert choose(found, scores, margins, one_thing=False) == [0, 1, 2]
    assert choose(found, np.array([1.0, 0.6, 0.2]), margins, one_thing=True) == [0, 1, 2]


def test_what_overlaps_is_chosen_once() -> None:
    """A list and its item, or one sentence told twice in two documents, are one piece of evidence."""
    whole = a_unit("dental#u1", "材料：身份证；银行卡。", 0, kind="list")
    item = a_unit("dental#u2", "身份证；", 3)
    copy = a_unit("glasses#u0", "材料： 身份证；银行卡。", 700)
    found = candidates(whole, item, copy, RATIO)
    assert choose(found, np.array([1.0, 0.9, 0.8, 0.7]), WIDE, one_thing=True) == [0, 3]


def test_evidence_is_short() -> None:
    """At most five units and four hundred characters; a best unit that is longer alone still comes."""
    many = [a_unit(f"nursing#u{n}", f"第{n}句话。", n * 20) for n in range(9)]
    assert choose(candidates(*many), np.zeros(9), WIDE, one_thing=True) == list(range(MAX_UNITS))
    long = a_unit("dental#u0", "长" * (MAX_CHARACTERS + 1))
    assert choose(candidates(long, RATIO), np.array([1.0, 0.9]), WIDE, one_thing=True) == [0]


def test_a_unit_too_long_gives_way_to_a_shorter_one() -> None:
    """What does not fit is passed over, and the next one that does is taken."""
    half, too_long = a_unit("a#u0", "半" * 200), a_unit("b#u0", "长" * 201)
    found = candidates(half, too_long, RATIO)
    assert choose(found, np.array([1.0, 0.9, 0.8]), WIDE, one_thing=True) == [0, 2]


def test_ties_go_by_id() -> None:
    """Equal scores are ordered by id and not by how units came in."""
    monthly = a_unit("nursing#u1", "护理费按月结算。", 50)
    assert choose(candidates(RETIRED, monthly, RATIO), np.zeros(3), WIDE, one_thing=True) == [2, 1, 0]


def test_nothing_to_choose_from_is_insufficient(idf: Idf) -> None:
    """Without candidates there is no evidence, and nobody guesses."""
    found = EvidenceFinder(by("bm25_unit"), idf).find("护理费", (), candidates())
    assert (found.units, found.pool, found.sufficiency, found.sufficient) == ((), (), 0.0, False)


def test_a_year_asked_for_must_be_there(idf: Idf) -> None:
    """What holds for another year is no evidence for the one asked about."""
    found = candidates(a_unit("nursing#u0", "2024年护理费由基金支付75%。"))
    rows = [
        sufficiency_row(f"{year}年护理费", (), found, np.zeros(1), idf, ["year_absent"])[0] for year in (2024, 2026)
    ]
    assert rows == [0.0, 1.0]


def test_who_stands_alone_leads(idf: Idf) -> None:
    """The lead is 0 for a best unit far above the others, and lower the more are near it."""
    found = candidates(RATIO, LEAD_IN)
    leads = [sufficiency_row("护理费", (), found, np.array(s), idf, ["lead"])[0] for s in ([99.0, 0.0], [1.0, 1.0])]
    assert leads == [pytest.approx(0.0), pytest.approx(-math.log(2))]


def test_sufficiency_is_a_probability_against_a_threshold(idf: Idf) -> None:
    """The logistic of the fitted score; at the threshold it suffices."""
    found = candidates(RATIO, bm25=(1.0,))
    full = 1 / (1 + math.exp(-5))
    enough = EvidenceFinder(by("bm25_unit", threshold=0.99), idf).find("护理", (), found)
    assert (enough.sufficiency, enough.sufficient) == (pytest.approx(full, abs=1e-4), True)
    assert not EvidenceFinder(by("bm25_unit", threshold=0.994), idf).find("护理", (), found).sufficient
    assert not EvidenceFinder(by("bm25_unit", threshold=0.5), idf).find("停车", (), found).sufficient


def test_the_pool_goes_on_below_the_chosen(idf: Idf) -> None:
    """A model that chooses for itself sees the chosen units first, then the rest in rank order, none overlapping."""
    item = a_unit("dental#u2", "身份证；", 7)
    found = candidates(RATIO, LEAD_IN, ITEMS, item, bm25=(9.0, 1.0, 5.0, 4.0))
    evidence = EvidenceFinder(by("bm25_unit", margins=Margins(0.1, 0.1, 0.1)), idf).find("护理费", (), found)
    assert [u.id for u in evidence.units] == ["nursing#u0"]
    assert [u.id for u in evidence.pool] == ["nursing#u0", "dental#u0", "nursing#u1"]


def test_the_part_that_answers_is_named(idf: Idf) -> None:
    """Where one sentence can answer, the best part of a chosen list is named; where a list is asked for, none."""
    item = a_unit("dental#u2", "身份证；", 7)
    other = a_unit("dental#u3", "银行卡。", 11)
    found = candidates(ITEMS, item, other, bm25=(9.0, 1.0, 8.5))
    finder = EvidenceFinder(by("bm25_unit"), idf)
    assert finder.find("补贴发到哪张银行卡", (), found).details == {"dental#u0": other}
    assert finder.find("申请要哪些材料", (), found).details == {}


def test_a_part_that_answers_far_worse_is_not_named(idf: Idf) -> None:
    """Where the whole is needed, it stays whole."""
    rest = [a_unit(f"nursing#u{n}", f"第{n}句话。", n * 20) for n in range(40)]
    found = candidates(ITEMS, a_unit("dental#u2", "身份证；", 7), *rest, bm25=(9.0, *(1.0 for _ in range(41))))
    assert EvidenceFinder(by("bm25_unit"), idf).find("补贴发到哪张卡", (), found).details == {}


def test_a_part_lies_in_the_same_document(idf: Idf) -> None:
    """Equal offsets in another document are no part."""
    elsewhere = a_unit("glasses#u0", "配镜。", 2)
    assert ITEMS.span.contains(elsewhere.span)
    found = candidates(ITEMS, elsewhere, bm25=(9.0, 5.0))
    assert EvidenceFinder(by("bm25_unit"), idf).find("补贴发到哪张卡", (), found).details == {}


def test_a_unit_shows_its_lead_in_first() -> None:
    """What a unit can't be read without is cited with it, in reading order."""
    row = a_unit("dental#u1", "| 6周岁以下 | 300元 |", 90, lead=(Span(40, 60),))
    assert row.spans == (Span(40, 60), row.span)
