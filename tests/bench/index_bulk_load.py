"""Whether loading hides behind embedding: end-to-end rate of a bulk build over the encoder's own on the same pictures.

The encoder's own rate is decoded pictures in memory to vectors, in the build's batch size, and nothing else. The two
are run in turn, so that a machine that slows down slows both. Bar: ratio >= 0.80.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from embedder.catalogs.product import Product
from embedder.catalogs.registry import CatalogReader, open_catalog
from embedder.encoder import Encoder, open_encoder
from indexer.building.run import build
from indexer.settings import IndexerSettings
from indexer.stores.address import open_store
from tests.bench.bars import Bars, arguments
from tests.bench.prepared import CATALOG, demo_bundle


def main() -> None:
    """Measure, report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    count, rounds = (2000, 2) if flags.short else (10_000, 3)
    encoder = open_encoder(demo_bundle(flags.data, flags.model), device="cpu")
    reader = open_catalog(CATALOG, split="train")
    products = [row for _, row in zip(range(count), reader.read(), strict=False) if isinstance(row, Product)]
    # What an earlier round embedded would not be embedded again.
    settings = IndexerSettings(embedding_cache_mb=0)
    encoder_rate(encoder, products[:512], settings.batch_size)
    own, end_to_end, ratios = [], [], []
    for _ in range(rounds):
        # Before and after: the mean of the two is fair where the machine's speed drifts in between.
        before = encoder_rate(encoder, products, settings.batch_size)
        built = build_rate(reader, encoder, settings, count)
        after = encoder_rate(encoder, products, settings.batch_size)
        own.append((before + after) / 2)
        end_to_end.append(built)
        ratios.append(built / own[-1])
    bars.row(
        "products/s, end to end",
        f"{statistics.median(end_to_end):,.0f}",
        f"{statistics.median(own):,.0f} encoder alone",
    )
    bars.row("ratio, each round", " ".join(f"{ratio:.3f}" for ratio in ratios))
    bars.at_least("index_bulk_load_ratio", statistics.median(ratios), 0.80)
    bars.report(f"Bulk load of {count:,} Fashion-MNIST products into Qdrant Edge, {rounds} rounds")


def encoder_rate(encoder: Encoder, products: list[Product], batch_size: int) -> float:
    """Pictures a second of the encoder alone."""
    images = [encoder.decode(product.pictures[0].source)[0] for product in products]
    started = time.perf_counter()
    encoder.encode_images(images, batch_size)
    return len(images) / (time.perf_counter() - started)


def build_rate(reader: CatalogReader, encoder: Encoder, settings: IndexerSettings, count: int) -> float:
    """Products a second from the first row read to the new version being live."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        result = build(
            reader, encoder, open_store(f"edge:{root / 'index'}"), settings, root / "rejects.jsonl", limit=count
        )
        assert result.manifest.products == count
        return result.products_per_s


if __name__ == "__main__":
    main()
