"""How far copying files is, in megabytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

_MB = 1_000_000

Begin = Callable[[str, int], Callable[[int], None]]
"""Begins a step of a command's progress, which has a name and a total, and gives what is called with what was done."""


def unseen(label: str, total: int) -> Callable[[int], None]:
    """A step that nobody watches."""
    return lambda done: None


class Megabytes:
    """A step that counts bytes and tells of each million of them; a context manager, which is called with bytes."""

    def __init__(self, begin: Begin, label: str, size: int) -> None:
        """Begin it; `size`: bytes in all."""
        self._on_progress = begin(label, size // _MB + 1)
        self._bytes = 0

    def __call__(self, count: int) -> None:
        """So many bytes more."""
        before = self._bytes // _MB
        self._bytes += count
        if self._bytes // _MB > before:
            self._on_progress(self._bytes // _MB - before)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if kind is None:
            self._on_progress(1)
