"""A run's observations against the gold: every metric's verdict on every sample.

Knows which metrics there are. Their formulas are in `metrics`, one file each; averages are the job of `summary`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from evals.dataset import GoldExample, load, resolve
from evals.domain import Metric, Observation, Sample, SampleScores, Unscored
from evals.library import Library, NoBudget, read_library
from evals.metrics import (
    abstention,
    attribution,
    citations,
    conflicts,
    disclaimer,
    evidence,
    facts,
    forbidden,
    kinds,
    latency,
    length,
    modes,
    numbers,
    retrieval,
    scopes,
    tokens,
    verbatim,
)
from evals.runs import ROOT, RunFolder, RunInvalid, RunManifest, example_digest, tree_digest
from rag.domain import Value

METRICS: tuple[Metric, ...] = (
    *kinds.METRICS,
    *facts.METRICS,
    *forbidden.METRICS,
    *numbers.METRICS,
    *citations.METRICS,
    *evidence.METRICS,
    *verbatim.METRICS,
    *scopes.METRICS,
    *conflicts.METRICS,
    *abstention.METRICS,
    *disclaimer.METRICS,
    *modes.METRICS,
    *length.METRICS,
    *retrieval.METRICS,
    *latency.METRICS,
    *tokens.METRICS,
)


def samples(examples: Sequence[GoldExample], seen: Sequence[Observation], library: Library) -> list[Sample]:
    """Observations beside their examples.

    Raises:
        RunInvalid: an example has no observation, or an observation no example, or an example has two.
        ValueError: a gold quote does not stand in the documents.
    """
    by_id: Mapping[str, Observation] = {o.example_id: o for o in seen}
    ids = {e.id for e in examples}
    if len(by_id) != len(seen) or by_id.keys() != ids:
        odd = sorted(by_id.keys() ^ ids)[:5]
        raise RunInvalid(f"{len(seen)} observations for {len(ids)} examples; see {odd or 'an example observed twice'}")
    return [Sample(e, by_id[e.id], resolve(e, library), library) for e in examples]


def score(sample: Sample) -> SampleScores:
    """All verdicts on one sample; after an error nothing is scored, and the error is the reason."""
    error = sample.observation.error
    verdicts = {m.name: Unscored(f"error: {error}") if error else m.of(sample) for m in METRICS}
    example = sample.example
    return SampleScores(
        example.id, example.category, example.split, _cluster(sample), verdicts, attribution.fault(sample)
    )


def _cluster(sample: Sample) -> str:
    """Examples on one document are no independent draws."""
    return sample.gold.needed[0][0].rsplit("/", 1)[-1] if sample.gold.needed else sample.example.id


class ScoredRun(Value):
    """A run with its verdicts, computed from the observations as they stand now."""

    manifest: RunManifest
    samples: tuple[Sample, ...]
    scores: tuple[SampleScores, ...]


def score_run(folder: RunFolder, gold: Sequence[Path] = (), corpus: Sequence[Path] = ()) -> ScoredRun:
    """Score a run afresh. Named `gold` or `corpus` take the place of the run's own, to judge it by other texts.

    Raises:
        RunInvalid: the run is incomplete, or its gold or documents are not what they were.
    """
    manifest, seen = folder.manifest(), folder.observations()
    ids = {o.example_id for o in seen}
    files = list(gold) or [ROOT / name for name in manifest.gold]
    examples = [e for e in load(files) if e.id in ids]
    if example_digest(examples) != manifest.example_digest:
        raise RunInvalid(f"{folder.path}: its {manifest.examples} examples are not all there, or the gold has changed")
    paths = list(corpus) or [ROOT / name for name in manifest.corpus]
    if not corpus and tree_digest(paths) != manifest.corpus_digest:
        raise RunInvalid(f"{folder.path}: {manifest.corpus} are not the documents of the run; --corpus names others")
    found = samples(examples, seen, read_library(paths, NoBudget()))
    return ScoredRun(manifest, tuple(found), tuple(map(score, found)))
