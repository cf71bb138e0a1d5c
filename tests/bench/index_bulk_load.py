"""Whether everything else hides behind the encoder: a build's time, end to end, over the encoder's own for the same work.

The encoder's own time is that of decoded pictures and of titles, all different, in batches of the build's size, and
nothing else. The two are run in turn, so that a machine that slows down slows both. The build is as users run it first: it
fills the embedding cache, fits how text queries are ranked and how sure answers are, and makes the version the live one.
Baseline: the encoder's rate. Bar: ratio >= 0.92. Short: 2,000 products, two rounds.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from PIL import Image

from embedder.catalogs.registry import open_catalog
from embedder.encoder import Encoder, open_encoder
from indexer.building.run import BuildResult, build
from indexer.settings import IndexerSettings
from indexer.stores.address import open_store
from tests.bench.bars import Bars, arguments
from tests.bench.prepared import demo_bundle
from tests.bench.titled_catalog import TitledCatalog, write_titled


def main() -> None:
    """Measure, report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    count, rounds = (2_000, 2) if flags.short else (20_000, 3)
    encoder = open_encoder(demo_bundle(flags.data, flags.model), device="cpu", precision="auto")
    own, built, ratios = [], [], []
    with tempfile.TemporaryDirectory() as temporary:
        catalog = write_titled(Path(temporary) / "shop", count)
        encoder_s(encoder, catalog, 256)
        for turn in range(rounds):
            # Before and after: the mean of the two is fair where the machine's speed drifts in between.
            before = encoder_s(encoder, catalog, count)
            built.append(first_build(encoder, catalog, Path(temporary) / str(turn)))
            after = encoder_s(encoder, catalog, count)
            own.append([(one + other) / 2 for one, other in zip(before, after, strict=True)])
            ratios.append(sum(own[-1]) / built[-1].elapsed_s)
    pictures_s, titles_s = (statistics.median(each) for each in zip(*own, strict=True))
    bars.row(
        "products/s, end to end",
        f"{statistics.median(item.products_per_s for item in built):,.0f}",
        f"{count / statistics.median(sum(each) for each in own):,.0f} encoder alone",
    )
    bars.row("encoder alone, s: pictures, titles", f"{pictures_s:.1f}, {titles_s:.1f}")
    middle = sorted(built, key=lambda item: item.elapsed_s)[len(built) // 2]
    bars.row(
        "build, s: outline, stages, sealing",
        f"{middle.outline_s:.1f}, {middle.elapsed_s - middle.outline_s - middle.seal_s:.1f}, {middle.seal_s:.1f}",
    )
    bars.row("  at work", ", ".join(f"{stage.name} {stage.share:.0%}" for stage in middle.stages))
    bars.row("further pictures and texts embedded", f"{middle.further_embedded:,}", "not in the encoder's own time")
    bars.row("ratio, each round", " ".join(f"{ratio:.3f}" for ratio in ratios))
    bars.at_least("index_bulk_load_ratio", statistics.median(ratios), 0.92)
    bars.report(f"Bulk load of {count:,} products with titles of their own into Qdrant Edge, {rounds} rounds")


def encoder_s(encoder: Encoder, catalog: TitledCatalog, count: int) -> tuple[float, float]:
    """Seconds of the encoder alone for the first products' pictures, and for their titles."""
    size = IndexerSettings().batch_size
    images = []
    for row in catalog.rows[:count]:
        with Image.open(catalog.path.parent / row["image"]) as image:
            images.append(image.convert("RGB"))
    started = time.perf_counter()
    encoder.encode_images(images, size)
    between = time.perf_counter()
    encoder.semantic_texts([row["title"] for row in catalog.rows[:count]], size)
    return between - started, time.perf_counter() - between


def first_build(encoder: Encoder, catalog: TitledCatalog, folder: Path) -> BuildResult:
    """A build with nothing in the cache."""
    result = build(
        open_catalog(str(catalog.path)),
        encoder,
        open_store(f"edge:{folder / 'index'}"),
        IndexerSettings(cache_dir=folder / "cache"),
        folder / "rejects.jsonl",
    )
    assert (result.pictures_embedded, result.titles_embedded) == (len(catalog.rows), len(catalog.rows))
    return result


if __name__ == "__main__":
    main()
