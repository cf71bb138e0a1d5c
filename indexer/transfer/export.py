"""Writing down what a version holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from indexer.errors import TransferError
from indexer.stores.protocol import Stored, VersionReader

PRODUCTS_FILE = "products.parquet"
MANIFEST_FILE = "manifest.json"

ROWS = 2_000
"""Products that are in memory at a time."""


def export(reader: VersionReader, folder: Path, on_progress: Callable[[int], None] = lambda done: None) -> int:
    """Write a version's products and its manifest into a folder.

    Args:
        reader: of the version.
        folder: made where it is missing; files of an earlier export are replaced.
        on_progress: called with the number of products done since the last call.

    Returns:
        How many products there are.

    Raises:
        TransferError: the files cannot be written.
        StoreError: the version cannot be read.
    """
    # pyarrow comes with an extra.
    from indexer.transfer.products_file import ProductsWriter

    manifest, products = reader.manifest, 0
    with ProductsWriter(folder / PRODUCTS_FILE, manifest.model_fingerprint, manifest.layout) as file:
        for page in products_by_id(reader):
            file.write(page)
            products += len(page)
            on_progress(len(page))
    try:
        (folder / MANIFEST_FILE).write_text(manifest.to_json(), encoding="utf-8")
    except OSError as error:
        raise TransferError(
            f"{folder / MANIFEST_FILE} cannot be written: {error}; next step: free some space"
        ) from error
    return products


def products_by_id(reader: VersionReader) -> Iterator[list[Stored]]:
    """All products of a version in the order of their ids, some thousands at a time.

    All ids are in memory, about 100 bytes each: the order is what makes two exports comparable.
    """
    ids = sorted(str(payload["product_id"]) for page in reader.scan(["product_id"]) for payload in page)
    for start in range(0, len(ids), ROWS):
        yield reader.fetch_many(ids[start : start + ROWS])
