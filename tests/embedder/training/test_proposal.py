"""Which starter is proposed: the largest that the budget trains well, the same each time, with its reason."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from embedder.settings import EmbedderSettings
from embedder.towers.starters import STARTERS
from embedder.training import proposal
from embedder.training.proposal import AUTO, COSTS, installed_starters, propose_model, propose_side, with_model
from embedder.training.split_products import TrainRequest, load_everything
from tests.conftest import write_drawn_catalog

HOUR = 3600.0
ALL = tuple(STARTERS)


@pytest.mark.parametrize(
    ("products", "side", "budget_s", "cuda", "installed", "model", "reason"),
    [
        # Without a budget, or with a short one, the smallest: also where there is little to learn from, or a GPU.
        (100, 96, None, False, ALL, "starter", "there is no budget"),
        (100, 96, None, True, ALL, "starter", "there is no budget"),
        (10, 96, 299.0, True, ALL, "starter", "a budget of 299 s is less than 300 s"),
        # 20 passes over two pictures of each product: 300 s are enough for the largest, the next one, the smallest.
        (200, 96, 300.0, False, ALL, "starter-lite2", "about 8,600 pictures, 8,000 are wanted"),
        (230, 96, 300.0, False, ALL, "starter-lite1", "about 9,600 pictures, 9,200 are wanted"),
        (300, 96, 300.0, False, ALL, "starter", "a larger one would not see enough in 300 s: about 12,000 pictures, 12,000"),
        (2000, 96, 300.0, False, ALL, "starter", "300 s are short: about 12,000 pictures, 30,000 are wanted"),
        # However many products: 30,000 pictures are enough.
        (10**6, 96, 1000.0, False, ALL, "starter-lite1", "30,000 are wanted"),
        (10**6, 96, 1100.0, False, ALL, "starter-lite2", "30,000 are wanted"),
        # Twice the side takes four times as long.
        (10**6, 192, 1100.0, False, ALL, "starter", "1100 s are short"),
        (10**6, 192, 4400.0, False, ALL, "starter-lite2", "30,000 are wanted"),
        # No tower takes more than its own side.
        (10**6, 1000, 3 * HOUR, False, ALL, "starter-lite2", "30,000 are wanted"),
        # A GPU does it in a 40th of the time, but the smallest budget stays.
        (10**6, 192, 300.0, True, ALL, "starter-lite2", "30,000 are wanted"),
        # What is not installed is not proposed, and is named where it would have been.
        (200, 96, 300.0, False, ("starter", "starter-lite1"), "starter-lite1", "8,000 are wanted"),
        (200, 96, 300.0, False, ("starter",), "starter", r"starter-lite2 would .* not installed \(pip install 'merchlens\[train,starters\]'\)"),
        (2000, 96, 300.0, False, ("starter",), "starter", "300 s are short"),
        (0, 96, 300.0, False, ALL, "starter-lite2", "1 are wanted"),
    ],
)  # fmt: skip
def test_the_largest_that_sees_enough_in_its_budget_is_proposed(
    products: int,
    side: int,
    budget_s: float | None,
    cuda: bool,
    installed: tuple[str, ...],
    model: str,
    reason: str,
) -> None:
    found = propose_model(products=products, side=side, budget_s=budget_s, cuda=cuda, installed=installed)
    assert found.model == model
    assert re.search(reason, found.reason), found.reason


def test_a_slower_machine_is_proposed_a_smaller_one() -> None:
    case: dict[str, Any] = {"products": 200, "side": 96, "budget_s": 300.0, "cuda": False, "installed": ALL}
    assert propose_model(**case, picture_s=0.012).model == "starter-lite2"
    assert propose_model(**case, picture_s=0.014).model == "starter-lite1"
    assert propose_model(**case, picture_s=0.1).model == "starter"


def test_each_starter_has_its_cost_and_larger_ones_cost_more() -> None:
    assert tuple(COSTS) == tuple(STARTERS)
    assert list(COSTS.values()) == sorted(COSTS.values())
    assert installed_starters() == set(STARTERS)


def request(catalog: Path, **changed: Any) -> TrainRequest:
    fields: dict[str, Any] = {
        "catalog": str(catalog), "columns": {}, "model": AUTO, "out": catalog.parent / "out", "image_size": None,
        "budget_s": 600.0, "max_products": None,
    }  # fmt: skip
    return TrainRequest(**{**fields, **changed})


def test_a_training_takes_the_model_that_suits_its_catalog_and_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = write_drawn_catalog(tmp_path / "shop", 60, side=40)
    everything = load_everything(request(catalog))
    config = EmbedderSettings(device="cpu")
    asked: list[dict[str, Any]] = []
    propose = proposal.propose_model
    monkeypatch.setattr(proposal, "propose_model", lambda **case: asked.append(case) or propose(**case))
    found = with_model(request(catalog), config, everything, "full")
    assert (found.model, asked[-1]["side"], asked[-1]["cuda"]) == ("starter-lite2", 128, False)
    # Those that the catalog's split by names gives to training.
    assert 40 <= asked[-1]["products"] < 60
    assert found.model_reason.startswith("the largest starter that sees enough in 600 s")
    assert with_model(request(catalog), config, everything, "full") == found
    assert with_model(request(catalog, max_products=5, image_size=64), config, everything, "lora").model == found.model
    assert (asked[-1]["products"], asked[-1]["side"]) == (5, 64)


def test_a_model_that_is_named_is_taken_and_an_untuned_tower_is_the_smallest(tmp_path: Path) -> None:
    catalog = write_drawn_catalog(tmp_path / "shop", 12, side=40)
    config, named = EmbedderSettings(device="cpu"), request(catalog, model="starter-lite1")
    everything = load_everything(named)
    assert with_model(named, config, everything, "full") is named
    assert named.model_reason == "as asked"
    found = with_model(request(catalog), config, everything, "projection")
    assert (found.model, found.model_reason) == ("starter", "the smallest starter, as its image tower is not tuned")


@pytest.mark.parametrize(
    ("side", "budget_s", "cuda", "chosen"),
    [
        (224, 7200.0, False, 224),
        (224, 1200.0, False, 192),
        (224, 600.0, False, 128),
        (96, 600.0, False, 96),
        (224, 600.0, True, 224),
    ],
)
def test_pictures_are_as_large_as_the_budget_sees_enough_of(
    side: int, budget_s: float, cuda: bool, chosen: int
) -> None:
    assert propose_side("starter", side, budget_s, cuda) == chosen
