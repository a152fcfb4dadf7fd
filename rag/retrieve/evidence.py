"""Passages to evidence: which sentences answer the question, and whether they suffice.

Knows features of a (question, unit) pair and two linear models over them, fitted on development
questions (`evals fit`): one ranks units (listwise softmax regression, after Cao et al. 2007, ListNet),
one says whether the best of them answer at all (logistic regression). The language model has no say in either.
"""

from __future__ import annotations

import importlib.resources
import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import chain
from typing import Literal

import msgspec
import numpy as np

from rag import places, qualifiers
from rag.domain import Evidence, EvidenceUnit, Passage, Value
from rag.retrieve import cues
from rag.retrieve.asks import asking, asks
from rag.retrieve.eligibility import local
from rag.retrieve.linear import Linear, Matrix
from rag.retrieve.narrowing import Narrowing
from rag.retrieve.siblings import nearer_first
from rag.retrieve.wording import worded
from rag.text import fold
from rag.tokens import terms, topic_terms, topic_words

# What an index has vectors of: chunks and units, chunks alone, nothing.
Profile = Literal["hybrid", "chunks", "lexical"]

MAX_UNITS = 5
MAX_CHARACTERS = 400
# How much less than the whole a part may score and still stand for it.
MAX_LOSS = 1.0
_MAX_POOL = 40
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


class Candidates(Value):
    """The units of the retrieved passages with their raw scores, row by row. Cosines are zero without an embedder."""

    units: tuple[EvidenceUnit, ...]
    passages: tuple[Passage, ...]
    cosine: Matrix
    cosine_chunk: Matrix
    bm25_unit: Matrix
    bm25_chunk: Matrix


class Margins(Value):
    """How far below the best unit a further one may score.

    `within` where it stands in a passage that is cited already; in another passage `elsewhere` where one thing is
    asked, and `elsewhere_several` where several are: who asks one thing wants one answer.
    """

    within: float
    elsewhere: float
    elsewhere_several: float


# Units that tell whether there is an answer: fewer than are worth citing beside it.
_CORE = Margins(within=1.5, elsewhere=0.5, elsewhere_several=0.5)


class EvidenceModel(Value):
    """Fitted parameters.

    `threshold` is the sufficiency below which the service abstains; `fitted_on` says on what, with n.
    """

    rank: Linear
    sufficiency: Linear
    margins: Margins
    threshold: float
    fitted_on: str


def load_model(profile: Profile) -> EvidenceModel:
    """The parameters shipped with the package, for an index with the vectors that the profile says."""
    packed = (importlib.resources.files("rag.retrieve") / "evidence_model.json").read_bytes()
    return msgspec.json.decode(packed, type=dict[str, EvidenceModel])[profile]


def feature_names(names: Sequence[str], profile: Profile) -> tuple[str, ...]:
    """The features that a profile has."""
    return tuple(name for name in names if name not in _MISSING[profile])


def rank_rows(question: str, asked_places: Collection[str], found: Candidates, names: Sequence[str]) -> Matrix:
    """One row a candidate. Scores are taken relative to the best candidate, in units of their spread."""
    types, listed = cues.answer_types(question), cues.wants_list(question)
    asked = qualifiers.mentioned(question)
    texts = [_with_titles(unit) for unit in found.units]
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
    texts = [_with_titles(found.units[i]) for i in chosen]
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


def choose(found: Candidates, scores: Matrix, margins: Margins, *, one_thing: bool) -> list[int]:
    """Rows of the chosen units, best first: the best, and up to four near it within 400 characters; none overlap."""
    chosen: list[int] = []
    cited: set[str] = set()
    spent, elsewhere = 0, margins.elsewhere if one_thing else margins.elsewhere_several
    for i in _by_score(found, scores):
        unit = found.units[i]
        margin = margins.within if unit.chunk_id in cited else elsewhere
        if chosen and scores[i] < scores[chosen[0]] - margin:
            continue
        if any(overlap(unit, found.units[j]) for j in chosen) or (chosen and spent + len(unit.text) > MAX_CHARACTERS):
            continue
        chosen.append(i)
        cited.add(unit.chunk_id)
        spent += len(unit.text)
        if len(chosen) == MAX_UNITS:
            break
    return chosen


