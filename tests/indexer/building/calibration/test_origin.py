"""Whatever a fit follows from is in its digest; nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from embedder.catalogs.product import Product, ProductPicture
from embedder.inputs.picture import PictureLimits
from indexer.building.calibration import origin
from indexer.building.calibration.origin import digest_fits, digest_origin
from indexer.building.calibration.product_sample import ProductSample
from indexer.versions.manifest import Manifest
from indexer.words.text_index import Bm25Settings, TextIndex
from tests.indexer.conftest import PICTURE, manifest_of, shelf, unfitted_model, unit_rows

TITLE_DIM = 8
TEXTS = TextIndex(TITLE_DIM, Bm25Settings("english", 3.0))


@dataclass
class Given:
    """What a calibration is given."""

    products: list[Product] = field(
        default_factory=lambda: [
            Product(
                f"p-{number}", f"red hat {number}", (ProductPicture(PICTURE, ""),), category="hats", description="warm"
            )
            for number in range(6)
        ]
    )
    contents: list[str] = field(default_factory=lambda: [f"{number:016x}" for number in range(6)])
    vectors: np.ndarray = field(default_factory=lambda: unit_rows(6))
    titles: np.ndarray | None = field(default_factory=lambda: unit_rows(6, 1, TITLE_DIM))
    files: dict[str, str] = field(default_factory=lambda: {"heads.safetensors": "a", "seen.safetensors": "b"})
    fingerprint: str = "f" * 64
    instance_weight: float = 0.25
    precisions: dict[str, str] = field(default_factory=lambda: {"image": "fp32", "text": "fp32"})
    categories: list[str] = field(default_factory=lambda: ["hats"])
    limits: PictureLimits = field(default_factory=PictureLimits)
    views: int = 20
    texts: TextIndex | None = TEXTS

    def digest(self, batch_size: int = 6) -> str:
        sample = ProductSample()
        for start in range(0, len(self.products), batch_size):
            some = slice(start, start + batch_size)
            titles = None if self.titles is None else self.titles[some]
            sample.add(self.products[some], self.vectors[some], titles, self.contents[some])
        info = SimpleNamespace(fingerprint=self.fingerprint, files=self.files, instance_weight=self.instance_weight)
        encoder: Any = SimpleNamespace(info=info, precisions=self.precisions)
        return digest_origin(encoder, sample, self.categories, self.limits, self.views, self.texts)


def change(**fields: Any) -> Callable[[Given], Given]:
    return lambda given: replace(given, **fields)


def another_product(**fields: Any) -> Callable[[Given], Given]:
    return lambda given: replace(given, products=[replace(given.products[0], **fields), *given.products[1:]])


CHANGES: dict[str, Callable[[Given], Given]] = {
    "id": another_product(id="other"),
    "title": another_product(title="blue hat"),
    "category": another_product(category=None),
    "description": another_product(description="cold"),
    "picture": change(contents=["f" * 16, *(f"{number:016x}" for number in range(1, 6))]),
    "vectors": change(vectors=unit_rows(6, 2)),
    "title vectors": change(titles=unit_rows(6, 3, TITLE_DIM)),
    "no title vectors": change(titles=None),
    "order": lambda given: replace(given, products=given.products[::-1]),
    "fingerprint": change(fingerprint="e" * 64),
    "head": change(files={"heads.safetensors": "c", "seen.safetensors": "b"}),
    "seen products": change(files={"heads.safetensors": "a", "seen.safetensors": "c"}),
    "instance weight": change(instance_weight=0.5),
    "precision": change(precisions={"image": "int8", "text": "fp32"}),
    "categories": change(categories=["hats", "shoes"]),
    "limits": change(limits=PictureLimits(max_pixels=100)),
    "views": change(views=21),
    "language": change(texts=TextIndex(TITLE_DIM, Bm25Settings("german", 3.0))),
    "no words": change(texts=TextIndex(TITLE_DIM)),
    "no titles": change(texts=None),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_what_enters_gives_another_digest(name: str) -> None:
    assert CHANGES[name](Given()).digest() != Given().digest()


def test_batches_do_not_enter_nor_do_weights_that_are_fitted() -> None:
    given = Given()
    fitted = replace(TEXTS, weights={"image": 1.0, "title": 0.5, "words": 0.25}, asked=30, found={"fused": 0.5})
    assert given.digest(2) == given.digest() == replace(given, texts=fitted).digest()


def test_another_release_gives_another_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Given().digest()
    for package in ("merchlens", "numpy", "pillow", "qdrant-edge-py"):
        with monkeypatch.context() as patched:
            patched.setattr(origin, "_release", lambda name, changed=package: "later" if name == changed else "")
            patched.setattr(origin, "FIT_VERSION", origin.FIT_VERSION)
            assert Given().digest() != before
    monkeypatch.setattr(origin, "FIT_VERSION", origin.FIT_VERSION + 1)
    assert Given().digest() != before


class TestFits:
    def test_of_a_manifest_that_was_read_again_are_the_same(self) -> None:
        manifest = manifest_of(shelf(10), texts=TEXTS)
        again = Manifest.from_json(manifest.to_json(), "")
        assert digest_fits("origin", again) == digest_fits("origin", manifest) != digest_fits("other", manifest)

    @pytest.mark.parametrize(
        "fields",
        [
            {"category_models": {"text": unfitted_model()}},
            {"head_digest": "0"},
            {"texts": replace(TEXTS, weights={"image": 1.0})},
            {"texts": replace(TEXTS, asked=3)},
        ],
    )
    def test_that_were_changed_have_another_digest(self, fields: dict[str, Any]) -> None:
        manifest = manifest_of(shelf(10), texts=replace(TEXTS, weights={"image": 1.0, "words": 0.5}))
        assert digest_fits("origin", replace(manifest, **fields)) != digest_fits("origin", manifest)
