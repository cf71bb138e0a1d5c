"""The instance part in closed form: one linear map under which a product's pictures lie together, and products apart.

Learned whitening (Radenović, Tolias, Chum, 2018, section 3.3; the idea is that of Mikolajczyk and Matas, 2007): whiten
what differs between pictures of one product, then keep the directions in which products differ most. Pairs are several
pictures of a product, and views of one picture as a photo would show it. Nothing is trained, nothing can diverge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from embedder.errors import TrainingError
from embedder.instance_map import InstanceMap, standardize_levels

RIDGE = 1.0
"""Added to the differences' covariance, as a share of its mean variance: how far rare directions are trusted."""

EMPHASIS = 0.5
"""Directions are scaled by this power of the products' standard deviation in them. 0 is learnt whitening as published;
more makes longer instance parts no worse than short ones (figures in RESULTS.md)."""

_FEWEST = 2
_ALIKE = 1e-3
"""Levels that differ less, relative to their length, are of one picture: they are kept in half precision."""

_BLOCK = 4096
_OVERSAMPLED = 32
_ITERATIONS = 8


@dataclass(frozen=True, slots=True, eq=False)
class LevelSamples:
    """Levels of pictures, and whose they are.

    Attributes:
        levels: (n, sum of widths), float16 or float32; a product's main picture comes before its others.
        owners: int (n,), a number for each product.
        widths: length of each level.
        drawn: bool (n,), which of them are views drawn from a picture; None: none is.
    """

    levels: npt.NDArray[np.floating]
    owners: npt.NDArray[np.integer]
    widths: tuple[int, ...]
    drawn: npt.NDArray[np.bool_] | None = None


def fit_instance(samples: LevelSamples, dim: int, ridge: float = RIDGE, seed: int = 0) -> InstanceMap:
    """Solve for the map.

    Where the products span fewer than `dim` directions, the rest are drawn at random among those orthogonal to them:
    they keep the distances of what the products do not show.

    Args:
        samples: 2 products or more, one of them with several pictures at least.
        dim: length of the instance part, 1 to the sum of widths.
        ridge: see `RIDGE`.
        seed: of the directions drawn.

    Raises:
        TrainingError: the pictures do not permit it: fewer than 2 products, all alike, or none with a second picture.
    """
    total = sum(samples.widths)
    if not 1 <= dim <= total:
        raise ValueError(f"instance part of {dim} values from levels of {total}; permitted: 1 to {total}")
    firsts = _firsts(samples.owners)
    if len(firsts) < _FEWEST:
        raise TrainingError(f"{len(firsts)} products with pictures; permitted for an instance part: {_FEWEST} or more")
    mains = samples.levels[firsts].astype(np.float32)
    center = mains.mean(axis=0, dtype=np.float64).astype(np.float32)
    alike = float(np.linalg.norm(mains - center)) <= _ALIKE * float(np.linalg.norm(mains))
    standardized = torch.from_numpy(standardize_levels(mains, samples.widths, center))
    mean = standardized.mean(dim=0)
    products = standardized - mean
    within, pairs = _within(samples, center, firsts)
    variance = float(within.trace()) / total
    if alike or pairs == 0 or variance < 1e-12:
        raise TrainingError(
            "the products' pictures are all alike, or no product has a second picture or a view; permitted for an "
            "instance part: pictures that differ"
        )
    factor = torch.linalg.cholesky(within + ridge * variance * torch.eye(total, dtype=torch.float64))
    directions = _principal(factor, products, min(dim, len(firsts) - 1), seed)
    found = directions.shape[1]
    weight = torch.linalg.solve_triangular(factor.t(), _completed(directions, dim, seed), upper=True).t()
    weight = weight * _emphasis(products.double() @ weight.t(), found)[:, None]
    return InstanceMap(
        widths=samples.widths,
        center=center,
        weight=weight.float().numpy().copy(),
        offset=(-(weight @ mean.double())).float().numpy().copy(),
    )


def _firsts(owners: npt.NDArray[np.integer]) -> npt.NDArray[np.intp]:
    """Where each product's main picture is."""
    return np.sort(np.unique(owners, return_index=True)[1])


def _within(
    samples: LevelSamples, center: npt.NDArray[np.float32], firsts: npt.NDArray[np.intp]
) -> tuple[torch.Tensor, int]:
    """Covariance of the differences of products' other pictures to their main ones, float64; how many there are.

    Where there are both, real pictures and drawn views count half each, however many there are of either: real ones
    show what another photographer does, views what a customer's camera does.
    """
    total = sum(samples.widths)
    first_of = dict(zip(samples.owners[firsts].tolist(), firsts.tolist(), strict=True))
    others = np.setdiff1d(np.arange(len(samples.owners)), firsts)
    drawn = np.zeros(len(samples.owners), dtype=bool) if samples.drawn is None else samples.drawn
    parts = [found for found in (others[drawn[others]], others[~drawn[others]]) if len(found)]
    covariance = torch.zeros(total, total, dtype=torch.float64)
    for part in parts:
        covariance += _differences(samples, center, first_of, part) / len(parts)
    return covariance, len(others)


