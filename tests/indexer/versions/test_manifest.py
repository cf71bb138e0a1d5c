"""A manifest says what an index version is, and whether it may be served with a model."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import pytest

from indexer.errors import ModelMismatch, VersionIncomplete
from indexer.versions.manifest import Manifest, check_servable, fitted_with, new_version_name
from tests.indexer.conftest import manifest_of, shelf

READY = replace(manifest_of(shelf(30)), state="ready", products=30, rejected=2, catalog_hash="ab")


def test_comes_back_as_it_went_in() -> None:
    assert Manifest.from_json(READY.to_json(), "here") == READY


def test_is_readable_to_people() -> None:
    data = json.loads(READY.to_json())
    assert (data["format_version"], data["state"], data["products"], data["rejected"]) == (2, "ready", 30, 2)


@pytest.mark.parametrize(
    "change",
    [
        {"format_version": 1},
        {"format_version": 3},
        {"schema": None},
        {"votes": 3},
        {"surprise": 1},
        {"votes": {"image": {"temperature": 0}}},
        {"category_models": 3},
        {"category_models": {"image": {"vote": {"temperature": 0.1, "doubt": 0.1}}}},
    ],
)
def test_what_is_no_manifest_is_refused_and_named(change: dict) -> None:
    text = json.dumps({**json.loads(READY.to_json()), **change})
    with pytest.raises(VersionIncomplete, match=r"index version at here .*next step"):
        Manifest.from_json(text, "here")


@pytest.mark.parametrize("text", ["", "[]", "null", "3", "{", '"text"'])
def test_nor_is_other_json(text: str) -> None:
    with pytest.raises(VersionIncomplete, match=r"next step"):
        Manifest.from_json(text, "here")


def test_versions_sort_by_time_and_never_meet() -> None:
    names = [new_version_name() for _ in range(50)]
    assert len(set(names)) == 50
    times = [name.partition("-")[0] for name in names]
    assert sorted(times) == times
    assert len(set(times)) > 1


def test_a_ready_version_of_the_same_model_may_be_served() -> None:
    check_servable(READY, "f" * 64)


def test_an_unfinished_one_may_not() -> None:
    with pytest.raises(VersionIncomplete, match=r"'building', not 'ready'.*next step: run python -m indexer build"):
        check_servable(replace(READY, state="building"), "f" * 64)


def test_another_models_may_not_and_both_are_named() -> None:
    with pytest.raises(ModelMismatch, match=r"made by the model ffff.*\(starter\), not by eeee.*next step: give that"):
        check_servable(READY, "e" * 64)


def test_what_was_fitted_with_another_head_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    built = replace(READY, head_digest="a" * 64)
    assert fitted_with(built, "a" * 64) is built
    with caplog.at_level(logging.WARNING):
        other = fitted_with(built, "b" * 64)
    assert (other.category_models, other.match_models, other.words) == ({}, {}, None)
    assert "next step" in caplog.text
