"""Training, validation and test never share a product or its siblings, and what a catalog says of its splits is kept."""

from __future__ import annotations

import hashlib
import logging
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from embedder.catalogs.product import Product, ProductPicture, Split
from embedder.catalogs.siblings.groups import group_by_names
from embedder.catalogs.splits import assign_splits, shuffled, split_catalog
from embedder.inputs.picture import PictureFile, PicturePixels
from tests.conftest import COLORS, SHAPES, draw_product

SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def product(number: int, split: Split | None = None, group: str | None = None) -> Product:
    picture = PicturePixels(np.array([divmod(number, 256)], dtype=np.uint8))
    return Product(f"id-{number}", "", (ProductPicture(picture),), split=split, variant_group=group)


def products(count: int, split: Split | None = None) -> list[Product]:
    return [product(number, split) for number in range(count)]


def assigned(catalog: Sequence[Product]) -> dict[str, Split]:
    """Split by id."""
    sides = assign_splits(catalog, group_by_names(catalog).keys)
    return {product.id: side for product, side in zip(catalog, sides, strict=True)}


def group_on(side: Split) -> str:
    """A variant group that the hash puts on one side."""
    others = [*products(2, "train"), product(2, "test")]
    groups = [f"group-{number}" for number in range(100)]
    return next(group for group in groups if assigned([*others, product(9, None, group)])["id-9"] == side)


def bucket(product_id: str) -> int:
    return int.from_bytes(hashlib.sha256(product_id.encode()).digest()[:8], "big") % 100


def test_a_shops_catalog_is_split_eight_one_one() -> None:
    counts = Counter(assigned(products(10_000)).values())
    assert counts["train"] == pytest.approx(8000, abs=150)
    assert counts["validation"] == pytest.approx(1000, abs=120)
    assert counts["test"] == pytest.approx(1000, abs=120)


def test_a_benchmarks_parts_are_kept_and_validation_comes_out_of_training() -> None:
    assert set(assigned(products(1000, "test")).values()) == {"test"}
    assert set(assigned(products(1000, "validation")).values()) == {"validation"}
    counts = Counter(assigned(products(10_000, "train")).values())
    assert set(counts) == {"train", "validation"}
    assert counts["validation"] == pytest.approx(1000, abs=120)


def test_products_without_siblings_are_where_their_ids_alone_put_them() -> None:
    """Published figures rest on this: a benchmark's validation products stay the same in all releases."""
    sides = assigned([*products(2000, "train"), product(5000, "test")])
    assert {name for name, side in sides.items() if side == "validation"} == {
        f"id-{number}" for number in range(2000) if bucket(f"id-{number}") < 10
    }


def test_a_product_stays_in_its_part_when_the_catalog_grows() -> None:
    before = assigned(products(100))
    after = assigned(products(1000))
    assert before.items() <= after.items()


def test_a_variant_group_stays_in_its_part_when_it_grows() -> None:
    small = [product(number, None, f"group-{number // 3}") for number in range(300)]
    large = [*small, *(product(1000 + number, None, f"group-{number // 2}") for number in range(200))]
    assert assigned(small).items() <= assigned(large).items()


@pytest.mark.parametrize("seed", range(20))
def test_no_group_is_on_two_sides_and_the_order_does_not_matter(seed: int) -> None:
    rng = random.Random(seed)
    catalog = [
        product(number, None, rng.choice([None, f"g-{rng.randrange(40)}"]))
        for number in range(rng.choice([3, 30, 300]))
    ]
    sides = assigned(catalog)
    for group in {one.variant_group for one in catalog} - {None}:
        assert len({sides[one.id] for one in catalog if one.variant_group == group}) == 1
    rng.shuffle(catalog)
    assert assigned(catalog) == sides


def test_ids_that_are_no_unicode_have_a_part_too() -> None:
    assert assigned([Product("\udcff", "", product(1).pictures)]) == {"\udcff": "train"}


class TestSmallCatalogs:
    @pytest.mark.parametrize("count", [2, 3, 4, 5, 8, 20])
    def test_something_trains_and_something_tests(self, count: int) -> None:
        for start in range(200):
            sides = assigned([product(start * 100 + number) for number in range(count)])
            assert {"train", "test"} <= set(sides.values())

    def test_one_product_trains(self) -> None:
        for number in range(50):
            assert assigned([product(number)]) == {f"id-{number}": "train"}

    def test_siblings_alone_train(self) -> None:
        assert set(assigned([product(number, None, "all") for number in range(3)]).values()) == {"train"}

    def test_nothing_is_no_error(self) -> None:
        assert assigned([]) == {}

    def test_what_the_catalog_gives_to_training_does_not_all_validate(self) -> None:
        number = next(number for number in range(1000) if bucket(f"id-{number}") < 10)
        assert assigned([product(number, "train"), product(5000, "test")])[f"id-{number}"] == "train"


class TestLargeGroups:
    def test_a_group_of_more_than_a_tenth_trains(self) -> None:
        group = group_on("test")
        catalog = [*products(80), *(product(1000 + number, None, group) for number in range(20))]
        assert assigned(catalog)["id-1000"] == "train"
        assert assigned([*catalog, *products(300)[100:]])["id-1000"] == "test"

    def test_where_all_groups_are_large_the_smallest_tests(self) -> None:
        sizes = {"a": 40, "b": 30, "c": 20}
        catalog = [
            product(number, None, group) for number, group in enumerate("".join(g * n for g, n in sizes.items()))
        ]
        sides = assigned(catalog)
        assert {one.variant_group for one in catalog if sides[one.id] == "test"} == {"c"}
        assert {one.variant_group for one in catalog if sides[one.id] == "train"} == {"a", "b"}


