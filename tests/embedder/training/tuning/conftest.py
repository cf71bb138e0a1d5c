"""A small convolutional dual encoder with random weights, and a drawn catalog's products, ready to be tuned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from embedder.catalogs.product import Product, ProductPicture
from embedder.encoder import Encoder, open_encoder
from embedder.export.onnx import write_bundle
from embedder.inputs.picture import PicturePixels
from embedder.inputs.pixels import PixelReader
from embedder.towers.dual_encoder import load_folder
from embedder.towers.projection import Projection, split
from embedder.towers.sources import load_model
from embedder.training.heads.attribute_labels import AttributeLabels
from embedder.training.heads.captions import Captions
from embedder.training.instance.whitening import LevelSamples, fit_instance
from embedder.training.settings import TuneSettings
from embedder.training.tuning.batches import Batches
from embedder.training.tuning.loop import Learning, Tuner
from embedder.training.tuning.model import Ends, TunableModel
from embedder.training.tuning.objective import Objective, Teacher
from embedder.training.tuning.pixel_cache import PixelCache
from embedder.training.tuning.processes import Processes
from tests.conftest import COLORS, SHAPES, draw_product
from tests.embedder.towers.test_projection import TEXT, write_folder
from tests.made_once import made_once

CATEGORIES = tuple(SHAPES)
SMALL: dict[str, Any] = {
    "embed_dim": 32,
    "custom_text": True,
    "vision_cfg": {
        "image_size": 32,
        "timm_model_name": "test_efficientnet",
        "timm_pool": "avg",
        "timm_proj": "linear",
        "timm_proj_bias": True,
    },
    "text_cfg": TEXT,
}


def product(number: int, pictures: int = 2) -> Product:
    """One of 16 kinds, in several pictures."""
    import numpy as np

    category, color = CATEGORIES[number % 4], list(COLORS)[number // 4 % 4]
    return Product(
        id=f"p-{number}",
        title=f"{color} {category.split('/')[-1]}",
        category=category,
        pictures=tuple(
            ProductPicture(
                PicturePixels(np.asarray(draw_product(category_shape(category), color, 100 * place + number, 32)))
            )
            for place in range(pictures)
        ),
    )


def category_shape(category: str) -> str:
    return SHAPES[category]


@pytest.fixture(scope="session")
def small_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A convolutional tower with BatchNorm, as small as they come, exported."""

    def export(folder: Path) -> None:
        torch.manual_seed(0)
        write_bundle(load_model(str(write_folder(folder / "model", SMALL))), folder / "bundle")

    return made_once(tmp_path_factory, "small-bundle", export) / "bundle"


@dataclass(slots=True, eq=False)
class Ready:
    """All that a step needs."""

    model: TunableModel
    learning: Learning
    encoder: Encoder

    def tuner(self) -> Tuner:
        return Tuner(self.model, self.learning, Processes("cpu"))


PRODUCTS = 16


@pytest.fixture(scope="session")
def opened(small_bundle: Path) -> tuple[Encoder, list[Product], Captions, tuple[Projection, Projection]]:
    """The small model opened, products, their captions, and the model's own projections."""
    encoder = open_encoder(small_bundle, "onnx", device="cpu")
    items = [product(number) for number in range(PRODUCTS)]
    whole = load_folder(small_bundle)
    return encoder, items, Captions(encoder, items), (split(whole, "image")[1], split(whole, "text")[1])


@pytest.fixture
def ready(
    small_bundle: Path, opened: tuple[Encoder, list[Product], Captions, tuple[Projection, Projection]]
) -> Callable[..., Ready]:
    """Makes a model and what it learns from, always the same."""

    def make(attributes: Sequence[AttributeLabels] = (), **changed: Any) -> Ready:
        settings = TuneSettings(**{"what": "full", "products": 8, "rehearsed": 3, **changed})
        encoder, items, captions, (image, text) = opened
        items = [replace(item, attributes={"color": item.title.split()[0]}) for item in items]
        products = len(items)
        dual = load_folder(small_bundle)
        generator = torch.Generator().manual_seed(1)
        head = (torch.randn(len(CATEGORIES), 32, generator=generator), torch.zeros(len(CATEGORIES)))
        widths = encoder.info.level_widths
        levels = torch.randn(3 * products, sum(widths), generator=generator).numpy()
        owners = torch.arange(products).repeat(3).numpy()
        instance = fit_instance(LevelSamples(levels, owners, widths), 8)
        model = TunableModel(
            dual, Ends(image, text, head, instance), attribute_sizes=[len(labels.values) for labels in attributes]
        )
        pixels = PixelCache(PixelReader(encoder.preprocessing), 32, 2**26)
        words = torch.nn.functional.normalize(text(captions.generic), dim=1)
        seen = encoder.encode_images([draw_product("ellipse", "red", 1)] * products)
        rehearsal = torch.nn.functional.normalize(torch.randn(6, 32, generator=generator), dim=1)
        teacher = Teacher(torch.from_numpy(seen), words, captions.generic, image.weight, text.weight, rehearsal)
        learning = Learning(
            batches=Batches(items, CATEGORIES, captions, pixels, settings, 0.8, 3, attributes),
            objective=Objective(settings, teacher),
            rehearsal=torch.randint(0, 256, (6, 3, 32, 32), dtype=torch.uint8, generator=generator),
            tokens=torch.from_numpy(encoder.tokenize(captions.texts).ids) if settings.text_tower else None,
            mean=encoder.preprocessing.mean,
            deviation=encoder.preprocessing.std,
            settings=settings,
            seed=3,
        )
        return Ready(model, learning, encoder)

    return make
