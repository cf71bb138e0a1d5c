"""What a run will do follows from the budget and what steps cost, and is written down."""

from __future__ import annotations

import pytest

from embedder.errors import TrainingError
from embedder.training.tuning.plan import Costs, Stage, TuningPlan, make_plan, smaller_side


def plan(
    budget_s: float | None,
    *,
    step_s: float = 1.0,
    draw_s: float = 0.0,
    new_pictures: int = 0,
    most_passes: int = 100,
    products: int = 100,
) -> TuningPlan:
    """Batches of 10 products with 2 pictures; half of the time at 64 px, where a step takes a quarter."""
    costs = Costs(lambda side: step_s * (side / 128) ** 2, draw_s, new_pictures)
    return make_plan(
        (64, 128), (0.5, 0.5), costs, budget_s, products=products, batch_products=10, pictures=2, most_passes=most_passes
    )  # fmt: skip


def test_the_time_is_shared_out_between_the_sizes() -> None:
    made = plan(100.0)
    assert made.stages == (Stage(64, 200, 0.25), Stage(128, 50, 1.0))
    assert (made.steps, made.expected_s, made.batch) == (250, 100.0, 20)
    assert made.passes == pytest.approx(25.0)
    assert (made.side(0), made.side(199), made.side(200), made.side(249)) == (64, 64, 128, 128)


def test_drawing_counts_for_each_picture_that_is_not_at_hand_yet() -> None:
    """20 pictures a step at 0.05 s each are 1 s; of 100 pictures there are only 5 s in all."""
    assert plan(100.0, draw_s=0.05, new_pictures=10**9).expected_s == pytest.approx(100.0, rel=0.05)
    assert plan(100.0, draw_s=0.05, new_pictures=10**9).steps < 100
    assert plan(100.0, draw_s=0.05, new_pictures=100).steps == pytest.approx(250 * 0.95, rel=0.03)


def test_more_passes_than_wanted_are_not_made_however_long_the_budget() -> None:
    made = plan(100_000.0, most_passes=3)
    assert made.passes == pytest.approx(3.0, abs=0.2)
    assert "the budget would allow more" in made.reason
    assert [stage.side for stage in made.stages] == [64, 128]


def test_without_a_budget_all_passes_are_made_and_nothing_is_measured() -> None:
    made = plan(None, most_passes=5)
    assert made.stages == (Stage(64, 25), Stage(128, 25))
    assert made.reason == "5 passes, no budget"


def test_a_budget_too_short_for_one_step_says_how_long_one_takes() -> None:
    with pytest.raises(TrainingError, match=r"0\.1 s are left .* one step takes 1\.0 s; permitted: one step or more"):
        plan(0.1)


def test_a_stage_that_is_too_short_for_a_step_is_left_out() -> None:
    assert plan(1.5).stages == (Stage(64, 3, 0.25),)


def test_it_is_read_as_it_was_written() -> None:
    made = plan(100.0)
    assert TuningPlan.from_json(made.to_json()) == made


@pytest.mark.parametrize(
    ("side", "squares", "smaller"),
    [(224, True, 128), (160, True, 96), (96, True, 64), (64, True, 64), (32, True, 32), (224, False, 224)],
)
def test_tuning_begins_with_smaller_pictures_where_the_tower_takes_them(side: int, squares: bool, smaller: int) -> None:
    assert smaller_side(side, squares) == smaller


class TestLate:
    def test_a_plan_is_late_where_what_was_taken_so_far_says_so(self) -> None:
        made = plan(100.0)
        assert not made.is_late(100, 40.0)
        assert made.is_late(100, 41.0)
        assert not made.is_late(250, 1000.0)
        assert not made.is_late(0, 0.0)

    def test_one_without_a_budget_never_is(self) -> None:
        assert not plan(None).is_late(10, 1e9)

    def test_a_shorter_one_keeps_the_steps_that_were_taken_and_a_share_of_the_others(self) -> None:
        shorter = plan(100.0).shortened(100, 0.5)
        assert shorter.stages == (Stage(64, 150, 0.25), Stage(128, 25, 1.0))
        assert shorter.passes == pytest.approx(17.5)
        assert "shorter" in shorter.reason
        assert shorter.shortened(160, 0.5).reason == shorter.reason

    def test_at_least_one_step_is_left(self) -> None:
        assert plan(100.0).shortened(249, 0.1).steps == 250

    def test_it_is_written_down_with_its_budget(self) -> None:
        assert TuningPlan.from_json(plan(100.0).to_json()) == plan(100.0)
        assert plan(100.0).budget_s == 100.0
