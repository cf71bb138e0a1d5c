"""What both versions are asked: an operator's own queries, or the catalog's titles and photos of its products."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from embedder.encoder import Encoder
from embedder.inputs.picture import Picture
from embedder.recognition.head import Modality
from indexer.building.calibration.held_out_queries import held_out_places, partial_titles
from indexer.building.calibration.product_sample import ProductSample

_SEED = 1
"""Other words are left out than where the weights of a text query's parts were chosen (`ranking_fitting`)."""


@dataclass(frozen=True, slots=True, eq=False)
class ShadowQuery:
    """One query, of a text or of a picture.

    Attributes:
        text: what is asked in words; None: it is a picture.
        picture: the picture; None: it is a text.
        view: a photo of the picture is drawn with this seed; None: it is asked as it is.
        vector: what the new version's model makes of the picture, float32 (dim,), where that is known already.
        expected: ids of the products that are right; empty where nobody says.
    """

    text: str | None = None
    picture: Picture | None = None
    view: int | None = None
    vector: npt.NDArray[np.float32] | None = None
    expected: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if (self.text is None) == (self.picture is None):
            raise ValueError("a query of a text and a picture, or of neither; permitted: one of them")

    @property
    def kind(self) -> Modality:
        """What it is: "image" for a picture."""
        return "image" if self.text is None else "text"

    @property
    def words(self) -> tuple[str, ...]:
        """Of a text, in any case and order; none of a picture."""
        return tuple(sorted((self.text or "").casefold().split()))


def catalog_queries(
    encoder: Encoder,
    sample: ProductSample,
    views: Mapping[str, npt.NDArray[np.float32]],
    held: Collection[str],
    count: int,
) -> list[ShadowQuery]:
    """Photos of products, and titles with a word left out, each of which asks for its product, or one of that title.

    Of products that the model was not trained on, where there are enough. A whole title would find itself by its words
    in any version.

    Args:
        encoder: the new version's model.
        sample: of the products that went into it.
        views: index vectors of photos drawn of some of them, float32 (dim,), by id, the seed of each its place in the
            sample (see `ProductViews`).
        held: ids of products that the live version holds too.
        count: of each kind, at most.
    """
    pictures = sample.pictures
    places = [int(place) for place in held_out_places(encoder, sample) if sample.ids[place] in held]
    asked = [
        ShadowQuery(
            picture=pictures[sample.ids[place]],
            view=place,
            vector=views[sample.ids[place]],
            expected=frozenset({sample.ids[place]}),
        )
        for place in places
        if sample.ids[place] in views
    ][:count]
    texts, titled = partial_titles(sample, places, count, np.random.default_rng(_SEED))
    alike: dict[str, set[str]] = defaultdict(set)
    for place in places:
        alike[sample.titles[place].casefold()].add(sample.ids[place])
    return asked + [
        ShadowQuery(text=text, expected=frozenset(alike[sample.titles[place].casefold()]))
        for place, text in zip(titled, texts, strict=True)
    ]
