"""The folder of a run: what an interrupted run left is gone on from, as long as it answers the same questions."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from evals.domain import Observation, SampleScores
from evals.runs import ROOT, RunFolder, RunInvalid, RunManifest, describe, example_digest, file_digest, tree_digest
from tests.evals.samples import an_abstention, an_example
from tests.evals.verdicts import a_manifest

SEEN = [Observation(name, an_abstention()) for name in ("a", "b", "c")]


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run that got as far as `SEEN`."""
    run = RunFolder(tmp_path / "run")
    run.begin(a_manifest(5))
    for observation in SEEN:
        run.keep(observation)
    return run


def _file(run: RunFolder) -> Path:
    return run.path / "observations.jsonl"


def _described(**fields: Any) -> RunManifest:  # noqa: ANN401 - the arguments of describe
    told: dict[str, Any] = {
        "mode": "extractive",
        "model": "extractive",
        "embedder": "none",
        "clock": dt.date(2026, 11, 23),
        "corpus": [ROOT / "corpus" / "README.md"],
        "gold": [],
        "examples": [an_example()],
        "prompts": ROOT / "prompts",
        "tapes": [],
        "settings": {},
    }
    return describe(**(told | fields))


# Going on


def test_observations_come_back_as_they_were_kept(folder: RunFolder) -> None:
    """Outcomes of all kinds survive the file, in order."""
    assert folder.observations() == SEEN


def test_a_run_of_the_same_recipe_goes_on(folder: RunFolder) -> None:
    """What was answered is not asked again, whenever and from whatever commit the run was begun."""
    again = a_manifest(5, created=dt.datetime(2026, 11, 24, tzinfo=dt.UTC), commit="f00d", dirty=True)
    assert folder.begin(again) == SEEN
    assert folder.observations() == SEEN


@pytest.mark.parametrize("cut", [1, 40, -1])
def test_a_line_that_a_kill_cut_short_is_dropped(folder: RunFolder, cut: int) -> None:
    """It is asked again, and what is kept then starts a line of its own."""
    whole = _file(folder).read_bytes()
    *lines, last = whole.splitlines(keepends=True)
    _file(folder).write_bytes(b"".join(lines) + last.rstrip(b"\n")[:cut])
    assert folder.begin(a_manifest(5)) == SEEN[:-1]
    folder.keep(SEEN[-1])
    assert _file(folder).read_bytes() == whole


