"""Bundles of models that are not bundles yet, made once and kept in the cache."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

from embedder import bundle
from embedder.errors import MissingExtra

FORMAT = 3
"""Raise when what is written changes for the same model."""


def resolve_bundle(model: str, cache_dir: Path, image_size: int | None = None, with_levels: bool = False) -> Path:
    """The bundle of a model given by any name; one that is not a bundle is exported into the cache first.

    Args:
        model: a bundle's path, or any name that `embedder.towers.sources.load_model` knows.
        cache_dir: where exported models are kept.
        image_size: side of the square input in pixels; None: the model's own.
        with_levels: whether its graph must give the image tower's levels as this release takes them; graphs of format 1
            give none.

    Raises:
        ModelError: the model cannot be had.
        MissingExtra: it would have to be exported, and the `train` extra is not installed.
    """
    path = Path(model)
    if bundle.is_bundle(path):
        info = bundle.load_info(path)
        same_size = image_size in (None, info.preprocessing.size[0])
        if same_size and (not with_levels or _gives_levels(path, info.level_widths)):
            return path
    slug = re.sub(r"[^A-Za-z0-9.]+", "-", model).strip("-")
    target = cache_dir / "models" / f"{slug}-{image_size or 'own'}-{FORMAT}"
    if bundle.is_bundle(target) and not path.exists():
        return target
    try:
        from embedder.export.onnx import write_bundle
        from embedder.towers.sources import load_model
    except ImportError as error:
        raise MissingExtra(
            f"model {model!r} is not a bundle, and exporting it needs {error.name}; next step: "
            "pip install 'merchlens[train]', or give the path of a bundle"
        ) from error
    write_bundle(load_model(model, image_size), target, training={"exported_by": version("merchlens")})
    return target


def _gives_levels(folder: Path, widths: tuple[int, ...]) -> bool:
    """Whether the levels in a bundle's graph are those that the image tower is asked for."""
    if not widths:
        return False
    from embedder.towers.dual_encoder import load_folder
    from embedder.towers.levels import LeveledTrunk
    from embedder.towers.projection import split

    encoder = load_folder(folder)
    return LeveledTrunk(split(encoder, "image")[0], encoder).widths == widths
