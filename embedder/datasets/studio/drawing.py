"""Drawing a product by a hand."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from embedder.datasets.studio.hands import Hand
from embedder.datasets.studio.items import StudioItem, form_of
from embedder.datasets.studio.materials import FINISH_OF, GLOSS, clouds, grain, hatching, piece
from embedder.datasets.studio.palette import PALETTE, Color, mixed, shifted
from embedder.datasets.studio.patterns import Grid, pattern_mask
from embedder.datasets.studio.shapes.form import Part, Role

SIDE = 224
"""Width and height of a picture, pixels."""

_FINE = 2 * SIDE
_COARSE = 4
_DARK: Color = (44, 42, 46)
_LIGHT: Color = (238, 238, 232)
_METAL: Color = (176, 178, 184)
_ANY_ROLE = [0] + [255] * 255
_MAIN_ONLY = [255 * (value == Role.MAIN) for value in range(256)]


def draw_item(item: StudioItem, hand: Hand, r: random.Random) -> Image.Image:
    """Draw a product.

    Args:
        item: which.
        hand: how.
        r: the picture's own source of randomness; the same state gives the same picture.

    Returns:
        RGB, `SIDE` pixels a side.
    """
    form = form_of(item.seed, item.group, item.family, item.kind)
    placement = _Placement.draw(form.parts, hand, r)
    points = placement.apply(np.concatenate([part.outline for part in form.parts]))
    outlines = np.split(points, np.cumsum([len(part.outline) for part in form.parts])[:-1])
    roles, edges = _rasterized(form.parts, outlines, hand, r)
    colors = _colors(item, hand, r)
    picture = _ground(hand, r)
    silhouette = roles.point(_ANY_ROLE, "L").reduce(2)
    if hand.shadow:
        _cast_shadow(picture, silhouette, hand)
    roles.putpalette([*colors[Role.MAIN], *(value for role in Role for value in colors[role])])
    painted = roles.convert("RGB").reduce(2)
    main = roles.point(_MAIN_ONLY, "L").reduce(2)
    mask = pattern_mask(item.pattern, *placement.pattern_place(item.repeat))
    if mask is not None:
        painted.paste(colors[Role.SECOND], mask=ImageChops.multiply(main, Image.fromarray(mask)))
    if hand.fill == "shaded":
        texture = piece(grain(FINISH_OF[item.material]), r.random(), r.random(), SIDE)
        # Only the first colour's parts are of the material.
        texture = ImageChops.lighter(texture, ImageChops.invert(main))
        painted = _lit(painted, texture, silhouette, hand, GLOSS[FINISH_OF[item.material]])
    picture.paste(painted, mask=_coverage(silhouette, hand, r))
    if hand.ink_width:
        ink = mixed(colors[Role.MAIN], (0, 0, 0), 0.65) if hand.ink is None else hand.ink
        picture.paste(ink, mask=edges.reduce(2).point(_scaled(hand.ink_strength)))
    return picture


@dataclass(frozen=True, slots=True, eq=False)
class _Placement:
    """Where a product is in a picture: outlines to pixels of the fine raster.

    Attributes:
        matrix: float64 (2, 2).
        middle: of the product, in outlines' units.
        target: where the middle goes, in fine pixels.
        unit: half the product's size, in outlines' units.
    """

    matrix: npt.NDArray[np.float64]
    middle: npt.NDArray[np.float64]
    target: npt.NDArray[np.float64]
    unit: float

    @classmethod
    def draw(cls, parts: list[Part], hand: Hand, r: random.Random) -> _Placement:
        lows = np.min([part.outline.min(axis=0) for part in parts], axis=0)
        highs = np.max([part.outline.max(axis=0) for part in parts], axis=0)
        unit = float((highs - lows).max()) / 2
        scale = r.uniform(*hand.size) * _FINE / (2 * unit)
        stretch, tilt = math.sqrt(r.uniform(*hand.stretch)), math.radians(r.uniform(-hand.tilt, hand.tilt))
        slant = r.uniform(-hand.slant, hand.slant)
        flip = -1.0 if r.random() < hand.mirrored else 1.0
        turn = np.array([[math.cos(tilt), -math.sin(tilt)], [math.sin(tilt), math.cos(tilt)]])
        shape = np.array([[flip * stretch, slant], [0.0, 1 / stretch]])
        shift = np.array([r.uniform(-hand.shift, hand.shift), r.uniform(-hand.shift, hand.shift)])
        return cls(scale * turn @ shape, (lows + highs) / 2, _FINE * (0.5 + shift), unit)

    def apply(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return (points - self.middle) @ self.matrix.T + self.target

    def pattern_place(self, repeat: float) -> tuple[Grid, Grid]:
        """Where each pixel of the picture is on the product, in repeats of its pattern."""
        back = np.linalg.inv(self.matrix) / (2 * self.unit * repeat)
        # Pixel centers, on the fine raster.
        ticks = (np.arange(SIDE, dtype=np.float32) + np.float32(0.5)) * np.float32(_FINE / SIDE)
        x, y = ticks - np.float32(self.target[0]), ticks - np.float32(self.target[1])
        u = np.float32(back[0, 0]) * x[None, :] + np.float32(back[0, 1]) * y[:, None]
        v = np.float32(back[1, 0]) * x[None, :] + np.float32(back[1, 1]) * y[:, None]
        return u, v


def _rasterized(
    parts: list[Part], outlines: list[npt.NDArray[np.float64]], hand: Hand, r: random.Random
) -> tuple[Image.Image, Image.Image]:
    """Each pixel's role (0: none; mode P), and the outlines that are not covered (mode L); `_FINE` a side."""
    roles, edges = Image.new("P", (_FINE, _FINE)), Image.new("L", (_FINE, _FINE))
    fill, line = ImageDraw.Draw(roles), ImageDraw.Draw(edges)
    noise = np.random.RandomState(r.getrandbits(32)) if hand.wobble else None
    for part, outline in zip(parts, outlines, strict=True):
        drawn = outline if noise is None else _strayed(outline, hand.wobble, noise)
        corners = drawn.ravel().tolist()
        fill.polygon(corners, fill=int(part.role))
        if hand.ink_width:
            line.polygon(corners, fill=0)
            line.line(corners + corners[:2], fill=255, width=hand.ink_width)
            for _ in range(hand.strokes - 1):
                again = outline if noise is None else _strayed(outline, hand.wobble, noise)
                corners = again.ravel().tolist()
                line.line(corners + corners[:2], fill=200, width=max(1, hand.ink_width - 1))
    return roles, edges


