"""Plots are pictures inside the page, with their numbers beside them; without matplotlib the numbers are left."""

from __future__ import annotations

import base64
import sys
from xml.etree import ElementTree

import pytest

from embedder.report.page import Plot, Table
from embedder.report.plots import Bar, Curve, draw_bars, draw_curves

TABLE = Table("numbers", ("x", "y"), (("0.5", "0.4"),))
CURVES = (
    Curve("measured", [0.2, 0.5, 0.9], [0.1, None, 0.8], [0.0, 0.3, 0.7], [0.2, 0.6, 0.9], "points"),
    Curve("as it should be", [0, 1], [0, 1], style="dashed"),
)


def texts_of(plot: Plot) -> list[str]:
    """The texts of the SVG, which is read as a browser reads it."""
    kind, data = plot.image.split(",", 1)
    assert kind == "data:image/svg+xml;base64"
    root = ElementTree.fromstring(base64.b64decode(data))
    return [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]


def curves() -> Plot:
    return draw_curves("Reliability", "a diagram", ("probability", "share right"), CURVES, TABLE)


def test_curves_have_named_axes_and_a_legend() -> None:
    plot = curves()
    assert {"probability", "share right", "measured", "as it should be"} <= set(texts_of(plot))
    assert (plot.title, plot.alt, plot.table) == ("Reliability", "a diagram", TABLE)


def test_bars_have_their_labels_the_first_on_top() -> None:
    bars = [Bar("rotated by 15°", 0.9), Bar("darkened to 35 %", 0.4, marked=True)]
    shown = texts_of(draw_bars("Photos", "bars", "share of photos", bars, TABLE))
    assert {"share of photos", "rotated by 15°", "darkened to 35 %"} <= set(shown)


def test_the_same_plot_is_the_same_file() -> None:
    assert curves().image == curves().image


def test_a_machine_without_matplotlib_shows_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    plot = curves()
    assert (plot.image, plot.table) == ("", TABLE)
