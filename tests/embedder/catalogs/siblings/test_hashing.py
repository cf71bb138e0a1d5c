"""Pictures are decoded for their hashes once, and again when they change; a broken cache is no error."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

import numpy as np
import pytest

from embedder.catalogs.siblings.hash_cache import FILE_NAME
from embedder.catalogs.siblings.hashing import hash_pictures
from embedder.catalogs.siblings.perceptual_hash import PictureHash, hash_picture
from embedder.inputs.picture import DrawnPicture, Picture, PictureBytes, PictureFile, PictureLimits, PicturePixels
from tests.conftest import draw_product
from tests.embedder.conftest import encoded


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Picture]:
    """The pictures that were decoded, in the order of their decoding."""
    pictures: list[Picture] = []

    def watched(picture: Picture, limits: PictureLimits) -> PictureHash:
        pictures.append(picture)
        return hash_picture(picture, limits)

    monkeypatch.setattr("embedder.catalogs.siblings.hashing.hash_picture", watched)
    return pictures


def write(folder: Path, number: int, seed: int | None = None) -> PictureFile:
    path = folder / f"{number}.png"
    draw_product("ellipse", "red", number if seed is None else seed, 48).save(path)
    return PictureFile(path)


def test_a_file_is_decoded_once_until_it_changes(tmp_path: Path, decoded: list[Picture]) -> None:
    files = [write(tmp_path, number) for number in range(5)]
    first = hash_pictures(files, tmp_path / "cache")
    assert first is not None
    assert len(set(decoded)) == len(decoded) == 5
    assert hash_pictures(files, tmp_path / "cache") == first
    assert len(decoded) == 5
    before = files[2].path.stat()
    write(tmp_path, 2, seed=77)
    os.utime(files[2].path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    second = hash_pictures(files, tmp_path / "cache")
    assert second is not None
    assert decoded[5:] == [files[2]]
    assert second[2] == hash_picture(files[2], PictureLimits())
    assert second[2] != first[2]
    assert [*second[:2], *second[3:]] == [*first[:2], *first[3:]]


def test_pictures_in_memory_are_known_by_their_content(tmp_path: Path, decoded: list[Picture]) -> None:
    pixels = np.asarray(draw_product("ellipse", "red", 1, 48))
    data = encoded(draw_product("ellipse", "red", 2, 48))
    pictures: list[Picture] = [PicturePixels(pixels), PictureBytes(data), PicturePixels(pixels[:, ::-1])]
    first = hash_pictures(pictures, tmp_path)
    again = hash_pictures([PicturePixels(pixels.copy()), PictureBytes(data), pictures[2]], tmp_path)
    assert first == again
    assert len(decoded) == 3
    assert first is not None
    assert first[0] != first[2]


def test_a_drawn_picture_is_drawn_once(tmp_path: Path, decoded: list[Picture]) -> None:
    pictures = [DrawnPicture(lambda: np.asarray(draw_product("ellipse", "red", 1, 48)), f"ball {n}") for n in (1, 2)]
    first = hash_pictures(pictures, tmp_path)
    assert hash_pictures(pictures, tmp_path) == first
    assert len(decoded) == 2
    assert first is not None
    assert first[0] is not None
    assert first[1] is not None
    assert (first[0].bits, first[0].thumbnail) == (first[1].bits, first[1].thumbnail)


def test_a_picture_that_many_products_name_is_decoded_once(tmp_path: Path, decoded: list[Picture]) -> None:
    hashes = hash_pictures([write(tmp_path, 1)] * 100, tmp_path / "cache")
    assert hashes is not None
    assert len(set(hashes)) == len(decoded) == 1


def test_unreadable_pictures_have_no_hash_and_are_looked_at_again(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"not a picture")
    pictures = [PictureFile(tmp_path / "missing.png"), PictureFile(broken), PictureFile(tmp_path), write(tmp_path, 1)]
    hashes = hash_pictures(pictures, tmp_path / "cache")
    assert hashes is not None
    assert [hashed is None for hashed in hashes] == [True, True, True, False]
    write(tmp_path, 2).path.replace(broken)
    again = hash_pictures(pictures, tmp_path / "cache")
    assert again is not None
    assert again[1] is not None


def test_a_picture_outside_the_catalogs_folder_is_not_opened(tmp_path: Path) -> None:
    inside = tmp_path / "shop"
    inside.mkdir()
    outside = write(tmp_path, 1).path
    assert hash_pictures([PictureFile(outside, inside)], tmp_path / "cache") == [None]


def test_what_was_hashed_before_the_deadline_is_kept(tmp_path: Path, decoded: list[Picture]) -> None:
    files = [write(tmp_path, number) for number in range(40)]
    assert hash_pictures(files, tmp_path / "cache", decode_threads=1, deadline=time.monotonic()) is None
    late = len(decoded)
    assert late < 40
    assert hash_pictures(files, tmp_path / "cache") is not None
    assert len(decoded) < late + 40


def test_a_cache_that_cannot_be_used_is_named_and_done_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = [write(tmp_path, number) for number in range(3)]
    expected = hash_pictures(files, tmp_path / "cache")
    (tmp_path / "cache" / FILE_NAME).write_bytes(b"this is no database, " * 100)
    with caplog.at_level(logging.WARNING):
        assert hash_pictures(files, tmp_path / "cache") == expected
        (tmp_path / "a file").write_text("")
        assert hash_pictures(files, tmp_path / "a file") == expected
    assert [record.message.split(" cannot be used")[0] for record in caplog.records] == [
        f"picture hashes are not kept: {tmp_path / 'cache' / FILE_NAME}",
        f"picture hashes are not kept: {tmp_path / 'a file' / FILE_NAME}",
    ]


def test_progress_counts_every_picture(tmp_path: Path) -> None:
    done: list[int] = []
    hash_pictures(
        [*(write(tmp_path, number) for number in range(3)), PictureFile(tmp_path / "x")],
        tmp_path,
        on_progress=done.append,
    )
    assert sum(done) == 4
