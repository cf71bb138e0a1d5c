"""`edge:PATH`: index versions on this machine's disk, in Qdrant Edge.

PATH/CURRENT                       name of the live version; replaced by rename
PATH/BUILDING                      locked by whoever builds
PATH/versions/NAME/manifest.json
PATH/versions/NAME/OWNER           locked by whoever has the version open, with its address
PATH/versions/NAME/shard/          Edge's own files
PATH/versions/NAME/files.json      lengths and digests of all files of the finished version
PATH/versions/NAME/RETIRED         when the version stopped being live, ISO 8601, UTC
PATH/versions/NAME/CHANGES_FROM    where in the journal the version was begun: later changes are not in it
PATH/copies/NAME.ID/               of a version that a server has open, as long as somebody looks at it; or of one that
                                   is changed while it is served
PATH/changes/                      the journal of changes (see `indexer.changes.journal`)
PATH/changes/OWNER                 locked by whoever takes changes

A finished version's files keep their contents for good, although Edge opens them for writing, replaces two small ones
by equal ones (`edge_config.json`, `segment.json`) and sets the time of others. So a reader needs leave to write.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from indexer.changes.change import Reembed, cannot_embed
from indexer.changes.journal import Journal, Position
from indexer.changes.rows import ChangedRows
from indexer.errors import StoreError, StoreLocked, StoreNotFound, StoreUnavailable, VersionIncomplete
from indexer.stores.edge.arguments import EdgeArguments
from indexer.stores.edge.durable import copy_tree, hold, write_durably
from indexer.stores.edge.intake import take_in
from indexer.stores.edge.online import ROOM_BYTES, EdgeOnline
from indexer.stores.edge.positions import Positions
from indexer.stores.edge.reader import EdgeReader, SealedFolder
from indexer.stores.edge.seal import (
    FILES,
    MANIFEST,
    NEXT_STEP,
    Seal,
    check_files,
    differences,
    edge_release,
    read_seal,
    seal,
)
from indexer.stores.edge.shard import Shard
from indexer.stores.edge.space import OPENING_BYTES, build_bytes, check_room, fill_holes, is_full, no_space, writing
from indexer.stores.edge.working_copy import WorkingCopy
from indexer.stores.edge.writer import EdgeWriter
from indexer.stores.payload_indexes import choose_payload_indexes
from indexer.stores.protocol import VersionReader
from indexer.versions.manifest import Manifest, moment
from indexer.versions.verify import Verification
from indexer.versions.version_files import FileSize, VersionFiles

_log = logging.getLogger(__name__)

RETIRED = "RETIRED"

COPIES = "copies"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class EdgeStore:
    """See `Store`."""

    def __init__(self, root: Path, arguments: EdgeArguments | None = None) -> None:
        self._root = root
        self._arguments = arguments or EdgeArguments()
        self._positions = Positions(root)

    @property
    def url(self) -> str:
        """`edge:PATH`."""
        return f"edge:{self._root}"

    def versions(self) -> list[Manifest]:
        """See `Store`; folders without a readable manifest are passed over."""
        manifests = []
        for path in sorted((self._root / "versions").glob("*/manifest.json")):
            try:
                manifests.append(self._manifest(path.parent.name))
            except (VersionIncomplete, StoreNotFound):
                continue
        return manifests

    def live_version(self) -> str | None:
        """See `Store`."""
        try:
            name = (self._root / "CURRENT").read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise StoreUnavailable(f"{self._root / 'CURRENT'} cannot be read: {error}; {NEXT_STEP}") from error
        if not _NAME.fullmatch(name):
            raise VersionIncomplete(f"{self._root / 'CURRENT'} holds {name[:40]!r}, no version's name; {NEXT_STEP}")
        return name

    def create(self, manifest: Manifest, expected_products: int = 0) -> EdgeWriter:
        """See `Store`. Only one process builds at a time.

        Raises:
            StoreLocked: another one does.
            StoreUnavailable: the folder cannot be written, or has less space left than so many products take.
        """
        lock = self._begin()
        try:
            self._check_room(manifest, expected_products)
            return EdgeWriter(self._root, manifest, lock, self._arguments, self._positions.end())
        except BaseException:
            lock.close()
            raise

    def _begin(self) -> IO[str]:
        """Become the only builder, and clear what others left; the builder's lock."""
        with writing(self._root, "begin a version", "choose another folder"):
            (self._root / "versions").mkdir(parents=True, exist_ok=True)
        lock = hold(self._root / "BUILDING", f"pid {os.getpid()}")
        try:
            self._clear_leftovers()
        except BaseException:
            lock.close()
            raise
        return lock

    @property
    def revises_in_place(self) -> bool:
        """See `Store`: a sealed version is never written again."""
        return False

    def revise(self, manifest: Manifest, base: str, reembed: Reembed | None = None) -> EdgeWriter:
        """See `Store`."""
        before = self._ready(base)
        folder, called = self._root / "versions" / base, f"version {base} at {self.url}"
        lock = self._begin()
        try:
            # Who has it open may be about to change it: its changes would be lost with the version.
            with hold(folder / "OWNER", f"pid {os.getpid()} indexer update"):
                sealed = read_seal(folder, called)
                check_files(folder, sealed, called, sealed.files)
                check_room(self._root, 2 * sealed.data(), f"copy {before.products:,} products")
                if not self._positions.later(base):
                    position = self._positions.end()
                    return EdgeWriter(self._root, manifest, lock, self._arguments, position, folder / "shard")
                with self._changed(before, reembed or cannot_embed) as (shard, position):
                    return EdgeWriter(self._root, manifest, lock, self._arguments, position, shard)
        except BaseException:
            lock.close()
            raise

    @contextmanager
    def _changed(self, manifest: Manifest, reembed: Reembed) -> Iterator[tuple[Path, Position]]:
        """The shard of a copy of a version that holds all changes up to a position."""
        with closing(Journal(self._positions.journal)) as journal:
            after = journal.after(self._positions.begun_at(manifest.version))
            copy = self._working_copy(manifest, ChangedRows(manifest, reembed), after, "indexer update")
            try:
                copy.apply_all(journal.latest(after))
                copy.shard.close()
                yield copy.folder / "shard", replace(journal.end, sequence=copy.applied)
            finally:
                copy.close()

    def drop_unfinished(self, abandoned_after_s: float) -> tuple[str, ...]:
        """See `Store`."""
        if not (self._root / "versions").is_dir():
            return ()
        try:
            lock = hold(self._root / "BUILDING", f"pid {os.getpid()}")
        except StoreLocked:
            return ()
        try:
            return self._clear_leftovers()
        finally:
            lock.close()

    def _clear_leftovers(self) -> tuple[str, ...]:
        """Delete what builds left that died: whoever holds the builder's lock is the only builder."""
        begun = {left.version for left in self.versions() if left.state == "building"}
        gone = []
        for folder in sorted((self._root / "versions").iterdir()):
            if folder.name in begun or not (folder / MANIFEST).exists():
                shutil.rmtree(folder, ignore_errors=True)
                gone.append(folder.name)
        for path in self._root.glob(".CURRENT.*"):
            path.unlink(missing_ok=True)
        self._clear_copies()
        return tuple(gone)

    def _clear_copies(self) -> None:
        """Delete copies whose process is gone."""
        for copy in (self._root / COPIES).glob("*"):
            with suppress(StoreError), closing(hold(copy / "OWNER", "clearing")):
                _delete(copy)

    def _check_room(self, manifest: Manifest, products: int) -> None:
        indexes = choose_payload_indexes(manifest.schema)
        if indexes.left_out:
            _log.warning("%s", indexes.describe())
        graph = products > self._arguments.graph_above
        needed = build_bytes(self._root, products, manifest.layout.values, len(indexes.keys), graph)
        check_room(self._root, needed, f"build {products:,} products" if products else "begin a build")

    def activate(self, version: str) -> None:
        """See `Store`."""
        self._ready(version)
        try:
            before = self.live_version()
        except StoreError:
            before = None
        with writing(self._root, "make a version the live one"):
            # Before the flip, so that nothing can fail after it. A live version that says that it is retired is live.
            if before not in (None, version) and (retired := self._root / "versions" / str(before)).is_dir():
                write_durably(retired / RETIRED, datetime.now(UTC).isoformat() + "\n")
            (self._root / "versions" / version / RETIRED).unlink(missing_ok=True)
            write_durably(self._root / "CURRENT", version + "\n")

    def retired_at(self, version: str) -> datetime | None:
        """See `Store`."""
        folder = self._folder(version)
        if version == self.live_version():
            return None
        try:
            return moment((folder / RETIRED).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            return None

    def open(self, version: str | None = None, owner: str = "", beside: bool = False) -> EdgeReader:
        """See `Store`."""
        name = version or self.live_version()
        if name is None:
            raise StoreNotFound(f"no index at {self.url}; next step: python -m indexer build --store {self.url} …")
        manifest = self._manifest(name)
        if manifest.state != "ready":
            raise VersionIncomplete(f"version {name} at {self.url} is {manifest.state!r}, not 'ready'; {NEXT_STEP}")
        folder = self._root / "versions" / name
        called = f"version {name} at {self.url}"
        try:
            lock = hold(folder / "OWNER", f"pid {os.getpid()} {owner}".strip())
        except StoreLocked:
            if not beside:
                raise
            self._positions.tell_later(name)
            return self._open_copy(folder, manifest, called, owner)
        return self._open_folder(folder, manifest, called, lock)

    def _open_copy(self, folder: Path, manifest: Manifest, called: str, owner: str) -> EdgeReader:
        """Open a copy of a version that another process has open."""
        copy, lock = self._copy(folder, manifest, called, owner)
        return self._open_folder(copy, manifest, f"the copy of {called}", lock, lambda: _delete(copy))

    def _copy(self, folder: Path, manifest: Manifest, called: str, owner: str) -> tuple[Path, IO[str]]:
        """Copy a sealed version, which does not change meanwhile; the copy's folder, and its lock."""
        sealed = read_seal(folder, called)
        copies = self._root / COPIES
        check_room(self._root, sealed.data() + OPENING_BYTES, f"copy {manifest.products:,} products")
        with writing(self._root, "copy a version"):
            copies.mkdir(exist_ok=True)
            copy = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=copies))
        lock = hold(copy / "OWNER", f"pid {os.getpid()} {owner}".strip())
        try:
            with writing(self._root, "copy a version"):
                copy_tree(folder / "shard", copy / "shard")
                for name in {FILES, *(name for name in sealed.files if "/" not in name)}:
                    shutil.copyfile(folder / name, copy / name)
            check_files(copy, sealed, f"the copy of {called}", sealed.files)
        except BaseException:
            shutil.rmtree(copy, ignore_errors=True)
            lock.close()
            raise
        return copy, lock

    def _open_folder(
        self,
        folder: Path,
        manifest: Manifest,
        called: str,
        lock: IO[str],
        on_close: Callable[[], None] = lambda: None,
    ) -> EdgeReader:
        try:
            sealed = read_seal(folder, called)
            if not (folder / "shard" / "edge_config.json").is_file():
                raise VersionIncomplete(f"{called} has lost its shard; {NEXT_STEP}")
            # A process that died between another release's opening and the new list may have left either's files.
            if not sealed.opening:
                check_files(folder, sealed, called, sealed.before_opening())
            fill_holes(folder, f"open {called}")
            check_room(folder, OPENING_BYTES, f"open {called}")
            if sealed.edge != edge_release() or sealed.opening:
                sealed = self._settle(folder, sealed, manifest, called)
            shard = self._load(folder, manifest)
            points = shard.points()
            if points != manifest.products:
                shard.close()
                raise VersionIncomplete(
                    f"{called} holds {points:,} products, its manifest says {manifest.products:,}; {NEXT_STEP}"
                )
        except BaseException:
            on_close()
            lock.close()
            raise
        return EdgeReader(manifest, shard, lock, SealedFolder(folder, sealed, called), on_close)

    def _settle(self, folder: Path, sealed: Seal, manifest: Manifest, called: str) -> Seal:
        """Let this release of Edge rewrite what another one wrote, if it wants to, and list the files anew."""
        _log.info("%s was written by Edge %s: its files are listed anew for %s", called, sealed.edge, edge_release())
        # The manifest is ours: no release of Edge rewrites it.
        check_files(folder, sealed, called, [MANIFEST])
        with writing(folder, f"open {called}"):
            write_durably(folder / FILES, replace(sealed, opening=edge_release()).to_json())
            self._load(folder, manifest).close()
            again = seal(folder, (folder / MANIFEST).read_text(encoding="utf-8"))
            write_durably(folder / FILES, again.to_json())
        return again

    def _load(self, folder: Path, manifest: Manifest) -> Shard:
        try:
            return Shard.load(folder / "shard", manifest.layout, self._arguments, manifest.effort)
        except StoreUnavailable as error:
            if is_full(error):
                raise no_space(folder, "more is needed to open the version") from error
            raise

    def take_changes(self, reader: VersionReader, reembed: Reembed, owner: str = "") -> EdgeOnline:
        """See `Store`."""
        assert isinstance(reader, EdgeReader)
        manifest = reader.manifest
        return EdgeOnline(
            self._positions.journal,
            reader,
            self._positions.begun_at(manifest.version),
            ChangedRows(manifest, reembed),
            lambda rows, applied: self._working_copy(manifest, rows, applied, owner),
            self._positions.trim,
            f"pid {os.getpid()} {owner}".strip(),
        )

    def _working_copy(self, manifest: Manifest, rows: ChangedRows, applied: int, owner: str) -> WorkingCopy:
        """Copy a sealed version, so that the copy takes changes later than that of a number."""
        self._clear_copies()
        check_room(self._root, ROOM_BYTES, "take changes")
        called = f"version {manifest.version} at {self.url}"
        made, lock = self._copy(self._folder(manifest.version), manifest, called, owner)
        try:
            fill_holes(made, "take changes")
            return WorkingCopy(made, lock, self._load(made, manifest), manifest, rows, applied)
        except BaseException:
            _delete(made)
            lock.close()
            raise

    def verify(self, version: str, deep: bool = False) -> Verification:
        """See `Store`. May run while another process has the version open."""
        manifest = self._manifest(version)
        if manifest.state != "ready":
            return Verification(version, "its manifest", (f"{MANIFEST} says {manifest.state!r}, not 'ready'",))
        folder = self._root / "versions" / version
        try:
            sealed = read_seal(folder, f"version {version}")
        except VersionIncomplete as error:
            return Verification(version, FILES, (str(error),))
        names = list(sealed.files) if deep else sealed.before_opening()
        data = sum(sealed.files[name].data for name in names)
        checked = f"{len(names):,} of {len(sealed.files):,} files, {data / 1e6:,.1f} MB of data"
        return Verification(version, checked, tuple(differences(folder, sealed, names)))

    @property
    def file_form(self) -> str:
        """See `Store`."""
        return "edge"

    def files(self, version: str) -> VersionFiles:
        """See `Store`; another process may have it open."""
        self._ready(version)
        self._positions.tell_later(version)
        folder = self._folder(version)
        sealed = read_seal(folder, f"version {version} at {self.url}")
        sizes = {name: FileSize(file.size, file.data) for name, file in sealed.files.items() if name != MANIFEST}
        listed = (folder / FILES).stat().st_size
        return VersionFiles(folder, {FILES: FileSize(listed, listed), **sizes})

    def take_in(self, manifest: Manifest, unpack: Callable[[Path], None], needed: int) -> None:
        """See `Store`."""
        with self._begin():
            check_room(self._root, needed + OPENING_BYTES, f"take in {manifest.products:,} products")
            take_in(self._root / "versions" / manifest.version, manifest, unpack, self._positions.end())

    def drop(self, version: str) -> bool:
        """See `Store`."""
        if version == self.live_version():
            raise StoreError(
                f"version {version} is the live one; permitted: any other; next step: activate another first"
            )
        folder = self._root / "versions" / version
        if not _NAME.fullmatch(version) or not folder.is_dir():
            return False
        try:
            lock = hold(folder / "OWNER", "dropping")
        except StoreLocked:
            return False
        try:
            # Without a manifest it is no version any more: what cannot be deleted now, the next build tries again.
            (folder / MANIFEST).unlink(missing_ok=True)
            shutil.rmtree(folder)
        except OSError as error:
            raise StoreUnavailable(
                f"version {version} at {self.url} cannot be deleted: {error.filename}: {error.strerror}; next step: "
                "may this user delete that? The next build tries again"
            ) from error
        finally:
            lock.close()
        return True

    def close(self) -> None:
        """Nothing is held between calls."""

    def _folder(self, version: str) -> Path:
        folder = self._root / "versions" / version
        if not _NAME.fullmatch(version) or not folder.is_dir():
            raise StoreNotFound(f"no version {version!r} at {self.url}; {NEXT_STEP}")
        return folder

    def _ready(self, version: str) -> Manifest:
        """A finished version's manifest."""
        manifest = self._manifest(version)
        if manifest.state != "ready":
            raise VersionIncomplete(f"version {version} is {manifest.state!r}; permitted: 'ready'; {NEXT_STEP}")
        return manifest

    def _manifest(self, version: str) -> Manifest:
        folder = self._folder(version)
        try:
            text = (folder / "manifest.json").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise VersionIncomplete(f"version {version} at {self.url} has no readable manifest; {NEXT_STEP}") from error
        return Manifest.from_json(text, f"{self.url} {version}")


def _delete(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
