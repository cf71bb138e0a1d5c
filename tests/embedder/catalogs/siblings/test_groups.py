"""What makes products siblings: a variant group, an identical picture, a copy of a picture; and what does not."""

from __future__ import annotations

import io
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embedder.catalogs.product import Product, ProductPicture
from embedder.catalogs.siblings.groups import MOST_ALIKE, SiblingGroups, group_by_names, group_siblings
from embedder.catalogs.siblings.hashing import hash_pictures
from embedder.inputs.picture import Picture, PictureBytes, PictureFile, PicturePixels
from tests.conftest import COLORS, SHAPES, draw_product
from tests.embedder.conftest import encoded


def scene(seed: int, side: int = 160) -> Image.Image:
    """A picture of many coloured patches, another one for each seed."""
    patches = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(patches).resize((side, side), Image.Resampling.BICUBIC)


def product(product_id: str, *pictures: Picture | Image.Image, group: str | None = None) -> Product:
    sources = [PictureBytes(encoded(one)) if isinstance(one, Image.Image) else one for one in pictures]
    return Product(product_id, "", tuple(map(ProductPicture, sources)), variant_group=group)


def grouped(tmp_path: Path, products: Sequence[Product]) -> SiblingGroups:
    hashes = hash_pictures([picture.source for one in products for picture in one.pictures], tmp_path)
    assert hashes is not None
    remaining = iter(hashes)
    groups = group_siblings(products, [[next(remaining) for _ in one.pictures] for one in products])
    assert groups is not None
    return groups


def together(tmp_path: Path, products: Sequence[Product]) -> set[frozenset[str]]:
    """The groups of two products or more, by id."""
    return sets_of(products, grouped(tmp_path, products))


def sets_of(products: Sequence[Product], groups: SiblingGroups) -> set[frozenset[str]]:
    members: dict[bytes, set[str]] = defaultdict(set)
    for key, one in zip(groups.keys, products, strict=True):
        members[key].add(one.id)
    return {frozenset(of_one) for of_one in members.values() if len(of_one) > 1}


class TestVariantGroups:
    def test_the_same_group_is_together_whatever_the_pictures(self, tmp_path: Path) -> None:
        products = [product(f"p{number}", scene(number), group=f"g{number % 2}") for number in range(4)]
        assert together(tmp_path, products) == {frozenset({"p0", "p2"}), frozenset({"p1", "p3"})}

    def test_a_parent_is_together_with_its_variants(self, tmp_path: Path) -> None:
        products = [product("7", scene(1)), product("a", scene(2), group="7"), product("b", scene(3), group="7")]
        assert together(tmp_path, products) == {frozenset({"7", "a", "b"})}

    def test_an_id_that_is_by_chance_another_groups_name_joins_nothing(self, tmp_path: Path) -> None:
        products = [product("7", scene(1), group="8"), product("a", scene(2), group="7"), product("b", scene(3))]
        assert together(tmp_path, products) == set()

    def test_titles_join_nothing(self, tmp_path: Path) -> None:
        products = [
            Product(f"p{number}", "red ball", (ProductPicture(PictureBytes(encoded(scene(number)))),))
            for number in range(3)
        ]
        assert together(tmp_path, products) == set()


class TestIdenticalPictures:
    def test_any_two_pictures_of_the_same_bytes_join_their_products(self, tmp_path: Path) -> None:
        products = [product("a", scene(1), scene(2)), product("b", scene(3), scene(2)), product("c", scene(4))]
        groups = grouped(tmp_path, products)
        assert sets_of(products, groups) == {frozenset({"a", "b"})}
        assert (groups.identical, groups.near_duplicates, groups.left_apart) == (1, 0, 0)

    def test_siblings_of_siblings_are_siblings(self, tmp_path: Path) -> None:
        products = [
            product("a", scene(1), group="g"),
            product("b", scene(2), group="g"),
            product("c", scene(2), scene(3)),
            product("d", PictureBytes(encoded(scene(3), "JPEG", quality=80))),
        ]
        assert together(tmp_path, products) == {frozenset("abcd")}

    def test_raw_pixels_and_plain_pictures_too(self, tmp_path: Path) -> None:
        """A dealer in cloth sells the same swatch twice."""
        pixels = PicturePixels(np.full((8, 8, 3), 120, dtype=np.uint8))
        products = [product("a", pixels), product("b", pixels), product("c", scene(1))]
        assert together(tmp_path, products) == {frozenset("ab")}

    def test_a_placeholder_joins_none_of_many_products_and_is_reported(self, tmp_path: Path) -> None:
        placeholder = Image.new("RGB", (64, 64), "white")
        placeholder.paste((90, 90, 90), (20, 20, 44, 44))
        data = PictureBytes(encoded(placeholder))
        products = [product(f"p{number}", data) for number in range(MOST_ALIKE + 1)]
        products += [product("a", scene(1), data), product("b", scene(1), scene(2))]
        groups = grouped(tmp_path, products)
        assert sets_of(products, groups) == {frozenset("ab")}
        assert groups.left_apart == MOST_ALIKE + 2

    def test_a_few_products_with_one_picture_are_siblings(self, tmp_path: Path) -> None:
        """Sizes of one shirt, in a catalog without variant groups."""
        products = [product(f"p{number}", scene(1)) for number in range(MOST_ALIKE)]
        assert len(together(tmp_path, products)) == 1

    def test_a_variant_group_counts_once_however_large(self, tmp_path: Path) -> None:
        products = [product(f"p{number}", scene(1), group="g") for number in range(2 * MOST_ALIKE)]
        products.append(product("alone", scene(1)))
        assert {len(group) for group in together(tmp_path, products)} == {2 * MOST_ALIKE + 1}


