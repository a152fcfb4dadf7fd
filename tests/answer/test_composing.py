"""What a model wrote stands only where it is proven; everything else is said in the sources' own words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answer.composing import ComposedClaim, compose, quoted, readable, removed
from rag.answer.verifying.checking import check, completeness
from rag.answer.verifying.slots import slots
from rag.domain import DraftClaim, Evidence, EvidenceUnit, Span
from rag.prompts import load_prompt

PROMPTS = Path(__file__).parents[2] / "prompts"
BEDS = "参保人员住院期间的陪护床费，由统筹基金按70%的比例报销，每日最高40元。"
MEALS = "陪护人员的餐费和停车费不在支付范围内。"
LONG = "需要说明的是，参保人员住院期间的陪护床费，由统筹基金按70%的比例予以报销。此外，每日的最高限额为40元。"


def unit(text: str, number: int = 0, start: int = 0) -> EvidenceUnit:
    """A sentence of a document on attendants' costs."""
    span = Span(start, start + len(text))
    return EvidenceUnit(f"d#u{number}", "d", "d#c0", "sentence", span, title_path=("宁波陪护费用",), text=text)


Sentence = tuple[str, tuple[int, ...]]


def evidence(*units: EvidenceUnit, details: dict[str, EvidenceUnit] | None = None) -> Evidence:
    """Units that suffice."""
    return Evidence(units, units, 0.9, sufficient=True, details=details or {})


def composed(found: Evidence, *sentences: Sentence, chooses: bool = False, broken: bool = False) -> list[ComposedClaim]:
    """The claims of an answer for which the model was shown the evidence and wrote the sentences."""
    composer = compose("陪护床费报多少？", found, found.units, chooses=chooses)
    claims = [claim for text, numbers in sentences for claim in composer.take(DraftClaim(text, numbers))]
    return [*claims, *composer.rest(broken=broken)]


def selected(units: tuple[EvidenceUnit, ...], *sentences: Sentence) -> list[ComposedClaim]:
    """What a model that may choose makes of the units."""
    return composed(evidence(*units), *sentences, chooses=True)


def said(composed: list[ComposedClaim]) -> list[tuple[str, str]]:
    """Mode and text of each claim."""
    return [(claim.mode, claim.text) for claim in composed]


FALSE = [
    "参保人员陪护床费按80%的比例报销，每日最高40元。",
    "参保人员陪护床费按70%的比例报销，每日最高400元。",
    "参保人员陪护床费按70元报销，每日最高40%。",
    "参保人员陪护床费按百分之百的比例报销。",
    "参保人员陪护床费不按70%的比例报销，每日最高40元。",
    "退休参保人员陪护床费按70%的比例报销，每日最高40元。",
    "温州参保人员陪护床费按70%的比例报销，每日最高40元。",
    "参保人员陪护床费按70%的比例报销，每日最高40元，疑问请拨打96345。",
]


@pytest.mark.parametrize("text", FALSE)
def test_a_chosen_claim_that_its_evidence_does_not_carry_is_replaced_by_the_evidence(text: str) -> None:
    """The reader gets the source's words, marked as quoted."""
    assert said(selected((unit(BEDS),), (text, (1,)))) == [("quoted", BEDS)]


@pytest.mark.parametrize("text", FALSE)
def test_a_rewording_that_its_evidence_does_not_carry_is_replaced_by_the_evidence(text: str) -> None:
    """The same holds for a model that only phrases."""
    one = unit(BEDS)
    assert said(composed(evidence(one), (text, (1,)))) == [("quoted", BEDS)]


def test_a_chosen_claim_that_stands_keeps_the_models_words() -> None:
    """It cites all the units that the model named."""
    one, two = unit(BEDS, 0), unit(MEALS, 1, 100)
    text = "陪护床费按70%的比例报销，每日最高40元；餐费不在支付范围内。"
    (claim,) = selected((one, two), (text, (1, 2)))
    assert (claim.mode, claim.text, claim.units) == ("generated", text, (one, two))


def test_a_figure_counts_only_from_the_unit_that_is_cited() -> None:
    """That another shown unit has the figure proves nothing."""
    one, two = unit(MEALS, 0), unit(BEDS, 1, 100)
    assert said(selected((one, two), ("餐费和停车费每日40元。", (1,)))) == [("quoted", MEALS)]


