"""Pictures as people have them come out upright, opaque, 8-bit RGB; what is no picture is refused with its reason."""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from embedder.errors import (
    PictureEmpty,
    PictureError,
    PictureMissing,
    PictureSideTooLong,
    PictureTooLarge,
    PictureTooManyPixels,
    PictureUnreadable,
)
from embedder.inputs.picture import (
    ANIMATION_FIRST_FRAME,
    DrawnPicture,
    PictureBytes,
    PictureFile,
    PictureLimits,
    PicturePixels,
    decode_picture,
)
from embedder.inputs.preprocess import Preprocessing
from tests.conftest import draw_product
from tests.embedder.conftest import encoded

BALL = draw_product("ellipse", "red", 0)


def decoded(data: bytes, **options) -> np.ndarray:
    return np.asarray(decode_picture(PictureBytes(data), **options).image)


def png(width: int, height: int, body: bytes, depth: int = 8, color: int = 0) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF"])
def test_lossless_formats_come_out_as_they_went_in(kind: str) -> None:
    picture = BALL.quantize(16).convert("RGB") if kind == "GIF" else BALL
    assert np.array_equal(decoded(encoded(picture, kind)), np.asarray(picture))


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_formats_come_out_nearly_as_they_went_in(kind: str) -> None:
    difference = np.abs(decoded(encoded(BALL, kind, quality=95)).astype(int) - np.asarray(BALL).astype(int))
    assert difference.mean() < 3


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "I", "I;16", "F", "CMYK", "YCbCr", "LAB"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    source = BALL if mode != "I;16" else Image.fromarray(np.asarray(BALL.convert("L")).astype(np.uint16) * 257)
    picture = source if mode == "I;16" else _as_mode(source, mode)
    kind = "TIFF" if mode != "PA" else "PNG"
    if mode == "PA":
        picture = picture.convert("RGBA")
    image = decode_picture(PictureBytes(encoded(picture, kind))).image
    assert (image.mode, image.size) == ("RGB", BALL.size)
    # The disc in the middle stays darker than the ground around it, whatever the mode.
    values = np.asarray(image.convert("L")).astype(int)
    assert values[44:52, 44:52].mean() < values[:8, :8].mean() - 60


def _as_mode(image: Image.Image, mode: str) -> Image.Image:
    if mode == "LAB":
        from PIL import ImageCms

        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        return ImageCms.applyTransform(image, ImageCms.buildTransform(*profiles, "RGB", "LAB"))
    return image.convert("RGBA").quantize(32).convert("PA") if mode == "PA" else image.convert(mode)


def test_cmyk_jpeg_keeps_its_colours() -> None:
    red = decoded(encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95))[8, 8]
    assert red[0] > 200
    assert max(red[1:]) < 60


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    values = decoded(encoded(Image.fromarray(ramp)))[..., 0].reshape(-1)
    assert np.array_equal(values, np.arange(256))


def test_sixteen_bit_rgb_is_scaled() -> None:
    body = b"".join(b"\0" + struct.pack(">HHH", 65535, 32768, 0) * 4 for _ in range(4))
    assert tuple(decoded(png(4, 4, body, depth=16, color=2))[0, 0]) == (255, 128, 0)


def test_transparency_is_laid_on_white() -> None:
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    assert (decoded(encoded(clear)) == 255).all()


def test_laid_on_white_each_value_at_each_opacity_is_what_pillow_composites() -> None:
    values, opacities = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    every = Image.fromarray(np.stack([values, values, 255 - values, opacities], axis=2))
    white = Image.new("RGBA", every.size, (255, 255, 255, 255))
    expected = Image.alpha_composite(white, every).convert("RGB")
    # As a cut-out: clear all around.
    larger = Image.new("RGBA", (700, 900), (1, 2, 3, 0))
    larger.paste(every, (300, 400))
    found = decoded(encoded(larger)).copy()
    assert np.array_equal(found[400:656, 300:556], np.asarray(expected))
    found[400:656, 300:556] = 255
    assert (found == 255).all()


