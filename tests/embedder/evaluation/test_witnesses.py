"""Ways of telling a category are compared product by product, with or without the catalog's own categories."""

from __future__ import annotations

import numpy as np
import pytest

from embedder.evaluation.witnesses import measure_agreement, vote
from tests.embedder.evaluation.measurements import outcome


def heard(product_id: str, truth: str | None, **witnesses: str) -> object:
    return outcome(product_id, truth, witnesses.get("head"), witnesses=witnesses)


def test_nearer_products_count_more() -> None:
    assert vote(["boot", "bag", "bag"], np.asarray([0.9, 0.5, 0.5], np.float32)) == "boot"
    assert vote(["boot", "bag", "bag"], np.asarray([0.9, 0.89, 0.89], np.float32)) == "bag"


def test_products_without_a_category_do_not_vote() -> None:
    assert vote([None, "bag"], np.asarray([0.9, 0.1], np.float32)) == "bag"
    assert vote([None, None], np.asarray([0.9, 0.1], np.float32)) is None
    assert vote([], np.empty(0, np.float32)) is None


def test_agreement_by_hand() -> None:
    agreement = measure_agreement(
        [
            heard("1", "boot", head="boot", neighbors="boot", names="boot"),
            heard("2", "boot", head="bag", neighbors="bag", names="bag"),
            heard("3", "boot", head="boot", neighbors="bag", names="boot"),
            heard("4", "boot", head="bag", names="boot"),
            heard("5", "boot", head="boot"),
        ]
    )  # type: ignore[list-item]
    assert agreement is not None
    assert (agreement.products, agreement.unanimous) == (4, 0.5)
    shares = {(pair.first, pair.second): (pair.share, pair.products) for pair in agreement.pairs}
    assert shares == {
        ("head", "neighbors"): (pytest.approx(2 / 3), 3),
        ("head", "names"): (pytest.approx(3 / 4), 4),
        ("neighbors", "names"): (pytest.approx(2 / 3), 3),
    }
    assert (agreement.right_if_unanimous, agreement.right_if_split) == (0.5, 0.5)
    assert agreement.against_catalog == ("2",)


def test_without_the_catalogs_categories_their_agreement_is_still_known() -> None:
    agreement = measure_agreement([heard("1", None, head="boot", names="boot"), heard("2", None, head="a", names="b")])  # type: ignore[list-item]
    assert agreement is not None
    assert agreement.unanimous == 0.5
    assert (agreement.right_if_unanimous, agreement.right_if_split, agreement.against_catalog) == (None, None, ())


def test_one_witness_agrees_with_nobody() -> None:
    assert measure_agreement([heard("1", "boot", names="boot")]) is None  # type: ignore[list-item]
    assert measure_agreement([]) is None