def test_a_quote_is_not_repeated() -> None:
    """Two false claims about one unit are replaced by one quote."""
    one = unit(BEDS)
    assert said(selected((one,), (FALSE[0], (1,)), (FALSE[1], (1,)))) == [("quoted", BEDS)]


def test_a_claim_is_not_repeated() -> None:
    """A sentence that the model wrote twice is said once, whatever its width."""
    one = unit(BEDS)
    text = "陪护床费按70%的比例报销，每日最高40元。"
    assert said(selected((one,), (text, (1,)), (text.replace("7", "\uff17"), (1,)))) == [("generated", text)]


def test_a_model_that_chooses_nothing_says_nothing() -> None:
    """An empty draft declines."""
    assert selected((unit(BEDS),)) == []


def test_a_shorter_rewording_that_keeps_every_figure_is_used() -> None:
    """It stands for its unit."""
    one = unit(LONG)
    text = "参保人员住院期间陪护床费统筹基金报销70%，每日最高限额40元。"
    (claim,) = composed(evidence(one), (text, (1,)))
    assert (claim.mode, claim.text, claim.units) == ("generated", text, (one,))


@pytest.mark.parametrize(
    "text",
    [
        "参保人员住院期间陪护床费统筹基金报销70%。",
        "参保人员住院期间陪护床费每日最高限额40元，统筹基金报销70%。",
        "需要说明的是，其实" + LONG,
    ],
)
def test_a_rewording_that_loses_reorders_or_pads_is_not_used(text: str) -> None:
    """The unit itself is shorter or says more."""
    one = unit(LONG)
    assert said(composed(evidence(one), (text, (1,)))) == [("quoted", LONG)]


def test_a_model_that_phrases_can_neither_add_nor_drop_a_unit() -> None:
    """Units it did not write about are quoted; there are as many claims as chosen units."""
    one, two = unit(LONG, 0), unit(MEALS, 1, 200)
    assert said(composed(evidence(one, two))) == [("quoted", LONG), ("quoted", MEALS)]


def test_a_rewording_may_narrow_a_unit_to_the_part_that_answers() -> None:
    """It then cites the part alone."""
    part = unit("此外，每日的最高限额为40元。", 1, LONG.index("此外"))
    one = unit(LONG)
    found = evidence(one, details={one.id: part})
    (claim,) = composed(found, ("每日最高限额为40元。", (1,)))
    assert (claim.mode, claim.units) == ("generated", (part,))


def test_a_unit_is_settled_when_the_model_goes_on_to_a_later_one() -> None:
    """Its claim is final then: a sentence that comes back to it changes nothing."""
    one, two = unit(LONG, 0), unit(MEALS, 1, 200)
    composer = compose("陪护床费报多少？", evidence(one, two), (one, two), chooses=False)
    short = "参保人员住院期间陪护床费统筹基金报销70%，每日最高限额40元。"
    assert composer.take(DraftClaim(short, (1,))) == []
    assert said(composer.take(DraftClaim("餐费不支付。", (2,)))) == [("generated", short)]
    assert composer.take(DraftClaim(BEDS, (1,))) == []
    assert said(composer.rest(broken=False)) == [("quoted", MEALS)]


def test_a_refused_claim_is_quoted_only_where_the_quote_answers() -> None:
    """A unit that the ranking does not hold for evidence stays out, though the model named it."""
    one, two = unit(BEDS, 0), unit(MEALS, 1, 100)
    composer = compose("陪护床费报多少？", evidence(one), (one, two), chooses=True)
    assert composer.take(DraftClaim("餐费每日40元。", (2,))) == []
    assert composer.rest(broken=False) == []
    assert "number" in {problem.kind for problem in composer.failed[0][1]}


def test_a_model_that_broke_off_leaves_the_evidence() -> None:
    """Before it said anything, all of the evidence is quoted; later, what was proven stands."""
    one, two = unit(BEDS, 0), unit(MEALS, 1, 100)
    assert said(composed(evidence(one, two), chooses=True, broken=True)) == [("quoted", BEDS), ("quoted", MEALS)]
    good = ("陪护床费按70%的比例报销，每日最高40元。", (1,))
    assert said(composed(evidence(one, two), good, chooses=True, broken=True)) == [("generated", good[0])]


