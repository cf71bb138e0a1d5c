"""What serving adds to a text query: one client's median over the encoder's median plus the store's, in one run.

The parts are measured in this process with the server's own settings, in blocks that take turns with the client's.
Bar: ratio <= 1.5 with 10,000 products.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

from merchlens import Client

from embedder.encoder import open_encoder
from indexer.stores.address import open_store
from tests.bench.bars import Bars, arguments
from tests.bench.prepared import build_index, demo_bundle, server

TEXTS = (
    "ankle boot", "black bag", "summer dress", "a warm pullover", "white sneaker", "leather sandal", "winter coat",
    "striped shirt", "trousers", "t-shirt with a print", "a dress for a wedding", "running shoes for men",
)  # fmt: skip
TOP_K = 10


def main() -> None:
    """Measure, report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    count, blocks, queries = (2000, 3, 40) if flags.short else (10_000, 10, 60)
    bundle = demo_bundle(flags.data, flags.model)
    with tempfile.TemporaryDirectory() as temporary:
        store = build_index(bundle, Path(temporary) / "index", count)
        # The server owns the store; the parts are measured on a copy.
        shutil.copytree(Path(temporary) / "index", Path(temporary) / "copy")
        reader = open_store(f"edge:{Path(temporary) / 'copy'}").open()
        encoder = open_encoder(bundle, device="cpu")
        vectors = {text: encoder.encode_texts([text])[0] for text in TEXTS}
        with server(bundle, store) as target, Client(target) as client:
            kinds: dict[str, Callable[[str], object]] = {
                "client": lambda text: client.search(text=text, top_k=TOP_K),
                "encoder": lambda text: encoder.encode_texts([text]),
                "store": lambda text: reader.search(vectors[text], TOP_K),
            }
            taken: dict[str, list[float]] = {kind: [] for kind in kinds}
            for block in range(blocks + 1):
                for kind, call in kinds.items():
                    measured = [timed(call, text) for text in islice(cycle(TEXTS), queries)]
                    # The first block warms caches and connections up.
                    taken[kind] += measured if block else []
        reader.close()
    median = {kind: statistics.median(values) * 1000 for kind, values in taken.items()}
    parts = median["encoder"] + median["store"]
    bars.row("text query over gRPC, median ms", f"{median['client']:.2f}", f"{parts:.2f} encoder + store")
    bars.row("  encoder, median ms", f"{median['encoder']:.2f}")
    bars.row("  store, median ms", f"{median['store']:.2f}")
    bars.row("  99th percentile over gRPC, ms", f"{statistics.quantiles(taken['client'], n=100)[98] * 1000:.2f}")
    bars.at_most("serve_text_query_ratio", median["client"] / parts, 1.5)
    bars.report(f"Text query, one client, {count:,} products, {len(taken['client'])} queries")


def timed(call: Callable[[str], object], text: str) -> float:
    """Seconds of one call."""
    started = time.perf_counter()
    call(text)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
