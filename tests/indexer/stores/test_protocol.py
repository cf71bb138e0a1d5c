"""Query vectors are checked before a store sees them; a product has one point wherever it is written."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import QueryVectorError
from indexer.stores.points import point_id
from indexer.stores.protocol import unit_vector
from tests.indexer.conftest import STRANGE_IDS


def refused(values: list[float], dim: int = 3) -> str:
    with pytest.raises(QueryVectorError, match=r"permitted") as caught:
        unit_vector(values, dim)
    return caught.value.reason


def test_a_vector_is_scaled_to_length_one() -> None:
    assert np.allclose(unit_vector([3.0, 0.0, 4.0], 3), [0.6, 0.0, 0.8])
    assert unit_vector([3.0, 0.0, 4.0], 3).dtype == np.float32


@pytest.mark.parametrize("scale", [1e-320, 1e-200, 1e-38, 1e-20, 1e-10, 1e-5, 1e30, 1e300])
def test_of_any_length(scale: float) -> None:
    assert np.allclose(unit_vector([3 * scale, 0.0, 4 * scale], 3), [0.6, 0.0, 0.8])


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_not_finite(bad: float) -> None:
    assert refused([1.0, bad, 0.0]) == "VECTOR_NOT_FINITE"


def test_the_value_and_its_place_are_named() -> None:
    with pytest.raises(QueryVectorError, match=r"value nan at position 1"):
        unit_vector([1.0, float("nan"), 0.0], 3)


@pytest.mark.parametrize("values", [[], [1.0, 2.0], [1.0] * 4])
def test_another_number_of_values(values: list[float]) -> None:
    assert refused(values) == "VECTOR_DIM"


@pytest.mark.parametrize("values", [[0.0] * 3, [-0.0, 0.0, 0.0]])
def test_no_direction(values: list[float]) -> None:
    assert refused(values) == "VECTOR_ZERO"


def test_a_products_point_never_changes() -> None:
    # Written down: a change would make every index forget what it holds.
    assert str(point_id("p-1")) == "cc0c4919-3f2d-505b-933c-85c02d44a049"
    assert len({point_id(name) for name in (*STRANGE_IDS, "p-1", "P-1", "p-1 ", "")}) == len(STRANGE_IDS) + 4


@given(st.text(max_size=512), st.text(max_size=512))
def test_two_products_have_two_points(one: str, other: str) -> None:
    assert (point_id(one) == point_id(other)) == (one == other)


@given(st.lists(st.floats(-1e30, 1e30), min_size=1, max_size=64).filter(any))
def test_any_direction_comes_out_as_long_as_any_other(values: list[float]) -> None:
    assert np.linalg.norm(unit_vector(values, len(values))) == pytest.approx(1.0, abs=1e-6)
