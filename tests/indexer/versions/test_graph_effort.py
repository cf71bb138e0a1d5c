"""What a manifest says of its graph: where it holds on after updates, and what people are told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from indexer.versions.graph_effort import GraphEffort, carried, describe_efforts
from indexer.versions.manifest import Manifest
from tests.indexer.conftest import manifest_of, shelf

FOUND = GraphEffort(48, 24, {"pictures": 0.995, "filtered": 0.991}, {"pictures": 0.97, "filtered": 0.95}, 200)


def test_a_manifest_keeps_it() -> None:
    manifest = manifest_of(shelf(3), effort={"image": FOUND})
    assert Manifest.from_json(manifest.to_json(), "here") == manifest


def test_a_manifest_of_an_earlier_release_has_none() -> None:
    data = json.loads(manifest_of(shelf(3)).to_json())
    del data["effort"]
    assert Manifest.from_json(json.dumps(data), "here").effort == {}


def test_it_holds_until_a_tenth_of_the_products_has_changed() -> None:
    once = carried({"image": FOUND}, 60, 1_000)
    assert once == {"image": replace(FOUND, changed=60)}
    assert carried(once, 40, 1_000) == {"image": replace(FOUND, changed=100)}
    assert carried(once, 41, 1_000) is None


def test_what_was_never_measured_is_not_carried_on() -> None:
    assert carried({}, 1, 1_000) is None


def test_measured_with_copies_it_is_never_fewer_candidates_than_before() -> None:
    before = GraphEffort(96, 16, queries=200)
    assert FOUND.at_least(before) == replace(FOUND, balanced=96, fast=24)
    assert FOUND.at_least(None) == FOUND


def test_people_are_told_candidates_recall_queries_and_time() -> None:
    (line,) = describe_efforts({"image": FOUND, "title": GraphEffort()}, 2.34)
    for told in ("image", "48 candidates", "0.995 (pictures)", "0.991 (filtered)", "24", "200 queries", "2.3 s"):
        assert told in line


def test_no_candidates_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match=r"0 and 24 candidates; permitted: 1 or more"):
        GraphEffort(0, 24)
