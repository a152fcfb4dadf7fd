"""The command `evals`, from questions to a report: what it writes, what it prints, how it exits."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from evals.baseline import accept
from evals.cassette import Cassette
from evals.cli import main
from evals.dataset import GoldExample, QuoteRef
from evals.domain import SampleScores
from evals.runs import ROOT, RunFolder
from evals.scoring import METRICS, score_run
from evals.summary import Summary
from tests.evals.samples import BEDS, MEALS, QUESTION, a_library, an_example
from tests.fakes.openai_server import ScriptedServer, chat_reply

GREEN, RED, CANNOT_JUDGE = 0, 1, 2

GOLD = (
    an_example(
        QUESTION, id="beds", facts=(("70%",),), forbidden=("80%",), evidence=(QuoteRef("beds", BEDS),), category="fact"
    ),
    an_example(
        "宁波陪护人员的停车费能报销吗？",
        id="meals",
        facts=(("不在支付范围",),),
        evidence=(QuoteRef("beds", MEALS),),
        category="conflict",
    ),
    an_example("怎么给自行车轮胎补气？", id="bike", kind="abstention", reason="no_evidence", category="unanswerable"),
    an_example(
        "怎么炖红烧肉？", id="pork", kind="abstention", reason="no_evidence", category="unanswerable", split="dev"
    ),
)

Evals = Callable[..., Result]


class Tiny:
    """A few documents and questions about them, outside of the project."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.docs, self.gold = folder, folder / "docs", folder / "gold.jsonl"
        a_library(self.docs)
        self.write(GOLD)

    def write(self, examples: tuple[GoldExample, ...]) -> None:
        self.gold.write_bytes(b"\n".join(map(msgspec.json.encode, examples)))

    @property
    def options(self) -> list[str]:
        """What names them to `evals run`."""
        return ["--gold", str(self.gold), "--corpus", str(self.docs)]


@pytest.fixture(scope="module")
def environment(model_dir: Path) -> dict[str, str]:
    """Settings for answers without any model."""
    given = {"RAG_EMBEDDER": "none", "RAG_MODEL_DIR": str(model_dir), "RAG_PROMPT_DIR": str(ROOT / "prompts")}
    return given | {"RAG_LLM": "", "RAG_LLM_BASE_URL": "", "RAG_LLM_MODEL": "", "COLUMNS": "200"}


