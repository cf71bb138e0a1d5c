"""Pictures as customers and catalogs have them, decoded to plain RGB.

Everything after this module sees an upright, opaque, 8-bit RGB picture without metadata.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from embedder.errors import (
    PictureEmpty,
    PictureMissing,
    PictureOutside,
    PictureSideTooLong,
    PictureTooLarge,
    PictureTooManyPixels,
    PictureUnreadable,
)
from embedder.inputs.jpeg import ends_early, first_scan
from embedder.inputs.picture_memory import decoding_bytes
from embedder.inputs.png import load_png
from embedder.inputs.regular_file import open_regular_file, path_within

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
"""What is decoded. Pillow's other readers are left out: each is a way in for an attacker."""

# Pillow's own limit is one for the whole process, and lower than what an operator may permit for a catalog; ours is
# checked on the header of every picture, before any pixel is decoded.
Image.MAX_IMAGE_PIXELS = None

ANIMATION_FIRST_FRAME = "ANIMATION_FIRST_FRAME"


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture on disk, read when it is needed.

    Attributes:
        path: where it is.
        folder: the folder that it must lie in once all links are followed; None: anywhere.
    """

    path: Path
    folder: Path | None = None


class PictureFetcher(Protocol):
    """Gets the bytes of pictures that are not on this machine; used by several threads at once."""

    def fetch(self, url: str, limits: PictureLimits) -> bytes:
        """The bytes of one picture; no more than one byte beyond `limits.max_bytes` is read.

        Raises:
            PictureError: it is not there, may not be fetched, or did not come.
        """


@dataclass(frozen=True, slots=True)
class RemotePicture:
    """A picture in an object store or on a web server, fetched each time that it is needed.

    Attributes:
        url: where it is.
        fetcher: gets it.
    """

    url: str
    fetcher: PictureFetcher = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class PictureBytes:
    """An encoded picture in memory (one file's bytes)."""

    data: bytes


@dataclass(frozen=True, slots=True)
class PicturePixels:
    """Raw pixels: uint8, (height, width) grey or (height, width, 3) RGB."""

    pixels: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class DrawnPicture:
    """A picture that is drawn when it is needed, and not kept.

    Attributes:
        draw: draws it: uint8, (height, width) grey or (height, width, 3) RGB; always the same. Called in any thread.
        content: names what is drawn: pictures with the same `content` have the same pixels, so that what was computed
            from one can be found again without drawing it.
    """

    draw: Callable[[], npt.NDArray[np.uint8]] = field(compare=False)
    content: str


LoadedPicture = PictureBytes | PicturePixels | DrawnPicture
"""A picture whose content is at hand."""

Picture = PictureFile | RemotePicture | LoadedPicture


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """How large a picture may be.

    Attributes:
        max_bytes: of the encoded file.
        max_pixels: width x height, before decoding.
        max_side: the longer of the two.
        advice: ends the message about a picture that is larger: what its owner can do.
    """

    max_bytes: int = 10 * 1024 * 1024
    max_pixels: int = 50_000_000
    max_side: int = 32_768
    advice: str = "send it smaller"

    @classmethod
    def for_catalog(cls, max_pixels: int = 50_000_000) -> PictureLimits:
        """Limits for pictures of an operator's own catalog, as the commands' `--max-image-pixels` sets them.

        The file may have 4 bytes for each permitted pixel (no format needs more for 8 bits a channel), at least 10
        MiB, so that one number governs both.
        """
        return cls(
            max_bytes=max(cls().max_bytes, 4 * max_pixels),
            max_pixels=max_pixels,
            max_side=max(cls().max_side, max_pixels),
            advice="next step: make it smaller, or raise --max-image-pixels",
        )


@dataclass(frozen=True, slots=True)
class DecodedPicture:
    """An upright RGB picture.

    Attributes:
        image: its pixels.
        warnings: codes of what was done to it that the caller may want to know.
        box: (left, top, right, bottom) of what the picture takes of the image, where that is not all of it: of a JPEG
            that was decoded at a reduced scale the outermost pixels may lie across the picture's edge.
    """

    image: Image.Image
    warnings: tuple[str, ...] = ()
    box: Box | None = None


Box = tuple[float, float, float, float]

Reserve = Callable[[int], None]
"""Takes the bytes that a decoding is about to need; may wait, or raise to refuse."""


def decode_picture(
    picture: Picture,
    limits: PictureLimits | None = None,
    draft_side: int | None = None,
    reserve: Reserve | None = None,
) -> DecodedPicture:
    """Decode a picture to upright, opaque 8-bit RGB.

    EXIF rotation is applied, transparency is composited on white, 16-bit is scaled to 8, of an animation the first
    frame is taken. The limits are checked on the header, before any pixel is decoded.

    Args:
        picture: what to decode.
        limits: defaults to 10 MiB and 50 megapixels.
        draft_side: where set, a JPEG may be decoded at 1/2, 1/4 or 1/8 size as long as its shorter side stays at
            least this many pixels (Pillow's `draft`): twice as fast.
        reserve: called with the bytes that decoding will take at most, before it begins; raw pixels take none.

    Raises:
        PictureError: one of its subclasses, whose `reason` says which rule was broken. What `reserve` raises passes.
    """
    limits = limits or PictureLimits()
    if isinstance(picture, DrawnPicture):
        return DecodedPicture(_from_pixels(picture.draw(), limits))
    if isinstance(picture, PicturePixels):
        return DecodedPicture(_from_pixels(picture.pixels, limits))
    data = picture.data if isinstance(picture, PictureBytes) else read_picture(picture, limits).data
    return _decode(data, limits, draft_side, reserve)


def _from_pixels(pixels: npt.NDArray[np.uint8], limits: PictureLimits) -> Image.Image:
    if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)):
        raise PictureUnreadable(
            f"pixels of dtype {pixels.dtype} and shape {pixels.shape}; permitted: uint8, (h, w) or (h, w, 3)"
        )
    if pixels.size == 0:
        raise PictureEmpty(f"picture of shape {pixels.shape} has no pixels; permitted: 1 or more")
    _check_pixels(pixels.shape[1], pixels.shape[0], limits)
    return Image.fromarray(pixels).convert("RGB")


