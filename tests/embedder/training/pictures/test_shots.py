"""Which further pictures and views go with the main ones."""

from __future__ import annotations

from collections import Counter

from embedder.catalogs.product import Product, ProductPicture
from embedder.inputs.picture import PictureBytes
from embedder.training.pictures.shots import FEWEST_VIEWS, MOST_VIEWS, companions, main_pictures


def shop(*pictures: int) -> list[Product]:
    return [
        Product(f"p{number}", "", tuple(ProductPicture(PictureBytes(b"?")) for _ in range(count)))
        for number, count in enumerate(pictures)
    ]


def test_main_pictures_are_the_first_ones_as_they_are() -> None:
    assert [(shot.product.id, shot.picture, shot.view) for shot in main_pictures(shop(1, 3))] == [
        ("p0", 0, None),
        ("p1", 0, None),
    ]


def test_further_pictures_are_taken_as_they_are_up_to_the_most() -> None:
    found = companions(shop(1, 2, 5, 16), 3, 0)
    assert [(shot.product.id, shot.picture) for shot in found] == [
        ("p1", 1), ("p2", 1), ("p2", 2), ("p2", 3), ("p3", 1), ("p3", 2), ("p3", 3),
    ]  # fmt: skip
    assert {shot.view for shot in found} == {None}
    assert companions(shop(5), 0, 0) == []


def test_views_are_of_main_pictures_2_to_6_a_product() -> None:
    for products, most, each in ((10, 1000, MOST_VIEWS), (10, 40, 4), (10, 20, FEWEST_VIEWS)):
        found = companions(shop(*[1] * products), 3, most)
        assert Counter(shot.product.id for shot in found) == {f"p{number}": each for number in range(products)}
        assert {shot.picture for shot in found} == {0}


def test_views_end_where_there_are_enough_and_further_pictures_go_on() -> None:
    found = companions(shop(*[2] * 10), 3, 6)
    assert [shot.product.id for shot in found if shot.view is not None] == ["p0", "p0", "p1", "p1", "p2", "p2"]
    assert [shot.product.id for shot in found if shot.view is None] == [f"p{number}" for number in range(10)]


def test_a_products_shots_follow_each_other() -> None:
    """So that every prefix of the list is a fair sample, with pairs in it."""
    owners = [shot.product.id for shot in companions(shop(3, 3, 3), 3, 100)]
    assert owners == sorted(owners)


def test_views_differ_and_stay_the_same_when_the_catalog_grows() -> None:
    small = {(shot.product.id, shot.view) for shot in companions(shop(1, 1), 3, 4)}
    large = [(shot.product.id, shot.view) for shot in companions(shop(1, 1, 1, 1), 3, 8)]
    assert small <= set(large)
    assert len({view for _, view in large}) == 8


def test_no_products() -> None:
    assert main_pictures([]) == companions([], 3, 100) == []
