"""What an ingest keeps for itself: records come back, and a file is only taken for unchanged when it is."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from rag.spool import FilesSeen, RecordSpool, look
from tests.making import a_record

LONG_AGO = 1_700_000_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file."""
    path = tmp_path / "a.md"
    path.write_text("# 甲\n\n乙。\n", "utf-8")
    return path


def seen(tmp_path: Path, cutting: str = "cut-1") -> FilesSeen:
    """The book as the next ingest opens it; by its clock everything on the disk is old."""
    book = FilesSeen(tmp_path / "files.json", cutting)
    book._settled = 2**62  # noqa: SLF001 - times of change can't be set back, and waiting is slow
    return book


def noted(tmp_path: Path, file: Path) -> FilesSeen:
    """The book after an ingest that read the file, opened again."""
    book = seen(tmp_path)
    book.note(file, look(file, "a.md"), "digest")
    book.save([str(file)])
    return seen(tmp_path)


def test_records_come_back(tmp_path: Path) -> None:
    """In any order, each under its path and digest; nothing is left in the folder."""
    one, two = a_record("nursing", "护理补贴按月发放。"), a_record("dental", "种植牙自费。")
    with contextlib.closing(RecordSpool(tmp_path)) as spool:
        spool.add(one)
        spool.add(two)
        assert [spool.get(r.path, r.digest) for r in (two, one)] == [two, one]
        assert spool.get(one.path, "another digest") is None
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_looks_as_it_did_is_known(tmp_path: Path, file: Path) -> None:
    """Its digest is told without reading it."""
    assert noted(tmp_path, file).digest(file, look(file, "a.md")) == "digest"


def test_an_edit_of_equal_length_with_its_time_set_back_is_noticed(tmp_path: Path, file: Path) -> None:
    """The time of change gives it away."""
    os.utime(file, (LONG_AGO, LONG_AGO))
    book = noted(tmp_path, file)
    file.write_text("# 甲\n\n丙。\n", "utf-8")
    os.utime(file, (LONG_AGO, LONG_AGO))
    assert book.digest(file, look(file, "a.md")) is None


def test_another_name_or_way_of_cutting_is_another_file(tmp_path: Path, file: Path) -> None:
    """The digest speaks of both."""
    assert noted(tmp_path, file).digest(file, look(file, "x/a.md")) is None
    assert seen(tmp_path, "cut-2").digest(file, look(file, "a.md")) is None


def test_a_file_that_was_just_written_is_read_again(tmp_path: Path, file: Path) -> None:
    """It may change once more within the same tick of the clock."""
    book = FilesSeen(tmp_path / "files.json", "cut-1")
    book.note(file, look(file, "a.md"), "digest")
    assert book.digest(file, look(file, "a.md")) is None


@pytest.mark.parametrize("damage", [b"", b"{", b'{"cutting": 1}', b"\xff\xfe"])
def test_a_damaged_book_is_an_empty_one(tmp_path: Path, file: Path, damage: bytes) -> None:
    """Files are read then, and nothing else is lost."""
    noted(tmp_path, file)
    (tmp_path / "files.json").write_bytes(damage)
    assert seen(tmp_path).digest(file, look(file, "a.md")) is None