def load_picture(picture: Picture, limits: PictureLimits | None = None) -> LoadedPicture:
    """A picture with its content at hand: what lies in a file or elsewhere is read, all else is as it was.

    Raises:
        PictureError: see `read_picture`.
    """
    return read_picture(picture, limits) if isinstance(picture, PictureFile | RemotePicture) else picture


def read_picture(picture: PictureFile | RemotePicture, limits: PictureLimits | None = None) -> PictureBytes:
    """Read a picture's bytes, at most one more than permitted, so that a huge file costs no memory.

    Only regular files are read: a pipe or a device might never answer.

    Raises:
        PictureMissing: the file is not there, may not be read, or is not a regular file.
        PictureOutside: it lies outside the folder that it must lie in; it is not opened, and the message is the same
            whether it exists or not.
        PictureError: what its fetcher says of a picture that is not on this machine.
    """
    limits = limits or PictureLimits()
    if isinstance(picture, RemotePicture):
        return PictureBytes(picture.fetcher.fetch(picture.url, limits))
    try:
        with open_regular_file(_confined(picture)) as file:
            data = file.read(limits.max_bytes + 1)
    # A path with a NUL character is a ValueError.
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PictureMissing(f"picture {str(picture.path)!r} cannot be read: {reason}") from error
    if data is None:
        raise PictureMissing(f"picture {str(picture.path)!r} cannot be read: it has no data yet")
    return PictureBytes(data)


