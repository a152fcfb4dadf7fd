"""Chroma's silent failures are made loud: lost files, servers that are not there."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import chromadb
import numpy as np
import pytest
from chromadb.config import Settings as ChromaSettings

from rag.adapters.chroma import ChromaVectorIndex, row_digest
from rag.errors import IndexDamaged, InvalidSettings, VectorsUnreachable
from tests.making import a_record

ROWS = 1_500  # Chroma keeps up to a thousand rows in its log as well, from where it silently restores them
_UNIT = """
import sys
from pathlib import Path
from rag.adapters.chroma import ChromaVectorIndex
from rag.errors import IndexDamaged
index = ChromaVectorIndex(Path(sys.argv[1]), "s")
try:
    index.unit_vectors(["u0"])
except IndexDamaged:
    print("damaged")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a closed index with many units."""
    angles = np.linspace(0, 1.5, ROWS)
    with contextlib.closing(ChromaVectorIndex(tmp_path / "chroma", "s", create=True)) as index:
        index.add_units(
            [f"u{n}" for n in range(ROWS)], np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
        )
    return tmp_path / "chroma"


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address on this machine that is taken and does not answer HTTP."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_lost_vector_files_are_damage(folder: Path) -> None:
    """Chroma still counts rows whose vectors are gone; asking for them says that the index is damaged."""
    for segment in (path for path in folder.iterdir() if path.is_dir()):
        shutil.rmtree(segment)
    command = [sys.executable, "-c", _UNIT, str(folder)]
    done = subprocess.run(command, env=os.environ.copy(), capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "damaged", done.stderr[-300:]


def test_a_lost_database_is_damage(folder: Path) -> None:
    """Without its database the folder is no index, and none is made in its place."""
    shutil.rmtree(folder)
    with pytest.raises(IndexDamaged, match="missing"):
        ChromaVectorIndex(folder, "s")


def test_a_server_that_is_not_there_is_said_to_be(tmp_path: Path, nobody: str) -> None:
    """A wrong address is an error of ours that says what can't be reached."""
    with pytest.raises(VectorsUnreachable, match="can't be read at http"):
        ChromaVectorIndex(tmp_path, "s", nobody)


def test_an_address_without_a_scheme_is_refused(tmp_path: Path) -> None:
    """`chroma.example:8000` names no host to URL rules; it must not quietly become this machine."""
    with pytest.raises(InvalidSettings, match=r"chroma\.example"):
        ChromaVectorIndex(tmp_path, "s", "chroma.example:9")


def test_one_name_is_made_once(folder: Path) -> None:
    """An index is never written into a second time: old metadata would stay."""
    with pytest.raises(IndexDamaged):
        ChromaVectorIndex(folder, "s", create=True)


def test_chunks_carry_metadata_for_people(tmp_path: Path) -> None:
    """Who opens the folder with Chroma's own tools finds text, places and dates; what is unknown is left out."""
    record = a_record("dental", "种植牙自费。", places=("嘉兴", "湖州"))
    with contextlib.closing(ChromaVectorIndex(tmp_path / "c", "s", create=True)) as index:
        index.add_chunks(record.chunks, {"dental": record.documents[0]}, np.array([[1.0, 0.0]], dtype=np.float32))
        client = chromadb.PersistentClient(str(tmp_path / "c"), ChromaSettings(anonymized_telemetry=False))
        row = client.get_collection("s-chunks", embedding_function=None).get()
        client.close()
    assert row["documents"] == ["种植牙自费。"]
    assert row["metadatas"] == [
        {
            "document_id": "dental",
            "title_path": "dental的办法",
            "kind": "article",
            "places": "嘉兴,湖州",
            "start": 0,
            "end": 6,
        }
    ]


def test_rows_are_the_same_when_chroma_has_emptied_its_queue(folder: Path) -> None:
    """Vectors move from the queue into files while Chroma only reads; a row that is lost is another matter."""
    before = row_digest(folder)
    with contextlib.closing(sqlite3.connect(folder / "chroma.sqlite3")) as db, db:
        db.execute("DELETE FROM embeddings_queue")
    assert row_digest(folder) == before
    with contextlib.closing(sqlite3.connect(folder / "chroma.sqlite3")) as db, db:
        db.execute("DELETE FROM embeddings WHERE id = (SELECT min(id) FROM embeddings)")
    assert row_digest(folder) != before
