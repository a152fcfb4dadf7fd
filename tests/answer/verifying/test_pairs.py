"""True paraphrases pass, and changed ones are found: shares over pairs written by hand for development.

`pairs.jsonl` has evidence of the corpus, of statutes and of insurance clauses, each with true claims in words of their
own and with such claims in which one thing is wrong. The shares are floors: the checks do better on claims that stay
closer to their evidence.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from rag.answer.verifying.checking import check

# What is found at least, of a hundred.
FLOORS = {
    "number": 97,
    "unit": 97,
    "date": 97,
    "place": 92,
    "person": 88,
    "qualifier": 88,
    "list": 92,
    "bound": 84,
    "polarity": 85,
}


@cache
def rows() -> list[dict[str, Any]]:
    """Every row: `evidence`, `title`, `true` claims and `changed` ones with their kind."""
    lines = (Path(__file__).parent / "pairs.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_true_paraphrases_pass() -> None:
    """Of true claims in other words at least 97 of 100 stand."""
    passed = [not check(claim, [row["evidence"]], row["title"]) for row in rows() for claim in row["true"]]
    assert len(passed) >= 200
    assert sum(passed) >= 0.97 * len(passed)


@cache
def caught() -> dict[str, tuple[int, int]]:
    """By kind: how many of the changed claims are found, and how many there are."""
    found: Counter[str] = Counter()
    there: Counter[str] = Counter()
    for row in rows():
        for kind, claim in row["changed"]:
            there[kind] += 1
            found[kind] += bool(check(claim, [row["evidence"]], row["title"]))
    return {kind: (found[kind], there[kind]) for kind in there}


@pytest.mark.parametrize(("kind", "floor"), FLOORS.items())
def test_changed_paraphrases_are_found(kind: str, floor: int) -> None:
    """Of claims in other words with one thing wrong, most are found, whatever the kind."""
    found, there = caught()[kind]
    assert 100 * found >= floor * there
