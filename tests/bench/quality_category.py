"""How right the fused category is about products never seen, how sure, and whether it notices what is not in the catalog.

Baselines: each witness alone. Bars, over 121 categories of stamps, pooled over five folds: accuracy 0.80, debiased
calibration error 0.05; fused never more than half a point below its best witness; on Fashion-MNIST a calibration error of
0.015 on the official test pictures; and trained without two of its ten categories, test pictures of these are told from
the others by the probability that they are in the catalog: AUROC 0.90, mean of five fixed pairs. Short: one fold at 64 px,
one pair, and fewer pictures.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torchmetrics.functional.classification import binary_auroc

from embedder.catalogs.loading import load_catalog
from embedder.catalogs.product import Product
from embedder.catalogs.registry import open_catalog
from embedder.evaluation.reliability import Reliability, measure_reliability
from embedder.inputs.picture import PictureFile, PicturePixels, decode_picture
from tests.bench.answering import Judgements, answering, judge, picture_query
from tests.bench.bars import Bars, arguments
from tests.bench.prepared import command, sibling_keys
from tests.bench.quality_tuxpaint import CATALOG as STAMPS
from tests.bench.quality_tuxpaint import share_of

FOLDS = 5
FASHION = "fashion-mnist"
PAIRS = ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9))
"""Left out together: the categories in alphabetical order, by number."""

_PAIR_TESTED, _SHORT_TESTED = 1_000, 400
_PAIR_PRODUCTS, _SHORT_PRODUCTS = 12_000, 2_000


def main() -> None:
    """Train, index, ask, report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    cache = flags.data / "cache"
    stamps(bars, cache, flags.short)
    fashion_mnist(bars, cache, flags.short)
    left_out(bars, cache, flags.short)
    bars.report("Categories: three witnesses together, on products never seen")


def stamps(bars: Bars, cache: Path, short: bool) -> None:
    """Five folds of groups of siblings; each fold asks a catalog of the others."""
    products = list(load_catalog(open_catalog(STAMPS)).products)
    keys = sibling_keys(products, cache)
    parts: list[Judgements] = []
    truth: list[str] = []
    for fold in range(1 if short else FOLDS):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            asked = [product for product, key in zip(products, keys, strict=True) if _fold(key) == fold]
            catalog = _write_fold(products, keys, fold, folder / "fold.jsonl")
            size = ["--image-size", "64"] if short else []
            _train(cache, folder / "bundle", "--catalog", str(catalog), "--allow-outside-pictures", *size)
            with answering(
                folder / "bundle", str(catalog), folder / "index", cache, "--allow-outside-pictures"
            ) as served:
                queries = (picture_query(decode_picture(p.pictures[0].source).image) for p in asked)
                parts.append(judge(served, queries))
                truth += [product.category or "" for product in asked]
    together = _joined(parts)
    fused = _report(bars, "stamps", together, truth)
    bars.row("stamps: queries; of a category that the fold lacks", f"{len(truth):,}; {_lacking(together, truth):.3f}")
    bars.at_least("category_stamps_accuracy", fused.accuracy, 0.80)
    bars.at_most("category_stamps_calibration_error", fused.debiased_error, 0.05)


def fashion_mnist(bars: Bars, cache: Path, short: bool) -> None:
    """The official test pictures, asked of an index of training products."""
    tested = _tested(_SHORT_TESTED if short else None)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        size = ["--max-products", str(_SHORT_PRODUCTS)] if short else []
        _train(cache, folder / "bundle", "--catalog", FASHION, *size)
        limit = "2000" if short else "20000"
        with answering(
            folder / "bundle", FASHION, folder / "index", cache, "--split", "train", "--limit", limit
        ) as served:
            found = judge(served, (picture_query(decode_picture(p.pictures[0].source).image) for p in tested))
    fused = _report(bars, "Fashion-MNIST", found, [product.category or "" for product in tested])
    bars.at_most("category_fashion_mnist_calibration_error", fused.expected_error, 0.03 if short else 0.015)


