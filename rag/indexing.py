"""Story 1: files become a searchable snapshot. Read, clean, section, chunk, embed, store, verify, activate.

Reads top-down; what each step does is the job of `ingest`, what a snapshot is, of `snapshots`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from rag.domain import Chunk, Value
from rag.errors import UnreadableFile
from rag.ingest import reading
from rag.ingest.chunking import cut
from rag.ingest.documents import documents
from rag.ingest.reading import SourceText
from rag.ports import Embedder, SourceRecord, Storage, Tokenizer, Vectors
from rag.retrieve.lexical import LexicalIndex
from rag.snapshots import FORMAT, EmbedderStamp, Manifest, SnapshotStore, write_manifest

# Part of every file's digest: raise it when metadata, cleaning, sectioning or chunking change their output.
CUTTING = "cut-3"
_EMBED_BATCH = 16

Progress = Callable[[str, int, int], None]


class Problem(Value):
    """A file that did not go in, and why."""

    file: str
    reason: str


class IngestReport(Value):
    """What an ingest did: vectors computed and reused; documents and chunks that the snapshot now holds."""

    snapshot: str | None
    documents: int
    chunks: int
    embedded: int
    reused: int
    removed: int
    problems: tuple[Problem, ...]


class Indexer:
    """Builds snapshots. One at a time, in one process."""

    def __init__(
        self,
        store: SnapshotStore,
        storage: Storage,
        tokenizer: Tokenizer,
        embedder: Embedder | None,
        verify: Callable[[str], None],
        progress: Progress,
    ) -> None:
        self._store, self._storage, self._tokenizer, self._embedder = store, storage, tokenizer, embedder
        self._verify, self._progress = verify, progress
        self._same_embedder = True

    def ingest(self, paths: Sequence[Path], *, prune: bool = False) -> IngestReport:
        """Bring `paths` into a new snapshot and make it current; the old one serves until then.

        Raises:
            UnreadableFile: one of `paths` itself does not exist.
            OperatorError: the index can't be built; the old snapshot goes on serving.
        """
        files = reading.source_files(list(paths))
        with self._store.writer():
            old = self._old_records()
            records, problems = self._read(files, old)
            kept, removed = _kept(old, records, paths, files, prune=prune)
            final = [*kept, *records.values()]
            if (
                old
                and self._same_embedder
                and {r.path: r.digest for r in final} == {p: r.digest for p, r in old.items()}
            ):
                return self._report(self._store.current_id(), final, 0, removed, problems)
            snapshot, embedded = self._build(final)
            return self._report(snapshot, final, embedded, removed, problems)

    def _old_records(self) -> dict[str, SourceRecord]:
        if self._store.current_id() is None:
            return {}
        snapshot = self._store.open_current()
        try:
            snapshot.check_embedder(self._embedder)
            # Vectors appear or vanish when the embedder is switched on or off: the same files are built anew then.
            self._same_embedder = (snapshot.manifest.embedder is None) == (self._embedder is None)
            return {path: snapshot.catalogue.source(path) for path in snapshot.catalogue.digests()}
        finally:
            snapshot.close()

    def _read(
        self, files: list[tuple[Path, str]], old: dict[str, SourceRecord]
    ) -> tuple[dict[str, SourceRecord], list[Problem]]:
        records: dict[str, SourceRecord] = {}
        problems: list[Problem] = []
        given = {str(path) for path, _ in files}
        # A file that is gone from the disk (moved, say) gives its ids free; its documents give way to the new ones.
        there = [r for r in old.values() if r.path not in given and Path(r.path).exists()]
        owners = {d.id: r.path for r in there for d in r.documents}
        for n, (path, source) in enumerate(files):
            try:
                record = self._record(path, source, old)
                _claim_ids(record, owners)
            except UnreadableFile as error:
                problems.append(Problem(source, error.reason))
                if str(path) in old:
                    records[str(path)] = old[str(path)]
                    owners.update({d.id: str(path) for d in old[str(path)].documents})
            else:
                records[record.path] = record
            self._progress("读取", n + 1, len(files))
        return records, problems

    def _record(self, path: Path, source: str, old: dict[str, SourceRecord]) -> SourceRecord:
        text = reading.read(path, source)
        known = old.get(str(path))
        if known is not None and known.digest == _digest(source, text):
            return known
        return source_record(path, source, text, self._tokenizer)

    def _build(self, records: list[SourceRecord]) -> tuple[str, int]:
        chunks = [c for r in records for c in r.chunks]
        units = [u for r in records for u in r.units]
        texts = [embedding_text(c) for c in chunks] + [u.text for u in units]
        vectors, embedded = self._embed(texts)
        now = dt.datetime.now(dt.UTC)
        snapshot_id = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        folder = self._store.new_folder(snapshot_id)
        catalogue = self._storage.catalogue(folder / "catalogue.sqlite", create=True)
        for n, record in enumerate(records):
            catalogue.add(record)
            self._progress("写入", n + 1, len(records))
        LexicalIndex.build([embedding_text(c) for c in chunks]).save(folder / "lexical" / "chunks")
        LexicalIndex.build(["：".join((*u.title_path, u.text)) for u in units]).save(folder / "lexical" / "units")
        if vectors is not None and chunks:
            self._store_vectors(folder, snapshot_id, records, vectors)
        stamp = EmbedderStamp(self._embedder.id, self._embedder.dimension) if self._embedder else None
        manifest = Manifest(
            snapshot_id,
            FORMAT,
            now,
            stamp,
            sum(len(r.documents) for r in records),
            len(chunks),
            len(units),
            catalogue.row_digest(),
        )
        catalogue.close()
        write_manifest(folder, manifest)
        self._verify(snapshot_id)
        self._store.activate(snapshot_id)
        return snapshot_id, embedded

    def _store_vectors(self, folder: Path, snapshot_id: str, records: list[SourceRecord], vectors: Vectors) -> None:
        chunks = [c for r in records for c in r.chunks]
        index = self._storage.vectors(folder / "chroma", snapshot_id, create=True)
        index.add_chunks(chunks, {d.id: d for r in records for d in r.documents}, vectors[: len(chunks)])
        index.add_units([u.id for r in records for u in r.units], vectors[len(chunks) :])
        index.close()

    def _embed(self, texts: list[str]) -> tuple[Vectors | None, int]:
        """Vectors of all texts, and how many had to be computed; each batch is kept as soon as it is there."""
        if self._embedder is None:
            return None, 0
        cache = self._storage.cache()
        try:
            found = cache.get(self._embedder.id, texts)
            missing = [text for text in dict.fromkeys(texts) if text not in found]
            for start in range(0, len(missing), _EMBED_BATCH):
                batch = missing[start : start + _EMBED_BATCH]
                vectors = self._embedder.passages(batch)
                cache.put(self._embedder.id, batch, vectors)
                found.update(zip(batch, vectors, strict=True))
                self._progress("嵌入", start + len(batch), len(missing))
        finally:
            cache.close()
        dimension = self._embedder.dimension
        return np.array([found[t] for t in texts], dtype=np.float32).reshape(len(texts), dimension), len(missing)

    def _report(
        self, snapshot: str | None, records: list[SourceRecord], embedded: int, removed: int, problems: list[Problem]
    ) -> IngestReport:
        chunks = sum(len(r.chunks) for r in records)
        rows = chunks + sum(len(r.units) for r in records) if self._embedder else 0
        return IngestReport(
            snapshot,
            sum(len(r.documents) for r in records),
            chunks,
            embedded,
            max(rows - embedded, 0),
            removed,
            tuple(problems),
        )


def source_record(path: Path, source: str, text: SourceText, tokenizer: Tokenizer) -> SourceRecord:
    """One file's documents, cut into chunks and units."""
    found = documents(text, path.stem)
    cuts = [cut(parsed.document, text.text, parsed.parts, tokenizer) for parsed in found]
    return SourceRecord(
        path=str(path),
        digest=_digest(source, text),
        text=text.text,
        documents=tuple(parsed.document for parsed in found),
        chunks=tuple(chunk for one in cuts for chunk in one.chunks),
        units=tuple(unit for one in cuts for unit in one.units),
    )


