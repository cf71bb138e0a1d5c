"""The closed form, where the right answer is known: what changes between pictures of one product is learnt to be ignored."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from embedder.errors import TrainingError
from embedder.instance_map import standardize_levels
from embedder.training.instance import whitening as instance_module
from embedder.training.instance.whitening import (
    RIDGE,
    LevelSamples,
    _completed,
    _principal,
    fit_instance,
    kept_directions,
    owners_of,
)

WIDTHS = (24, 16)
TOTAL = sum(WIDTHS)


class World:
    """Products told apart by eight directions of small variance, photographed under eight of large variance."""

    def __init__(self, seed: int = 0, own: float = 0.3, shared: float = 3.0) -> None:
        """`own` and `shared` are the standard deviations of either kind of direction."""
        self.own, self.shared = own, shared
        self.random = np.random.default_rng(seed)
        basis = np.linalg.qr(self.random.standard_normal((TOTAL, 16)))[0]
        self.telling, self.nuisance = basis[:, :8].T, basis[:, 8:].T

    def samples(self, products: int, pictures: int) -> LevelSamples:
        """`pictures` of each product, the main ones first."""
        own = self.own * self.random.standard_normal((products, 8)) @ self.telling
        rows = [
            own
            + self.shared * self.random.standard_normal((products, 8)) @ self.nuisance
            + 0.02 * self.random.standard_normal((products, TOTAL))
            for _ in range(pictures)
        ]
        levels = (5.0 + np.concatenate(rows)).astype(np.float32)
        return LevelSamples(levels, np.tile(np.arange(products), pictures), WIDTHS)


def recall_at_1(rows: np.ndarray, products: int) -> float:
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    found = (rows[products:] @ rows[:products].T).argmax(axis=1)
    return float((found == np.tile(np.arange(products), len(rows) // products - 1)).mean())


def pca_whitened(fitted_on: LevelSamples, levels: np.ndarray, dim: int) -> np.ndarray:
    center = fitted_on.levels.mean(axis=0)
    rows = standardize_levels(fitted_on.levels, WIDTHS, center)
    values, vectors = np.linalg.eigh(np.cov(rows.T))
    return standardize_levels(levels, WIDTHS, center) @ (vectors[:, -dim:] / np.sqrt(values[-dim:]))


@pytest.mark.parametrize(("own", "shared", "ridge"), [(1.0, 1.5, RIDGE), (0.3, 3.0, 1e-4)])
def test_products_never_seen_are_found_better_than_before_and_than_by_pca(
    own: float, shared: float, ridge: float
) -> None:
    """The smaller what tells products apart is beside what does not, the less ridge it bears."""
    world = World(own=own, shared=shared)
    seen, unseen = world.samples(300, 3), world.samples(100, 2)
    before = recall_at_1(unseen.levels - seen.levels.mean(axis=0), 100)
    after = recall_at_1(fit_instance(seen, 8, ridge).apply(unseen.levels), 100)
    assert after > 0.8
    assert before < after - 0.3
    assert recall_at_1(pca_whitened(seen, unseen.levels, 8), 100) < after - 0.3


def test_what_comes_out_has_length_1_and_the_asked_dimensions() -> None:
    seen = World().samples(60, 2)
    for dim in (1, 8, TOTAL):
        fitted = fit_instance(seen, dim)
        assert (fitted.dim, fitted.widths) == (dim, WIDTHS)
        assert np.allclose(np.linalg.norm(fitted.apply(seen.levels), axis=1), 1.0, atol=1e-5)


def test_the_same_pictures_give_the_same_map() -> None:
    seen = World().samples(60, 2)
    first, second = (fit_instance(seen, 20) for _ in range(2))
    assert np.array_equal(first.weight, second.weight)
    assert np.array_equal(first.offset, second.offset)


def test_a_fit_leaves_torchs_random_numbers_as_they_were() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fit_instance(World().samples(60, 2), 8)
    assert torch.equal(torch.rand(3), expected)


def test_levels_of_half_precision_give_the_same_neighbours() -> None:
    seen = World().samples(200, 2)
    half = LevelSamples(seen.levels.astype(np.float16), seen.owners, WIDTHS)
    # Directions have a sign, and equal variances a rotation: compared by what they say of pairs of pictures.
    full, rough = (fit_instance(each, 8).apply(seen.levels) for each in (seen, half))
    assert np.abs(full @ full.T - rough @ rough.T).max() < 0.15


def test_the_order_of_further_pictures_does_not_matter_and_blocks_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = World().samples(50, 3)
    whole = fit_instance(seen, 8).apply(seen.levels)
    order = np.concatenate([np.arange(50), 50 + np.random.default_rng(0).permutation(100)])
    monkeypatch.setattr(instance_module, "_BLOCK", 7)
    other = fit_instance(LevelSamples(seen.levels[order], seen.owners[order], WIDTHS), 8).apply(seen.levels)
    assert np.allclose(whole @ whole.T, other @ other.T, atol=1e-3)


def test_fewer_products_than_dimensions_give_the_asked_dimensions() -> None:
    seen = World().samples(3, 3)
    fitted = fit_instance(seen, 30)
    assert fitted.dim == 30
    assert np.linalg.matrix_rank(fitted.weight) == 30
    assert np.isfinite(fitted.apply(seen.levels)).all()
    mains = fitted.apply(seen.levels[:3])
    assert (mains @ mains.T)[~np.eye(3, dtype=bool)].max() < 0.5


def test_three_products_with_one_view_each_are_enough() -> None:
    seen = World().samples(3, 2)
    assert np.isfinite(fit_instance(seen, 8).apply(seen.levels)).all()


def test_directions_that_the_products_lack_are_orthogonal_to_theirs() -> None:
    given = torch.linalg.qr(torch.randn(20, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64))[0]
    found = _completed(given, 12, seed=0)
    assert torch.equal(found[:, :3], given)
    assert torch.allclose(found.t() @ found, torch.eye(12, dtype=torch.float64), atol=1e-10)
    assert torch.equal(_completed(given, 3, seed=0), given)


def test_both_ways_to_the_principal_directions_span_the_same() -> None:
    """Fewer products than values, and more: the one works on products, the other on values."""
    generator = torch.Generator().manual_seed(0)
    d, n, count = 40, 60, 5
    scales = torch.cat([torch.linspace(9.0, 5.0, count), torch.full((d - count,), 0.1)])
    products = torch.randn(n, d, generator=generator) * scales
    products -= products.mean(dim=0)
    factor = torch.linalg.cholesky(torch.diag(torch.linspace(1.0, 2.0, d, dtype=torch.float64)))
    # Repeated zeros make the same covariance of more values than products.
    small = _principal(
        torch.block_diag(factor, torch.eye(40, dtype=torch.float64)),
        torch.cat([products, torch.zeros(n, 40)], dim=1),
        count,
        seed=0,
    )[:d]
    large = _principal(factor, products, count, seed=0)
    angles = torch.linalg.svdvals(small.t() @ large)
    assert float(angles.min()) > 1 - 1e-6
    for found in (small, large):
        assert torch.allclose(found.t() @ found, torch.eye(count, dtype=found.dtype), atol=1e-5)


@pytest.mark.parametrize(
    ("levels", "owners"),
    [
        (np.ones((6, TOTAL), np.float16), [0, 1, 2, 0, 1, 2]),
        (np.random.default_rng(0).standard_normal((4, TOTAL)).astype(np.float32), [0, 1, 2, 3]),
        (np.repeat(np.random.default_rng(0).standard_normal((1, TOTAL)), 4, axis=0).astype(np.float32), [0, 1, 0, 1]),
        (np.tile(np.random.default_rng(0).standard_normal((2, TOTAL)), (2, 1)).astype(np.float32), [0, 1, 0, 1]),
        (np.random.default_rng(0).standard_normal((4, TOTAL)).astype(np.float32), [0, 0, 0, 0]),
    ],
    ids=["all alike", "no pairs", "one picture, many times", "pairs of equal pictures", "one product"],
)
def test_pictures_that_permit_none_are_refused(levels: np.ndarray, owners: list[int]) -> None:
    with pytest.raises(TrainingError, match="permitted for an instance part"):
        fit_instance(LevelSamples(levels, np.asarray(owners), WIDTHS), 8)


def test_one_picture_in_batches_of_several_sizes_is_alike_too() -> None:
    """Its levels differ in the last digit of half precision; scaled to length 1 they would look like products."""
    levels = np.full((80, TOTAL), 5.0, np.float16)
    levels[40:] = np.nextafter(levels[40:], np.float16(6))
    views = np.random.default_rng(0).standard_normal((80, TOTAL)).astype(np.float16)
    samples = LevelSamples(np.concatenate([levels, views]), np.tile(np.arange(80), 2), WIDTHS)
    with pytest.raises(TrainingError, match="all alike"):
        fit_instance(samples, 8)


@pytest.mark.parametrize("dim", [0, TOTAL + 1])
def test_dimensions_that_the_levels_do_not_have_are_refused(dim: int) -> None:
    with pytest.raises(ValueError, match=f"permitted: 1 to {TOTAL}"):
        fit_instance(World().samples(5, 2), dim)


def test_what_is_kept_of_the_semantic_part_holds_most_of_the_pictures() -> None:
    random = np.random.default_rng(0)
    rows = random.standard_normal((50, 4)) @ random.standard_normal((4, 12)) + 0.01 * random.standard_normal((50, 12))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    kept = kept_directions(rows, 4)
    assert kept is not None
    assert (kept.shape, kept.dtype) == ((4, 12), np.float32)
    assert np.allclose(kept @ kept.T, np.eye(4), atol=1e-5)
    assert (np.linalg.norm(rows @ kept.T, axis=1) > 0.99).all()


def test_a_mean_that_all_pictures_share_is_kept() -> None:
    """Most of their length, not of their variance: a text's cosine with them rests on it."""
    rows = np.tile(np.eye(6, dtype=np.float32)[0], (20, 1)) + 0.01 * np.random.default_rng(0).standard_normal((20, 6))
    kept = kept_directions(rows.astype(np.float32), 1)
    assert kept is not None
    assert abs(kept[0, 0]) > 0.99