def test_a_palettes_transparent_colour_is_laid_on_white() -> None:
    picture = Image.new("P", (8, 8), 0)
    picture.putpalette([10, 20, 30] * 256)
    assert (decoded(encoded(picture, "PNG", transparency=0)) == 255).all()


UNDO = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""EXIF orientation to how an upright picture is stored under it."""


def turned(upright: Image.Image, orientation: int, kind: str) -> bytes:
    stored = upright.transpose(UNDO[orientation]) if orientation in UNDO else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(stored, kind, exif=exif)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(orientation: int) -> None:
    upright = Image.new("RGB", (40, 24), "white")
    upright.paste((255, 0, 0), (0, 0, 10, 6))
    for kind in ("PNG", "JPEG"):
        image = decode_picture(PictureBytes(turned(upright, orientation, kind)), draft_side=8).image
        assert image.size[0] > image.size[1]
        corner = image.resize((40, 24)).getpixel((3, 2))
        assert corner[0] > 200
        assert max(corner[1:]) < 80


def test_of_an_animation_the_first_frame_is_taken_and_said() -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue", "green")]
    animation = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    result = decode_picture(PictureBytes(animation))
    assert result.warnings == (ANIMATION_FIRST_FRAME,)
    assert result.image.getpixel((4, 4)) == (255, 0, 0)


def test_a_still_gif_warns_of_nothing() -> None:
    assert decode_picture(PictureBytes(encoded(BALL, "GIF"))).warnings == ()


def test_a_draft_is_smaller_and_hardly_different() -> None:
    large = draw_product("ellipse", "blue", 1, side=1024)
    data = encoded(large, "JPEG", quality=95)
    draft = decode_picture(PictureBytes(data), draft_side=192).image
    assert 192 <= draft.width <= 512
    whole = decode_picture(PictureBytes(data)).image
    difference = np.asarray(draft.resize((96, 96))).astype(float) - np.asarray(whole.resize((96, 96))).astype(float)
    assert np.abs(difference).mean() < 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_draft_shows_everything_where_the_whole_picture_does(orientation: int) -> None:
    """Its outermost pixels may lie across the picture's edge, which is not where the picture ends then."""
    x, y = np.meshgrid(np.arange(1537), np.arange(1161))
    waves = 127.5 + 127.5 * np.sin(2 * np.pi * x / 60) * np.sin(2 * np.pi * y / 45)
    data = PictureBytes(turned(Image.fromarray(waves.astype(np.uint8)).convert("RGB"), orientation, "JPEG"))
    preprocessing = Preprocessing((48, 48), (0.5,) * 3, (0.5,) * 3, resize_mode="squash")
    whole = np.asarray(preprocessing.resize(decode_picture(data).image)).astype(int)
    draft = decode_picture(data, draft_side=144)
    assert draft.image.size == (193, 146)
    assert draft.box is not None
    with_box = np.abs(np.asarray(preprocessing.resize(draft.image, draft.box)) - whole)
    without = np.abs(np.asarray(preprocessing.resize(draft.image)) - whole)
    assert with_box.mean() < 1.5 < 3 < without.mean()


def test_a_draft_that_ends_where_the_picture_does_has_no_box() -> None:
    data = PictureBytes(encoded(draw_product("ellipse", "blue", 1, side=1024), "JPEG"))
    assert decode_picture(data, draft_side=192).box is None
    assert decode_picture(data).box is None


def test_zero_bytes() -> None:
    with pytest.raises(PictureEmpty, match="0 bytes; permitted: 1 byte or more"):
        decoded(b"")


