"""A JPEG whose data ends before its picture does is found out, and no whole one is taken for such."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from embedder.errors import PictureUnreadable
from embedder.inputs.jpeg import FirstScan, first_scan
from embedder.inputs.picture import PictureBytes, decode_picture
from tests.embedder.conftest import encoded

KINDS = {
    "baseline": {},
    "progressive": {"progressive": True},
    "unsampled": {"subsampling": 0},
    "optimized": {"optimize": True},
    "coarse": {"quality": 5},
    "a restart a block": {"restart_marker_blocks": 1},
    "a restart a row": {"restart_marker_rows": 1},
    "progressive with restarts": {"progressive": True, "restart_marker_blocks": 2},
}


def colorful(width: int, height: int, seed: int = 0) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 255, (max(2, height // 16), max(2, width // 16), 3), np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


def claiming(data: bytes, width: int, height: int) -> bytes:
    """The same JPEG with another size in its header."""
    changed, position = bytearray(data), 2
    while changed[position + 1] not in (0xC0, 0xC1, 0xC2):
        position += 2 + int.from_bytes(changed[position + 2 : position + 4], "big")
    changed[position + 5 : position + 9] = struct.pack(">HH", height, width)
    return bytes(changed)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("draft_side", [None, 8])
def test_a_header_that_claims_more_than_the_data_holds(kind: str, mode: str, draft_side: int | None) -> None:
    for seed in range(3):
        data = encoded(colorful(64, 48, seed).convert(mode), "JPEG", **KINDS[kind])
        assert decode_picture(PictureBytes(data), draft_side=draft_side)
        for size in ((7000, 70), (128, 96), (64, 80), (81, 48)):
            with pytest.raises(PictureUnreadable, match=r"ends early|cannot be decoded"):
                decode_picture(PictureBytes(claiming(data, *size)), draft_side=draft_side)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(64, 48), (33, 57), (1, 1), (301, 19)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_whole_picture_that_ends_in_mid_grey_is_whole(kind: str, mode: str, size: tuple[int, int]) -> None:
    grey = Image.new("RGB", size, (128,) * 3)
    half = colorful(*size)
    half.paste((127, 128, 128), (0, size[1] // 2, *size))
    pale = Image.blend(colorful(*size), grey, 0.9)
    for image in (grey, half, pale):
        data = encoded(image.convert(mode), "JPEG", **KINDS[kind])
        for draft_side in (None, 8):
            assert decode_picture(PictureBytes(data), draft_side=draft_side).image.mode == "RGB"


def test_exif_with_a_thumbnail_and_bytes_behind_the_end_do_not_matter() -> None:
    exif = Image.Exif()
    exif[0x010E] = "\xff\xda and \xff\xd9 as text"
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), (128,) * 3).save(buffer, "JPEG", exif=exif, comment=encoded(colorful(16, 16), "JPEG"))
    assert decode_picture(PictureBytes(buffer.getvalue() + bytes(100))).image.size == (64, 48)


def test_the_first_scan_is_found() -> None:
    data = encoded(colorful(64, 48), "JPEG")
    assert first_scan(data) == FirstScan(3, len(data) - 2)
    progressive = first_scan(encoded(colorful(64, 48), "JPEG", progressive=True))
    assert progressive is not None
    assert progressive.components == 3


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xda", b"\xff\xd8\xff\xda\x00\x0c", b"no JPEG at all"]
)
def test_where_there_is_no_scan_none_is_found(data: bytes) -> None:
    assert first_scan(data) is None
