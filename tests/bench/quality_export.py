"""What int8 costs and gains, for each tower, on studio products that neither training nor export has seen.

Baseline: the same towers in fp32. Bars, text tower: median time of one short text on one thread 0.6 of fp32's, size 0.3,
recall@10 of titles at most half a point lower. The image tower is reported, and served in int8 only where the export found
that it loses no more than half a point. Short: 700 products at 96 px.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from embedder import bundle
from embedder.catalogs.captions import title_of
from embedder.catalogs.loading import load_catalog
from embedder.catalogs.product import Product
from embedder.catalogs.registry import open_catalog
from embedder.encoder import Encoder, open_encoder
from embedder.inputs.picture import decode_picture
from embedder.inputs.street_views import street_view
from embedder.precision import PRECISIONS, Precision, graph_file
from tests.bench.bars import Bars, arguments
from tests.bench.prepared import command, short_views
from tests.bench.tuned import train

PRODUCTS, SHORT_PRODUCTS = 6_000, 700
SEED = 33
SIDE, SHORT_SIDE = 160, 96
GALLERY, TITLES, PHOTOS = 3_000, 2_000, 500
_TIMED = 200


def main() -> None:
    """Train, export, measure, report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    catalog = f"studio:products={SHORT_PRODUCTS if flags.short else PRODUCTS},seed={SEED}"
    cache = str(flags.data / "cache")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "bundle"
        if flags.model is None:
            trained = folder
            train(
                "--catalog", catalog, "--model", "starter", "--image-size", str(SHORT_SIDE if flags.short else SIDE),
                "--out", str(folder), "--cache-dir", cache, "--tune", "projection",
                *short_views(flags.short, Path(temporary)),
            )  # fmt: skip
        else:
            trained = flags.model
        command(
            "embedder", "export", "--model", str(trained), "--out", str(folder), "--catalog", catalog, "--cache-dir",
            cache,
        )  # fmt: skip
        info = bundle.load_info(folder)
        encoders = {
            name: open_encoder(folder, "onnx", threads=1, device="cpu", text_threads=1, precision=name)
            for name in PRECISIONS
        }
        sizes = {
            (tower, name): (folder / graph_file(tower, name)).stat().st_size
            for tower in ("image", "text")
            for name in PRECISIONS
        }
    products = [product for product in load_catalog(open_catalog(catalog)).products if product.split == "test"][
        :GALLERY
    ]
    images = [decode_picture(product.pictures[0].source).image for product in products]
    photos = [street_view(image, "street", number) for number, image in enumerate(images[:PHOTOS])]
    titles = list(dict.fromkeys(title_of(product) for product in products))[:TITLES]
    texts = text_recall(encoders, products, images, titles)
    pictures = {name: photo_recall(encoder, images, photos) for name, encoder in encoders.items()}
    pixels = encoders["fp32"].preprocess(images[:1])
    tokens = [encoders["fp32"].tokenize([title]) for title in titles[:_TIMED]]
    times = {
        "text": timed({name: lambda n, e=encoder: e.run_tokens(tokens[n % len(tokens)]) for name, encoder in encoders.items()}),
        "image": timed({name: lambda n, e=encoder: e.run_pixels(pixels) for name, encoder in encoders.items()}),
    }  # fmt: skip
    for tower, recall, what in (("text", texts, "titles, recall@10"), ("image", pictures, "photos, recall@1")):
        for name in PRECISIONS:
            bars.row(
                f"{tower} tower, {name}: {what}; ms; MB",
                f"{recall[name]:.4f}; {times[tower][name]:.2f}; {sizes[tower, name] / 1e6:.1f}",
                f"{recall['fp32']:.4f}; {times[tower]['fp32']:.2f}; {sizes[tower, 'fp32'] / 1e6:.1f}",
            )
        bars.row(f"{tower} tower: served by default", info.precisions[tower].serve, info.precisions[tower].why)
    bars.row("titles; photos; gallery", f"{len(titles):,}; {len(photos):,}; {len(products):,}")
    bars.at_most("export_text_int8_time_ratio", times["text"]["int8"] / times["text"]["fp32"], 0.6)
    bars.at_most("export_text_int8_size_ratio", sizes["text", "int8"] / sizes["text", "fp32"], 0.3)
    bars.at_most("export_text_int8_recall_loss", texts["fp32"] - texts["int8"], 0.005)
    served = info.precisions["image"].serve
    bars.at_most("export_image_served_recall_loss", pictures["fp32"] - pictures[served], 0.005)
    bars.report("studio: towers in other precisions, on products never seen")


def text_recall(
    encoders: dict[Precision, Encoder], products: list[Product], images: list, titles: list[str]
) -> dict[Precision, float]:
    """Titles that find a product of theirs among ten, whose pictures are embedded in fp32."""
    base = encoders["fp32"]
    gallery = np.concatenate(
        [base.run_pixels(base.preprocess(images[start : start + 64])).embeddings for start in range(0, len(images), 64)]
    )
    owners = np.asarray([title_of(product) for product in products], dtype=object)
    wanted = np.asarray(titles, dtype=object)[:, None]
    found = {}
    for name, encoder in encoders.items():
        scores = encoder.semantic_texts(titles) @ gallery.T
        nearest = np.argsort(-scores, axis=1, kind="stable")[:, :10]
        found[name] = float((owners[nearest] == wanted).any(axis=1).mean())
    return found


def photo_recall(encoder: Encoder, images: list, photos: list) -> float:
    """Photos that find their product first, both in one precision."""
    queries = encoder.space.queries(encoder.encode_images(photos))[0]
    return float(((queries @ encoder.encode_images(images).T).argmax(axis=1) == np.arange(len(photos))).mean())


def timed(calls: dict[Precision, Callable[[int], object]]) -> dict[Precision, float]:
    """Median milliseconds of each call, in turn."""
    times: dict[Precision, list[float]] = {name: [] for name in calls}
    for number in range(_TIMED):
        for name, call in calls.items():
            started = time.perf_counter()
            call(number)
            times[name].append(time.perf_counter() - started)
    return {name: 1000 * float(np.median(values[10:])) for name, values in times.items()}


if __name__ == "__main__":
    main()
