"""Where one is insured, as far as a question says so, and whether a text is for those insured there.

Knows that 绍兴参保人在宁波就医 is no rule for 宁波参保. The words that tell which place insures are the job of `roles`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterator
from itertools import pairwise

from rag import places
from rag.domain import Value
from rag.retrieve.roles import roles

_STRANGER = re.compile(
    r"外[地省市](?:人|的|来|户|参保|医保|社保|职工|居民|患者|病人)|异地(?:参保|医保|社保|人员|患者|来)|非(?:本地|本市|当地)"
)
# Between two places that are told of together.
_AND = re.compile(r"市?(?:和|与|及|、|以及)")


class Insurance(Value):
    """Where one is insured, as far as the question or the caller says so, and where one is not."""

    own: frozenset[str] = frozenset()
    strange: frozenset[str] = frozenset()

    def admits(self, text: str) -> bool:
        """Whether a text holds for those insured here; 绍兴参保人在宁波就医 does not for 宁波参保."""
        theirs = _insured_there(text) if self.own or self.strange else frozenset()
        if not theirs:
            return True
        if self.own:
            return places.any_related(self.own, theirs)
        return not theirs <= self.strange


def insurance(question: str, asked_places: Collection[str]) -> Insurance:
    """What a question about these places says of the insurance.

    外地人在宁波看病 is about 宁波, and not about those insured there.
    """
    told = {role.name: role for role in roles(question)}
    own = [place for place in asked_places if place not in told or not told[place].treats]
    if any(place not in told or told[place].own for place in own):
        return Insurance(own=frozenset(own))
    if not own and _STRANGER.search(question):
        return Insurance(strange=frozenset(asked_places))
    return Insurance()


@functools.lru_cache(20_000)  # the same units come up with every question
def _insured_there(text: str) -> frozenset[str]:
    """The places in which a text insures somebody; one beside them is theirs, too: 宁波和杭州的参保人员."""
    theirs = {role.name for role in roles(text) if role.insures}
    return frozenset(theirs | {one for one, other in _side_by_side(text) if other in theirs})


def _side_by_side(text: str) -> Iterator[tuple[str, str]]:
    """Two places that stand together: 宁波、杭州, 宁波和杭州."""
    for (one, _, end), (other, start, _) in pairwise(places.located(text)):
        if _AND.fullmatch(text, end, start):
            yield one, other
