"""A bundle is whole or refused, moves freely, and says which embeddings it makes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from embedder import bundle
from embedder.encoder import open_encoder
from embedder.errors import BundleCorrupt, BundleNotFound
from embedder.inputs.preprocess import Preprocessing
from embedder.inputs.text import TextSettings

PREPROCESSING = Preprocessing((8, 8), (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
TEXT = TextSettings(context_length=8, pad_id=0, dynamic_length=True, cleaning="lower")
PARTS = (bundle.WEIGHTS_FILE, bundle.TOKENIZER_FILE, bundle.IMAGE_ONNX, bundle.TEXT_ONNX)


def sealed(folder: Path, **described) -> bundle.BundleInfo:
    """A bundle with something in every file that must be there."""
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    for name in PARTS:
        if not (folder / name).exists():
            (folder / name).write_text(f"the contents of {name}")
    fields = {"base": "starter", "dim": 4, "preprocessing": PREPROCESSING, "text": TEXT, **described}
    return bundle.seal(folder, **fields)


def test_what_was_sealed_is_what_is_read(tmp_path: Path) -> None:
    written = sealed(tmp_path, training={"epochs": 3}, data_hash="ab", metrics={"accuracy": 0.5})
    read = bundle.load_info(tmp_path)
    assert read == written
    bundle.verify_files(tmp_path, read)


def test_a_bundle_moves(tmp_path: Path) -> None:
    written = sealed(tmp_path / "here")
    shutil.move(tmp_path / "here", tmp_path / "there")
    read = bundle.load_info(tmp_path / "there")
    bundle.verify_files(tmp_path / "there", read)
    assert read == written
    assert str(tmp_path) not in (tmp_path / "there" / bundle.BUNDLE_FILE).read_text()


@pytest.mark.parametrize("name", PARTS)
def test_a_changed_file_is_named(tmp_path: Path, name: str) -> None:
    info = sealed(tmp_path)
    with (tmp_path / name).open("r+b") as file:
        file.seek(3)
        file.write(b"#")
    with pytest.raises(BundleCorrupt, match=f"{name} has SHA-256 .*next step"):
        bundle.verify_files(tmp_path, info)


@pytest.mark.parametrize("name", PARTS)
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    info = sealed(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(BundleCorrupt, match=f"{name} is missing; next step"):
        bundle.verify_files(tmp_path, info)


@pytest.mark.parametrize("name", PARTS)
def test_a_file_taken_off_the_list_does_not_pass(tmp_path: Path, name: str) -> None:
    sealed(tmp_path)
    described = json.loads((tmp_path / bundle.BUNDLE_FILE).read_text())
    del described["files"][name]
    (tmp_path / bundle.BUNDLE_FILE).write_text(json.dumps(described))
    with pytest.raises(BundleCorrupt, match=f"{name} is not among its sealed files"):
        bundle.verify_files(tmp_path, bundle.load_info(tmp_path))


def test_settings_changed_in_the_seal_do_not_pass(tmp_path: Path) -> None:
    sealed(tmp_path)
    described = json.loads((tmp_path / bundle.BUNDLE_FILE).read_text())
    described["preprocessing"]["resize_mode"] = "squash"
    (tmp_path / bundle.BUNDLE_FILE).write_text(json.dumps(described))
    with pytest.raises(BundleCorrupt, match="fingerprint does not match"):
        bundle.verify_files(tmp_path, bundle.load_info(tmp_path))


def test_the_fingerprint_tells_embeddings_apart_and_nothing_else(tmp_path: Path) -> None:
    first = sealed(tmp_path / "first").fingerprint
    assert sealed(tmp_path / "other notes", metrics={"accuracy": 1.0}).fingerprint == first
    shutil.copytree(tmp_path / "first", tmp_path / "weights")
    (tmp_path / "weights" / bundle.WEIGHTS_FILE).write_text("others")
    others = [
        sealed(tmp_path / "weights"),
        sealed(tmp_path / "size", preprocessing=Preprocessing((9, 9), (0.5,) * 3, (0.5,) * 3)),
        sealed(tmp_path / "text", text=TextSettings(9, 0, True, "lower")),
    ]
    assert len({first, *(info.fingerprint for info in others)}) == 4


def test_the_report_may_be_changed(tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "training.json").write_text("{}")
    info = sealed(tmp_path)
    (tmp_path / "report" / "training.json").write_text("notes of ours")
    bundle.verify_files(tmp_path, info)


def test_no_bundle_there(tmp_path: Path) -> None:
    with pytest.raises(BundleNotFound, match="next step: python -m embedder train"):
        bundle.load_info(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"format_version": 1}', "\x00", '{"format_version": 1, "dim": []}']
)
def test_an_unreadable_seal(tmp_path: Path, text: str) -> None:
    (tmp_path / bundle.BUNDLE_FILE).write_text(text)
    with pytest.raises(BundleCorrupt, match="next step"):
        bundle.load_info(tmp_path)


def test_another_format_version(tmp_path: Path) -> None:
    sealed(tmp_path)
    described = json.loads((tmp_path / bundle.BUNDLE_FILE).read_text())
    (tmp_path / bundle.BUNDLE_FILE).write_text(json.dumps({**described, "format_version": 99}))
    with pytest.raises(BundleCorrupt, match="format version 99; permitted: 1, 2; next step"):
        bundle.load_info(tmp_path)


@pytest.mark.parametrize("damage", [bundle.WEIGHTS_FILE, bundle.TOKENIZER_FILE, bundle.IMAGE_ONNX, "heads.safetensors"])
@pytest.mark.parametrize("how", ["truncated", "emptied", "one bit"])
def test_a_damaged_bundle_does_not_open(trained_bundle: Path, tmp_path: Path, damage: str, how: str) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(trained_bundle, folder, copy_function=os.link)
    content = bytearray((folder / damage).read_bytes())
    if how == "one bit":
        content[len(content) // 2] ^= 1
    (folder / damage).unlink()
    (folder / damage).write_bytes(
        b"" if how == "emptied" else content if how == "one bit" else content[: len(content) // 2]
    )
    with pytest.raises(BundleCorrupt, match=f"{damage} has SHA-256"):
        open_encoder(folder, device="cpu")


def test_a_replacement_that_fails_leaves_the_old(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    sealed(target)

    def write_half() -> None:
        with bundle.replace_folder(target) as folder:
            (folder / "half").write_text("")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    bundle.verify_files(target, bundle.load_info(target))
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_replacement_leaves_nothing_of_the_old(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    sealed(target)
    with bundle.replace_folder(target) as folder:
        (folder / "new").write_text("")
    assert [path.name for path in target.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


OPEN_CLIP_ALONE = """
import sys, json, numpy, open_clip, torch
model, _, preprocess = open_clip.create_model_and_transforms("local-dir:.")
tokenizer = open_clip.get_tokenizer("local-dir:.")
model.eval()
from PIL import Image
with torch.no_grad():
    texts = model.encode_text(tokenizer(["red ball", "blue box"]), normalize=True)
    images = model.encode_image(preprocess(Image.open(sys.argv[1]).convert("RGB"))[None], normalize=True)
