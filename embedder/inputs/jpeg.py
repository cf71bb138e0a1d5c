"""Whether a JPEG's data fills the picture that its header claims.

libjpeg (jdhuff.c: `insufficient_data`) fills what the data does not reach with blocks of zeros, which are mid-grey, and
gives Pillow no sign of it. So a picture that ends in mid-grey is decoded once more with further data
after its own: where that data is used, the picture's own had ended too early.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

from PIL import Image

_MID_GREY = (126.0, 129.0)
_SCAN_END = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
_STRIP_ROWS = 256


def _noise(number: int) -> bytes:
    """96 bytes below 0xFF, others for each number: a single pattern may happen to decode to grey."""
    return bytes((index * 73 + number * 29 + 41) % 251 for index in range(96))


_FURTHER_DATA = _noise(8) + b"".join(bytes((0xFF, 0xD0 + number)) + _noise(number) for number in range(8))
"""Bytes that decode to something other than grey, behind each restart marker too: one of those may be waited for."""


@dataclass(frozen=True, slots=True)
class FirstScan:
    """A JPEG's first scan: how many components it holds, and the offset behind its last byte."""

    components: int
    end: int


def first_scan(data: bytes) -> FirstScan | None:
    """Find the first scan by walking the segments before it; None where there is none."""
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        if marker == 0xDA:
            begin = position + 2 + length
            found = _SCAN_END.search(data, begin)
            return FirstScan(data[position + 4], found.start()) if found and position + 4 < len(data) else None
        position += 2 + length
    return None


def ends_early(data: bytes, image: Image.Image, draft_side: int | None) -> bool:
    """Whether the data ends before the picture does.

    Args:
        data: the file.
        image: what Pillow decoded from it, not yet converted.
        draft_side: what `Image.draft` was asked for, so that the second decoding has the same size.
    """
    if not _ends_in_mid_grey(image):
        return False
    scan = first_scan(data)
    if scan is None:
        return False
    longer = data[: scan.end] + _FURTHER_DATA + data[scan.end :]
    with Image.open(io.BytesIO(longer), formats=("JPEG",)) as again:
        if draft_side is not None:
            again.draft("RGB", (draft_side, draft_side))
        try:
            again.load()
        except OSError:
            return False
        return again.size == image.size and _differ(image, again)


def _ends_in_mid_grey(image: Image.Image) -> bool:
    """Whether the last pixel could be filling; by its brightness, since its colour is smoothed with its neighbours'."""
    last = image.crop((image.width - 1, image.height - 1, image.width, image.height)).tobytes()
    # Of CMYK only the last channel is never smoothed.
    brightness = 0.299 * last[0] + 0.587 * last[1] + 0.114 * last[2] if image.mode == "RGB" else last[-1]
    return _MID_GREY[0] <= brightness <= _MID_GREY[1]


def _differ(first: Image.Image, second: Image.Image) -> bool:
    """Compare strip by strip, from the end, where a difference is most likely: no third and fourth copy is made."""
    for bottom in range(first.height, 0, -_STRIP_ROWS):
        box = (0, max(0, bottom - _STRIP_ROWS), first.width, bottom)
        if first.crop(box).tobytes() != second.crop(box).tobytes():
            return True
    return False
