"""Taking in a version that another store made, file by file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from indexer.changes.journal import Position
from indexer.errors import VersionIncomplete
from indexer.stores.edge.durable import sync_tree, write_durably
from indexer.stores.edge.seal import CHANGES_FROM, FILES, MANIFEST, NEXT_STEP, check_files, read_seal, text_file
from indexer.stores.edge.space import writing
from indexer.versions.manifest import Manifest


def take_in(folder: Path, manifest: Manifest, unpack: Callable[[Path], None], position: Position) -> None:
    """Make a version of another one's files, under its own manifest; until that is written, it is no version.

    Args:
        folder: the new version's, which is not there yet.
        manifest: of the new version, ready.
        unpack: writes the other one's files into a folder, less its manifest.
        position: end of the journal: what was changed before is not to come back.

    Raises:
        VersionIncomplete: they are not what was sealed.
        StoreUnavailable: they cannot be written.
    """
    called = f"version {manifest.version}"
    with writing(folder, "begin a version", "choose another folder"):
        folder.mkdir()
    try:
        with writing(folder, "take in a version"):
            unpack(folder)
        sealed = read_seal(folder, called)
        listed = sealed.files.keys() - {MANIFEST}
        held = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()} - {FILES}
        for name in sorted(held - listed):
            raise VersionIncomplete(f"{called} has a file that was not sealed, {name}; {NEXT_STEP}")
        check_files(folder, sealed, called, listed)
        text = manifest.to_json()
        own = {CHANGES_FROM: text_file(position.to_text()), MANIFEST: text_file(text)}
        sealed = replace(sealed, files={**sealed.files, **own})
        with writing(folder, "take in a version"):
            sync_tree(folder)
            write_durably(folder / FILES, sealed.to_json())
            write_durably(folder / CHANGES_FROM, position.to_text())
            write_durably(folder / MANIFEST, text)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
