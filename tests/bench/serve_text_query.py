"""What serving adds to a text query: one client's median over the encoder's median plus the store's, in one run.

The parts are measured in this process with the server's own settings, one after the other as a query needs them, in
blocks that take turns with the client's.
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
from indexer.stores.protocol import QueryPart
from server.settings import ServerSettings
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
        encoder = open_encoder(bundle, device="cpu", text_threads=ServerSettings().text_threads)
        vectors = {text: encoder.encode_texts([text])[0] for text in TEXTS}

        def search(text: str) -> object:
            return reader.query([QueryPart(vectors[text])], [1.0], TOP_K)

        with server(bundle, store) as target, Client(target) as client:
            taken: dict[str, list[float]] = {"client": [], "encoder": [], "store": []}
            for block in range(blocks + 1):
                texts = list(islice(cycle(TEXTS), queries))
                asked = [timed(lambda text=text: client.search(text=text, top_k=TOP_K)) for text in texts]
                # As in a query, the store comes after the encoder, whose weights have swept the caches.
                parts = [
                    (timed(lambda text=text: encoder.encode_texts([text])), timed(lambda text=text: search(text)))
                    for text in texts
                ]
                # The first block warms connections and lazy set-up up.
                if block:
                    taken["client"] += asked
                    taken["encoder"] += [encoding for encoding, _ in parts]
                    taken["store"] += [searching for _, searching in parts]
        reader.close()
    median = {kind: statistics.median(values) * 1000 for kind, values in taken.items()}
    together = median["encoder"] + median["store"]
    bars.row("text query over gRPC, median ms", f"{median['client']:.2f}", f"{together:.2f} encoder + store")
    bars.row("  encoder, median ms", f"{median['encoder']:.2f}")
    bars.row("  store, median ms", f"{median['store']:.2f}")
    bars.row("  99th percentile over gRPC, ms", f"{statistics.quantiles(taken['client'], n=100)[98] * 1000:.2f}")
    bars.at_most("serve_text_query_ratio", median["client"] / together, 1.5)
    bars.report(f"Text query, one client, {count:,} products, {len(taken['client'])} queries")


def timed(call: Callable[[], object]) -> float:
    """Seconds of one call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
