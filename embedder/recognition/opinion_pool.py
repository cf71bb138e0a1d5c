"""One opinion of several witnesses: a logarithmic pool, with a weight for each that held-out products decide.

Source: Genest and Zidek, "Combining Probability Distributions: A Critique and an Annotated Bibliography", 1986, section
3.3 (logarithmic opinion pools). The weights do both jobs at once: they say whom to believe and how sure to be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from embedder.recognition.conditional_logit import fit_choice, shares_of

WITNESSES = ("head", "neighbors", "names")

_RIDGE = 4.0
"""Of the prior: a standard deviation of one half, in units of the scaled weights below."""

_SCALES: Mapping[str, float] = {"head": 1.0, "neighbors": 1.0, "names": 10.0}
"""A weight of this size is about what a witness that is right about itself, and alone, deserves: probabilities of 1,
cosines of texts and pictures some ten."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What the witnesses say of n queries about c categories; None where a witness is not there at all.

    Attributes:
        head: log probabilities by the trained head, float (n, c); NaN for categories that it does not know.
        neighbors: log of the categories' shares of the neighbours' votes, float (n, c), finite; NaN in the rows of
            queries without neighbours.
        names: cosine of the query and the categories' names, float (n, c).
    """

    head: npt.NDArray[np.floating] | None = None
    neighbors: npt.NDArray[np.floating] | None = None
    names: npt.NDArray[np.floating] | None = None

    def __post_init__(self) -> None:
        shapes = {name: values.shape for name, values in self.present().items()}
        if not shapes or len(set(shapes.values())) > 1 or len(next(iter(shapes.values()))) != 2:
            raise ValueError(f"evidence {shapes}; permitted: at least one witness, all of (queries, categories)")

    @property
    def shape(self) -> tuple[int, int]:
        """Queries and categories."""
        rows, columns = next(iter(self.present().values())).shape
        return rows, columns

    def present(self) -> dict[str, npt.NDArray[np.floating]]:
        """The witnesses that are there, by name."""
        given = {name: getattr(self, name) for name in WITNESSES}
        return {name: values for name, values in given.items() if values is not None}

    def without(self, labels: npt.NDArray[np.integer]) -> Evidence:
        """The same with one category of each query struck out: log probabilities of -inf, cosines of -inf."""
        rows = np.arange(len(labels))
        struck = {}
        for name, values in self.present().items():
            copy = np.array(values, dtype=np.float64)
            copy[rows, labels] = -np.inf
            struck[name] = copy
        return Evidence(**struck)


@dataclass(frozen=True, slots=True)
class OpinionPool:
    """How much each witness counts.

    Attributes:
        weights: 0 or more, by witness; one that is not named counts nothing.
    """

    weights: Mapping[str, float]

    def __post_init__(self) -> None:
        unknown = sorted(set(self.weights) - set(WITNESSES))
        if unknown or not all(np.isfinite(value) and value >= 0 for value in self.weights.values()):
            raise ValueError(f"weights {dict(self.weights)}; permitted: 0 or more, of {', '.join(WITNESSES)}")

    def logits(self, evidence: Evidence) -> npt.NDArray[np.float64]:
        """Of the pooled probabilities, float64 (n, c)."""
        total = np.zeros(evidence.shape)
        for name, values in evidence.present().items():
            if self.weights.get(name, 0.0) > 0:
                total += self.weights[name] * filled(values)
        return total

    def probabilities(self, evidence: Evidence) -> npt.NDArray[np.float64]:
        """Pooled, float64 (n, c); rows sum to 1."""
        return shares_of(self.logits(evidence))

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {"weights": dict(self.weights)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `to_dict`; raises KeyError, TypeError or ValueError on anything else."""
        return cls({str(name): float(value) for name, value in data["weights"].items()})


def fit_pool(evidence: Evidence, labels: npt.NDArray[np.integer]) -> OpinionPool:
    """The weights under which held-out queries' categories are likeliest.

    The prior is that the witnesses share the say evenly: with a dozen products that is about what comes out, a hundred
    outweigh it.

    Args:
        evidence: of n queries, each without its own product.
        labels: their categories, (n,), 0..c-1; n may be 0.
    """
    given = evidence.present()
    names = list(given)
    scales = np.asarray([_SCALES[name] for name in names])
    start = np.full(len(names), 1.0 / len(names))
    if len(labels) == 0 or evidence.shape[1] < 2:
        return OpinionPool(dict(zip(names, map(float, start * scales), strict=True)))
    values = np.stack([filled(given[name]) * scale for name, scale in zip(names, scales, strict=True)])
    found = fit_choice(values, np.eye(evidence.shape[1])[labels], start, _RIDGE)
    return OpinionPool(dict(zip(names, map(float, found * scales), strict=True)))


def filled(values: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """A witness's values, with an even share, log(1 / c), for categories that it says nothing about.

    A row that is empty of values says the same of all, which changes no probability.
    """
    given = np.asarray(values, dtype=np.float64)
    return np.where(np.isnan(given), -np.log(max(1, given.shape[1])), given)