def _strayed(outline: npt.NDArray[np.float64], wobble: float, noise: np.random.RandomState) -> npt.NDArray[np.float64]:
    # Small parts stray less, or nothing would be left of their shape.
    extent = float(np.ptp(outline, axis=0).max())
    stray = noise.normal(0, wobble * min(_FINE, max(0.2 * _FINE, 2 * extent)), outline.shape)
    if len(outline) > 8:
        # Neighbouring points stray together.
        stray = (stray + np.roll(stray, 1, axis=0) + np.roll(stray, 2, axis=0)) / 2.2
    return outline + stray


def _colors(item: StudioItem, hand: Hand, r: random.Random) -> dict[Role, Color]:
    hue, saturation, brightness = r.uniform(*hand.hue), r.uniform(*hand.saturation), r.uniform(*hand.brightness)
    first, second, third = (PALETTE[name] for name in item.colors)
    catalog = {
        Role.MAIN: first,
        Role.SECOND: second,
        Role.ACCENT: third,
        Role.DARK: _DARK,
        Role.LIGHT: _LIGHT,
        Role.METAL: _METAL,
    }
    return {role: shifted(color, hue, saturation, brightness) for role, color in catalog.items()}


@cache
def _scaled(strength: float) -> list[int]:
    return [round(value * strength) for value in range(256)]


@cache
def _fading(near: Color, far: Color) -> Image.Image:
    blend = Image.linear_gradient("L").resize((SIDE, SIDE))
    return Image.composite(Image.new("RGB", (SIDE, SIDE), far), Image.new("RGB", (SIDE, SIDE), near), blend)


def _ground(hand: Hand, r: random.Random) -> Image.Image:
    kind, near, far = hand.ground
    if kind == "plain":
        return Image.new("RGB", (SIDE, SIDE), near)
    if kind == "fading":
        return _fading(near, far).copy()
    blend = piece(clouds(), r.random(), r.random(), SIDE)
    return Image.composite(Image.new("RGB", (SIDE, SIDE), far), Image.new("RGB", (SIDE, SIDE), near), blend)


def _cast_shadow(picture: Image.Image, silhouette: Image.Image, hand: Hand) -> None:
    small = silhouette.reduce(_COARSE).filter(ImageFilter.GaussianBlur(2))
    shadow = small.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    shadow = shadow.point(_scaled(hand.shadow))
    across, down = round(-10 * hand.light[0]), 6
    picture.paste((40, 40, 46), (across, down), mask=shadow)


def _lit(painted: Image.Image, texture: Image.Image, silhouette: Image.Image, hand: Hand, gloss: float) -> Image.Image:
    """Light on a body as round as its silhouette suggests."""
    height = np.asarray(silhouette.reduce(_COARSE).filter(ImageFilter.GaussianBlur(5)), dtype=np.float32) * np.float32(
        1 / 255
    )
    slope_y, slope_x = np.gradient(height)
    # Towards the light the body rises; the gradient points up the slope, away from its rim.
    facing = -(slope_x * hand.light[0] + slope_y * hand.light[1]) * 7
    shade = np.clip(0.9 + 0.45 * facing, 0.35, 1)
    glow = np.clip(facing - 0.25, 0, 1) * 0.9 * gloss + np.clip(facing, 0, 1) * 0.12
    dark, bright = (
        Image.fromarray((np.clip(values, 0, 1) * 255).astype(np.uint8)).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        for values in (shade, glow)
    )
    return ImageChops.screen(
        ImageChops.multiply(painted, ImageChops.multiply(dark, texture).convert("RGB")), bright.convert("RGB")
    )


def _coverage(silhouette: Image.Image, hand: Hand, r: random.Random) -> Image.Image:
    """How much of the ground the paint covers."""
    if hand.fill == "hatched":
        return ImageChops.multiply(silhouette, piece(hatching(), r.random(), r.random(), SIDE))
    if hand.fill == "washed":
        blotches = piece(clouds(), r.random(), r.random(), SIDE).point(
            [150 + value * 105 // 255 for value in range(256)]
        )
        return ImageChops.multiply(silhouette.filter(ImageFilter.BoxBlur(1)), blotches)
    return silhouette
