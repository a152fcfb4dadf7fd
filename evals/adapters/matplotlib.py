"""Plots as SVG to be put into a page: matplotlib's drawing, in the colours of the page around it.

Knows bars, intervals and histograms. What is plotted is the job of `report`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.typing import RcKeyType

from rag.domain import Value

# Drawn in colours that nothing else has, each of which the page then names: so a plot follows light and dark.
_INK, _LINE, _HUES = "#0a0a01", "#0a0a02", ("#0a0a03", "#0a0a04")
_NAMED: Mapping[str, str] = {
    _INK: "var(--ink)",
    _LINE: "var(--line)",
    _HUES[0]: "var(--hue-0)",
    _HUES[1]: "var(--hue-1)",
}
# A style for the whole page, addresses, sizes, fonts, and ids that every drawing would share.
_NOT_OURS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"<metadata>.*?</metadata>",
        r"<style.*?</style>",
        r' (width|height)="[^"]*pt"',
        r" font-family: [^;\"]*;?",
        r' id="[a-z0-9_.]+_\d+"',
    )
)
_STYLE: dict[RcKeyType, object] = {
    "svg.fonttype": "none",  # words stay words: searchable, and set in the fonts of the page
    "svg.hashsalt": "report",  # one run, one file: names are hashes, not random
    "font.size": 9,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _LINE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "grid.color": _LINE,
    "axes.axisbelow": True,
}
_WIDTH, _ROW = 5.6, 0.3


class Bar(Value):
    """A share with its interval, of n."""

    value: float
    low: float
    high: float
    n: int


def bars(rows: Mapping[str, Mapping[str, Bar]]) -> str:
    """Shares by name, with intervals: a row a name, a bar a series."""
    series = list(dict.fromkeys(name for row in rows.values() for name in row))
    with mpl.rc_context(_STYLE):
        figure, axes = _empty(0.6 + _ROW * len(rows) * max(1, 0.7 * len(series)))
        for number, name in enumerate(series):
            _series(axes, rows, name, number, len(series))
        axes.set_yticks(range(len(rows)), [_label(name, row) for name, row in rows.items()])
        axes.set_xlim(0, 1.02)
        axes.invert_yaxis()
        axes.grid(axis="x")
        if len(series) > 1:
            figure.legend(loc="outside upper center", ncols=len(series), frameon=False)
        return _svg(figure)


def histogram(values: Sequence[float], unit: str) -> str:
    """How often which values occur, and where median and 95th percentile lie."""
    with mpl.rc_context(_STYLE):
        figure, axes = _empty(2.6)
        axes.hist(values, bins=min(40, max(5, len(values) // 5)), color=_HUES[0])
        for share, name in ((0.5, "median"), (0.95, "p95")):
            at = sorted(values)[min(len(values) - 1, int(share * len(values)))]
            axes.axvline(at, color=_INK, linewidth=1, linestyle=":")
            axes.text(at, axes.get_ylim()[1], f" {name} {at:,.0f}", va="top")
        axes.set_xlabel(unit)
        axes.set_ylabel("examples")
        return _svg(figure)


def _empty(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    FigureCanvasSVG(figure)
    return figure, figure.add_subplot()


def _series(axes: Axes, rows: Mapping[str, Mapping[str, Bar]], name: str, number: int, of: int) -> None:
    thickness = 0.66 / of
    shift = (number - (of - 1) / 2) * thickness
    drawn = [(at + shift, row[name]) for at, row in enumerate(rows.values()) if name in row]
    axes.barh([at for at, _ in drawn], [b.value for _, b in drawn], thickness, color=_HUES[number % 2], label=name)
    for at, bar in drawn:
        axes.plot([bar.low, bar.high], [at, at], color=_INK, linewidth=1, marker="|", markersize=3)


def _label(name: str, row: Mapping[str, Bar]) -> str:
    return f"{name}  (n={'/'.join(str(bar.n) for bar in row.values())})"


def _svg(figure: Figure) -> str:
    """The drawing alone, to stand beside others in a page."""
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None})
    text = drawn.getvalue()
    text = text[text.index("<svg") :]
    for pattern in _NOT_OURS:
        text = pattern.sub("", text)
    for colour, name in _NAMED.items():
        text = text.replace(colour, name)
    return text
