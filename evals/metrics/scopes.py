"""Whose rule was answered: the place and the group that were asked for.

    region  1 if every cited document is national or of a place related to one asked for, and every claim that names
            places names such a one, and others only where its source does
    person  1 if no claim is about another insured type, or another employment, than those asked for; a claim that names
            none is about whom its titles name

Of answers to questions that name a place (a group); a question that names none goes on from the last turn that does.
Can't see a rule of another place or group that says neither in the claim nor above it whose it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from evals.dataset import GoldExample
from evals.domain import Metric, Sample, Unscored, Verdict, flag
from evals.metrics.cited import behind, titles, words
from evals.metrics.reasons import NOT_ANSWERED
from rag import places, qualifiers
from rag.domain import Answer, Claim

_WHO = ("insured_type", "employment")


def _region(sample: Sample) -> Verdict:
    if sample.answer is None:
        return NOT_ANSWERED
    asked = places.find(_asking(sample.example, places.find))
    if not asked:
        return Unscored("no place is asked for")
    return flag(_cites_near(sample, sample.answer, asked) and all(_keeps_to(asked, c, sample) for c in sample.claims))


def _cites_near(sample: Sample, answer: Answer, asked: Collection[str]) -> bool:
    documents = [sample.library.documents.get(citation.document_id) for citation in answer.citations]
    return all(d is not None and (not d.places or any(_near(p, asked) for p in d.places)) for d in documents)


def _keeps_to(asked: Collection[str], claim: Claim, sample: Sample) -> bool:
    """A source may list other places beside the one asked for, a claim of its own may not."""
    named = places.find(claim.text)
    others = [place for place in named if not _near(place, asked)]
    told = places.find(words(behind(sample, claim.citations), sample.library))
    return len(others) < max(1, len(named)) and set(others) <= set(told)


def _near(place: str, asked: Collection[str]) -> bool:
    return any(places.related(place, other) for other in asked)


def _person(sample: Sample) -> Verdict:
    if sample.answer is None:
        return NOT_ANSWERED
    asked = _groups(_asking(sample.example, _groups))
    if not asked:
        return Unscored("no group is asked for")
    return flag(not any(qualifiers.excluded(asked, _about(sample, claim)) for claim in sample.claims))


def _about(sample: Sample, claim: Claim) -> dict[str, frozenset[str]]:
    above = titles(behind(sample, claim.citations), sample.library)
    return {**qualifiers.mentioned(above), **qualifiers.mentioned(claim.text)}


def _groups(text: str) -> dict[str, frozenset[str]]:
    told = qualifiers.mentioned(text)
    return {dimension: told[dimension] for dimension in _WHO if dimension in told}


def _asking(example: GoldExample, named: Callable[[str], object]) -> str:
    """The question where it names any, else the last turn of the asker that does; else nothing."""
    turns = [turn.content for turn in reversed(example.conversation) if turn.role == "user"]
    return next((text for text in (example.question, *turns) if named(text)), "")


METRICS = (Metric("region", "flag", "high", _region), Metric("person", "flag", "high", _person))
