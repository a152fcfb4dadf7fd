"""The shape of the code: what may import what, no knots, and what a cold start loads.

The layers are data: a part may import what is listed for it and the parts below it, and nothing else of ours.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# From the bottom up. Parts that stand in one row are siblings and do not know each other.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("rag.domain",),
    ("rag.errors", "rag.ports", "rag.text", "rag.qualifiers", "rag.places", "rag.masking", "rag.instructions"),
    ("rag.settings", "rag.prompts", "rag.tokens", "rag.languages"),
    ("rag.ingest", "rag.retrieve", "rag.answer", "rag.adapters"),
    ("rag.manifests", "rag.termrows", "rag.spool"),
    ("rag.snapshots", "rag.asking", "rag.building"),
    ("rag.indexing", "rag.searching"),
    ("rag.pipeline",),
    ("rag.wiring",),
    ("rag.web",),
    ("rag.cli",),
)
# What judges the service, from the bottom up: `rag` lies below all of it.
EVALS: tuple[tuple[str, ...], ...] = (
    ("evals.library", "evals.statistics", "evals.fitting", "evals.cassette", "evals.vectors", "evals.figures"),
    ("evals.dataset", "evals.handwritten"),
    ("evals.domain", "evals.truths"),
    (
        "evals.metrics",
        "evals.runs",
        "evals.summary",
        "evals.judge",
        "evals.cards",
        "evals.mutants",
        "evals.lookalikes",
    ),
    ("evals.scoring", "evals.runner", "evals.compare", "evals.calibration", "evals.adapters", "evals.mutate"),
    ("evals.baseline", "evals.fit", "evals.fit_triage", "evals.counterfactual", "evals.collection", "evals.confusions"),
    ("evals.gate", "evals.context", "evals.fit_fusion"),
    ("evals.report", "evals.retrieval"),
    ("evals.junit", "evals.markdown"),
    ("evals.cli_shared",),
    ("evals.cli_fit", "evals.cli_judged"),
    ("evals.cli",),
)
# What the rows alone would allow, and is not wanted.
FORBIDDEN: Mapping[str, tuple[str, ...]] = {
    "rag.adapters": ("rag.settings", "rag.prompts", "rag.tokens"),
    "rag.pipeline": ("rag.adapters", "rag.ingest", "rag.indexing"),
    "rag.indexing": ("rag.adapters", "rag.answer"),
    "rag.searching": ("rag.adapters", "rag.answer", "rag.ingest"),
    "rag.snapshots": ("rag.adapters", "rag.answer", "rag.ingest"),
    "rag.web": ("rag.adapters", "rag.ingest", "rag.indexing"),
    "rag.cli": ("rag.adapters", "rag.ingest"),
}
HEAVY = ("chromadb", "openai", "litestar", "pdfplumber", "ragas", "trafilatura", "xllamacpp")
COLD = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES: dict[str, Path] = {
    _name(path): path for package in ("rag", "evals") for path in sorted((ROOT / package).rglob("*.py"))
}
OURS = sorted(name for name, path in MODULES.items() if path.name != "__init__.py")
SERVICE = [name for name in OURS if name.startswith("rag.")]


def _imports(module: str) -> Iterator[str]:
    """The modules of ours that `module` imports anywhere, inside functions and for types too."""
    for node in ast.walk(ast.parse(MODULES[module].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                if inner in MODULES:
                    yield inner
                elif node.module in MODULES:
                    yield node.module


def _part(module: str) -> str:
    """The part of the drawing that a module belongs to."""
    return ".".join(module.split(".")[:2])


def _row(part: str) -> int:
    return next((n for n, row in enumerate((*LAYERS, *EVALS)) if part in row), -1)


def test_every_part_has_its_place() -> None:
    """A new module or folder is put into the drawing before it is merged; nothing drawn is gone."""
    drawn = {part for row in (*LAYERS, *EVALS) for part in row}
    assert {_part(module) for module in OURS} == drawn


def test_imports_point_down() -> None:
    """A module imports from the rows below its own and from its own part: never upwards, never sideways."""
    assert [
        f"{module} -> {other}"
        for module in OURS
        for other in _imports(module)
        if _part(other) != _part(module) and _row(_part(other)) >= _row(_part(module))
    ] == []


def test_what_is_not_wanted_is_not_imported() -> None:
    """Pipeline and web know no adapters, the command no steps of ingest, and so on."""
    assert [
        f"{module} -> {other}"
        for module in SERVICE
        for other in _imports(module)
        if _part(other) in FORBIDDEN.get(_part(module), ())
    ] == []


def test_adapters_are_imported_by_wiring_alone() -> None:
    """One module knows which vendor stands behind which port; adapters do not know each other."""
    assert {m for m in SERVICE if any(_part(o) == "rag.adapters" for o in _imports(m))} == {"rag.wiring"}


def test_the_service_does_not_know_its_evaluation() -> None:
    """`rag` runs without `evals`."""
    assert [f"{m} -> {o}" for m in SERVICE for o in _imports(m) if o.split(".")[0] == "evals"] == []


def test_there_is_no_knot() -> None:
    """No module imports itself by way of others, not even inside a function."""
    graph = {module: set(_imports(module)) - {module} for module in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_every_module_opens_with_what_it_knows() -> None:
    """A file says first what is in it, in a whole sentence."""
    docstrings = {module: ast.get_docstring(ast.parse(MODULES[module].read_text("utf-8"))) or "" for module in OURS}
    assert [module for module, text in docstrings.items() if not text.partition("\n")[0].endswith((".", "?"))] == []


def test_package_files_are_empty() -> None:
    """Importing a package runs nothing and hides nothing."""
    assert [name for name, path in MODULES.items() if path.name == "__init__.py" and path.read_text("utf-8")] == []


@pytest.mark.parametrize("module", ["rag.cli", "rag.wiring"])
def test_a_cold_start_loads_no_vendor(module: str) -> None:
    """`rag --help` is instant: what takes long to import is imported where it is first needed."""
    done = subprocess.run([sys.executable, "-c", COLD, module], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "rag" in loaded
    assert loaded.isdisjoint(HEAVY)
