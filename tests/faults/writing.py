"""`python -m tests.faults.writing ROOT WRITERS SEED`: writers that change an index on disk until they are killed.

Each has products of its own and says on standard output, a line a change, `asked ID PRICE` before it asks and
`done ID PRICE SEQUENCE` once it is told that the change was made; PRICE is -1 where the product is taken away.
"""

from __future__ import annotations

import os
import sys
from itertools import count
from pathlib import Path
from random import Random
from threading import Thread

from indexer.changes.change import Noted, cannot_embed
from indexer.stores.edge.online import EdgeOnline
from indexer.stores.edge.store import EdgeStore
from tests.indexer.changes.changing import deleting, upserting

PRODUCTS = 5
"""Of each writer."""


def say(line: str) -> None:
    """In one system call, which no other thread's comes between."""
    os.write(1, f"{line}\n".encode())


def write(online: EdgeOnline, writer: int, seed: int) -> None:
    """Change this writer's products, one after the other."""
    random = Random(f"{seed} {writer}")
    for number in count(1):
        product_id = f"w{writer}-{random.randrange(PRODUCTS)}"
        request_id = f"{seed}-{writer}-{number}"
        price = -1 if random.random() < 0.2 else number
        say(f"asked {product_id} {price}")
        if price < 0:
            change = deleting(product_id, request_id)
        else:
            change = upserting(product_id, request_id, seed=number, price=float(price), picture=random.randbytes(3000))
        (outcome,) = online.write([change])
        assert isinstance(outcome, Noted)
        say(f"done {product_id} {price} {outcome.sequence}")


def main() -> None:
    """Open, write, never end."""
    root, writers, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    store = EdgeStore(root)
    online = store.take_changes(store.open(), cannot_embed, "writing")
    say("open")
    threads = [Thread(target=write, args=(online, writer, seed)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
