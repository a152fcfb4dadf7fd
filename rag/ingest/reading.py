"""A file on disk to decoded text and declared metadata.

Knows encodings, formats and front matter. How the text is found in a page is the job of `webpage` and `pdf`, what it is
made of that of `cleaning`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from rag.domain import Value
from rag.errors import UnreadableFile
from rag.ingest.page import Page
from rag.ingest.pdf import read_pdf
from rag.ingest.webpage import read_page

_MARKUP = frozenset({".html", ".htm"})
SUFFIXES = _MARKUP | {".md", ".txt", ".pdf"}
MAX_BYTES = 20_000_000

_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_UNCLOSED = re.compile(r"\A---[ \t]*\r?\n[a-z_]+:")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\x80-\x9f\ue000-\uf8ff\ufffd]")
_BINARY_SHARE = 0.01
_STATED = re.compile(rb"""charset\s*=\s*["']?\s*([\w-]+)""", re.IGNORECASE)
_CHINESE = re.compile(rb"gb[\w-]*", re.IGNORECASE)
_HEAD_BYTES = 4096


class SourceText(Value):
    """The canonical text of one file, where its body begins, and what its metadata declare."""

    path: str
    source: str
    text: str
    body_start: int = 0
    declared: Mapping[str, Any] = {}


def source_files(paths: list[Path]) -> list[tuple[Path, str]]:
    """Every file below `paths` that can be read, with the name it is cited by, in a stable order.

    Raises:
        UnreadableFile: one of `paths` does not exist.
    """
    found: dict[Path, str] = {}
    for root in paths:
        if not root.exists():
            raise UnreadableFile(str(root), "no such file or folder")
        inside = sorted(p for p in root.rglob("*") if p.is_file()) if root.is_dir() else [root]
        for path in inside:
            hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
            if not hidden and (path.suffix.lower() in SUFFIXES or not root.is_dir()):
                found.setdefault(path.resolve(), _cited_name(path, root))
    return sorted(found.items())


def _cited_name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if root.is_dir() else path.name


def read(path: Path, source: str) -> SourceText:
    """The decoded file; of .html and .pdf the extracted text.

    Raises:
        UnreadableFile: unreadable, empty, binary, wrongly encoded, without a text, or front matter that is not YAML.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UnreadableFile(str(path), f"not a kind of file that is read ({', '.join(sorted(SUFFIXES))})")
    data = _bytes(path)
    if suffix == ".pdf":
        return _extracted(path, source, read_pdf(data, str(path)))
    if suffix in _MARKUP:
        return _extracted(path, source, read_page(decode_page(data, str(path)), str(path)))
    text = decode(data, str(path))
    match = _FRONT_MATTER.match(text) if suffix == ".md" else None
    if match is None:
        if suffix == ".md" and _UNCLOSED.match(text):
            raise UnreadableFile(str(path), "front matter is never closed")
        return SourceText(path=str(path), source=source, text=text)
    declared = _front_matter(match.group(1), str(path))
    return SourceText(path=str(path), source=source, text=text, body_start=match.end(), declared=declared)


def _extracted(path: Path, source: str, page: Page) -> SourceText:
    return SourceText(path=str(path), source=source, text=page.text, declared=page.declared)


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UnreadableFile(str(path), f"larger than {MAX_BYTES // 1_000_000} MB")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFile(str(path), error.strerror or str(error)) from error


def decode(data: bytes, name: str) -> str:
    """UTF-8 (with or without a mark), UTF-16 with a mark, or GB18030; nothing else is guessed.

    Raises:
        UnreadableFile: empty, binary, or in none of these.
    """
    if not data.strip():
        raise UnreadableFile(name, "empty file")
    for encoding in _candidates(data):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not text.strip():
            raise UnreadableFile(name, "empty file")
        if _looks_like_text(text, strict=encoding == "gb18030"):
            return text
    reason = "binary file" if b"\x00" in data[:4096] else "neither UTF-8 nor GB18030 text"
    raise UnreadableFile(name, reason)


def decode_page(data: bytes, name: str) -> str:
    """As `decode`, but a page that names a Chinese encoding may hold rare and a few broken characters.

    Raises:
        UnreadableFile: as for `decode`.
    """
    stated = _STATED.search(data[:_HEAD_BYTES])
    if stated is None or not _CHINESE.fullmatch(stated[1]) or _is_utf8(data):
        return decode(data, name)
    text = data.decode("gb18030", errors="replace")
    return text if _looks_like_text(text, strict=False) else decode(data, name)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _candidates(data: bytes) -> tuple[str, ...]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ("utf-16",)
    return ("utf-8-sig", "gb18030")


def _looks_like_text(text: str, *, strict: bool) -> bool:
    if "\x00" in text:
        return False
    if len(_CONTROL.findall(text)) > _BINARY_SHARE * len(text):
        return False
    # GB18030 decodes almost any bytes; real text consists of the everyday characters of GB 2312.
    other = [c for c in text if not c.isascii()]
    return not strict or not other or sum(_everyday(c) for c in other) > 0.9 * len(other)


def _everyday(character: str) -> bool:
    try:
        return len(character.encode("gb2312")) == 2  # noqa: PLR2004 - GB 2312 is a two-byte code
    except UnicodeEncodeError:
        return False


def _front_matter(block: str, name: str) -> dict[str, Any]:
    try:
        declared = yaml.safe_load(block)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that does not exist
        raise UnreadableFile(name, f"front matter is not YAML: {error}".splitlines()[0]) from error
    if not isinstance(declared, dict):
        raise UnreadableFile(name, "front matter is not a table of keys and values")
    return declared
