"""The retention suite: pictures and words that no shop brought, and how well a model finds its way among them.

Fine-tuning on a catalog is meant to change what a model knows of that catalog, and nothing else. A model that is worse
here than its base has forgotten something.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from PIL import Image

from embedder.evaluation.gallery import chances
from embedder.inputs.preprocess import Preprocessing
from embedder.instance_map import standardize_levels
from embedder.training.retention.figures import RetentionFigures
from embedder.training.retention.measured_model import MeasuredModel
from embedder.training.retention.parts import Part, sketch_part, studio_part
from embedder.training.retention.rephrasings import Rephrasings, rephrase_names

SIZE = 240
"""How many things are shown where nothing else is said; each in two pictures."""

MIN_SIZE = 8

BATCH, TEXT_BATCH = 32, 64


class RetentionSuite:
    """The same pictures and words for every model; they are drawn once, and scaled once for each preprocessing.

    Attributes:
        parts: the pictures.
        rephrasings: the words.
    """

    def __init__(self, parts: Sequence[Part], rephrasings: Rephrasings) -> None:
        self.parts = tuple(parts)
        self.rephrasings = rephrasings
        self._scaled: tuple[Preprocessing, npt.NDArray[np.uint8]] | None = None

    @classmethod
    def drawn(cls, size: int = SIZE, *, with_studio: bool = True, leave_out: Collection[str] = ()) -> Self:
        """Draw it: a few seconds; the same arguments give the same suite.

        Args:
            size: how many things are shown, `MIN_SIZE` to 2,000. Fewer cost less and tell less: below about 100 nearly
                every view finds its picture by the levels, and one query more or less is a point.
            with_studio: whether half of them are products of the studio. Not where the catalog is the studio itself:
                what is learnt of it would make up for what is lost.
            leave_out: categories that the shop's catalog has, for the same reason: "home/wall_clocks", "wall clock".
        """
        if not MIN_SIZE <= size <= 2000:
            raise ValueError(f"retention suite of {size} things; permitted: {MIN_SIZE} to 2000")
        parts = [sketch_part(size // 2 if with_studio else size, leave_out)]
        if with_studio:
            parts.append(studio_part(size - size // 2, leave_out))
        return cls(parts, rephrase_names(size))

    @property
    def pictures(self) -> int:
        """How many pictures go through the image tower of each model measured."""
        return sum(len(part.pictures) + len(part.views) for part in self.parts)

    def measure(self, model: MeasuredModel) -> RetentionFigures:
        """Look for everything in the suite.

        Of what is equally near each is as likely as another: a model that maps everything to one vector finds nothing.
        """
        parts = [_EmbeddedPart.of(part, *rows) for part, rows in zip(self.parts, self._embed(model), strict=True)]
        text = np.concatenate([_text_chances(embedded, model) for embedded in parts]).mean(axis=0)
        image = np.concatenate([_own_chances(embedded.views, embedded.pictures) for embedded in parts])
        levels = _standardized(parts, model.level_widths)
        return RetentionFigures(
            float(text[0]),
            float(text[1]),
            float(self._wording_chances(model)[:, 0].mean()),
            float(image[:, 0].mean()),
            None if levels is None else float(np.concatenate([_own_chances(*pair) for pair in levels])[:, 0].mean()),
        )

    def pixels(self, preprocessing: Preprocessing, batch_size: int = BATCH) -> Iterator[npt.NDArray[np.float32]]:
        """All pictures as `preprocessing` makes them: of each part the pictures, then the views.

        What is kept is their scaled form of the last preprocessing asked for, one byte a value.
        """
        if self._scaled is None or self._scaled[0] != preprocessing:
            images = [image for part in self.parts for image in (*part.pictures, *part.views)]
            self._scaled = (preprocessing, _scale(preprocessing, images))
        scaled = self._scaled[1]
        for start in range(0, len(scaled), batch_size):
            # Of pictures that have the tower's size already, `apply` leaves the pixels as they are.
            yield preprocessing.apply([Image.fromarray(row) for row in scaled[start : start + batch_size]])

    def _embed(self, model: MeasuredModel) -> Iterator[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32] | None]]:
        """Semantic embeddings and levels of each part's pictures and views, one after the other."""
        runs = [model.embed_pixels(pixels) for pixels in self.pixels(model.preprocessing)]
        semantic = np.concatenate([found for found, _ in runs])
        given = [levels for _, levels in runs if levels is not None]
        levels = np.concatenate(given) if given and model.level_widths else None
        start = 0
        for part in self.parts:
            rows = slice(start, start + 2 * len(part.pictures))
            yield semantic[rows], None if levels is None else levels[rows]
            start = rows.stop

    def _wording_chances(self, model: MeasuredModel) -> npt.NDArray[np.float64]:
        names = _embed_texts(model, self.rephrasings.names)
        queries = _embed_texts(model, self.rephrasings.queries)
        return chances(queries @ names.T, self.rephrasings.owners)