assert not [name for name in sys.modules if name.partition(".")[0] in ("embedder", "indexer", "server")]
print(json.dumps([texts.tolist(), images.tolist()]))
"""


@pytest.mark.parametrize("kind", ["trained_bundle", "tiny_bundle"])
def test_open_clip_alone_loads_a_bundle_and_makes_its_embeddings(
    request: pytest.FixtureRequest, drawn_catalog: Path, tmp_path: Path, kind: str
) -> None:
    import numpy as np
    from PIL import Image

    # Moved, so that nothing of its making can be in its files.
    folder = tmp_path / "moved"
    shutil.copytree(request.getfixturevalue(kind), folder)
    picture = drawn_catalog.parent / "0000.png"
    done = subprocess.run(
        [sys.executable, "-I", "-c", OPEN_CLIP_ALONE, str(picture)],
        cwd=folder,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    texts, images = (np.asarray(part) for part in json.loads(done.stdout.splitlines()[-1]))
    encoder = open_encoder(folder, device="cpu")
    words = encoder.run_tokens(encoder.tokenize(["red ball", "blue box"])).embeddings
    shown = encoder.run_pixels(encoder.preprocess([Image.open(picture).convert("RGB")])).embeddings
    assert ((words * texts).sum(axis=1) >= 0.9999).all()
    assert ((shown * images).sum(axis=1) >= 0.9999).all()
