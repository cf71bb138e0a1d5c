"""A bundle remembers which products it was trained on, in bounded space."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embedder import seen_products
from embedder.errors import BundleCorrupt
from embedder.seen_products import SEEN_FILE, SeenProducts, load_seen, save_seen

IDS = [f"p-{number}" for number in range(1000)]


def test_what_was_trained_on_is_seen_and_the_rest_is_new() -> None:
    seen = SeenProducts.of(IDS)
    assert {seen.status(product_id) for product_id in IDS} == {"seen"}
    assert {seen.status(f"q-{number}") for number in range(1000)} == {"new"}


def test_of_a_large_catalog_a_share_is_kept_and_never_a_seen_product_called_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(seen_products, "MOST", 100)
    seen = SeenProducts.of(IDS)
    assert 20 < len(seen.hashes) <= 100
    assert {seen.status(product_id) for product_id in IDS} == {"seen", "unknown"}
    others = [seen.status(f"q-{number}") for number in range(1000)]
    assert set(others) == {"new", "unknown"}
    assert others.count("new") == pytest.approx(1000 / seen.modulus, rel=0.5)


def test_what_the_base_was_trained_on_is_seen_too(monkeypatch: pytest.MonkeyPatch) -> None:
    both = SeenProducts.of(["a", "b"]).and_of(SeenProducts.of(["b", "c"]))
    assert [both.status(product_id) for product_id in "abcd"] == ["seen", "seen", "seen", "new"]
    assert SeenProducts.of(["a"]).and_of(None).status("a") == "seen"
    monkeypatch.setattr(seen_products, "MOST", 100)
    large = SeenProducts.of(["a"]).and_of(SeenProducts.of(IDS))
    assert {large.status(product_id) for product_id in IDS} == {"seen", "unknown"}
    assert large.status("a") in ("seen", "unknown")


def test_nothing_was_trained_on() -> None:
    assert SeenProducts.of([]).status("p-1") == "new"


@pytest.mark.parametrize("strange", ["", "\ud800", "靴", "x" * 10_000])
def test_any_id_will_do(strange: str) -> None:
    assert SeenProducts.of([strange]).status(strange) == "seen"


def test_it_is_kept_in_the_bundle(tmp_path: Path) -> None:
    save_seen(tmp_path, SeenProducts.of(IDS))
    again = load_seen(tmp_path)
    assert again is not None
    assert again.modulus == 1
    assert np.array_equal(again.hashes, SeenProducts.of(IDS).hashes)


def test_a_bundle_without_it_says_nothing(tmp_path: Path) -> None:
    assert load_seen(tmp_path) is None


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / SEEN_FILE).write_bytes(b"{}")
    with pytest.raises(BundleCorrupt, match=r"seen\.safetensors.*next step"):
        load_seen(tmp_path)
