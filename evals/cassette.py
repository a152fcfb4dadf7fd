"""Model calls on tape: recorded once from a real model, replayed in CI without one.

Knows the key (server, model, messages, schema, parameters) and the file. Which questions are asked is the job of
`runner`. A call that is not on the tape is an error, never a silent fallback: it is no `ModelFailure`, so the pipeline
does not answer around it.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import msgspec

from rag.adapters.openai import MAX_OUTPUT_TOKENS, SEED, TEMPERATURE
from rag.domain import Usage
from rag.errors import ModelOutputInvalid
from rag.ports import ChatModel, Message, Piece

PARAMETERS = {"temperature": TEMPERATURE, "seed": SEED, "max_tokens": MAX_OUTPUT_TOKENS}


class CassetteMiss(Exception):
    """The model was asked something that is not on the tape."""


class Recorded(msgspec.Struct, frozen=True):
    """One call: its key, the last message for those who read the tape, and what came back.

    `text` is None where the model's reply was no usable completion (cut off, say): that is its answer, too.
    """

    key: str
    server: str
    model: str
    asked: str
    text: str | None
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Cassette:
    """The calls of one file, gzipped JSON lines sorted by key, so that a diff of two tapes is small."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._calls: dict[str, Recorded] = {}
        if path.is_file():
            lines = gzip.decompress(path.read_bytes()).splitlines()
            self._calls = {r.key: r for r in (msgspec.json.decode(line, type=Recorded) for line in lines if line)}

    def __len__(self) -> int:
        return len(self._calls)

    def get(self, key: str) -> Recorded | None:
        """The call, if it is on the tape."""
        return self._calls.get(key)

    def put(self, call: Recorded) -> None:
        """Add a call and write the file: a recording that is stopped goes on where it was."""
        self._calls[call.key] = call
        self._write()

    def keep(self, keys: set[str]) -> int:
        """Drop all other calls; how many that were."""
        gone = len(self._calls.keys() - keys)
        self._calls = {key: call for key, call in self._calls.items() if key in keys}
        self._write()
        return gone

    def _write(self) -> None:
        lines = b"".join(msgspec.json.encode(self._calls[key]) + b"\n" for key in sorted(self._calls))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".part")
        fresh.write_bytes(gzip.compress(lines, mtime=0))
        fresh.replace(self._path)


def call_key(server: str, model: str, messages: Sequence[Message], schema: dict[str, object]) -> str:
    """SHA-256 over everything that decides a reply."""
    asked = [server, model, [[m.role, m.content] for m in messages], schema, PARAMETERS]
    return hashlib.sha256(msgspec.json.encode(asked, order="sorted")).hexdigest()


class TapedModel:
    """`ports.ChatModel` that replays a tape; with a real model behind it, it records what is not there yet.

    `used` holds the keys of the calls so far.
    """

    def __init__(self, cassette: Cassette, server: str, name: str, real: ChatModel | None = None) -> None:
        self.name = name
        self.used: set[str] = set()
        self._cassette, self._server, self._real = cassette, server, real

    async def stream(self, messages: Sequence[Message], schema: dict[str, object]) -> AsyncGenerator[Piece]:
        """The reply on the tape, in one piece.

        Raises:
            CassetteMiss: it is not there, and nothing is being recorded.
            ModelFailure: as recorded, or as the real model fails.
        """
        key = call_key(self._server, self.name, messages, schema)
        self.used.add(key)
        call = self._cassette.get(key)
        if call is None:
            if self._real is None:
                raise CassetteMiss("this call is not on the tape; record it with `evals record`")
            call = await self._record(self._real, key, messages, schema)
        if call.text is None:
            raise ModelOutputInvalid("no usable completion (recorded)")
        yield Piece(call.text, Usage(call.prompt_tokens, call.completion_tokens))

    def forget_unused(self) -> int:
        """Take what this run did not ask off the tape; how many calls that were."""
        return self._cassette.keep(self.used)

    async def aclose(self) -> None:
        """Close the connections of the real model."""
        if self._real is not None:
            await self._real.aclose()

    async def _record(
        self, real: ChatModel, key: str, messages: Sequence[Message], schema: dict[str, object]
    ) -> Recorded:
        """A slow or absent server is not recorded: the next recording asks again."""
        asked = messages[-1].content
        try:
            pieces = [piece async for piece in real.stream(messages, schema)]
            usage = pieces[-1].usage or Usage()
            text = "".join(piece.text for piece in pieces)
            call = Recorded(key, self._server, self.name, asked, text, usage.prompt_tokens, usage.completion_tokens)
        except ModelOutputInvalid:
            call = Recorded(key, self._server, self.name, asked, None)
        self._cassette.put(call)
        return call
