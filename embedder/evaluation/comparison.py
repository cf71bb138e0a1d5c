"""Two models on the same test products of a catalog: differences with intervals, and a verdict for each figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from embedder.evaluation.bootstrap import Difference, paired_difference
from embedder.evaluation.meanings import meaning_of
from embedder.evaluation.measurement import Measured
from embedder.evaluation.per_query import PerQuery
from embedder.report.rendering import GENERATOR

FORMAT = f"{GENERATOR}: comparison"
FORMAT_VERSION = 1

MEAN_OF_VIEWS = "views.all_kinds.recall_at_1"
"""The mean over the kinds of views, query by query: one figure for all of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Two models side by side.

    Attributes:
        first, second: what was measured of each.
        differences: by figure, of those that are means over queries; of the queries that both models answered.
    """

    first: Measured
    second: Measured
    differences: Mapping[str, Difference]

    @property
    def verdict(self) -> str:
        """In a sentence or two: what the second model does better, what worse, and what is not shown."""
        said = []
        for wanted in ("better", "worse", "no difference shown"):
            names = [
                spoken
                for name, spoken in _SPOKEN.items()
                if name in self.differences and self.differences[name].verdict == wanted
            ]
            if names:
                said.append(f"{_STARTS[wanted]} {', '.join(names)}")
        return f"{self.second.model} against {self.first.model}: {'; '.join(said)}." if said else "nothing to compare."

    def other_figures(self) -> dict[str, tuple[float | None, float | None]]:
        """Figures that are no means over queries, of both models: shown, but nothing is decided by them."""
        one, two = self.first.to_figures(), self.second.to_figures()
        names = [name for name in one | two if name not in self.differences]
        return {name: (one.get(name), two.get(name)) for name in names}

    def to_dict(self) -> dict[str, Any]:
        """JSON-able: models, counts, and by figure means, interval, queries and verdict."""
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "catalog": self.first.catalog,
            "seed": self.first.seed,
            "first": {"model": self.first.model, "fingerprint": self.first.fingerprint},
            "second": {"model": self.second.model, "fingerprint": self.second.fingerprint},
            "verdict": self.verdict,
            "differences": {
                name: {**asdict(item), "difference": item.difference, "meaning": meaning_of(name).text}
                for name, item in self.differences.items()
            },
            "other_figures": {name: list(both) for name, both in self.other_figures().items()},
        }


_SPOKEN = {
    "accuracy": "categories",
    "title_to_product_recall_at_10": "titles",
    "image_to_image_ndcg_at_10": "similar products",
    MEAN_OF_VIEWS: "photos",
}

_STARTS = {
    "better": "better at",
    "worse": "worse at",
    "no difference shown": "no difference shown at",
}


def compare(first: Measured, second: Measured) -> Comparison:
    """Compare two measurements of the same test products, made with the same seed.

    Raises:
        ValueError: of different catalogs or seeds.
    """
    if (first.catalog, first.seed) != (second.catalog, second.seed):
        raise ValueError(
            f"catalogs {first.catalog!r} and {second.catalog!r}, seeds {first.seed} and {second.seed}; permitted: the "
            "same for both"
        )
    one, two = _with_mean_of_views(first), _with_mean_of_views(second)
    differences = {
        name: difference
        for name in one
        if name in two and (difference := _difference(name, one[name], two[name], first.seed)) is not None
    }
    return Comparison(first, second, differences)


def _difference(name: str, one: PerQuery, two: PerQuery, seed: int) -> Difference | None:
    """Of the queries that both have; None where there are none."""
    place = {key: column for column, key in enumerate(two.keys)}
    rows = [row for row, key in enumerate(one.keys) if key in place]
    if not rows:
        return None
    columns = [place[one.keys[row]] for row in rows]
    return paired_difference(
        one.values[rows],
        two.values[columns],
        [one.groups[row] for row in rows],
        seed,
        meaning_of(name).higher_is_better,
    )


def _with_mean_of_views(measured: Measured) -> dict[str, PerQuery]:
    found = measured.per_query()
    views = measured.views
    if views is not None:
        kinds = [found[f"views.{kind}.recall_at_1"] for kind in views.kinds if f"views.{kind}.recall_at_1" in found]
        if kinds:
            mean = np.mean([figure.values for figure in kinds], axis=0)
            found[MEAN_OF_VIEWS] = PerQuery(kinds[0].keys, kinds[0].groups, mean)
    return found
