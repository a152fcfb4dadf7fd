"""Story 1: files become a searchable snapshot. Read, clean, section, chunk, then build, verify, activate.

Reads top-down; what each step does is the job of `ingest`, how a snapshot is filled that of `building`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from rag.building import Progress, SnapshotBuilder, Unchanged
from rag.domain import Value
from rag.errors import DiskFull, UnreadableFile
from rag.ingest import reading
from rag.ingest.chunking import cut
from rag.ingest.documents import documents
from rag.ingest.duplicates import collate, whole
from rag.ingest.reading import SourceText
from rag.manifests import Manifest, read_manifest
from rag.ports import CatalogueFile, Embedder, SourceRecord, Storage, Tokenizer
from rag.snapshots import SnapshotStore, check_embedder, check_whole
from rag.spool import FilesSeen, RecordSpool, look

# Part of every file's digest: raise it when metadata, cleaning, sectioning or chunking change their output.
CUTTING = "cut-5"


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


class Entry(Value):
    """A file in an index: its digest and the ids of its documents."""

    path: str
    digest: str
    documents: tuple[str, ...]


class Old(Value):
    """What the current snapshot holds; nothing where there is none, or where it plays no part."""

    entries: Mapping[str, Entry] = {}
    manifest: Manifest | None = None
    lexical: Path | None = None
    catalogue: CatalogueFile | None = None


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
        embed_units_up_to: int = 50_000,
    ) -> None:
        self._store, self._storage, self._tokenizer, self._embedder = store, storage, tokenizer, embedder
        self._verify, self._progress = verify, progress
        self._embed_units_up_to = embed_units_up_to

    def ingest(self, paths: Sequence[Path], *, prune: bool = False, rebuild: bool = False) -> IngestReport:
        """Bring `paths` into a new snapshot and make it current; the old one serves until then.

        With `rebuild` the new one is made of `paths` alone, whatever state the old one is in.

        Raises:
            UnreadableFile: one of `paths` itself does not exist.
            OperatorError: the index can't be built; the old snapshot goes on serving.
        """
        files = reading.source_files(list(paths))
        with self._store.writer(), _room_named(self._store.root), contextlib.ExitStack() as opened:
            old = Old() if rebuild else self._old(opened)
            fresh = opened.enter_context(contextlib.closing(RecordSpool(self._store.root)))
            seen = FilesSeen(self._store.root / "files.json", CUTTING)
            read, problems = self._read(files, old, fresh, seen)
            kept, removed = _kept(old.entries, read, paths, files, prune=prune)
            final = [*kept, *read.values()]
            embedded = 0
            made = old.manifest
            if made is None or not self._same(old, final):
                made, embedded = self._build(final, fresh, old)
            seen.save(e.path for e in final)
            return self._report(made, embedded, removed, problems)

    def _old(self, opened: contextlib.ExitStack) -> Old:
        current = self._store.current_id()
        if current is None:
            return Old()
        folder = self._store.snapshots / current
        manifest = read_manifest(folder)
        check_embedder(manifest, self._embedder)
        check_whole(folder, manifest, self._storage)
        catalogue = opened.enter_context(contextlib.closing(self._storage.catalogue(folder / "catalogue.sqlite")))
        owned: dict[str, list[str]] = {}
        for document_id, path in catalogue.owners().items():
            owned.setdefault(path, []).append(document_id)
        entries = {p: Entry(p, d, tuple(owned.get(p, ()))) for p, d in catalogue.digests().items()}
        return Old(entries, manifest, folder / "lexical", catalogue)

    def _read(
        self, files: list[tuple[Path, str]], old: Old, fresh: RecordSpool, seen: FilesSeen
    ) -> tuple[dict[str, Entry], list[Problem]]:
        read: dict[str, Entry] = {}
        problems: list[Problem] = []
        given = {str(path) for path, _ in files}
        # A file that is gone from the disk (moved, say) gives its ids free; its documents give way to the new ones.
        there = [e for e in old.entries.values() if e.path not in given and Path(e.path).exists()]
        owners = {i: e.path for e in there for i in e.documents}
        for n, (path, source) in enumerate(files):
            known = old.entries.get(str(path))
            try:
                entry = self._entry(path, source, known, fresh, seen)
                _claim_ids(entry, owners)
            except UnreadableFile as error:
                problems.append(Problem(source, error.reason))
                if known is not None:
                    read[known.path] = known
                    owners.update(dict.fromkeys(known.documents, known.path))
            else:
                read[entry.path] = entry
            self._progress("读取", n + 1, len(files))
        return read, problems

    def _entry(self, path: Path, source: str, known: Entry | None, fresh: RecordSpool, seen: FilesSeen) -> Entry:
        before = look(path, source)
        if known is not None and seen.digest(path, before) == known.digest:
            return known
        text = reading.read(path, source)
        digest = _digest(source, text)
        seen.note(path, before, digest)
        if known is not None and known.digest == digest:
            return known
        record = source_record(path, source, text, self._tokenizer)
        fresh.add(record)
        return Entry(record.path, record.digest, tuple(d.id for d in record.documents))

    def _same(self, old: Old, final: Sequence[Entry]) -> bool:
        """Whether there is nothing to build. An embedder that comes or goes makes the same files another snapshot."""
        if old.manifest is None or (old.manifest.embedder is None) != (self._embedder is None):
            return False
        embeds_units = old.manifest.units <= self._embed_units_up_to
        return old.manifest.units_embedded == embeds_units and dict(old.entries) == {e.path: e for e in final}

    def _build(self, final: Sequence[Entry], fresh: RecordSpool, old: Old) -> tuple[Manifest, int]:
        """Here every file of the next snapshot is known, in its order, and nothing of it is built yet."""
        now = dt.datetime.now(dt.UTC)
        snapshot_id = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        builder = SnapshotBuilder(self._storage, self._embedder, self._embed_units_up_to, self._progress)
        try:
            folder = self._store.new_folder(snapshot_id)
            found = collate(_records(final, fresh, old))
            parted = ((found.indexed(r), found.set_aside(r)) for r in _records(final, fresh, old))
            made, embedded = builder.build(folder, parted, len(final), _unchanged(final, old))
            self._progress("核对", 0, 1)
            self._verify(snapshot_id)
            self._progress("核对", 1, 1)
            self._store.activate(snapshot_id)
        except BaseException:
            self._store.discard(snapshot_id)
            raise
        return made, embedded

    def _report(self, made: Manifest, embedded: int, removed: int, problems: list[Problem]) -> IngestReport:
        rows = made.chunks + (made.units if made.units_embedded else 0) if self._embedder else 0
        return IngestReport(
            made.id, made.documents, made.chunks, embedded, max(rows - embedded, 0), removed, tuple(problems)
        )


def _records(final: Sequence[Entry], fresh: RecordSpool, old: Old) -> Iterator[SourceRecord]:
    """The records of the next snapshot, one at a time: what was cut now, else what the old catalogue holds."""
    for entry in final:
        record = fresh.get(entry.path, entry.digest)
        if record is None:
            if old.catalogue is None:
                raise AssertionError("a record that was not cut now is in the old catalogue")
            record = _cut_before(old.catalogue, entry.path)
        yield record


def _cut_before(catalogue: CatalogueFile, path: str) -> SourceRecord:
    """A file's record as it was cut, reprints included: they may come back when what stood for them is gone."""
    indexed = catalogue.source(path)
    return whole(indexed, catalogue.aside(path) or msgspec.structs.replace(indexed, documents=(), chunks=(), units=()))


