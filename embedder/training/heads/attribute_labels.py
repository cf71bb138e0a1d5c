"""Which of a catalog's columns are attributes that can be recognised, and which value each product has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from embedder.catalogs.attribute_values import value_key, words_of_value
from embedder.catalogs.product import Product
from embedder.recognition.attribute_model import MAX_VALUES

FEWEST_PRODUCTS = 3
"""That have a value; a rarer one cannot be learnt, and is left out."""

FEWEST_LABELLED = 20
"""Products that have the attribute at all."""

MOST_DISTINCT = 0.5
"""Values, of the labelled products; where there are more, it is a name or a number of each product, no attribute."""


@dataclass(frozen=True, slots=True)
class AttributeLabels:
    """One attribute that can be recognised.

    Attributes:
        name: the column.
        values: v of them, 2 to `MAX_VALUES`, sorted, each as it is spelt most often.
        places: each spelling's place in `values`, by what `value_key` makes of it.
        left_out: how many values were too rare.
    """

    name: str
    values: tuple[str, ...]
    places: dict[str, int]
    left_out: int

    def targets(self, products: Sequence[Product]) -> npt.NDArray[np.float32]:
        """Each value's share among a product's own, float32 (n, v); rows sum to 1, or to 0 where nothing is known."""
        found = np.zeros((len(products), len(self.values)), dtype=np.float32)
        for row, product in enumerate(products):
            places = {
                self.places.get(value_key(word), -1) for word in words_of_value(product.attributes.get(self.name))
            }
            known = sorted(places - {-1})
            if known:
                found[row, known] = 1.0 / len(known)
        return found


def choose_attributes(
    products: Sequence[Product], leave_out: Sequence[str] = ()
) -> tuple[tuple[AttributeLabels, ...], dict[str, str]]:
    """The attributes of a catalog that can be recognised, and why others cannot, by name.

    Args:
        products: those that are learnt from.
        leave_out: names of columns that are not wanted.
    """
    columns: dict[str, None] = {}
    for product in products:
        columns.update(dict.fromkeys(product.attributes))
    chosen, refused = [], {}
    for name in columns:
        if name in leave_out:
            refused[name] = "left out, as asked"
            continue
        found = _labels(name, products)
        if isinstance(found, str):
            refused[name] = found
        else:
            chosen.append(found)
    return tuple(chosen), refused


def _labels(name: str, products: Sequence[Product]) -> AttributeLabels | str:
    """The attribute, or why it is none."""
    spellings: dict[str, Counter[str]] = {}
    counts: Counter[str] = Counter()
    labelled = numbers = groups = 0
    for product in products:
        value = product.attributes.get(name)
        groups += value is not None and value == product.variant_group
        numbers += isinstance(value, float | int) and not isinstance(value, bool)
        words = [word for word in words_of_value(value) if value_key(word)]
        labelled += bool(words)
        for word in words:
            spellings.setdefault(value_key(word), Counter())[word.strip()] += 1
        counts.update({value_key(word) for word in words})
    if numbers > labelled:
        return "its values are numbers"
    if groups > labelled / 2:
        return "its values are the groups of variants"
    if labelled < FEWEST_LABELLED:
        return f"{labelled} products have it; permitted: {FEWEST_LABELLED} or more"
    if len(counts) > MOST_DISTINCT * labelled:
        return f"{len(counts)} values of {labelled} products: it names products, and tells nothing of them"
    # Of equally frequent ones in the order of the alphabet: the same catalog gives the same model.
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    kept = [key for key, count in ranked[:MAX_VALUES] if count >= FEWEST_PRODUCTS]
    if len(kept) < 2:
        return f"{len(kept)} values of {FEWEST_PRODUCTS} products or more; permitted: 2 or more"
    spelt = {key: max(sorted(spellings[key]), key=spellings[key].__getitem__) for key in kept}
    ordered = sorted(kept, key=lambda key: spelt[key])
    return AttributeLabels(
        name,
        tuple(spelt[key] for key in ordered),
        {key: place for place, key in enumerate(ordered)},
        len(counts) - len(kept),
    )
