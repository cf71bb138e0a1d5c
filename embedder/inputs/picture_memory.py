"""How much memory decoding a picture takes, computed from its header."""

from __future__ import annotations

from PIL import Image

from embedder.inputs.jpeg import FirstScan

_BYTES = {"1": 1, "L": 1, "P": 1}
"""Of Pillow's modes that take one byte a pixel; `I;16` and the like take two, all others four."""

_WEBP_BYTES = 16
"""A pixel's share of libwebp's two canvases, of the frame that Pillow takes out, and of Pillow's own picture."""

_TIFF_BYTES = 8
"""Libtiff decodes strips, of which one may hold the whole picture, with up to four channels of 16 bits."""

_RGB_BYTES = 4


def decoding_bytes(opened: Image.Image, full_size: tuple[int, int], scan: FirstScan | None) -> int:
    """The most that turning an opened picture into RGB takes at one time, in bytes: an upper bound.

    Args:
        opened: header read, `draft` applied, nothing decoded.
        full_size: (width, height) before `draft`.
        scan: of a JPEG.
    """
    pixels = opened.width * opened.height
    source = pixels * (2 if opened.mode.startswith("I;16") else _BYTES.get(opened.mode, 4))
    # Turning upright makes a second picture of the same kind before the first is freed.
    most = source + max(source, pixels * _RGB_BYTES)
    if opened.format == "JPEG":
        return most + _jpeg_coefficients(opened, full_size, scan)
    return most + pixels * {"WEBP": _WEBP_BYTES, "TIFF": _TIFF_BYTES, "GIF": _RGB_BYTES}.get(opened.format or "", 0)


def _jpeg_coefficients(opened: Image.Image, full_size: tuple[int, int], scan: FirstScan | None) -> int:
    """Libjpeg holds every coefficient, 2 bytes each, where a picture comes in several scans, at whatever scale."""
    layers = int(getattr(opened, "layers", 3))
    in_one_scan = scan is not None and scan.components >= layers and "progressive" not in opened.info
    return 0 if in_one_scan else full_size[0] * full_size[1] * layers * 2
