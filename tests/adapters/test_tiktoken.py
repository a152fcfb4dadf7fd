"""The token counter works with no network and an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rag.adapters.tiktoken import TiktokenTokenizer
from rag.errors import ModelFileInvalid

_COUNT = """
import sys
from pathlib import Path
from rag.adapters.tiktoken import TiktokenTokenizer
print(TiktokenTokenizer(Path(sys.argv[1])).count("护理补贴"))
"""


def _in_fresh_process(folder: Path) -> subprocess.CompletedProcess[str]:
    """An encoding is kept for the life of a process: a new one counts, its way to any network led to a closed port."""
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    command = [sys.executable, "-c", _COUNT, str(folder)]
    return subprocess.run(command, env=os.environ | nowhere, capture_output=True, text=True, check=False)


def test_it_counts_without_a_network(tmp_path: Path, tokenizer: TiktokenTokenizer) -> None:
    """The ranks come from a package: a first start behind a wall counts as any other."""
    done = _in_fresh_process(tmp_path / "new" / "tiktoken")
    assert done.stdout.strip() == str(tokenizer.count("护理补贴")), done.stderr


def test_no_partial_file_is_left(tmp_path: Path) -> None:
    """The ranks are laid whole, under the name that tiktoken looks for."""
    _in_fresh_process(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["fb374d419588a4632f3f557e76b4b70aebbca790"]


def test_a_damaged_file_of_ranks_is_mended(tmp_path: Path) -> None:
    """A file cut short by a full disk does not stop the service for good."""
    (tmp_path / "fb374d419588a4632f3f557e76b4b70aebbca790").write_bytes(b"cut short")
    done = _in_fresh_process(tmp_path)
    assert done.returncode == 0, done.stderr[-300:]


def test_a_folder_that_cant_be_made_is_said_by_name(tmp_path: Path) -> None:
    """A path that is taken by a file is the operator's to mend."""
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ModelFileInvalid, match="taken"):
        TiktokenTokenizer(tmp_path / "taken" / "tiktoken")
