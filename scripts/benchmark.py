"""Measures this machine: indexing the corpus, extractive answers, answers with the language model over HTTP.

Knows what is measured and how the table looks; `docs/benchmarks.md` explains it. Whether answers are right is the job
of `evals`. Everything is built in a temporary folder, so nothing is reused and nothing of yours is touched.
"""

from __future__ import annotations

import argparse
import datetime as dt
import http.client
import json
import logging
import math
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import uvicorn

from evals.dataset import GOLD, GoldExample, load
from evals.domain import Observation
from evals.runner import observe
from rag.domain import Answer
from rag.settings import Settings, read_settings
from rag.web.app import create_app
from rag.wiring import Service, build_indexer, build_store

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "corpus" / "documents"
PAGE = ROOT / "docs" / "benchmarks.md"
START, END = "<!-- benchmark:start -->", "<!-- benchmark:end -->"
_OTHER_WRITING = frozenset({"english", "traditional"})
_ANSWER_EVENT = b"event: answer"
_ANSWER_TIMEOUT = 300
_START_TIMEOUT = 60

Row = tuple[str, str]


class Streamed(msgspec.Struct, frozen=True):
    """One answer as a client saw it come in, in milliseconds; `verifying` is what its checks took by its own word."""

    first_byte: float
    whole: float
    verifying: float
    model_asked: bool
    degraded: bool


def main() -> int:
    """Measure and print; with `--write` also into the page."""
    options = _options()
    os.chdir(ROOT)  # folders in the settings count from here, as they do for `make`
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        settings = msgspec.structs.replace(read_settings(), data_dir=folder, chroma_url=None)
        rows = [*_indexing(settings), *_extractive(settings, _questions(options.questions + 1))]
        rows += _streaming(settings, _questions(options.model_questions + 1))
    table = _table(rows)
    print(table)
    if options.write:
        _write(table)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure indexing and answering on this machine.")
    parser.add_argument("--questions", type=int, default=40, help="how many to answer extractively (default: 40)")
    parser.add_argument("--model-questions", type=int, default=20, help="how many with the model (default: 20)")
    parser.add_argument("--write", action="store_true", help="replace the table in docs/benchmarks.md")
    return parser.parse_args()


