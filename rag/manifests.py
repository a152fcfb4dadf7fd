"""What a snapshot holds, written down when it is sealed: counts, embedder, checksums of files, hashes over rows.

Knows the manifest and how a folder is compared with it. The life of a snapshot is the job of `snapshots`.
"""

from __future__ import annotations

import datetime as dt
import os
import zlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from rag.domain import Value
from rag.errors import IndexDamaged

FORMAT = 2
MANIFEST = "manifest.json"
_CHROMA_DATABASE, _CHROMA_WRITTEN = "chroma.sqlite3", "index_metadata.pickle"
# Reading costs about a second a gigabyte from the page cache: larger indexes are read through by `verify` alone.
CHECKED_WHEN_OPENED = 2 * 1024**3
_PIECE = 1024**2


class EmbedderStamp(Value):
    """Which embedder made a snapshot's vectors."""

    id: str
    dimension: int


class FileStamp(Value):
    """Size in bytes and CRC-32 of a file as it was written."""

    size: int
    crc: int


class Manifest(Value):
    """What a snapshot holds; what has a default is not in the manifests of earlier versions.

    `row_digest` is over the catalogue's rows, `vector_rows` over those of the vectors (None on a server). `files` are
    those that never change. `seal` is over everything else here.
    """

    id: str
    format: int
    created: dt.datetime
    embedder: EmbedderStamp | None
    documents: int
    chunks: int
    units: int
    row_digest: str
    units_embedded: bool = True
    files: Mapping[str, FileStamp] = {}
    vector_rows: str | None = None
    seal: int | None = None


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a snapshot's folder.

    Raises:
        IndexDamaged: it is not there, not readable, not as it was written, or of another format.
    """
    path = folder / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise IndexDamaged(f"{path} can't be read: {error}") from error
    if manifest.seal is not None and manifest.seal != _seal(manifest):
        raise IndexDamaged(f"{path} is not as it was written")
    if manifest.format != FORMAT:
        raise IndexDamaged(f"{folder} has format {manifest.format}, this version reads {FORMAT}")
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Seal a snapshot: sync everything below `folder`, then write the manifest that makes it one."""
    (folder / MANIFEST).unlink(missing_ok=True)
    for path in folder.rglob("*"):
        sync(path)
    whole = msgspec.structs.replace(manifest, files=_stamps(folder))
    sealed = msgspec.structs.replace(whole, seal=_seal(whole))
    partial = folder / "manifest.partial"
    partial.write_bytes(msgspec.json.format(msgspec.json.encode(sealed)))
    sync(partial)
    os.replace(partial, folder / MANIFEST)
    sync(folder)


def check_files(folder: Path, manifest: Manifest, *, thoroughly: bool = False) -> None:
    """Compare files with the manifest: their sizes, and their bytes where that is quick or wanted.

    Raises:
        IndexDamaged: a file is missing or not as it was written; it is named.
    """
    total = sum(stamp.size for stamp in manifest.files.values())
    for name, stamp in manifest.files.items():
        path = folder / name
        try:
            same = path.stat().st_size == stamp.size
            if same and (thoroughly or total <= CHECKED_WHEN_OPENED):
                same = _crc(path) == stamp.crc
        except OSError as error:
            raise IndexDamaged(f"{path} can't be read: {error.strerror}") from error
        if not same:
            raise IndexDamaged(f"{path} is not as it was written")


def folder_bytes(folder: Path) -> int:
    """What all files below `folder` take, in bytes; one that vanishes meanwhile takes nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total


def sync(path: Path) -> None:
    """Wait until a file, or the list of a folder's files, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _stamps(folder: Path) -> dict[str, FileStamp]:
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not _rewritten(p, folder / "chroma"))
    return {p.relative_to(folder).as_posix(): FileStamp(p.stat().st_size, _crc(p)) for p in files}


def _rewritten(path: Path, chroma: Path) -> bool:
    """Whether opening Chroma writes the file: its database, and a segment's files until their rows leave the database.

    The database's rows have a hash of their own.
    """
    if not path.is_relative_to(chroma):
        return False
    return path.name == _CHROMA_DATABASE or not (path.parent / _CHROMA_WRITTEN).exists()


def _crc(path: Path) -> int:
    crc = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            crc = zlib.crc32(piece, crc)
    return crc


def _seal(manifest: Manifest) -> int:
    return zlib.crc32(msgspec.json.encode(msgspec.structs.replace(manifest, seal=None)))
