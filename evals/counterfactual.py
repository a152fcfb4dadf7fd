"""Counterfactual twins: edit the corpus, ask again, and see whether the answer follows it.

Knows twins (`twins.toml`), their edits, and how an answer is judged against them. Asking is the job of `runner`.

Edits that have nothing to do with each other share one edited corpus, a world, so that a hundred twins need about a
dozen indexes.
"""

from __future__ import annotations

import datetime as dt
import itertools
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from evals.dataset import GoldExample, forbidden_in, holds_fact
from evals.domain import Observation, Scored, Unscored, Verdict, flag
from evals.runner import Mode, Progress, Setup, run
from evals.statistics import wilson
from rag.domain import Answer, Value
from rag.settings import Settings

TWINS = Path(__file__).parent / "twins.toml"

TwinKind = Literal["figure", "city", "date", "expired", "deleted", "planted"]


class Replace(msgspec.Struct, frozen=True, tag="replace", forbid_unknown_fields=True):
    """`old`, which stands exactly once in the document, becomes `new`."""

    document: str
    old: str
    new: str


class Rename(msgspec.Struct, frozen=True, tag="rename", forbid_unknown_fields=True):
    """`old` becomes `new` wherever it stands in the document, front matter included."""

    document: str
    old: str
    new: str


class Delete(msgspec.Struct, frozen=True, tag="delete", forbid_unknown_fields=True):
    """The document is gone."""

    document: str


Edit = Replace | Rename | Delete


class Twin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question, an edit of the corpus, and what must be said then.

    `was` are the facts of the unedited corpus. `control` is asked of it in place of `question`, where that one makes
    no sense there. `leave` names documents that the answer needs as they are.
    """

    id: str
    kind: TwinKind
    question: str
    expect: Literal["answer", "abstention"]
    was: tuple[tuple[str, ...], ...]
    facts: tuple[tuple[str, ...], ...]
    forbidden: tuple[str, ...]
    edits: tuple[Edit, ...]
    control: str | None = None
    as_of: dt.date | None = None
    leave: tuple[str, ...] = ()

    @property
    def documents(self) -> frozenset[str]:
        """What no other twin of the same world may edit."""
        return frozenset([*(edit.document for edit in self.edits), *self.leave])

    @property
    def written(self) -> str:
        """All that its edits write."""
        return "\n".join(edit.new for edit in self.edits if not isinstance(edit, Delete))


class TwinVerdict(Value):
    """Whether the answer followed the corpus; `why` says why not, `said` is what was said after the edit."""

    id: str
    kind: TwinKind
    question: str
    said: str
    verdict: Verdict
    why: tuple[str, ...] = ()


class KindFigure(Value):
    """How many of a kind followed, of those that could be judged, with a 95 % interval."""

    kind: str
    followed: int
    scored: int
    unscored: int
    low: float
    high: float

    def __str__(self) -> str:
        share = f"{self.followed / self.scored:7.3f}" if self.scored else "      –"
        interval = f"[{self.low:.3f}, {self.high:.3f}]"
        return f"{self.kind:<10}{share}   {self.followed} of {self.scored} {interval}, {self.unscored} unscored"


class TwinReport(Value):
    """All verdicts with their totals by kind; the last figure is that of all kinds."""

    figures: tuple[KindFigure, ...]
    verdicts: tuple[TwinVerdict, ...]

    def __str__(self) -> str:
        failed = [v for v in self.verdicts if v.verdict == Scored(0.0)]
        lines = [*map(str, self.figures), "", *(f"{v.id} {v.question}: {'; '.join(v.why)}" for v in failed)]
        lines += [f"{v.id} unscored: {v.verdict.reason}" for v in self.verdicts if isinstance(v.verdict, Unscored)]
        return "\n".join(lines)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    twin: tuple[Twin, ...]


def load_twins(file: Path = TWINS) -> tuple[Twin, ...]:
    """All twins of the file.

    Raises:
        ValueError: one of them is malformed, or two have one id.
    """
    twins = msgspec.toml.decode(file.read_bytes(), type=_File).twin
    ids = [twin.id for twin in twins]
    if len(set(ids)) != len(ids):
        raise ValueError(f"{file}: two twins have one id: {sorted(i for i in set(ids) if ids.count(i) > 1)}")
    return twins


def first_of_each(twins: Sequence[Twin], count: int) -> list[Twin]:
    """The first `count` of each kind: a part that a slow model gets through."""
    kinds = dict.fromkeys(twin.kind for twin in twins)
    return [twin for kind in kinds for twin in [t for t in twins if t.kind == kind][:count]]


def run_twins(
    twins: Sequence[Twin], corpus: Path, settings: Settings, mode: Mode, work: Path, progress: Progress
) -> list[TwinVerdict]:
    """Ask every question of the unedited corpus and of its world, and compare; `work` holds the index.

    Raises:
        ValueError: an edit does not fit the corpus.
        OperatorError: the service can't be built.
    """
    asked = itertools.count(1)
    own = msgspec.structs.replace(settings, data_dir=str(work / "data"))
    # One folder, written anew for each world: an index takes a document that lies elsewhere for a second one.
    folder = work / "corpus"

    def observe(edits: Sequence[Twin], questions: Sequence[GoldExample]) -> dict[str, Observation]:
        seen: dict[str, Observation] = {}

        def keep(observation: Observation) -> None:
            seen[observation.example_id] = observation
            progress("孪生", next(asked), 2 * len(twins))

        write_world(corpus, edits, folder)
        run(Setup(own, (folder,), mode), questions, (), keep, _silent)
        return seen

    before = observe((), [_question(twin, twin.control or twin.question) for twin in twins])
    after: dict[str, Observation] = {}
    for world in worlds(twins):
        after |= observe(world, [_question(twin, twin.question) for twin in world])
    return [judge(twin, before[twin.id], after[twin.id]) for twin in twins]


def worlds(twins: Iterable[Twin]) -> list[list[Twin]]:
    """Twins that can share a corpus, together: each goes into the first world where it meets no clash."""
    found: list[list[Twin]] = []
    for twin in twins:
        room = next((world for world in found if not any(_clash(twin, other) for other in world)), None)
        if room is None:
            found.append([twin])
        else:
            room.append(twin)
    return found


def write_world(corpus: Path, twins: Iterable[Twin], folder: Path) -> None:
    """A copy of the corpus with the edits of all twins.

    Raises:
        ValueError: an edit does not fit the corpus.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    texts = {path.stem: path.read_text("utf-8") for path in sorted(corpus.glob("*.md"))}
    for twin in twins:
        texts = edited(texts, twin)
    for name, text in texts.items():
        (folder / f"{name}.md").write_text(text, "utf-8")


