"""A BEIR-like folder (Thakur et al. 2021) as an index that the service's own retriever ranks.

    corpus.jsonl   {"id", "text", "title"?}
    queries.jsonl  {"id", "text"}
    qrels.jsonl    {"query_id", "doc_id", "score"}

Knows the folder and an index in memory. Passages are cut as ingested texts are, and searched by exact cosine where a
snapshot asks Chroma; ranking is the job of `rag.retrieve`, judging of `retrieval`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from evals.runner import Progress
from rag import places
from rag.building import Embedding
from rag.domain import Chunk, Document, EvidenceUnit, Origin, Span, Value
from rag.ingest.blocks import blocks
from rag.ingest.chunking import cut
from rag.ingest.sectioning import parts
from rag.ports import Embedder, Storage, Tokenizer, Vectors
from rag.retrieve.lexical import LexicalIndex
from rag.retrieve.passages import PassageRetriever

_Row = TypeVar("_Row", bound=msgspec.Struct)


class Passage(msgspec.Struct, frozen=True):
    """A line of corpus.jsonl."""

    id: str
    text: str
    title: str = ""


class Question(msgspec.Struct, frozen=True):
    """A line of queries.jsonl."""

    id: str
    text: str


class Judgement(msgspec.Struct, frozen=True):
    """A line of qrels.jsonl."""

    query_id: str
    doc_id: str
    score: float


class Collection(Value):
    """Passages, the questions that have a relevant one, and what is relevant to each, by question and passage id."""

    passages: tuple[Passage, ...]
    questions: tuple[Question, ...]
    relevant: Mapping[str, Mapping[str, float]]


def read_collection(folder: Path) -> Collection:
    """The folder's collection.

    Raises:
        ValueError: a file is missing or empty, a line is not of its shape, an id comes twice, or a judgement names one
            that there is not; the file and the line are named.
    """
    passages = list(_rows(folder / "corpus.jsonl", Passage))
    questions = list(_rows(folder / "queries.jsonl", Question))
    known, asked = _unique(folder / "corpus.jsonl", passages), _unique(folder / "queries.jsonl", questions)
    relevant: dict[str, dict[str, float]] = {}
    for number, one in enumerate(_rows(folder / "qrels.jsonl", Judgement), 1):
        for name, ids in ((one.query_id, asked), (one.doc_id, known)):
            if name not in ids:
                raise ValueError(f"{folder / 'qrels.jsonl'}:{number}: there is no {name!r}")
        if one.score > 0:
            relevant.setdefault(one.query_id, {})[one.doc_id] = one.score
    if not relevant:
        raise ValueError(f"{folder / 'qrels.jsonl'}: nothing is relevant to any question")
    return Collection(tuple(passages), tuple(q for q in questions if q.id in relevant), relevant)


class MemoryIndex:
    """`ports.Catalogue` and `ports.VectorIndex` over a collection's passages. There are no evidence units."""

    def __init__(self, passages: Sequence[Passage], tokenizer: Tokenizer) -> None:
        self._documents = {p.id: _document(p) for p in passages}
        self._texts = {p.id: p.text for p in passages}
        self.chunks = [chunk for p in passages for chunk in _chunks(p, self._documents[p.id], tokenizer)]
        self._rows = {chunk.id: row for row, chunk in enumerate(self.chunks)}
        self._ids = np.array([chunk.id for chunk in self.chunks])
        self.vectors: Vectors = np.zeros((0, 0), dtype=np.float32)

    def documents(self) -> list[Document]:
        """All documents, in order."""
        return list(self._documents.values())

    def document(self, document_id: str) -> Document | None:
        """One document, or None."""
        return self._documents.get(document_id)

    def text(self, document_id: str) -> str:
        """A passage's text."""
        return self._texts[document_id]

    def chunk_ids(self) -> list[str]:
        """Ids of all chunks, in order."""
        return list(self._rows)

    def unit_ids(self) -> list[str]:
        """None."""
        return []

    def chunks_by_id(self, ids: Sequence[str]) -> list[Chunk]:
        """The chunks named, in the order asked for."""
        return [self.chunks[self._rows[i]] for i in ids]

    def units_of(self, chunk_id: str) -> list[EvidenceUnit]:  # noqa: ARG002 - the port's shape
        """None."""
        return []

    def nearest_chunks(self, vector: Vectors, k: int) -> list[tuple[str, float]]:
        """Up to `k` chunk ids with their cosine, best first; equal ones by id."""
        cosines = np.round(self.vectors @ vector, 6)
        best = np.lexsort((self._ids, -cosines))[:k]
        return [(str(self._ids[row]), float(cosines[row])) for row in best]

    def chunk_vectors(self, ids: Sequence[str]) -> Vectors:
        """Shape (len(ids), dimension), in the order asked for."""
        return self.vectors[[self._rows[i] for i in ids]]

    def unit_vectors(self, ids: Sequence[str]) -> Vectors:
        """Nothing: there are no units."""
        return self.vectors[:0] if not ids else self.chunk_vectors(ids)


class Searchable(Value):
    """A collection's index with what ranks it."""

    index: MemoryIndex
    lexical: LexicalIndex
    embedder: Embedder | None
    retriever: PassageRetriever


def searchable(
    collection: Collection, tokenizer: Tokenizer, embedder: Embedder | None, storage: Storage, progress: Progress
) -> Searchable:
    """The collection's index. Vectors that `storage` has cached are not computed again."""
    index = MemoryIndex(collection.passages, tokenizer)
    lexical = LexicalIndex.build([chunk.searched for chunk in index.chunks])
    if embedder is not None:
        with closing(storage.cache()) as cache:
            texts = [chunk.searched for chunk in index.chunks]
            index.vectors = Embedding(embedder, cache, progress, len(texts)).vectors(texts)
    retriever = PassageRetriever(index, lexical, index if embedder is not None else None, embedder)
    return Searchable(index, lexical, embedder, retriever)


def _document(passage: Passage) -> Document:
    return Document(
        id=passage.id,
        title=passage.title,
        source=passage.id,
        path=passage.id,
        origin=Origin(),
        kind="article",
        extent=Span(0, len(passage.text)),
        places=places.find(passage.title),
    )


def _chunks(passage: Passage, document: Document, tokenizer: Tokenizer) -> tuple[Chunk, ...]:
    found = blocks(passage.text, 0, len(passage.text))
    made = cut(document, passage.text, parts(passage.text, passage.title, found), tokenizer).chunks
    whole = Chunk(f"{passage.id}#c0", passage.id, (passage.title,), document.extent, passage.text)
    return made or (whole,)  # a heading alone has no body, and is found all the same


def _rows(file: Path, shape: type[_Row]) -> Iterator[_Row]:
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file}: {error}") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield msgspec.json.decode(line, type=shape)
            except msgspec.DecodeError as error:
                raise ValueError(f"{file}:{number}: {error}") from error


def _unique(file: Path, rows: Sequence[Passage] | Sequence[Question]) -> set[str]:
    ids = [row.id for row in rows]
    twice = next((i for n, i in enumerate(ids) if i in ids[:n]), None) if len(set(ids)) < len(ids) else None
    if twice is not None or not ids:
        raise ValueError(f"{file}: {f'the id {twice!r} comes twice' if ids else 'there is nothing in it'}")
    return set(ids)
