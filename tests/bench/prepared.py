"""What the benches measure on: a bundle fine-tuned on Fashion-MNIST, an index, a running server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedder import bundle
from embedder.catalogs.product import Product
from embedder.catalogs.siblings.groups import group_siblings
from embedder.catalogs.siblings.hashing import hash_pictures
from tests.serving import running_server

CATALOG = "fashion-mnist"
UNCACHED = {**os.environ, "MERCHLENS_QUERY_CACHE_MB": "0"}
"""Environment of servers whose encoder is measured: benches ask the same again and again."""


def command(module: str, *flags: str) -> None:
    """Run `python -m MODULE FLAGS`; its output is shown, its failure is ours."""
    subprocess.run([sys.executable, "-m", module, *flags], check=True)


def demo_bundle(data: Path, given: Path | None) -> Path:
    """The bundle given, else the demo's; trained as the demo trains it where there is none."""
    if given is not None:
        return given
    folder = data / "models" / "demo"
    if not bundle.is_bundle(folder):
        command(
            "embedder", "train", "--catalog", CATALOG, "--minutes", "2", "--out", str(folder),
            "--cache-dir", str(data / "cache"),
        )  # fmt: skip
    return folder


def short_views(short: bool, folder: Path) -> list[str]:
    """Flags of a training in a bench's short form: fewer views of each product."""
    if not short:
        return []
    config = folder / "short.toml"
    config.write_text("[instance]\nviews = 1000\n", encoding="utf-8")
    return ["--config", str(config)]


def sibling_keys(products: list[Product], cache: Path) -> list[str]:
    """For each product what it shares with its variants and near-duplicates; hashes are kept in the cache."""
    hashes = hash_pictures([picture.source for product in products for picture in product.pictures], cache)
    assert hashes is not None
    remaining = iter(hashes)
    groups = group_siblings(products, [[next(remaining) for _ in product.pictures] for product in products])
    assert groups is not None
    return [key.hex() for key in groups.keys]


def base_of(folder: Path, cache: Path) -> Path:
    """The bundle in the cache that another one was trained from."""
    wanted = bundle.load_info(folder).training["base_fingerprint"]
    return next(
        path
        for path in sorted((cache / "models").iterdir())
        if bundle.is_bundle(path) and bundle.load_info(path).fingerprint == wanted
    )


def build_index(model: Path, root: Path, products: int) -> str:
    """A fresh Edge index of the first training products; returns its address."""
    store = f"edge:{root}"
    command(
        "indexer", "build", "--catalog", CATALOG, "--split", "train", "--limit", str(products), "--model", str(model),
        "--store", store,
    )  # fmt: skip
    return store


@contextmanager
def server(model: Path, store: str) -> Iterator[str]:
    """A server in a process of its own, which encodes each query anew; yields its target."""
    with running_server("--model", str(model), "--store", store, env=UNCACHED) as running:
        yield running.target
        running.stop()
