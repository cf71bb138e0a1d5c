"""How right a build's report on its catalog is: planted errors in a studio catalog, found and not, and what it costs.

Planted: 2 % wrong categories, 2 % copies (of a path, a link, a file), 1 % copies encoded again. A model is trained on the
catalog, errors and all, and the catalog is indexed with it. Bars, for each of the three: precision 0.90, recall 0.80.
Short: fewer products.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Hashable, Mapping
from pathlib import Path
from typing import Any

from embedder.catalogs.registry import open_catalog
from embedder.encoder import open_encoder
from indexer.building.run import BuildResult, build
from indexer.quality.duplicates import DUPLICATE_SET_KEY
from indexer.quality.reporting.report import DATA
from indexer.settings import IndexerSettings
from tests.bench.bars import Bars, arguments
from tests.bench.planted import PlantedCatalog, plant
from tests.bench.prepared import command, short_views

PRODUCTS, SHORT_PRODUCTS = 3_000, 800
SEED = 22
"""Not the seeds that the report's limits were chosen on."""

LEAST_PRECISION, LEAST_RECALL = 0.90, 0.80


def main() -> None:
    """Plant, train, index twice, compare, report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        planted = plant(folder / "shop", SHORT_PRODUCTS if flags.short else PRODUCTS, SEED)
        catalog = f"jsonl:{planted.path}"
        model = flags.model or folder / "bundle"
        if flags.model is None:
            command(
                "embedder", "train", "--catalog", catalog, "--out", str(model), "--minutes", "1" if flags.short else "2",
                "--cache-dir", str(flags.data / "cache"), *short_views(flags.short, folder),
            )  # fmt: skip
        first, again = (_build(catalog, model, folder) for _ in range(2))
        found = json.loads((folder / "quality" / DATA).read_text(encoding="utf-8"))
        marked = _marked(folder, planted)
    sets = found["duplicates"]["sets"]
    suspects = [item["product_id"] for item in found["doubtful_categories"]["products"]]
    _compare(bars, "wrong_categories", suspects, planted.wrong)
    _compare(bars, "copies", _pairs(sets, identical=True), planted.copied)
    _compare(bars, "encoded_again", _pairs(sets, identical=False), planted.encoded)
    bars.row("planted pairs that bear one key in the index", f"{marked:.3f}")
    bars.row("products; sets; doubtful", f"{planted.products:,}; {len(sets):,}; {len(suspects):,}")
    for name, result in (("first build", first), ("second, from the cache", again)):
        assert result.quality is not None
        bars.row(
            f"{name}: duplicates, report, s",
            f"{result.duplicates_s:.2f}, {result.quality.elapsed_s:.2f}",
            f"build {result.elapsed_s:.1f}",
        )
        cost = (result.duplicates_s + result.quality.elapsed_s) / result.elapsed_s
        bars.row(f"{name}: share of the build", f"{cost:.3f}")
    bars.row("second build finds the same", str(_same(first, again)))
    bars.report("A report on a catalog with planted errors")


def _build(catalog: str, model: Path, folder: Path) -> BuildResult:
    settings = IndexerSettings(store=f"edge:{folder / 'index'}", cache_dir=folder / "cache", device="cpu")
    return build(
        open_catalog(catalog),
        open_encoder(model, device="cpu"),
        settings.open_store(),
        settings,
        folder / "rejects.jsonl",
        quality_folder=folder / "quality",
    )


def _pairs(sets: list[Mapping[str, Any]], identical: bool) -> set[frozenset[str]]:
    """All pairs of products within the sets of one kind."""
    found = set()
    for item in sets:
        ids = [product["product_id"] for product in item["products"]]
        if item["identical"] is identical:
            found |= {frozenset((one, other)) for one in ids for other in ids if one < other}
    return found


def _compare(bars: Bars, name: str, found: Collection[Hashable], planted: Collection[Hashable]) -> None:
    right = len(set(found) & set(planted))
    precision, recall = right / max(1, len(found)), right / max(1, len(planted))
    bars.row(f"{name.replace('_', ' ')}: found, of these planted", f"{len(found)}, {right}", f"planted {len(planted)}")
    bars.at_least(f"catalog_report_{name}_precision", precision, LEAST_PRECISION)
    bars.at_least(f"catalog_report_{name}_recall", recall, LEAST_RECALL)


def _marked(folder: Path, planted: PlantedCatalog) -> float:
    """Share of the planted pairs whose products bear one key in the live index."""
    reader = IndexerSettings(store=f"edge:{folder / 'index'}").open_store().open()
    try:
        held = 0
        pairs = planted.copied | planted.encoded
        for pair in pairs:
            stored = [reader.fetch(product_id) for product_id in pair]
            keys = {None if item is None else item.payload.get(DUPLICATE_SET_KEY) for item in stored}
            held += len(keys) == 1 and None not in keys
        return held / len(pairs)
    finally:
        reader.close()


def _same(first: BuildResult, again: BuildResult) -> bool:
    assert first.quality is not None
    assert again.quality is not None
    return first.duplicates == again.duplicates and first.quality.counts == again.quality.counts


if __name__ == "__main__":
    main()
