"""All that a person should look at in a catalog that was just indexed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from embedder.catalogs.product import Rejection
from embedder.encoder import Encoder
from embedder.recognition.category_model import QueryModel
from embedder.recognition.neighbor_vote import NEIGHBORS
from indexer.quality.duplicates import Duplicates
from indexer.quality.look_alikes import LookAlikes, find_look_alikes
from indexer.quality.mislabelled import Suspect, find_mislabelled
from indexer.quality.nearest import fair_sample, nearest_products
from indexer.quality.opinions import judge_pictures
from indexer.quality.roll import Enrolled, ProductRoll
from indexer.quality.small_pictures import TinyPictures, find_tiny
from indexer.quality.title_words import judge_titles
from indexer.quality.unfound import Search, search_products

MOST_JUDGED = 100_000
"""Products whose category is judged; of more a fair sample, which is taken for all there are."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found; products are places in the catalog's order.

    Attributes:
        products, pictures: indexed.
        duplicates: what shows the same.
        rejected_pictures: why pictures could not be read, with how many.
        rejections: some of them.
        tiny: pictures with a short side.
        judged: how many products' categories were judged; 0: none have one.
        suspects: products whose category looks wrong; they and `look_alikes` hold numbers of `categories`.
        look_alikes: categories that look the same.
        search: what queries find.
        categories: the catalog's, sorted.
        words: of all products that are named in any of these.
    """

    products: int
    pictures: int
    duplicates: Duplicates
    rejected_pictures: Mapping[str, int]
    rejections: Sequence[Rejection]
    tiny: TinyPictures
    judged: int
    suspects: Sequence[Suspect]
    look_alikes: Sequence[LookAlikes]
    search: Search
    categories: Sequence[str]
    words: Mapping[int, Enrolled]


def inspect_catalog(
    encoder: Encoder,
    roll: ProductRoll,
    duplicates: Duplicates,
    views: Mapping[str, npt.NDArray[np.float32]],
    categories: Sequence[str],
    model: QueryModel | None,
) -> Inspection:
    """Look at everything that was indexed.

    Args:
        encoder: that embedded it.
        roll: all products, 1 or more.
        duplicates: among them.
        views: index vectors of views of some of them, float32 (dim,), by id: these are asked for.
        categories: of all products, sorted.
        model: how pictures' categories are judged; None: they are not, as where there are none.
    """
    owners = duplicates.owners(len(roll))
    search = search_products(encoder, views, roll, owners)
    tiny = find_tiny(roll)
    judged, suspects, look_alikes = _judge(encoder, roll, owners, categories, model)
    named = {place for found in duplicates.sets for place in found.members}
    named |= {place for shared in duplicates.placeholders for place in shared[:10]}
    named |= {place for item in suspects for place in (item.place, item.like) if place is not None}
    named |= {item.place for item in search.unfound}
    named |= {item.place for item in tiny.named}
    named |= {place for pair in look_alikes for place in pair.examples}
    return Inspection(
        len(roll),
        int(roll.counts.sum()),
        duplicates,
        dict(roll.rejected_pictures),
        roll.rejections,
        tiny,
        judged,
        suspects,
        look_alikes,
        search,
        categories,
        roll.words_at(named),
    )


def _judge(
    encoder: Encoder,
    roll: ProductRoll,
    owners: npt.NDArray[np.intp],
    categories: Sequence[str],
    model: QueryModel | None,
) -> tuple[int, list[Suspect], list[LookAlikes]]:
    """How many products' categories were judged; which look wrong; which look the same."""
    if model is None or len(categories) < 2:
        return 0, [], []
    chosen = fair_sample(len(roll), MOST_JUDGED)
    titles, labels = _titles_and_labels(roll, chosen, categories)
    by_title = judge_titles(titles, labels, owners[chosen], len(categories))
    vectors = roll.vectors()
    main = vectors[roll.firsts[chosen]] if len(chosen) < len(vectors) else vectors
    near = nearest_products(main, encoder.space, owners[chosen], NEIGHBORS)
    by_picture = judge_pictures(encoder, model, categories, main, near, labels, by_title.top)
    suspects = find_mislabelled(labels, by_picture, by_title)
    pairs = find_look_alikes(labels, by_picture.top, [item.place for item in suspects])
    return (
        int((labels >= 0).sum()),
        [
            replace(item, place=int(chosen[item.place]), like=None if item.like is None else int(chosen[item.like]))
            for item in suspects
        ],
        [replace(item, examples=tuple(int(chosen[place]) for place in item.examples)) for item in pairs],
    )


def _titles_and_labels(
    roll: ProductRoll, chosen: npt.NDArray[np.intp], categories: Sequence[str]
) -> tuple[list[str], npt.NDArray[np.intp]]:
    numbers = {category: number for number, category in enumerate(categories)}
    wanted: Collection[int] = set(chosen.tolist())
    words = [item for place, item in enumerate(roll.words()) if place in wanted]
    return [item.title for item in words], np.asarray([numbers.get(item.category or "", -1) for item in words])
