"""What `metrics.json` holds: one line for each value, by path.

`[]` in a path stands for each item of a list, `*` for each key of an object whose keys are names. A later release of
the same format version adds fields, and changes none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from embedder.report.rendering import GENERATOR

FORMAT = f"{GENERATOR}: metrics"
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Field:
    """One value of the file.

    Attributes:
        kind: "text", "number", "integer" or "bool"; with "or null" where it may be absent.
        meaning: what it says.
    """

    kind: str
    meaning: str


def _fields(prefix: str, fields: Mapping[str, tuple[str, str]]) -> dict[str, Field]:
    return {f"{prefix}{name}": Field(*field) for name, field in fields.items()}


_FOUND = {
    "first": ("integer", "place of the first relevant one, from 1; 0: nothing is relevant"),
    "relevant": ("integer", "how many are relevant"),
    "right[]": ("bool", "whether each of the ten nearest is relevant, nearest first"),
    "nearest[]": ("text", "their product ids"),
}

FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        **_fields(
            "",
            {
                "format": ("text", f"{FORMAT!r}"),
                "format_version": ("integer", f"{FORMAT_VERSION}; another one may have other fields"),
                "model": ("text", "as it was asked for"),
                "base": ("text", "the model that it was made from"),
                "fingerprint": ("text", "of the bundle: equal fingerprints, equal embeddings"),
                "catalog": ("text", "as it was asked for"),
                "seed": ("integer", "of everything random"),
            },
        ),
        **_fields(
            "counts.",
            {
                "test_products": ("integer", "held-out products with a readable picture: the queries"),
                "gallery_products": ("integer", "training products that are searched by picture"),
                "searched_products": ("integer", "all that are searched by title and by photo"),
                "titles": ("integer", "distinct titles of the test products"),
            },
        ),
        **_fields(
            "splits.",
            {
                "train": ("integer", "products of the catalog that train"),
                "validation": ("integer", "... that validate"),
                "test": ("integer", "... that test"),
                "variant_groups": ("integer", "groups of variants that were kept together"),
                "identical": ("integer", "groups of products with identical pictures"),
                "near_duplicates": ("integer", "groups of products with nearly the same pictures"),
                "left_apart": ("integer", "products whose picture too many others show"),
                "validation_leaks": ("integer", "validation products with a sibling in training"),
                "test_leaks": ("integer", "test products with a sibling in training"),
                "not_compared": ("text", "why pictures were not compared: budget or explicit; empty: they were"),
            },
        ),
        **_fields(
            "figures.*.",
            {
                "value": ("number", "the figure"),
                "meaning": ("text", "what it is"),
                "higher_is_better": ("bool", "whether a larger one is a better model"),
                "low": ("number or null", "lower end of its 95 % interval; null where it is no mean over queries"),
                "high": ("number or null", "upper end"),
                "queries": ("integer or null", "how many queries it is the mean of"),
            },
        ),
        **_fields(
            "categories[].",
            {
                "category": ("text", "its path"),
                "support": ("integer", "test products of it"),
                "predicted": ("integer", "test products that are taken for it"),
                "right": ("integer", "those of both"),
                "trained": ("integer", "training products of it"),
                "precision": ("number or null", "right / predicted"),
                "recall": ("number or null", "right / support"),
                "f1": ("number", "harmonic mean of both"),
            },
        ),
        **_fields(
            "confusion[].",
            {
                "truth": ("text", "the catalog's category"),
                "predicted": ("text", "the model's; the same where it is right"),
                "count": ("integer", "test products, 1 or more; pairs without any are absent"),
            },
        ),
        **_fields(
            "reliability.",
            {
                "count": ("integer", "products with a category and a prediction"),
                "confidence": ("number", "mean probability"),
                "accuracy": ("number", "share right"),
                "expected_error": ("number", "expected calibration error, 15 bins of equal width"),
                "by_chance": ("number", "what a perfectly calibrated model shows of it on the average"),
                "by_chance_at_most": ("number", "... in 95 of 100 cases at most"),
                "debiased_error": ("number", "root of the debiased squared error over the bins below (Kumar 2019)"),
                "brier": ("number", "mean square of probability less being right"),
                "bins[].count": ("integer", "products of the bin; bins have about equal mass"),
                "bins[].confidence": ("number", "their mean probability"),
                "bins[].accuracy": ("number", "share of them that is right"),
                "bins[].low": ("number", "lower end of its 95 % interval"),
                "bins[].high": ("number", "upper end"),
            },
        ),
        **_fields(
            "abstention.",
            {
                "is_expected": ("bool", "whether errors are promised by the probabilities (no labels), not counted"),
                "area": ("number", "error of the answers, mean over all coverages"),
                "best_area": ("number", "the area where wrong predictions are the least probable"),
                "error_at.*": ("number", "error where this share is answered"),
                "points[].threshold": ("number", "least probability that is answered"),
                "points[].coverage": ("number", "share answered"),
                "points[].error": ("number", "share of the answers that is wrong"),
            },
        ),
        **_fields(
            "agreement.",
            {
                "products": ("integer", "test products for which two ways of telling the category have a say"),
                "unanimous": ("number", "share on which all that have a say agree"),
                "right_if_unanimous": ("number or null", "accuracy on these"),
                "right_if_split": ("number or null", "accuracy on the others"),
                "against_catalog[]": ("text", "ids of products on which all agree against the catalog"),
                "pairs[].first": ("text", "head, neighbors or names"),
                "pairs[].second": ("text", "another of them"),
                "pairs[].share": ("number", "share of products on which the two agree"),
                "pairs[].products": ("integer", "products for which both have a say"),
            },
        ),
        **_fields(
            "views.",
            {
                "queries": ("integer", "test products whose pictures were shown as photos"),
                "products": ("integer", "products that these searched"),
                "pictures": ("integer", "their pictures"),
                "kinds.*.recall_at_1": ("number", "share whose very product is the first hit"),
                "kinds.*.recall_at_10": ("number", "... among the first ten"),
                "kinds.*.in_training": ("bool", "whether this model's training showed such photos"),
            },
        ),
        **_fields(
            "attributes[].",
            {
                "name": ("text", "the catalog's column"),
                "asked": ("text", "picture, photo (a street view of it) or title"),
                "products": ("integer", "test products that have it, 10 or more"),
                "accuracy": ("number", "share of them whose likeliest value is one of theirs"),
                "macro_f1": ("number", "harmonic mean of precision and recall; mean over their values"),
                "calibration_error": ("number", "expected calibration error, 15 bins of equal width"),
                "sure": ("number", "share of them about which the model is sure"),
                "sure_accuracy": ("number or null", "share of these that is right"),
                "unknown": ("number", "share of them whose values the model does not know"),
            },
        ),
        **_fields(
            "duplicates.",
            {
                "titles[].title": ("text", "a title of products in several categories"),
                "titles[].categories[]": ("text", "these"),
                "titles[].products": ("integer", "how many products"),
                "titles[].examples[]": ("text", "ids of some"),
                "pictures[].product_id": ("text", "a test product"),
                "pictures[].other_id": ("text", "a product whose picture the model cannot tell from its own"),
                "pictures[].cosine": ("number", "of their vectors"),
            },
        ),
        **_fields(
            "findings[].", {"kind": ("text", "good, bad or todo"), "text": ("text", "what the report says")}
        ),
        **_fields(
            "worst[].",
            {
                "kind": ("text", "category, picture, title, photo or unsure"),
                "query": ("text", "a product's id, or a title"),
                "reason": ("text", "what happened"),
                "nearest[]": ("text", "ids of what it found"),
            },
        ),
        **_fields(
            "outcomes[].",
            {
                "product_id": ("text", "of a test product"),
                "group": ("text", "the same for variants of one product"),
                "truth": ("text or null", "the catalog's category"),
                "predicted": ("text or null", "the model's"),
                "probability": ("number", "of it"),
                "witnesses.*": ("text", "what head, neighbors and names say"),
                **{f"search.{name}": field for name, field in _FOUND.items()},
                "photos.*[]": ("number", "by kind of view: how likely it was first, and among the first ten"),
            },
        ),
        **_fields(
            "titles[].",
            {"title": ("text", "a title"), **{f"found.{name}": field for name, field in _FOUND.items()}},
        ),
    }
)  # fmt: skip
"""Path to what is there. A part that the catalog does not allow is null, or an empty list."""