def test_quotes_keep_the_order_of_the_units() -> None:
    """Best first, one claim each, each citing its own unit."""
    one, two = unit(BEDS, 0), unit(MEALS, 1, 100)
    assert [(c.mode, c.text, c.units) for c in quoted((one, two))] == [
        ("quoted", BEDS, (one,)),
        ("quoted", MEALS, (two,)),
    ]


READABLE = [
    ("| 级别 | 比例 |\n| --- | --- |\n| 三级 | 85% |\n| 二级 | 90% |", "级别：三级；比例：85%\n级别：二级；比例：90%"),
    ("| 级别 | 比例 |\n| 三级 | 85% |", "级别：三级；比例：85%"),
    ("| 级别 | 比例 | | --- | --- | | 三级 | 85% | | 二级 | 90% |", "级别：三级；比例：85%\n级别：二级；比例：90%"),
    ("| 只有一行 | 500元 |", "只有一行；500元"),
    ("- 身份证；\n- 银行卡2张", "身份证；\n银行卡2张"),
    ("需要以下材料： - 身份证； - 银行卡。", "需要以下材料：\n· 身份证；\n· 银行卡。"),
    ("报销比例为50% - 60%，限额2000元 - 3000元。", "报销比例为50% - 60%，限额2000元 - 3000元。"),
    ("有效期为6个月 - 12个月。", "有效期为6个月 - 12个月。"),
    ("适用于2024年 - 2025年。", "适用于2024年 - 2025年。"),
    ("限额为2万 - 3万元。", "限额为2万 - 3万元。"),
    ("| 级别 | 比例 | 备注 |\n| 三级 | 85% | |", "级别：三级；比例：85%"),
    ("| 级别 | 2025年比例 | 限额 |\n| 三级 | | 600元 |", "级别：三级；限额：600元"),
    (BEDS, BEDS),
]


@pytest.mark.parametrize(("text", "shown"), READABLE)
def test_lists_and_tables_are_shown_as_people_read_them(text: str, shown: str) -> None:
    """Marks go, a row is read with its header, ranges stay ranges."""
    assert readable(text) == shown


CELL = st.sampled_from(
    ["三级", "85%", "1.5万元", "6个月", "2025年标准", "12393", "0元", "50%-60%", "在职、退休", "2次/年"]
)


@settings(deadline=None)
@given(
    rows=st.integers(2, 4).flatmap(
        lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=2, max_size=5)
    )
)
def test_a_table_loses_no_figure_in_any_layout(rows: list[list[str]]) -> None:
    """With or without the rule below its header, on one line or several: every cell is read."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    ruled = [lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]]
    for text in ("\n".join(lines), "\n".join(ruled), " ".join(ruled)):
        shown = readable(text)
        assert all(cell in shown for row in rows for cell in row)
        assert {s.key for s in slots(text)} <= {s.key for s in slots(shown)}


@settings(deadline=None)
@given(items=st.lists(CELL, min_size=1, max_size=6), mark=st.sampled_from(["- ", "* ", "• ", "•", "● ", "○ "]))
def test_a_list_loses_no_item(items: list[str], mark: str) -> None:
    """Every item is read, in order."""
    shown = readable("需要：\n" + "\n".join(mark + item for item in items))
    assert shown.split("\n") == ["需要：", *items]


def test_the_prompts_own_examples_would_stand() -> None:
    """What the model is shown as a good answer passes the checks that its own answers must pass."""
    _, *turns = load_prompt(PROMPTS, "phrase").messages
    verdicts = []
    for (_, asked), (_, wrote) in zip(turns[0:-1:2], turns[1::2], strict=True):
        *shown, question = [line for line in asked.split("\n") if line != "证据："]
        for claim in json.loads(wrote)["claims"]:
            title, text = shown[claim["evidence"][0] - 1].split("）", 1)
            checked = check(claim["text"], [text], title)
            verdicts.append((*checked, *completeness(claim["text"], [text], question, title)))
    assert verdicts == [(), (), ()]


def test_what_is_in_no_claim_was_removed() -> None:
    """A sentence that a claim holds, alone or joined with another, was not."""
    beds = unit(BEDS)
    written = [DraftClaim("陪护床费报70%。", (1,)), DraftClaim("陪护床费报7%。", (1,))]
    assert removed(written, [ComposedClaim("陪护床费报70%。每日最高40元。", (beds,), "generated")]) == 1
    assert removed(written, [ComposedClaim("陪护床费报70%。", (beds,), "quoted")]) == 2
