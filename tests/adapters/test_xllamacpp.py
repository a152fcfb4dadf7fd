"""The embedded server starts from real weights, and a file that is no model is refused by name."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from rag.adapters.weights import weights_path
from rag.adapters.xllamacpp import MODEL_NAME, EmbeddedServer

_START = """
import sys
from pathlib import Path
from rag.adapters.xllamacpp import EmbeddedServer
from rag.errors import ModelFileInvalid
try:
    EmbeddedServer(Path(sys.argv[1]), threads=1)
except ModelFileInvalid as error:
    print("refused", sys.argv[1] in str(error))
"""


@pytest.mark.parametrize("content", [None, b"", b"GGUF", b"no model at all" * 100])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes | None) -> None:
    """Missing, empty, cut short or foreign: an error that names the file, and the engine does not take us down."""
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)
    command = [sys.executable, "-c", _START, str(path)]
    done = subprocess.run(command, env=os.environ.copy(), capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "refused True", done.stderr[-300:]


def test_the_model_answers_in_the_schema_asked_for(model_dir: Path) -> None:
    """Loaded, listening on this machine alone, and held to the schema."""
    if not weights_path(model_dir).is_file():
        pytest.skip("the embedded model's weights are not there (no disk or no network at set-up)")
    schema: Any = {"type": "json_schema", "json_schema": {"name": "draft", "schema": {"enum": ["甲", "乙"]}}}
    said: Any = [{"role": "user", "content": "随便说点什么"}]
    with contextlib.closing(EmbeddedServer(weights_path(model_dir))) as server:
        assert server.base_url.startswith("http://127.0.0.1:")
        with OpenAI(base_url=server.base_url, api_key="none", timeout=60) as client:
            reply = client.chat.completions.create(model=MODEL_NAME, messages=said, response_format=schema)
    assert reply.choices[0].message.content in {'"甲"', '"乙"'}
