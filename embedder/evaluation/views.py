"""Whether a photo finds the very product: the catalog's own pictures, perturbed, searched among all of its products.

No labels are needed: the product that a picture was made from is the one to find.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from embedder.encoder import Encoder
from embedder.errors import PictureError, SettingsError
from embedder.evaluation.embedding import BATCH, picture_queries, picture_vectors
from embedder.evaluation.gallery import Gallery, Recall
from embedder.inputs.pixels import PixelReader, map_ahead
from embedder.inputs.street_views import KINDS, in_view_size, street_view
from embedder.setting_names import nearest

_log = logging.getLogger(__name__)

MAX_QUERIES = 1_000
"""Most products whose pictures are perturbed: an error of 1.6 points at the most."""


@dataclass(frozen=True, slots=True)
class ViewFigures:
    """What was found by photos.

    Attributes:
        kinds: by the kind of view, in the order of `KINDS`; the queries are one photo of each product's main picture.
        unchanged: the same pictures as the catalog has them. Below 1 where products share a picture.
        other_picture: each further picture of the same products, among the main pictures; None where they have none.
        products, pictures: how many are searched.
        also_learnt: kinds that this model's training showed it besides those that all trainings show.
        by_product: of each product that was looked for, by id, how likely it was the first and among the first ten, for
            each of `kinds` in order.
    """

    kinds: Mapping[str, Recall]
    unchanged: Recall
    other_picture: Recall | None
    products: int
    pictures: int
    also_learnt: frozenset[str] = frozenset()
    by_product: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)

    def of_training(self, used: bool) -> dict[str, Recall]:
        """The kinds that are used in training, or those that never are."""
        learnt = {name for name, kind in KINDS.items() if kind.in_training} | self.also_learnt
        return {name: recall for name, recall in self.kinds.items() if (name in learnt) is used}

    def to_figures(self) -> dict[str, float]:
        """By name: `views.KIND.recall_at_1`/`_10`, the means of both groups of kinds, sizes."""
        figures: dict[str, float] = {}
        rows = dict(self.kinds)
        for name, used in (("used_in_training", True), ("never_used_in_training", False)):
            if group := self.of_training(used):
                rows[name] = mean_recall(group.values())
        rows["unchanged"] = self.unchanged
        if self.other_picture is not None:
            rows["other_picture"] = self.other_picture
            figures["views.other_picture.queries"] = self.other_picture.queries
        for name, recall in rows.items():
            figures |= {f"views.{name}.recall_at_1": recall.at_1, f"views.{name}.recall_at_10": recall.at_10}
        return figures | {
            "views.queries": self.unchanged.queries,
            "views.gallery_products": self.products,
            "views.gallery_pictures": self.pictures,
        }


def mean_recall(recalls: Iterable[Recall]) -> Recall:
    """The mean over kinds, each counted once; the queries are added up. One kind or more."""
    each = list(recalls)
    return Recall(
        float(np.mean([recall.at_1 for recall in each])),
        float(np.mean([recall.at_10 for recall in each])),
        sum(recall.queries for recall in each),
    )


def checked_kinds(names: Sequence[str]) -> tuple[str, ...]:
    """The kinds of those names, each once, in the order of `KINDS`; all where none is named.

    Raises:
        SettingsError: a name that is not a kind's.
    """
    for name in names:
        if name not in KINDS:
            raise SettingsError(f"view kind {name!r}; {nearest(name, KINDS)}")
    return tuple(name for name in KINDS if not names or name in names)


def measure_views(
    encoder: Encoder,
    gallery: Gallery,
    places: Sequence[int],
    kinds: Sequence[str],
    *,
    seed: int,
    reader: PixelReader,
    decode_threads: int = 2,
    on_progress: Callable[[int], None] = lambda done: None,
) -> ViewFigures | None:
    """Perturb the main pictures of some of the gallery's products, and search for the products.

    Each picture is decoded once for all kinds.

    Args:
        encoder: the model.
        gallery: all products, those to find among them, with their pictures as they are.
        places: which of its products to find; the first `MAX_QUERIES` are.
        kinds: of views, 1 or more.
        seed: with a product's id it decides what is drawn.
        reader: decodes and preprocesses, for this model.
        decode_threads: how many pictures are decoded and perturbed at once, 1 or more.
        on_progress: called with the number of pictures done since the last call.

    Returns:
        The figures; None where there is no product to find.
    """
    chances: list[npt.NDArray[np.float64]] = []
    looked_for: list[str] = []
    with closing(_read_views(gallery, places[:MAX_QUERIES], kinds, seed, reader, decode_threads)) as views:
        for batch in _batches(views, max(1, BATCH // len(kinds)), on_progress):
            pixels = np.concatenate([pixels for _, pixels in batch])
            wanted = np.repeat(np.asarray([place for place, _ in batch], dtype=np.intp), len(kinds))
            queries = picture_queries(encoder, picture_vectors(encoder, pixels))
            chances.append(gallery.chances(queries, wanted).reshape(len(batch), len(kinds), -1))
            looked_for += [gallery.products[place].id for place, _ in batch]
    if not chances:
        return None
    found = np.concatenate(chances)
    means, wanted = found.mean(axis=0), np.asarray(places[:MAX_QUERIES], dtype=np.intp)
    main = gallery.main_pictures()
    return ViewFigures(
        {kind: Recall(float(means[row, 0]), float(means[row, 1]), len(found)) for row, kind in enumerate(kinds)},
        gallery.recall(picture_queries(encoder, main.vectors[wanted]), wanted),
        _other_pictures(encoder, gallery, main, wanted),
        len(gallery.products),
        len(gallery.vectors),
        frozenset(encoder.info.training.get("tuning", {}).get("view_kinds", ())),
        {
            product_id: tuple((float(at_1), float(at_10)) for at_1, at_10 in of_kinds)
            for product_id, of_kinds in zip(looked_for, found, strict=True)
        },
    )


def view_seed(seed: int, product_id: str) -> int:
    """A seed of a product's own, so that its views do not depend on which other products there are."""
    digest = hashlib.sha256(f"{seed} ".encode() + product_id.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big")


_Views = tuple[int, npt.NDArray[np.float32] | None]
"""A product's place and its views, float32 (kinds, 3, height, width); None: its picture cannot be read any more."""


def _read_views(
    gallery: Gallery, places: Sequence[int], kinds: Sequence[str], seed: int, reader: PixelReader, threads: int
) -> Generator[_Views, None, None]:
    def views_of(place: int) -> _Views:
        product = gallery.products[place]
        try:
            image = in_view_size(reader.decode(product.pictures[0].source).image)
        except PictureError as error:
            _log.warning("product %s left out: %s", product.id, error)
            return place, None
        own = view_seed(seed, product.id)
        return place, reader.preprocessing.apply([street_view(image, kind, own) for kind in kinds])

    return map_ahead(views_of, places, threads, max(1, reader.ahead // len(kinds)))


def _batches(
    views: Iterable[_Views], size: int, on_progress: Callable[[int], None]
) -> Generator[list[tuple[int, npt.NDArray[np.float32]]], None, None]:
    """Products whose picture was read, `size` of them at a time."""
    batch: list[tuple[int, npt.NDArray[np.float32]]] = []
    for place, pixels in views:
        on_progress(1)
        if pixels is not None:
            batch.append((place, pixels))
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _other_pictures(encoder: Encoder, gallery: Gallery, main: Gallery, wanted: npt.NDArray[np.intp]) -> Recall | None:
    owners = gallery.owners()
    further = np.isin(owners, wanted)
    further[gallery.firsts] = False
    if not further.any():
        return None
    return main.recall(picture_queries(encoder, gallery.vectors[further]), owners[further])
