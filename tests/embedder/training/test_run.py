"""From a catalog and a base model to a bundle: models without a projection of their own, and those that take none."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from torch.nn import functional

from embedder import bundle
from embedder.catalogs.product import Split
from embedder.encoder import Encoder, open_encoder
from embedder.errors import ModelError, TrainingError
from embedder.export import onnx as onnx_export
from embedder.instance_map import INSTANCE_FILE
from embedder.settings import EmbedderSettings
from embedder.training.run import train
from embedder.training.settings import FineTuneSettings, InstanceSettings
from embedder.training.split_products import TrainRequest
from tests.conftest import COLORS, SHAPES, draw_product, write_drawn_catalog
from tests.embedder.towers.test_projection import SIGLIP, TEXT, write_folder
from tests.integration.test_releases import RELEASES, unpack


def request(model: Path, tmp_path: Path) -> tuple[TrainRequest, EmbedderSettings]:
    catalog = write_drawn_catalog(tmp_path / "shop", 40, side=32)
    settings = EmbedderSettings(
        cache_dir=tmp_path / "cache", device="cpu", train=FineTuneSettings(epochs=2, rehearsal=4)
    )
    return TrainRequest(str(catalog), {}, str(model), tmp_path / "out", None, None, None), settings


def test_a_model_of_siglips_kind_is_trained_and_loads_in_open_clip_alone(tmp_path: Path) -> None:
    """Neither of its towers ends in a linear projection; both get one, and the figures are those of the bundle."""
    config = {"embed_dim": 96, "custom_text": True, "vision_cfg": SIGLIP, "text_cfg": {**TEXT, "proj_type": "none"}}
    asked, settings = request(write_folder(tmp_path / "siglip", config), tmp_path)
    info = train(asked, settings)
    encoder = open_encoder(asked.out, device="cpu")
    assert info.fingerprint != info.training["base_fingerprint"]
    alone = open_clip.create_model(f"local-dir:{asked.out}", require_pretrained=True).eval()
    pixels = encoder.preprocess([draw_product("ellipse", "red", 1), draw_product("rectangle", "blue", 2)])
    tokens = encoder.tokenize(["red ball", "blue box"])
    with torch.no_grad():
        images = functional.normalize(alone.encode_image(torch.from_numpy(pixels)), dim=1).numpy()
        texts = functional.normalize(alone.encode_text(torch.from_numpy(tokens.ids)), dim=1).numpy()
    assert np.allclose(images, encoder.run_pixels(pixels).embeddings, atol=1e-4)
    assert np.allclose(texts, encoder.run_tokens(tokens).embeddings, atol=1e-4)


def test_a_tower_that_takes_no_projection_is_refused_before_anything_is_computed(tmp_path: Path) -> None:
    pooled = {"image_size": 160, "timm_model_name": "test_efficientnet", "timm_pool": "abs_attn", "timm_proj": ""}
    config = {"embed_dim": 96, "custom_text": True, "vision_cfg": pooled, "text_cfg": TEXT}
    asked, settings = request(write_folder(tmp_path / "odd", config), tmp_path)
    with pytest.raises(
        ModelError, match=r"image tower of '.*odd.*' \(TimmModel\) does not end in a linear projection.*next step"
    ):
        train(asked, settings)
    assert not (tmp_path / "cache" / "features").exists()
    assert not asked.out.exists()


def ids_in(split: Split, count: int) -> list[str]:
    """Ids of products that `write_shop` puts into a split."""
    return [f"{split}-{number}" for number in range(count)]


def drawn(number: int, variant: int = 0) -> Image.Image:
    shape, color = list(SHAPES)[number % 4], list(COLORS)[number // 4 % 4]
    return draw_product(SHAPES[shape], color, 100 * variant + number, side=32)


def write_shop(folder: Path, pictures: dict[str, Sequence[Image.Image]]) -> Path:
    """A catalog of products with these pictures each, and a title and a category."""
    folder.mkdir(parents=True)
    rows = []
    for number, (product, images) in enumerate(pictures.items()):
        names = [f"{product}-{place}.png" for place in range(len(images))]
        for name, image in zip(names, images, strict=True):
            image.save(folder / name)
        category = list(SHAPES)[number % 4]
        rows.append(
            json.dumps(
                {
                    "id": product,
                    "title": category,
                    "category": category,
                    "images": names,
                    "split": product.split("-")[0],
                }
            )
        )
    (folder / "shop.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder / "shop.jsonl"


def trained(
    model: Path, folder: Path, catalog: Path, budget_s: float | None = 0, **instance: float
) -> tuple[bundle.BundleInfo, Encoder]:
    """Train on a catalog; the bundle's description, and the bundle opened."""
    settings = EmbedderSettings(
        cache_dir=folder / "cache",
        device="cpu",
        train=FineTuneSettings(epochs=2, rehearsal=4),
        instance=InstanceSettings(**instance),
    )
    out = folder / "out"
    info = train(TrainRequest(str(catalog), {}, str(model), out, None, budget_s, None), settings)
    assert info == bundle.load_info(out)
    return info, open_encoder(out, "onnx", device="cpu")


