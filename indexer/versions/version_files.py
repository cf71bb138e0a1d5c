"""A version as files on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FileSize:
    """Of one file: its length in bytes, and how many of them are data; the others are in blocks of zeros."""

    size: int
    data: int

    @property
    def is_mostly_holes(self) -> bool:
        """Whether less than half of it is data."""
        return 2 * self.data < self.size


@dataclass(frozen=True, slots=True)
class VersionFiles:
    """The files that make up a sealed version; whoever has it open does not change them.

    Attributes:
        folder: where they lie.
        files: by path below it; the manifest is not among them.
    """

    folder: Path
    files: Mapping[str, FileSize]
