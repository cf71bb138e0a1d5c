"""What tuning the towers adds on the studio: another hand's view, on products and shapes that nothing was learnt from.

Catalog, gallery and queries are those of `quality_studio`; the baseline is the closed form behind frozen towers. Bars:
recall@1 0.90, recall@10 0.98; titles first never less often than with the untuned starter; the retention suite loses 0.02
at most, and 0.9 of the gain is kept. Short: 500 products, 64 px, one pass.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from embedder.catalogs.loading import load_catalog
from embedder.catalogs.product import Product
from embedder.catalogs.registry import open_catalog
from embedder.evaluation.gallery import Recall
from tests.bench.bars import Bars, arguments
from tests.bench.parts_compared import PartsCompared
from tests.bench.prepared import base_of, sibling_keys
from tests.bench.quality_studio import PRODUCTS, QUERIES, SEED, decoded
from tests.bench.tuned import extent, report_guard, train

SIDE, SHORT_SIDE = 160, 64
BUDGET = "40m"
SHORT_PRODUCTS = 500


def main() -> None:
    """Train both ways, measure, report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    catalog = f"studio:products={SHORT_PRODUCTS if flags.short else PRODUCTS},seed={SEED},views=clean+other"
    products = list(load_catalog(open_catalog(catalog)).products)
    keys = sibling_keys(products, flags.data / "cache")
    learnt = {key for product, key in zip(products, keys, strict=True) if product.split != "test"}
    tested = [product for product in products if product.split == "test"]
    apart = {product.id for product, key in zip(products, keys, strict=True) if key not in learnt}
    places = [place for place, product in enumerate(tested) if product.id in apart][:QUERIES]
    common = [
        "--catalog",
        catalog,
        "--model",
        "starter",
        "--image-size",
        str(SHORT_SIDE if flags.short else SIDE),
        "--cache-dir",
        str(flags.data / "cache"),
    ]
    with tempfile.TemporaryDirectory() as temporary:
        frozen, tuned = Path(temporary) / "frozen", flags.model or Path(temporary) / "tuned"
        train(*common, "--out", str(frozen), "--tune", "projection")
        if flags.model is None:
            train(*common, "--out", str(tuned), "--tune", "full", *extent(flags.short, BUDGET, Path(temporary)))
        pictures, titles = {}, {}
        for way, folder in (("frozen", frozen), ("tuned", tuned)):
            compared = PartsCompared(folder, base_of(folder, flags.data / "cache"))
            pictures[way], titles[way] = measure(compared, places, tested)
        for name, found in (("other hand", pictures), ("title", titles)):
            beside = ", ".join(
                f"{way} {_both(found['frozen'][key])}"
                for way, key in (("frozen", "both parts"), ("untuned", "untuned"))
            )
            bars.row(f"{name}: recall@1 / @10", _both(found["tuned"]["both parts"]), beside)
        bars.row("gallery; queries", f"{len(tested):,}; {len(places):,}")
        report_guard(bars, tuned, "tuned_studio")
    bars.at_least("tuned_studio_other_hand_recall_at_1", pictures["tuned"]["both parts"].at_1, 0.90)
    bars.at_least("tuned_studio_other_hand_recall_at_10", pictures["tuned"]["both parts"].at_10, 0.98)
    gained = titles["tuned"]["both parts"].at_1 - titles["tuned"]["untuned"].at_1
    bars.at_least("tuned_studio_title_recall_at_1_gain", gained, 0.0)
    bars.report("studio, towers tuned: another hand's view of products and shapes never seen")


def measure(
    compared: PartsCompared, places: list[int], tested: list[Product]
) -> tuple[dict[str, Recall], dict[str, Recall]]:
    """Recall of other hands' pictures and of titles, by way."""
    gallery = compared.embed(decoded(product.pictures[0].source for product in tested))
    queries = compared.embed(decoded(tested[place].pictures[1].source for place in places))
    found = compared.picture_recall(queries, places, tested, gallery)
    return found, compared.title_recall([tested[place] for place in places], tested, gallery)


def _both(recall: Recall) -> str:
    return f"{recall.at_1:.3f} / {recall.at_10:.3f}"


if __name__ == "__main__":
    main()