def content_digest(picture: LoadedPicture) -> bytes:
    """SHA-256 of what identical pictures in memory have in common; nothing is drawn."""
    if isinstance(picture, DrawnPicture):
        return hashlib.sha256(b"drawn\0" + picture.content.encode()).digest()
    if isinstance(picture, PictureBytes):
        return hashlib.sha256(picture.data).digest()
    digest = hashlib.sha256(repr(picture.pixels.shape).encode())
    digest.update(picture.pixels.tobytes())
    return digest.digest()


def _confined(picture: PictureFile) -> Path:
    """The path to open: with all links followed, where the picture must lie in a folder.

    Who can write to the folder can still swap a part of the path for a link between this check and the opening.
    """
    if picture.folder is None:
        return picture.path
    path = path_within(picture.path, picture.folder)
    if path is None:
        raise PictureOutside(
            f"picture {str(picture.path)!r} lies outside the catalog's folder {str(picture.folder)!r} (links "
            "followed); next step: move it there, or permit it with --allow-outside-pictures"
        )
    return path


def _check_pixels(width: int, height: int, limits: PictureLimits) -> None:
    if width * height > limits.max_pixels:
        raise PictureTooManyPixels(
            f"picture of {width} x {height} = {width * height:,} pixels; permitted: up to {limits.max_pixels:,}; "
            f"{limits.advice}"
        )
    if max(width, height) > limits.max_side:
        raise PictureSideTooLong(
            f"picture of {width} x {height} pixels; permitted: up to {limits.max_side:,} a side; {limits.advice}"
        )
    if width * height == 0:
        raise PictureEmpty(f"picture of {width} x {height} pixels; permitted: 1 x 1 or more")


def _decode(data: bytes, limits: PictureLimits, draft_side: int | None, reserve: Reserve | None) -> DecodedPicture:
    if not data:
        raise PictureEmpty("picture of 0 bytes; permitted: 1 byte or more")
    if len(data) > limits.max_bytes:
        raise PictureTooLarge(
            f"picture of more than {limits.max_bytes:,} bytes; permitted: up to {limits.max_bytes:,}; {limits.advice}"
        )
    with ExitStack() as stack:
        with _foreign_errors(data, limits):
            opened: Image.Image = stack.enter_context(Image.open(io.BytesIO(data), formats=FORMATS))
            _check_pixels(opened.width, opened.height, limits)
            full_size, is_jpeg = opened.size, opened.format == "JPEG"
            animated = getattr(opened, "n_frames", 1) > 1 and opened.format in ("GIF", "PNG", "WEBP")
            drafted = opened.draft("RGB", (draft_side, draft_side)) if draft_side is not None and is_jpeg else None
            needed = decoding_bytes(opened, full_size, first_scan(data) if is_jpeg else None)
        # Outside: what this raises says nothing about the picture.
        if reserve is not None:
            reserve(needed)
        with _foreign_errors(data, limits):
            if opened.format == "PNG":
                opened = stack.enter_context(load_png(opened, data))
            else:
                opened.load()
            if is_jpeg and ends_early(data, opened, draft_side):
                raise PictureUnreadable(
                    f"JPEG of {full_size[0]} x {full_size[1]} pixels whose data ends early; permitted: one whole file"
                )
            box = None if drafted is None else _turned(drafted[1], opened)
            ImageOps.exif_transpose(opened, in_place=True)
            image = _to_rgb(opened)
    return DecodedPicture(image, (ANIMATION_FIRST_FRAME,) if animated else (), box)


def _turned(drafted: Box, image: Image.Image) -> Box | None:
    """What a picture that was decoded at a reduced scale takes of its image, once that is turned upright."""
    width, height = drafted[2:]
    # How far the image reaches beyond the picture, on the right and at the bottom.
    over_x, over_y = image.width - width, image.height - height
    if not (over_x or over_y):
        return None
    match image.getexif().get(ExifTags.Base.Orientation):
        case 2:
            return over_x, 0, image.width, height
        case 3:
            return over_x, over_y, image.width, image.height
        case 4:
            return 0, over_y, width, image.height
        case 5:
            return 0, 0, height, width
        case 6:
            return over_y, 0, image.height, width
        case 7:
            return over_y, over_x, image.height, image.width
        case 8:
            return 0, over_x, height, image.width
        case _:
            return 0, 0, width, height


