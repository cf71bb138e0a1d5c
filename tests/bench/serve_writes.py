"""Acknowledged writes a second: 16 writers that share syncs, against one sync for each write.

Both write single products with embeddings into an index of the same size, on the same disk, in turns. Each write is in the
journal on disk and in the working copy before it is acknowledged. Bar: at least 4 times as many.

Beside it, without a bar: 16 clients of a server, each of which writes one product a call, and changes prices only.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import numpy as np
from merchlens import Client, ProductInput

from embedder.catalogs.product import Product, ProductPicture
from embedder.inputs.picture import PictureBytes
from indexer.changes.change import Change, ChangedProduct, cannot_embed
from indexer.changes.group_commit import GroupCommit
from indexer.stores.edge.online import EdgeOnline
from indexer.stores.edge.store import EdgeStore
from indexer.stores.points import CONTENT_KEY
from tests.bench.bars import Bars, arguments
from tests.bench.prepared import build_index, demo_bundle, server
from tests.conftest import copy_folder

WRITERS = 16


def changes(online: EdgeOnline, count: int, turn: str) -> list[Change]:
    """Products of the index under other prices, each a request of its own."""
    reader = online.reader
    payloads = reader.page(1000).payloads
    made = []
    for number in range(count):
        (stored,) = reader.fetch_many([payloads[number % len(payloads)]["product_id"]])
        product = Product(
            id=stored.product_id,
            title=str(stored.payload["title"]),
            pictures=(ProductPicture(PictureBytes(b""), "main"),),
            category=stored.payload.get("category"),
            price=float(number),
        )
        becomes = ChangedProduct(
            product,
            stored.vectors,
            reader.manifest.model_fingerprint,
            str(stored.payload.get(CONTENT_KEY, "")),
            np.zeros(reader.manifest.layout.title_dim, dtype=np.float32) if stored.title is None else stored.title,
        )
        asked = sha256(f"{turn} {number}".encode()).digest()
        made.append(Change(stored.product_id, f"{turn}-{number}", 0, asked, becomes))
    return made


def per_second(count: int, write: Callable[[int], object]) -> float:
    """How many of `count` writes 16 writers get acknowledged a second."""
    started = time.perf_counter()
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(count)))
    return count / (time.perf_counter() - started)


def main() -> None:
    """Measure, report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    products, rounds, count = (1000, 3, 320) if flags.short else (10_000, 11, 1600)
    bundle = demo_bundle(flags.data, flags.model)
    with tempfile.TemporaryDirectory(dir=flags.data) as temporary:
        store = build_index(bundle, Path(temporary) / "index", products)
        root = Path(store.removeprefix("edge:"))
        beside = EdgeStore(copy_folder(root, Path(temporary) / "beside"))
        with closing(beside.take_changes(beside.open(), cannot_embed)) as online:
            online.write(changes(online, 1, "first"))
            alone, together = [], []
            for turn in range(rounds):
                for most, found, size in ((1, alone, count // 4), (256, together, count)):
                    online._group.close()
                    online._group = GroupCommit(online._commit, most)
                    asked = changes(online, size, f"{turn}-{most}")
                    found.append(per_second(size, lambda place, asked=asked: online.write([asked[place]])))
        with server(bundle, store) as target, Client(target, timeout_s=120) as client:
            ids = [product.product_id for product in client.list_products(page_size=1000)]

            def write(place: int) -> None:
                client.upsert_products([ProductInput(product_id=ids[place % len(ids)], title="t", price=float(place))])

            write(0)
            served = per_second(count, write)
    ratio = statistics.median(many / one for many, one in zip(together, alone, strict=True))
    bars.row(
        "writes a second, 16 writers",
        f"{statistics.median(together):.0f}",
        f"{statistics.median(alone):.0f} one a sync",
    )
    bars.row("through a server, 16 clients, one price a call", f"{served:.0f}")
    bars.at_least("serve_writes_speedup", ratio, 4.0)
    bars.report(f"Acknowledged writes, {products:,} products, median of {rounds} rounds")


if __name__ == "__main__":
    main()
