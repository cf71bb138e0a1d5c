"""What cannot be told apart is found: titles over categories, and pictures that are one to the model."""

from __future__ import annotations

import numpy as np
import pytest

from embedder.evaluation import duplicates as module
from embedder.evaluation.duplicates import find_like_pairs, find_title_clashes
from tests.embedder.evaluation.measurements import product


def test_titles_that_differ_in_case_punctuation_and_order_are_the_same() -> None:
    clashes = find_title_clashes(
        [
            product("1", "balls", "Red ball"),
            product("2", "toys", "BALL, red!"),
            product("3", "toys", "red ball"),
            product("4", "toys", "red balls"),
            product("5", "toys", ""),
            product("6", "balls", ""),
            product("7", None, "red ball"),
        ]
    )
    (clash,) = clashes
    assert (clash.title, clash.categories, clash.products) == ("Red ball", ("balls", "toys"), 3)
    # One of each category first.
    assert clash.examples == ("1", "2", "3")


def test_titles_of_any_alphabet_and_the_most_frequent_first() -> None:
    clashes = find_title_clashes(
        [product(f"a{n}", f"c{n % 2}", "靴 黒") for n in range(4)]
        + [product(f"b{n}", f"c{n}", "Туфли") for n in range(2)]
    )
    assert [(clash.title, clash.products) for clash in clashes] == [("靴 黒", 4), ("Туфли", 2)]


def test_the_same_title_in_one_category_is_no_clash() -> None:
    assert find_title_clashes([product("1", "toys", "ball"), product("2", "toys", "ball")]) == ()


def units(rows: list[list[float]]) -> np.ndarray:
    values = np.asarray(rows, dtype=np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


@pytest.mark.parametrize("block", [1, 1 << 24])
def test_pictures_that_are_one_to_the_model(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK_SCORES", block)
    products = [product("a"), product("b"), product("c"), product("d")]
    vectors = units([[1, 0, 0], [1, 0.001, 0], [0, 1, 0], [0, 1, 0.2]])
    pairs = find_like_pairs(products[:3], vectors[:3], products, vectors)
    # a and b are one pair, whichever of them is the query; c and d are apart.
    assert [(pair.product_id, pair.other_id) for pair in pairs] == [("a", "b")]
    assert pairs[0].cosine == pytest.approx(1.0, abs=1e-5)


def test_variants_are_supposed_to_be_alike() -> None:
    products = [product("a", group="g"), product("b", group="g"), product("g")]
    vectors = units([[1, 0], [1, 0], [0, 1]])
    assert find_like_pairs(products, vectors, products, vectors) == ()


def test_nothing_to_compare() -> None:
    one = units([[1, 0]])
    assert find_like_pairs([product("a")], one, [product("a")], one) == ()
    assert find_like_pairs([], np.empty((0, 2), np.float32), [], np.empty((0, 2), np.float32)) == ()
