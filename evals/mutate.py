"""The mutation test of the verifier: how many false claims it catches, and how many true ones it lets through.

Knows bars, sampling and the report. Where true claims come from is the job of `truths`, how they are made false of
`mutants`. The verifier is called as the service calls it, and nothing of how it works is known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Literal

from evals.lookalikes import Verdicts, judge
from evals.mutants import KINDS, Kind, Mutant, mutants
from evals.statistics import wilson
from evals.truths import HANDWRITTEN, Pair, Wording, digest, truths
from rag.answer.verifying.checking import check
from rag.answer.verifying.problems import Problem
from rag.domain import Value

Half = Literal["dev", "test", "both"]
Verifier = Callable[[str, Sequence[str], str], tuple[Problem, ...]]

# A wrong figure costs a patient money; a place or a person that is wrong gives somebody else's rule, mostly told with
# a figure of its own; of the words, some changes are a matter of degree (应当 to 可以).
BARS: Mapping[Kind, float] = {
    "number": 0.99,
    "unit": 0.99,
    "bound": 0.95,
    "qualifier": 0.95,
    "place": 0.97,
    "person": 0.97,
    "polarity": 0.95,
    "alignment": 0.95,
}
# Above this share of true claims refused, answers turn into quotations.
PASSED_BAR = 0.97

# What kind of problem tells of the change, in the words of `rag check`. A rule's case has several names: 境外 is a
# place and a qualifier; a value of another row is a wrong number, or a right one of a wrong case.
RIGHT: Mapping[Kind, frozenset[str]] = {
    "number": frozenset({"number", "date"}),
    "unit": frozenset({"unit", "number", "date"}),
    "bound": frozenset({"bound"}),
    "qualifier": frozenset({"qualifier", "person", "place"}),
    "place": frozenset({"place", "qualifier"}),
    "person": frozenset({"person", "qualifier"}),
    "polarity": frozenset({"polarity"}),
    "alignment": frozenset({"number", "unit", "date", "bound", "qualifier", "person"}),
}

# With fewer, a share near its bar says little.
ENOUGH = 150

# So many of each kind are tried of one source's half, so that the largest source does not speak for all, and so many
# that change the same words: 应当 stands in every second article. Hand-worded claims are few, and all are tried.
PER_SOURCE, PER_CHANGE = 120, 12


class Row(Value):
    """How many mutants of a kind were caught, with a 95 % interval.

    `named` of them by a problem of the right kind; `apart` of them while their true claim was passed, which a verifier
    that refuses everything never does.
    """

    kind: Kind
    wording: Literal["all", "verbatim", "paraphrase"]
    n: int
    caught: int
    named: int
    apart: int
    low: float
    high: float
    bar: float

    @property
    def met(self) -> bool:
        """Whether the share caught reaches the bar; nothing tried reaches none."""
        return self.n > 0 and self.caught >= self.bar * self.n

    def __str__(self) -> str:
        bar = f"{self.bar:.2f} {'met' if self.met else 'MISSED'}" if self.wording == "all" else ""
        share = _share(self.caught, self.n, self.low, self.high)
        return f"{self.kind:<10}{self.wording:<11}{share} {self.named:>6} {self.apart:>6}  {bar}"


class Passed(Value):
    """How many true claims were let through, with a 95 % interval."""

    wording: Wording
    n: int
    passed: int
    low: float
    high: float
    bar: float

    @property
    def met(self) -> bool:
        """Whether the share passed reaches the bar; nothing tried reaches none."""
        return self.n > 0 and self.passed >= self.bar * self.n

    def __str__(self) -> str:
        word = "met" if self.met else "MISSED"
        share = _share(self.passed, self.n, self.low, self.high)
        return f"{'true':<10}{self.wording:<11}{share} {'':>6} {'':>6}  {self.bar:.2f} {word}"


class Miss(Value):
    """A false claim that was let through."""

    kind: Kind
    wording: Wording
    pair: str
    change: str
    before: str
    after: str
    evidence: str

    def __str__(self) -> str:
        return f"- {self.kind} [{self.change}] {self.pair}\n    true:  {self.before}\n    false: {self.after}"


class Refusal(Value):
    """A true claim that was refused, and why."""

    wording: Wording
    pair: str
    claim: str
    evidence: str
    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        kinds = ", ".join(dict.fromkeys(problem.kind for problem in self.problems))
        return f"- {kinds}: {self.pair}\n    claim:    {self.claim}\n    evidence: {_on_a_line(self.evidence)}"


class Report(Value):
    """All figures of a half, with every mutant missed and every true claim refused."""

    half: Half
    met: bool
    caught: tuple[Row, ...]
    passed: tuple[Passed, ...]
    missed: tuple[Miss, ...]
    refused: tuple[Refusal, ...]
    by_hand: Verdicts
    notes: tuple[str, ...]

    def __str__(self) -> str:
        tried = sum(row.n for row in self.caught if row.wording == "all")
        lines = [
            f"{tried} mutants ({self.half})",
            f"{'kind':<10}{'of':<11}{'right':>6} {'n':>6}  share [95 %]            named  apart  bar",
            *map(str, (*self.caught, *self.passed)),
            *(f"note: {note}" for note in self.notes),
        ]
        if self.missed:
            lines += ["", f"missed: {len(self.missed)}", *map(str, self.missed)]
        if self.refused:
            lines += ["", f"refused, though true: {len(self.refused)}", *map(str, self.refused)]
        return "\n".join([*lines, "", str(self.by_hand), "", "all bars met" if self.met else "bars missed"])


def mutate(
    corpus: Path, data: Path | None, half: Half, *, paraphrases: Path = HANDWRITTEN, verify: Verifier = check
) -> Report:
    """Ask the verifier about mutants and true claims of a half of the documents.

    Raises:
        UnreadableFile: a document can't be read.
        ValueError: a paraphrase is malformed or does not fit its document.
    """
    known = truths(corpus, data, paraphrases)
    pairs = [pair for pair in known.pairs if half in {pair.split, "both"}]
    tried = sample(mutant for pair in pairs for mutant in mutants(pair))
    verdicts = [(m, verify(m.claim, m.pair.evidence, m.pair.title)) for m in tried]
    truly = [(p, verify(p.claim, p.evidence, p.title)) for p in _tellable(pairs, tried)]
    refused = frozenset(pair.id for pair, problems in truly if problems)
    caught, passed = tuple(_rows(verdicts, refused)), tuple(_passed(truly))
    by_hand = judge([one for one in known.look_alikes if half in {one.split, "both"}], verify)
    by_rule = all(row.met for row in caught if row.wording == "all")
    return Report(
        half=half,
        met=by_rule and all(row.met for row in passed) and by_hand.met,
        caught=caught,
        passed=passed,
        missed=tuple(_miss(mutant) for mutant, problems in verdicts if not problems),
        refused=tuple(_refusal(pair, problems) for pair, problems in truly if problems),
        by_hand=by_hand,
        notes=(*known.notes, *_few(caught)),
    )


def sample(found: Iterable[Mutant]) -> list[Mutant]:
    """The mutants that are tried: all of paraphrases, a part of the others, always the same ones, and none twice."""
    single = {mutant.claim: mutant for mutant in found}  # insurers share whole clauses
    made = sorted(single.values(), key=lambda m: (_stratum(m), digest(m.pair.id, m.claim)))
    return [mutant for _, group in groupby(made, _stratum) for mutant in _varied(list(group))]


def _stratum(mutant: Mutant) -> tuple[str, ...]:
    return mutant.kind, mutant.pair.wording, mutant.pair.source, mutant.pair.split


def _varied(group: Sequence[Mutant]) -> list[Mutant]:
    if group[0].pair.wording == "paraphrase":
        return list(group)
    times: dict[tuple[str, str], int] = {}
    chosen: list[Mutant] = []
    for mutant in group:
        change = mutant.was, mutant.now
        times[change] = times.get(change, 0) + 1
        if times[change] <= PER_CHANGE and len(chosen) < PER_SOURCE:
            chosen.append(mutant)
    return chosen


def _tellable(pairs: Sequence[Pair], tried: Sequence[Mutant]) -> list[Pair]:
    """The true claims to try: every paraphrase, and of the sentences those that the mutants were made of."""
    used = {mutant.pair.id for mutant in tried}
    return [pair for pair in pairs if pair.wording == "paraphrase" or pair.id in used]


def _rows(verdicts: Sequence[tuple[Mutant, tuple[Problem, ...]]], refused: frozenset[str]) -> Iterator[Row]:
    wordings: tuple[Literal["all", "verbatim", "paraphrase"], ...] = ("all", "verbatim", "paraphrase")
    for kind in KINDS:
        for wording in wordings:
            own = [(m, ps) for m, ps in verdicts if m.kind == kind and wording in {"all", m.pair.wording}]
            yield _row(kind, wording, own, refused)


def _row(
    kind: Kind,
    wording: Literal["all", "verbatim", "paraphrase"],
    verdicts: Sequence[tuple[Mutant, tuple[Problem, ...]]],
    refused: frozenset[str],
) -> Row:
    found = [(mutant, problems) for mutant, problems in verdicts if problems]
    named = sum(any(p.kind in RIGHT[kind] for p in problems) for _, problems in found)
    apart = sum(mutant.pair.id not in refused for mutant, _ in found)
    n, caught = len(verdicts), len(found)
    return Row(kind, wording, n, caught, named, apart, *wilson(caught, n), BARS[kind])


def _few(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        if row.wording == "all" and row.n < ENOUGH:
            yield f"{row.n} mutants of {row.kind}: fewer than {ENOUGH}"


def _passed(truly: Sequence[tuple[Pair, tuple[Problem, ...]]]) -> Iterator[Passed]:
    wordings: tuple[Wording, ...] = ("verbatim", "paraphrase")
    for wording in wordings:
        own = [problems for pair, problems in truly if pair.wording == wording]
        passed = sum(not problems for problems in own)
        yield Passed(wording, len(own), passed, *wilson(passed, len(own)), PASSED_BAR)


def _miss(mutant: Mutant) -> Miss:
    pair = mutant.pair
    return Miss(
        mutant.kind,
        pair.wording,
        pair.id,
        f"{mutant.was} → {mutant.now}",
        pair.claim,
        mutant.claim,
        "\n".join(pair.evidence),
    )


def _refusal(pair: Pair, problems: tuple[Problem, ...]) -> Refusal:
    return Refusal(pair.wording, pair.id, pair.claim, "\n".join(pair.evidence), problems)


def _share(part: int, whole: int, low: float, high: float) -> str:
    share = f"{part / whole:.3f}" if whole else "    -"
    return f"{part:>6} {whole:>6}  {share} [{low:.3f}, {high:.3f}]"


def _on_a_line(text: str) -> str:
    return text.replace("\n", " / ")