class TestNearDuplicates:
    @pytest.mark.parametrize(
        "copy",
        [
            lambda image: encoded(image, "JPEG", quality=40),
            lambda image: encoded(image, "WEBP", quality=60),
            lambda image: encoded(image.resize((80, 80)), "JPEG", quality=85),
            lambda image: encoded(image.resize((300, 300), Image.Resampling.BICUBIC)),
        ],
        ids=["jpeg-40", "webp", "smaller", "larger"],
    )
    def test_resized_and_recompressed_copies_are_found(self, tmp_path: Path, copy: object) -> None:
        originals = [product(f"p{seed}", scene(seed)) for seed in range(20)]
        copies = [product(f"c{seed}", PictureBytes(copy(scene(seed)))) for seed in range(20)]  # type: ignore[operator]
        products = originals + copies
        groups = grouped(tmp_path, products)
        assert sets_of(products, groups) == {frozenset({f"p{seed}", f"c{seed}"}) for seed in range(20)}
        assert (groups.identical, groups.near_duplicates) == (0, 20)

    def test_copies_of_drawn_products_are_found_and_different_ones_are_not_taken_for_copies(
        self, tmp_path: Path
    ) -> None:
        products = []
        for number in range(160):
            image = draw_product(list(SHAPES.values())[number % 4], list(COLORS)[number // 4 % 4], number)
            products.append(product(f"p{number:04d}", image))
            if number % 10 == 0:
                products.append(product(f"c{number:04d}", PictureBytes(encoded(image, "JPEG", quality=60))))
        expected = {frozenset({f"p{number:04d}", f"c{number:04d}"}) for number in range(0, 160, 10)}
        assert together(tmp_path, products) == expected

    def test_another_colour_is_another_product(self, tmp_path: Path) -> None:
        products = [product(color, draw_product("ellipse", color, 1)) for color in COLORS]
        assert together(tmp_path, products) == set()

    def test_plain_pictures_are_like_none(self, tmp_path: Path) -> None:
        plain = [Image.new("RGB", (40 + side, 40), "white") for side in range(5)]
        ramp = Image.fromarray(np.tile(np.linspace(250, 255, 64).astype(np.uint8), (64, 1)))
        products = [product(f"p{number}", image) for number, image in enumerate([*plain, ramp])]
        assert together(tmp_path, products) == set()

    def test_a_long_chain_is_broken_up_and_real_copies_in_it_stay_together(self, tmp_path: Path) -> None:
        """Each picture is like the next, the first and the last are not: a slow fade from one scene to another."""
        steps = 2 * MOST_ALIKE
        start, end = scene(1, 72), scene(2, 72)
        products = [product(f"p{step:03d}", Image.blend(start, end, step / steps)) for step in range(steps)]
        products.append(product("copy", PictureBytes(encoded(start, "WEBP", lossless=True))))
        groups = grouped(tmp_path, products)
        assert max(map(len, sets_of(products, groups)), default=0) <= MOST_ALIKE
        assert groups.left_apart > MOST_ALIKE

    def test_the_order_of_the_catalog_does_not_matter(self, tmp_path: Path) -> None:
        rng = random.Random(5)
        products = []
        for number in range(60):
            image = scene(rng.randrange(25))
            data = encoded(image, "JPEG", quality=rng.choice([50, 70, 90]))
            products.append(product(f"p{number}", PictureBytes(data), group=rng.choice([None, None, f"g{number % 9}"])))
        expected = together(tmp_path, products)
        assert expected
        rng.shuffle(products)
        assert together(tmp_path, products) == expected


class TestWhatCannotBeRead:
    def test_a_product_without_a_readable_picture_is_grouped_by_what_is_known(self, tmp_path: Path) -> None:
        broken = PictureBytes(encoded(scene(1), "JPEG")[:300])
        missing = PictureFile(tmp_path / "missing.png")
        products = [
            product("a", broken, group="g"),
            product("b", scene(2), group="g"),
            product("c", missing),
            product("d", missing, scene(3)),
            product("e", PictureFile(tmp_path / "nul\0.png")),
        ]
        assert together(tmp_path, products) == {frozenset("ab"), frozenset("cd")}

    def test_names_alone_join_files_of_one_path(self, tmp_path: Path) -> None:
        """Nothing is opened: the files need not exist."""
        products = [
            product("a", PictureFile(tmp_path / "1.png")),
            product("b", PictureFile(tmp_path / "2.png"), PictureFile(tmp_path / "1.png")),
            product("c", PictureFile(tmp_path / "3.png"), group="g"),
            product("d", PictureFile(tmp_path / "4.png"), group="g"),
            product("e", scene(1)),
            product("f", scene(1)),
        ]
        assert sets_of(products, group_by_names(products)) == {frozenset("ab"), frozenset("cd")}


def test_a_cmyk_and_a_transparent_copy_are_copies(tmp_path: Path) -> None:
    image = scene(3)
    cmyk = io.BytesIO()
    image.convert("CMYK").save(cmyk, "TIFF")
    products = [
        product("rgb", image),
        product("rgba", PictureBytes(encoded(image.convert("RGBA")))),
        product("cmyk", PictureBytes(cmyk.getvalue())),
    ]
    assert together(tmp_path, products) == {frozenset({"rgb", "rgba", "cmyk"})}
