"""A model given by any name becomes a bundle once, and is found again without torch."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from embedder import bundle
from embedder.errors import MissingExtra, ModelError
from embedder.export.base_bundles import resolve_bundle


def test_a_bundle_is_itself(tiny_bundle: Path, tmp_path: Path) -> None:
    assert resolve_bundle(str(tiny_bundle), tmp_path) == tiny_bundle
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_open_clips_is_exported_into_the_cache(tiny_clip: Path, tmp_path: Path) -> None:
    made = resolve_bundle(str(tiny_clip), tmp_path)
    assert made.is_relative_to(tmp_path)
    bundle.verify_files(made, bundle.load_info(made))


def test_the_starter_is_exported_once(starter_bundle: Path, model_cache: Path) -> None:
    before = (starter_bundle / bundle.BUNDLE_FILE).stat().st_mtime_ns
    assert resolve_bundle("starter", model_cache, 96) == starter_bundle
    assert (starter_bundle / bundle.BUNDLE_FILE).stat().st_mtime_ns == before


def test_without_torch_what_was_exported_is_still_found(starter_bundle: Path, model_cache: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "sys.modules['torch'] = None\n"
        "from embedder.export.base_bundles import resolve_bundle\n"
        f"print(resolve_bundle('starter', Path({str(model_cache)!r}), 96))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(starter_bundle)


def test_without_torch_a_model_that_is_no_bundle_needs_the_extra(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "embedder.export.onnx", None)
    with pytest.raises(MissingExtra, match=r"pip install 'merchlens\[train\]'"):
        resolve_bundle("starter", tmp_path)


def test_an_unknown_name_says_what_is_known(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="permitted: starter, starter-lite1, starter-lite2; ARCHITECTURE/TAG"):
        resolve_bundle("no-such-model", tmp_path)
    assert not any(bundle.is_bundle(path) for path in tmp_path.rglob("*"))


def test_a_bundle_whose_levels_are_another_releases_is_exported_again_for_training(
    tiny_bundle: Path, tmp_path: Path
) -> None:
    old = tmp_path / "old"
    shutil.copytree(tiny_bundle, old)
    described = json.loads((old / bundle.BUNDLE_FILE).read_text())
    described["level_widths"] = [32, *described["level_widths"]]
    (old / bundle.BUNDLE_FILE).write_text(json.dumps(described))
    assert resolve_bundle(str(old), tmp_path / "cache") == old
    again = resolve_bundle(str(old), tmp_path / "cache", with_levels=True)
    assert again != old
    assert bundle.load_info(again).level_widths == bundle.load_info(tiny_bundle).level_widths
    assert resolve_bundle(str(tiny_bundle), tmp_path / "cache", with_levels=True) == tiny_bundle


def test_a_size_that_the_model_does_not_take(tiny_bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="takes pictures of 32 px only; permitted: leave out the image size"):
        resolve_bundle(str(tiny_bundle), tmp_path, 96)
