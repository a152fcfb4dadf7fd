"""Whom to ask comes from a table of ours."""

from __future__ import annotations

import re

import pytest

from rag.answer.contacts import hotline, triage_text
from rag.domain import TriageReason


def test_the_hotline_is_that_of_medical_insurance() -> None:
    """12393 is the medical insurance hotline everywhere in the country."""
    assert hotline() == "12393"


@pytest.mark.parametrize("english", [False, True])
@pytest.mark.parametrize(
    ("reason", "numbers"),
    [("emergency", {"120"}), ("self_harm", {"120", "110", "12356"}), ("medical_advice", {"120"})],
)
def test_triage_names_its_lines_and_no_other_figure(reason: TriageReason, numbers: set[str], *, english: bool) -> None:
    """Whoever is in danger finds the numbers to call, and nothing that could be taken for a rule of insurance."""
    text = triage_text(reason, english=english)
    assert set(re.findall(r"\d+", text)) == numbers
    assert not re.search(r"[%％]|[一二三四五六七八九十百千万]+(?:元|成|天|日|年)", text)


@pytest.mark.parametrize("reason", ["emergency", "self_harm", "medical_advice"])
def test_triage_speaks_the_language_of_the_question(reason: TriageReason) -> None:
    """English holds no Chinese characters; Chinese no English words."""
    assert not re.search(r"[\u4e00-\u9fff]", triage_text(reason, english=True))
    assert not re.search(r"[A-Za-z]", triage_text(reason, english=False))


def test_an_emergency_hears_of_120_first() -> None:
    """Money comes last."""
    assert triage_text("emergency", english=False).index("120") < triage_text("emergency", english=False).index("费用")
    assert triage_text("emergency", english=True).index("120") < triage_text("emergency", english=True).index("costs")
