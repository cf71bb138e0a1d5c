"""What it costs to rank a text's hits by words too, and whether filters lose hits.

Titled products, one client. The same texts, ranked by pictures, titles and words together and by pictures alone, take
turns; then hits with filters that let 1 %, 10 % and 50 % of the products through are compared with those of an exact search. Bars:
the median by all at most 1.25 times that by pictures; recall@10 at least 0.98 with each filter. 60,000 products; short:
2,000, where every search is exact, which says nothing of a graph.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from merchlens import Client

from tests.bench.bars import Bars, arguments
from tests.bench.prepared import command, demo_bundle, server
from tests.bench.serve_batch_search import queries
from tests.bench.serve_text_query import timed
from tests.bench.titled_catalog import write_titled

TOP_K = 10
FILTERS = {"1_percent": "price < 9", "10_percent": "price < 45", "50_percent": "price < 205"}
"""Prices are 5 to 404, as many products of each."""


def main() -> None:
    """Measure, report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    products, rounds = (2_000, 2) if flags.short else (60_000, 6)
    bundle = demo_bundle(flags.data, flags.model)
    texts = [str(query.text) for query in queries()]
    with tempfile.TemporaryDirectory() as temporary:
        catalog = write_titled(Path(temporary) / "shop", products)
        store = f"edge:{temporary}/index"
        command(
            "indexer", "build", "--catalog", str(catalog.path), "--model", str(bundle), "--store", store,
            "--cache-dir", f"{temporary}/cache",
        )  # fmt: skip
        with server(bundle, store) as target, Client(target, timeout_s=120) as client:
            taken: dict[str, list[float]] = {"hybrid": [], "pictures": []}
            for turn in range(rounds + 1):
                for text in texts:
                    pair = {
                        ranking: timed(lambda text=text, by=ranking: client.search(text=text, ranking=by, top_k=TOP_K))
                        for ranking in ("hybrid", "pictures")
                    }
                    # The first round warms connections and lazy set-up up.
                    if turn:
                        for ranking, value in pair.items():
                            taken[ranking].append(value)
            recalls = {name: recall(client, texts, where) for name, where in FILTERS.items()}
    hybrid, pictures = (statistics.median(taken[ranking]) * 1000 for ranking in ("hybrid", "pictures"))
    bars.row("a text's hits by pictures, titles and words, median ms", f"{hybrid:.2f}", f"{pictures:.2f} by pictures")
    bars.at_most("serve_rankings_hybrid_ratio", hybrid / pictures, 1.25)
    for name, value in recalls.items():
        bars.row(f"recall@{TOP_K} of pictures, {FILTERS[name]}", f"{value:.4f}", "1 by an exact search")
        bars.at_least(f"serve_rankings_recall_{name}", value, 0.98)
    bars.report(f"rankings and filters, {products:,} products, {len(texts)} texts")


def recall(client: Client, texts: list[str], where: str) -> float:
    """Share of the exact first hits that are found."""
    found = 0.0
    for text in texts:
        plain, exact = (
            {
                hit.product_id
                for hit in client.search(
                    text=text, ranking="pictures", top_k=TOP_K, filter=where, keep_duplicates=True, accuracy=accuracy
                )
            }
            for accuracy in ("balanced", "exact")
        )
        found += len(plain & exact) / len(exact)
    return found / len(texts)


if __name__ == "__main__":
    main()
