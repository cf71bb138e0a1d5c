"""Pictures made small, as data URIs that a page holds."""

from __future__ import annotations

import base64
import io

from PIL import Image

SIDE = 128
"""Longest side in pixels: a report of a hundred pictures stays below a megabyte."""

_QUALITY = 80


def thumbnail(image: Image.Image, side: int = SIDE) -> str:
    """A JPEG data URI of an RGB picture, at most `side` pixels on its longer side; smaller ones stay as they are."""
    factor = min(1.0, side / max(image.size))
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    small = image.convert("RGB")
    if size != image.size:
        small = small.resize(size, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    return data_uri(buffer.getvalue(), "image/jpeg")


def data_uri(data: bytes, media_type: str) -> str:
    """Bytes as a data URI."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"
