"""Thumbnails are made once for each picture, stay whole, and take no more space than they may."""

from __future__ import annotations

import hashlib
import io
import sqlite3
from collections.abc import Iterator
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
from indexer.caches.thumbnail import SIDE, to_thumbnail
from indexer.caches.thumbnails import FILE_NAME, ThumbnailCache
from tests.conftest import draw_product
from tests.embedder.conftest import encoded

LIMITS = PictureLimits()
LARGE = draw_product("ellipse", "red", 0, side=600).resize((900, 600))
ROOM = 64 * 2**20


@pytest.fixture
def thumbnails(tmp_path: Path) -> Iterator[ThumbnailCache]:
    with ThumbnailCache(tmp_path, ROOM) as cache:
        yield cache


def content(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


def opened(data: bytes | None) -> Image.Image:
    assert data is not None
    return Image.open(io.BytesIO(data))


def test_a_thumbnail_is_a_small_jpeg_known_by_the_files_sha256(thumbnails: ThumbnailCache, tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    LARGE.save(path)
    thumbnails.image_of(PictureFile(path), LIMITS)
    small = opened(thumbnails.read(hashlib.sha256(path.read_bytes()).digest()))
    assert (small.format, small.size) == ("JPEG", (SIDE, 171))
    assert np.abs(np.asarray(small).astype(int) - np.asarray(LARGE.resize(small.size))).mean() < 3


@pytest.mark.parametrize(
    ("size", "kept"),
    [
        ((1, 1), (1, 1)),
        ((28, 28), (28, 28)),
        ((256, 100), (256, 100)),
        ((3000, 1), (256, 1)),
        ((700, 1400), (128, 256)),
    ],
)
def test_small_pictures_keep_their_size_and_long_ones_all_of_their_length(
    size: tuple[int, int], kept: tuple[int, int]
) -> None:
    assert opened(to_thumbnail(LARGE.resize(size))).size == kept


def test_raw_and_drawn_pictures_have_thumbnails_too(thumbnails: ThumbnailCache) -> None:
    pixels = np.full((300, 300), 7, dtype=np.uint8)
    for picture in (PicturePixels(pixels), DrawnPicture(lambda: pixels, "grey")):
        thumbnails.image_of(picture, LIMITS)
        assert opened(thumbnails.read(content_digest(picture))).size == (256, 256)


def test_a_picture_with_a_thumbnail_is_not_decoded(thumbnails: ThumbnailCache) -> None:
    broken = PictureBytes(encoded(LARGE)[:200])
    with pytest.raises(PictureUnreadable):
        thumbnails.image_of(broken, LIMITS)
    thumbnails.keep({content_digest(broken): to_thumbnail(LARGE)})
    assert thumbnails.image_of(broken, LIMITS).size == (256, 171)


def test_a_damaged_one_is_made_again(thumbnails: ThumbnailCache, tmp_path: Path) -> None:
    picture = PictureBytes(encoded(LARGE))
    digest = content_digest(picture)
    thumbnails.image_of(picture, LIMITS)
    whole = thumbnails.read(digest)
    assert whole is not None
    with sqlite3.connect(tmp_path / FILE_NAME) as table:
        ((stored,),) = table.execute("SELECT value FROM vectors").fetchall()
        table.execute("UPDATE vectors SET value = ?", (stored[:900] + bytes(len(stored) - 900),))
    assert thumbnails.read(digest) is None
    assert thumbnails.image_of(picture, LIMITS).size == (900, 600)
    assert thumbnails.read(digest) == whole


def test_those_that_the_most_builds_did_without_go_first(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data, room = to_thumbnail(Image.fromarray(noise)), 30 * 4096
    with ThumbnailCache(tmp_path, room) as first:
        first.keep({content(number): data for number in range(20)})
    with ThumbnailCache(tmp_path, room) as second:
        second.note_used([content(0), content(1)])
        for number in range(20, 40):
            second.keep({content(number): data})
        left = {number for number in range(40) if second.read(content(number)) is not None}
    assert {0, 1, *range(20, 40)} <= left
    assert len(left) < 30


def test_two_builds_at_once_leave_whole_thumbnails(tmp_path: Path) -> None:
    images = [to_thumbnail(LARGE.resize((60, 40 + number))) for number in range(20)]
    with ThumbnailCache(tmp_path, ROOM) as one, ThumbnailCache(tmp_path, ROOM) as other:
        builds = (one, other)
        with ThreadPoolExecutor(8) as threads:
            for number in range(200):
                threads.submit(builds[number % 2].keep, {content(number % 40): images[number % 20]})
        assert [one.read(content(number)) for number in range(40)] == [images[number % 20] for number in range(40)]


def test_without_room_nothing_is_kept(tmp_path: Path) -> None:
    with ThumbnailCache(tmp_path, 0) as cache:
        assert not cache.is_open
        assert cache.image_of(PictureBytes(encoded(LARGE)), LIMITS).size == (900, 600)
        assert cache.read(content_digest(PictureBytes(encoded(LARGE)))) is None
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_cannot_be_written_is_told_of_and_costs_thumbnails_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with ThumbnailCache(tmp_path, ROOM) as cache:
        assert cache.image_of(PictureBytes(encoded(LARGE)), LIMITS).size == (900, 600)
    (message,) = caplog.messages
    assert message.startswith("thumbnails are not kept")
    assert "next step: delete it, or name another --cache-dir" in message
