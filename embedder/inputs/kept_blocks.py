"""Memory of pictures that Pillow keeps for the next ones, while many large ones are decoded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

_memory = Image.core  # type: ignore[attr-defined]  # Pillow's documentation calls it so; its stubs do not.

BLOCKS = 6
"""Of 16 MiB each, for a thread: a picture of 12 megapixels as it is stored, and as RGB."""


@contextmanager
def keeping_blocks(threads: int) -> Iterator[None]:
    """Within, Pillow gives blocks of memory back to the system only beyond `BLOCKS` for each thread.

    By default it gives back all of them, and a quarter of the time that a large picture takes is the system's, for
    clearing pages (Pillow's documentation, "Block allocator"). The setting is one for the process.

    Args:
        threads: how many pictures are decoded at once, 1 or more.
    """
    before = _memory.get_blocks_max()
    _memory.set_blocks_max(max(before, BLOCKS * threads))
    try:
        yield
    finally:
        # Gives back what is kept beyond it.
        _memory.set_blocks_max(before)
