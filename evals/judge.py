"""Judged metrics: what a judge is shown, what asking it will cost, and its verdicts on a run's answers.

Knows metrics by name, cases and the files `judged.jsonl` and `judge.json`. How a judge is asked is the job of
`adapters.ragas`, whether it may be believed of `calibration`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from evals.cassette import CassetteMiss
from evals.domain import Metric, Sample, Unscored, Verdict
from rag.adapters.openai import OutputMode
from rag.adapters.weights import weights_path
from rag.adapters.xllamacpp import EmbeddedServer
from rag.domain import Usage, Value
from rag.ports import Tokenizer
from rag.prompts import Prompt, load_prompt
from rag.settings import Settings
from rag.wiring import embedded_name

TAPE = Path(__file__).parent / "cassettes" / "judge.jsonl.gz"
PROMPTS = Path(__file__).parent / "prompts"
PROMPT_NAMES = ("statements", "verdicts", "claims", "recall", "precision", "question")
EMBEDDED = "embedded"

JUDGED = ("faithfulness", "context_recall", "context_precision", "factual_correctness", "answer_relevancy")
# Without a model. They compare characters and rank a wrong amount above a right paraphrase: shown, never gated on.
# ROUGE is not among them: it drops every Chinese character before it compares.
SURFACE = ("surface_chrf", "surface_levenshtein", "surface_context_recall", "surface_context_precision")

# What a reply takes, about: for the first two the average of the recorded calibration, else a guess on the high side.
_REPLY_TOKENS = {"statements": 40, "verdicts": 105, "claims": 150, "recall": 300, "precision": 60, "question": 40}

Progress = Callable[[str, int, int], None]
TapeMode = Literal["replay", "record", "live"]


class JudgeSpec(Value):
    """A judge: whom to ask and how. `server` names it on the tape; the embedded model's address is new every time."""

    server: str
    model: str
    base_url: str | None = None
    api_key: str | None = None
    output: OutputMode = "json_schema"
    max_tokens: int = 1024
    deadline: float = 120.0
    parallel: int = 1


class Price(Value):
    """What a million tokens cost, in whatever currency the two numbers are in."""

    prompt: float = 0.0
    completion: float = 0.0

    def of(self, usage: Usage) -> float:
        """The price of some tokens."""
        return (usage.prompt_tokens * self.prompt + usage.completion_tokens * self.completion) / 1e6


class Spent(Value):
    """What the verdicts took: calls to the server, replies from the tape, and the tokens of both."""

    asked: int = 0
    replayed: int = 0
    usage: Usage = Usage()


class Case(Value):
    """What a judge is shown of an answer.

    `cited` are the quotes that the answer stands on, `retrieved` the passages in rank order, `references` the gold's
    evidence: empty where the documents hold no answer.
    """

    id: str
    question: str
    answer: str
    cited: tuple[str, ...]
    retrieved: tuple[str, ...] = ()
    references: tuple[str, ...] = ()

    @property
    def reference(self) -> str:
        """The gold's evidence as one text."""
        return "\n".join(self.references)


class Judge(Protocol):
    """Gives verdicts. What goes wrong on the way is a reason in the verdict; only a miss on the tape is raised."""

    @property
    def spent(self) -> Spent:
        """The cost so far."""
        ...

    async def verdict(self, metric: str, case: Case) -> Verdict:
        """One metric on one case.

        Raises:
            CassetteMiss: replaying, and a call is not on the tape.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections; a later verdict opens new ones."""
        ...


class Judged(msgspec.Struct, frozen=True):
    """The verdicts on one answer. A line of `judged.jsonl`."""

    example_id: str
    verdicts: dict[str, Verdict]


class JudgeRecord(msgspec.Struct, frozen=True):
    """Who judged a run, with which prompts, at what cost: `judge.json`."""

    server: str
    model: str
    prompts: dict[str, str]
    metrics: tuple[str, ...]
    cases: int
    spent: Spent
    cost: float


class PlannedCalls(Value):
    """What a metric will ask for, at most, before anything is asked."""

    metric: str
    cases: int
    calls: int
    usage: Usage
    cost: float

    def __str__(self) -> str:
        tokens = f"~{self.usage.prompt_tokens:,} tokens in, ~{self.usage.completion_tokens:,} out"
        return f"{self.metric:<22} {self.cases:>5} answers {self.calls:>6} calls  {tokens}, ~{self.cost:.2f}"


def prompts(folder: Path = PROMPTS) -> dict[str, Prompt]:
    """The judge's prompts by short name.

    Raises:
        PromptInvalid: one of them can't be read.
    """
    return {name: load_prompt(folder, f"judge-{name}") for name in PROMPT_NAMES}


def embedded(settings: Settings) -> JudgeSpec:
    """The embedded model as a judge; `served` starts it."""
    return JudgeSpec(EMBEDDED, embedded_name(settings))


def external(base_url: str, model: str, api_key: str | None, *, parallel: int = 4) -> JudgeSpec:
    """A judge on an OpenAI-compatible server; JSON mode is what most of them have."""
    return JudgeSpec(base_url.rstrip("/"), model, base_url, api_key, "json_object", 4096, parallel=parallel)


