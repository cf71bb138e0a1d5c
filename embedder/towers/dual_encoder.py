"""An open_clip model with all that belongs to it, whatever it was loaded from.

This module and its siblings import torch and open_clip: nothing that serves may import them at module level.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip.tokenizer import HFTokenizer
from safetensors import SafetensorError

from embedder import bundle
from embedder.errors import ModelError
from embedder.inputs.preprocess import Preprocessing
from embedder.inputs.text import Cleaning, TextSettings
from embedder.towers.byte_pairs import byte_pair_tokenizer

_CLEANINGS: dict[str, Cleaning] = {"whitespace": "whitespace", "lower": "lower", "canonicalize": "canonicalize"}


@dataclass(slots=True, eq=False)
class DualEncoder:
    """A loaded model, in evaluation mode, float32, on the CPU.

    Attributes:
        model: open_clip's CLIP or CustomTextCLIP.
        model_config: open_clip's `model_cfg`, without absolute paths.
        preprocessing, text: what the towers expect.
        tokenizer: open_clip's tokenizer object.
        base: name of the model that it was loaded from.
    """

    model: Any
    model_config: dict[str, Any]
    preprocessing: Preprocessing
    text: TextSettings
    tokenizer: Any
    base: str

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return int(self.model_config["embed_dim"])

    @property
    def takes_any_size(self) -> bool:
        """Whether the image tower takes square pictures of any side, as convolutional ones do."""
        trunk = getattr(getattr(self.model, "visual", None), "trunk", None)
        return trunk is not None and trunk_takes_any_size(trunk)

    def with_image_size(self, side: int) -> DualEncoder:
        """The same weights for square pictures of another side, in pixels.

        Raises:
            ModelError: the image tower only takes its own size (as plain ViTs do).
        """
        if self.preprocessing.size == (side, side):
            return self
        if not self.takes_any_size:
            raise ModelError(
                f"model {self.base!r} takes pictures of {self.preprocessing.size[0]} px only; permitted: leave out the "
                "image size"
            )
        config = deepcopy(self.model_config)
        config["vision_cfg"]["image_size"] = side
        self.model.visual.image_size = (side, side)
        return replace(self, model_config=config, preprocessing=replace(self.preprocessing, size=(side, side)))


def trunk_takes_any_size(trunk: torch.nn.Module) -> bool:
    """Whether a tower of timm takes square pictures of any side: it has neither positions nor patches to learn."""
    return not hasattr(trunk, "pos_embed") and not hasattr(trunk, "patch_embed")


def hf_config_folder(model_config: Mapping[str, Any]) -> str | None:
    """Folder, relative to a bundle, where the configuration of a Hugging Face text tower is kept.

    It equals the tower's hub name: so the bundle loads in open_clip alone both with a hub (by that name) and without
    one (by that relative path, from within the bundle).
    """
    name = model_config["text_cfg"].get("hf_model_name")
    return str(name) if name else None


def from_open_clip(model: torch.nn.Module, model_config: dict[str, Any], tokenizer: Any, base: str) -> DualEncoder:
    """Wrap a model that open_clip made."""
    config = deepcopy(model_config)
    text_config = config["text_cfg"]
    for key in ("hf_model_pretrained",):
        text_config.pop(key, None)
    config["vision_cfg"].pop("timm_model_pretrained", None)
    name = text_config.get("hf_model_name")
    if name and (Path(name).is_absolute() or ".." in Path(name).parts):
        # A path of this machine must not end up in a bundle.
        text_config["hf_model_name"] = f"text_tower/{Path(name).name}"
    return DualEncoder(
        model=model.eval().float(),
        model_config=config,
        preprocessing=Preprocessing.from_open_clip(open_clip.get_model_preprocess_cfg(model)),
        text=_text_settings(text_config, tokenizer),
        tokenizer=tokenizer,
        base=base,
    )


def load_folder(folder: Path, base: str | None = None) -> DualEncoder:
    """Load an open_clip `local-dir` folder (a bundle or any other).

    Raises:
        ModelError: open_clip cannot load it; its words are passed on.
    """
    try:
        config = json.loads((folder / bundle.CONFIG_FILE).read_text(encoding="utf-8"))["model_cfg"]
        overrides: dict[str, Any] = {}
        hf_folder = hf_config_folder(config)
        if hf_folder and (folder / hf_folder / "config.json").is_file():
            hf_path = str((folder / hf_folder).resolve())
            overrides["text_cfg"] = {**config["text_cfg"], "hf_model_name": hf_path, "hf_model_pretrained": False}
        name = f"local-dir:{folder}"
        model = open_clip.create_model(name, require_pretrained=True, **overrides)
        tokenizer = open_clip.get_tokenizer(name)
    except (OSError, ValueError, KeyError, RuntimeError, AssertionError, TypeError, SafetensorError) as error:
        raise ModelError(f"model folder {folder} cannot be loaded by open_clip: {error}") from error
    return from_open_clip(model, config, tokenizer, base or str(folder.name))


def save_folder(encoder: DualEncoder, folder: Path) -> None:
    """Write open_clip's `local-dir` files and the tokenizer into an existing, empty folder."""
    from safetensors.torch import save_file

    config = {"model_cfg": encoder.model_config, "preprocess_cfg": encoder.preprocessing.to_open_clip()}
    (folder / bundle.CONFIG_FILE).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    state = {name: tensor.detach().clone().contiguous() for name, tensor in encoder.model.state_dict().items()}
    save_file(state, folder / bundle.WEIGHTS_FILE, metadata={"format": "pt"})
    # safetensors makes its files readable by their owner only; a bundle is served by other users too.
    (folder / bundle.WEIGHTS_FILE).chmod(0o644)
    hf_folder = hf_config_folder(encoder.model_config)
    if hf_folder:
        encoder.model.text.config.save_pretrained(folder / hf_folder)
    save_tokenizer(encoder, folder)


def save_tokenizer(encoder: DualEncoder, folder: Path) -> None:
    """Write `tokenizer.json` (and for Hugging Face tokenizers the files that open_clip loads) into `folder`.

    Raises:
        ModelError: a tokenizer that the `tokenizers` library has no form for.
    """
    if isinstance(encoder.tokenizer, HFTokenizer):
        with tempfile.TemporaryDirectory() as temporary:
            encoder.tokenizer.tokenizer.save_pretrained(temporary)
            for path in Path(temporary).iterdir():
                (folder / path.name).write_bytes(path.read_bytes())
    else:
        byte_pair_tokenizer(encoder.tokenizer).save(str(folder / bundle.TOKENIZER_FILE))
    if not (folder / bundle.TOKENIZER_FILE).is_file():
        raise ModelError(f"the tokenizer of {encoder.base!r} cannot be written as {bundle.TOKENIZER_FILE}")


def _text_settings(text_config: Mapping[str, Any], tokenizer: Any) -> TextSettings:
    if isinstance(tokenizer, HFTokenizer):
        cleaning = (text_config.get("tokenizer_kwargs") or {}).get("clean", "whitespace")
        pad_id = tokenizer.tokenizer.pad_token_id or 0
    else:
        cleaning, pad_id = "lower", 0
    if cleaning not in _CLEANINGS:
        raise ModelError(f"text cleaning {cleaning!r} is not supported; permitted: {', '.join(_CLEANINGS)}")
    return TextSettings(
        context_length=int(tokenizer.context_length),
        pad_id=int(pad_id),
        # Hugging Face towers mask padding; open_clip's own have learnt positions for the whole context.
        dynamic_length=bool(text_config.get("hf_model_name")),
        cleaning=_CLEANINGS[cleaning],
    )
