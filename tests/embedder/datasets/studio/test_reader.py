"""The studio as a catalog: its options, and the products that it yields."""

from __future__ import annotations

from itertools import islice

import pytest

from embedder.catalogs.outline import CatalogOutline
from embedder.catalogs.product import AttributeKind, Product
from embedder.catalogs.registry import open_catalog
from embedder.catalogs.siblings.groups import group_by_names
from embedder.catalogs.splits import assign_splits
from embedder.datasets.studio.items import load_item
from embedder.datasets.studio.reader import ATTRIBUTES, StudioReader
from embedder.errors import CatalogError


def products(spec: str) -> list[Product]:
    return [row for row in open_catalog(spec).read() if isinstance(row, Product)]


class TestReading:
    def test_a_product_has_what_its_item_has(self) -> None:
        (product, *_) = products("studio:products=3,seed=9")
        item = load_item(9, 0)
        assert (product.id, product.title, product.category) == (item.id, item.title, item.category)
        assert (product.price, product.in_stock, product.split) == (item.price, item.in_stock, item.family.split)
        assert product.attributes == {
            "color": item.colors[0],
            "second_color": item.colors[1],
            "third_color": item.colors[2],
            "pattern": item.pattern,
            "material": item.material,
            "variant_group": item.group,
        }
        assert product.variant_group == item.group
        assert [picture.name for picture in product.pictures] == [f"{item.id}/clean"]
        assert product.line == 1

    def test_a_larger_catalog_begins_with_the_smaller_one(self) -> None:
        assert products("studio:products=55,seed=2")[:40] == products("studio:products=40,seed=2")

    def test_by_default_2000_products_of_seed_0(self) -> None:
        reader = StudioReader()
        assert (reader.name, reader.count(), reader.options.seed) == ("studio", 2000, 0)
        assert next(iter(reader.read())) == products("studio:products=1,seed=0")[0]

    def test_views_are_the_pictures_in_order(self) -> None:
        (product,) = products("studio:products=1,views=hand2+clean+other")
        assert [picture.name.partition("/")[2] for picture in product.pictures] == ["hand2", "clean", "other"]

    def test_the_explicit_split_is_the_one_that_counts(self) -> None:
        found = products("studio:products=200,seed=4")
        assert {product.split for product in found} == {"train", "validation", "test"}
        sides = assign_splits(found, group_by_names(found).keys)
        for product, side in zip(found, sides, strict=True):
            assert side == product.split or product.split == "train"

    def test_one_split(self) -> None:
        every = products("studio:products=200,seed=4")
        for split in ("train", "validation", "test"):
            reader = open_catalog(f"studio:products=200,seed=4,split={split}")
            found = list(reader.read())
            assert found == [product for product in every if product.split == split]
            assert reader.count() == len(found) > 5
            assert list(StudioReader("products=200,seed=4", split=split).read()) == found

    def test_no_shape_and_no_variant_group_is_on_two_sides(self) -> None:
        sides: dict[str, set[str | None]] = {}
        for product in products("studio:products=600,seed=4"):
            for name in (f"group {product.attributes['variant_group']}", f"kind {product.category}"):
                sides.setdefault(name, set()).add(product.split)
        assert {len(found) for found in sides.values()} == {1}

    def test_the_outline_is_known_without_reading(self) -> None:
        reader = StudioReader("products=1000000,views=clean+other")
        assert reader.outline() == CatalogOutline(
            1_000_000, 2, {name: frozenset({AttributeKind.TEXT}) for name in ATTRIBUTES}
        )

    def test_a_million_products_begin_at_once(self) -> None:
        assert [row.id for row in islice(StudioReader("products=1000000").read(), 2) if isinstance(row, Product)] == [
            "studio-000000",
            "studio-000001",
        ]


class TestRefused:
    @pytest.mark.parametrize(
        ("location", "message"),
        [
            ("products=0", r"products '0'; permitted: a number from 1 to 1,000,000"),
            ("products=1000001", "products '1000001'; permitted: a number from 1 to 1,000,000"),
            ("products=many", "products 'many'; permitted"),
            ("products=", "products ''; permitted"),
            ("products=-1", "products '-1'; permitted"),
            ("products=²", "products '²'; permitted"),
            ("products=" + "9" * 5000, "products '9{40}'; permitted"),
            ("seed=-1", "seed '-1'; permitted: a number from 0 to"),
            ("seed=9223372036854775808", "seed '9223372036854775808'; permitted"),
            ("views=drone", "views 'drone'; permitted: one or more of clean, other, hand1"),
            ("views=clean+clean", r"views 'clean\+clean'; permitted: .*none twice"),
            ("views=", "views ''; permitted"),
            ("split=training", "split 'training'; permitted: train, validation, test"),
            ("hand=other", "'hand=other'; permitted: KEY=VALUE with KEY one of products, seed, views, split"),
            ("2000", "'2000'; permitted: KEY=VALUE"),
            ("products=5,", "''; permitted: KEY=VALUE"),
            ("seed=1,seed=2", "seed is given twice, '1' and '2'; permitted: once"),
        ],
    )
    def test_what_is_not_permitted_is_said_with_the_value_and_the_range(self, location: str, message: str) -> None:
        with pytest.raises(CatalogError, match=f"^studio: {message}"):
            open_catalog(f"studio:{location}")

    def test_columns_mean_nothing_here(self) -> None:
        with pytest.raises(CatalogError, match="no columns"):
            StudioReader(columns={"id": "sku"})

    def test_two_different_splits(self) -> None:
        with pytest.raises(CatalogError, match="split 'test' where 'train' was asked for"):
            StudioReader("split=test", split="train")