def plain_shop(folder: Path, training: int, validation: int = 0, pictures: int = 1) -> Path:
    names = [*ids_in("train", training), *ids_in("validation", validation)]
    return write_shop(
        folder, {name: [drawn(number, place) for place in range(pictures)] for number, name in enumerate(names)}
    )


def search(encoder: Encoder, query: Image.Image, gallery: Sequence[Image.Image]) -> np.ndarray:
    found = encoder.space.query(encoder.encode_images([query])[0])
    return encoder.encode_images(gallery) @ found.vector * found.scale


def test_a_budget_of_0_fits_the_instance_part_and_leaves_the_base_as_it_is(tiny_bundle: Path, tmp_path: Path) -> None:
    info, encoder = trained(tiny_bundle, tmp_path, plain_shop(tmp_path / "shop", 40, 12))
    base = open_encoder(tiny_bundle, "onnx", device="cpu")
    assert (encoder.head, info.training["epochs"]) == (None, 0)
    training, held_out = info.training["training_products"], info.training["validation_products"]
    assert training + held_out == 52
    assert held_out >= 12
    described = info.training["instance"]
    total = sum(info.level_widths)
    assert (described["dim"], described["semantic_dim"]) == (min(InstanceSettings().dim, total), 16)
    assert described["pairs"] == training * 6
    assert info.dim == encoder.dim == 16 + described["dim"]
    assert info.instance_weight == described["weight"] in [item["weight"] for item in described["weights_tried"]]
    images = [drawn(number) for number in range(4)]
    pixels = base.preprocess(images)
    assert np.allclose(encoder.run_pixels(pixels).embeddings, base.run_pixels(pixels).embeddings, atol=1e-5)
    assert np.allclose(
        encoder.space.semantic_of(encoder.encode_texts(["red ball"])), base.encode_texts(["red ball"]), atol=1e-5
    )
    assert search(encoder, images[1], images).argmax() == 1
    assert search(encoder, images[1], images)[1] == pytest.approx(1.0, abs=1e-4)
    compared = info.training["compared"]
    assert (compared["products"], compared["views"], compared["gallery"]) == (held_out, 2 * held_out, 52)
    assert compared["before"]["category_accuracy"] == compared["after"]["category_accuracy"]
    assert json.loads((tmp_path / "out" / "report" / "training.json").read_text())["instance"] == described


def test_its_semantic_part_loads_in_open_clip_alone(tiny_bundle: Path, tmp_path: Path) -> None:
    _, encoder = trained(tiny_bundle, tmp_path, plain_shop(tmp_path / "shop", 12), None)
    alone = open_clip.create_model(f"local-dir:{tmp_path / 'out'}", require_pretrained=True).eval()
    pixels = encoder.preprocess([drawn(1), drawn(2)])
    with torch.no_grad():
        expected = functional.normalize(alone.encode_image(torch.from_numpy(pixels)), dim=1).numpy()
    assert np.allclose(encoder.run_pixels(pixels).embeddings, expected, atol=1e-4)


@pytest.mark.parametrize("budget_s", [0, None])
def test_three_products_are_fewer_than_dimensions_and_enough(
    tiny_bundle: Path, tmp_path: Path, budget_s: float | None
) -> None:
    info, encoder = trained(tiny_bundle, tmp_path, plain_shop(tmp_path / "shop", 3), budget_s, dim=100)
    assert info.training["instance"]["dim"] == 100
    assert info.training["instance"]["weights_tried"] == []
    assert info.training["compared"]["after"] == {}
    images = [drawn(number) for number in range(3)]
    for number, image in enumerate(images):
        assert search(encoder, image, images).argmax() == number


