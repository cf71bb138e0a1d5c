"""Names of things, and two other ways to ask for each."""

from __future__ import annotations

import open_clip
import pytest

from embedder.training.retention.rephrasings import Rephrasings, rephrase_names


def test_each_name_is_asked_for_by_a_sentence_and_by_its_gloss() -> None:
    found = rephrase_names(4)
    assert found.names[0] == "tench"
    assert set(found.names) <= set(open_clip.IMAGENET_CLASSNAMES)
    assert found.owners.tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
    assert found.queries[0] == "two second-hand tenches in good condition"
    assert found.queries[4].startswith("freshwater dace-like game fish")


def test_all_classes_can_be_asked_for() -> None:
    found = rephrase_names(5000)
    assert set(found.names) == set(open_clip.IMAGENET_CLASSNAMES)
    assert len(found.queries) == 2 * len(found.names)
    assert all(query and ": " not in query for query in found.queries)


def test_a_name_is_there_once() -> None:
    with pytest.raises(ValueError, match="permitted: 2 or more, no two alike"):
        Rephrasings(("a", "a"), ("b", "b", "c", "c"), rephrase_names(2).owners)
    with pytest.raises(ValueError, match="1 names; permitted: 2 or more"):
        rephrase_names(1)
