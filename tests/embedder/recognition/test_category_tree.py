"""A category on any level is as likely as all that is below it together."""

from __future__ import annotations

import numpy as np
import pytest

from embedder.recognition.category_tree import CategoryNode, CategoryTree, ancestors, deepest

CATEGORIES = ("bags", "bags-old", "bags/totes", "shoes/boots", "shoes/sandals")
SHARES = np.asarray([0.1, 0.05, 0.05, 0.5, 0.3])
TREE = CategoryTree(CATEGORIES)


def test_a_parent_is_the_sum_of_its_children() -> None:
    assert TREE.probability("shoes", SHARES) == pytest.approx(0.8)


def test_a_category_that_has_children_keeps_its_own_share() -> None:
    assert TREE.probability("bags", SHARES) == pytest.approx(0.15)
    assert TREE.probability("bags/totes", SHARES) == pytest.approx(0.05)


def test_a_name_that_only_begins_alike_is_no_child() -> None:
    assert TREE.probability("bags-old", SHARES) == pytest.approx(0.05)


def test_the_top_level_sums_to_one() -> None:
    tops = [node for node in TREE.nodes if "/" not in node]
    assert sum(TREE.probability(node, SHARES) for node in tops) == pytest.approx(1.0)


def test_a_branch_goes_from_the_top_to_the_category() -> None:
    assert [node.path for node in TREE.branch(3, SHARES)] == ["shoes", "shoes/boots"]
    assert ancestors("a/b/c") == ("a", "a/b", "a/b/c")


@pytest.mark.parametrize("place", range(len(CATEGORIES)))
def test_probabilities_never_grow_on_the_way_down(place: int) -> None:
    values = [node.probability for node in TREE.branch(place, SHARES)]
    assert values == sorted(values, reverse=True)


def test_rounding_never_makes_a_probability_more_than_one() -> None:
    tree = CategoryTree([f"a/{number}" for number in range(10)])
    assert tree.branch(0, np.full(10, 0.1))[0].probability <= 1.0


def test_the_deepest_that_is_sure_enough_is_the_answer() -> None:
    branch = TREE.branch(3, SHARES)
    assert deepest(branch, 0.7) == CategoryNode("shoes", pytest.approx(0.8))
    assert deepest(branch, 0.4) == CategoryNode("shoes/boots", 0.5)
    assert deepest(branch, 0.9) is None
