"""What a model is shown for the gold questions: how much of the needed evidence, how far up, and what it costs.

    evidence_recall    the share of needed gold spans on which a shown unit falls
    context_precision  as in RAGAS (Es et al. 2024), with the gold as the judge: the mean, over the shown units that
                       fall on gold evidence, of the share of such units down to there; 0 if none does
    relevant           the share of shown units that fall on needed or further gold evidence
    tokens             of the lines, counted as the service counts them

Of answerable questions. Can't see other evidence that would do as well and is not listed in the gold, nor what a model
makes of it. How evidence is laid out is the job of `rag.answer.context`.
"""

from __future__ import annotations

import itertools
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence

import msgspec
import numpy as np

from evals.dataset import GoldSpans, resolve, supported_by
from evals.fit import Questions
from evals.runner import Progress
from evals.statistics import bootstrap_mean
from evals.summary import Estimate
from rag.answer.conflicts import find_conflicts
from rag.answer.context import Context, assembled, listed
from rag.asking import understood
from rag.domain import Document, Evidence, EvidenceUnit, Query, Value
from rag.ports import Tokenizer
from rag.searching import LOOKED_AT, Searcher
from rag.wiring import ANSWERING, PHRASING


class Found(Value):
    """An answerable question, what was found for it, and the gold; `cluster` names the document of its evidence."""

    question: str
    evidence: Evidence
    documents: Mapping[str, Document]
    gold: GoldSpans
    cluster: str


class Shown(msgspec.Struct, frozen=True):
    """What the model of one profile is shown, over all questions; `ranked` is the same pool a line a unit, by rank."""

    profile: str
    budget: int
    evidence_recall: Estimate
    context_precision: Estimate
    relevant: Estimate
    tokens: Estimate
    tokens_p95: float
    units: float


class Ahead(msgspec.Struct, frozen=True):
    """By how much the context is better than the ranking as it stands, question by question."""

    budget: int
    evidence_recall: Estimate
    context_precision: Estimate


class Judged(msgspec.Struct, frozen=True):
    """All figures. The shape of `evals context --json`."""

    questions: int
    shown: tuple[Shown, ...]
    ahead: tuple[Ahead, ...]

    def __str__(self) -> str:
        return "\n".join((f"{self.questions} questions", *map(_shown_line, self.shown), *map(_ahead_line, self.ahead)))


def found(one: Questions, progress: Progress) -> Iterator[Found]:
    """What the service finds for the answerable questions."""
    searcher = Searcher(one.snapshot, one.embedder)
    examples = [example for example in one.examples if example.kind == "answer"]
    for n, example in enumerate(examples, 1):
        day = example.as_of or one.clock
        asked = understood(Query(example.question, day, example.conversation))
        passages, evidence = searcher.evidence(asked.searched, asked.places, day, LOOKED_AT)
        gold = resolve(example, one.library)
        documents = {passage.document.id: passage.document for passage in passages}
        cluster = gold.needed[0][0].rsplit("/", 1)[-1] if gold.needed else example.id
        yield Found(asked.question, evidence, documents, gold, cluster)
        progress("检索", n, len(examples))


def judge(asked: Sequence[Found], budgets: Sequence[int], tokenizer: Tokenizer) -> Judged:
    """The figures of each profile, those of the model that chooses with each budget [the usual one].

    Raises:
        ValueError: there are no questions.
    """
    clusters = [one.cluster for one in asked]
    phrased = [listed(one.evidence.units, tokenizer, PHRASING.evidence_tokens) for one in asked]
    shown = [_shown(PHRASING.name, PHRASING.evidence_tokens, _rows(asked, phrased), clusters)]
    ahead = []
    for budget in budgets or [ANSWERING.evidence_tokens]:
        ranked = _rows(asked, [_ranked(one, tokenizer, budget) for one in asked])
        merged = _rows(asked, [_assembled(one, tokenizer, budget) for one in asked])
        shown += [_shown("ranked", budget, ranked, clusters), _shown(ANSWERING.name, budget, merged, clusters)]
        ahead.append(_ahead(budget, ranked, merged, clusters))
    return Judged(len(asked), tuple(shown), tuple(ahead))


