"""The roll gives back what a build put in, in order, and never fails the build."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from embedder.catalogs.product import Rejection
from indexer.quality.picture_traits import PictureTraits
from indexer.quality.roll import Enrolled, ProductRoll
from indexer.quality.small_pictures import TinyPicture, TinyPictures, find_tiny
from tests.conftest import draw_product
from tests.indexer.conftest import unit_rows
from tests.indexer.quality.rolls import Shown, fill, png, roll_in, traits_of

RED, BLUE, TALL = (png(draw_product(*drawn, 1, side=40)) for drawn in (("ellipse", "red"), ("ellipse", "blue"), ("tall", "red")))  # fmt: skip


def test_words_vectors_and_traits_come_back_in_the_order_of_the_catalog(tmp_path: Path) -> None:
    vectors = unit_rows(3)
    with roll_in(tmp_path) as roll:
        fill(
            roll, [Shown("靴\n1", [RED], " Größe ", "a/b", vectors[:1]), Shown("b", [BLUE, TALL], vectors=vectors[1:])]
        )
        assert len(roll) == 2
        assert list(roll.words()) == [Enrolled("靴\n1", "Größe", "a/b"), Enrolled("b", "", None)]
        assert roll.words_at([1]) == {1: Enrolled("b", "", None)}
        assert (roll.counts.tolist(), roll.firsts.tolist()) == ([1, 2], [0, 1])
        assert np.allclose(roll.vectors(), vectors, atol=1e-3)
        for row, data in zip(roll.traits(), (RED, BLUE, TALL), strict=True):
            assert row.tobytes() == traits_of(data).to_bytes()
            assert (row["width"], row["height"]) == (40, 40)


def test_more_can_be_added_after_it_was_read(tmp_path: Path) -> None:
    with roll_in(tmp_path) as roll:
        fill(roll, [Shown("a", [RED])])
        assert [words.id for words in roll.words()] == ["a"]
        fill(roll, [Shown("b", [BLUE])])
        assert [words.id for words in roll.words()] == ["a", "b"]
        assert len(roll.vectors()) == 2


def test_it_leaves_no_file_behind(tmp_path: Path) -> None:
    with roll_in(tmp_path) as roll:
        fill(roll, [Shown("a", [RED])])
        assert list(tmp_path.iterdir()) == []


def test_traits_of_another_length_are_none() -> None:
    data = traits_of(RED).to_bytes()
    assert PictureTraits.from_bytes(data) == traits_of(RED)
    assert PictureTraits.from_bytes(data[:-1]) is None


def test_only_pictures_that_cannot_be_read_are_of_interest_among_what_is_rejected(tmp_path: Path) -> None:
    with roll_in(tmp_path) as roll:
        for reason in ("IMAGE_MISSING", "ID_MISSING", "IMAGE_MISSING", "IMAGE_UNREADABLE"):
            roll.reject(Rejection(2, "a", reason, "why"))
        assert roll.rejected_pictures == {"IMAGE_MISSING": 2, "IMAGE_UNREADABLE": 1}
        assert [item.reason for item in roll.rejections] == ["IMAGE_MISSING", "IMAGE_MISSING", "IMAGE_UNREADABLE"]


def test_a_folder_that_cannot_be_written_is_a_warning_and_an_empty_roll(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    with caplog.at_level(logging.WARNING), ProductRoll(16, tmp_path / "file") as roll:
        fill(roll, [Shown("a", [RED])])
        assert len(roll) == 0
        assert list(roll.words()) == []
        assert len(roll.vectors()) == len(roll.traits()) == 0
    assert "duplicates are not known in this version" in caplog.text
    assert "next step" in caplog.text


def test_a_disk_that_runs_full_is_a_warning_and_an_empty_roll(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), roll_in(tmp_path) as roll:
        fill(roll, [Shown("a", [RED])])
        with Path("/dev/full").open("wb", buffering=0) as full:
            roll._vectors = full
            fill(roll, [Shown("b", [BLUE])])
        fill(roll, [Shown("c", [BLUE])])
        assert len(roll) == 0
    assert caplog.text.count("there is no quality report") == 1


def test_pictures_with_a_short_side_are_tiny_the_smallest_first(tmp_path: Path) -> None:
    def picture(width: int, height: int) -> bytes:
        return png(draw_product("tall", "red", 1, side=80).resize((width, height)))

    with roll_in(tmp_path) as roll:
        fill(roll, [Shown("a", [picture(64, 64)]), Shown("b", [picture(80, 90), picture(63, 200), picture(500, 9)])])
        assert find_tiny(roll) == TinyPictures(2, (TinyPicture(1, 2, 500, 9), TinyPicture(1, 1, 63, 200)))
