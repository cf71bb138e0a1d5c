"""Decoded pictures to the pixel batches that the image tower takes, without torch.

Follows `open_clip.transform.image_transform` (evaluation branch) step by step; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from embedder.inputs.picture import Box

ResizeMode = Literal["shortest", "longest", "squash"]

_LONG = 64
"""Above this ratio of the sides, only what the crop keeps is scaled: a single row of 30,000 pixels, scaled whole to 224
rows, would be 1.5 billion pixels."""

REDUCING_GAP = 4.0
"""A large picture is first averaged over whole blocks of pixels, down to no less than this many times the size that it
is needed in: a third of the time for 12 megapixels. Least cosine of 352 index vectors with those of scaling in one go:
0.997, of 99 in 100 at least 0.999 (RESULTS.md)."""

LARGE = 1 << 20
"""Pixels from which on a picture is scaled in these two steps; smaller ones are scaled exactly as open_clip does it."""

_FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a picture becomes pixels; open_clip's `preprocess_cfg`.

    Attributes:
        size: (height, width) of the tower's input, pixels.
        mean, std: per channel, of values scaled to 0..1.
        interpolation: "bicubic" or "bilinear".
        resize_mode: "shortest" (scale the shorter side, crop the centre), "longest" (scale the longer side, pad),
            "squash" (scale both sides, nothing is lost and nothing added).
        fill_color: 0..255, what "longest" pads with.
    """

    size: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: str = "bicubic"
    resize_mode: ResizeMode = "shortest"
    fill_color: int = 0

    def __post_init__(self) -> None:
        if min(self.size) < 1:
            raise ValueError(f"image size {self.size}; permitted: 1 x 1 or more")
        if self.interpolation not in _FILTERS:
            raise ValueError(f"interpolation {self.interpolation!r}; permitted: {', '.join(_FILTERS)}")
        if self.resize_mode not in ("shortest", "longest", "squash"):
            raise ValueError(f"resize mode {self.resize_mode!r}; permitted: shortest, longest, squash")

    @classmethod
    def from_open_clip(cls, config: Mapping[str, Any]) -> Preprocessing:
        """Read open_clip's `preprocess_cfg` (with `size` an int or a pair)."""
        size = config["size"]
        height, width = (size, size) if isinstance(size, int) else size
        return cls(
            size=(int(height), int(width)),
            mean=_triple(config["mean"]),
            std=_triple(config["std"]),
            # open_clip's "random" is a training setting; it evaluates with bicubic.
            interpolation="bilinear" if config.get("interpolation") == "bilinear" else "bicubic",
            resize_mode=config.get("resize_mode") or "shortest",
            fill_color=int(config.get("fill_color", 0)),
        )

    def to_open_clip(self) -> dict[str, Any]:
        """The same as open_clip's `preprocess_cfg`, JSON-able."""
        return {**asdict(self), "size": list(self.size), "mean": list(self.mean), "std": list(self.std)}

    def apply(
        self, images: Sequence[Image.Image], boxes: Sequence[Box | None] | None = None
    ) -> npt.NDArray[np.float32]:
        """Turn RGB pictures into one batch.

        Args:
            images: n pictures of mode RGB, any size.
            boxes: what the pictures take of the images, n of them (see `DecodedPicture.box`); None: all.

        Returns:
            float32 (n, 3, height, width), normalized per channel.
        """
        height, width = self.size
        batch = np.empty((len(images), 3, height, width), dtype=np.float32)
        for row, image, box in zip(batch, images, boxes or [None] * len(images), strict=True):
            row[...] = np.asarray(self.resize(image, box)).transpose(2, 0, 1)
        batch /= 255.0
        batch -= np.asarray(self.mean, dtype=np.float32)[:, None, None]
        batch /= np.asarray(self.std, dtype=np.float32)[:, None, None]
        return batch

    def to_bytes(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
        """The pixels of a batch as they were before `apply` normalized them, uint8 (n, 3, height, width)."""
        std, mean = (np.asarray(values, dtype=np.float32)[:, None, None] for values in (self.std, self.mean))
        return np.asarray(np.clip(np.rint((batch * std + mean) * 255.0), 0, 255), dtype=np.uint8)

    def resize(self, image: Image.Image, box: Box | None = None) -> Image.Image:
        """An RGB picture of any size as the tower's input shows it: scaled, cropped or padded.

        Args:
            image: the picture.
            box: what it takes of the image; see `DecodedPicture.box`.
        """
        height, width = self.size
        resample = _FILTERS[self.interpolation]
        box = box or (0, 0, *image.size)
        # As of the whole picture: a reduced scale is a power of two, by which nothing is rounded.
        shown = (box[2] - box[0], box[3] - box[1])
        if self.resize_mode == "squash":
            size = (width, height)
        elif self.resize_mode == "shortest" and max(shown) > _LONG * min(shown):
            return self._scaled_center(image)
        elif self.resize_mode == "shortest" and height == width:
            size = _shorter_side_size(*shown, height)
        else:
            ratios = (shown[1] / height, shown[0] / width)
            ratio = max(ratios) if self.resize_mode == "longest" else min(ratios)
            # open_clip's non-square "shortest" ignores the configured filter and takes bicubic.
            resample = resample if self.resize_mode == "longest" else Image.Resampling.BICUBIC
            size = (max(1, round(shown[0] / ratio)), max(1, round(shown[1] / ratio)))
        if shown == size:
            scaled = image
        else:
            scaled = image.resize(size, resample, box, REDUCING_GAP if image.width * image.height >= LARGE else None)
        return _center(scaled, height, width, self.fill_color if self.resize_mode == "longest" else 0)

    def _scaled_center(self, image: Image.Image) -> Image.Image:
        """The centre of a long, narrow picture, at the positions that scaling all of it and cropping would give."""
        height, width = self.size
        if height == width:
            resample = _FILTERS[self.interpolation]
            scaled = _shorter_side_size(*image.size, height)
        else:
            resample = Image.Resampling.BICUBIC
            ratio = min(image.height / height, image.width / width)
            scaled = (max(width, round(image.width / ratio)), max(height, round(image.height / ratio)))
        columns, rows = _span(image.width, scaled[0], width), _span(image.height, scaled[1], height)
        part = image.crop((columns.first, rows.first, columns.last, rows.last))
        size = (columns.computed[1] - columns.computed[0], rows.computed[1] - rows.computed[0])
        x, y = columns.box(), rows.box()
        computed = part.resize(size, resample, box=(x[0], y[0], x[1], y[1]))
        left, top = columns.kept - columns.computed[0], rows.kept - rows.computed[0]
        return computed.crop((left, top, left + width, top + height))


@dataclass(frozen=True, slots=True)
class _Span:
    """One side of a long picture: which of its pixels are used, and which scaled ones are computed and kept.

    Attributes:
        first, last: pixels of the picture, `last` excluded.
        computed: scaled pixels, the second excluded: the kept ones, and what the filter would smear over its ends.
        kept: the first scaled pixel that is kept.
        step: pixels of the picture for each scaled one.
    """

    first: int
    last: int
    computed: tuple[int, int]
    kept: int
    step: float

    def box(self) -> tuple[float, float]:
        """Where the computed pixels come from, counted from `first`."""
        begin, end = (position * self.step - self.first for position in self.computed)
        return begin, min(end, self.last - self.first)


def _span(length: int, scaled: int, kept: int) -> _Span:
    begin, step = round((scaled - kept) / 2.0), length / scaled
    reach = 3 * (scaled // length + 1)
    computed = (max(0, begin - reach), min(scaled, begin + kept + reach))
    margin = 3 * (length // scaled + 1)
    first, last = int(computed[0] * step) - margin, int(computed[1] * step) + 1 + margin
    return _Span(max(0, first), min(length, last), computed, begin, step)


def _triple(values: float | Sequence[float]) -> tuple[float, float, float]:
    if isinstance(values, int | float):
        return (float(values),) * 3
    red, green, blue = values
    return (float(red), float(green), float(blue))


def _shorter_side_size(width: float, height: float, side: int) -> tuple[int, int]:
    short, long = sorted((width, height))
    other = int(side * long / short)
    return (side, other) if width <= height else (other, side)


def _center(image: Image.Image, height: int, width: int, fill: int) -> Image.Image:
    """Crop the centre out; where the picture is smaller than the box, pad it first, the odd pixel at right/bottom."""
    pad_x, pad_y = max(0, width - image.width), max(0, height - image.height)
    if pad_x or pad_y:
        padded = Image.new("RGB", (image.width + pad_x, image.height + pad_y), (fill, fill, fill))
        padded.paste(image, (pad_x // 2, pad_y // 2))
        image = padded
    left, top = round((image.width - width) / 2.0), round((image.height - height) / 2.0)
    return image.crop((left, top, left + width, top + height))
