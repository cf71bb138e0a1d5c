"""Of a folder of bundles the one that made the index answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from embedder.bundle import load_info
from embedder.errors import BundleNotFound
from embedder.model_folder import bundles_in, find_bundle, resolve_model
from embedder.recognition.head import WEIGHTS_FILE
from tests.conftest import copy_folder


@pytest.fixture
def folder(starter_bundle: Path, trained_bundle: Path, tmp_path: Path) -> Path:
    """Two models, something broken, and what is no bundle."""
    (tmp_path / "old").symlink_to(starter_bundle)
    (tmp_path / "new").symlink_to(trained_bundle)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "bundle.json").write_text("{")
    (tmp_path / "notes").mkdir()
    (tmp_path / "readme.txt").write_text("ours")
    return tmp_path


def test_each_index_gets_its_own(folder: Path, starter_bundle: Path, trained_bundle: Path) -> None:
    for name, bundle in (("old", starter_bundle), ("new", trained_bundle)):
        assert resolve_model(str(folder), folder, load_info(bundle).fingerprint) == folder / name


def test_of_two_with_other_heads_the_one_that_the_index_was_fitted_with(folder: Path, trained_bundle: Path) -> None:
    info = load_info(trained_bundle)
    again = copy_folder(trained_bundle.resolve(), folder / "z-later")
    described = json.loads((again / "bundle.json").read_text(encoding="utf-8"))
    described["files"][WEIGHTS_FILE] = "0" * 64
    (again / "bundle.json").write_text(json.dumps(described), encoding="utf-8")
    assert find_bundle(folder, info.fingerprint, info.files[WEIGHTS_FILE]) == folder / "new"
    assert find_bundle(folder, info.fingerprint, "0" * 64) == again
    assert find_bundle(folder, info.fingerprint, "of neither") == again, "the last by name"


def test_a_folder_of_others_names_them(folder: Path) -> None:
    with pytest.raises(BundleNotFound, match=r"broken, new, old; permitted: a bundle of the model 0123.*next step"):
        resolve_model(str(folder), folder, "0123" * 16)


def test_a_bundle_is_no_folder_of_bundles_and_taken_as_it_is(starter_bundle: Path, tmp_path: Path) -> None:
    assert bundles_in(starter_bundle) == []
    assert resolve_model(str(starter_bundle), tmp_path, "any") == starter_bundle
    assert find_bundle(starter_bundle, load_info(starter_bundle).fingerprint) == starter_bundle
