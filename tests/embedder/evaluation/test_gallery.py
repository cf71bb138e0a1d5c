"""Finding the very product, compared with a count one by one."""

from __future__ import annotations

import numpy as np
import pytest

from embedder.catalogs.product import Product, ProductPicture
from embedder.evaluation import gallery as module
from embedder.evaluation.gallery import DEPTHS, Gallery
from embedder.inputs.picture import PicturePixels

PICTURE = ProductPicture(PicturePixels(np.zeros((2, 2), dtype=np.uint8)))


def products(count: int) -> list[Product]:
    return [Product(f"p{number}", "", (PICTURE,)) for number in range(count)]


def units(count: int, dim: int, seed: int) -> np.ndarray:
    values = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def naive_share(vectors: dict[int, list[np.ndarray]], queries: np.ndarray, wanted: list[int], k: int) -> float:
    found = 0
    for query, product in zip(queries, wanted, strict=True):
        nearness = {place: max(float(query @ vector) for vector in rows) for place, rows in vectors.items()}
        found += product in sorted(nearness, key=lambda place: -nearness[place])[:k]
    return found / len(wanted)


@pytest.mark.parametrize("block", [1, 70, 1 << 24])
def test_recall_is_what_counting_one_by_one_gives(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK_SCORES", block)
    rng = np.random.default_rng(0)
    main, further, owners = units(40, 8, 1), units(50, 8, 2), [int(owner) for owner in rng.integers(0, 40, 50)]
    gallery = Gallery.of_main_pictures(products(40), main).with_further(owners, further)
    rows = {place: [main[place]] for place in range(40)}
    for owner, vector in zip(owners, further, strict=True):
        rows[owner].append(vector)
    wanted = [int(place) for place in rng.integers(0, 40, 60)]
    queries = main[wanted] + 0.9 * units(60, 8, 3)
    recall = gallery.recall(queries, np.asarray(wanted))
    assert (recall.at_1, recall.at_10) == pytest.approx(
        (naive_share(rows, queries, wanted, 1), naive_share(rows, queries, wanted, 10))
    )
    assert 0.1 < recall.at_1 < recall.at_10 < 1
    assert recall.queries == 60


def test_pictures_stay_with_their_product_the_main_one_first() -> None:
    main, further = units(4, 5, 1), units(3, 5, 2)
    gallery = Gallery.of_main_pictures(products(4), main).with_further([3, 0, 3], further)
    assert gallery.owners().tolist() == [0, 0, 1, 2, 3, 3, 3]
    assert np.array_equal(
        gallery.vectors, np.stack([main[0], further[1], main[1], main[2], main[3], further[0], further[2]])
    )
    assert np.array_equal(gallery.main_pictures().vectors, main)


def test_of_equally_near_products_each_is_as_likely_as_another() -> None:
    same = np.tile(units(1, 6, 0), (30, 1))
    gallery = Gallery.of_main_pictures(products(30), same)
    recall = gallery.recall(same, np.arange(30))
    assert (recall.at_1, recall.at_10) == pytest.approx((1 / 30, 10 / 30))
    twins = Gallery.of_main_pictures(products(3), np.eye(3, dtype=np.float32)[[0, 0, 1]])
    assert twins.recall(np.eye(3, dtype=np.float32)[:2], np.asarray([1, 2])).at_1 == pytest.approx((0.5 + 1) / 2)


def test_vectors_that_are_no_numbers_find_nothing() -> None:
    gallery = Gallery.of_main_pictures(products(12), units(12, 4, 0))
    recall = gallery.recall(np.full((2, 4), np.nan, dtype=np.float32), np.asarray([0, 1]))
    assert (recall.at_1, recall.at_10) == (0, 0)


def test_a_single_product_is_found() -> None:
    gallery = Gallery.of_main_pictures(products(1), units(1, 4, 0))
    recall = gallery.recall(units(3, 4, 1), np.asarray([0, 0, 0]))
    assert [recall.at_1, recall.at_10] == [1.0] * len(DEPTHS)


def test_a_product_without_a_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="permitted: 1 or more each"):
        Gallery(products(2), units(2, 4, 0), np.asarray([0, 2]))
    with pytest.raises(ValueError, match="2 products with 1 first rows"):
        Gallery(products(2), units(2, 4, 0), np.asarray([0]))
