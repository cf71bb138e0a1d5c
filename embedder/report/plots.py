"""Plots as pictures that a page holds, each with its numbers as a table.

What is drawn here is ours: names from a catalog belong in tables, where they are escaped and any alphabet is shown.
matplotlib is loaded when the first plot is drawn; without it a plot is its table.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from embedder.report.page import Plot, Table
from embedder.report.thumbnails import data_uri

_SIZE_INCHES = (6.0, 3.8)
_COLORS = ("#1d4ed8", "#c2410c", "#15803d", "#7e22ce")
_STYLE = {"line": "-", "dashed": "--", "dotted": ":"}


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve of a plot.

    Attributes:
        label: in the legend.
        x, y: its points, equally many; y of None is a gap.
        low, high: ends of each point's interval; empty: none.
        style: how it is drawn; "points" are not joined.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float | None]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    style: Literal["line", "dashed", "dotted", "points"] = "line"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, its length, and whether it stands out."""

    label: str
    value: float
    marked: bool = False


def draw_curves(title: str, alt: str, axes: tuple[str, str], curves: Sequence[Curve], table: Table) -> Plot:
    """Curves over one another, both axes from 0.

    Args:
        title: of the plot.
        alt: what is to be seen, for who cannot see it.
        axes: what x and y are, with their unit.
        curves: what to draw, the most important first.
        table: the numbers.
    """

    def _draw(canvas: Any) -> None:
        for index, curve in enumerate(curves):
            color = _COLORS[index % len(_COLORS)]
            y = [float("nan") if value is None else value for value in curve.y]
            if curve.style == "points":
                canvas.plot(curve.x, y, "o", color=color, label=curve.label)
            else:
                canvas.plot(curve.x, y, _STYLE[curve.style], color=color, label=curve.label)
            if curve.low:
                canvas.vlines(curve.x, curve.low, curve.high, color=color, alpha=0.5)
        canvas.set_xlabel(axes[0])
        canvas.set_ylabel(axes[1])
        canvas.set_xlim(left=0)
        canvas.set_ylim(bottom=0)
        canvas.grid(alpha=0.3)
        canvas.legend(fontsize="small")

    return Plot(title, alt, _drawn(_draw), table)


def draw_bars(title: str, alt: str, axis: str, bars: Sequence[Bar], table: Table) -> Plot:
    """Horizontal bars from 0 to 1, the first on top.

    Args:
        title: of the plot.
        alt: what is to be seen, for who cannot see it.
        axis: what the length is.
        bars: what to draw, 1 or more.
        table: the numbers.
    """

    def _draw(canvas: Any) -> None:
        places = range(len(bars))
        colors = [_COLORS[1] if bar.marked else _COLORS[0] for bar in bars]
        canvas.barh(places, [bar.value for bar in bars], color=colors)
        canvas.set_yticks(places, [bar.label for bar in bars])
        canvas.invert_yaxis()
        canvas.set_xlim(0, 1)
        canvas.set_xlabel(axis)
        canvas.grid(alpha=0.3, axis="x")

    return Plot(title, alt, _drawn(_draw), table)


def _drawn(draw: Callable[[Any], None]) -> str:
    """An SVG data URI of what `draw` puts on a canvas; "" without matplotlib."""
    try:
        import matplotlib
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
    except ImportError:
        return ""
    # Texts stay texts, so that the file is small; the salt makes equal plots equal files.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "merchlens"}):
        figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure.add_subplot())
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return data_uri(buffer.getvalue(), "image/svg+xml")
