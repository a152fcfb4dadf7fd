"""Cited spans against gold evidence, span by span.

    evidence_precision  the share of cited spans that fall on gold evidence (`supported_by`); lead-ins and table headers
                        are cited for reading only and not judged, spans of a phantom citation are wrong
    evidence_recall     the share of needed gold spans on which a cited span falls

Of answers to answerable questions. Can't see support that the gold does not list, nor which claim cites the span.
"""

from __future__ import annotations

from evals.dataset import GoldSpans, supported_by
from evals.domain import Metric, Sample, Scored, Unscored, Verdict
from evals.metrics.cited import bodies, path, real, spans
from evals.metrics.reasons import NOT_ANSWERABLE, NOT_ANSWERED, NOT_CITED
from rag.domain import Answer


def _precision(sample: Sample) -> Verdict:
    if not sample.answerable:
        return NOT_ANSWERABLE
    if sample.answer is None:
        return NOT_ANSWERED
    right = _right_spans(sample, sample.answer)
    return Scored(sum(right) / len(right)) if right else NOT_CITED


def _right_spans(sample: Sample, answer: Answer) -> list[bool]:
    found: list[bool] = []
    for citation in answer.citations:
        if real(citation, sample.library):
            file = path(citation, sample.library)
            found += [supported_by([span], file, sample.gold) for span in bodies(citation, sample.library)]
        else:
            found += [False] * max(1, len(citation.spans))
    return found


def _recall(sample: Sample) -> Verdict:
    if not sample.answerable:
        return NOT_ANSWERABLE
    if sample.answer is None:
        return NOT_ANSWERED
    needed = sample.gold.needed
    found = [_is_cited(sample, sample.answer, GoldSpans((one,), ())) for one in needed]
    return Scored(sum(found) / len(found)) if found else Unscored("no evidence is given")


def _is_cited(sample: Sample, answer: Answer, wanted: GoldSpans) -> bool:
    there = [citation for citation in answer.citations if real(citation, sample.library)]
    return any(supported_by(spans(c), path(c, sample.library), wanted) for c in there)


METRICS = (
    Metric("evidence_precision", "mean", "high", _precision),
    Metric("evidence_recall", "mean", "high", _recall),
)
