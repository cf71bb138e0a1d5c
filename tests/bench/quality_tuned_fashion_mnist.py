"""How good the starter is on Fashion-MNIST's official test pictures once its image tower is tuned, on two CPU cores.

Baseline: published figures of fine-tuned CLIP ViT-B/32, 0.9475, and ViT-L/14, 0.9528, 30 to 90 times larger. Bars, for the
bundle that the guard keeps: category accuracy 0.9475; category by the ten titles alone, macro F1, 0.93; two hours at most;
the retention suite loses 0.02 at most, and 0.9 of the gain is kept. The settings are `tests/bench/fashion_mnist.toml`.
Short: 2,000 products, one pass.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torchmetrics.functional.classification import multiclass_f1_score

from embedder.catalogs.captions import title_of
from embedder.catalogs.loading import load_catalog
from embedder.catalogs.registry import open_catalog
from embedder.encoder import open_encoder
from embedder.inputs.picture import decode_picture
from tests.bench.bars import Bars, arguments
from tests.bench.prepared import CATALOG, command
from tests.bench.tuned import report_guard, train

SIDE = 64
BUDGET = "110m"
SETTINGS = Path(__file__).with_name("fashion_mnist.toml")


def main() -> None:
    """Train, measure, report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    cache = str(flags.data / "cache")
    with tempfile.TemporaryDirectory() as temporary:
        folder = flags.model or Path(temporary) / "bundle"
        started = time.monotonic()
        if flags.model is None:
            size = ["--budget", BUDGET]
            if flags.short:
                short = Path(temporary) / "short.toml"
                short.write_text(
                    SETTINGS.read_text()
                    .replace("passes = 22", "passes = 1")
                    .replace("rehearsal = 10000", "rehearsal = 128")
                )
                size = ["--max-products", "2000", "--config", str(short)]
            config = [] if flags.short else ["--config", str(SETTINGS)]
            train(
                "--catalog", CATALOG, "--model", "starter", "--image-size", str(SIDE), "--out", str(folder),
                "--cache-dir", cache, *config, *size,
            )  # fmt: skip
        minutes = (time.monotonic() - started) / 60
        out = Path(temporary) / "tuned.json"
        sample = ["--max-products", "1000", "--gallery", "2000"] if flags.short else []
        command(
            "embedder", "eval", "--catalog", CATALOG, "--model", str(folder), "--cache-dir", cache, "--json", str(out),
            *sample,
        )  # fmt: skip
        figures = json.loads(out.read_text())
        by_titles = macro_f1_by_titles(folder, 1000 if flags.short else None)
        bars.row("category accuracy", f"{figures['accuracy']:.4f}", "ViT-B/32 0.9475, ViT-L/14 0.9528")
        bars.row("category by titles alone, macro F1", f"{by_titles:.4f}", "published zero-shot 0.83")
        bars.row("minutes of the whole training", f"{minutes:.1f}")
        report_guard(bars, folder, "tuned_fashion_mnist")
    bars.at_least("tuned_fashion_mnist_accuracy", figures["accuracy"], 0.75 if flags.short else 0.9475)
    bars.at_least("tuned_fashion_mnist_titles_macro_f1", by_titles, 0.6 if flags.short else 0.93)
    bars.at_most("tuned_fashion_mnist_minutes", minutes, 120)
    bars.report("Fashion-MNIST test pictures, image tower tuned")


def macro_f1_by_titles(folder: Path, most: int | None) -> float:
    """Category of the test pictures by the nearest of the ten titles, without the head."""
    products = [p for p in load_catalog(open_catalog(CATALOG)).products if p.split == "test"][:most]
    encoder = open_encoder(folder, device="cpu")
    titles = sorted({title_of(product) for product in products})
    words = encoder.run_tokens(encoder.tokenize(titles)).embeddings
    found = []
    for start in range(0, len(products), 256):
        images = [decode_picture(product.pictures[0].source).image for product in products[start : start + 256]]
        found.append(encoder.run_pixels(encoder.preprocess(images)).embeddings @ words.T)
    predicted = torch.from_numpy(np.concatenate(found).argmax(axis=1))
    truth = torch.tensor([titles.index(title_of(product)) for product in products])
    return float(multiclass_f1_score(predicted, truth, num_classes=len(titles), average="macro"))


if __name__ == "__main__":
    main()
