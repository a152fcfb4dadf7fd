"""Prompt files: TOML front matter that declares inputs, then a body a role, filled in with `string.Template`.

Knows the file format. What is asked of the model is written in `prompts/*.md`.

Roles are split before anything is filled in, so a user's text can't forge a role; inputs are checked by name.
"""

from __future__ import annotations

import hashlib
import re
import string
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rag.domain import Value
from rag.errors import PromptInvalid
from rag.ports import Message

_FILE = re.compile(r"\A\+\+\+\n(.*?)\n\+\+\+\n(.*)\Z", re.DOTALL)
_ROLE = re.compile(r"^## (system|user|assistant)\n", re.MULTILINE)


class Prompt(Value):
    """A prompt: its version, the inputs that it must be given, and its messages as templates."""

    name: str
    version: str
    inputs: tuple[str, ...]
    messages: tuple[tuple[str, str], ...]
    sample: dict[str, str]
    digest: str

    def fill(self, values: Mapping[str, str]) -> tuple[Message, ...]:
        """The messages with `values` filled in.

        Raises:
            PromptInvalid: an input is missing or not declared.
        """
        if set(values) != set(self.inputs):
            raise PromptInvalid(f"prompt {self.name} takes {sorted(self.inputs)}, was given {sorted(values)}")
        return tuple(Message(role, string.Template(body).substitute(values)) for role, body in self.messages)


def load_prompt(folder: Path, name: str) -> Prompt:
    """Read and check `folder/name.md`; it is filled in once with its own sample.

    Raises:
        PromptInvalid: the file is missing, malformed, or uses inputs that it does not declare.
    """
    path = folder / f"{name}.md"
    try:
        text = path.read_text("utf-8")
        match = _FILE.match(text)
        if match is None:
            raise PromptInvalid(f"{path} must open with TOML between two lines of +++")
        head: dict[str, Any] = tomllib.loads(match.group(1))
        pieces = _ROLE.split(match.group(2))[1:]
        messages = tuple((role, body.strip()) for role, body in zip(pieces[::2], pieces[1::2], strict=True))
        sample = {key: str(value) for key, value in head["sample"].items()}
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        prompt = Prompt(name, str(head["version"]), tuple(head["inputs"]), messages, sample, digest)
        prompt.fill(sample)
    except (OSError, tomllib.TOMLDecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise PromptInvalid(f"{path}: {error!r}") from error
    if not messages:
        raise PromptInvalid(f"{path} has no message: a body opens with '## system' or '## user'")
    return prompt
