"""What shows the same is one set; what only looks alike is not."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from indexer.quality import duplicates as module
from indexer.quality.duplicates import (
    DUPLICATE_SET_KEY,
    Duplicates,
    DuplicateSet,
    excess,
    find_duplicates,
    mark_duplicates,
)
from tests.conftest import draw_product
from tests.indexer.conftest import unit_rows
from tests.indexer.quality.rolls import Shown, fill, jpeg, png, roll_in


def drawn(color: str = "red", seed: int = 1, shape: str = "triangle") -> Image.Image:
    return draw_product(shape, color, seed, side=120)


def found(folder: Path, *shown: Shown) -> Duplicates:
    with roll_in(folder) as roll:
        fill(roll, shown)
        return find_duplicates(roll)


def test_one_file_under_several_names_is_one_set(tmp_path: Path) -> None:
    same, other = png(drawn()), png(drawn("blue"))
    result = found(tmp_path, Shown("a", [other]), Shown("b", [same]), Shown("c", [same]), Shown("d", [same]))
    assert result == Duplicates((DuplicateSet((1, 2, 3), identical=True),))
    assert excess(result.sets) == 2
    assert result.owners(4).tolist() == [0, 1, 1, 1]


def test_a_picture_encoded_again_or_made_smaller_joins_its_original(tmp_path: Path) -> None:
    original = drawn()
    shown = [
        Shown("original", [png(original)]),
        Shown("encoded", [jpeg(original, 50)]),
        Shown("other", [png(drawn("blue"))]),
        Shown("smaller", [jpeg(original.resize((80, 80), Image.Resampling.LANCZOS), 80)]),
    ]
    assert found(tmp_path, *shown).sets == (DuplicateSet((0, 1, 3), identical=False),)


def test_the_same_thing_in_another_colour_is_another_product(tmp_path: Path) -> None:
    assert found(tmp_path, *(Shown(color, [png(drawn(color))]) for color in ("red", "blue", "green"))).sets == ()


def test_a_small_part_in_another_colour_makes_another_product(tmp_path: Path) -> None:
    plain, dotted = drawn(), drawn()
    ImageDraw.Draw(dotted).ellipse((55, 70, 65, 80), fill=(255, 255, 255))
    assert found(tmp_path, Shown("plain", [png(plain)]), Shown("dotted", [png(dotted)])).sets == ()


def test_a_stretched_picture_is_another_one(tmp_path: Path) -> None:
    image = drawn()
    wider = image.resize((150, 120))
    assert found(tmp_path, Shown("a", [png(image)]), Shown("wider", [png(wider)])).sets == ()


def test_what_a_model_tells_apart_is_no_near_duplicate_but_one_file_is(tmp_path: Path) -> None:
    vectors = unit_rows(4)
    image = drawn()
    shown = [
        Shown(name, [data], vectors=vectors[row : row + 1])
        for row, (name, data) in enumerate(
            {"a": png(image), "b": jpeg(image, 60), "c": png(image), "d": jpeg(image, 61)}.items()
        )
    ]
    assert found(tmp_path, *shown).sets == (DuplicateSet((0, 2), identical=True),)


def test_further_pictures_do_not_count(tmp_path: Path) -> None:
    """A size chart, or the fabric seen close, is shown by many products."""
    chart = png(drawn("black", shape="rectangle"))
    shown = [Shown(color, [png(drawn(color)), chart]) for color in ("red", "blue", "green")]
    assert found(tmp_path, *shown).sets == ()


def test_what_too_many_show_is_a_placeholder_and_no_set(tmp_path: Path) -> None:
    nothing, same = png(drawn("black")), png(drawn("red"))
    shown = [*(Shown(f"{number}", [nothing]) for number in range(51)), Shown("x", [same]), Shown("y", [same])]
    result = found(tmp_path, *shown)
    assert result.placeholders == (tuple(range(51)),)
    assert result.sets == (DuplicateSet((51, 52), identical=True),)


def test_where_comparing_takes_too_long_identical_ones_are_known_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    image = drawn()
    with caplog.at_level(logging.WARNING), roll_in(tmp_path) as roll:
        fill(roll, [Shown("a", [png(image)]), Shown("b", [png(image)]), Shown("c", [jpeg(image, 60)])])
        result = find_duplicates(roll, patience_s=-1.0)
    assert result == Duplicates((DuplicateSet((0, 1), identical=True),), compared=False)
    assert "near-duplicates are not known" in caplog.text


def test_a_chain_of_near_duplicates_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ALIKE", 3)
    image = drawn()
    shown = [Shown(f"{quality}", [jpeg(image, quality)]) for quality in range(60, 65)]
    assert found(tmp_path, *shown).sets == ()


@pytest.mark.parametrize("count", [0, 1])
def test_of_one_product_or_none_there_are_no_duplicates(tmp_path: Path, count: int) -> None:
    assert found(tmp_path, *[Shown("a", [png(drawn())])][:count]) == Duplicates()


def test_the_key_of_a_set_is_its_first_products_id(tmp_path: Path) -> None:
    class Writer:
        marked: list[tuple[list[str], str, list[str]]] = []

        def mark(self, ids: list[str], key: str, values: list[str]) -> None:
            self.marked.append((ids, key, values))

    same = png(drawn())
    with roll_in(tmp_path) as roll:
        fill(roll, [Shown("靴", [same]), Shown("b", [png(drawn("blue"))]), Shown("a", [same])])
        writer = Writer()
        mark_duplicates(writer, roll, find_duplicates(roll))  # type: ignore[arg-type]
        assert writer.marked == [(["靴", "a"], DUPLICATE_SET_KEY, ["靴", "靴"])]
        writer.marked.clear()
        mark_duplicates(writer, roll, Duplicates())  # type: ignore[arg-type]
        assert writer.marked == []


def test_of_many_products_those_are_found_that_were_copied(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = [drawn(color, seed, shape) for color in ("red", "blue") for shape in ("ellipse", "tall") for seed in range(20)]  # fmt: skip
    copied = sorted(rng.choice(80, 12, replace=False).tolist())
    shown = [Shown(f"{number}", [png(image)]) for number, image in enumerate(images)]
    shown += [Shown(f"copy of {number}", [jpeg(images[number], 75)]) for number in copied]
    result = found(tmp_path, *shown)
    assert {item.members for item in result.sets} == {(number, 80 + place) for place, number in enumerate(copied)}
