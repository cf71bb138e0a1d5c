"""Making a version again from its backup."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import TransferError, VersionIncomplete
from indexer.settings import IndexerSettings
from indexer.stores.address import open_store
from indexer.stores.edge.durable import hold
from indexer.stores.edge.space import check_room, writing
from indexer.stores.protocol import Store, Stored
from indexer.transfer.archive_file import ArchiveFile
from indexer.transfer.backup import PRODUCTS_FORM
from indexer.transfer.export import MANIFEST_FILE, PRODUCTS_FILE, products_by_id
from indexer.transfer.progress import Begin, Megabytes, unseen
from indexer.transfer.refilling import refill, renamed
from indexer.versions.examination import Sample
from indexer.versions.going_live import go_live
from indexer.versions.manifest import Manifest
from indexer.versions.trial import try_version

FORMS = ("edge", PRODUCTS_FORM)


@dataclass(frozen=True, slots=True)
class RestoreResult:
    """What was restored.

    Attributes:
        manifest: of the new version.
        held: of the version that was backed up.
        made_at: when, ISO 8601, UTC.
        elapsed_s: seconds.
    """

    manifest: Manifest
    held: Manifest
    made_at: str
    elapsed_s: float


def restore(
    path: Path,
    store: Store,
    settings: IndexerSettings,
    activate: bool = True,
    begin: Begin = unseen,
) -> RestoreResult:
    """Make a new version of a backup and, once it is verified, the live one; on any failure the live one stays.

    Args:
        path: as `indexer.transfer.backup` wrote it.
        store: where the version is made: of the kind that was backed up, or of another.
        settings: versions to keep; where what does not fit the store is unpacked (`cache_dir`).
        activate: whether it becomes the live one.
        begin: called for each step.

    Raises:
        TransferError: the backup is damaged, hostile, or of a later release.
        StoreError: the store failed, the disk is too small, or the version is not what was sealed.
    """
    started = time.monotonic()
    with ArchiveFile(path) as archive:
        held = _manifest(archive, path)
        if archive.form not in FORMS:
            raise TransferError(
                f"{path} is of form {archive.form!r}; permitted: {', '.join(FORMS)}; next step: restore it with the "
                "release that made it"
            )
        sample: Sample | None = None
        if archive.form == store.file_form:
            manifest = renamed(held, "ready")
            _take_in(archive, store, manifest, begin)
        else:
            with _products(archive, held, settings.cache_dir / "restoring", begin) as pages:
                manifest, sample = refill(store, held, pages, settings, str(path), begin("loading", held.products))
    if activate:
        go_live(store, manifest, sample, settings)
    else:
        try_version(store, manifest, sample)
    return RestoreResult(manifest, held, archive.made_at, time.monotonic() - started)


def _manifest(archive: ArchiveFile, path: Path) -> Manifest:
    try:
        held = Manifest.from_json(archive.text(MANIFEST_FILE), str(path))
    except VersionIncomplete as error:
        raise TransferError(f"{path} cannot be restored: {error}") from error
    if held.state != "ready":
        raise TransferError(f"{path} holds a version that is {held.state!r}; permitted: 'ready'")
    return held


def _take_in(archive: ArchiveFile, store: Store, manifest: Manifest, begin: Begin) -> None:
    """The files of a version, as they were."""
    names = [name for name in archive.files if name != MANIFEST_FILE]
    with Megabytes(begin, "copying, MB", archive.size) as on_bytes:

        def unpack(folder: Path) -> None:
            for name in names:
                archive.unpack(name, folder / name, on_bytes)

        store.take_in(manifest, unpack, archive.data)


@contextmanager
def _products(archive: ArchiveFile, held: Manifest, scratch: Path, begin: Begin) -> Iterator[Iterator[list[Stored]]]:
    """A version's products, which are unpacked into a folder meanwhile."""
    with writing(scratch, "unpack the backup", "set cache_dir"):
        scratch.mkdir(parents=True, exist_ok=True)
    with hold(scratch / "OWNER", "indexer restore"):
        unpacked = scratch / "unpacked"
        # A restore that was killed left it.
        shutil.rmtree(unpacked, ignore_errors=True)
        check_room(scratch, archive.data, f"unpack {held.products:,} products")
        try:
            if archive.form == PRODUCTS_FORM:
                yield _from_products(archive, held, unpacked)
            else:
                # Under a name of ours: what a backup calls its version leads nowhere.
                manifest = renamed(held, "ready")
                with closing(open_store(f"{archive.form}:{unpacked}")) as store:
                    _take_in(archive, store, manifest, begin)
                    with closing(store.open(manifest.version, "indexer restore")) as reader:
                        yield products_by_id(reader)
        finally:
            shutil.rmtree(unpacked, ignore_errors=True)


def _from_products(archive: ArchiveFile, held: Manifest, folder: Path) -> Iterator[list[Stored]]:
    # pyarrow comes with an extra.
    from indexer.transfer.products_file import ProductsFile

    with writing(folder, "unpack the backup", "set cache_dir"):
        archive.unpack(PRODUCTS_FILE, folder / PRODUCTS_FILE)
    file = ProductsFile(folder / PRODUCTS_FILE)
    if (file.heading.model_fingerprint, file.heading.layout) != (held.model_fingerprint, held.layout):
        raise TransferError("the files of the backup do not belong together; next step: use another backup")
    return file.read()
