"""Large PNGs, inflated by ISA-L and decoded by Pillow: the same pixels in about two thirds of the time.

Four fifths of the time that Pillow takes for a PNG are those of zlib, and Pillow's wheels use the system's. So what
Pillow is given to decode is inflated before it gets there, and arrives as deflate's "stored" blocks (RFC 1951, section
3.2.4), which zlib only copies. All that depends on the kind of PNG (filters, palettes, 16 bits, interlacing,
transparency) stays Pillow's.
"""

from __future__ import annotations

import io

from isal import isal_zlib
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

LEAST_PIXELS = 1 << 16
"""With fewer there is nothing to gain."""

_READ_BYTES = 1 << 16
_INFLATED_BYTES = 1 << 18
"""Most that is inflated at once: it stays in the processor's cache, and a picture of one colour takes no more."""

_STORED_BYTES = 0xFFFF
_ZLIB_HEADER = b"\x78\x01"
_LAST_BLOCK = b"\x01\x00\x00\xff\xff"


def load_png(opened: Image.Image, data: bytes) -> Image.Image:
    """Decode a PNG.

    Args:
        opened: Pillow's, of which nothing is decoded yet.
        data: the file.

    Returns:
        What `opened` would be after `load`, which decides wherever something is wrong with the file; the caller closes
        it.

    Raises:
        Exception: whatever Pillow raises.
    """
    if opened.width * opened.height >= LEAST_PIXELS and getattr(opened, "n_frames", 1) == 1:
        try:
            image = _InflatedPng(io.BytesIO(data))
            image.load()
            return image
        except MemoryError:
            raise
        # Of ISA-L's or of Pillow's: whatever it is, Pillow alone says what it is called, or that it is nothing.
        except Exception:  # noqa: BLE001
            image = None
    opened.load()
    return opened


class _InflatedPng(PngImageFile):
    """Pillow's reader, between whose parts for chunks and for rows the data is inflated."""

    def load_prepare(self) -> None:
        """As `PngImageFile.load_prepare`."""
        super().load_prepare()
        self._inflating = isal_zlib.decompressobj()
        self._checksum = isal_zlib.adler32(b"")
        self._is_begun = self._is_ended = self._has_more = False

    def load_read(self, read_bytes: int) -> bytes:
        """Some more of the picture's data, as a zlib stream of stored blocks; empty where the file ends too early."""
        parts = [] if self._is_begun else [_ZLIB_HEADER]
        self._is_begun = True
        raw = b""
        while not raw and not self._inflating.eof:
            packed = self._inflating.unconsumed_tail
            if not packed and not self._has_more:
                packed = super().load_read(_READ_BYTES)
                if not packed:
                    return b""
            raw = self._inflating.decompress(packed, _INFLATED_BYTES)
            # What ISA-L has inflated already, but had no room for.
            self._has_more = len(raw) == _INFLATED_BYTES
        self._checksum = isal_zlib.adler32(raw, self._checksum)
        for start in range(0, len(raw), _STORED_BYTES):
            block = raw[start : start + _STORED_BYTES]
            parts += (b"\0", len(block).to_bytes(2, "little"), (len(block) ^ 0xFFFF).to_bytes(2, "little"), block)
        if self._inflating.eof and not self._is_ended:
            self._is_ended = True
            parts += (_LAST_BLOCK, self._checksum.to_bytes(4, "big"))
        return b"".join(parts)
