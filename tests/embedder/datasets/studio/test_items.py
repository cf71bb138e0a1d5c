"""What the studio's products are: known in full from the seed and the number."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest

from embedder.datasets.studio.items import BLOCK, KINDS, MAX_VARIANTS, StudioItem, form_of, load_item, split_of_number
from embedder.datasets.studio.materials import FINISH_OF
from embedder.datasets.studio.palette import PALETTE, TONES
from embedder.datasets.studio.patterns import PATTERNS
from embedder.datasets.studio.shapes.form import Role
from embedder.datasets.studio.tree import FAMILIES, shape_of

SEED = 5

TITLES = [
    "beige tin steamer",
    "navy blue leather sneaker",
    "lilac and dark green diamond plastic stacking toy",
    "grey and orange checked ceramic coffee pot",
]


@pytest.fixture(scope="module")
def items() -> list[StudioItem]:
    return [load_item(SEED, number) for number in range(50 * BLOCK)]


def points_of(item: StudioItem) -> np.ndarray:
    return np.concatenate([part.outline for part in form_of(item.seed, item.group, item.family, item.kind).parts])


class TestTheSame:
    def test_for_the_same_seed_and_number(self, items: list[StudioItem]) -> None:
        assert [load_item(SEED, item.number) for item in items[::40]] == items[::40]

    def test_not_for_another_seed(self, items: list[StudioItem]) -> None:
        others = [load_item(SEED + 1, number).title for number in range(60)]
        assert sum(other == item.title for other, item in zip(others, items[:60], strict=True)) <= 1

    def test_in_every_release(self) -> None:
        # Figures measured on the studio name a seed: if these change, they mean other products.
        assert [load_item(0, number).title for number in (0, 7, 100, 999_999)] == TITLES


class TestKnown:
    def test_the_title_says_what_the_properties_are(self, items: list[StudioItem]) -> None:
        for item in items:
            words = item.title
            assert item.colors[0] in words
            assert item.material in words
            assert shape_of(item.kind) in words
            assert words.startswith("pair of ") == item.kind.startswith("pair of ")
            assert (item.pattern in words and item.colors[1] in words) or item.pattern == "plain"

    def test_the_category_is_a_path_of_three_levels(self, items: list[StudioItem]) -> None:
        for item in items:
            assert item.category.split("/") == [item.family.department, item.family.name, shape_of(item.kind)]
            assert item.kind in item.family.kinds

    def test_every_value_is_one_of_the_known(self, items: list[StudioItem]) -> None:
        for item in items:
            assert set(item.colors) <= PALETTE.keys()
            assert item.pattern in PATTERNS
            assert item.material in item.family.materials
            assert item.price > 0
        assert {item.in_stock for item in items} == {True, False}
        assert {item.pattern for item in items} == PATTERNS.keys()
        assert {item.colors[0] for item in items} == PALETTE.keys()

    def test_ids_are_unique(self, items: list[StudioItem]) -> None:
        assert len({item.id for item in items}) == len(items)


class TestVariantGroups:
    def test_of_one_shape_in_colours_that_no_palette_makes_alike(self, items: list[StudioItem]) -> None:
        groups = defaultdict(list)
        for item in items:
            groups[item.group].append(item)
        assert set(Counter(map(len, groups.values()))) == set(range(1, MAX_VARIANTS + 1))
        for variants in groups.values():
            assert len({(item.kind, item.material, item.price, item.features) for item in variants}) == 1
            assert len({TONES[item.colors[0]] for item in variants}) == len(variants)
            for item in variants[1:]:
                np.testing.assert_array_equal(points_of(item), points_of(variants[0]))

    def test_another_group_of_the_same_kind_has_another_shape(self, items: list[StudioItem]) -> None:
        by_kind = defaultdict(dict)
        for item in items:
            by_kind[item.kind][item.group] = item
        compared = 0
        for groups in by_kind.values():
            first, *others = groups.values()
            for other in others:
                compared += 1
                a, b = points_of(first), points_of(other)
                assert a.shape != b.shape or np.abs(a - b).max() > 0.01
        assert compared > 20


class TestSplits:
    def test_a_family_of_shapes_is_in_one_split_whatever_the_seed(self, items: list[StudioItem]) -> None:
        of_family = defaultdict(set)
        for item in [*items, *(load_item(77, number) for number in range(300))]:
            of_family[item.family.name].add(item.family.split)
            assert split_of_number(item.seed, item.number) == item.family.split
        assert {len(splits) for splits in of_family.values()} == {1}

    def test_about_half_of_the_kinds_are_for_testing(self) -> None:
        shares = Counter(family.split for family, _ in KINDS)
        assert 0.4 < shares["test"] / len(KINDS) < 0.5
        assert 0.4 < shares["train"] / len(KINDS) < 0.5
        assert shares["validation"] >= 20

    def test_every_department_has_kinds_to_train_and_to_test_with(self) -> None:
        splits = defaultdict(set)
        for family in FAMILIES:
            splits[family.department].add(family.split)
        assert all({"train", "test"} <= found for found in splits.values())


class TestFamilies:
    def test_there_are_many_kinds_and_no_two_of_a_name(self) -> None:
        assert len(KINDS) > 200
        assert len({shape_of(kind) for _, kind in KINDS}) == len(KINDS)
        assert len({family.name for family in FAMILIES}) == len(FAMILIES)

    @pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
    def test_a_form_of_each_kind(self, family) -> None:
        drawn = {}
        for kind in family.kinds:
            for number in range(4):
                form = form_of(SEED, f"group {number}", family, kind)
                assert {part.role for part in form.parts} & {Role.MAIN}, kind
                points = np.concatenate([part.outline for part in form.parts])
                assert points.shape[1] == 2
                assert np.isfinite(points).all()
                assert 0.5 < np.abs(points).max() < 2.2, kind
                # Of the same measures, drawn from the same numbers, another kind is another shape.
                drawn[kind, number] = points
        for number in range(4):
            assert len({drawn[kind, number].round(6).tobytes() for kind in family.kinds}) == len(family.kinds)

    def test_every_material_has_a_look(self) -> None:
        assert {material for family in FAMILIES for material in family.materials} <= FINISH_OF.keys()
