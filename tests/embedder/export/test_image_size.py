"""The side of the input follows how large a catalog's pictures are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embedder.catalogs.product import Product, ProductPicture
from embedder.export.image_size import base_image_size, fitting_image_size, why_image_size
from embedder.inputs.picture import DrawnPicture, PictureBytes, PictureFile, PicturePixels
from tests.conftest import draw_product
from tests.embedder.conftest import encoded


def pixels(*sides: int) -> list[Product]:
    return [
        Product(str(number), "", (ProductPicture(PicturePixels(np.zeros((side, side * 2), dtype=np.uint8))),))
        for number, side in enumerate(sides)
    ]


@pytest.mark.parametrize(
    ("sides", "size"),
    [([28] * 9, 96), ([10] * 9, 96), ([40] * 9, 128), ([64] * 9, 192), ([500] * 9, 224), ([28, 28, 28, 900, 900], 96)],
)
def test_the_input_side_fits_the_pictures(sides: list[int], size: int) -> None:
    assert fitting_image_size(pixels(*sides), 224) == size


def test_drawn_pictures_are_looked_at_too() -> None:
    drawn = DrawnPicture(lambda: np.zeros((40, 60), dtype=np.uint8), "black")
    assert fitting_image_size([Product("d", "", (ProductPicture(drawn),))], 224) == 128


def test_pictures_in_files_are_looked_at_too(tmp_path: Path) -> None:
    draw_product("ellipse", "red", 0, side=40).save(tmp_path / "small.png")
    large = Product(
        "l", "", (ProductPicture(PictureBytes(encoded(draw_product("ellipse", "red", 0, side=600), "JPEG"))),)
    )
    assert fitting_image_size([Product("s", "", (ProductPicture(PictureFile(tmp_path / "small.png")),))], 224) == 128
    assert fitting_image_size([large], 224) == 224


def test_unreadable_pictures_do_not_decide(tmp_path: Path) -> None:
    bad = Product("b", "", (ProductPicture(PictureFile(tmp_path / "nowhere.png")),))
    assert fitting_image_size([bad], 224) == 224
    assert fitting_image_size([bad, *pixels(28)], 224) == 96
    assert fitting_image_size([], 224) == 224


@pytest.mark.parametrize(("model", "largest"), [("starter", 224), ("starter-lite1", 240), ("starter-lite2", 260)])
def test_each_starter_has_the_side_it_was_trained_on_for_a_limit(model: str, largest: int) -> None:
    assert base_image_size(model, None, pixels(500)) == largest
    assert base_image_size(model, None, pixels(28)) == 96
    assert base_image_size(model, 64, pixels(500)) == 64
    assert why_image_size(model, None, largest).endswith(f"in steps of 32, 96 to {largest}")
    assert why_image_size(model, 64, 64) == "as asked"


def test_other_models_keep_their_own_side() -> None:
    assert base_image_size("ViT-B-32/openai", None, pixels(28)) is None
    assert why_image_size("ViT-B-32/openai", None, 224) == "the model's own"
