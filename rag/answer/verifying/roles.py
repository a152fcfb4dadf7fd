"""Who does something to whom: a claim in which two that its evidence names have changed places.

Knows names of persons and bodies, and what stands between two of them: X 委托 Y, X 为 Y. A name that the
evidence lacks is found by `names`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from itertools import combinations

import rjieba

from rag.answer.verifying import contrasts, polarity
from rag.answer.verifying.names import somebody
from rag.answer.verifying.problems import Problem

_SENTENCE_END = re.compile(r"[。；！!;\n]")
_DIMENSIONS = frozenset({"party", "authority", "payer", "kin", "agent"})
_OFFICE = re.compile(r".*(?:政府|委员会|办事处)")
_TOWARDS = re.compile(r"(?<![认成作])[为向对给]")
_NEAREST = 2
_APART = re.compile(r"[被由受，。；：,;:]")

# The first does something to the second: its name, the verb or preposition between, and the other's name.
_Triple = tuple[str, str, str]


def swapped(claim: str, told: str) -> list[Problem]:
    """Pairs of which the claim says of the one what the evidence says of the other only."""
    there = {triple for sentence in _SENTENCE_END.split(told) for triple in _triples(sentence)}
    own = [triple for sentence in _SENTENCE_END.split(claim) for triple in _triples(sentence)]
    turned = [one for one in own if one[::-1] in there and one not in there]
    return [Problem("person", "".join(one), "".join(one[::-1])) for one in turned[:1]]


@functools.lru_cache(maxsize=1024)
def _triples(sentence: str) -> frozenset[_Triple]:
    names, content = _names(sentence), polarity.content(sentence)
    return frozenset(
        (first, done, second)
        for (first, _, end), (second, start, stop) in combinations(names, 2)
        if first != second and not _APART.search(sentence, end, start)
        for done in _done(sentence[end:start], [w for w in content if end <= w.start < start], content, stop)
    )


def _done(between: str, inside: Sequence[polarity.Word], content: Sequence[polarity.Word], stop: int) -> list[str]:
    """The words right before the second name, or the preposition there with the word behind the name."""
    towards = _TOWARDS.findall(between)
    if not towards:
        return [word.text for word in inside[-_NEAREST:]]
    return [towards[-1] + word.text for word in content if word.start >= stop][:1]


def _names(sentence: str) -> list[tuple[str, int, int]]:
    """The names in order, each with where it begins and ends."""
    found = [(value, start, end) for d, value, start, end in contrasts.located(sentence) if d in _DIMENSIONS]
    known, at = list(found), 0
    for word, kind in rjieba.tag(sentence):
        end = at + len(word)
        if kind[0] == "n" and (somebody(word) or _OFFICE.fullmatch(word)):
            found += [] if any(s < end and at < e for _, s, e in known) else [(str(word), at, end)]
        at = end
    return sorted(found, key=lambda name: name[1])
