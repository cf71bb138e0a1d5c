"""Models are loaded by name, from a folder or a hub; what cannot be had says why and what to do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import open_clip
import pytest
import torch

from embedder.errors import ModelError
from embedder.towers import sources
from embedder.towers.sources import load_model


def test_a_folder_by_its_path_and_as_local_dir_are_the_same(tiny_clip: Path) -> None:
    first, second = load_model(str(tiny_clip)), load_model(f"local-dir:{tiny_clip}")
    tokens = first.tokenizer(["boot"])
    with torch.no_grad():
        assert torch.equal(first.model.encode_text(tokens), second.model.encode_text(tokens))


def test_a_bundle_remembers_its_base(trained_bundle: Path) -> None:
    assert load_model(str(trained_bundle)).base == "starter"


@pytest.mark.parametrize("name", ["nonsense", "ViT-B-32", "No-Such/tag", "", "/nowhere/at/all"])
def test_an_unknown_name_names_the_known_kinds(name: str) -> None:
    with pytest.raises(
        ModelError, match=r"permitted: starter, starter-lite1, starter-lite2; ARCHITECTURE/TAG.*hf-hub:ORG/NAME"
    ):
        load_model(name)


def test_an_unknown_tag_of_a_known_architecture() -> None:
    with pytest.raises(ModelError, match="next step: load it once on a machine that reaches its hub"):
        load_model("ViT-B-32/no-such-tag")


def test_weights_by_name_are_open_clips(monkeypatch: pytest.MonkeyPatch, tiny_clip: Path) -> None:
    """The hub's part is played by a folder: what is asked of open_clip, and what becomes of its answer, is real."""
    asked = []
    create, tokenizer = open_clip.create_model, open_clip.get_tokenizer

    def from_folder(name: str, pretrained: str | None = None, **options):
        asked.append((name, pretrained, options))
        return create(f"local-dir:{tiny_clip}", require_pretrained=True)

    config = json.loads((tiny_clip / "open_clip_config.json").read_text())["model_cfg"]
    monkeypatch.setattr(sources.open_clip, "create_model", from_folder)
    monkeypatch.setattr(sources.open_clip, "get_model_config", lambda name: config)
    monkeypatch.setattr(sources.open_clip, "get_tokenizer", lambda name: tokenizer(f"local-dir:{tiny_clip}"))
    assert load_model("ViT-B-32/openai").dim == 16
    assert load_model("hf-hub:org/name").base == "hf-hub:org/name"
    assert asked == [
        ("ViT-B-32", "openai", {"require_pretrained": True}),
        ("hf-hub:org/name", None, {"require_pretrained": True}),
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("open_clip_config.json", "{"),
        ("open_clip_config.json", "{}"),
        ("open_clip_config.json", '{"model_cfg": {"embed_dim": 1}}'),
        ("open_clip_model.safetensors", "rubbish"),
    ],
)
def test_a_folder_that_open_clip_cannot_load(tiny_clip: Path, tmp_path: Path, name: str, content: str) -> None:
    folder = tmp_path / "clip"
    shutil.copytree(tiny_clip, folder)
    (folder / name).write_text(content)
    with pytest.raises(ModelError, match="cannot be loaded by open_clip"):
        load_model(str(folder))


def test_a_folder_without_weights(tiny_clip: Path, tmp_path: Path) -> None:
    shutil.copy(tiny_clip / "open_clip_config.json", tmp_path)
    with pytest.raises(ModelError, match="cannot be loaded by open_clip"):
        load_model(str(tmp_path))


def test_a_vit_takes_its_own_size_only(tiny_clip: Path) -> None:
    assert load_model(str(tiny_clip), 32).preprocessing.size == (32, 32)
    with pytest.raises(ModelError, match="takes pictures of 32 px only"):
        load_model(str(tiny_clip), 64)
