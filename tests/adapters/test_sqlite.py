"""SQLite's own risks: missing, foreign and damaged files, rows that rotted, and two threads."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rag.adapters.sqlite import SqliteCatalogue, SqliteVectorCache
from rag.errors import IndexDamaged
from tests.making import a_record

LARGE = 10**9
VECTORS = np.array([[0.6, 0.8], [1.0, 0.0]], dtype=np.float32)


@pytest.fixture
def catalogue_path(tmp_path: Path) -> Path:
    """A catalogue of one file, closed."""
    path = tmp_path / "catalogue.sqlite"
    with contextlib.closing(SqliteCatalogue(path, create=True)) as catalogue:
        catalogue.add(a_record("nursing", "护理补贴按月发放。"))
    return path


@pytest.fixture
def cache_path(tmp_path: Path) -> Path:
    """A cache of two vectors, closed."""
    path = tmp_path / "cache" / "vectors.sqlite"
    with contextlib.closing(SqliteVectorCache(path, LARGE)) as cache:
        cache.put("e", ["甲", "乙"], VECTORS)
    return path


@pytest.fixture
def reopened(catalogue_path: Path) -> Iterator[SqliteCatalogue]:
    """The same catalogue as a reader has it."""
    with contextlib.closing(SqliteCatalogue(catalogue_path)) as catalogue:
        yield catalogue


def test_a_missing_catalogue_is_not_made(tmp_path: Path) -> None:
    """Opening for reading makes no empty file that looks like an index."""
    with pytest.raises(IndexDamaged, match="missing"):
        SqliteCatalogue(tmp_path / "none.sqlite")
    assert not (tmp_path / "none.sqlite").exists()


def test_a_file_that_is_no_catalogue_is_refused(tmp_path: Path) -> None:
    """A foreign or overwritten file is damage, and not a traceback of SQLite's."""
    (tmp_path / "c.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(IndexDamaged), contextlib.closing(SqliteCatalogue(tmp_path / "c.sqlite")) as catalogue:
        catalogue.unit_ids()


def test_an_open_catalogue_cant_be_written(reopened: SqliteCatalogue) -> None:
    """Nobody writes into a snapshot that is in use."""
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reopened.add(a_record("late", "迟到的一句。"))


def test_threads_may_read_at_once(reopened: SqliteCatalogue) -> None:
    """Requests are answered in threads over one open file."""
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: reopened.unit_ids(), range(64)))
    assert found == [["nursing#u0"]] * 64


def test_a_file_goes_in_whole_or_not_at_all(catalogue_path: Path) -> None:
    """A file whose last row is refused leaves none of its rows behind."""
    path = catalogue_path.with_name("other.sqlite")
    with contextlib.closing(SqliteCatalogue(path, create=True)) as catalogue:
        catalogue.add(a_record("nursing", "护理补贴按月发放。"))
        with pytest.raises(sqlite3.IntegrityError):
            catalogue.add(a_record("nursing", "另一个文件，同一个名字。"))
        assert catalogue.unit_ids() == ["nursing#u0"]


def test_vectors_outlive_the_process(cache_path: Path) -> None:
    """What was put is there when the cache is opened again."""
    with contextlib.closing(SqliteVectorCache(cache_path, LARGE)) as cache:
        assert cache.get("e", ["乙"])["乙"].tolist() == [1.0, 0.0]


def test_a_corrupt_row_counts_as_absent(cache_path: Path) -> None:
    """A vector that fails its checksum is computed anew and never used."""
    with contextlib.closing(sqlite3.connect(cache_path)) as db, db:
        db.execute("UPDATE vectors SET body = zeroblob(8) WHERE crc = (SELECT max(crc) FROM vectors)")
    with contextlib.closing(SqliteVectorCache(cache_path, LARGE)) as cache:
        assert len(cache.get("e", ["甲", "乙"])) == 1