def _differences(
    samples: LevelSamples,
    center: npt.NDArray[np.float32],
    first_of: Mapping[int, int],
    others: npt.NDArray[np.intp],
) -> torch.Tensor:
    """Mean outer product of the differences of some pictures to their products' main ones, float64."""
    total = sum(samples.widths)
    mains = np.asarray([first_of[owner] for owner in samples.owners[others].tolist()], dtype=np.intp)
    covariance = torch.zeros(total, total, dtype=torch.float32)
    for start in range(0, len(others), _BLOCK):
        rows = slice(start, start + _BLOCK)
        other = standardize_levels(samples.levels[others[rows]], samples.widths, center)
        main = standardize_levels(samples.levels[mains[rows]], samples.widths, center)
        difference = torch.from_numpy(other - main)
        covariance += difference.t() @ difference
    return covariance.double() / len(others)


def _principal(factor: torch.Tensor, products: torch.Tensor, count: int, seed: int) -> torch.Tensor:
    """The orthonormal directions in which products vary most once they are whitened.

    Args:
        factor: lower triangular, float64 (d, d), whose inverse whitens.
        products: centered, float32 (n, d).
        count: 1 or more.
        seed: of the decomposition's first guess.

    Returns:
        float64 (d, count or fewer).
    """
    n, d = products.shape
    if n < d:
        # The smaller of the two Gram matrices has the same directions in it.
        columns = torch.linalg.solve_triangular(factor, products.double().t(), upper=False)
        values, vectors = torch.linalg.eigh(columns.t() @ columns)
        directions = columns @ vectors[:, _largest(values, count)]
        return torch.as_tensor(directions / directions.norm(dim=0))
    covariance = (products.t() @ products).double() / n
    half = torch.linalg.solve_triangular(factor, covariance, upper=False)
    whitened = torch.linalg.solve_triangular(factor, half.t().contiguous(), upper=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        # Only the first directions are wanted: a tenth of a whole decomposition's time (Halko et al., 2011).
        vectors, values, _ = torch.svd_lowrank(whitened, q=min(d, count + _OVERSAMPLED), niter=_ITERATIONS)
    return vectors[:, _largest(values, count)]


def _emphasis(mapped: torch.Tensor, found: int) -> torch.Tensor:
    """Factor of each direction: where products differ more than their own pictures do, a difference says more.

    Args:
        mapped: the products in all directions, float64 (n, dim).
        found: how many of the directions the products gave; the drawn ones after them count as the last of these.
    """
    variance = mapped.square().mean(dim=0)
    variance[found:] = variance[found - 1]
    return variance.clamp_min(1e-12) ** (EMPHASIS / 2)


def _largest(values: torch.Tensor, count: int) -> torch.Tensor:
    order = values.argsort(descending=True)[:count]
    return order[values[order] > 1e-9 * values[order[0]]]


def _completed(directions: torch.Tensor, dim: int, seed: int) -> torch.Tensor:
    missing = dim - directions.shape[1]
    if missing <= 0:
        return directions
    drawn = torch.randn(len(directions), missing, generator=torch.Generator().manual_seed(seed), dtype=directions.dtype)
    drawn -= directions @ (directions.t() @ drawn)
    return torch.cat([directions, torch.linalg.qr(drawn)[0]], dim=1)


def kept_directions(semantic: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.float32] | None:
    """What the index keeps of semantic embeddings: the directions with most of their length, not of their variance.

    A text's cosine with a picture is the product within the pictures' own span, so the pictures alone decide.

    Args:
        semantic: the pictures' unit embeddings, float32 (n, width).
        count: how many directions may be kept, 1 or more.

    Returns:
        float32 (count, width), orthonormal rows; None where all of them are kept.
    """
    if count >= semantic.shape[1]:
        return None
    rows = torch.from_numpy(semantic).double()
    _, vectors = torch.linalg.eigh(rows.t() @ rows)
    kept: npt.NDArray[np.float32] = vectors.flip(1)[:, :count].t().float().numpy().copy()
    return kept


def owners_of(names: Sequence[str]) -> npt.NDArray[np.intp]:
    """A number for each distinct name, in order of appearance."""
    numbers: dict[str, int] = {}
    return np.asarray([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.intp)
