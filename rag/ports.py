"""The seams to the outside world: one Protocol each, with one or two methods.

Each has a real adapter in `adapters` and an honest fake in `tests/fakes`; both pass the same contract tests.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from rag.domain import Chunk, Document, EvidenceUnit, Usage, Value

Vectors = npt.NDArray[np.float32]


@runtime_checkable
class Tokenizer(Protocol):
    """Counts tokens for budgets."""

    def count(self, text: str) -> int:
        """Tokens of `text`; any text is accepted."""
        ...


@runtime_checkable
class Embedder(Protocol):
    """Texts to unit vectors; questions and passages have different roles."""

    @property
    def id(self) -> str:
        """Names the model and its revision; vectors of different ids are never mixed."""
        ...

    @property
    def dimension(self) -> int:
        """Components of a vector."""
        ...

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Shape (len(texts), dimension), L2-normalised.

        Raises:
            EmbedderUnavailable: no vectors could be had.
        """
        ...

    def query(self, text: str) -> Vectors:
        """Shape (dimension,), L2-normalised.

        Raises:
            EmbedderUnavailable: no vector could be had.
        """
        ...


class Reranker(Protocol):
    """A cross-encoder: reads question and text together."""

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers, in the order given.

        Raises:
            RerankerUnavailable: it does not say.
        """
        ...

    def close(self) -> None:
        """Release the connection."""
        ...


class Message(Value):
    """One message of a model call."""

    role: str
    content: str


class Piece(Value):
    """A stretch of a model's reply as it comes; the last one says what the whole reply cost."""

    text: str
    usage: Usage | None = None


@runtime_checkable
class ChatModel(Protocol):
    """A language model that writes JSON of a given schema."""

    async def aclose(self) -> None:
        """Close the connections."""
        ...

    @property
    def name(self) -> str:
        """The model's name, as it is reported in an outcome."""
        ...

    def stream(self, messages: Sequence[Message], schema: dict[str, object]) -> AsyncGenerator[Piece]:
        """One reply, in pieces. Closing the generator cancels the call.

        Raises:
            ModelFailure: nothing usable came in time, or the reply broke off; what came before stays as it is.
        """
        ...


@runtime_checkable
class Clock(Protocol):
    """Where 'today' comes from."""

    def today(self) -> dt.date:
        """The date an answer is for when the caller names none."""
        ...


class SourceRecord(Value):
    """One ingested file: its canonical text and all that was cut from it."""

    path: str
    digest: str
    text: str
    documents: tuple[Document, ...]
    chunks: tuple[Chunk, ...]
    units: tuple[EvidenceUnit, ...]


@runtime_checkable
class Catalogue(Protocol):
    """What is in a snapshot."""

    def documents(self) -> list[Document]:
        """All documents, in order."""
        ...

    def document(self, document_id: str) -> Document | None:
        """One document, or None."""
        ...

    def text(self, document_id: str) -> str:
        """The canonical text that a document's spans refer to."""
        ...

    def chunk_ids(self) -> list[str]:
        """Ids of all chunks, in the order of the lexical index's rows."""
        ...

    def unit_ids(self) -> list[str]:
        """Ids of all units, in the order of the lexical index's rows."""
        ...

    def chunks_by_id(self, ids: Sequence[str]) -> list[Chunk]:
        """The chunks named, in the order asked for."""
        ...

    def units_of(self, chunk_id: str) -> list[EvidenceUnit]:
        """The units of one chunk, in order."""
        ...


@runtime_checkable
class VectorIndex(Protocol):
    """The vectors of a snapshot's chunks and units."""

    def nearest_chunks(self, vector: Vectors, k: int) -> list[tuple[str, float]]:
        """Up to `k` chunk ids with their cosine, best first."""
        ...

    def unit_vectors(self, ids: Sequence[str]) -> Vectors:
        """Shape (len(ids), dimension), in the order asked for."""
        ...

    def chunk_vectors(self, ids: Sequence[str]) -> Vectors:
        """Shape (len(ids), dimension), in the order asked for."""
        ...


