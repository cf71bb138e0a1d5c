"""The folder that a report is written to: its own files are replaced, everything else in it stays."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from embedder.errors import SettingsError
from embedder.report.rendering import GENERATOR

_HEAD_BYTES = 2048


@dataclass(frozen=True, slots=True)
class ReportFolder:
    """A folder for reports, which may hold other things.

    A file of one of our names is replaced only where an earlier report wrote it: where its first 2 kB name us.

    Attributes:
        path: the folder; made where it does not exist.
    """

    path: Path

    def check(self, names: Collection[str]) -> None:
        """Look whether these files may be written, before hours are spent on what goes into them.

        Args:
            names: of files, relative to the folder.

        Raises:
            SettingsError: the folder is a file or cannot be made or written, or a file of that name is not a report's.
        """
        folders = {(self.path / name).parent for name in names}
        try:
            for folder in sorted(folders):
                folder.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=folder):
                    pass
        except OSError as error:
            raise SettingsError(
                f"report folder {self.path}: {error.strerror or error}; permitted: a folder that can be written, or "
                "that can be made; next step: another folder"
            ) from error
        for name in names:
            path = self.path / name
            if path.exists() and not _is_ours(path):
                raise SettingsError(
                    f"report folder {self.path}: {name} was not written by a report, and would be lost; permitted: a "
                    "folder without such a file, or with an earlier report; next step: another folder, or move it away"
                )

    def write(self, files: Mapping[str, str]) -> None:
        """Write the files, each in one step: a reader sees an earlier report or this one.

        Args:
            files: name, relative to the folder, to text.

        Raises:
            SettingsError: as `check`, or the disk is full.
        """
        self.check(files)
        for name, text in files.items():
            path = self.path / name
            try:
                _replace(path, text)
            except OSError as error:
                raise SettingsError(
                    f"report {path} cannot be written ({error.strerror or error}); next step: make room, or choose "
                    "another folder"
                ) from error


def _is_ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return GENERATOR.encode() in file.read(_HEAD_BYTES)
    except OSError:
        return False


def _replace(path: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        # `mkstemp` makes files that their owner alone may read; a report is to be shown.
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
