"""Training, validation and test never share a product, and a benchmark's own test split stays untouched."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from embedder.catalogs.product import Product, ProductPicture, Split
from embedder.catalogs.splits import in_split, shuffled, split_of
from embedder.inputs.picture import PicturePixels

PICTURE = PicturePixels(np.zeros((2, 2), dtype=np.uint8))


def products(count: int, split: Split | None = None) -> list[Product]:
    return [Product(f"id-{number}", "", (ProductPicture(PICTURE),), split=split) for number in range(count)]


def test_a_shops_catalog_is_split_eight_one_one() -> None:
    counts = Counter(split_of(product) for product in products(10_000))
    assert counts["train"] == pytest.approx(8000, abs=150)
    assert counts["validation"] == pytest.approx(1000, abs=120)
    assert counts["test"] == pytest.approx(1000, abs=120)


def test_a_benchmarks_parts_are_kept_and_validation_comes_out_of_training() -> None:
    assert {split_of(product) for product in products(1000, "test")} == {"test"}
    assert {split_of(product) for product in products(1000, "validation")} == {"validation"}
    counts = Counter(split_of(product) for product in products(10_000, "train"))
    assert set(counts) == {"train", "validation"}
    assert counts["validation"] == pytest.approx(1000, abs=120)


def test_the_parts_make_up_the_whole() -> None:
    whole = products(500)
    parts = [in_split(whole, part) for part in ("train", "validation", "test")]
    assert sorted(product.id for part in parts for product in part) == sorted(product.id for product in whole)


def test_a_product_stays_in_its_part_when_the_catalog_grows() -> None:
    before = {product.id: split_of(product) for product in products(100)}
    after = {product.id: split_of(product) for product in products(1000)}
    assert before.items() <= after.items()


def test_the_order_depends_on_the_seed_alone() -> None:
    ids = [product.id for product in shuffled(products(200), 0)]
    assert ids == [product.id for product in shuffled(reversed(products(200)), 0)]
    assert ids != [product.id for product in shuffled(products(200), 1)]
    assert sorted(ids) == sorted(product.id for product in products(200))


def test_a_prefix_of_the_order_is_a_fair_sample() -> None:
    early = sum(int(product.id.removeprefix("id-")) < 5000 for product in shuffled(products(10_000), 3)[:1000])
    assert early == pytest.approx(500, abs=60)


def test_ids_that_are_no_unicode_have_a_part_too() -> None:
    assert split_of(Product("\udcff", "", (ProductPicture(PICTURE),))) in ("train", "validation", "test")
