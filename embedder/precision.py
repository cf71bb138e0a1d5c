"""In which precision a tower computes, what each precision costs, and which one is served.

The fingerprint names the space that vectors lie in; precision is how exactly they are computed there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import acos, cos, pi
from typing import Any, Literal, Self

from embedder.errors import ModelError

Tower = Literal["image", "text"]
Precision = Literal["fp32", "fp16", "int8"]
PrecisionChoice = Literal["auto", "fp32", "fp16", "int8"]
"""`auto`: as the bundle decided for each tower."""

TOWERS: tuple[Tower, ...] = ("image", "text")
PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16", "int8")

LEAST_COSINE = 0.95
"""Between vectors of one picture in two precisions: below it an index of the one is not searched with the other."""


@dataclass(frozen=True, slots=True)
class GraphFigures:
    """What one tower's graph was measured to be.

    Attributes:
        bytes: on the disk.
        median_ms: of one picture or text, on one thread of the machine that exported.
        least_cosine, median_cosine: between what it gives and what torch gives in fp32; of pictures the whole index
            vector.
        recall: share of the queries that found their product: titles among ten, photos first.
        queries: how many there were.
    """

    bytes: int
    median_ms: float
    least_cosine: float
    median_cosine: float
    recall: float
    queries: int


@dataclass(frozen=True, slots=True)
class TowerPrecision:
    """One tower's graphs.

    Attributes:
        serve: the precision that is taken where none is asked for.
        why: in words.
        measured: figures of each graph that there is.
    """

    serve: Precision = "fp32"
    why: str = ""
    measured: Mapping[Precision, GraphFigures] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `dataclasses.asdict`; raises KeyError, TypeError or ValueError on anything else."""
        measured = {_precision(name): GraphFigures(**figures) for name, figures in data["measured"].items()}
        # In the order of `PRECISIONS`, whatever that of the file.
        ordered = {name: measured[name] for name in PRECISIONS if name in measured}
        return cls(_precision(data["serve"]), str(data["why"]), ordered)

    def least_cosine(self, first: str, second: str) -> float:
        """A lower bound of the cosine between the same thing in two precisions; -1 where it was not measured."""
        if first == second:
            return 1.0
        # Of two vectors the angle is at most the sum of both angles to a third one.
        angles = [_angle(item.least_cosine) for name, item in self.measured.items() if name in (first, second)]
        return _cosine(sum(angles)) if {first, second} <= {*self.measured, "fp32"} else -1.0


def graph_file(tower: Tower, precision: Precision) -> str:
    """Where a bundle has a graph, relative to its folder."""
    return f"onnx/{tower}.onnx" if precision == "fp32" else f"onnx/{tower}.{precision}.onnx"


def choose_precisions(
    towers: Mapping[Tower, TowerPrecision], asked: PrecisionChoice, model: str
) -> dict[Tower, Precision]:
    """The precision of each tower.

    Args:
        towers: what a bundle says; towers that are absent have fp32 alone.
        asked: for both.
        model: the bundle, for the message.

    Raises:
        ModelError: the bundle has no graph of that precision.
    """
    chosen: dict[Tower, Precision] = {}
    for tower in TOWERS:
        known = towers.get(tower, TowerPrecision())
        there = {"fp32", *known.measured}
        if asked != "auto" and asked not in there:
            raise ModelError(
                f"precision {asked!r}: bundle {model} has no such graph of the {tower} tower; permitted: auto, "
                f"{', '.join(name for name in PRECISIONS if name in there)}; next step: python -m embedder export "
                "--catalog ... makes it"
            )
        chosen[tower] = known.serve if asked == "auto" else asked
    return chosen


def _precision(name: str) -> Precision:
    for known in PRECISIONS:
        if name == known:
            return known
    raise ValueError(f"precision {name!r}; permitted: {', '.join(PRECISIONS)}")


def _angle(cosine: float) -> float:
    return acos(max(-1.0, min(1.0, cosine)))


def _cosine(angle: float) -> float:
    return cos(min(angle, pi))
