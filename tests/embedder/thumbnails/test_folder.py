"""Thumbnails are made once for each picture, stay whole, and take no more space than they may."""

from __future__ import annotations

import hashlib
import io
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embedder.errors import PictureUnreadable
from embedder.inputs.picture import (
    DrawnPicture,
    PictureBytes,
    PictureFile,
    PictureLimits,
    PicturePixels,
    content_digest,
)
from embedder.thumbnails.folder import ThumbnailFolder
from embedder.thumbnails.thumbnail import SIDE
from tests.conftest import draw_product
from tests.embedder.conftest import encoded

LIMITS = PictureLimits()
LARGE = draw_product("ellipse", "red", 0, side=600).resize((900, 600))
ROOM = 64 * 2**20


@pytest.fixture
def thumbnails(tmp_path: Path) -> ThumbnailFolder:
    return ThumbnailFolder(tmp_path, ROOM)


def content(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


def opened(data: bytes | None) -> Image.Image:
    assert data is not None
    return Image.open(io.BytesIO(data))


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_thumbnail_is_a_small_jpeg_named_by_the_files_sha256(thumbnails: ThumbnailFolder, tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    LARGE.save(path)
    thumbnails.image_of(PictureFile(path), LIMITS)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    kept = thumbnails.path(bytes.fromhex(digest))
    assert kept == tmp_path / "thumbnails-1" / digest[:2] / f"{digest[2:]}.jpg"
    with Image.open(kept) as small:
        assert (small.format, small.size) == ("JPEG", (SIDE, 171))
        difference = np.asarray(small).astype(int) - np.asarray(LARGE.resize(small.size))
    assert np.abs(difference).mean() < 3


@pytest.mark.parametrize("size", [(1, 1), (28, 28), (256, 100)])
def test_a_small_picture_keeps_its_size(thumbnails: ThumbnailFolder, size: tuple[int, int]) -> None:
    thumbnails.keep(content(0), LARGE.resize(size))
    assert opened(thumbnails.read(content(0))).size == size


def test_a_long_narrow_picture_has_a_thumbnail(thumbnails: ThumbnailFolder) -> None:
    thumbnails.keep(content(0), Image.new("RGB", (3000, 1)))
    assert opened(thumbnails.read(content(0))).size == (256, 1)


def test_raw_and_drawn_pictures_have_thumbnails_too(thumbnails: ThumbnailFolder) -> None:
    pixels = np.full((300, 300), 7, dtype=np.uint8)
    for picture in (PicturePixels(pixels), DrawnPicture(lambda: pixels, "grey")):
        thumbnails.image_of(picture, LIMITS)
        assert opened(thumbnails.read(content_digest(picture))).size == (256, 256)


def test_what_is_kept_is_not_made_again(thumbnails: ThumbnailFolder) -> None:
    thumbnails.keep(content(0), LARGE)
    before = thumbnails.read(content(0))
    thumbnails.keep(content(0), Image.new("RGB", (8, 8)))
    assert thumbnails.read(content(0)) == before


def test_a_picture_with_a_thumbnail_is_not_decoded(thumbnails: ThumbnailFolder) -> None:
    broken = PictureBytes(encoded(LARGE)[:200])
    with pytest.raises(PictureUnreadable):
        thumbnails.image_of(broken, LIMITS)
    thumbnails.keep(content_digest(broken), LARGE)
    assert thumbnails.image_of(broken, LIMITS).size == (256, 171)


@pytest.mark.parametrize("left", [0, 3, 500], ids=lambda left: f"{left}_bytes")
@pytest.mark.parametrize("filled", [False, True], ids=["cut", "zeros"])
def test_a_damaged_one_is_made_again(
    thumbnails: ThumbnailFolder, left: int, filled: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """As power loss leaves it: shorter, or with zeros where its data should be."""
    picture = PictureBytes(encoded(LARGE))
    thumbnails.image_of(picture, LIMITS)
    path = thumbnails.path(content_digest(picture))
    whole = path.read_bytes()
    path.write_bytes(whole[:left] + bytes(len(whole) - left if filled else 0))
    assert thumbnails.read(content_digest(picture)) is None
    assert "is damaged; it is made again" in caplog.text
    assert thumbnails.image_of(picture, LIMITS).size == (900, 600)
    assert path.read_bytes() == whole


def test_those_not_used_for_the_longest_time_go_first(tmp_path: Path) -> None:
    room = 40 * 4096
    thumbnails = ThumbnailFolder(tmp_path, room)
    small = LARGE.resize((60, 40))
    for number in range(38):
        thumbnails.keep(content(number), small)
        os.utime(thumbnails.path(content(number)), (number, number))
    assert thumbnails.note_used(content(0))
    for number in range(38, 46):
        thumbnails.keep(content(number), small)
    left = {number for number in range(46) if thumbnails.read(content(number)) is not None}
    assert {0, *range(38, 46)} <= left
    assert left == {0, *range(46 - len(left) + 1, 46)}
    assert sum(-(-path.stat().st_size // 4096) * 4096 for path in files(tmp_path)) <= room


def test_what_a_killed_process_did_not_finish_goes_too(tmp_path: Path) -> None:
    thumbnails = ThumbnailFolder(tmp_path, 10 * 4096)
    thumbnails.keep(content(0), LARGE.resize((60, 40)))
    unfinished = thumbnails.path(content(0)).with_name(".0.jpg.left")
    unfinished.write_bytes(b"half")
    os.utime(unfinished, (1, 1))
    for number in range(1, 12):
        thumbnails.keep(content(number), LARGE.resize((60, 40)))
    assert not unfinished.exists()


def test_two_builds_at_once_leave_whole_files(tmp_path: Path) -> None:
    """Each with threads of its own, and the same pictures; there is room for a part of them only."""
    builds = [ThumbnailFolder(tmp_path, 30 * 4096) for _ in range(2)]
    images = [LARGE.resize((60, 40 + number)) for number in range(20)]
    with ThreadPoolExecutor(8) as threads:
        for number in range(200):
            threads.submit(builds[number % 2].keep, content(number % 40), images[number % 20])
    found = [(number, builds[0].read(content(number))) for number in range(40)]
    sizes = {number: opened(data).size for number, data in found if data is not None}
    assert sizes
    assert sizes == {number: images[number % 20].size for number in sizes}
    assert not [path for path in files(tmp_path) if path.name.startswith(".")]


def test_without_room_nothing_is_kept(tmp_path: Path) -> None:
    thumbnails = ThumbnailFolder(tmp_path, 0)
    thumbnails.keep(content(0), LARGE)
    assert thumbnails.read(content(0)) is None
    assert thumbnails.image_of(PictureBytes(encoded(LARGE)), LIMITS).size == (900, 600)
    assert files(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_told_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "thumbnails-1").write_text("a file is in the way")
    thumbnails = ThumbnailFolder(tmp_path, ROOM)
    with caplog.at_level(logging.WARNING):
        for number in range(3):
            thumbnails.keep(content(number), LARGE)
    (message,) = caplog.messages
    assert "thumbnails are not kept" in message
    assert "next step: make room, or name another --cache-dir" in message