def edited(texts: Mapping[str, str], twin: Twin) -> dict[str, str]:
    """The corpus, text by document id, after the twin's edits, in order.

    Raises:
        ValueError: there is no such document, or the old text does not stand there as the edit says.
    """
    changed = dict(texts)
    for edit in twin.edits:
        text = changed.pop(edit.document, None)
        if text is None:
            raise ValueError(f"{twin.id}: no document {edit.document}")
        if not isinstance(edit, Delete):
            _check(twin, edit, text.count(edit.old))
            changed[edit.document] = text.replace(edit.old, edit.new)
    return changed


def judge(twin: Twin, before: Observation, after: Observation) -> TwinVerdict:
    """Whether the answer after the edit is what the edited corpus says.

    A twin says nothing where the unedited corpus was not answered from: there was nothing to follow.
    """
    said = _said(after)
    silent = next(iter(_no_base(twin, before, after)), None)
    if silent is not None:
        return TwinVerdict(twin.id, twin.kind, twin.question, said, Unscored(silent))
    why = tuple(_departures(twin, after, said))
    return TwinVerdict(twin.id, twin.kind, twin.question, said, flag(not why), why)


def report(verdicts: Sequence[TwinVerdict]) -> TwinReport:
    """The verdicts with their totals."""
    kinds = dict.fromkeys(v.kind for v in verdicts)
    by_kind = [_figure(kind, [v for v in verdicts if v.kind == kind]) for kind in kinds]
    return TwinReport((*by_kind, _figure("all", verdicts)), tuple(verdicts))


def _figure(kind: str, verdicts: Sequence[TwinVerdict]) -> KindFigure:
    values = [v.verdict.value for v in verdicts if isinstance(v.verdict, Scored)]
    followed = sum(value == 1.0 for value in values)
    return KindFigure(kind, followed, len(values), len(verdicts) - len(values), *wilson(followed, len(values)))


def _no_base(twin: Twin, before: Observation, after: Observation) -> Iterator[str]:
    """Why there is nothing to compare."""
    for observation in (before, after):
        if observation.error is not None:
            yield f"error: {observation.error}"
    if not isinstance(before.outcome, Answer):
        yield f"the unedited documents gave no answer ({_kind(before)})"
    missing = _missing(twin.was, _said(before))
    if missing:
        yield f"the answer from the unedited documents does not say {'、'.join(missing)}"


def _departures(twin: Twin, after: Observation, said: str) -> Iterator[str]:
    """In what the answer does not follow the edited corpus."""
    answered = isinstance(after.outcome, Answer)
    if answered and twin.expect == "abstention":
        yield "answers, though its evidence is gone"
    elif not answered and twin.expect == "answer":
        yield f"does not answer ({_kind(after)})"
    elif answered:
        yield from (f"does not say {fact}" for fact in _missing(twin.facts, said))
    if answered:
        yield from (f"says {words}" for words in forbidden_in(said, twin.forbidden))


def _missing(facts: Iterable[Sequence[str]], said: str) -> list[str]:
    return [alternatives[0] for alternatives in facts if not holds_fact(said, alternatives)]


def _said(observation: Observation) -> str:
    """The claims of an answer; of any other outcome its text.

    Comparison leaves out white space: the dots keep a figure that ends a claim apart from one that begins the next.
    """
    outcome = observation.outcome
    if isinstance(outcome, Answer):
        return "\n".join(f"· {claim.text}" for claim in outcome.claims)
    return outcome.text if outcome else ""


def _kind(observation: Observation) -> str:
    outcome = observation.outcome
    return f"{type(outcome).__name__.lower()}, {outcome.reason}" if outcome else "error"


def _clash(one: Twin, other: Twin) -> bool:
    """Whether one of them could change the other's answer."""
    return bool(one.documents & other.documents) or _meddles(one, other) or _meddles(other, one)


def _meddles(one: Twin, other: Twin) -> bool:
    """Whether one writes what the other must not, or must, find."""
    looked_for = itertools.chain(other.forbidden, *other.facts)
    return any(holds_fact(one.written, (words,)) for words in looked_for)


def _check(twin: Twin, edit: Replace | Rename, times: int) -> None:
    if times == 0 or (times > 1 and isinstance(edit, Replace)):
        raise ValueError(f"{twin.id}: {edit.old!r} stands {times} times in {edit.document}")


def _question(twin: Twin, question: str) -> GoldExample:
    """The twin as the runner asks it; it judges nothing, so that only question and date matter."""
    return GoldExample(
        id=twin.id,
        split="test",
        category=twin.kind,
        question=question,
        conversation=(),
        as_of=twin.as_of,
        kind=twin.expect,
        reason=None,
        facts=(),
        forbidden=(),
        evidence=(),
        also=(),
        why="",
    )


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Indexes are built many times over; only questions are counted."""
