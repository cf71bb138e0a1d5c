"""What tuning the towers adds among the ~800 stamps of tuxpaint, on products that nothing was learnt from.

Splits, views and gallery are those of `quality_tuxpaint`; the baseline is the closed form behind frozen towers. Bars: the
misses of "street" views cut by a quarter; category accuracy over 121 categories 0.75; titles among the first ten twice as
often as with the untuned starter, and first never less often. Short: one seed, 64 px, one pass, a third of
the queries.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from embedder.bundle import load_info
from embedder.catalogs.loading import load_catalog
from embedder.catalogs.product import Product
from embedder.catalogs.registry import open_catalog
from tests.bench.bars import Bars, arguments
from tests.bench.parts_compared import PartsCompared
from tests.bench.prepared import base_of, sibling_keys
from tests.bench.quality_tuxpaint import CATALOG, SEEDS, decoded, tested_places, view_recall, write_catalog
from tests.bench.tuned import extent, kept_mixture, train

BUDGET = "20m"
SIDE, SHORT_SIDE = 160, 64


def main() -> None:
    """Train both ways and measure for each seed, report means."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    products = list(load_catalog(open_catalog(CATALOG)).products)
    keys = sibling_keys(products, flags.data / "cache")
    found: dict[str, list[float]] = {}
    for seed in SEEDS[:1] if flags.short else SEEDS:
        with tempfile.TemporaryDirectory() as temporary:
            for name, value in measure(products, keys, seed, Path(temporary), flags.data, flags.short).items():
                found.setdefault(name, []).append(value)
    report(bars, {name: float(np.mean(values)) for name, values in found.items()})


def measure(
    products: list[Product], keys: list[str], seed: int, folder: Path, data: Path, short: bool
) -> dict[str, float]:
    """Figures by "WAY FIGURE", of one seed."""
    ways = {
        "frozen": ("--tune", "projection"),
        "tuned": ("--tune", "full", *extent(short, BUDGET, folder)),
    }
    places = tested_places(keys, seed)[:: 3 if short else 1]
    asked = [products[place] for place in places]
    figures: dict[str, float] = {}
    for way, flags in ways.items():
        bundle = folder / way / "bundle"
        train(
            "--catalog", str(write_catalog(products, keys, seed, folder)), "--allow-outside-pictures", "--model", "starter",
            "--seed", str(seed), "--image-size", str(SHORT_SIDE if short else SIDE), "--out", str(bundle), "--cache-dir", str(data / "cache"),
            *flags,
        )  # fmt: skip
        compared = PartsCompared(bundle, base_of(bundle, data / "cache"))
        gallery = compared.embed(decoded(products))
        street = view_recall(compared, "street", seed, places, products, gallery)["both parts"]
        titles = compared.title_recall(asked, products, gallery)
        figures |= {
            f"{way} street recall@1": street.at_1,
            f"{way} street recall@10": street.at_10,
            f"{way} title recall@1": titles["both parts"].at_1,
            f"{way} title recall@10": titles["both parts"].at_10,
            f"{way} category accuracy": compared.category_accuracy(asked, compared.embed(decoded(asked))),
            "untuned title recall@1": titles["untuned"].at_1,
            "untuned title recall@10": titles["untuned"].at_10,
        }
        if way == "tuned":
            kept = kept_mixture(load_info(bundle).training["tuning"])
            figures |= {"retention lost": kept["lost"], "share kept": kept["shares"]["first"]}
    return figures


def report(bars: Bars, means: dict[str, float]) -> None:
    """A row a figure, with frozen towers beside it."""
    for name in ("street recall@1", "street recall@10", "title recall@1", "title recall@10", "category accuracy"):
        beside = f"frozen {means[f'frozen {name}']:.3f}"
        if f"untuned {name}" in means:
            beside += f", untuned {means[f'untuned {name}']:.3f}"
        bars.row(name, f"{means[f'tuned {name}']:.3f}", beside)
    bars.row(
        "share of the tuned weights kept in the first layer; retention lost",
        f"{means['share kept']:.2f}; {means['retention lost']:.4f}",
    )
    misses = (1 - means["tuned street recall@1"]) / max(1e-9, 1 - means["frozen street recall@1"])
    bars.at_most("tuned_tuxpaint_street_misses_ratio", misses, 0.75)
    bars.at_least("tuned_tuxpaint_category_accuracy", means["tuned category accuracy"], 0.75)
    ratio = means["tuned title recall@10"] / max(1e-9, means["untuned title recall@10"])
    bars.at_least("tuned_tuxpaint_title_recall_at_10_ratio", ratio, 2.0)
    gained = means["tuned title recall@1"] - means["untuned title recall@1"]
    bars.at_least("tuned_tuxpaint_title_recall_at_1_gain", gained, 0.0)
    bars.report("tuxpaint stamps, towers tuned, products never seen")


if __name__ == "__main__":
    main()
