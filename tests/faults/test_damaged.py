"""Bytes that rot: every damage is an error that names the file and a command that mends it, never a wrong answer."""

from __future__ import annotations

import contextlib
import random
import shutil
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from pathlib import Path

import httpx
import pytest

from rag.errors import IndexDamaged
from rag.settings import Settings
from rag.snapshots import Snapshot, SnapshotStore
from rag.wiring import LocalStorage
from tests.fakes.embedder import FakeEmbedder
from tests.faults.conftest import ROOT, Rag, write_files
from tests.faults.jobs import Job, ingest
from tests.web.conftest import running

SEED = 20_261_123
REMEDY = "rag ingest PATH... --rebuild"
# A segment of Chroma has files of its own once a thousand rows are in it.
FILES = [
    "manifest.json",
    "catalogue.sqlite",
    DATABASE := "chroma/chroma.sqlite3",
    *(f"chroma/*/{name}" for name in ("data_level0.bin", "header.bin", "index_metadata.pickle", "length.bin")),
    *(
        f"lexical/{part}/{name}"
        for part in ("chunks", "units")
        for name in ("data.csc.index.npy", "indices.csc.index.npy", "indptr.csc.index.npy", "vocab.index.json",
                     "params.index.json", "terms.npy", "ends.npy")
    ),
]  # fmt: skip
QUESTION = "附加第7项补贴第5档每月多少？"


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough files for Chroma to write all of its own."""
    return write_files(tmp_path_factory.mktemp("damaged") / "in", 90, "附加")


@pytest.fixture(scope="module")
def base(documents: Path, processes: ForkServerContext) -> Path:
    """A good index of these files, in place of the small one."""
    job = Job(documents.parent / "data", documents, documents.parent / "told")
    process = processes.Process(target=ingest, args=(job,))
    process.start()
    process.join()
    assert process.exitcode == 0
    return documents.parent


def flip(path: Path, seed: int = SEED) -> None:
    """One byte, somewhere in the file, becomes another one."""
    content = bytearray(path.read_bytes())
    content[random.Random(seed).randrange(len(content))] ^= 0x41  # noqa: S311 - nothing secret
    path.write_bytes(content)


def truncate(path: Path) -> None:
    """The second half is gone."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def found(store: SnapshotStore, pattern: str) -> Path:
    """The one file of the current snapshot that fits the pattern and is kept by it."""
    folder = store.snapshots / str(store.current_id())
    (path,) = [
        p for p in folder.glob(pattern) if "chroma/*" not in pattern or (p.parent / "index_metadata.pickle").exists()
    ]
    return path


@pytest.mark.parametrize(
    ("pattern", "harm"),
    [(file, harm) for file in FILES for harm in (flip, truncate, Path.unlink) if (file, harm) != (DATABASE, flip)],
)
def test_a_damaged_file_is_named_with_its_remedy(
    store: SnapshotStore, pattern: str, harm: Callable[[Path], None]
) -> None:
    """The error names the file and the command that builds the index anew."""
    path = found(store, pattern)
    harm(path)
    with pytest.raises(IndexDamaged) as caught, contextlib.closing(store.open_current()):
        pytest.fail("a damaged index was opened")
    assert str(path.parent if path.suffix == ".sqlite3" else path) in str(caught.value)
    assert REMEDY in str(caught.value)


@pytest.mark.parametrize("seed", range(12))
def test_no_flipped_byte_in_chromas_database_changes_what_is_found(store: SnapshotStore, seed: int) -> None:
    """It is either told or was in a part that searching does not look at."""
    nearest = _nearest(store)
    flip(found(store, "chroma/chroma.sqlite3"), SEED + seed)
    with contextlib.suppress(IndexDamaged):
        assert _nearest(store) == nearest


def _nearest(store: SnapshotStore) -> list[tuple[str, float]]:
    snapshot = Snapshot(store.snapshots / str(store.current_id()), LocalStorage(store.root.parent, None))
    with contextlib.closing(snapshot):
        assert snapshot.vectors is not None
        return snapshot.vectors.nearest_chunks(FakeEmbedder().query(QUESTION), 20)


@pytest.mark.parametrize(
    "pattern", ["manifest.json", "catalogue.sqlite", "chroma/chroma.sqlite3", "lexical/units/*.json"]
)
def test_the_command_says_it_in_one_line_and_its_remedy_helps(
    store: SnapshotStore, rag: Rag, documents: Path, pattern: str
) -> None:
    """Searching and ingesting end with status 1 and one line; the command in that line makes the index whole."""
    harmed = next((store.snapshots / str(store.current_id())).glob(pattern))
    truncate(harmed)
    for arguments in (("search", QUESTION), ("ask", QUESTION), ("index", "verify"), ("ingest", documents)):
        result = rag(*arguments)
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
        assert result.stderr.startswith("rag: ")
        assert REMEDY in result.stderr
    assert rag("ingest", documents, "--rebuild").exit_code == 0
    assert "附加第7项补贴" in rag("search", QUESTION).stdout


@pytest.mark.parametrize("text", ["", "{", '{"snapshot": "20010101-000000-abcdef", "previous": null}'])
def test_a_damaged_pointer_is_mended_by_choosing_again(store: SnapshotStore, rag: Rag, text: str) -> None:
    """Cut short or naming what is not there: the message says which commands help, and they do."""
    current = str(store.current_id())
    (store.root / "CURRENT.json").write_text(text, "utf-8")
    result = rag("search", QUESTION)
    assert (result.exit_code, "CURRENT.json" in result.stderr, "rag index activate ID" in result.stderr) == (
        1,
        True,
        True,
    )
    assert current in rag("index", "list").stdout
    assert rag("index", "activate", current).exit_code == 0
    assert rag("search", QUESTION).exit_code == 0


def test_a_damaged_snapshot_is_not_chosen(store: SnapshotStore, rag: Rag) -> None:
    """One whose manifest can't be read is named in the list's warnings and can't be made current."""
    current = str(store.current_id())
    copy = store.snapshots / "20010101-000000-abcdef"
    shutil.copytree(store.snapshots / current, copy)
    truncate(copy / "manifest.json")
    assert (rag("index", "activate", copy.name).exit_code, store.current_id()) == (1, current)
    assert [manifest.id for manifest in store.manifests()] == [current]
    assert rag("index", "gc").stdout == f"{copy.name}\n"


@pytest.mark.parametrize("pattern", ["catalogue.sqlite", "lexical/units/data.csc.index.npy", "../../CURRENT.json"])
def test_a_server_says_that_it_is_not_ready(store: SnapshotStore, data: Path, model_dir: Path, pattern: str) -> None:
    """Readiness and chat answer 503, the latter with a problem; nothing of our insides is told."""
    truncate(next((store.snapshots / str(store.current_id())).glob(pattern)))
    settings = Settings(
        data_dir=str(data),
        model_dir=str(model_dir),
        prompt_dir=str(ROOT / "prompts"),
        llm="extractive",
        embedder="none",
    )
    with running(settings) as address, httpx.Client(base_url=address, timeout=30, trust_env=False) as client:
        assert client.get("/health/ready").status_code == 503
        assert client.get("/health/live").status_code == 200
        response = client.post("/chat", json={"question": "护理补贴每月多少？"})
    assert response.status_code == 503
    assert response.headers["content-type"].split(";")[0] == "application/problem+json"
    assert "Traceback" not in response.text
    assert str(data) not in response.text