@contextmanager
def _foreign_errors(data: bytes, limits: PictureLimits) -> Iterator[None]:
    """Turn what Pillow raises into errors of ours; its warnings concern broken metadata only and are dropped."""
    try:
        with warnings.catch_warnings():
            # They concern broken metadata only.
            warnings.simplefilter("ignore")
            yield
    except (PictureEmpty, PictureTooManyPixels, PictureSideTooLong, PictureUnreadable):
        raise
    except MemoryError:
        raise
    except UnidentifiedImageError as error:
        raise PictureUnreadable(
            f"{len(data):,} bytes that are not a known picture format; permitted: one whole {', '.join(FORMATS)} file"
        ) from error
    # Pillow's plugins raise nearly anything on hostile bytes (OSError, SyntaxError, struct.error, IndexError,
    # zlib.error, ZeroDivisionError, ...): whatever it is, the picture is what is wrong.
    except Exception as error:
        raise PictureUnreadable(
            f"picture of {len(data):,} bytes cannot be decoded ({type(error).__name__}: {error}); "
            f"permitted: one whole {', '.join(FORMATS)} file"
        ) from error


_STRIP_PIXELS = 1 << 18


def _to_rgb(image: Image.Image) -> Image.Image:
    """Any Pillow mode to RGB: alpha on white, 16 and 32 bits scaled down rather than clipped.

    Where that takes copies in between, it goes strip by strip, so that a large picture is not held several times.
    """
    if image.mode.startswith(("I", "F")):
        scaled = _scaling(image)
        return _in_strips(image, lambda strip: _scaled_down(strip, *scaled))
    if image.has_transparency_data:
        return _on_white(image)
    return image.convert("RGB")


def _in_strips(image: Image.Image, convert: Callable[[Image.Image], Image.Image]) -> Image.Image:
    whole = Image.new("RGB", image.size)
    for box in _strips((0, 0, *image.size)):
        whole.paste(convert(image.crop(box)), box)
    return whole


def _strips(box: tuple[int, int, int, int]) -> Iterator[tuple[int, int, int, int]]:
    left, top, right, bottom = box
    rows = max(1, _STRIP_PIXELS // (right - left))
    for first in range(top, bottom, rows):
        yield left, first, right, min(bottom, first + rows)


def _on_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGB", image.size, (255, 255, 255))
    # Of a cut-out, most is clear.
    shown = image.getbbox(alpha_only=True) if image.mode == "RGBA" else (0, 0, *image.size)
    for box in () if shown is None else _strips(shown):
        strip = image.crop(box).convert("RGBA")
        white.paste(strip, box, strip)
    return white


def _scaling(image: Image.Image) -> tuple[float, float]:
    """Offset and divisor that bring a picture of 16 or 32 bits to 0..255."""
    if image.mode.startswith("I;16"):
        return 0.0, 257.0
    low, high = (float(value) for value in cast(tuple[float, float], image.getextrema()))
    # 32 bits do not define a scale: what fits into 8 or 16 bits is taken as that, all else is stretched.
    if image.mode == "F" or low < 0 or high > 65535:
        return low, (high - low) / 255 or 1.0
    return 0.0, 257.0 if high > 255 else 1.0


def _scaled_down(image: Image.Image, offset: float, divisor: float) -> Image.Image:
    values = (np.asarray(image).astype(np.float64) - offset) / divisor
    return Image.fromarray((values + 0.5).clip(0, 255).astype(np.uint8)).convert("RGB")