def test_fewer_pictures_than_directions_still_give_orthonormal_ones() -> None:
    kept = kept_directions(np.eye(8, dtype=np.float32)[:2], 5)
    assert kept is not None
    assert np.allclose(kept @ kept.T, np.eye(5), atol=1e-5)


@pytest.mark.parametrize("count", [12, 13, 512])
def test_a_shorter_semantic_part_is_kept_whole(count: int) -> None:
    assert kept_directions(np.eye(12, dtype=np.float32), count) is None


def test_owners_are_numbered_in_order_of_appearance() -> None:
    assert owners_of(["b", "a", "b", "c"]).tolist() == [0, 1, 0, 2]


def test_real_pictures_and_drawn_views_count_half_each_however_many_there_are() -> None:
    world = World()
    once = world.samples(60, 3)
    drawn = np.repeat([False, False, True], 60)
    # Every view three times over: as many more of them, and nothing else.
    rows = np.concatenate([np.arange(180), np.arange(120, 180), np.arange(120, 180)])
    more = LevelSamples(once.levels[rows], once.owners[rows], WIDTHS, drawn[rows])
    expected = fit_instance(LevelSamples(once.levels, once.owners, WIDTHS, drawn), 8)
    assert np.allclose(fit_instance(more, 8).apply(once.levels), expected.apply(once.levels), atol=1e-4)
    unmarked = LevelSamples(once.levels[rows], once.owners[rows], WIDTHS)
    assert not np.allclose(fit_instance(unmarked, 8).apply(once.levels), expected.apply(once.levels), atol=1e-3)
