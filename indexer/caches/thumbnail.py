"""One picture made small."""

from __future__ import annotations

import io

from PIL import Image

SIDE = 256
"""Longest side, pixels."""

_QUALITY = 85
_WHOLE_BLOCKS = 3.0
"""As Pillow's documentation advises: blocks are averaged before the last step, and nobody sees a difference."""


def to_thumbnail(image: Image.Image) -> bytes:
    """A JPEG of an RGB picture, `SIDE` pixels on its longer side; a smaller picture keeps its size."""
    factor = min(1.0, SIDE / max(image.size))
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    small = image if size == image.size else image.resize(size, Image.Resampling.LANCZOS, None, _WHOLE_BLOCKS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
