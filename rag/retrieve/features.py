"""What a question and the units found for it look like in figures: the rows that the two models of `evidence` see.

Knows features. Their weights are fitted (`evals fit`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Literal

import numpy as np

from rag import places, qualifiers
from rag.domain import EvidenceUnit
from rag.retrieve import cues
from rag.retrieve.asks import asking, asks
from rag.retrieve.choosing import Candidates, Margins, choose
from rag.retrieve.eligibility import local
from rag.retrieve.linear import Matrix
from rag.retrieve.narrowing import Narrowing
from rag.retrieve.wording import worded
from rag.text import fold
from rag.tokens import terms, topic_terms, topic_words

# What an index has vectors of: chunks and units, chunks alone, nothing.
Profile = Literal["hybrid", "chunks", "lexical"]

_RAREST = 2
# What a word counts of which all characters, but not the word, are there.
_SOME = 0.8
_ANNOUNCES = re.compile(
    r"[:：?？]$|如下[。:：]?$|以下(?:是|为|将).{0,30}$|(?:具体内容|详细(?:说明|介绍|解答|信息))[。:：]?$"
)

RANK_FEATURES = (
    "announces", "excerpt", "figure", "qualifiers", "excluded", "list", "list_unasked", "length",
    "bm25_unit", "bm25_chunk", "cosine", "cosine_chunk", "local", "alike",
)  # fmt: skip
SUFFICIENCY_FEATURES = (
    "coverage", "rarest", "unseen", "unseen_terms", "place_absent", "figure_absent", "year_absent", "excluded",
    "lead", "alike", "alike_top", "least_alike", "two_least_alike", "unlike", "words", "place_asked",
    "cosine_top", "cosine_best", "cosine_chunk_best", "ask_alike", "ask_alike_top", "ask_coverage", "ask_words",
    "asks", "cell_absent",
)  # fmt: skip
_OF_UNITS = frozenset({"cosine", "cosine_top", "cosine_best"})
_OF_CHUNKS = frozenset({"cosine_chunk", "cosine_chunk_best"})
_MISSING: Mapping[Profile, frozenset[str]] = {
    "hybrid": frozenset(), "chunks": _OF_UNITS, "lexical": _OF_UNITS | _OF_CHUNKS,
}  # fmt: skip
# Units that tell whether there is an answer: fewer than are worth citing beside it.
_CORE = Margins(within=1.5, elsewhere=0.5, elsewhere_several=0.5)


def feature_names(names: Sequence[str], profile: Profile) -> tuple[str, ...]:
    """The features that a profile has."""
    return tuple(name for name in names if name not in _MISSING[profile])


def rank_rows(question: str, asked_places: Collection[str], found: Candidates, names: Sequence[str]) -> Matrix:
    """One row a candidate. Scores are taken relative to the best candidate, in units of their spread."""
    types, listed = cues.answer_types(question), cues.wants_list(question)
    asked = qualifiers.mentioned(question)
    texts = [with_titles(unit) for unit in found.units]
    is_list = np.array([unit.kind == "list" for unit in found.units], dtype=float)
    makers: dict[str, Callable[[], Sequence[float] | Matrix]] = {
        "announces": lambda: [float(bool(_ANNOUNCES.search(unit.text))) for unit in found.units],
        "excerpt": lambda: [float(p.document.kind == "excerpt") for p in found.passages],
        "figure": lambda: [float(cues.has_figure(unit.text, types)) for unit in found.units],
        "qualifiers": lambda: [float(qualifiers.shared(asked, qualifiers.mentioned(t))) for t in texts],
        "excluded": lambda: [float(qualifiers.excluded(asked, qualifiers.restricted(t))) for t in texts],
        "list": lambda: is_list * listed,
        "list_unasked": lambda: is_list * (not listed),
        "length": lambda: [math.log(len(unit.text)) for unit in found.units],
        "bm25_unit": lambda: _relative(found.bm25_unit),
        "bm25_chunk": lambda: _relative(found.bm25_chunk),
        "cosine": lambda: _relative(found.cosine),
        "cosine_chunk": lambda: _relative(found.cosine_chunk),
        "local": lambda: [local(p.document, asked_places) for p in found.passages],
        "alike": lambda: _alike(_topic(worded(question)), texts),
    }
    return np.column_stack([np.asarray(makers[name](), dtype=float) for name in names])


def sufficiency_row(
    question: str,
    asked_places: Collection[str],
    found: Candidates,
    scores: Matrix,
    idf: Callable[[str], float],
    names: Sequence[str],
) -> Matrix:
    """One row about the question: how much of it and of what it asks the best units carry, and how near they are.

    Who tells a long story asks for little of it.
    """
    chosen = choose(found, scores, _CORE, one_thing=True)
    several, cell_absent = len(asks(question)), Narrowing(found.units, question, asked_places).cell_absent(chosen[0])
    ask, question = worded(asking(question)), worded(question)
    named = {term for place in asked_places for term in terms(place)}
    weights = {term: idf(term) for term in topic_terms(question) if term not in named}
    unseen = {term for term, weight in weights.items() if weight >= idf("\x00")}
    known = {term: weight for term, weight in weights.items() if term not in unseen}
    texts = [with_titles(found.units[i]) for i in chosen]
    carried = {term for text in texts for term in terms(text)}
    types, years = cues.answer_types(ask), cues.years(question)
    named_there = {name for text in texts for name in places.find(text)}
    asked = qualifiers.mentioned(question)
    words, ask_words = [word for word in _topic(question) if word not in named], _topic(ask)
    alike, alike_top = _likeness(words, "".join(texts)), _likeness(words, texts[0])
    values = {
        "coverage": _carried_share(known, carried),
        "rarest": _carried_share(dict(sorted(known.items(), key=lambda t: -t[1])[:_RAREST]), carried),
        "unseen": len(unseen) / max(len(weights), 1),
        "unseen_terms": float(len(unseen)),
        "place_absent": float(bool(asked_places) and not places.any_related(asked_places, named_there)),
        "figure_absent": float(bool(types) and not any(cues.has_figure(found.units[i].text, types) for i in chosen)),
        "year_absent": float(bool(years) and not any(year in text for year in years for text in texts)),
        "lead": _lead(scores),
        "alike": float(alike.mean()),
        "alike_top": float(alike_top.mean()),
        "least_alike": float(alike[0]),
        "two_least_alike": float(alike[:2].mean()),
        "unlike": float((alike == 0).sum()),
        "words": float(len(words)),
        "place_asked": float(bool(asked_places)),
        "excluded": float(min(qualifiers.excluded(asked, qualifiers.restricted(t)) for t in texts)),
        "cosine_top": float(found.cosine[chosen[0]]),
        "cosine_best": float(found.cosine.max()),
        "cosine_chunk_best": float(found.cosine_chunk.max()),
        "ask_alike": float(_likeness(ask_words, "".join(texts)).mean()),
        "ask_alike_top": float(_likeness(ask_words, texts[0]).mean()),
        "ask_coverage": _carried_share({term: idf(term) for term in topic_terms(ask)}, carried),
        "ask_words": float(len(ask_words)),
        "asks": float(several),
        "cell_absent": float(cell_absent),
    }
    return np.array([values[name] for name in names])


def _likeness(words: Sequence[str], text: str) -> Matrix:
    """How much of each word stands in `text`, least first: 1 for the word, less for some of its characters.

    救护车 is somewhat like 急救车费, and 双胞胎 like nothing in a table of 顺产 and 剖宫产. Without words: a single 1.
    """
    return np.sort(np.asarray(_each_alike(words, text) or [1.0], dtype=float))


def _alike(words: Sequence[str], texts: Sequence[str]) -> Matrix:
    """For each text the mean likeness of the words, each relative to the text that is most like it."""
    found = np.asarray([_each_alike(words, text) or [1.0] for text in texts], dtype=float)
    best = found.max(axis=0)
    return np.asarray((found / np.where(best > 0, best, 1.0)).mean(axis=1))


def _each_alike(words: Sequence[str], text: str) -> list[float]:
    key = fold(text)
    return [1.0 if word in key else _SOME * sum(c in key for c in word) / len(word) for word in dict.fromkeys(words)]


def _topic(question: str) -> list[str]:
    """The words of a question that say what it is about, and not how people ask."""
    return [word for word in topic_words(question) if word not in cues.SPOKEN]


def _lead(scores: Matrix) -> float:
    """Log of the best candidate's share under the ranking model: 0 when it stands alone."""
    above = scores - scores.max()
    return -float(np.log(np.exp(above).sum()))


def _carried_share(weights: Mapping[str, float], carried: Collection[str]) -> float:
    total = sum(weights.values())
    return sum(w for term, w in weights.items() if term in carried) / total if total else 0.0


def _relative(scores: Matrix) -> Matrix:
    spread = scores.std()
    return (scores - scores.max()) / spread if spread > 1e-9 else np.zeros_like(scores)  # noqa: PLR2004


def with_titles(unit: EvidenceUnit) -> str:
    """A unit under the headings that it stands below."""
    return "：".join((*unit.title_path, unit.text))
