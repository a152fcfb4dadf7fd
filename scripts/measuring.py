"""What the benchmarks share: a process of its own for each measurement, memory, disk, percentiles, the heading.

Knows how a figure is taken and printed. What is measured is the job of `bench_scale` and `bench_peers`.
"""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import math
import multiprocessing
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

import msgspec

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Times(msgspec.Struct, frozen=True):
    """Milliseconds of `n` like things: the median and the 95th percentile by nearest rank."""

    n: int
    p50: float
    p95: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Times:
        """The times of a list of seconds, which may be empty."""
        if not seconds:
            return cls(0, math.nan, math.nan)
        ranked = sorted(seconds)
        p95 = ranked[math.ceil(0.95 * len(ranked)) - 1]
        return cls(len(ranked), round(statistics.median(ranked) * 1000, 1), round(p95 * 1000, 1))

    def __str__(self) -> str:
        return f"{self.p50:,.1f} / {self.p95:,.1f}"


class Watch:
    """Sums wall-clock seconds by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def on(self, name: str) -> Iterator[None]:
        """Add what happens inside to `name`."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started


def in_fresh_process(function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """The function's result from a new interpreter, so that memory and caches are its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()


def peak_memory() -> float:
    """The most resident memory of this process so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6)  # macOS counts bytes, Linux kibibytes


def megabytes(path: Path) -> float:
    """The size of a file, or of all files below a folder, in MB."""
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return round(sum(p.stat().st_size for p in files) / 1e6, 1)


def heading(*packages: str) -> str:
    """Date, machine, what else it is busy with, and versions, for the line above a table."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{dt.datetime.now(dt.UTC).date()}, {os.cpu_count()} cores ({platform.machine()}), {usable} of them used, "
        f"load {os.getloadavg()[0]:.1f} (1 minute); Python {platform.python_version()}, {versions}"
    )


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def say(text: str) -> None:
    """A line of progress, on standard error."""
    print(f"{dt.datetime.now(dt.UTC):%H:%M:%S} {text}", file=sys.stderr, flush=True)
