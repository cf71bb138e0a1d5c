"""What it costs to index titles and their words: builds with both and with neither, in turn, each with an empty cache.

Shown: build time, disk, median of a text search (by pictures alone where neither is held). Bar: with both, a build takes at
most 1.10 times the encoder's own time for the titles longer, which is measured in batches, beside each build. Short: 2,000
products, one round.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from itertools import islice
from pathlib import Path

from embedder.catalogs.registry import open_catalog
from embedder.encoder import Encoder, open_encoder
from indexer.building.run import build
from indexer.settings import IndexerSettings
from indexer.stores.address import open_store
from server.hosting.served_catalog import open_served_catalog
from server.search.query import TextQuery
from server.settings import ServerSettings
from tests.bench.answering import search
from tests.bench.bars import Bars, arguments
from tests.bench.prepared import demo_bundle
from tests.bench.titled_catalog import COLORS, DETAILS, MATERIALS, TitledCatalog, write_titled

QUERIES = 200
WAYS = {"with both": True, "with neither": False}


def main() -> None:
    """Measure, report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    products, rounds = (2_000, 1) if flags.short else (20_000, 3)
    bundle = demo_bundle(flags.data, flags.model)
    encoder = open_encoder(bundle, device="cpu", precision="auto")
    took: dict[str, list[float]] = {way: [] for way in WAYS}
    titles_s = []
    with tempfile.TemporaryDirectory() as temporary:
        catalog = write_titled(Path(temporary) / "shop", products)
        for turn in range(rounds):
            titles_s.append(encoder_s(encoder, catalog))
            for way, texts in WAYS.items():
                took[way].append(build_s(encoder, catalog, Path(temporary) / f"{way} {turn}", texts))
        sizes = {way: disk_bytes(Path(temporary) / f"{way} 0" / "index") for way in WAYS}
        searches = {way: search_s(bundle, Path(temporary) / f"{way} 0" / "index", flags.data) for way in WAYS}
    with_both, neither = (statistics.median(took[way]) for way in WAYS)
    own = statistics.median(titles_s)
    bars.row("build, s", f"{with_both:.1f}", f"{neither:.1f} with neither")
    bars.row("  longer by, s", f"{with_both - neither:.1f}", f"{own:.1f} encoder alone, titles")
    bars.row("disk, MB", f"{sizes['with both'] / 1e6:.1f}", f"{sizes['with neither'] / 1e6:.1f} with neither")
    bars.row(
        "text search, median ms",
        f"{searches['with both'] * 1000:.2f}",
        f"{searches['with neither'] * 1000:.2f} by pictures alone",
    )
    extra = [one - other for one, other in zip(*took.values(), strict=True)]
    bars.at_most("index_text_cost_ratio", statistics.median(e / s for e, s in zip(extra, titles_s, strict=True)), 1.10)
    bars.report(f"Titles and words of {products:,} products in Qdrant Edge, {rounds} rounds")


def encoder_s(encoder: Encoder, catalog: TitledCatalog) -> float:
    """Seconds of the encoder alone for all titles."""
    started = time.perf_counter()
    encoder.semantic_texts([row["title"] for row in catalog.rows], IndexerSettings().batch_size)
    return time.perf_counter() - started


def build_s(encoder: Encoder, catalog: TitledCatalog, folder: Path, texts: bool) -> float:
    """Seconds to the new version being live."""
    settings = IndexerSettings(cache_dir=folder / "cache", index_titles=texts, index_words=texts)
    store = open_store(f"edge:{folder / 'index'}")
    return build(open_catalog(str(catalog.path)), encoder, store, settings, folder / "rejects.jsonl").elapsed_s


def disk_bytes(folder: Path) -> int:
    """What a store takes, holes left out."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def search_s(bundle: Path, index: Path, data: Path) -> float:
    """Median seconds of a search for words in a process that has the index open, encoding among it."""
    settings = ServerSettings(model=str(bundle), store=f"edge:{index}", cache_dir=data / "cache", device="cpu")
    served = open_served_catalog(settings, "bench")
    texts = (f"{color} {material} with {detail}" for color in COLORS for material in MATERIALS for detail in DETAILS)
    spent = []
    try:
        for text in islice(texts, QUERIES):
            started = time.perf_counter()
            search(served, [TextQuery(text)])
            spent.append(time.perf_counter() - started)
    finally:
        served.close()
    # The first ones find nothing in memory.
    return statistics.median(spent[QUERIES // 10 :])


if __name__ == "__main__":
    main()
