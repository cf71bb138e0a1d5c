"""Pictures and texts become unit vectors, the same ones in ONNX Runtime and in torch, alone and in company."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embedder.encoder import open_encoder
from embedder.errors import BundleNotFound, ModelError
from embedder.inputs.picture import PictureBytes
from tests.conftest import COLORS, SHAPES, draw_product
from tests.embedder.conftest import encoded

IMAGES = [draw_product(shape, color, seed, 80) for seed in (0, 1) for shape in SHAPES.values() for color in COLORS]
TEXTS = ["red ball", "a blue box", "x", "a very long description of a thing that nobody wants, in green, size 42"]


@pytest.fixture(scope="module", params=["starter_bundle", "trained_bundle", "tiny_bundle"])
def folder(request: pytest.FixtureRequest) -> Path:
    """Each kind of bundle: the starter as it is, fine-tuned, and a CLIP of open_clip's own kind."""
    return request.getfixturevalue(request.param)


def cosines(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    assert first.shape == second.shape
    return (first * second).sum(axis=1)


def test_onnx_and_torch_agree(folder: Path) -> None:
    onnx, torch = open_encoder(folder, "onnx"), open_encoder(folder, "torch", device="cpu")
    images = [*IMAGES, Image.new("RGB", (1, 1)), Image.new("RGB", (900, 7), "white")]
    assert cosines(onnx.encode_images(images), torch.encode_images(images)).min() >= 0.9999
    assert cosines(onnx.encode_texts(TEXTS), torch.encode_texts(TEXTS)).min() >= 0.9999
    pixels = onnx.preprocess(images)
    assert np.allclose(onnx.pixel_features(pixels), torch.pixel_features(pixels), atol=1e-3)
    assert np.allclose(onnx.text_features(TEXTS), torch.text_features(TEXTS), atol=1e-3)


@pytest.mark.parametrize("runtime", ["onnx", "torch"])
def test_embeddings_are_unit_vectors(folder: Path, runtime: str) -> None:
    encoder = open_encoder(folder, runtime, device="cpu")
    for embeddings in (encoder.encode_images(IMAGES), encoder.encode_texts(TEXTS)):
        assert embeddings.dtype == np.float32
        assert embeddings.shape[1] == encoder.dim
        assert np.allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)


def test_the_size_of_a_batch_changes_nothing(folder: Path) -> None:
    encoder = open_encoder(folder, device="cpu")
    assert cosines(encoder.encode_images(IMAGES, 1), encoder.encode_images(IMAGES, 64)).min() > 0.999999
    assert cosines(encoder.encode_texts(TEXTS, 1), encoder.encode_texts(TEXTS, 64)).min() > 0.999999


def test_nothing_embeds_to_no_rows(folder: Path) -> None:
    encoder = open_encoder(folder, device="cpu")
    assert encoder.encode_images([]).shape == (0, encoder.dim)
    assert encoder.encode_texts([]).shape == (0, encoder.dim)


def test_threads_share_an_encoder(trained_bundle: Path) -> None:
    encoder = open_encoder(trained_bundle, device="cpu")
    expected = encoder.encode_images(IMAGES)
    with ThreadPoolExecutor(8) as pool:
        rows = list(pool.map(lambda image: encoder.encode_images([image])[0], IMAGES))
        texts = list(pool.map(lambda text: encoder.encode_texts([text])[0], TEXTS * 8))
    assert cosines(np.stack(rows), expected).min() > 0.999999
    assert cosines(np.stack(texts), np.tile(encoder.encode_texts(TEXTS), (8, 1))).min() > 0.999999


def test_a_fine_tuned_model_finds_pictures_by_their_words(trained_bundle: Path) -> None:
    encoder = open_encoder(trained_bundle, device="cpu")
    titles = [f"{color} {category.split('/')[-1]}" for category in SHAPES for color in COLORS]
    pictures = [draw_product(shape, color, 900) for shape in SHAPES.values() for color in COLORS]
    nearest = (encoder.encode_texts(titles) @ encoder.encode_images(pictures).T).argmax(axis=1)
    assert np.mean(nearest == np.arange(len(titles))) >= 0.75


def test_a_large_jpeg_is_decoded_small(trained_bundle: Path) -> None:
    encoder = open_encoder(trained_bundle, device="cpu")
    data = encoded(draw_product("ellipse", "red", 3, side=1600), "JPEG", quality=92)
    image, warnings = encoder.decode(PictureBytes(data))
    assert (image.width <= 800, warnings) == (True, ())
    whole = Image.open(__import__("io").BytesIO(data)).convert("RGB")
    assert cosines(encoder.encode_images([image]), encoder.encode_images([whole])).min() > 0.995


def test_a_bundle_says_what_it_is(trained_bundle: Path, starter_bundle: Path) -> None:
    trained, starter = open_encoder(trained_bundle, device="cpu"), open_encoder(starter_bundle, device="cpu")
    assert trained.info.base == "starter"
    assert trained.info.fingerprint != starter.info.fingerprint
    assert trained.info.training["base_fingerprint"] == starter.info.fingerprint
    assert starter.head is None
    assert trained.head is not None
    assert set(trained.head.categories) == set(SHAPES)


def test_opening_a_bundle_on_a_cpu_imports_neither_torch_nor_open_clip(trained_bundle: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from embedder.encoder import open_encoder\n"
        f"open_encoder(Path({str(trained_bundle)!r}), device='cpu').encode_texts(['boot'])\n"
        "print(sorted({'torch', 'open_clip', 'transformers', 'timm', 'torchvision'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_there_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleNotFound, match="next step"):
        open_encoder(tmp_path)


@pytest.mark.parametrize("device", ["cuda:99", "nonsense"])
def test_a_device_that_is_not_there(tiny_bundle: Path, device: str) -> None:
    with pytest.raises(ModelError, match=f"device '{device}' cannot be used.*permitted: auto, cpu, cuda"):
        open_encoder(tiny_bundle, "torch", device=device)