@dataclass(frozen=True, slots=True, eq=False)
class _EmbeddedPart:
    """A part's pictures and views, semantic and levels."""

    part: Part
    pictures: npt.NDArray[np.float32]
    views: npt.NDArray[np.float32]
    picture_levels: npt.NDArray[np.float32] | None
    view_levels: npt.NDArray[np.float32] | None

    @classmethod
    def of(cls, part: Part, semantic: npt.NDArray[np.float32], levels: npt.NDArray[np.float32] | None) -> Self:
        count = len(part.pictures)
        split = (None, None) if levels is None else (levels[:count], levels[count:])
        return cls(part, semantic[:count], semantic[count:], *split)


def _text_chances(embedded: _EmbeddedPart, model: MeasuredModel) -> npt.NDArray[np.float64]:
    """Each title among the pictures, then among the views; a title is as near as the nearest of its pictures."""
    part = embedded.part
    texts = _embed_texts(model, part.titles)
    firsts = np.searchsorted(part.owners, np.arange(len(part.titles)))
    own = np.arange(len(part.titles))
    return np.concatenate(
        [
            chances(np.maximum.reduceat(texts @ shown.T, firsts, axis=1), own)
            for shown in (embedded.pictures, embedded.views)
        ]
    )


def _own_chances(views: npt.NDArray[np.float32], pictures: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    return chances(views @ pictures.T, np.arange(len(pictures)))


def _standardized(
    parts: Sequence[_EmbeddedPart], widths: Sequence[int]
) -> list[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]] | None:
    """Levels of the views and of the pictures; with each level of length 1, their product is the sum of the cosines."""
    pictures = [part.picture_levels for part in parts if part.picture_levels is not None]
    views = [part.view_levels for part in parts if part.view_levels is not None]
    if not pictures:
        return None
    center = np.concatenate(pictures).mean(axis=0, dtype=np.float64).astype(np.float32)
    return [
        (standardize_levels(shown, tuple(widths), center), standardize_levels(picture, tuple(widths), center))
        for shown, picture in zip(views, pictures, strict=True)
    ]


def _embed_texts(model: MeasuredModel, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """In batches of texts that are about as long: a batch is as wide as its longest text."""
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    found = [
        model.embed_texts([texts[place] for place in order[start : start + TEXT_BATCH]])
        for start in range(0, len(order), TEXT_BATCH)
    ]
    return np.concatenate(found)[np.argsort(order)]


def _scale(preprocessing: Preprocessing, images: Sequence[Image.Image]) -> npt.NDArray[np.uint8]:
    """Pictures scaled and cropped to the tower's size, uint8 (n, height, width, 3)."""
    mean, std = (
        np.asarray(values, dtype=np.float32)[:, None, None] for values in (preprocessing.mean, preprocessing.std)
    )
    scaled = np.empty((len(images), *preprocessing.size, 3), dtype=np.uint8)
    for row, image in zip(scaled, images, strict=True):
        pixels = preprocessing.apply([image])[0] * std + mean
        row[...] = np.rint(pixels * 255).clip(0, 255).transpose(1, 2, 0)
    return scaled