@pytest.mark.parametrize("data", [b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.4", bytes(1000)])
def test_not_a_picture(data: bytes) -> None:
    with pytest.raises(PictureUnreadable, match="permitted: one whole JPEG, PNG, WEBP, GIF, BMP, TIFF file"):
        decoded(data)


def test_a_format_that_is_not_on_the_list_is_refused_though_pillow_knows_it() -> None:
    with pytest.raises(PictureUnreadable):
        decoded(encoded(BALL, "ICO"))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_picture(kind: str, share: float) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    data = encoded(noise, kind)
    with pytest.raises(PictureUnreadable):
        decoded(data[: int(len(data) * share)])


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
def test_a_picture_without_pixels(size: tuple[int, int]) -> None:
    with pytest.raises(PictureError) as caught:
        decoded(png(*size, b""))
    assert caught.value.reason in ("IMAGE_EMPTY", "IMAGE_UNREADABLE")


def test_the_bomb_is_refused_on_its_header() -> None:
    # Its pixels are not even there: had they been asked for, the reason would be another.
    with pytest.raises(PictureTooManyPixels, match=r"400,000,000 pixels.*permitted: up to 50,000,000"):
        decoded(png(20_000, 20_000, b"\0"))


def test_below_pillows_own_limit_ours_is_the_one_that_counts() -> None:
    with pytest.raises(PictureTooManyPixels, match=r"8000 x 8000 = 64,000,000 pixels; permitted: up to 50,000,000"):
        decoded(png(8000, 8000, b"\0"))


def test_a_large_picture_within_the_limit_warns_nobody() -> None:
    body = b"\0" * (9000 // 8 + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        limits = PictureLimits(max_pixels=200_000_000)
        image = decode_picture(PictureBytes(png(9000, 10_000, body * 10_000, depth=1)), limits).image
    assert image.size == (9000, 10_000)


def test_an_operators_limit_may_lie_above_pillows() -> None:
    """Pillow itself refuses more than about 179 megapixels; here the body is what is wrong with 400."""
    with pytest.raises(PictureUnreadable):
        decoded(png(20_000, 20_000, b"\0"), limits=PictureLimits.for_catalog(500_000_000))
    with pytest.raises(PictureTooManyPixels, match=r"20000 x 20000 = 400,000,000 pixels; permitted: up to 300,000,000"):
        decoded(png(20_000, 20_000, b"\0"), limits=PictureLimits.for_catalog(300_000_000))


@pytest.mark.parametrize("size", [(40_000, 1), (1, 40_000)])
def test_a_picture_of_too_many_rows_or_columns(size: tuple[int, int]) -> None:
    with pytest.raises(PictureSideTooLong, match="permitted: up to 32,768 a side"):
        decoded(png(*size, b"\0"))
    assert decoded(png(40_000, 1, b"\0" * 40_001), limits=PictureLimits(max_side=40_000)).shape == (1, 40_000, 3)


def test_the_memory_that_decoding_takes_is_reserved_before_it_begins() -> None:
    reserved: list[int] = []
    whole = encoded(BALL, "PNG")
    decoded(whole, reserve=reserved.append)
    assert reserved == [BALL.width * BALL.height * 8]
    # Its pixels are cut off, which decoding finds out, and it is too large, which its header says.
    for data in (whole[: len(whole) // 2], png(20_000, 20_000, b"\0")):
        with pytest.raises(PictureError):
            decoded(data, reserve=reserved.append)
    assert len(reserved) == 2


def test_what_refuses_the_memory_says_nothing_about_the_picture() -> None:
    def refuse(count: int) -> None:
        raise ZeroDivisionError(count)

    with pytest.raises(ZeroDivisionError):
        decoded(encoded(BALL), reserve=refuse)


@pytest.mark.parametrize("mode", ["I;16", "I", "F", "RGBA", "LA", "P"])
def test_a_large_picture_is_converted_as_a_small_one_is(mode: str) -> None:
    """Strip by strip, or at once: each corner comes out as it would alone."""
    rng = np.random.default_rng(0)
    if mode in ("I;16", "I", "F"):
        kinds = {"I;16": np.uint16, "I": np.int32, "F": np.float32}
        image = Image.fromarray((rng.random((700, 900)) * 60_000).astype(kinds[mode]))
    else:
        image = Image.fromarray(rng.integers(0, 256, (700, 900, 4), dtype=np.uint8), "RGBA").convert(mode)
    if mode == "P":
        image.info["transparency"] = 3
    data = encoded(image, "TIFF") if mode in ("I", "F", "LA") else encoded(image)
    whole = decoded(data)
    assert whole.shape == (700, 900, 3)
    if mode in ("I", "F"):
        # The scale is the whole picture's.
        values = np.asarray(image, dtype=np.float64)
        low, high = (values.min(), values.max()) if mode == "F" else (0.0, 255.0 * 257)
        expected = np.repeat(((values - low) / (high - low) * 255 + 0.5).astype(np.uint8)[..., None], 3, axis=2)
        assert np.abs(whole.astype(int) - expected).max() <= 1
        return
    for top in (0, 290, 640):
        part = image.crop((0, top, 900, top + 60))
        assert np.array_equal(whole[top : top + 60], decoded(encoded(part, "TIFF") if mode == "LA" else encoded(part)))


def test_too_many_bytes() -> None:
    with pytest.raises(PictureTooLarge, match="permitted: up to 100"):
        decoded(encoded(BALL), limits=PictureLimits(max_bytes=100))


def test_of_a_file_too_large_no_more_than_the_limit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.jpg"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(PictureTooLarge):
        decode_picture(PictureFile(path))


@pytest.mark.parametrize("name", ["missing.jpg", "a\0b.jpg", "x" * 300 + ".jpg", "."])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(PictureMissing, match="cannot be read"):
        decode_picture(PictureFile(tmp_path / name))


def test_grey_and_coloured_pixels() -> None:
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8)
    image = decode_picture(PicturePixels(grey)).image
    assert np.array_equal(np.asarray(image), np.stack([grey] * 3, axis=2))
    colored = np.asarray(BALL)
    assert np.array_equal(np.asarray(decode_picture(PicturePixels(colored)).image), colored)


def test_a_drawn_picture_is_drawn_each_time_and_known_by_what_it_shows() -> None:
    drawn: list[int] = []

    def draw() -> np.ndarray:
        drawn.append(1)
        return np.asarray(BALL)

    picture = DrawnPicture(draw, "ball")
    assert drawn == []
    for _ in range(2):
        assert np.array_equal(np.asarray(decode_picture(picture).image), np.asarray(BALL))
    assert len(drawn) == 2
    assert picture == DrawnPicture(lambda: np.zeros((1, 1), dtype=np.uint8), "ball") != DrawnPicture(draw, "cube")


@pytest.mark.parametrize(
    ("pixels", "error"),
    [
        (np.zeros((4, 4), dtype=np.float32), PictureUnreadable),
        (np.zeros((4, 4, 4), dtype=np.uint8), PictureUnreadable),
        (np.zeros((0, 4), dtype=np.uint8), PictureEmpty),
        (np.zeros((8000, 8000), dtype=np.uint8), PictureTooManyPixels),
    ],
)
def test_pixels_that_are_no_picture(pixels: np.ndarray, error: type[PictureError]) -> None:
    with pytest.raises(error, match="permitted"):
        decode_picture(PicturePixels(pixels))
    with pytest.raises(error, match="permitted"):
        decode_picture(DrawnPicture(lambda: pixels, "no picture"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_picture_with_any_bytes_changed_is_decoded_or_refused(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([encoded(BALL, kind) for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")]))
    broken = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 8))):
        broken[data.draw(st.integers(0, min(len(broken) - 1, 400)))] = data.draw(st.integers(0, 255))
    said = outcome(bytes(broken))
    assert said == "RGB" or "permitted" in said


def outcome(data: bytes) -> str:
    """The mode of what was decoded, or why nothing was."""
    try:
        return decode_picture(PictureBytes(data)).image.mode
    except PictureError as error:
        return str(error)