class TestNamedSplits:
    def test_they_are_kept_though_they_set_siblings_apart(self, tmp_path: Path) -> None:
        group = group_on("train")
        catalog = [product(1, "train", group), product(2, "test", group), product(3, "validation", group)]
        splits = split_catalog([*catalog, *products(50)[10:]], tmp_path)
        for one in catalog:
            assert one in splits.products(one.split or "train")
        assert (splits.report.test_leaks, splits.report.validation_leaks) == (1, 1)

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            (("train", "test", "validation"), "test"),
            (("train", "validation"), "validation"),
            (("train",), "train"),
            (("test",), "test"),
        ],
    )
    def test_a_product_without_one_joins_its_siblings(self, given: tuple[Split, ...], expected: Split) -> None:
        group = group_on("train")
        catalog = [product(number, split, group) for number, split in enumerate(given)]
        assert assigned([*catalog, product(9, None, group), *products(50, "test")[20:]])["id-9"] == expected

    def test_validation_is_put_aside_by_groups(self, tmp_path: Path) -> None:
        catalog = [product(number, "train", f"g-{number // 4}") for number in range(400)]
        splits = split_catalog([*catalog, *products(500, "test")[400:]], tmp_path)
        assert 0 < splits.report.validation < 100
        assert (splits.report.validation_leaks, splits.report.test_leaks) == (0, 0)


def drawn(number: int, **fields: object) -> Product:
    """A product with a drawn picture in memory, each another one."""
    image = draw_product(list(SHAPES.values())[number % 4], list(COLORS)[number // 4 % 4], number)
    picture = ProductPicture(PicturePixels(np.asarray(image)))
    return Product(f"id-{number}", "", (picture,), **fields)  # type: ignore[arg-type]


class TestCatalogs:
    def test_every_product_is_in_one_split_in_order_and_the_line_says_how_many(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        catalog = [drawn(number, variant_group=f"g-{number // 2}" if number < 40 else None) for number in range(160)]
        with caplog.at_level(logging.INFO):
            splits = split_catalog(catalog, tmp_path)
        parts = [splits.products(split) for split in SPLITS]
        assert sorted(one.id for part in parts for one in part) == sorted(one.id for one in catalog)
        for part in parts:
            assert part == sorted(part, key=catalog.index)
        train, validation, test = map(len, parts)
        line = next(record.message for record in caplog.records if record.message.startswith("splits: "))
        assert line == str(splits.report)
        assert line.startswith(
            f"splits: {train} train, {validation} validation, {test} test products; kept together: 20 groups of "
            "variants, 0 of identical pictures, 0 of near-duplicates; "
            f"leaks: 0 of {test} test and 0 of {validation} validation products have a sibling in training"
        )

    def test_a_split_is_the_same_the_next_time_and_in_another_order(self, tmp_path: Path) -> None:
        catalog = [drawn(number) for number in range(60)]
        first = split_catalog(catalog, tmp_path)
        again = split_catalog(catalog[::-1], tmp_path, decode_threads=1)
        for split in SPLITS:
            assert {one.id for one in again.products(split)} == {one.id for one in first.products(split)}

    def test_a_leak_between_named_splits_is_found_by_its_picture(self, tmp_path: Path) -> None:
        catalog = [drawn(number, split="test" if number % 5 == 0 else "train") for number in range(40)]
        copied = next(one for one in catalog if one.split == "train" and bucket(one.id) >= 10)
        copy = Product("copy", "", copied.pictures, split="test")
        report = split_catalog([*catalog, copy], tmp_path).report
        assert (report.test_leaks, report.identical, report.not_compared) == (1, 1, "")

    def test_a_benchmark_of_many_pictures_is_not_looked_at_and_the_report_says_so(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("embedder.catalogs.splits.MOST_COMPARED", 39)
        catalog = [drawn(number, split="train") for number in range(40)]
        splits = split_catalog([*catalog[1:], Product("id-0", "", catalog[1].pictures, split="test")], tmp_path)
        assert splits.report.not_compared == "explicit"
        assert splits.report.test_leaks == 0
        assert "not compared: the catalog names the split of every product" in str(splits.report)
        assert {one.id for one in splits.products("validation")} == {
            one.id for one in catalog[1:] if bucket(one.id) < 10
        }

    def test_a_budget_that_is_not_enough_leaves_what_is_known_by_name(self, tmp_path: Path) -> None:
        pictures = []
        for number in range(6):
            path = tmp_path / f"{number}.png"
            draw_product("ellipse", "red", 1, 48).save(path)
            pictures.append(ProductPicture(PictureFile(path)))
        catalog = [
            *(Product(f"id-{number}", "", (picture,)) for number, picture in enumerate(pictures)),
            Product("same-file", "", (pictures[0],)),
        ]
        splits = split_catalog(catalog, tmp_path / "cache", budget_s=0.0)
        assert (splits.report.not_compared, splits.report.identical) == ("budget", 1)
        assert "not compared: a tenth of the time given" in str(splits.report)
        assert split_catalog(catalog, tmp_path / "cache", budget_s=60.0).report.not_compared == ""
        said = split_catalog(catalog, tmp_path / "cache", not_compared="budget")
        for split in SPLITS:
            assert said.products(split) == splits.products(split)


def test_the_order_depends_on_the_seed_alone() -> None:
    ids = [product.id for product in shuffled(products(200), 0)]
    assert ids == [product.id for product in shuffled(reversed(products(200)), 0)]
    assert ids != [product.id for product in shuffled(products(200), 1)]
    assert sorted(ids) == sorted(product.id for product in products(200))


def test_a_prefix_of_the_order_is_a_fair_sample() -> None:
    early = sum(int(product.id.removeprefix("id-")) < 5000 for product in shuffled(products(10_000), 3)[:1000])
    assert early == pytest.approx(500, abs=60)
