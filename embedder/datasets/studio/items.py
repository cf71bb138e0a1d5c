"""What one product of the studio is: a function of the seed and its number."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from embedder.catalogs.product import Split
from embedder.datasets.studio.palette import PALETTE, TONES
from embedder.datasets.studio.patterns import PATTERNS
from embedder.datasets.studio.shapes.form import Family, Form, Part, Role
from embedder.datasets.studio.shapes.outlines import Outline, crescent, heart, petals, polygon, regular, star
from embedder.datasets.studio.tree import FAMILIES, shape_of

BLOCK = 12
"""Products are dealt out to variant groups in blocks of this many: a product's group follows from its number alone."""

MAX_VARIANTS = 4

KINDS: tuple[tuple[Family, str], ...] = tuple((family, kind) for family in FAMILIES for kind in family.kinds)

_COLORS = tuple(PALETTE)
_FANCY = tuple(name for name in PATTERNS if name != "plain")
_PLAIN_SHARE = 0.4
_EMBLEM_SHARE = 0.3
_MAX_FEATURES = 2


@dataclass(frozen=True, slots=True)
class StudioItem:
    """A product's properties; its picture is drawn from them.

    Attributes:
        seed, number: what it follows from; `number` from 0.
        group: its variant group, such as "g-000012-1": products of the same shape in other colours or patterns.
        family, kind: what it is.
        colors: names of its first, second and third colour.
        pattern: one of `PATTERNS`; of the first and the second colour.
        repeat: of the pattern, as a share of the product's size.
        material: one of the family's.
        features: what else is worth saying, such as "with a pom-pom".
    """

    seed: int
    number: int
    group: str
    family: Family
    kind: str
    colors: tuple[str, str, str]
    pattern: str
    repeat: float
    material: str
    features: tuple[str, ...]
    price: float
    in_stock: bool

    @property
    def id(self) -> str:
        """The product's id; unique in its seed."""
        return f"studio-{self.number:06d}"

    @property
    def category(self) -> str:
        """Department, family and kind."""
        return f"{self.family.department}/{self.family.name}/{shape_of(self.kind)}"

    @property
    def title(self) -> str:
        """Plain words for what is drawn."""
        colors = self.colors[0] if self.pattern == "plain" else f"{self.colors[0]} and {self.colors[1]} {self.pattern}"
        pair = "pair of " if self.kind != shape_of(self.kind) else ""
        words = f"{pair}{colors} {self.material} {shape_of(self.kind)}"
        for index, feature in enumerate(self.features):
            words += f" and {feature.removeprefix('with ')}" if index and feature.startswith("with ") else f" {feature}"
        return words


def seeded(*names: object) -> random.Random:
    """A source of randomness of its own for what the names say; the same for the same names, on any machine."""
    return random.Random("/".join(map(str, names)))  # noqa: S311


def load_item(seed: int, number: int) -> StudioItem:
    """The product of a number, 0 or more."""
    group, member = _group_of(seed, number)
    r = seeded(seed, group)
    family, kind = _kind_of(r)
    material = r.choice(family.materials)
    price = round(r.uniform(2, 40) * r.choice((1, 1, 3, 10)), 0) - 0.01
    features = tuple(dict.fromkeys(form_of(seed, group, family, kind).features))[:_MAX_FEATURES]
    used: set[int] = set()
    keeps_pattern, pattern, repeat = r.random() < 0.6, "plain", 1.0
    colors = ("red", "white", "blue")
    for index in range(member + 1):
        # The variants before this one are drawn too, so that none has the tone of another.
        first = r.choice([name for name in _COLORS if TONES[name] not in used])
        used.add(TONES[first])
        others = [name for name in _COLORS if TONES[name] != TONES[first]]
        second = r.choice(others)
        third = r.choice([name for name in others if TONES[name] != TONES[second]])
        colors = (first, second, third)
        if index == 0 or not keeps_pattern:
            pattern = "plain" if r.random() < _PLAIN_SHARE else r.choice(_FANCY)
            repeat = r.uniform(0.12, 0.34)
    own = seeded(seed, number, "stock")
    return StudioItem(
        seed, number, group, family, kind, colors, pattern, repeat, material, features, price, own.random() < 0.85
    )