def _unchanged(final: Sequence[Entry], old: Old) -> Unchanged | None:
    if old.catalogue is None or old.lexical is None:
        return None
    same = [e for e in final if old.entries.get(e.path) == e]
    return Unchanged(frozenset(i for e in same for i in e.documents), old.lexical, old.catalogue)


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


@contextlib.contextmanager
def _room_named(root: Path) -> Iterator[None]:
    """A full disk as an error of ours."""
    try:
        yield
    except OSError as error:
        # numpy tells of a short write by its words alone: "13344 requested and 12256 written".
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG} or "requested and" in str(error):
            raise DiskFull(f"no space left below {root}") from error
        raise


def _claim_ids(entry: Entry, owners: dict[str, str]) -> None:
    for document_id in entry.documents:
        owner = owners.get(document_id)
        if owner is not None and owner != entry.path:
            raise UnreadableFile(entry.path, f"its document id {document_id!r} is already used by {owner}")
    owners.update(dict.fromkeys(entry.documents, entry.path))


def _kept(
    old: Mapping[str, Entry],
    read: Mapping[str, Entry],
    paths: Sequence[Path],
    files: list[tuple[Path, str]],
    *,
    prune: bool,
) -> tuple[list[Entry], int]:
    """Files not given this time, and how many documents are removed by pruning."""
    roots = [path.resolve() for path in paths]
    given = {str(path) for path, _ in files}
    kept: list[Entry] = []
    removed = 0
    taken = {i for e in read.values() for i in e.documents}
    for path, entry in old.items():
        if path in read or path in given:
            continue
        gone = prune and any(Path(path).is_relative_to(root) for root in roots)
        if gone or not taken.isdisjoint(entry.documents):
            removed += len(entry.documents)
        else:
            kept.append(entry)
    return kept, removed