def left_out(bars: Bars, cache: Path, short: bool) -> None:
    """Trained on eight of ten categories; test pictures of all ten."""
    everything = list(load_catalog(open_catalog(FASHION)).products)
    names = sorted({product.category or "" for product in everything})
    tested = _tested(_SHORT_TESTED if short else _PAIR_TESTED)
    areas: dict[str, list[float]] = {}
    for pair in PAIRS[:1] if short else PAIRS:
        strange = {names[place] for place in pair}
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            most = _SHORT_PRODUCTS if short else _PAIR_PRODUCTS
            catalog = _write_pictures(
                [p for p in everything if p.split == "train" and p.category not in strange][:most], folder
            )
            _train(cache, folder / "bundle", "--catalog", str(catalog), "--image-size", "64")
            with answering(folder / "bundle", str(catalog), folder / "index", cache) as served:
                found = judge(served, (picture_query(decode_picture(p.pictures[0].source).image) for p in tested))
        here = torch.tensor([int(product.category not in strange) for product in tested])
        for name, values in (("in catalog", found.known), ("max softmax", found.found["head"][1])):
            areas.setdefault(name, []).append(float(binary_auroc(torch.from_numpy(values), here)))
    means = {name: float(np.mean(values)) for name, values in areas.items()}
    bars.row(
        "two categories left out, AUROC of the others",
        f"{means['in catalog']:.4f}",
        f"max softmax {means['max softmax']:.4f}",
    )
    bars.row("... by pair", ", ".join(f"{value:.3f}" for value in areas["in catalog"]))
    bars.at_least("category_not_in_catalog_auroc", means["in catalog"], 0.90)


def _report(bars: Bars, name: str, found: Judgements, truth: Sequence[str]) -> Reliability:
    accuracies = {witness: float(found.right(witness, truth).mean()) for witness in found.found}
    beside = ", ".join(f"{witness} {value:.4f}" for witness, value in accuracies.items() if witness != "fused")
    bars.row(f"{name}: accuracy", f"{accuracies['fused']:.4f}", beside)
    measured = measure_reliability(found.found["fused"][1], found.right("fused", truth))
    head = measure_reliability(found.found["head"][1].clip(0, 1), found.right("head", truth))
    bars.row(
        f"{name}: calibration error, debiased / 15 equal bins",
        f"{measured.debiased_error:.4f} / {measured.expected_error:.4f}",
        f"head {head.debiased_error:.4f} / {head.expected_error:.4f}; perfect {measured.by_chance:.4f}",
    )
    bars.row(f"{name}: mean probability", f"{measured.confidence:.4f}")
    best = max(value for witness, value in accuracies.items() if witness != "fused")
    bars.at_least(
        f"category_{name.lower().replace('-', '_')}_gain_over_best_witness", accuracies["fused"] - best, -0.005
    )
    return measured


def _train(cache: Path, out: Path, *flags: str) -> None:
    command("embedder", "train", "--out", str(out), "--cache-dir", str(cache), *flags)


def _tested(most: int | None) -> list[Product]:
    return [product for product in load_catalog(open_catalog(FASHION)).products if product.split == "test"][:most]


def _fold(key: str) -> int:
    return int(share_of(f"fold {key}") * FOLDS)


def _write_fold(products: Sequence[Product], keys: Sequence[str], fold: int, path: Path) -> Path:
    """The other folds' products, of which an eighth validates."""
    with path.open("w", encoding="utf-8") as file:
        for product, key in zip(products, keys, strict=True):
            source = product.pictures[0].source
            assert isinstance(source, PictureFile)
            if _fold(key) != fold:
                split = "validation" if share_of(f"{fold} held {key}") < 0.125 else "train"
                row = {
                    "id": product.id, "title": product.title, "category": product.category, "image": str(source.path),
                    "split": split,
                }  # fmt: skip
                file.write(json.dumps(row) + "\n")
    return path


def _write_pictures(products: Sequence[Product], folder: Path) -> Path:
    """Products whose pictures are in memory, as files beside a catalog."""
    path = folder / "catalog.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number, product in enumerate(products):
            source = product.pictures[0].source
            assert isinstance(source, PicturePixels)
            decode_picture(source).image.save(folder / f"{number}.png")
            row = {"id": product.id, "title": product.title, "category": product.category, "image": f"{number}.png"}
            file.write(json.dumps(row) + "\n")
    return path


def _joined(parts: Sequence[Judgements]) -> Judgements:
    found = {
        name: tuple(np.concatenate([part.found[name][place] for part in parts]) for place in (0, 1))
        for name in parts[0].found
    }
    return Judgements(found, np.concatenate([part.known for part in parts]))  # type: ignore[arg-type]


def _lacking(found: Judgements, truth: Sequence[str]) -> float:
    """Share of the queries whose category no fold's catalog of theirs has; none can be right about these."""
    counts: dict[str, int] = {}
    for category in truth:
        counts[category] = counts.get(category, 0) + 1
    return float(np.mean([counts[category] == 1 for category in truth])) if len(found.known) else 0.0


if __name__ == "__main__":
    main()