@pytest.mark.parametrize(
    "changed",
    [
        {"mode": "cassette"},
        {"model": "other"},
        {"clock": dt.date(2027, 1, 1)},
        {"corpus_digest": "corpus-2"},
        {"example_digest": "examples-2"},
        {"prompts": {"answer.md": "prompt-2"}},
        {"code": "code-2"},
        {"evidence_model": "weights-2"},
        {"settings": {"embedder": "none"}},
        {"tapes": {"embedded.jsonl.gz": "tape-2"}},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_run_of_another_recipe_starts_anew(folder: RunFolder, changed: dict[str, Any]) -> None:
    """Answers of two recipes never stand in one run."""
    manifest = a_manifest(5, **changed)
    assert folder.begin(manifest) == []
    assert (folder.observations(), folder.manifest()) == ([], manifest)


@pytest.mark.parametrize("content", [b"", b'{"mode": "extractive"}'], ids=["cut", "of another version"])
def test_a_manifest_that_cant_be_read_is_no_hindrance(folder: RunFolder, content: bytes) -> None:
    """A run that was killed as it began, or made by older code, is begun anew."""
    (folder.path / "manifest.json").write_bytes(content)
    assert folder.begin(a_manifest(5)) == []
    assert folder.manifest() == a_manifest(5)


def test_an_example_that_ended_in_an_error_is_asked_again(folder: RunFolder) -> None:
    """An error is no answer to go on from."""
    folder.keep(Observation("d", None, error="CassetteMiss: not there"))
    assert folder.begin(a_manifest(5)) == SEEN


def test_scores_of_an_unfinished_run_are_gone(folder: RunFolder) -> None:
    """Verdicts never stand beside observations that they were not made from."""
    folder.write_scores([SampleScores("a", "fact", "test", "a", {})], {"examples": 1})
    folder.begin(a_manifest(5))
    assert sorted(path.name for path in folder.path.iterdir()) == ["manifest.json", "observations.jsonl"]


def test_scores_are_a_line_an_example(folder: RunFolder) -> None:
    """Other programs read them line by line."""
    scores = [SampleScores(name, "fact", "test", name, {}) for name in ("a", "b")]
    folder.write_scores(scores, {"examples": 2})
    lines = (folder.path / "scores.jsonl").read_bytes().splitlines()
    assert [msgspec.json.decode(line, type=SampleScores) for line in lines] == scores
    assert json.loads((folder.path / "summary.json").read_bytes()) == {"examples": 2}


# What can't be read


@pytest.mark.parametrize("content", [None, b"", b"{", b'{"mode": "extractive"}'], ids=["none", "empty", "cut", "short"])
def test_a_folder_without_a_manifest_is_no_run(tmp_path: Path, content: bytes | None) -> None:
    """The folder is named."""
    if content is not None:
        (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(RunInvalid, match=tmp_path.name):
        RunFolder(tmp_path).manifest()


def test_a_run_without_observations_is_named(tmp_path: Path) -> None:
    """The missing file is named."""
    with pytest.raises(RunInvalid, match=r"observations\.jsonl"):
        RunFolder(tmp_path).observations()


@pytest.mark.parametrize("line", ['{"example_id": "b"', '{"outcome": null}', '{"example_id": 3, "outcome": null}'])
def test_an_observation_that_cant_be_read_is_named(folder: RunFolder, line: str) -> None:
    """File and line: whoever edited it finds it."""
    lines = _file(folder).read_text("utf-8").splitlines()
    _file(folder).write_text("\n".join([lines[0], line, lines[2]]), "utf-8")
    with pytest.raises(RunInvalid, match=r"observations\.jsonl:2:"):
        folder.observations()


# Digests


def test_a_tree_is_known_by_names_and_bytes(tmp_path: Path) -> None:
    """Every change below a folder is another digest, and changing it back is the first one again."""
    (tmp_path / "in").mkdir()
    page = tmp_path / "in" / "a.md"
    page.write_text("甲")
    before = tree_digest([tmp_path])
    page.write_text("乙")
    other = tree_digest([tmp_path])
    moved = page.rename(tmp_path / "in" / "b.md")
    renamed = tree_digest([tmp_path])
    moved.rename(page).write_text("甲")
    assert len({before, other, renamed}) == 3
    assert tree_digest([tmp_path]) == before


def test_a_tree_is_the_same_elsewhere(tmp_path: Path) -> None:
    """A digest names contents and no machine."""
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.md").write_text("甲")
    assert tree_digest([tmp_path / "here"]) == tree_digest([tmp_path / "there"])


def test_examples_are_known_by_what_they_say() -> None:
    """A key fact that was changed is another set of questions."""
    one, other = an_example(facts=(("70%",),)), an_example(facts=(("75%",),))
    assert example_digest([one]) == example_digest([one])
    assert len({example_digest(e) for e in ([one], [other], [one, other], [other, one])}) == 4


def test_a_manifest_tells_what_a_run_was_made_with(tmp_path: Path) -> None:
    """Prompts, tapes, gold and the service's code are there by digest, the moment in universal time."""
    tape = tmp_path / "calls.jsonl.gz"
    tape.write_bytes(b"tape")
    gold = ROOT / "evals" / "gold" / "facts.jsonl"
    manifest = _described(tapes=[tape, tmp_path / "not there"], gold=[gold])
    assert manifest.tapes == {"calls.jsonl.gz": file_digest(tape)}
    assert manifest.gold == {"evals/gold/facts.jsonl": file_digest(gold)}
    assert manifest.prompts["answer.md"] == file_digest(ROOT / "prompts" / "answer.md")
    assert manifest.code == tree_digest([ROOT / "rag"])
    assert manifest.created.tzinfo is not None


def test_a_manifest_leads_to_its_gold_and_corpus(tmp_path: Path) -> None:
    """A run can be scored again without being told where its texts lie, inside of the project and outside."""
    outside = tmp_path / "gold.jsonl"
    outside.touch()
    texts = [ROOT / "evals" / "gold" / "facts.jsonl", outside]
    manifest = _described(gold=texts, corpus=texts)
    assert _found(manifest.gold) == _found(manifest.corpus) == texts


def _found(names: Sequence[str] | dict[str, str]) -> list[Path]:
    return [ROOT / name for name in names if (ROOT / name).is_file()]