@pytest.fixture(scope="module")
def evals(environment: dict[str, str]) -> Evals:
    """Runs the command in this process."""

    def invoke(*words: object, **more: str) -> Result:
        return CliRunner().invoke(main, [str(word) for word in words], env=environment | more)

    return invoke


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """The texts that all tests ask about."""
    return Tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def asked(tiny: Tiny, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """`evals run --json`, in a process of its own: what libraries print counts as well."""
    return subprocess.run(
        [sys.executable, "-m", "evals.cli", "run", *tiny.options, "--out", tiny.folder / "run", "--json"],
        cwd=ROOT,
        env=os.environ | environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def run(tiny: Tiny, asked: subprocess.CompletedProcess[str], tmp_path: Path) -> Path:
    """A copy of the run, to be spoilt."""
    assert asked.returncode == 0, asked.stderr[-2000:]
    return Path(shutil.copytree(tiny.folder / "run", tmp_path / "run", ignore=shutil.ignore_patterns("data")))


@pytest.fixture
def accepted(run: Path, tmp_path: Path) -> Path:
    """The run as a baseline, beside the ones in force."""
    return accept(score_run(RunFolder(run)), "first figures", tmp_path / "baselines")


def _observed(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "observations.jsonl").read_text("utf-8").splitlines()]


def _rewrite(run: Path, lines: list[dict[str, Any]]) -> None:
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (run / "observations.jsonl").write_text(text, "utf-8")


# run


def test_json_is_one_object_on_standard_output(asked: subprocess.CompletedProcess[str]) -> None:
    """And nothing else is there: progress and logs go to standard error."""
    assert asked.returncode == 0, asked.stderr[-2000:]
    assert asked.stdout.count("\n") == 1
    assert msgspec.json.decode(asked.stdout, type=Summary).examples == len(GOLD)
    assert "提问" in asked.stderr


def test_a_run_writes_a_line_an_example(run: Path) -> None:
    """Observations and verdicts, in the order of the gold."""
    ids = [e.id for e in GOLD]
    lines = (run / "scores.jsonl").read_bytes().splitlines()
    scores = [msgspec.json.decode(line, type=SampleScores) for line in lines]
    assert [o.example_id for o in RunFolder(run).observations()] == [s.example_id for s in scores] == ids
    assert all(s.verdicts.keys() == {m.name for m in METRICS} for s in scores)


def test_an_observation_has_the_fields_that_others_read(run: Path) -> None:
    """The outcome is the one of the service's wire format; what the model wrote and lost is counted beside it."""
    first = _observed(run)[0]
    assert set(first) == {"example_id", "outcome", "retrieved", "error"} | {"asked", "drafted", "removed"}
    assert (first["example_id"], first["error"], first["outcome"]["kind"]) == ("beds", None, "answer")
    assert {"document_id", "start", "end"} <= first["retrieved"][0].keys()


def test_the_summary_is_what_was_printed(run: Path, asked: subprocess.CompletedProcess[str]) -> None:
    """summary.json and --json are one."""
    assert json.loads((run / "summary.json").read_bytes()) == json.loads(asked.stdout)


def test_halves_and_parts_can_be_asked_alone(evals: Evals, tiny: Tiny, tmp_path: Path) -> None:
    """--half dev leaves the test half alone."""
    done = evals("run", *tiny.options, "--half", "dev", "--out", tmp_path / "run")
    assert (done.exit_code, [o["example_id"] for o in _observed(tmp_path / "run")]) == (0, ["pork"]), done.output


def test_an_example_that_could_not_be_asked_fails_the_run(evals: Evals, tiny: Tiny, tmp_path: Path) -> None:
    """The error is shown, and the exit status is not that of a verdict."""
    words = ("run", *tiny.options, "--model", "cassette", "--calls", tmp_path / "none.gz", "--out", tmp_path / "run")
    done = evals(*words)
    assert done.exit_code == CANNOT_JUDGE
    assert "CassetteMiss" in done.stderr
    assert {o["error"] is None for o in _observed(tmp_path / "run")} == {True, False}


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        pytest.param("gold", "gold.jsonl:1:", id="gold"),
        pytest.param("quote", "not exactly once", id="quote"),
        pytest.param("corpus", "broken.md", id="corpus"),
    ],
)
def test_a_run_that_can_not_be_made_says_why(evals: Evals, tmp_path: Path, broken: str, told: str) -> None:
    """One line, exit 2, no traceback."""
    texts = Tiny(tmp_path)
    match broken:
        case "gold":
            texts.gold.write_text("{}", "utf-8")
        case "quote":
            texts.write((an_example(evidence=(QuoteRef("beds", "没有这句"),)),))
        case _:
            (texts.docs / "broken.md").write_bytes(b"\x00\x01\x02" * 100)
    done = evals("run", *texts.options, "--out", tmp_path / "run")
    assert (done.exit_code, done.stderr.count("error: ")) == (CANNOT_JUDGE, 1), done.output
    assert told in done.stderr


# record


def test_recording_again_keeps_the_tape(evals: Evals, tiny: Tiny, tmp_path: Path) -> None:
    """However often: nothing is asked twice, and the tape stays the same; then a run needs no server."""
    tape = tmp_path / "calls.jsonl.gz"
    words = (*tiny.options, "--calls", tape, "--out", tmp_path / "run")
    seen = []
    with ScriptedServer(lambda _: chat_reply('{"claims": []}')) as server:
        given = {"RAG_LLM_BASE_URL": server.base_url, "RAG_LLM_MODEL": "scripted"}
        for _ in range(3):
            done = evals("record", *words, **given)
            assert done.exit_code == 0, done.output
            seen.append((len(server.requests), len(Cassette(tape)), tape.read_bytes()))
    assert seen[0][0] == seen[0][1] > 0
    assert seen == seen[:1] * 3
    replayed = evals("run", *words, "--model", "cassette", "--part", "0", **given)
    assert replayed.exit_code == 0, replayed.output


# gate


def test_a_run_like_its_baseline_is_green(evals: Evals, run: Path, accepted: Path) -> None:
    """Exit 0, and nothing to complain of."""
    done = evals("gate", run, "--baseline", accepted, "--json")
    assert (done.exit_code, json.loads(done.stdout)["reasons"]) == (GREEN, []), done.output


def test_an_edited_outcome_is_judged_as_it_stands(evals: Evals, run: Path, accepted: Path) -> None:
    """Verdicts are computed afresh: one wrong digit is red, whatever scores.jsonl says."""
    first, *others = _observed(run)
    edited = json.loads(json.dumps(first, ensure_ascii=False).replace("70%", "80%"))
    edited["outcome"]["citations"] = first["outcome"]["citations"]
    _rewrite(run, [edited, *others])
    done = evals("gate", run, "--baseline", accepted, "--json")
    assert done.exit_code == RED
    assert "wrong_amounts" in {reason["metric"] for reason in json.loads(done.stdout)["reasons"]}
    assert evals("gate", run, "--baseline", accepted).stdout.startswith("red, ")


