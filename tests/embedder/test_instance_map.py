"""Levels go through one linear map to unit vectors; its file is read as it was written, or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from embedder.errors import BundleCorrupt
from embedder.instance_map import INSTANCE_FILE, InstanceMap, load_instance, load_space, save_instance

WIDTHS = (3, 1, 4)
KEPT = np.eye(6, dtype=np.float32)[:2]


def drawn(dim: int = 5) -> InstanceMap:
    random = np.random.default_rng(0)
    values = [random.standard_normal(shape).astype(np.float32) for shape in ((8,), (dim, 8), (dim,))]
    return InstanceMap(WIDTHS, *values)


def by_hand(instance: InstanceMap, levels: np.ndarray) -> np.ndarray:
    rows = []
    for row in levels.astype(np.float64):
        parts, start = [], 0
        for width in instance.widths:
            part = row[start : start + width] - instance.center[start : start + width]
            parts.append(part / np.linalg.norm(part))
            start += width
        mapped = instance.weight.astype(np.float64) @ np.concatenate(parts) + instance.offset
        rows.append(mapped / np.linalg.norm(mapped))
    return np.stack(rows)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_each_level_is_scaled_by_itself_then_mapped(dtype: type) -> None:
    instance = drawn()
    levels = (np.random.default_rng(1).standard_normal((20, 8)) * [1, 1, 1, 9, 100, 100, 100, 100]).astype(dtype)
    before = levels.copy()
    found = instance.apply(levels)
    assert found.dtype == np.float32
    assert np.allclose(found, by_hand(instance, levels), atol=1e-5)
    assert np.array_equal(levels, before)


def test_a_picture_at_the_very_center_has_a_vector_too() -> None:
    """Its levels have no direction; the offset is what is left."""
    instance = drawn()
    with np.errstate(all="raise"):
        (found,) = instance.apply(instance.center[None, :])
    assert np.allclose(found, instance.offset / np.linalg.norm(instance.offset), atol=1e-5)


@pytest.mark.parametrize("kept", [None, KEPT])
def test_it_is_read_as_it_was_written(tmp_path: Path, kept: np.ndarray | None) -> None:
    written = drawn()
    save_instance(tmp_path, written, kept)
    found = load_instance(tmp_path)
    assert found is not None
    assert found.widths == WIDTHS
    for name in ("center", "weight", "offset"):
        assert np.array_equal(getattr(found, name), getattr(written, name))
    space = load_space(tmp_path, 6, 0.25)
    assert (space.kept_dim, space.instance_dim, space.instance_weight) == (6 if kept is None else 2, 5, 0.25)
    assert kept is None or np.array_equal(space.kept, kept)


def test_a_folder_without_the_file_is_a_model_without_an_instance_part(tmp_path: Path) -> None:
    assert load_instance(tmp_path) is None
    space = load_space(tmp_path, 6, 0.25)
    assert (space.dim, space.instance_dim, space.kept) == (6, 0, None)


@pytest.mark.parametrize("damage", [b"", b"rubbish", "cut"])
def test_a_damaged_file_is_refused_with_the_next_step(tmp_path: Path, damage: bytes | str) -> None:
    save_instance(tmp_path, drawn(), KEPT)
    path = tmp_path / INSTANCE_FILE
    path.write_bytes(path.read_bytes()[:-40] if isinstance(damage, str) else damage)
    for load in (load_instance, lambda folder: load_space(folder, 6, 0.5)):
        with pytest.raises(BundleCorrupt, match=r"instance\.safetensors of bundle .*next step"):
            load(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("levels.widths", None),
        ("levels.widths", np.asarray([3, 1, 5])),
        ("levels.widths", np.asarray([8, 0])),
        ("levels.widths", np.asarray(8)),
        ("levels.center", np.zeros(7, np.float32)),
        ("map.weight", np.zeros((5, 7), np.float32)),
        ("map.weight", np.zeros(8, np.float32)),
        ("map.offset", np.zeros(4, np.float32)),
        ("map.offset", None),
    ],
)
def test_a_file_whose_tensors_do_not_fit_together_is_refused(
    tmp_path: Path, name: str, value: np.ndarray | None
) -> None:
    save_instance(tmp_path, drawn(), None)
    tensors = load_file(tmp_path / INSTANCE_FILE)
    del tensors[name]
    save_file(tensors if value is None else {**tensors, name: value}, tmp_path / INSTANCE_FILE)
    with pytest.raises(BundleCorrupt, match="next step"):
        load_instance(tmp_path)


def test_what_is_kept_must_fit_the_semantic_part_and_the_weight_its_range(tmp_path: Path) -> None:
    save_instance(tmp_path, drawn(), KEPT)
    for semantic_dim, weight in ((7, 0.5), (6, 1.5)):
        with pytest.raises(BundleCorrupt, match=r"permitted: .*next step"):
            load_space(tmp_path, semantic_dim, weight)
