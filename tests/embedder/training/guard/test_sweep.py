"""Which mixture of base and tuned weights is kept, why others are not, and what people are shown of it."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO

import pytest
import torch
from PIL import Image

from embedder.training.guard.report import sweep_plot, sweep_table
from embedder.training.guard.shares import Shares
from embedder.training.guard.sweep import NONE, Frozen, Mixture, Sweep, choose, mix, sweep

SHARES = tuple(Shares.even(share) for share in (0.25, 0.5, 1.0))


class TwoWeights:
    """A model of an image side and a text side, a number each, whose figures are functions of the first."""

    def __init__(self) -> None:
        self.tower = self.words = 0.0
        self.loaded = 0

    def load(self, state: Mapping[str, torch.Tensor], tuned_too: bool) -> None:
        self.tower, self.words = float(state["tower"]), float(state["words"])
        self.loaded += 1


def weights(tower: float, words: float) -> dict[str, torch.Tensor]:
    return {"tower": torch.tensor(tower), "words": torch.tensor(words)}


def swept(
    gain: float = 0.4,
    loss: float = 0.1,
    titles: float = 0.0,
    tolerance: float = 0.04,
    start_score: float = 0.3,
    start_loss: float = 0.01,
) -> tuple[Sweep, TwoWeights]:
    """The score rises by `gain` from the base, at 0.2, to the tuned weights, and retention falls by `loss`."""
    model = TwoWeights()
    found = sweep(
        model.load,
        weights(0.0, 0.0),
        weights(1.0, 1.0),
        frozen=Frozen(weights(0.0, 0.5), start_score, {"text": 0.5 - start_loss}),
        in_domain=lambda: {"score": 0.2 + gain * model.tower, "title_recall_at_1": 0.1 + titles * model.tower},
        retention=lambda: {"text": 0.5 - loss * model.tower},
        lost=lambda before, after: before["text"] - after["text"],
        tolerance=tolerance,
        shares=SHARES,
    )
    assert model.loaded == len(SHARES) + 2
    return found, model


def test_the_largest_gain_within_the_tolerance_is_kept_and_loaded() -> None:
    found, model = swept(loss=0.07)
    assert [item.shares for item in found.mixtures] == [NONE, *SHARES]
    assert found.kept is found.mixtures[2]
    assert model.tower == 0.5
    assert found.mixtures[2].lost == pytest.approx(0.035)
    assert found.frozen_lost == pytest.approx(0.01)
    assert found.frozen_is_kept
    assert "loses 0.070 of retention, more than 0.04" in found.mixtures[-1].refused


def test_what_trained_words_gained_is_given_up_only_where_trained_ends_lose_too_much() -> None:
    """Half of the way from words at 0.5 to words at 1.0, or from the base's at 0.0."""
    assert swept(loss=0.07)[1].words == 0.75
    found, model = swept(loss=0.07, start_loss=0.05)
    assert not found.frozen_is_kept
    assert found.kept is not None
    assert model.words == found.kept.shares.first == 0.5


def scored(share: float, score: float) -> Mixture:
    return Mixture(Shares.even(share), {"score": score}, {}, 0.0)


def test_more_of_the_tuned_weights_is_not_always_more() -> None:
    mixtures = [scored(share, score) for share, score in ((0.5, 0.6), (0.7, 0.7), (1.0, 0.65))]
    assert choose(mixtures) is mixtures[1]
    alike = [scored(share, 0.5) for share in (0.5, 0.25, 1.0)]
    assert choose(alike) is alike[1]
    assert choose(mixtures, slack=0.1) is mixtures[2]


def test_without_held_out_products_the_most_that_retention_permits_is_kept() -> None:
    mixtures = [
        Mixture(Shares.even(share), {}, {}, 0.0, refused) for share, refused in ((0.5, ""), (1.0, "loses"), (0.7, ""))
    ]
    assert choose(mixtures) is mixtures[2]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"loss": 0.5}, "of retention"),
        ({"start_score": 0.9}, "no better than 0.900, that of frozen towers"),
        ({"titles": -0.05}, "titles find their product first less often than with the base"),
    ],
)
def test_none_is_kept_where_all_lose_or_none_gains_and_the_base_is_loaded(changed: dict[str, float], why: str) -> None:
    found, model = swept(**{"loss": 0.0, **changed})
    assert found.kept is None
    assert (model.tower, model.words) == (0.0, 0.0)
    assert all(why in item.refused for item in found.mixtures[1:])


def test_without_a_guard_whatever_is_lost_is_accepted() -> None:
    found, _ = swept(loss=0.5, titles=-0.1, tolerance=1.0)
    assert found.kept is found.mixtures[-1]


def test_a_mixture_is_on_the_straight_line() -> None:
    base, tuned = {"w": torch.tensor([0.0, 2.0])}, {"w": torch.tensor([1.0, 4.0])}
    assert torch.equal(mix(base, tuned, Shares.even(0.5))["w"], torch.tensor([0.5, 3.0]))
    assert torch.equal(mix(base, tuned, Shares.even(1.0))["w"], tuned["w"])
    assert torch.equal(mix(base, tuned, NONE)["w"], base["w"])


def test_layers_near_the_pixels_may_have_more_of_the_tuned_weights_than_those_near_the_output() -> None:
    names = ("first", "middle", "last", "projection")
    base, tuned = ({name: torch.tensor(value) for name in names} for value in (0.0, 1.0))
    found = mix(base, tuned, Shares(1.0, 0.2, 0.7), {"first": 0.0, "middle": 0.5, "last": 1.0})
    assert {name: round(float(value), 6) for name, value in found.items()} == {
        "first": 1.0, "middle": 0.6, "last": 0.2, "projection": 0.7,
    }  # fmt: skip


@pytest.mark.parametrize(("shares", "label"), [(Shares.even(0.7), "70 %"), (Shares(1.0, 0.3, 0.7), "100 to 30 %")])
def test_shares_are_called_by_what_the_first_and_the_last_layer_have(shares: Shares, label: str) -> None:
    assert shares.label == label


def test_the_table_has_a_row_for_each_mixture_with_its_verdict() -> None:
    found, _ = swept(loss=0.07)
    lines = sweep_table(found).splitlines()
    rows = [line for line in lines if line.startswith("|") and " % |" in line]
    assert len(rows) == 4
    assert rows[2].startswith("| 50 % | 0.4000 ")
    assert rows[2].endswith("| **kept** |")
    assert rows[1].endswith("| permitted, gains less |")
    assert lines[2].startswith(
        "Frozen towers with trained ends score 0.3000 and lose 0.0100 of retention. It may lose 0.04, so shares are on "
        "the line from the base with the trained text side."
    )


@pytest.mark.parametrize("changed", [{}, {"start_score": 0.9}, {"start_loss": 0.05}])
def test_the_plot_is_a_picture(changed: dict[str, float]) -> None:
    image = Image.open(BytesIO(sweep_plot(swept(**changed)[0])))
    assert image.format == "PNG"
    assert min(image.size) > 300
