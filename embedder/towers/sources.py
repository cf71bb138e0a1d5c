"""Models by name: the starters, timm's image towers, open_clip's architectures and tags, hub ids, folders."""

from __future__ import annotations

import logging
from pathlib import Path

import open_clip

from embedder import bundle
from embedder.errors import EmbedderError, ModelError
from embedder.towers.assembled import PREFIX, PRETRAINED, build_assembled
from embedder.towers.dual_encoder import DualEncoder, from_open_clip, load_folder
from embedder.towers.starter import build_starter
from embedder.towers.starters import STARTERS

_log = logging.getLogger(__name__)

NAMES = (
    f"{', '.join(STARTERS)}; ARCHITECTURE/TAG of open_clip, such as ViT-B-32/laion2b_s34b_b79k; hf-hub:ORG/NAME; "
    f"{PREFIX}TOWER of timm, with random weights, or {PREFIX}TOWER{PRETRAINED}; "
    "local-dir:PATH; or the path of a model bundle"
)


def load_model(name: str, image_size: int | None = None) -> DualEncoder:
    """Load any model by its name.

    Args:
        name: see `NAMES`.
        image_size: side of the square input in pixels, for models that take any; None: the model's own.

    Raises:
        ModelError: the name means nothing, or the weights cannot be had (the hub's words are passed on).
    """
    encoder = _load(name, image_size)
    return encoder if image_size is None else encoder.with_image_size(image_size)


def _load(name: str, image_size: int | None) -> DualEncoder:
    if name in STARTERS:
        return build_starter(image_size, name)
    if name.startswith(PREFIX):
        return _from_timm(name, image_size)
    folder = Path(name.removeprefix("local-dir:"))
    # An empty name would be the folder that one happens to be in.
    if name and folder.is_dir():
        base = bundle.load_info(folder).base if bundle.is_bundle(folder) else None
        return load_folder(folder, base)
    if name.startswith("hf-hub:"):
        return _from_hub(name, name, None)
    architecture, separator, tag = name.rpartition("/")
    if separator and architecture in open_clip.list_models():
        return _from_hub(name, architecture, tag)
    raise ModelError(f"model {name!r} is not known; permitted: {NAMES}")


def _from_timm(name: str, image_size: int | None) -> DualEncoder:
    try:
        return build_assembled(name, image_size)
    except EmbedderError:
        raise
    # Towers of many makers, and hub clients with trees of their own.
    except Exception as error:
        if name.endswith(PRETRAINED):
            raise _out_of_reach(name, error) from error
        raise ModelError(f"model {name!r} cannot be built: {_first_line(error)}; next step: another tower") from error


def _from_hub(name: str, architecture: str, tag: str | None) -> DualEncoder:
    try:
        config = open_clip.get_model_config(architecture)
        model = open_clip.create_model(architecture, pretrained=tag, require_pretrained=True)
        tokenizer = open_clip.get_tokenizer(architecture)
    # Hub clients raise their own trees besides OSError; all mean that the weights cannot be had.
    except Exception as error:
        raise _out_of_reach(name, error) from error
    return from_open_clip(model, config, tokenizer, name)


def _out_of_reach(name: str, error: Exception) -> ModelError:
    _log.debug("loading %s", name, exc_info=error)
    return ModelError(
        f"model {name!r} cannot be loaded: {_first_line(error)}; "
        "next step: load it once on a machine that reaches its hub (python -m embedder export), "
        "and copy the bundle here"
    )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:300] if str(error).strip() else type(error).__name__