@pytest.mark.parametrize("count", [4, 80])
def test_identical_pictures_only_give_no_instance_part_and_the_log_says_so(
    tiny_bundle: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, count: int
) -> None:
    """Also over several batches, whose levels may differ in the last digit."""
    names = ids_in("train", count)
    with caplog.at_level(logging.WARNING):
        info, encoder = trained(
            tiny_bundle, tmp_path, write_shop(tmp_path / "shop", {name: [drawn(1)] for name in names})
        )
    assert "no instance part is made: the products' pictures are all alike" in caplog.text
    assert "vectors are the semantic part alone" in caplog.text
    assert info.training["instance"] == {"dim": 0}
    assert info.dim == encoder.dim == 16
    assert not (tmp_path / "out" / INSTANCE_FILE).exists()
    assert search(encoder, drawn(1), [drawn(1)])[0] == pytest.approx(1.0, abs=1e-4)


def test_without_views_and_further_pictures_there_are_no_pairs_and_the_log_says_so(
    tiny_bundle: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    info, _ = trained(tiny_bundle, tmp_path, plain_shop(tmp_path / "shop", 5), views=0)
    assert "no product has a second picture or a view" in caplog.text
    assert info.dim == 16


def test_grey_pictures_of_all_sizes(tiny_bundle: Path, tmp_path: Path) -> None:
    names = ids_in("train", 8)
    images = [drawn(number).convert(("L", "1", "LA", "I;16")[number % 4]) for number in range(7)]
    images.append(Image.new("L", (1, 1), 90))
    shop = write_shop(tmp_path / "shop", {name: [image] for name, image in zip(names, images, strict=True)})
    info, encoder = trained(tiny_bundle, tmp_path, shop)
    assert info.training["rejected"] == 0
    assert info.training["instance"]["pairs"] == 8 * 6
    grey = [image.convert("RGB") for image in images[:2]]
    assert search(encoder, grey[1], grey).argmax() == 1


def test_several_pictures_of_a_product_are_pairs_beside_its_views(tiny_bundle: Path, tmp_path: Path) -> None:
    shop = plain_shop(tmp_path / "shop", 6, pictures=5)
    info, _ = trained(tiny_bundle, tmp_path, shop, views=12, pictures=3)
    assert info.training["instance"]["pairs"] == 6 * (3 + 2)


def test_a_further_picture_that_cannot_be_read_is_among_what_was_left_out(tiny_bundle: Path, tmp_path: Path) -> None:
    shop = plain_shop(tmp_path / "shop", 4, pictures=2)
    next(iter(sorted(shop.parent.glob("*-1.png")))).write_bytes(b"?")
    info, _ = trained(tiny_bundle, tmp_path, shop)
    assert (info.training["rejected"], info.training["rejected_reasons"]) == (1, {"IMAGE_UNREADABLE": 1})
    assert info.training["training_products"] == 4


@pytest.mark.parametrize("budget_s", [0, None])
def test_no_readable_picture_is_an_error_with_an_example(
    tiny_bundle: Path, tmp_path: Path, budget_s: float | None
) -> None:
    """Not a bundle that is its base under another name."""
    shop = plain_shop(tmp_path / "shop", 3)
    for path in shop.parent.glob("*.png"):
        path.write_bytes(b"?")
    with pytest.raises(
        TrainingError, match=r"0 training products with readable pictures \(3 rejected, such as 'train-\d'"
    ):
        trained(tiny_bundle, tmp_path, shop, budget_s)
    assert not (tmp_path / "out").exists()


def test_without_an_instance_part_a_training_is_what_it_was(tiny_bundle: Path, tmp_path: Path) -> None:
    info, encoder = trained(tiny_bundle, tmp_path, plain_shop(tmp_path / "shop", 12, 4), None, dim=0)
    assert info.dim == encoder.dim == 16
    assert not (tmp_path / "out" / INSTANCE_FILE).exists()
    assert encoder.head is not None
    assert set(info.training["compared"]["after"]) == {
        "category_accuracy",
        "title_recall_at_1",
        "title_recall_at_10",
    }


def test_the_fingerprint_names_the_instance_part_too(tiny_bundle: Path, tmp_path: Path) -> None:
    base = bundle.load_info(tiny_bundle)
    shop = plain_shop(tmp_path / "shop", 8)
    first = trained(tiny_bundle, tmp_path / "1", shop)[0]
    again = trained(tiny_bundle, tmp_path / "2", shop)[0]
    other = trained(tiny_bundle, tmp_path / "3", shop, dim=20)[0]
    assert first.fingerprint == again.fingerprint
    assert len({base.fingerprint, first.fingerprint, other.fingerprint}) == 3


def test_a_trained_bundle_is_trained_again_without_an_export(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First tuned, then fitted to other products alone, which keeps its head; then tuned again, then without a part."""
    monkeypatch.setattr(onnx_export, "_export_towers", lambda *_: pytest.fail("the towers were exported"))
    shop = plain_shop(tmp_path / "shop", 24, 8)
    tuned, tuned_encoder = trained(tiny_bundle, tmp_path / "1", shop, None)
    fitted, fitted_encoder = trained(tmp_path / "1" / "out", tmp_path / "2", shop, dim=30)
    assert fitted.dim == 16 + 30
    assert fitted.training["base_fingerprint"] == tuned.fingerprint
    pixels = tuned_encoder.preprocess([drawn(1), drawn(2)])
    assert np.allclose(
        fitted_encoder.run_pixels(pixels).embeddings, tuned_encoder.run_pixels(pixels).embeddings, atol=1e-5
    )
    assert fitted_encoder.head is not None
    # Before is the base as it is: with its head and its instance part.
    assert fitted.training["compared"]["before"] == pytest.approx(tuned.training["compared"]["after"], abs=1e-6)
    retuned, _ = trained(tmp_path / "2" / "out", tmp_path / "3", shop, None)
    assert (retuned.dim, retuned.training["base_fingerprint"]) == (16 + 128, fitted.fingerprint)
    plain, plain_encoder = trained(tmp_path / "3" / "out", tmp_path / "4", shop, None, dim=0)
    assert plain.dim == 16
    assert plain_encoder.run_pixels(pixels).instance is None


@pytest.mark.parametrize("dim", [100, 0])
@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
def test_a_bundle_of_each_release_is_trained_again(release: Path, tmp_path: Path, dim: int) -> None:
    """The graphs of the first one have no levels: they are exported anew."""
    kept = unpack(release / "bundle.tar.xz", tmp_path / "kept")
    info, encoder = trained(kept, tmp_path, plain_shop(tmp_path / "shop", 12, 4), None, dim=dim)
    assert (info.training["instance"]["dim"] > 0) == (dim > 0)
    images = [drawn(number) for number in range(4)]
    assert search(encoder, images[2], images).argmax() == 2


def test_the_base_may_have_a_tower_without_blocks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its features are the one level."""
    monkeypatch.delattr("open_clip.transformer.VisionTransformer.forward_intermediates")
    config = {
        "embed_dim": 16, "text_cfg": {**TEXT, "width": 32},
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "head_width": 32, "patch_size": 8},
    }  # fmt: skip
    model = write_folder(tmp_path / "odd", config)
    info, encoder = trained(model, tmp_path, plain_shop(tmp_path / "shop", 12))
    assert "does not give its blocks' outputs" in caplog.text
    assert info.level_widths == (64,)
    assert info.training["instance"]["dim"] == 64
    images = [drawn(number) for number in range(4)]
    assert search(encoder, images[2], images).argmax() == 2


@pytest.mark.parametrize("budget_s", [0, None])
def test_held_out_products_without_words_calibrate_nothing_and_break_nothing(
    tiny_bundle: Path, tmp_path: Path, budget_s: float | None
) -> None:
    shop = plain_shop(tmp_path / "shop", 12, 4)
    rows = [json.loads(line) for line in shop.read_text().splitlines()]
    for row in rows:
        if row["split"] == "validation":
            del row["title"], row["category"]
    shop.write_text("\n".join(map(json.dumps, rows)) + "\n")
    info, encoder = trained(tiny_bundle, tmp_path, shop, budget_s)
    assert info.training["validation_products"] >= 4
    assert (encoder.head is None) == (budget_s == 0)
