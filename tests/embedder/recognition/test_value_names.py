"""Which value of an attribute a text names: what it says, the longest words first, and what it means."""

from __future__ import annotations

import numpy as np
import pytest

from embedder.recognition.value_names import UNFITTED, ValueNames, said

VALUES = ("red", "dark red", "blue", "striped")
PLACES = [value.split() for value in VALUES]


def names(weights: tuple[float, ...] = UNFITTED, shares: tuple[float, ...] = (0.25,) * 4) -> ValueNames:
    return ValueNames(VALUES, np.eye(4, 6, dtype=np.float32), np.asarray(shares, dtype=np.float32), weights)


def nothing(count: int) -> np.ndarray:
    """Meanings that are near to none of the values."""
    return np.tile(np.eye(6, dtype=np.float32)[5], (count, 1))


def likeliest(text: str) -> str:
    return VALUES[int(names().probabilities([text], nothing(1))[0].argmax())]


def test_the_longest_of_the_values_that_a_text_says_is_meant() -> None:
    assert said(["dark", "red", "shoe"], PLACES) == [1]
    assert said(["red", "dark", "shoe"], PLACES) == [0]


def test_values_are_said_in_the_order_of_the_text_each_once() -> None:
    assert said(["blue", "striped", "blue", "red"], PLACES) == [2, 3, 0]
    assert said([], PLACES) == []


@pytest.mark.parametrize(
    ("text", "value"), [("A Dark-Red shirt", "dark red"), ("two reds", "red"), ("BLUE shoes", "blue")]
)
def test_case_hyphens_and_plurals_make_no_difference(text: str, value: str) -> None:
    assert likeliest(text) == value


def test_what_is_said_is_nearly_certain_and_what_is_not_said_is_not() -> None:
    found = names().probabilities(["a red shirt", "a shirt"], nothing(2))
    assert found[0, 0] > 0.95
    assert found[1].max() < 0.5
    assert found.sum(axis=1) == pytest.approx([1.0, 1.0])


def test_what_is_meant_counts_where_nothing_is_said() -> None:
    found = names().probabilities(["crimson"], np.eye(6, dtype=np.float32)[:1])
    assert found[0].argmax() == 0
    assert found[0, 0] > 0.9


def test_frequent_values_are_likelier_where_a_text_tells_nothing() -> None:
    found = names(shares=(0.7, 0.1, 0.1, 0.1)).probabilities(["a shirt"], nothing(1))
    assert found[0] == pytest.approx([0.7, 0.1, 0.1, 0.1])


def test_titles_tell_what_being_said_is_worth() -> None:
    """Titles that say a colour of the box it comes in: then words prove little."""
    rng = np.random.default_rng(0)
    texts = [f"in a {VALUES[place]} box" for place in rng.integers(0, 3, 300)]
    targets = np.eye(4, dtype=np.float32)[rng.integers(0, 3, 300)]
    fitted = names().fitted(texts, nothing(300), targets)
    assert fitted.fitted_on == 300
    assert fitted.weights[0] < 1.0
    right = names().fitted(texts, nothing(300), np.eye(4, dtype=np.float32)[[VALUES.index(t[5:-4]) for t in texts]])
    assert right.weights[0] > fitted.weights[0]
    assert right.probabilities(["in a red box"], nothing(1))[0, 0] > 0.95


def test_without_titles_nothing_is_fitted() -> None:
    assert names().fitted([], nothing(0), np.empty((0, 4), dtype=np.float32)).fitted_on == 0


@pytest.mark.parametrize("values", [("red",), ("red", "red")])
def test_values_are_two_or_more_and_no_two_alike(values: tuple[str, ...]) -> None:
    count = len(values)
    with pytest.raises(ValueError, match="permitted: 2 or more, no two alike"):
        ValueNames(values, np.eye(count, 6, dtype=np.float32), np.full(count, 1 / count, dtype=np.float32))