def test_an_example_that_ended_in_an_error_is_red(evals: Evals, run: Path, accepted: Path) -> None:
    """An error is never left out of the count."""
    first, *others = _observed(run)
    _rewrite(run, [first | {"outcome": None, "error": "OSError: disk"}, *others])
    assert evals("gate", run, "--baseline", accepted).exit_code == RED


def _no_manifest(run: Path) -> None:
    (run / "manifest.json").unlink()


def _line_missing(run: Path) -> None:
    _rewrite(run, _observed(run)[1:])


def _line_twice(run: Path) -> None:
    _rewrite(run, [*_observed(run), _observed(run)[0]])


def _line_cut(run: Path) -> None:
    path = run / "observations.jsonl"
    path.write_bytes(path.read_bytes()[:-20])


def _gold_moved(run: Path) -> None:
    manifest = json.loads((run / "manifest.json").read_bytes())
    manifest["gold"] = {f"{name}.gone": digest for name, digest in manifest["gold"].items()}
    (run / "manifest.json").write_text(json.dumps(manifest), "utf-8")


@pytest.mark.parametrize("spoil", [_no_manifest, _line_missing, _line_twice, _line_cut, _gold_moved])
def test_a_run_that_is_not_whole_can_not_be_judged(
    evals: Evals, run: Path, accepted: Path, spoil: Callable[[Path], None]
) -> None:
    """Exit 2 with one line: neither green nor red."""
    spoil(run)
    done = evals("gate", run, "--baseline", accepted)
    assert (done.exit_code, done.stdout, done.stderr.count("error: ")) == (CANNOT_JUDGE, "", 1), done.output


@pytest.mark.parametrize("text", ["gold", "docs"])
def test_texts_that_changed_since_the_run_can_not_judge_it(evals: Evals, tmp_path: Path, text: str) -> None:
    """Another key fact or another document is no ground to judge old answers on."""
    texts, run = Tiny(tmp_path), tmp_path / "run"
    assert evals("run", *texts.options, "--out", run).exit_code == 0
    if text == "gold":
        texts.write((msgspec.structs.replace(GOLD[0], facts=(("75%",),)), *GOLD[1:]))
    else:
        (texts.docs / "glasses.md").write_text("# 别的\n\n别的内容。\n", "utf-8")
    done = evals("gate", run)
    assert (done.exit_code, done.stdout) == (CANNOT_JUDGE, ""), done.output


# compare, report, accept


def test_a_run_compared_with_itself_has_no_flips(evals: Evals, run: Path) -> None:
    """All examples pair, and no metric moves."""
    found = json.loads(evals("compare", run, run, "--json").stdout)
    assert (found["shared"], found["only_a"], found["only_b"]) == (len(GOLD), [], [])
    assert {metric["overall"]["value"] for metric in found["metrics"]} == {0}


def test_a_comparison_names_what_was_lost(evals: Evals, run: Path, tmp_path: Path) -> None:
    """The example that flipped stands beside its metric."""
    other = Path(shutil.copytree(run, tmp_path / "other"))
    first, *others = _observed(run)
    _rewrite(other, [first | {"outcome": others[-1]["outcome"]}, *others])
    found = {metric["name"]: metric for metric in json.loads(evals("compare", run, other, "--json").stdout)["metrics"]}
    assert found["kind"]["flips"]["lost"] == ["beds"]
    assert "kind" in evals("compare", run, other).stdout


def test_a_report_has_three_forms(evals: Evals, run: Path, tmp_path: Path) -> None:
    """Each is written where it was asked for."""
    files = {form: tmp_path / f"report.{form}" for form in ("html", "junit", "markdown")}
    done = evals("report", run, *(word for form, path in files.items() for word in (f"--{form}", path)))
    assert done.exit_code == 0, done.output
    assert all(str(path) in done.stdout and path.stat().st_size > 200 for path in files.values())


def test_a_report_goes_beside_its_run(evals: Evals, run: Path) -> None:
    """Unless it is told where to go."""
    assert evals("report", run).exit_code == 0
    assert (run / "report.html").read_text("utf-8").lstrip().lower().startswith("<!doctype html>")


@pytest.mark.parametrize("words", [("accept",), ("compare",), ("report", "nowhere"), ("gate", "nowhere"), ("unknown",)])
def test_a_command_that_is_not_understood_exits_with_2(evals: Evals, words: tuple[str, ...]) -> None:
    """Never with 1, which is a verdict."""
    assert evals(*words).exit_code == CANNOT_JUDGE