def split_of_number(seed: int, number: int) -> Split:
    """The split of a product, without looking at the rest of it."""
    group, _ = _group_of(seed, number)
    family, _ = _kind_of(seeded(seed, group))
    return family.split


def _kind_of(r: random.Random) -> tuple[Family, str]:
    """A group's kind: the first thing that is drawn for it."""
    return r.choice(KINDS)


def form_of(seed: int, group: str, family: Family, kind: str) -> Form:
    """The shape that all products of a variant group have."""
    r = seeded(seed, group, "form")
    form = Form()
    family.draw(form, shape_of(kind), r)
    if r.random() < _EMBLEM_SHARE:
        _add_emblem(form, r)
    _vary(form, r)
    return form


def _group_of(seed: int, number: int) -> tuple[str, int]:
    """The group of a number, and which of its variants it is, from 0."""
    block, place = divmod(number, BLOCK)
    r = seeded(seed, "block", block)
    index = start = 0
    while True:
        size = min(r.randint(1, MAX_VARIANTS), BLOCK - start)
        if place < start + size:
            return f"g-{block:06d}-{index}", place - start
        start += size
        index += 1


def _vary(form: Form, r: random.Random) -> None:
    """Stretch, taper and bend the whole shape a little, so that no two of a kind have the same proportions."""
    stretch, taper, bend = r.uniform(0.85, 1.18), r.uniform(-0.12, 0.12), r.uniform(-0.06, 0.06)
    points = np.concatenate([part.outline for part in form.parts])
    x, y = points[:, 0], points[:, 1]
    points[:, 0] = x * stretch * (1 + taper * y) + bend * (1 - y * y)
    start = 0
    for index, part in enumerate(form.parts):
        end = start + len(part.outline)
        form.parts[index] = Part(points[start:end], part.role)
        start = end


def _add_emblem(form: Form, r: random.Random) -> None:
    """Put a sign on the largest part of the first colour, where nothing else covers it."""
    name = r.choice(("star", "heart", "flower", "moon", "diamond", "lightning bolt"))
    count, scale = r.choice((5, 6, 8)), r.uniform(0.2, 0.3)
    candidates = [(index, part.outline) for index, part in enumerate(form.parts) if part.role is Role.MAIN]
    index, outline = max(candidates, key=lambda found: _area(found[1]), default=(-1, None))
    if outline is None:
        return
    (left, top), (right, bottom) = outline.min(axis=0), outline.max(axis=0)
    x, y, size = (left + right) / 2, (top + bottom) / 2, scale * min(right - left, bottom - top)
    if _area(outline) < 0.55 * (right - left) * (bottom - top) or size < 0.1:
        return
    later = (part.outline for part in form.parts[index + 1 :])
    if any(_overlaps(other, x, y, size) for other in later):
        return
    emblem: dict[str, Outline] = {
        "star": star(x, y, size, count),
        "heart": heart(x, y, size),
        "flower": petals(x, y, size, count),
        "moon": crescent(x, y, size, 0.3),
        "diamond": regular(x, y, size, 4),
        "lightning bolt": polygon(
            (x + 0.2 * size, y - size),
            (x - 0.6 * size, y + 0.15 * size),
            (x, y + 0.15 * size),
            (x - 0.2 * size, y + size),
            (x + 0.6 * size, y - 0.2 * size),
            (x, y - 0.2 * size),
        ),
    }
    form.parts.insert(index + 1, Part(emblem[name], Role.ACCENT))
    form.features.insert(0, f"with a {name}")


def _area(outline: Outline) -> float:
    x, y = outline[:, 0], outline[:, 1]
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def _overlaps(outline: Outline, x: float, y: float, size: float) -> bool:
    (left, top), (right, bottom) = outline.min(axis=0), outline.max(axis=0)
    return bool(left < x + size and right > x - size and top < y + size and bottom > y - size)
