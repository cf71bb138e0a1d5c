"""The suite's pictures: things by title, each drawn once and shown once more in another way.

Both parts hold what the untuned starter knows: only that can be seen to get lost. Kinds of the studio, and sketches,
whose words found nothing in several drawings of other seeds are not in them.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from embedder.catalogs.captions import category_words, other_number
from embedder.datasets.studio.items import load_item
from embedder.datasets.studio.views import CLEAN, OTHER, draw_view
from embedder.inputs.street_views import street_view
from embedder.training.retention.sketches.household import HOUSEHOLD
from embedder.training.retention.sketches.nature import NATURE
from embedder.training.retention.sketches.outdoors import OUTDOORS
from embedder.training.retention.sketches.pen import Pen, Sketch

SEED = 90_210
"""Of every drawing; no catalog, bench or test of the project has it."""

VIEW_KINDS = ("occluded", "perspective", "color_cast", "blurred")
"""How a sketch is shown once more: kinds that training never draws, or a model would be examined on its exercises."""

SKETCHES: Mapping[str, Sketch] = {**HOUSEHOLD, **OUTDOORS, **NATURE}

STUDIO_KINDS = (
    "waistcoat", "pair of trousers", "pair of leggings", "pair of capri trousers", "high heel", "sandal",
    "espresso cup", "teacup", "wine bottle", "water bottle", "milk bottle", "cocktail glass", "frying pan", "wok",
    "kitchen knife", "ladle", "cupcake", "table lamp", "floor lamp", "dining chair", "stool", "armchair",
    "rocking chair", "office chair", "table", "bookshelf", "bud vase", "wall clock", "alarm clock", "square cushion",
    "round cushion", "tracked robot", "teddy bear", "plush cat", "plush rabbit", "plush dog", "plush elephant",
    "plush owl", "toy whale", "toy bird", "toy turtle", "toy car", "toy bus", "toy lorry", "rowing boat",
    "toy aeroplane", "bird house", "heart pendant", "star pendant", "drop pendant", "flower pendant", "gem pendant",
    "candlestick", "pair of round glasses", "pair of cat-eye glasses", "pair of aviator sunglasses", "potted daisy",
    "umbrella", "folding fan", "axe", "screwdriver", "guitar", "violin", "table tennis bat", "bicycle", "wheelbarrow",
)  # fmt: skip
"""Kinds of studio products whose pictures the untuned starter ranks, on the geometric mean of six drawings and two
picture sizes, among the first 18 of all 235 kinds."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Pictures that are searched among each other.

    Attributes:
        name: what a log calls it.
        titles: t of them, no two alike.
        pictures: n of them, RGB, those of one title together, the titles in order.
        views: n of them: what each picture shows, drawn by another hand or shown as a photo would.
        owners: int (n,), the title of each picture, its place in `titles`.
    """

    name: str
    titles: tuple[str, ...]
    pictures: tuple[Image.Image, ...]
    views: tuple[Image.Image, ...]
    owners: npt.NDArray[np.intp]

    def __post_init__(self) -> None:
        if not len(self.pictures) == len(self.views) == len(self.owners):
            raise ValueError(
                f"{len(self.pictures)} pictures, {len(self.views)} views, {len(self.owners)} owners; permitted: as many"
            )
        if sorted(set(self.owners.tolist())) != list(range(len(self.titles))) or np.any(np.diff(self.owners) < 0):
            raise ValueError("titles without a picture, or pictures out of order; permitted: 1 or more each, in order")


def is_studios_own(catalog: str) -> bool:
    """Whether a catalog, as `open_catalog` takes it, is the studio's: then nothing else may be shown of the studio, or
    what is learnt of its pictures would be mixed up with what is held on to.
    """
    return catalog.startswith("studio")


def sketch_part(size: int, leave_out: Collection[str] = ()) -> Part:
    """Sketches of everyday things, with views as photos would show them.

    Args:
        size: how many pictures, 2 or more.
        leave_out: what is not wanted: titles or categories, in the singular or the plural.
    """
    shares = _shares(_kept(tuple(SKETCHES), leave_out), size)
    pictures = [_sketch(title, number) for title, count in shares.items() for number in range(count)]
    views = [
        street_view(picture, VIEW_KINDS[number % len(VIEW_KINDS)], SEED + number)
        for number, picture in enumerate(pictures)
    ]
    return _part("sketches", shares, pictures, views)


def studio_part(size: int, leave_out: Collection[str] = ()) -> Part:
    """Products of the studio, drawn clean and by another hand.

    Args:
        size: how many products, 2 or more.
        leave_out: what is not wanted: kinds or categories, in the singular or the plural.
    """
    shares = _shares(_kept(STUDIO_KINDS, leave_out), size)
    numbers = _numbers(shares)
    pictures, views = (
        [Image.fromarray(draw_view(SEED, number, view)) for title in shares for number in numbers[title]]
        for view in (CLEAN, OTHER)
    )
    return _part("studio", shares, pictures, views)


def _kept(titles: Sequence[str], leave_out: Collection[str]) -> list[str]:
    plain = {_plain(title) for title in leave_out}
    unwanted = plain | {other_number(title) for title in plain}
    return [title for title in titles if _plain(title) not in unwanted]


def _plain(title: str) -> str:
    return category_words(title.lower()).removeprefix("pair of ")


def _shares(titles: Sequence[str], size: int) -> dict[str, int]:
    """How many pictures each title has; of fewer pictures than titles, every second, third, ... title has one."""
    if size < 2 or len(titles) < 2:
        raise ValueError(f"{size} pictures of {len(titles)} titles; permitted: 2 or more of each")
    if size < len(titles):
        return {titles[place * len(titles) // size]: 1 for place in range(size)}
    return {title: (size + len(titles) - 1 - place) // len(titles) for place, title in enumerate(titles)}


def _part(name: str, shares: Mapping[str, int], pictures: Sequence[Image.Image], views: Sequence[Image.Image]) -> Part:
    owners = np.repeat(np.arange(len(shares), dtype=np.intp), list(shares.values()))
    return Part(name, tuple(shares), tuple(pictures), tuple(views), owners)


def _sketch(title: str, number: int) -> Image.Image:
    pen = Pen((255, 255, 255))
    SKETCHES[title](pen, random.Random(f"{SEED} {title} {number}"))  # noqa: S311
    return pen.image()


def _numbers(shares: Mapping[str, int]) -> dict[str, list[int]]:
    """Products of those kinds: the first ones, no two of one shape."""
    found: dict[str, list[int]] = {title: [] for title in shares}
    shapes: set[str] = set()
    missing, number = sum(shares.values()), 0
    while missing:
        item = load_item(SEED, number)
        if len(found.get(item.kind, ())) < shares.get(item.kind, 0) and item.group not in shapes:
            found[item.kind].append(number)
            shapes.add(item.group)
            missing -= 1
        number += 1
    return found