def _questions(n: int) -> list[GoldExample]:
    """`n` answerable single questions of the test half, evenly spread over the files; the first only warms up."""
    examples = load(sorted(GOLD.glob("*.jsonl")))
    pool = [e for e in examples if e.split == "test" and e.kind == "answer" and not e.conversation]
    pool = [e for e in pool if e.category not in _OTHER_WRITING]
    n = min(n, len(pool))
    return [pool[i * len(pool) // n] for i in range(n)]


def _indexing(settings: Settings) -> list[Row]:
    started = time.perf_counter()
    report = build_indexer(settings, _quiet).ingest([CORPUS])
    seconds = time.perf_counter() - started
    if report.problems:
        raise SystemExit(f"not everything could be indexed: {report.problems}")
    store = build_store(settings)
    (manifest,) = store.manifests()
    embedder = manifest.embedder.id if manifest.embedder else "none (BM25 alone)"
    snapshot, everything = _megabytes(store.snapshots), _megabytes(settings.data)
    return [
        ("documents / chunks / units", f"{manifest.documents} / {manifest.chunks} / {manifest.units}"),
        ("embedder", embedder),
        ("indexing, no vector cached, verified", f"{seconds:.1f} s ({report.embedded} vectors)"),
        ("disk of the snapshot / with the vector cache", f"{snapshot} / {everything}"),
        _memory("indexing"),
    ]


def _extractive(settings: Settings, examples: Sequence[GoldExample]) -> list[Row]:
    service = Service(msgspec.structs.replace(settings, llm="extractive"))
    seen: list[Observation] = []
    try:
        observe(service, examples, seen.append, _quiet)
    finally:
        service.close()
    seen = seen[1:]
    failed = [o.error for o in seen if o.error]
    if failed:
        raise SystemExit(f"{len(failed)} questions failed, the first with {failed[0]}")
    times = [o.outcome.timings_ms.total for o in seen if o.outcome]
    answered = sum(isinstance(o.outcome, Answer) for o in seen)
    return [
        ("extractive: questions / answered", f"{len(seen)} / {answered}"),
        ("extractive: median / 95th percentile", f"{_median(times):.0f} / {_p95(times):.0f} ms"),
        _memory("extractive answers"),
    ]


def _streaming(settings: Settings, examples: Sequence[GoldExample]) -> list[Row]:
    service = Service(settings)
    if service.drafter is None:
        service.close()
        return [("model", "none here: `make setup` fetches it, RAG_LLM=model switches it on")]
    name = service.drafter.model_name
    with _serving(service) as port:
        seen = [_stream(port, example.question) for example in examples][1:]
    asked = [s for s in seen if s.model_asked]
    degraded = sum(s.degraded for s in seen)
    rows = [
        ("model", name),
        ("model: questions / asked the model / degraded", f"{len(seen)} / {len(asked)} / {degraded}"),
        ("model: first byte, median / 95th percentile", _milliseconds([s.first_byte for s in seen])),
        ("model: whole answer where it was asked, median / 95th percentile", _seconds([s.whole for s in asked])),
        ("verification of one answer, median / 95th percentile", _milliseconds([s.verifying for s in asked])),
    ]
    return [*rows, _memory("answers with the model")]


@contextmanager
def _serving(service: Service) -> Iterator[int]:
    """The real application on a free port; it closes the service at the end."""
    server = uvicorn.Server(uvicorn.Config(create_app(service), host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + _START_TIMEOUT
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    try:
        if not server.started:
            raise SystemExit("the server did not start")
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


def _stream(port: int, question: str) -> Streamed:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_TIMEOUT)
    body = json.dumps({"question": question, "stream": True})
    started = time.perf_counter()
    connection.request("POST", "/chat", body, {"Content-Type": "application/json"})
    reply = connection.getresponse()
    opening = reply.readline()
    first_byte = (time.perf_counter() - started) * 1000
    lines = (opening + reply.read()).splitlines()
    whole = (time.perf_counter() - started) * 1000
    connection.close()
    if _ANSWER_EVENT not in lines:
        raise SystemExit(f"no answer to {question!r}, status {reply.status}: {lines[-1:]}")
    outcome = json.loads(lines[lines.index(_ANSWER_EVENT) + 1].removeprefix(b"data:"))
    degraded = outcome["degraded"] is not None
    verifying = outcome["timings_ms"]["verify"]
    return Streamed(first_byte, whole, verifying, outcome["mode"] == "llm" or degraded, degraded)


def _table(rows: Sequence[Row]) -> str:
    heading = (
        f"{dt.datetime.now(dt.UTC).date()}, commit {_commit()}, {os.cpu_count()} cores ({platform.machine()}), "
        f"Python {platform.python_version()}"
    )
    lines = [f"| {what} | {figure} |" for what, figure in rows]
    return "\n".join([heading, "", "| what | figure |", "|---|---|", *lines])


def _write(table: str) -> None:
    page = PAGE.read_text("utf-8")
    before, start, rest = page.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise SystemExit(f"{PAGE} lacks the marks {START} and {END}")
    PAGE.write_text(f"{before}{START}\n{table}\n{END}{after}", "utf-8")


def _commit() -> str:
    git = shutil.which("git")
    if git is None:
        return "unknown"
    command = [git, "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    return done.stdout.strip() or "unknown"


def _memory(after: str) -> Row:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    size = peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6  # macOS counts bytes, Linux kibibytes
    return f"peak memory after {after}", f"{size:.0f} MB"


def _megabytes(folder: Path) -> str:
    return f"{sum(p.stat().st_size for p in folder.rglob('*') if p.is_file()) / 1e6:.1f} MB"


def _median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else math.nan


def _p95(values: Sequence[float]) -> float:
    """Nearest rank: the smallest value that at least 95 % do not exceed."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1] if values else math.nan


def _milliseconds(values: Sequence[float]) -> str:
    return f"{_median(values):.3g} / {_p95(values):.3g} ms"


def _seconds(values: Sequence[float]) -> str:
    return f"{_median(values) / 1000:.1f} / {_p95(values) / 1000:.1f} s"


def _quiet(_stage: str, _done: int, _total: int) -> None:
    """No progress is shown: drawing it would be measured, too."""


if __name__ == "__main__":
    sys.exit(main())
