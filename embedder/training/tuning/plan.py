"""What a run of tuning will do, written down before its first step: a resumed run is then the same run.

Where a budget is given and other work slows the machine, a run makes its own plan shorter, and writes that down too.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from embedder.errors import BudgetTooShort

_LEAST_SIDE = 64
_STEP = 32
_SMALLER = 0.7

_LATE = 1.02
"""Times the budget: what is not later than that is in time."""

_SHORTENED = "; made shorter on the way, since steps took longer than they had been measured to"


@dataclass(frozen=True, slots=True)
class Stage:
    """Some steps at one picture size.

    Attributes:
        side: of the pictures, pixels.
        steps: how many, 1 or more.
        step_s: seconds that one should take; 0 where that was not measured.
    """

    side: int
    steps: int
    step_s: float = 0.0


@dataclass(frozen=True, slots=True)
class TuningPlan:
    """Steps, sizes and schedule.

    Attributes:
        stages: one or more, small pictures first.
        batch: pictures in a step.
        passes: how often each training product is seen, about.
        reason: why it is these, for people.
        budget_s: seconds that the steps may take; None: as long as they take.
    """

    stages: tuple[Stage, ...]
    batch: int
    passes: float
    reason: str
    budget_s: float | None = None

    @property
    def steps(self) -> int:
        """All of them."""
        return sum(stage.steps for stage in self.stages)

    @property
    def expected_s(self) -> float:
        """How long they should take, seconds; 0 where nothing was measured."""
        return sum(stage.steps * stage.step_s for stage in self.stages)

    def side(self, step: int) -> int:
        """Of the pictures in a step, counted from 0."""
        for stage in self.stages:
            if step < stage.steps:
                return stage.side
            step -= stage.steps
        return self.stages[-1].side

    def is_late(self, done: int, spent_s: float) -> bool:
        """Whether the steps will take longer than they may, when the first `done` of them took `spent_s` seconds."""
        if self.budget_s is None or not 0 < done < self.steps:
            return False
        left = self.steps - done
        return spent_s + left * spent_s / done > self.budget_s * _LATE

    def shortened(self, done: int, share: float) -> Self:
        """The same with `share` of the steps that are left after the first `done`, 0..1, at least one."""
        stages, before = [], done
        for stage in self.stages:
            taken = min(stage.steps, before)
            before -= taken
            stages.append(replace(stage, steps=taken + math.ceil((stage.steps - taken) * share)))
        shorter = tuple(stage for stage in stages if stage.steps)
        steps = sum(stage.steps for stage in shorter)
        reason = self.reason.removesuffix(_SHORTENED) + _SHORTENED
        return replace(self, stages=shorter, passes=self.passes * steps / self.steps, reason=reason)

    def to_json(self) -> str:
        """As it is written down."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Inverse of `to_json`; raises KeyError, TypeError or ValueError on anything else."""
        data: dict[str, Any] = json.loads(text)
        stages = tuple(Stage(**stage) for stage in data["stages"])
        budget_s = data.get("budget_s")
        return cls(
            stages,
            int(data["batch"]),
            float(data["passes"]),
            str(data["reason"]),
            None if budget_s is None else float(budget_s),
        )


@dataclass(frozen=True, slots=True)
class Costs:
    """What steps cost on this machine.

    Attributes:
        compute_s: seconds of a step at a side, its pictures at hand.
        draw_s: seconds for making one picture ready that was not met before, spread over the cores.
        new_pictures: how many of them there are at most before all are at hand.
    """

    compute_s: Callable[[int], float]
    draw_s: float
    new_pictures: int


def smaller_side(side: int, squares: bool) -> int:
    """The size of the pictures that tuning begins with, pixels; `squares`: whether the tower takes any."""
    if not squares:
        return side
    return max(min(side, _LEAST_SIDE), math.floor(side * _SMALLER / _STEP) * _STEP)


def make_plan(
    sides: Sequence[int],
    shares: Sequence[float],
    costs: Costs | None,
    budget_s: float | None,
    *,
    products: int,
    batch_products: int,
    pictures: int,
    most_passes: int,
    least_steps: int = 1,
) -> TuningPlan:
    """Fit the steps into a budget.

    Args:
        sides: picture sizes, first to last.
        shares: of the time that each gets; add up to 1. Those of 0 are left out.
        costs: of steps; wanted where there is a budget.
        budget_s: for the steps alone; None: `most_passes` passes.
        products: training products, 1 or more.
        batch_products: in a step. pictures: of each of them.
        most_passes: over the products.
        least_steps: fewer are not worth it.

    Raises:
        BudgetTooShort: the budget is too short for that many.
    """
    kept = [(side, share) for side, share in zip(sides, shares, strict=True) if share > 0]
    most = max(1, math.ceil(most_passes * products / batch_products))
    if budget_s is None or costs is None:
        counts = _share_out(most, [share for _, share in kept])
        stages = [Stage(side, count) for (side, _), count in zip(kept, counts, strict=True) if count]
        reason = f"{most_passes} passes, no budget"
    else:
        timed = [(side, share, costs.compute_s(side)) for side, share in kept]
        timed = _with_drawing(timed, costs, budget_s, batch_products * pictures)
        stages = [Stage(side, int(share * budget_s / step_s), step_s) for side, share, step_s in timed]
        total = sum(stage.steps for stage in stages)
        if total < least_steps:
            slowest = max(step_s for _, _, step_s in timed)
            wanted = "one step" if least_steps == 1 else f"{least_steps} steps"
            raise BudgetTooShort(
                f"budget: {budget_s:.1f} s are left for tuning the towers, and one step takes {slowest:.1f} s; "
                f"permitted: {wanted} or more; next step: a longer --budget, or --tune projection"
            )
        reason = f"{budget_s:.0f} s for steps of {', '.join(f'{s.step_s:.2f} s at {s.side} px' for s in stages)}"
        if total > most:
            scale = most / total
            stages = [Stage(stage.side, max(1, int(stage.steps * scale)), stage.step_s) for stage in stages]
            reason = f"{most_passes} passes, the most that are made; the budget would allow more"
        stages = [stage for stage in stages if stage.steps]
    done = sum(stage.steps for stage in stages)
    return TuningPlan(tuple(stages), batch_products * pictures, done * batch_products / products, reason, budget_s)


def _with_drawing(
    timed: Sequence[tuple[int, float, float]], costs: Costs, budget_s: float, batch: int
) -> list[tuple[int, float, float]]:
    """Steps' seconds with their share of making pictures ready: of all of them, or of those that there are."""
    steps = sum(share * budget_s / step_s for _, share, step_s in timed)
    # Fewer steps fit once drawing is counted; twice is near enough.
    each = 0.0
    for _ in range(2):
        each = min(batch * costs.draw_s, costs.new_pictures * costs.draw_s / max(1.0, steps))
        steps = sum(share * budget_s / (step_s + each) for _, share, step_s in timed)
    return [(side, share, step_s + each) for side, share, step_s in timed]


def _share_out(total: int, shares: Sequence[float]) -> list[int]:
    """Whole numbers that add up to the total; the last one takes what rounding leaves."""
    counts = [int(total * share) for share in shares[:-1]]
    return [*counts, total - sum(counts)]