class _Row(Value):
    """The figures of one question."""

    recall: float
    precision: float
    relevant: float
    tokens: int
    units: int


def _rows(asked: Sequence[Found], contexts: Sequence[Context]) -> list[_Row]:
    rows = []
    for one, context in zip(asked, contexts, strict=True):
        judged = relevant(one, context.units)
        told = (recall(one, context.units), precision(judged), _share(judged))
        rows.append(_Row(*told, context.tokens, len(context.units)))
    return rows


def _ranked(one: Found, tokenizer: Tokenizer, budget: int) -> Context:
    """The pool a line a unit, best first, as far as all lines are within the budget."""
    lines = listed(one.evidence.pool, tokenizer, sys.maxsize).lines
    costs = itertools.accumulate(tokenizer.count(line + "\n") for line in lines)
    fitting = sum(cost <= budget for cost in costs)
    return listed(one.evidence.pool[:fitting], tokenizer, budget)


def _assembled(one: Found, tokenizer: Tokenizer, budget: int) -> Context:
    pool, chosen = one.evidence.pool, len(one.evidence.units)
    conflicts = find_conflicts(one.question, pool, one.documents, chosen)
    return assembled(pool, one.documents, conflicts, tokenizer, budget)


def _shown(profile: str, budget: int, rows: Sequence[_Row], clusters: Sequence[str]) -> Shown:
    tokens = [float(row.tokens) for row in rows]
    return Shown(
        profile=profile,
        budget=budget,
        evidence_recall=_estimate([row.recall for row in rows], clusters),
        context_precision=_estimate([row.precision for row in rows], clusters),
        relevant=_estimate([row.relevant for row in rows], clusters),
        tokens=_estimate(tokens, clusters),
        tokens_p95=float(np.percentile(tokens, 95)),
        units=statistics.fmean(row.units for row in rows),
    )


def _ahead(budget: int, before: Sequence[_Row], after: Sequence[_Row], clusters: Sequence[str]) -> Ahead:
    pairs = list(zip(before, after, strict=True))
    return Ahead(
        budget,
        _estimate([b.recall - a.recall for a, b in pairs], clusters),
        _estimate([b.precision - a.precision for a, b in pairs], clusters),
    )


def _estimate(values: Sequence[float], clusters: Sequence[str]) -> Estimate:
    low, high = bootstrap_mean(values, clusters)
    return Estimate(statistics.fmean(values), low, high)


def recall(one: Found, units: Sequence[EvidenceUnit]) -> float:
    """The share of needed spans on which a unit falls."""
    return _share([_is_shown(one, units, GoldSpans((needed,), ())) for needed in one.gold.needed])


def relevant(one: Found, units: Sequence[EvidenceUnit]) -> list[bool]:
    """For each unit whether it falls on gold evidence; what leads it in is not judged."""
    return [supported_by([unit.span], one.documents[unit.document_id].path, one.gold) for unit in units]


def precision(judged: Sequence[bool]) -> float:
    """The mean precision at the ranks of the relevant ones."""
    ranks = [rank for rank, is_relevant in enumerate(judged, 1) if is_relevant]
    return statistics.fmean(n / rank for n, rank in enumerate(ranks, 1)) if ranks else 0.0


def _is_shown(one: Found, units: Sequence[EvidenceUnit], needed: GoldSpans) -> bool:
    return any(supported_by(unit.spans, one.documents[unit.document_id].path, needed) for unit in units)


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else 0.0


def _shown_line(row: Shown) -> str:
    tokens = f"tokens {row.tokens.value:.0f} [{row.tokens.low:.0f}, {row.tokens.high:.0f}], p95 {row.tokens_p95:.0f}"
    told = (f"{name} {getattr(row, name)}" for name in ("evidence_recall", "context_precision", "relevant"))
    return "  ".join((f"{row.profile:<6} {row.budget:>5}", *told, tokens, f"units {row.units:.1f}"))


def _ahead_line(row: Ahead) -> str:
    told = (
        f"{name} {one.value:+.3f} [{one.low:+.3f}, {one.high:+.3f}]"
        for name, one in (("evidence_recall", row.evidence_recall), ("context_precision", row.context_precision))
    )
    return "  ".join((f"answer - ranked {row.budget:>5}", *told))
