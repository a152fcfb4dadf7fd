"""Citation recall and precision after ALCE (Gao et al. 2023), on spans instead of documents and without a model.

    citation_recall     mean over claims: 1 if what the claim cites carries it, whole or one part of it (it stands there
                        word for word, or no check of `rag.answer.verifying` objects); 0 without a citation or with a
                        phantom among them
    citation_precision  mean over citations: 1 if a span of it falls on gold evidence (`supported_by`); a phantom 0
    phantom_citations   how many markers in claims or text lead nowhere, and citations to what is not in the documents
    markers             1 if every claim stands in the text with its own markers behind it, in order

Evidence is cut from the documents, never taken from the answer's quotes. Of a computed claim, recall asks for real
citations only. Can't see more than the checks do: a claim may be judged carried that a reader would dispute. Precision
can't see whether the right span stands behind the right claim.
"""

from __future__ import annotations

from evals.dataset import holds_fact, supported_by
from evals.domain import Metric, Sample, Scored, Unscored, Verdict, flag
from evals.metrics.cited import MARKER, behind, parts, path, real, spans, titles, words
from evals.metrics.reasons import NO_OUTCOME, NOT_ANSWERABLE, NOT_ANSWERED, NOT_CITED
from rag.answer.composing import readable
from rag.answer.verifying.checking import check
from rag.domain import Answer, Citation, Claim, Outcome

_FINAL = "。！？；!?;."


def _recall(sample: Sample) -> Verdict:
    if sample.answer is None:
        return NOT_ANSWERED
    carried = [_carried(sample, claim) for claim in sample.claims]
    return Scored(sum(carried) / len(carried)) if carried else Unscored("the answer makes no claim")


def _carried(sample: Sample, claim: Claim) -> bool:
    citations = behind(sample, claim.citations)
    if not citations or {c.marker for c in citations} != set(claim.citations):
        return False
    if claim.mode == "computed":
        return True
    title = titles(citations, sample.library)
    return any(_carries(told, claim.text, title) for told in _evidence(sample, citations))


def _carries(told: str, claim: str, title: str) -> bool:
    """What stands there word for word is carried; `check` is for rewordings, and strict with long quotes."""
    return holds_fact(told, (claim,)) or not check(claim, [told], title)


def _evidence(sample: Sample, citations: list[Citation]) -> list[str]:
    """All that is cited, and each part by itself, as it stands and as it is shown.

    What a part carries the whole carries, but `check` may miss it there: a negation beside it looks like one lost, and
    a table written in one line like one long clause.
    """
    whole = [words(citations, sample.library), *(words([c], sample.library) for c in citations)]
    single = [part for citation in citations for part in parts(citation, sample.library)]
    return list(dict.fromkeys([*whole, *single, *map(readable, single)]))


def _precision(sample: Sample) -> Verdict:
    if not sample.answerable:
        return NOT_ANSWERABLE
    if sample.answer is None:
        return NOT_ANSWERED
    right = [_falls_on_gold(sample, citation) for citation in sample.answer.citations]
    judged = [*right, *(False for _ in _leading_nowhere(sample.answer))]
    return Scored(sum(judged) / len(judged)) if judged else NOT_CITED


def _falls_on_gold(sample: Sample, citation: Citation) -> bool:
    return real(citation, sample.library) and supported_by(spans(citation), path(citation, sample.library), sample.gold)


def _phantoms(sample: Sample) -> Verdict:
    if sample.outcome is None:
        return NO_OUTCOME
    invented = [c for c in sample.outcome.citations if not real(c, sample.library)]
    return Scored(len(_leading_nowhere(sample.outcome)) + len(invented))


def _leading_nowhere(outcome: Outcome) -> set[int]:
    """Markers, each once, for which there is no citation."""
    in_claims = {marker for claim in outcome.claims for marker in claim.citations}
    in_text = {int(marker) for marker in MARKER.findall(outcome.text)}
    return (in_claims | in_text) - {citation.marker for citation in outcome.citations}


def _markers(sample: Sample) -> Verdict:
    return flag(_reads_as_claimed(sample.answer)) if sample.answer else NOT_ANSWERED


def _reads_as_claimed(answer: Answer) -> bool:
    position = 0
    for claim in answer.claims:
        shown = _marked(claim)
        found = answer.text.find(shown, position)
        if found < 0 or MARKER.match(answer.text, found + len(shown)):
            return False
        position = found + len(shown)
    return True


def _marked(claim: Claim) -> str:
    """A claim up to its last marker: the markers stand before its full stop."""
    text = claim.text.rstrip()
    body = text[:-1].rstrip() if text[-1:] in _FINAL else text
    return body + "".join(f"[{n}]" for n in claim.citations)


METRICS = (
    Metric("citation_recall", "mean", "high", _recall),
    Metric("citation_precision", "mean", "high", _precision),
    Metric("phantom_citations", "mean", "low", _phantoms),
    Metric("markers", "flag", "high", _markers),
)
