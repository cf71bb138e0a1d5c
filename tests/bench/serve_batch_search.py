"""What one call with 256 text queries takes, against 256 calls of one client, one after the other.

Both ask the same server for the same queries, and take turns. Bar: at least 2 times faster with 10,000 products.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from merchlens import Client, SearchQuery, SearchResult

from tests.bench.bars import Bars, arguments
from tests.bench.prepared import build_index, demo_bundle, server
from tests.bench.serve_text_query import TEXTS, timed
from tests.bench.titled_catalog import COLORS, DETAILS

QUERIES = 256
TOP_K = 10


def queries() -> list[SearchQuery]:
    """As people type them, two to nine words each, all different."""
    endings = ["", *(f" with {detail}" for detail in DETAILS)]
    texts = [
        f"{COLORS[number % len(COLORS)]} {TEXTS[number // len(COLORS) % len(TEXTS)]}{endings[number % len(endings)]}"
        for number in range(QUERIES)
    ]
    return [SearchQuery(text=f"{text} {number}", top_k=TOP_K) for number, text in enumerate(texts)]


def main() -> None:
    """Measure, report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    count, rounds = (2000, 3) if flags.short else (10_000, 11)
    bundle = demo_bundle(flags.data, flags.model)
    asked = queries()
    with tempfile.TemporaryDirectory() as temporary:
        store = build_index(bundle, Path(temporary) / "index", count)
        with server(bundle, store) as target, Client(target, timeout_s=120) as client:

            def single() -> list[SearchResult]:
                return [client.search(text=query.text, top_k=TOP_K) for query in asked]

            def batch() -> list[SearchResult]:
                return [answer for answer in client.batch_search(asked) if isinstance(answer, SearchResult)]

            # These warm connections and lazy set-up up, too.
            alone, together = single(), batch()
            taken = [(timed(single), timed(batch)) for _ in range(rounds)]
    differing = sum(
        [hit.product_id for hit in one] != [hit.product_id for hit in other]
        for one, other in zip(alone, together, strict=True)
    )
    singles, batches = (statistics.median(values) for values in zip(*taken, strict=True))
    bars.row(f"{QUERIES} text queries, one call, ms", f"{batches * 1000:.0f}", f"{singles * 1000:.0f} single calls")
    bars.row("  ms a query", f"{batches * 1000 / QUERIES:.2f}", f"{singles * 1000 / QUERIES:.2f}")
    stages = {stage: sum(answer.timings_us.get(stage, 0) for answer in together) for stage in together[0].timings_us}
    before = {stage: sum(answer.timings_us.get(stage, 0) for answer in alone) for stage in alone[0].timings_us}
    for stage, duration in stages.items():
        bars.row(f"  {stage}, ms a query", f"{duration / 1000 / QUERIES:.2f}", f"{before[stage] / 1000 / QUERIES:.2f}")
    bars.row("queries whose hits stand in another order", str(differing))
    bars.at_least("serve_batch_search_speedup", statistics.median(one / other for one, other in taken), 2.0)
    bars.report(f"{QUERIES} text queries, {count:,} products, median of {rounds} rounds")


if __name__ == "__main__":
    main()
