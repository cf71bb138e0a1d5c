"""How right a model is about attributes: of pictures, of photos of them, and of titles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from embedder.catalogs.loading import load_catalog
from embedder.catalogs.product import Product
from embedder.catalogs.registry import open_catalog
from embedder.encoder import Encoder, open_encoder
from embedder.evaluation.attributes import AttributeFigures, macro_f1, measure_attributes
from embedder.evaluation.reporting.sections import attributes_section
from embedder.evaluation.tables import attributes_table
from embedder.inputs.pixels import PixelReader


@pytest.fixture(scope="module")
def encoder(trained_bundle: Path) -> Encoder:
    return open_encoder(trained_bundle, device="cpu")


@pytest.fixture(scope="module")
def products(drawn_catalog: Path) -> list[Product]:
    return list(load_catalog(open_catalog(str(drawn_catalog))).products)[:48]


def measure(encoder: Encoder, products: list[Product]) -> dict[str, AttributeFigures]:
    found = measure_attributes(encoder, products, reader=PixelReader(encoder.preprocessing), decode_threads=2)
    assert {item.name for item in found} <= {"color"}
    return {item.asked: item for item in found}


def test_each_way_of_asking_is_measured(encoder: Encoder, products: list[Product]) -> None:
    found = measure(encoder, products)
    assert set(found) == {"picture", "photo", "title"}
    assert {item.products for item in found.values()} == {48}
    assert found["picture"].accuracy > 0.9
    assert found["title"].accuracy == found["title"].macro_f1 == 1.0
    assert found["photo"].accuracy > 0.5
    assert found["picture"].unknown == 0.0


def test_values_that_the_model_does_not_know_are_wrong(encoder: Encoder, products: list[Product]) -> None:
    strange = [replace(product, attributes={"color": "mauve"}) for product in products[:24]] + products[24:]
    found = measure(encoder, strange)["title"]
    assert (found.accuracy, found.unknown) == (0.5, 0.5)
    assert found.macro_f1 < 1.0


def test_of_several_values_any_is_right_however_it_is_spelt(encoder: Encoder, products: list[Product]) -> None:
    several = [
        replace(product, attributes={"color": ("mauve", str(product.attributes["color"]).upper())})
        for product in products
    ]
    assert measure(encoder, several)["title"].accuracy == 1.0


@pytest.mark.parametrize("count", [0, 9])
def test_a_handful_of_products_is_not_measured(encoder: Encoder, products: list[Product], count: int) -> None:
    others = [replace(product, attributes={}) for product in products[count:]]
    assert measure(encoder, products[:count] + others) == {}


def test_a_macro_score_counts_each_value_alike() -> None:
    assert macro_f1(["a", "a", "a", "b"], ["a", "a", "a", "a"]) == pytest.approx((6 / 7) / 2)
    assert macro_f1(["a", "b"], ["a", "b"]) == 1.0
    assert macro_f1(["a"], ["a"]) == 1.0
    assert macro_f1(["a", "b"], ["c", "c"]) == 0.0


def test_the_figures_are_shown_to_people() -> None:
    figures = (
        AttributeFigures("color", "photo", 40, 0.75, 0.7, 0.05, 0.5, 0.9, 0.0),
        AttributeFigures("color", "title", 40, 0.5, 0.4, 0.05, 0.0, None, 0.1),
    )
    console = Console(width=120, record=True)
    console.print(attributes_table(figures))
    assert "0.750" in console.export_text()
    rows = attributes_section(figures).tables[0].rows
    assert [row[5] for row in rows] == ["90%", "–"]
