"""A large PNG of any kind comes out as Pillow alone would decode it, and whatever is wrong with it is what Pillow says."""

from __future__ import annotations

import io
import re
import struct
import tracemalloc
import zlib
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from embedder.inputs.picture import PictureBytes, decode_picture
from embedder.inputs.png import LEAST_PIXELS, load_png
from tests.conftest import draw_product
from tests.embedder.conftest import encoded

SIDE = 261
KINDS = [
    *((0, depth) for depth in (1, 2, 4, 8, 16)),
    *((2, depth) for depth in (8, 16)),
    *((3, depth) for depth in (1, 2, 4, 8)),
    *((4, depth) for depth in (8, 16)),
    *((6, depth) for depth in (8, 16)),
]
"""Every colour type of the PNG specification with its bit depths."""

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(packed: Sequence[bytes], color: int, depth: int, interlaced: bool = False, *, before: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", SIDE, SIDE, depth, color, 0, 0, interlaced)
    parts = [chunk(b"IHDR", header), before, *(chunk(b"IDAT", part) for part in packed), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def random_rows(color: int, depth: int, interlaced: bool) -> bytes:
    """Rows of random bytes, each behind a random one of the five filters."""
    rng = np.random.default_rng(10 * color + depth)
    shapes = [(SIDE, SIDE)]
    if interlaced:
        shapes = [(-(-(SIDE - x) // across), -(-(SIDE - y) // down)) for x, y, across, down in ADAM7]
    rows = []
    for width, height in shapes:
        values = rng.integers(0, 256, (height, 1 + -(-width * CHANNELS[color] * depth // 8)), dtype=np.uint8)
        values[:, 0] = rng.integers(0, 5, height)
        rows.append(values.tobytes())
    return b"".join(rows)


def any_png(color: int, depth: int, interlaced: bool = False, transparent: bool = False) -> bytes:
    before = chunk(b"PLTE", bytes(range(256)) * 3) if color == 3 else b""
    if transparent:
        before += chunk(b"tRNS", {0: b"\0\1", 2: b"\0\1\0\2\0\3", 3: bytes(range(0, 200, 2))}[color])
    return png([zlib.compress(random_rows(color, depth, interlaced))], color, depth, interlaced, before=before)


def outcome(data: bytes, *, by_pillow_alone: bool) -> tuple[object, ...]:
    """All that is known of a decoded file, or what is raised."""
    try:
        opened = Image.open(io.BytesIO(data), formats=("PNG",))
        if by_pillow_alone:
            opened.load()
        else:
            opened = load_png(opened, data)
    except Exception as error:
        return type(error), re.sub("0x[0-9a-f]+", "", str(error))
    palette = None if opened.palette is None else opened.palette.tobytes()
    return opened.mode, opened.size, opened.tobytes(), palette, opened.info, dict(opened.getexif())


def assert_is_pillows(data: bytes) -> None:
    assert outcome(data, by_pillow_alone=False) == outcome(data, by_pillow_alone=True)


@pytest.mark.parametrize("interlaced", [False, True], ids=["rows", "interlaced"])
@pytest.mark.parametrize(("color", "depth"), KINDS)
def test_every_kind_of_png_is_what_pillow_makes_of_it(color: int, depth: int, interlaced: bool) -> None:
    assert SIDE * SIDE >= LEAST_PIXELS
    data = any_png(color, depth, interlaced)
    assert_is_pillows(data)
    assert outcome(data, by_pillow_alone=True)[1] == (SIDE, SIDE)


@pytest.mark.parametrize(("color", "depth"), [(0, 8), (0, 16), (2, 8), (2, 16), (3, 2), (3, 8)])
def test_a_colour_that_is_transparent_stays_so(color: int, depth: int) -> None:
    assert_is_pillows(any_png(color, depth, transparent=True))


def test_it_is_not_pillow_that_inflates_a_large_one() -> None:
    """Else these tests would compare Pillow with itself."""
    data = any_png(2, 8)
    with Image.open(io.BytesIO(data)) as opened:
        assert load_png(opened, data) is not opened


@pytest.mark.parametrize("length", [1, 7, 4096])
def test_data_in_many_chunks_some_of_them_empty(length: int) -> None:
    packed = zlib.compress(bytes(random_rows(0, 8, False)[: SIDE * (SIDE + 1)]).replace(b"\xff", b"\0"))
    pieces = [packed[start : start + length] for start in range(0, len(packed), length)]
    assert_is_pillows(png([b"", *pieces[:3], b"", *pieces[3:], b""], 0, 8))


@pytest.mark.parametrize("level", [0, 1, 9])
@pytest.mark.parametrize("window", [9, 12, 15])
def test_whatever_its_compression(level: int, window: int) -> None:
    packing = zlib.compressobj(level, wbits=window)
    assert_is_pillows(png([packing.compress(random_rows(6, 8, False)) + packing.flush()], 6, 8))


@pytest.mark.parametrize("further", [1, 100, 50_000_000])
def test_what_goes_on_behind_the_last_row_is_left_unread(further: int) -> None:
    """Also where it would fill the memory: 50 MB that take 50 kB."""
    data = png([zlib.compress(random_rows(2, 8, False) + bytes(further))], 2, 8)
    tracemalloc.start()
    try:
        found = outcome(data, by_pillow_alone=False)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 8 << 20
    assert found == outcome(data, by_pillow_alone=True)


def test_a_large_picture_of_one_colour_is_inflated_piece_by_piece() -> None:
    """48 MB in one chunk of 50 kB; of what is at work at once, Python holds little."""
    data = encoded(Image.new("RGB", (4000, 4000), "white"))
    tracemalloc.start()
    try:
        image = decode_picture(PictureBytes(data)).image
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 4 << 20
    assert image.getextrema() == ((255, 255),) * 3


def test_an_animation_is_left_to_pillow() -> None:
    frames = [Image.new("RGB", (300, 300), color) for color in ("red", "blue")]
    data = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:])
    with Image.open(io.BytesIO(data)) as opened:
        assert load_png(opened, data) is opened
        assert opened.convert("RGB").getpixel((5, 5)) == (255, 0, 0)


def test_what_is_said_behind_the_pixels_counts() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    whole = any_png(2, 8)
    data = whole[:-12] + chunk(b"eXIf", exif.tobytes()[6:]) + whole[-12:]
    assert_is_pillows(data)
    upright = np.asarray(decode_picture(PictureBytes(data)).image)
    stored = np.asarray(Image.open(io.BytesIO(whole)))
    assert np.array_equal(upright, np.rot90(stored, -1))


LARGE = encoded(draw_product("ellipse", "red", 0, side=SIDE))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_of_a_truncated_file_pillow_says_what_is_wrong(share: float) -> None:
    assert_is_pillows(LARGE[: int(len(LARGE) * share)])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_with_any_bytes_changed_it_is_still_what_pillow_makes_of_it(data: st.DataObject) -> None:
    broken = bytearray(LARGE)
    for _ in range(data.draw(st.integers(1, 4))):
        # Behind the header, and not in the length and the name of the chunk that follows.
        broken[data.draw(st.integers(41, len(broken) - 1))] = data.draw(st.integers(0, 255))
    assert_is_pillows(bytes(broken))
