"""What a studio catalog is asked to hold: `products=4000,seed=1,views=clean+other`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from embedder.catalogs.product import Split
from embedder.datasets.studio.views import VIEWS
from embedder.errors import CatalogError

MAX_PRODUCTS = 1_000_000
MAX_SEED = 2**63 - 1

_KEYS = ("products", "seed", "views", "split")
_EXAMPLE = "as in studio:products=4000,seed=1,views=clean+other"


@dataclass(frozen=True, slots=True)
class StudioOptions:
    """Which products, and which of their pictures.

    Attributes:
        products: how many are drawn, before `split`; 1 to `MAX_PRODUCTS`. A larger catalog begins with the smaller one.
        seed: another seed gives other products; 0 to `MAX_SEED`.
        views: each product's pictures, the main one first; of `VIEWS`, none twice.
        split: only the products on this side of the split; None: all.
    """

    products: int = 2000
    seed: int = 0
    views: tuple[str, ...] = ("clean",)
    split: Split | None = None

    @classmethod
    def parse(cls, location: str) -> StudioOptions:
        """Read what follows `studio:` in a catalog's name.

        Raises:
            CatalogError: an unknown or repeated key, or a value outside its range.
        """
        given = _pairs(location)
        defaults = cls()
        return cls(
            products=_number(given, "products", defaults.products, 1, MAX_PRODUCTS),
            seed=_number(given, "seed", defaults.seed, 0, MAX_SEED),
            views=_views(given["views"]) if "views" in given else defaults.views,
            split=_split(given["split"]) if "split" in given else defaults.split,
        )


def _pairs(location: str) -> dict[str, str]:
    given: dict[str, str] = {}
    for pair in location.split(",") if location else ():
        key, separator, value = (piece.strip() for piece in pair.partition("="))
        if not separator or key not in _KEYS:
            raise CatalogError(f"studio: {pair!r}; permitted: KEY=VALUE with KEY one of {', '.join(_KEYS)}, {_EXAMPLE}")
        if key in given:
            raise CatalogError(
                f"studio: {key} is given twice, {given[key]!r} and {value!r}; permitted: once, {_EXAMPLE}"
            )
        given[key] = value
    return given


def _number(given: Mapping[str, str], key: str, default: int, least: int, most: int) -> int:
    value = given.get(key, str(default))
    # Longer than any permitted number, and Python itself refuses to convert thousands of digits.
    if not (value.isascii() and value.isdigit() and len(value) <= 20 and least <= int(value) <= most):
        raise CatalogError(f"studio: {key} {value[:40]!r}; permitted: a number from {least:,} to {most:,}, {_EXAMPLE}")
    return int(value)


def _views(value: str) -> tuple[str, ...]:
    views = tuple(view.strip() for view in value.split("+"))
    unknown = [view for view in views if view not in VIEWS]
    if unknown or len(set(views)) < len(views):
        raise CatalogError(
            f"studio: views {value[:80]!r}; permitted: one or more of {', '.join(VIEWS)}, separated by +, none twice, "
            f"{_EXAMPLE}"
        )
    return views


def _split(value: str) -> Split:
    for split in get_args(Split):
        if value == split:
            found: Split = split
            return found
    raise CatalogError(
        f"studio: split {value[:40]!r}; permitted: {', '.join(get_args(Split))}; next step: leave it out"
    )
