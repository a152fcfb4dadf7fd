"""The accepted values that later runs are compared with: `evals/baselines/<mode>.json`, one line an example.

Knows the file. What a difference from it means is the job of `compare` and `gate`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from evals.domain import SampleScores, Scored, Unscored, Verdict
from evals.runs import RunInvalid, RunManifest
from evals.scoring import ScoredRun
from evals.summary import failed
from rag.errors import OperatorError

BASELINES = Path(__file__).parent / "baselines"
# These differ from machine to machine: a diff of two baselines shows answers.
UNKEPT = frozenset({"latency_ms"})


class NotAcceptable(OperatorError):
    """This run can't be a baseline; the message says what to mend."""


class AcceptedRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The run that was accepted, when, and why."""

    mode: str
    model: str
    commit: str
    dirty: bool
    accepted: dt.datetime
    why: str
    clock: dt.date
    recipe: str
    corpus_digest: str
    example_digest: str
    evidence_model: str
    prompts: dict[str, str]
    tapes: dict[str, str]


class Row(msgspec.Struct, frozen=True, array_like=True):
    """One example: its place in the gold, and its values in the order of `Baseline.metrics`; null was not scored."""

    split: str
    category: str
    cluster: str
    values: tuple[float | None, ...]


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An accepted run."""

    run: AcceptedRun
    metrics: tuple[str, ...]
    examples: dict[str, Row]

    def scores(self) -> list[SampleScores]:
        """The values as the verdicts they were."""
        return [self._scores(example_id, row) for example_id, row in self.examples.items()]

    def ids(self, split: str) -> set[str]:
        """The examples of a half."""
        return {example_id for example_id, row in self.examples.items() if row.split == split}

    def _scores(self, example_id: str, row: Row) -> SampleScores:
        verdicts = {name: _verdict(value) for name, value in zip(self.metrics, row.values, strict=True)}
        return SampleScores(example_id, row.category, row.split, row.cluster, verdicts)


def accept(run: ScoredRun, why: str, folder: Path = BASELINES) -> Path:
    """Make this run the baseline of its mode; the file.

    Raises:
        NotAcceptable: no reason is given, or examples ended in an error.
    """
    if not why.strip():
        raise NotAcceptable("a new baseline needs its reason")
    broken = [s.example_id for s in run.scores if any(map(failed, s.verdicts.values()))]
    if broken or not run.scores:
        raise NotAcceptable(f"not every example was judged: {broken[:10] or 'there are none'}")
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{run.manifest.mode}.json"
    file.write_bytes(_encode(_baseline(run.manifest, run.scores, why.strip())))
    return file


def load(mode: str, folder: Path = BASELINES) -> Baseline | None:
    """The baseline of a mode; None while none was accepted.

    Raises:
        RunInvalid: there is one, and it can't be read.
    """
    file = folder / f"{mode}.json"
    return read(file) if file.is_file() else None


def read(file: Path) -> Baseline:
    """The baseline in a file.

    Raises:
        RunInvalid: it holds none.
    """
    try:
        found = msgspec.json.decode(file.read_bytes(), type=Baseline)
    except (OSError, msgspec.DecodeError) as error:
        raise RunInvalid(f"{file} holds no baseline: {error}") from error
    odd = [i for i, row in found.examples.items() if len(row.values) != len(found.metrics)]
    if odd:
        raise RunInvalid(f"{file}: {odd[0]} has not one value for each of {len(found.metrics)} metrics")
    return found


def _baseline(run: RunManifest, scores: Sequence[SampleScores], why: str) -> Baseline:
    names = tuple(sorted({name for s in scores for name in s.verdicts} - UNKEPT))
    return Baseline(
        run=AcceptedRun(
            mode=run.mode,
            model=run.model,
            commit=run.commit,
            dirty=run.dirty,
            accepted=dt.datetime.now(dt.UTC).replace(microsecond=0),
            why=why,
            clock=run.clock,
            recipe=run.recipe,
            corpus_digest=run.corpus_digest,
            example_digest=run.example_digest,
            evidence_model=run.evidence_model,
            prompts=run.prompts,
            tapes=run.tapes,
        ),
        metrics=names,
        examples={s.example_id: _row(s, names) for s in sorted(scores, key=lambda s: s.example_id)},
    )


def _row(one: SampleScores, names: Iterable[str]) -> Row:
    return Row(one.split, one.category, one.cluster, tuple(_value(one.verdicts.get(name)) for name in names))


def _value(verdict: Verdict | None) -> float | None:
    return verdict.value if isinstance(verdict, Scored) else None


def _verdict(value: float | None) -> Verdict:
    return Unscored("not scored in the baseline") if value is None else Scored(value)


def _encode(baseline: Baseline) -> bytes:
    """JSON with a line an example, so that a diff shows which ones changed."""
    run = msgspec.json.format(msgspec.json.encode(baseline.run), indent=1).decode()
    rows = ",\n".join(f"{_text(example_id)}: {_text(row)}" for example_id, row in baseline.examples.items())
    return f'{{\n"run": {run},\n"metrics": {_text(baseline.metrics)},\n"examples": {{\n{rows}\n}}\n}}\n'.encode()


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