def test_a_cache_that_is_no_database_is_begun_anew(cache_path: Path) -> None:
    """The cache only saves time: when its file is damaged, ingest goes on without what was in it."""
    cache_path.write_bytes(b"no database at all" * 100)
    with contextlib.closing(SqliteVectorCache(cache_path, LARGE)) as cache:
        assert cache.get("e", ["甲"]) == {}


def test_a_damaged_cache_is_set_aside_with_a_warning(cache_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Also when the damage shows only while it is in use; what is put then is kept."""
    with contextlib.closing(SqliteVectorCache(cache_path, LARGE)) as cache:
        cache.put("e", [f"第{n}句" for n in range(400)], np.tile(VECTORS, (200, 1)))
    content = bytearray(cache_path.read_bytes())
    content[4096:] = b"\x41" * (len(content) - 4096)
    cache_path.write_bytes(content)
    with contextlib.closing(SqliteVectorCache(cache_path, LARGE)) as cache:
        assert cache.get("e", ["甲", "乙", "第7句"]) == {}
        cache.put("e", ["甲"], VECTORS[:1])
        assert set(cache.get("e", ["甲"])) == {"甲"}
    assert "set aside" in caplog.text
    assert cache_path.with_name("vectors.damaged").exists()


def test_corrupt_rows_are_counted_in_the_log(cache_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Who looks after the service learns that its disk forgets."""
    with contextlib.closing(sqlite3.connect(cache_path)) as db, db:
        db.execute("UPDATE vectors SET body = zeroblob(8)")
    with contextlib.closing(SqliteVectorCache(cache_path, LARGE)) as cache:
        assert cache.get("e", ["甲", "乙"]) == {}
    assert "2 vectors" in caplog.text


def test_the_cache_forgets_what_was_not_used_for_longest(tmp_path: Path) -> None:
    """It keeps to its size; rows asked for or put since it was opened stay, be they ever so many."""
    path, rows = tmp_path / "vectors.sqlite", np.ones((900, 384), dtype=np.float32)
    old, used, new = ([f"{name}{n}" for n in range(300)] for name in ("旧", "用", "新"))
    for texts in (old, used):
        with contextlib.closing(SqliteVectorCache(path, LARGE)) as cache:
            cache.put("e", texts, rows[:300])
    with contextlib.closing(SqliteVectorCache(path, 1_300_000)) as cache:
        cache.get("e", used)
        cache.put("e", new, rows[:300])
        cache.trim()
        assert (len(cache.get("e", used)), len(cache.get("e", new))) == (300, 300)
        assert len(cache.get("e", old)) < 100
    with contextlib.closing(SqliteVectorCache(path, 700_000)) as cache:
        cache.get("e", new)
        cache.trim()
        assert len(cache.get("e", new)) == 300
    assert path.stat().st_size < 900_000


def test_a_cache_of_an_earlier_version_is_used_on(tmp_path: Path) -> None:
    """Its vectors are found; from now on it knows when they were used."""
    path = tmp_path / "vectors.sqlite"
    body = VECTORS[0].tobytes()
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute(
            "CREATE TABLE vectors (embedder TEXT, text TEXT, crc INTEGER, body BLOB, PRIMARY KEY (embedder, text)) "
            "WITHOUT ROWID"
        )
        key = hashlib.sha256("甲".encode()).hexdigest()
        db.execute("INSERT INTO vectors VALUES ('e', ?, ?, ?)", (key, zlib.crc32(body), body))
    with contextlib.closing(SqliteVectorCache(path, LARGE)) as cache:
        assert cache.get("e", ["甲"])["甲"].tolist() == VECTORS[0].tolist()


def test_two_processes_may_share_the_cache(cache_path: Path) -> None:
    """What one writer keeps, another open cache sees."""
    with (
        contextlib.closing(SqliteVectorCache(cache_path, LARGE)) as one,
        contextlib.closing(SqliteVectorCache(cache_path, LARGE)) as two,
    ):
        one.put("e", ["丙"], VECTORS[:1])
        assert set(two.get("e", ["丙"])) == {"丙"}
