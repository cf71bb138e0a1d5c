"""What each figure of an evaluation means, in one sentence, and whether more of it is better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from embedder.inputs.street_views import KINDS


@dataclass(frozen=True, slots=True)
class Meaning:
    """A figure in a person's words.

    Attributes:
        text: what it is.
        higher_is_better: whether a larger one is a better model.
    """

    text: str
    higher_is_better: bool = True


_SEARCH = {
    "mrr": "mean of 1 / place of the first one (MRR)",
    "map_at_10": "mean average precision of the first ten (mAP@10)",
    "ndcg_at_10": "discounted gain of the first ten, as a share of the best possible (nDCG@10)",
}

MEANINGS: Mapping[str, Meaning] = MappingProxyType(
    {
        "accuracy": Meaning("share of test products whose category is recognised"),
        "precision": Meaning("of what is taken for a category, the share that belongs there; mean over categories"),
        "recall": Meaning("of a category's products, the share that is recognised; mean over categories"),
        "f1": Meaning("harmonic mean of precision and recall; mean over categories"),
        "calibration_error": Meaning("mean distance of probability and share of right answers, over 15 bins", False),
        "brier_score": Meaning("mean square of the distance of probability and being right (1) or wrong (0)", False),
        "text_to_image_recall_at_1": Meaning("share of titles whose nearest test picture has that title"),
        "text_to_image_recall_at_10": Meaning(
            "share of titles with a test picture of that title among the ten nearest"
        ),
        "title_to_product_recall_at_1": Meaning("titles among all products: share whose first hit has that title"),
        "title_to_product_recall_at_10": Meaning(
            "titles among all products: share with such a hit among the first ten"
        ),
        **{f"title_to_product_{name}": Meaning(f"titles among all products: {text}") for name, text in _SEARCH.items()},
        "image_to_image_recall_at_1": Meaning("share of pictures whose nearest product has their category"),
        "image_to_image_recall_at_10": Meaning(
            "share of pictures with a product of their category among the ten nearest"
        ),
        **{
            f"image_to_image_{name}": Meaning(f"products of a picture's category: {text}")
            for name, text in _SEARCH.items()
        },
        "category_share_at_10": Meaning("share of the ten nearest products that have the picture's category"),
    }
)
"""By the figure's name; those of views are made by `meaning_of`."""

_VIEW_COUNTS = {
    "views.queries": "test products whose pictures were shown as photos",
    "views.gallery_products": "products that these searched",
    "views.gallery_pictures": "their pictures",
    "views.other_picture.queries": "further pictures that searched",
}

_VIEW_GROUPS = {
    "all_kinds": "photos of all measured kinds, mean over kinds",
    "used_in_training": "photos of the kinds that training uses, mean over kinds",
    "never_used_in_training": "photos of the kinds that training never uses, mean over kinds",
    "unchanged": "the pictures as the catalog has them",
    "other_picture": "further pictures of the same products",
}


def meaning_of(name: str) -> Meaning:
    """What a figure means.

    Raises:
        KeyError: no figure has that name.
    """
    if name in MEANINGS:
        return MEANINGS[name]
    if name in _VIEW_COUNTS:
        return Meaning(_VIEW_COUNTS[name])
    _, kind, depth = name.split(".")
    shown = _VIEW_GROUPS[kind] if kind in _VIEW_GROUPS else f"photos, {KINDS[kind].label}"
    place = {"recall_at_1": "is the first hit", "recall_at_10": "is among the first ten"}[depth]
    return Meaning(f"{shown}: share whose very product {place}")
