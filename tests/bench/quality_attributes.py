"""How right attributes are about street views of studio products whose shapes were never seen.

Baseline: zero-shot, the untuned starter's cosines of a picture and the values' names. Bars, macro F1 over the values of
the test products: colour 0.90, pattern 0.90, material 0.80. Beside them the catalog's own pictures and titles, how many
answers are sure, and how right these are. Short: 600 products, 96 px, towers as they are.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from embedder.catalogs.loading import load_catalog
from embedder.catalogs.product import Product
from embedder.catalogs.registry import open_catalog
from embedder.encoder import Encoder, open_encoder
from embedder.evaluation.attributes import MAX_PRODUCTS, AttributeFigures, measure_attributes
from embedder.inputs.picture import decode_picture
from embedder.inputs.pixels import PixelReader
from embedder.recognition.attribute_model import AttributeModel, Attributes, NameWeights
from embedder.recognition.value_names import ValueNames
from tests.bench.bars import Bars, arguments
from tests.bench.prepared import base_of, short_views
from tests.bench.tuned import train

WANTED = {"color": 0.90, "pattern": 0.90, "material": 0.80}
PRODUCTS, SHORT_PRODUCTS = 16_000, 600
SEED = 21
SIDE, SHORT_SIDE = 128, 96
BUDGET = "60m"
_CENTER_PICTURES = 256
_SCALE = 30.0


def main() -> None:
    """Train, measure, report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    catalog = f"studio:products={SHORT_PRODUCTS if flags.short else PRODUCTS},seed={SEED}"
    cache = flags.data / "cache"
    products = list(load_catalog(open_catalog(catalog)).products)
    tested = [product for product in products if product.split == "test"][:MAX_PRODUCTS]
    with tempfile.TemporaryDirectory() as temporary:
        folder = flags.model or Path(temporary) / "bundle"
        if flags.model is None:
            how = ["--tune", "projection", *short_views(True, Path(temporary))] if flags.short else ["--budget", BUDGET]
            side = SHORT_SIDE if flags.short else SIDE
            train(
                "--catalog", catalog, "--model", "starter", "--image-size", str(side), "--out", str(folder),
                "--cache-dir", str(cache), *how,
            )  # fmt: skip
        encoder = open_encoder(folder, device="cpu")
        base = open_encoder(base_of(folder, cache), device="cpu")
        assert encoder.attributes is not None
        learnt = [product for product in products if product.split == "train"][:_CENTER_PICTURES]
        found = _measure(encoder, tested, encoder.attributes)
        names = _measure(base, tested, _by_names(base, encoder.attributes, learnt))
    for (name, asked), figures in found.items():
        beside = names.get((name, asked))
        bars.row(
            f"{name} by {asked}: accuracy, macro F1",
            f"{figures.accuracy:.3f}, {figures.macro_f1:.3f}",
            "" if beside is None or asked == "title" else f"zero-shot {beside.accuracy:.3f}, {beside.macro_f1:.3f}",
        )
        right = "–" if figures.sure_accuracy is None else f"{figures.sure_accuracy:.3f}"
        bars.row(f"{name} by {asked}: sure, right when sure", f"{figures.sure:.3f}, {right}")
        bars.row(f"{name} by {asked}: calibration error", f"{figures.calibration_error:.3f}")
    for name in WANTED:
        if (name, "photo") in found:
            share = found[name, "photo"].unknown
            bars.row(f"{name}: products whose value no training product has", f"{share:.3f}")
    for name, bar in WANTED.items():
        figure = found[name, "photo"].macro_f1 if (name, "photo") in found else 0.0
        bars.at_least(f"attributes_{name}_macro_f1", figure, bar)
    bars.report("studio: attributes of street views of products never seen")


def _measure(
    encoder: Encoder, products: list[Product], attributes: Attributes
) -> dict[tuple[str, str], AttributeFigures]:
    reader = PixelReader(encoder.preprocessing)
    found = measure_attributes(encoder, products, reader=reader, decode_threads=2, attributes=attributes)
    return {(item.name, item.asked): item for item in found}


def _by_names(encoder: Encoder, attributes: Attributes, pictures: list[Product]) -> Attributes:
    """The same attributes and values, told by what they are called alone."""
    images = [decode_picture(product.pictures[0].source).image for product in pictures]
    embedded = np.concatenate(
        [
            encoder.run_pixels(encoder.preprocess(images[start : start + 64])).embeddings
            for start in range(0, len(images), 64)
        ]
    )
    models = []
    for model in attributes.models:
        embeddings = encoder.semantic_texts(model.values)
        names = ValueNames(model.values, embeddings, np.full(len(model.values), 1 / len(model.values), np.float32))
        center = (embedded @ embeddings.T).mean(axis=0)
        models.append(
            AttributeModel(model.name, names, NameWeights(center, _SCALE), model.least_sure, is_calibrated=False)
        )
    return Attributes(tuple(models), (), np.zeros(0, dtype=np.float32))


if __name__ == "__main__":
    main()
