"""The gold set itself: its evidence stands in the corpus, its parts are large enough, its halves share no question."""

from __future__ import annotations

import itertools
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from evals.dataset import GOLD, GoldExample, forbidden_in, holds_fact, load, resolve
from evals.library import Library, NoBudget, read_library
from tests.evals.samples import CORPUS, an_example

CATEGORIES = frozenset(
    {
        "fact",
        "number",
        "procedure",
        "multi_document",
        "conflict",
        "person",
        "region",
        "colloquial",
        "english",
        "traditional",
        "false_premise",
        "follow_up",
        "injection",
        "unanswerable",
        "out_of_scope",
        "medical",
        "emergency",
    }
)
OURS = sorted(GOLD.glob("*.jsonl"))
SEEDS = sorted((GOLD / "seeds").glob("*.jsonl"))
# From here on two questions are one question in other words.
TOO_NEAR = 0.6


@pytest.fixture(scope="module")
def gold() -> list[GoldExample]:
    """All examples over the corpus."""
    return load(OURS)


@pytest.fixture(scope="module")
def library() -> Library:
    """The corpus."""
    return read_library([CORPUS], NoBudget())


def _test_half(examples: Sequence[GoldExample]) -> list[GoldExample]:
    return [e for e in examples if e.split == "test"]


def _needed(example: GoldExample, library: Library) -> str:
    return "\n".join(library.text(path)[span.start : span.end] for path, span in resolve(example, library).needed)


def test_every_quote_stands_exactly_once_in_its_document(gold: list[GoldExample], library: Library) -> None:
    """Whoever changes a document changes the gold with it."""
    lost = []
    for example in gold:
        try:
            resolve(example, library)
        except ValueError as error:
            lost.append(str(error))
    assert lost == []


def test_every_fact_stands_in_its_evidence(gold: list[GoldExample], library: Library) -> None:
    """What a right answer must say can be said from the evidence."""
    assert [e.id for e in gold if not all(holds_fact(_needed(e, library), fact) for fact in e.facts)] == []


def test_no_answer_is_right_and_wrong(gold: list[GoldExample]) -> None:
    """A forbidden string stands in none of the wordings that are right."""
    told = {e.id: forbidden_in("\n".join(itertools.chain(*e.facts)), e.forbidden) for e in gold}
    assert {name: words for name, words in told.items() if words} == {}


def test_no_fact_is_empty(gold: list[GoldExample]) -> None:
    """An empty string stands in everything."""
    texts = [text for e in gold for text in (*itertools.chain(*e.facts), *e.forbidden)]
    assert all(text.strip() for text in texts)
    assert [e.id for e in gold if () in e.facts] == []


def test_answers_have_evidence_and_the_rest_has_a_reason(gold: list[GoldExample]) -> None:
    """What must be answered has facts and evidence; what must not has neither, and says why not."""
    answers = [e for e in gold if e.kind == "answer"]
    assert [e.id for e in answers if not (e.facts and e.evidence and e.reason is None)] == []
    assert [e.id for e in gold if e.kind != "answer" and (e.facts or e.evidence or e.reason is None)] == []


def test_ids_are_unique_over_all_files() -> None:
    """A verdict names one question."""
    ids = Counter(e.id for e in load([*OURS, *SEEDS]))
    assert [name for name, times in ids.items() if times > 1] == []


def test_follow_ups_follow_something(gold: list[GoldExample]) -> None:
    """A question that needs the turns before it has them."""
    assert [e.id for e in gold if e.category == "follow_up" and not e.conversation] == []


def test_the_set_is_large_enough(gold: list[GoldExample]) -> None:
    """Differences of a few percent can be seen."""
    assert len(gold) >= 360


@pytest.mark.parametrize("category", sorted(CATEGORIES))
def test_the_test_half_asks_all_categories(gold: list[GoldExample], category: str) -> None:
    """At least ten of each."""
    assert sum(e.category == category for e in _test_half(gold)) >= 10


def test_the_test_half_holds_enough_that_must_be_declined(gold: list[GoldExample]) -> None:
    """A service that answers everything is found out."""
    assert sum(e.kind != "answer" for e in _test_half(gold)) >= 40


def test_the_red_team_is_large_enough_and_says_what_is_wrong() -> None:
    """Every attack has words that only a service that fell for it would say, and none is there to be fitted on."""
    red = load([GOLD / "redteam.jsonl"])
    assert len(red) >= 80
    assert [e.id for e in red if not e.forbidden or e.split != "test"] == []


# Halves


def _bigrams(question: str) -> set[str]:
    key = "".join(c for c in unicodedata.normalize("NFKC", question).casefold() if c.isalnum())
    return {key[i : i + 2] for i in range(max(1, len(key) - 1))}


def _near(examples: Sequence[GoldExample]) -> Iterator[tuple[str, str, float]]:
    """Questions of the two halves that share too many bigrams, with the share."""
    keys = [(e, _bigrams(e.question)) for e in examples]
    for (one, a), (other, b) in itertools.combinations(keys, 2):
        share = len(a & b) / len(a | b)
        if one.split != other.split and one.conversation == other.conversation and share >= TOO_NEAR:
            yield one.id, other.id, round(share, 3)


@pytest.mark.parametrize("files", [OURS, SEEDS], ids=["corpus", "pages"])
def test_no_question_of_one_half_is_in_the_other(files: list[Path]) -> None:
    """What was fitted on a development question would look like skill on its rewording."""
    assert list(_near(load(files))) == []


@pytest.mark.parametrize(
    ("other", "near"),
    [
        ("宁波职工医保的陪护床费，能报销多少", True),
        ("宁波职工医保陪护床费能报多少？", True),
        ("陪护床费在宁波怎么报，职工医保？", False),
        ("绍兴居民医保的门诊起付线是多少？", False),
    ],
)
def test_rewordings_are_noticed(other: str, near: bool) -> None:  # noqa: FBT001 - a table
    """Punctuation and a word or two make no other question."""
    examples = [an_example("宁波职工医保的陪护床费能报销多少？"), an_example(other, id="other", split="dev")]
    assert bool(list(_near(examples))) is near


def test_the_same_words_after_other_turns_are_another_question() -> None:
    """“那门诊呢？” asks for what was spoken of."""
    turns = ({"role": "user", "content": "宁波住院报多少？"},)
    examples = [an_example("那门诊呢？"), an_example("那门诊呢？", id="other", split="dev", conversation=turns)]
    assert list(_near(examples)) == []