@runtime_checkable
class CatalogueFile(Catalogue, Protocol):
    """A catalogue as it is built, verified and carried over into the next snapshot."""

    def add(self, source: SourceRecord, aside: SourceRecord | None = None) -> None:
        """Append one file with its documents, chunks and units; `aside` holds those of it that are kept unindexed."""
        ...

    def digests(self) -> dict[str, str]:
        """The digest of every file, by path."""
        ...

    def owners(self) -> dict[str, str]:
        """The path of the file that every document came from, by document id."""
        ...

    def chunks(self) -> Iterator[Chunk]:
        """All chunks, in the order of the lexical index's rows; only a few are in memory at a time."""
        ...

    def units(self) -> Iterator[EvidenceUnit]:
        """All units, likewise."""
        ...

    def counts(self) -> tuple[int, int, int]:
        """How many documents, chunks and units."""
        ...

    def source(self, path: str) -> SourceRecord:
        """What of one file is indexed."""
        ...

    def aside(self, path: str) -> SourceRecord | None:
        """What of one file is kept unindexed, without its text, if anything is."""
        ...

    def row_digest(self) -> str:
        """A hash over all rows."""
        ...

    def close(self) -> None:
        """Release the file."""
        ...


@runtime_checkable
class VectorFile(VectorIndex, Protocol):
    """A vector index as it is built and verified."""

    def add_chunks(self, chunks: Sequence[Chunk], documents: Mapping[str, Document], vectors: Vectors) -> None:
        """Append chunks with their vectors."""
        ...

    def add_units(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Append the units' vectors."""
        ...

    def counts(self) -> tuple[int, int]:
        """Rows of chunks and of units."""
        ...

    def nearest_chunk(self, vector: Vectors) -> str | None:
        """The id of the nearest chunk."""
        ...

    def nearest_unit(self, vector: Vectors) -> str | None:
        """The id of the nearest unit."""
        ...

    def close(self) -> None:
        """Release the index."""
        ...


@runtime_checkable
class VectorCache(Protocol):
    """Vectors by embedder and text, shared by all snapshots."""

    def get(self, embedder: str, texts: Sequence[str]) -> dict[str, Vectors]:
        """The vectors that are there, by text."""
        ...

    def put(self, embedder: str, texts: Iterable[str], vectors: Vectors) -> None:
        """Keep `vectors[i]` for the i-th text; durable when this returns.

        Raises:
            DiskFull: there is no room.
        """
        ...

    def trim(self) -> None:
        """Forget what was not used for longest, down to the size allowed; nothing that was used since opening."""
        ...

    def close(self) -> None:
        """Release the file."""
        ...


@runtime_checkable
class Storage(Protocol):
    """Opens and makes the files of a snapshot, and the cache beside them."""

    def catalogue(self, path: Path, *, create: bool = False) -> CatalogueFile:
        """The catalogue in `path`.

        Raises:
            IndexDamaged: it is missing or not readable.
        """
        ...

    def vectors(self, folder: Path, name: str, *, create: bool = False) -> VectorFile:
        """The vectors of snapshot `name`.

        Raises:
            IndexDamaged: they are missing or not readable.
            VectorsUnreachable: they are on a server that does not answer.
        """
        ...

    def vector_rows(self, folder: Path) -> str | None:
        """A hash over the rows of the vectors in `folder`, which no one has open; None where they are on a server.

        Raises:
            IndexDamaged: they can't be read.
        """
        ...

    def drop_vectors(self, name: str) -> None:
        """Delete what there is of the vectors of snapshot `name` where deleting its folder does not.

        Raises:
            VectorsUnreachable: they are on a server that does not answer.
        """
        ...

    def cache(self) -> VectorCache:
        """The cache of vectors."""
        ...