class EvidenceFinder:
    """Chooses evidence with a fitted model."""

    def __init__(self, model: EvidenceModel, idf: Callable[[str], float]) -> None:
        self._model, self._idf = model, idf

    def find(self, question: str, asked_places: Collection[str], found: Candidates) -> Evidence:
        """The evidence for the question; empty with sufficiency 0 when there are no candidates."""
        if not found.units:
            return Evidence((), (), 0.0, sufficient=False)
        rows = rank_rows(question, asked_places, found, self._model.rank.features)
        scores = arranged(self._model.rank(rows), asked_places, found)
        one = cues.asks_one_thing(question)
        chosen = choose(found, scores, self._model.margins, one_thing=one)
        row = sufficiency_row(question, asked_places, found, scores, self._idf, self._model.sufficiency.features)
        probability = 1.0 / (1.0 + math.exp(-float(self._model.sufficiency(row[None, :])[0])))
        near = choose(found, scores, self._model.margins, one_thing=False)
        narrowed = Narrowing(found.units, question, asked_places)
        chosen = list(dict.fromkeys(row for i in chosen for row in narrowed(i)))
        pool = _pool(found, scores, chosen, narrowed)
        units = tuple(found.units[i] for i in chosen)
        details = _details(found, scores, chosen) if one else {}
        return Evidence(
            units=units,
            pool=pool,
            sufficiency=round(probability, 4),
            sufficient=probability >= self._model.threshold and not _for_others(question, units),
            details=details,
            asks_one_thing=one,
            near=tuple(found.units[i] for i in near),
            behind=_behind(found, scores),
        )


def _for_others(question: str, units: Sequence[EvidenceUnit]) -> bool:
    """Whether all that was chosen is for people insured or employed in another way."""
    return all(qualifiers.for_others(question, _with_titles(unit)) for unit in units)


def _pool(
    found: Candidates, scores: Matrix, chosen: Sequence[int], narrowed: Callable[[int], list[int]]
) -> tuple[EvidenceUnit, ...]:
    """The chosen units and the best others, of tables and lists what is for what the question names; none overlap."""
    kept = list(chosen)
    ranked = chain.from_iterable(narrowed(i) for i in _by_score(found, scores))
    for j in ranked:
        if len(kept) == _MAX_POOL:
            break
        if not any(overlap(found.units[j], found.units[k]) for k in kept):
            kept.append(j)
    return tuple(found.units[i] for i in kept)


def _behind(found: Candidates, scores: Matrix) -> dict[str, float]:
    """By passage, how far its best unit scores below the best of all."""
    best: dict[str, float] = {}
    for unit, score in zip(found.units, (scores.max() - scores).tolist(), strict=True):
        best[unit.chunk_id] = min(score, best.get(unit.chunk_id, score))
    return best


def _by_score(found: Candidates, scores: Matrix) -> list[int]:
    return sorted(range(len(found.units)), key=lambda i: (-scores[i], found.units[i].id))


def _details(found: Candidates, scores: Matrix, chosen: Sequence[int]) -> dict[str, EvidenceUnit]:
    """The best part of each chosen unit that has parts, if it scores nearly as well as the whole."""
    details: dict[str, EvidenceUnit] = {}
    ranked = _by_score(found, scores)
    for i in chosen:
        whole = found.units[i]
        inside = (j for j in ranked if j != i and _is_part(found.units[j], whole))
        if (best := next(inside, None)) is not None and scores[best] >= scores[i] - MAX_LOSS:
            details[whole.id] = found.units[best]
    return details


def _is_part(unit: EvidenceUnit, whole: EvidenceUnit) -> bool:
    return unit.document_id == whole.document_id and whole.span.contains(unit.span)


def overlap(one: EvidenceUnit, other: EvidenceUnit) -> bool:
    """Whether two units say the same, or cover the same text."""
    if fold(one.text) == fold(other.text):
        return True
    return one.document_id == other.document_id and one.span.overlaps(other.span)


def _relative(scores: Matrix) -> Matrix:
    spread = scores.std()
    return (scores - scores.max()) / spread if spread > 1e-9 else np.zeros_like(scores)  # noqa: PLR2004


def arranged(scores: Matrix, asked_places: Collection[str], found: Candidates) -> Matrix:
    """Scores of the ranking model as they count: of one rule in several places, the nearest goes first.

    Rounded, so that a last-digit difference between machines reorders nothing.
    """
    nearness = [local(p.document, asked_places) for p in found.passages]
    return nearer_first(np.asarray(np.round(scores, 4)), [unit.text for unit in found.units], nearness)


def _with_titles(unit: EvidenceUnit) -> str:
    return "：".join((*unit.title_path, unit.text))
