"""The clauses of a text, and which of them speak of the same as a clause of another.

Knows marks of punctuation and the share of content words that two clauses have in common. What is wrong where two
clauses that speak of the same say different things is the job of `modality` and `waivers`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from itertools import pairwise

from rag.answer.verifying import polarity
from rag.answer.verifying.slots import slots

_CLAUSE_END = re.compile(r"[，。；：！？,;:!?|\n]")
# Fitted on development pairs: the share of a clause's wording that has to stand in another for it to speak of the same,
# and how near to the best another one counts as well.
SAME = 0.6
TIE = 0.15
# The share both ways for two clauses to be the same but for a word of duty or denial.
MIRROR = 0.75
_HALF = 2


def clauses(text: str) -> list[str]:
    """The parts between marks of punctuation; a table's row stays whole, as one of its cells may deny another."""
    return [
        clause
        for line in text.split("\n")
        for clause in ([line] if line.startswith("|") and polarity.negations(line) else _CLAUSE_END.split(line))
        if clause.strip()
    ]


@functools.lru_cache(maxsize=2048)
def content(clause: str) -> frozenset[str]:
    """The content words but for figures, which `binding` compares."""
    for slot in reversed(slots(clause)):
        clause = clause[: slot.start] + "，" + clause[slot.end :]
    return frozenset(word.text for word in polarity.content(clause))


def share(own: frozenset[str], other: str) -> float:
    """The share of some content words that stand in a clause, weighed by length."""
    return _share(own, content(other), other)


def alike(own: frozenset[str], there: Sequence[str]) -> list[str]:
    """The clauses that carry a clause's words best, or nearly so."""
    return _best([(share(own, other), other) for other in there])


def alike_or_joined(own: frozenset[str], there: Sequence[str]) -> list[str]:
    """The same of clauses and of neighbours joined; a clause that needs not the one before it stands for both."""
    alone = [(share(own, other), other) for other in there]
    pairs = [(_share_of_both(own, one, other), f"{one}，{other}") for one, other in pairwise(there)]
    joined = [both for both, (carried, _) in zip(pairs, alone[1:], strict=True) if carried < both[0]]
    return _best([*alone, *joined])


def _best(shares: Sequence[tuple[float, str]]) -> list[str]:
    least = max([SAME, *(carried - TIE for carried, _ in shares)])
    return [other for carried, other in shares if carried >= least]


def _share_of_both(own: frozenset[str], one: str, other: str) -> float:
    """The share in two neighbours; a word across the comma there is none."""
    return _share(own, content(one) | content(other), f"{one}，{other}")


def _share(own: frozenset[str], known: frozenset[str], text: str) -> float:
    carried = sum(len(word) for word in own if word in known or all(part in text for part in _parts(word)))
    return carried / sum(map(len, own)) if own else 0.0


def _parts(word: str) -> tuple[str, ...]:
    """A word of four characters by its halves: 解除合同 stands in 解除本合同."""
    return (word[:_HALF], word[_HALF:]) if len(word) == 2 * _HALF else (word,)