def _digest(source: str, text: SourceText) -> str:
    """Changes when a file, what its front matter says of it, its name or the way of cutting changes."""
    marks = (CUTTING, source, repr(sorted(text.declared.items(), key=str)), text.text)
    return hashlib.sha256("\0".join(marks).encode()).hexdigest()


def embedding_text(chunk: Chunk) -> str:
    """What of a chunk is embedded and searched: its title path above its text."""
    return "：".join(chunk.title_path) + "\n" + chunk.text


def _claim_ids(record: SourceRecord, owners: dict[str, str]) -> None:
    for document in record.documents:
        owner = owners.get(document.id)
        if owner is not None and owner != record.path:
            raise UnreadableFile(record.path, f"its document id {document.id!r} is already used by {owner}")
    owners.update({d.id: record.path for d in record.documents})


def _kept(
    old: dict[str, SourceRecord],
    records: dict[str, SourceRecord],
    paths: Sequence[Path],
    files: list[tuple[Path, str]],
    *,
    prune: bool,
) -> tuple[list[SourceRecord], int]:
    """Records of files not given this time, and how many documents are removed by pruning."""
    roots = [path.resolve() for path in paths]
    given = {str(path) for path, _ in files}
    kept: list[SourceRecord] = []
    removed = 0
    taken = {d.id for r in records.values() for d in r.documents}
    for path, record in old.items():
        if path in records or path in given:
            continue
        gone = prune and any(Path(path).is_relative_to(root) for root in roots)
        if gone or any(d.id in taken for d in record.documents):
            removed += len(record.documents)
        else:
            kept.append(record)
    return kept, removed