@contextmanager
def served(spec: JudgeSpec, settings: Settings) -> Iterator[JudgeSpec]:
    """The judge with an address to ask at: an external one as it is, the embedded model started for the while.

    Raises:
        ModelFileInvalid: the weights are not there.
    """
    if spec.base_url is not None:
        yield spec
        return
    weights = Path(settings.llm_model_path) if settings.llm_model_path else weights_path(settings.models)
    server = EmbeddedServer(weights, settings.llm_threads)
    try:
        yield msgspec.structs.replace(spec, base_url=server.base_url)
    finally:
        server.close()


def cases(samples: Iterable[Sample]) -> list[Case]:
    """What there is to judge: answers. Other outcomes claim nothing."""
    return [_case(sample) for sample in samples if sample.claims]


def plan(
    metrics: Sequence[str], judged: Sequence[Case], asked: dict[str, Prompt], tokenizer: Tokenizer, price: Price
) -> list[PlannedCalls]:
    """How many calls each metric will make, and about what they cost. Asks nobody."""
    fixed = {name: tokenizer.count("".join(body for _, body in prompt.messages)) for name, prompt in asked.items()}

    def planned(metric: str) -> PlannedCalls:
        calls = [call for case in judged for call in _calls(metric, case)]
        usage = Usage(
            sum(fixed[name] + tokenizer.count(text) for name, text in calls),
            sum(_REPLY_TOKENS[name] for name, _ in calls),
        )
        return PlannedCalls(metric, len(judged), len(calls), usage, price.of(usage))

    return [planned(metric) for metric in metrics]


def judge_run(
    folder: Path,
    judged: Sequence[Case],
    metrics: Sequence[str],
    judge: Judge,
    *,
    parallel: int,
    progress: Progress,
) -> list[Judged]:
    """All verdicts, in the order of the cases, also as `judged.jsonl` in the run's folder.

    A judgement that was stopped goes on where it was when the judge records: what was asked is on its tape.

    Raises:
        CassetteMiss: replaying, and a call is not on the tape; the example is named.
    """
    found = asyncio.run(judge_all(judged, metrics, judge, parallel, progress))
    (folder / "judged.jsonl").write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in found))
    return found


def write_record(folder: Path, spec: JudgeSpec, lines: Sequence[Judged], spent: Spent, price: Price) -> JudgeRecord:
    """Write down who judged, as `judge.json`."""
    names = tuple(lines[0].verdicts) if lines else ()
    digests = {prompt.name: prompt.digest for prompt in prompts().values()}
    record = JudgeRecord(spec.server, spec.model, digests, names, len(lines), spent, price.of(spent.usage))
    (folder / "judge.json").write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
    return record


def read_judged(folder: Path) -> list[Judged]:
    """The verdicts in a run's folder; none if it was not judged."""
    path = folder / "judged.jsonl"
    lines = path.read_bytes().splitlines() if path.is_file() else []
    return [msgspec.json.decode(line, type=Judged) for line in lines]


def judged_metrics(lines: Sequence[Judged]) -> tuple[Metric, ...]:
    """The verdicts as metrics, to be summed up like all others. Those without a model say nothing for the gate."""
    by_id = {line.example_id: line.verdicts for line in lines}
    names = dict.fromkeys(name for line in lines for name in line.verdicts)

    def metric(name: str) -> Metric:
        def of(sample: Sample) -> Verdict:
            return by_id.get(sample.example.id, {}).get(name, Unscored("not judged"))

        return Metric(name, "mean", "neither" if name in SURFACE else "high", of)

    return tuple(map(metric, names))


async def judge_all(
    judged: Sequence[Case], metrics: Sequence[str], judge: Judge, parallel: int, progress: Progress
) -> list[Judged]:
    """All verdicts, in the order of the cases; `parallel` cases are on their way at a time.

    Raises:
        CassetteMiss: replaying, and a call is not on the tape; the case is named.
    """
    places, done = asyncio.Semaphore(parallel), 0

    async def one(case: Case) -> Judged:
        nonlocal done
        async with places:
            line = await _verdicts(case, metrics, judge)
        done += 1
        progress("评判", done, len(judged))
        return line

    try:
        return await asyncio.gather(*map(one, judged))
    finally:
        await judge.aclose()


async def _verdicts(case: Case, metrics: Sequence[str], judge: Judge) -> Judged:
    try:
        return Judged(case.id, {metric: await judge.verdict(metric, case) for metric in metrics})
    except CassetteMiss as error:
        raise CassetteMiss(f"{case.id}: {error}") from error


def _case(sample: Sample) -> Case:
    citations = sample.answer.citations if sample.answer else ()
    return Case(
        sample.example.id,
        sample.example.question,
        sample.claimed,
        tuple(citation.quote for citation in citations),
        tuple(row.text for row in sample.observation.retrieved),
        tuple(sample.library.text(path)[span.start : span.end] for path, span in sample.gold.needed),
    )


def _calls(metric: str, case: Case) -> list[tuple[str, str]]:
    """The prompt and the words of each call."""
    question, answer, reference = case.question, case.answer, case.reference
    retrieved = "\n".join(case.retrieved)
    match metric:
        case "faithfulness":
            return [("statements", question + answer), ("verdicts", "\n".join((*case.cited, answer)))]
        case "context_recall":
            return [("recall", question + retrieved + reference)]
        case "context_precision":
            return [("precision", question + context + reference) for context in case.retrieved]
        case "factual_correctness":
            both = answer + reference
            return [("claims", answer), ("verdicts", both), ("claims", reference), ("verdicts", both)]
        case "answer_relevancy":
            return [("question", answer)]
        case _:
            return []
