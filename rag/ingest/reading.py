"""A file on disk to decoded text and declared metadata.

Knows encodings, formats and front matter. What the text is made of is the job of `cleaning`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from rag.domain import Value
from rag.errors import UnreadableFile

SUFFIXES = frozenset({".md", ".txt", ".html", ".htm"})
MAX_BYTES = 20_000_000

_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_UNCLOSED = re.compile(r"\A---[ \t]*\r?\n[a-z_]+:")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\x80-\x9f\ue000-\uf8ff\ufffd]")
_BINARY_SHARE = 0.01


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
    """The decoded file; of .html the extracted main text.

    Raises:
        UnreadableFile: unreadable, empty, binary, wrongly encoded, or front matter that is not YAML.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UnreadableFile(str(path), f"not a kind of file that is read ({', '.join(sorted(SUFFIXES))})")
    text = decode(_bytes(path), str(path))
    if suffix in {".html", ".htm"}:
        return _read_html(text, path, source)
    match = _FRONT_MATTER.match(text) if suffix == ".md" else None
    if match is None:
        if suffix == ".md" and _UNCLOSED.match(text):
            raise UnreadableFile(str(path), "front matter is never closed")
        return SourceText(path=str(path), source=source, text=text)
    declared = _front_matter(match.group(1), str(path))
    return SourceText(path=str(path), source=source, text=text, body_start=match.end(), declared=declared)


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


def _read_html(markup: str, path: Path, source: str) -> SourceText:
    import trafilatura  # noqa: PLC0415 - half a second that only HTML needs

    found = trafilatura.bare_extraction(
        markup, include_tables=True, include_comments=False, with_metadata=True, favor_recall=True
    )
    text = trafilatura.extract(
        markup, output_format="markdown", include_tables=True, include_comments=False, favor_recall=True
    )
    if not text or found is None:
        raise UnreadableFile(str(path), "no main text found in the page")
    declared = {
        "title": getattr(found, "title", None),
        "publisher": getattr(found, "sitename", None) or getattr(found, "author", None),
        "url": getattr(found, "url", None),
        "published": getattr(found, "date", None),
    }
    return SourceText(path=str(path), source=source, text=text, declared={k: v for k, v in declared.items() if v})
