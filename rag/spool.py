"""What an ingest keeps on disk for itself: records that were just cut, and which files it has seen as they are.

Knows two files. What is read and what goes into a snapshot is the job of `indexing`.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec

from rag.domain import Value
from rag.ports import SourceRecord

log = logging.getLogger("rag")

# A file that changes twice within a tick of its clock keeps its times: what is younger than this is read again.
_SETTLED_NANOSECONDS = 2_000_000_000


class RecordSpool:
    """Records on disk instead of in memory; gone with its process, however that ends."""

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - `close` closes it
        self._places: dict[tuple[str, str], tuple[int, int]] = {}

    def add(self, record: SourceRecord) -> None:
        """Keep a record."""
        body = msgspec.msgpack.encode(record)
        start = self._file.seek(0, os.SEEK_END)
        self._file.write(body)
        self._places[record.path, record.digest] = (start, len(body))

    def get(self, path: str, digest: str) -> SourceRecord | None:
        """The record of a path with this digest, if it was kept."""
        if (path, digest) not in self._places:
            return None
        start, length = self._places[path, digest]
        self._file.seek(start)
        return msgspec.msgpack.decode(self._file.read(length), type=SourceRecord)

    def close(self) -> None:
        """Forget all records."""
        self._file.close()


class Look(Value, array_like=True):
    """What can be told of a file without reading it: the name it is cited by, bytes, times in nanoseconds."""

    source: str
    size: int
    modified: int
    changed: int


def look(path: Path, source: str) -> Look | None:
    """How the file looks now; None where it can't be looked at."""
    try:
        found = path.stat()
    except OSError:
        return None
    return Look(source, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


class _Book(Value):
    """What was seen, by path, and the way of cutting that the digests speak of."""

    cutting: str
    files: dict[str, tuple[Look, str]]


class FilesSeen:
    """Tells the digest of a file that looks as it did, without reading it; git does the same.

    Whoever edits a file changes its size, its time of modification or, whatever the program says of that one, its time
    of change. Missed is only an edit of equal length whose time was set back, on a file system without times of change.
    Losing the book costs time alone: the files are read.
    """

    def __init__(self, path: Path, cutting: str) -> None:
        self._path, self._cutting = path, cutting
        self._settled = time.time_ns() - _SETTLED_NANOSECONDS
        self._files = self._load()

    def digest(self, path: Path, now: Look | None) -> str | None:
        """The digest that the file had when it last looked as it does now, if it is known."""
        before, digest = self._files.get(str(path), (None, None))
        return digest if before == now else None

    def note(self, path: Path, before: Look | None, digest: str) -> None:
        """Remember what was read; `before` is how the file looked before that."""
        self._files.pop(str(path), None)
        if before is not None and max(before.modified, before.changed) < self._settled:
            self._files[str(path)] = (before, digest)

    def save(self, paths: Iterable[str]) -> None:
        """Keep what is known of `paths` for the next ingest."""
        files = {path: self._files[path] for path in paths if path in self._files}
        partial = self._path.with_suffix(".partial")
        try:
            partial.write_bytes(msgspec.json.encode(_Book(self._cutting, files)))
            partial.replace(self._path)
        except OSError as error:
            log.warning("the next ingest reads all files: %s can't be written: %s", self._path, error)

    def _load(self) -> dict[str, tuple[Look, str]]:
        try:
            book = msgspec.json.decode(self._path.read_bytes(), type=_Book)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return {}
        return book.files if book.cutting == self._cutting else {}
