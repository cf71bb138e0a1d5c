"""Changes that another model made are looked at again by the one at hand, as a build would look at them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from embedder.catalogs.product import Product, ProductPicture
from embedder.encoder import Encoder, open_encoder
from embedder.inputs.picture import PictureBytes, PictureLimits
from indexer.changes.change import ChangedProduct
from indexer.changes.reembedding import Reembedder
from tests.conftest import draw_product
from tests.indexer.conftest import unit_rows


@pytest.fixture(scope="module")
def encoder(trained_bundle: Path) -> Encoder:
    return open_encoder(trained_bundle, device="cpu")


def made_by_another(*pictures: bytes, fingerprint: str = "e" * 64) -> ChangedProduct:
    named = tuple(ProductPicture(PictureBytes(data), f"{place}.png") for place, data in enumerate(pictures))
    return ChangedProduct(Product("p", "red ball", named), unit_rows(len(pictures), 0, 8), fingerprint, "0" * 16)


def drawn(seed: int) -> bytes:
    buffer = io.BytesIO()
    draw_product("ellipse", "red", seed).save(buffer, "PNG")
    return buffer.getvalue()


def test_pictures_and_title_are_embedded_as_a_build_does(encoder: Encoder) -> None:
    made = Reembedder(encoder, PictureLimits())(made_by_another(drawn(1), drawn(2)))
    assert made is not None
    images = [draw_product("ellipse", "red", seed) for seed in (1, 2)]
    np.testing.assert_allclose(made.vectors, encoder.encode_images(images), atol=1e-5)
    assert made.title is not None
    np.testing.assert_allclose(made.title, encoder.semantic_texts(["red ball"])[0], atol=1e-5)
    assert (made.fingerprint, made.product.id, made.content) == (encoder.info.fingerprint, "p", "0" * 16)


def test_without_a_readable_picture_nothing_is_made(encoder: Encoder) -> None:
    reembed = Reembedder(encoder, PictureLimits())
    assert reembed(made_by_another(b"")) is None
    assert reembed(made_by_another(drawn(1), b"")) is None
    assert reembed(made_by_another(b"no picture")) is None
    assert reembed(made_by_another(drawn(1))) is not None


def test_vectors_of_the_same_model_stay_and_the_title_is_added(encoder: Encoder) -> None:
    before = made_by_another(b"", fingerprint=encoder.info.fingerprint)
    made = Reembedder(encoder, PictureLimits())(before)
    assert made is not None
    assert made.vectors is before.vectors
    assert made.title is not None
