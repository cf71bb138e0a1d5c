"""What `quality.json` holds: one line for each value, by path, as `metrics_schema` does it for evaluations.

A later release of the same format version adds fields, and changes none.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from embedder.evaluation.reporting.metrics_schema import Field
from embedder.report.rendering import GENERATOR

FORMAT = f"{GENERATOR}: catalog quality"
FORMAT_VERSION = 1

_PRODUCT = {"product_id": "its id", "title": "its title; may be empty", "category": "the catalog's; null: none"}


def _product(path: str) -> dict[str, Field]:
    kinds = {"category": "text or null"}
    return {f"{path}{name}": Field(kinds.get(name, "text"), meaning) for name, meaning in _PRODUCT.items()}


FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "format": Field("text", f"{FORMAT!r}"),
        "format_version": Field("integer", f"{FORMAT_VERSION}; another one may have other fields"),
        "catalog": Field("text", "its name for callers"),
        "source": Field("text", "where it was read from"),
        "version": Field("text", "the index version that was built"),
        "fingerprint": Field("text", "of the model"),
        "products": Field("integer", "indexed"),
        "pictures": Field("integer", "of these products"),
        "counts.identical_sets": Field("integer", "sets of products that show one file"),
        "counts.near_duplicate_sets": Field("integer", "sets that show nearly the same picture"),
        "counts.placeholders": Field("integer", "pictures that too many products show to be one thing"),
        "counts.doubtful_categories": Field("integer", "products whose category looks wrong"),
        "counts.unreadable_pictures": Field("integer", "pictures that cannot be read"),
        "counts.tiny_pictures": Field("integer", "pictures with a side of less than `tiny.least_side` pixels"),
        "counts.unfound_products": Field("integer", "of those asked for, products that neither query finds"),
        "counts.categories_that_look_the_same": Field("integer", "pairs of categories"),
        "duplicates.compared": Field("bool", "whether near-duplicates were looked for; false: that took too long"),
        "duplicates.sets[].key": Field("text", "of the set: `duplicate_set` in its products' payload"),
        "duplicates.sets[].identical": Field("bool", "whether it is one file, byte by byte"),
        **_product("duplicates.sets[].products[]."),
        "duplicates.placeholders[].products": Field("integer", "how many show it"),
        "duplicates.placeholders[].examples[]": Field("text", "ids of some"),
        "doubtful_categories.judged": Field("integer", "products whose category was judged"),
        **_product("doubtful_categories.products[]."),
        "doubtful_categories.products[].suggested": Field("text", "the category that it is taken for"),
        "doubtful_categories.products[].by_picture": Field("number", "its probability by the picture"),
        "doubtful_categories.products[].own_by_picture": Field("number", "that of the catalog's own"),
        "doubtful_categories.products[].by_title": Field("number or null", "... of the other by the title; null: none"),
        "doubtful_categories.products[].like": Field("text or null", "id of a product of the suggested category"),
        "unreadable.reasons.*": Field("integer", "reason (IMAGE_...) to pictures"),
        "unreadable.pictures[].product_id": Field("text", "of the product; may be empty"),
        "unreadable.pictures[].picture": Field("text", "its name; empty: no picture of the product can be read"),
        "unreadable.pictures[].line": Field("integer", "of the catalog"),
        "unreadable.pictures[].reason": Field("text", "IMAGE_..."),
        "unreadable.pictures[].detail": Field("text", "what is wrong; the rejects file has all, this has 1,000"),
        "tiny.least_side": Field("integer", "pixels"),
        **_product("tiny.pictures[]."),
        "tiny.pictures[].picture": Field("integer", "which of the product's, from 0; the 1,000 smallest are here"),
        "tiny.pictures[].width": Field("integer", "pixels"),
        "tiny.pictures[].height": Field("integer", "pixels"),
        "unfound.asked": Field("integer", "products that were asked for"),
        "unfound.among": Field("integer", "among so many hits a product counts as found"),
        **_product("unfound.products[]."),
        "unfound.products[].before_by_view": Field("integer", "products that a photo of it finds first"),
        "unfound.products[].before_by_title": Field("integer or null", "... its title; null: it has none"),
        "look_alikes[].first": Field("text", "a category"),
        "look_alikes[].second": Field("text", "another that looks the same"),
        "look_alikes[].first_taken": Field("integer", "products of the first that are taken for the second"),
        "look_alikes[].first_held": Field("integer", "products of the first"),
        "look_alikes[].second_taken": Field("integer", "products of the second that are taken for the first"),
        "look_alikes[].second_held": Field("integer", "products of the second"),
        "look_alikes[].examples[]": Field("text", "ids of some that are taken for the other"),
        "findings[].kind": Field("text", "good, bad or todo"),
        "findings[].text": Field("text", "what the page says"),
    }
)
"""Path to what is there; `[]` stands for each item of a list, `*` for each key of an object whose keys are names."""
