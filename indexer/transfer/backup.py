"""Putting a version into one file, from which `restore` makes it again.

Of an index on disk these are its files: restored, it answers as before to the last digit, and nothing is computed.
Of a Qdrant server it is what `export` writes: a snapshot of the server's own would lie on the server's disk, once for
each node, and could not be read by anything else.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import StoreNotFound, TransferError
from indexer.stores.edge.space import check_room
from indexer.stores.protocol import Store
from indexer.transfer.archive import ArchiveWriter
from indexer.transfer.export import MANIFEST_FILE, PRODUCTS_FILE, products_by_id
from indexer.transfer.progress import Begin, Megabytes, unseen
from indexer.versions.holdings import Holdings
from indexer.versions.manifest import Manifest

PRODUCTS_FORM = "products"

_PAYLOAD_BYTES = 600
"""About what a product without its vectors takes."""


@dataclass(frozen=True, slots=True)
class BackupResult:
    """What was backed up: the version's manifest, the form ("edge" or "products"), the file's length in bytes."""

    manifest: Manifest
    form: str
    size: int


def backup(store: Store, version: str | None, path: Path, begin: Begin = unseen) -> BackupResult:
    """Write a version into a file, also while a server has it open; it appears under its name when it is whole.

    Args:
        store: where it is.
        version: its name; None: the live one.
        path: the file, which must not be there yet.
        begin: called for each step.

    Raises:
        TransferError: the file is there, or cannot be written; the version changed meanwhile, or is damaged.
        StoreError: the version is not there, not whole, or the store failed; the disk is too small.
    """
    name = version or store.live_version()
    if name is None:
        raise StoreNotFound(f"no live version at {store.url} to back up; next step: python -m indexer build")
    manifest = _manifest(store, name)
    form = store.file_form or PRODUCTS_FORM
    with ArchiveWriter(path, form) as archive:
        if store.file_form:
            _add_files(store, manifest, archive, begin)
        else:
            manifest = _add_products(store, manifest, archive, begin)
    return BackupResult(manifest, form, path.stat().st_size)


def _manifest(store: Store, name: str) -> Manifest:
    found = next((item for item in store.versions() if item.version == name), None)
    if found is None or found.state != "ready":
        state = "not there" if found is None else f"{found.state!r}, not 'ready'"
        raise StoreNotFound(f"version {name} at {store.url} is {state}; next step: python -m indexer status")
    return found


def _add_files(store: Store, manifest: Manifest, archive: ArchiveWriter, begin: Begin) -> None:
    held = store.files(manifest.version)
    files = held.files.values()
    # What is deflated takes about its data, and a thousandth of its zeros.
    needed = sum(file.data + file.size // 500 if file.is_mostly_holes else file.size for file in files) + (1 << 20)
    check_room(archive.path.parent, needed, f"back up {manifest.products:,} products")
    archive.add_text(MANIFEST_FILE, manifest.to_json())
    with Megabytes(begin, "copying, MB", sum(file.size for file in files)) as on_bytes:
        for name, file in held.files.items():
            archive.add(name, held.folder / name, file.is_mostly_holes, on_bytes)
    # Only now: what is still as it was sealed, was so while it was copied.
    found = store.verify(manifest.version, deep=True)
    for difference in found.differences:
        raise TransferError(
            f"version {manifest.version} at {store.url} is damaged: {difference}; no backup is made; next step: "
            "python -m indexer rollback, or build again"
        )
    if store.files(manifest.version) != held:
        raise TransferError(
            f"the files of version {manifest.version} at {store.url} were listed anew meanwhile; no backup is made; "
            "next step: run it again"
        )


def _add_products(store: Store, manifest: Manifest, archive: ArchiveWriter, begin: Begin) -> Manifest:
    # pyarrow comes with an extra.
    from indexer.transfer.products_file import ProductsWriter

    layout = manifest.layout
    each = _PAYLOAD_BYTES + 4 * layout.title_dim
    needed = 2 * (4 * layout.dim * max(manifest.products, manifest.pictures) + each * manifest.products)
    check_room(archive.path.parent, needed, f"back up {manifest.products:,} products")
    holdings = Holdings()
    with closing(store.open(manifest.version, "indexer backup")) as reader:
        manifest = reader.manifest
        on_progress = begin("exporting", manifest.products)
        with ProductsWriter(archive.scratch, manifest.model_fingerprint, layout) as file:
            for page in products_by_id(reader):
                for product in page:
                    holdings.add(product.payload)
                file.write(page)
                on_progress(len(page))
    if holdings.noted(manifest) != manifest:
        raise TransferError(
            f"version {manifest.version} at {store.url} changed while it was read, or an earlier release made it: "
            f"{holdings.products:,} products came, {manifest.products:,} are in its manifest; no backup is made; next "
            "step: run it again when no update runs, or build again"
        )
    archive.add_text(MANIFEST_FILE, manifest.to_json())
    archive.add(PRODUCTS_FILE, archive.scratch)
    return manifest
