"""Features are computed once for each model and picture; an interrupted run goes on where it stopped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embedder.catalogs.loading import load_catalog
from embedder.catalogs.product import Product, ProductPicture
from embedder.catalogs.registry import open_catalog
from embedder.encoder import Encoder, open_encoder
from embedder.inputs import picture as picture_module
from embedder.inputs.picture import DrawnPicture, PictureBytes, PictureFile, PictureLimits
from embedder.inputs.street_views import training_view
from embedder.training.pictures import feature_cache
from embedder.training.pictures import features as features_module
from embedder.training.pictures.features import Features, Pace, compute_features, join_features
from embedder.training.pictures.shots import Shot, main_pictures
from tests.conftest import draw_product
from tests.embedder.conftest import encoded


class CountingEncoder(Encoder):
    """Counts the pictures that it embeds."""

    embedded = 0

    def run_pixels(self, pixels):
        self.embedded += len(pixels)
        return super().run_pixels(pixels)


@pytest.fixture
def encoder(tiny_bundle: Path) -> CountingEncoder:
    opened = open_encoder(tiny_bundle, device="cpu")
    return CountingEncoder(opened.info, opened._runtime, opened._tokenizer, None)


@pytest.fixture
def products(drawn_catalog: Path) -> list[Product]:
    return list(load_catalog(open_catalog(str(drawn_catalog))).products)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features_module, "CHUNK", 40)


def test_features_are_those_of_each_picture(encoder: CountingEncoder, products: list[Product], tmp_path: Path) -> None:
    found = compute_features(encoder, main_pictures(products), tmp_path)
    assert [product.id for product in found.products] == [product.id for product in products]
    pixels = encoder.preprocess([encoder.decode(product.pictures[0].source)[0] for product in products])
    assert np.allclose(found.values, encoder.pixel_features(pixels), atol=1e-5)
    assert found.rejected == ()


def test_the_second_time_nothing_is_embedded(encoder: CountingEncoder, products: list[Product], tmp_path: Path) -> None:
    first = compute_features(encoder, main_pictures(products), tmp_path)
    encoder.embedded = 0
    second = compute_features(encoder, main_pictures(products), tmp_path)
    assert encoder.embedded == 0
    assert np.array_equal(first.values, second.values)


def test_the_pace_is_that_of_what_is_computed(
    encoder: CountingEncoder, products: list[Product], tmp_path: Path
) -> None:
    pace = Pace()
    assert pace.each_s is None
    compute_features(encoder, main_pictures(products), tmp_path, pace=pace)
    assert pace.pictures == len(products)
    assert pace.each_s == pytest.approx(pace.seconds / len(products))
    again = Pace()
    compute_features(encoder, main_pictures(products), tmp_path, pace=again)
    assert (again.pictures, again.each_s) == (0, None)


def test_levels_of_another_release_are_not_taken_for_these(
    encoder: CountingEncoder, products: list[Product], tmp_path: Path
) -> None:
    """The same tower, the same pictures; only which of its levels are taken has changed."""
    compute_features(encoder, main_pictures(products), tmp_path, with_levels=True)
    encoder.embedded = 0
    compute_features(encoder, main_pictures(products), tmp_path, with_levels=True)
    assert encoder.embedded == 0
    encoder.info = replace(encoder.info, level_widths=(32, *encoder.info.level_widths))
    compute_features(encoder, main_pictures(products), tmp_path, with_levels=True)
    assert encoder.embedded == len(products)


def test_drawn_pictures_are_found_again_without_drawing_them(encoder: CountingEncoder, tmp_path: Path) -> None:
    drawn: list[int] = []

    def product(number: int, drawing: str) -> Product:
        def draw() -> np.ndarray:
            drawn.append(number)
            return np.full((32, 32), number, dtype=np.uint8)

        return Product(str(number), "", (ProductPicture(DrawnPicture(draw, f"{drawing} {number}")),))

    first = compute_features(encoder, main_pictures([product(n, "one") for n in range(50)]), tmp_path)
    assert sorted(drawn) == list(range(50))
    drawn.clear()
    second = compute_features(encoder, main_pictures([product(n, "one") for n in range(50)]), tmp_path)
    assert drawn == []
    assert np.array_equal(first.values, second.values)
    compute_features(encoder, main_pictures([product(n, "another") for n in range(50)]), tmp_path)
    assert sorted(drawn) == list(range(50))


def test_what_was_done_before_an_interruption_is_kept(
    encoder: CountingEncoder, products: list[Product], tmp_path: Path
) -> None:
    def stop(done: int) -> None:
        if encoder.embedded >= 80:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compute_features(encoder, main_pictures(products), tmp_path, on_progress=stop)
    encoder.embedded = 0
    compute_features(encoder, main_pictures(products), tmp_path)
    assert encoder.embedded == len(products) - 80


def test_a_changed_picture_is_embedded_anew(encoder: CountingEncoder, products: list[Product], tmp_path: Path) -> None:
    compute_features(encoder, main_pictures(products), tmp_path)
    encoder.embedded = 0
    other = Product("other", "", (ProductPicture(PictureBytes(encoded(draw_product("ellipse", "red", 777)))),))
    found = compute_features(encoder, main_pictures([other, *products[1:]]), tmp_path)
    assert encoder.embedded == 40
    pixels = encoder.preprocess([encoder.decode(other.pictures[0].source)[0]])
    assert np.allclose(found.values[0], encoder.pixel_features(pixels)[0], atol=1e-5)


@pytest.mark.parametrize("damage", [b"", b"rubbish", None])
def test_a_damaged_chunk_is_computed_anew(
    encoder: CountingEncoder, products: list[Product], tmp_path: Path, damage: bytes | None
) -> None:
    first = compute_features(encoder, main_pictures(products), tmp_path)
    chunk = next((tmp_path / "features").rglob("*.npz"))
    chunk.write_bytes(chunk.read_bytes()[:-50] if damage is None else damage)
    encoder.embedded = 0
    assert np.array_equal(first.values, compute_features(encoder, main_pictures(products), tmp_path).values)
    assert encoder.embedded == 40


def test_another_model_never_meets_these_features(
    encoder: CountingEncoder, products: list[Product], tmp_path: Path, trained_bundle: Path
) -> None:
    first = compute_features(encoder, main_pictures(products[:40]), tmp_path)
    other = compute_features(open_encoder(trained_bundle, device="cpu"), main_pictures(products[:40]), tmp_path)
    assert first.values.shape[1] != other.values.shape[1]


def test_unreadable_pictures_are_rejected_by_name_also_from_the_cache(
    encoder: CountingEncoder, products: list[Product], tmp_path: Path
) -> None:
    bad = [
        Product("missing", "", (ProductPicture(PictureFile(tmp_path / "nowhere.png")),), line=5),
        Product(
            "broken", "", (ProductPicture(PictureBytes(encoded(draw_product("ellipse", "red", 0))[:200])),), line=6
        ),
        Product("empty", "", (ProductPicture(PictureBytes(b"")),), line=7),
    ]
    mixed = [*products[:3], *bad, *products[3:6]]
    for _ in range(2):
        found = compute_features(encoder, main_pictures(mixed), tmp_path)
        assert [product.id for product in found.products] == [product.id for product in products[:6]]
        assert {(row.product_id, row.line, row.reason) for row in found.rejected} == {
            ("missing", 5, "IMAGE_MISSING"),
            ("broken", 6, "IMAGE_UNREADABLE"),
            ("empty", 7, "IMAGE_EMPTY"),
        }
        assert len(found.values) == 6


def test_a_budget_ends_it_at_a_whole_chunk(encoder: CountingEncoder, products: list[Product], tmp_path: Path) -> None:
    found = compute_features(encoder, main_pictures(products), tmp_path, budget_s=0.0)
    assert [product.id for product in found.products] == [product.id for product in products[:40]]


def test_no_products_no_features(encoder: CountingEncoder, tmp_path: Path) -> None:
    found = compute_features(encoder, main_pictures([]), tmp_path)
    assert len(found.products) == len(found.values) == 0


def test_only_unreadable_pictures(encoder: CountingEncoder, tmp_path: Path) -> None:
    found = compute_features(encoder, [Shot(Product("p", "", (ProductPicture(PictureBytes(b"?")),)))], tmp_path)
    assert (len(found.values), [row.reason for row in found.rejected]) == (0, ["IMAGE_UNREADABLE"])


def test_what_is_readable_follows_the_limits_not_the_cache(
    encoder: CountingEncoder, products: list[Product], tmp_path: Path
) -> None:
    large = Product("large", "", (ProductPicture(PictureBytes(encoded(draw_product("ellipse", "red", 1, side=200)))),))
    mixed = [large, *products[:3]]
    strict = PictureLimits(max_pixels=100 * 100)
    for limits, expected in ((strict, 3), (PictureLimits(), 4), (strict, 3)):
        found = compute_features(encoder, main_pictures(mixed), tmp_path, limits=limits)
        assert len(found.products) == len(found.values) == expected
        assert [row.reason for row in found.rejected] == ["IMAGE_TOO_MANY_PIXELS"] * (4 - expected)


def test_a_picture_that_a_stored_chunk_calls_unreadable_is_read_again(
    encoder: CountingEncoder, products: list[Product], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when another release of the decoder reads what the one before it refused."""
    with monkeypatch.context() as older:
        older.setattr(picture_module, "FORMATS", ("JPEG",))
        assert len(compute_features(encoder, main_pictures(products)[:5], tmp_path).products) == 0
    assert len(compute_features(encoder, main_pictures(products)[:5], tmp_path).products) == 5


def test_a_picture_replaced_between_look_up_and_decoding_is_stored_under_its_own_bytes(
    encoder: CountingEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "p.png"
    product = Product("p", "", (ProductPicture(PictureFile(path)),))
    old, new = (encoded(draw_product("ellipse", color, 1)) for color in ("red", "blue"))
    path.write_bytes(old)
    look_up = feature_cache.ChunkCache.look_up

    def replaced_after(self, chunk):
        found = look_up(self, chunk)
        path.write_bytes(new)
        return found

    with monkeypatch.context() as racing:
        racing.setattr(feature_cache.ChunkCache, "look_up", replaced_after)
        of_new = compute_features(encoder, [Shot(product)], tmp_path / "cache").values
    path.write_bytes(old)
    of_old = compute_features(encoder, [Shot(product)], tmp_path / "cache").values
    assert not np.allclose(of_old, of_new)
    assert np.array_equal(of_old, compute_features(encoder, [Shot(product)], tmp_path / "other").values)


def test_a_view_is_of_the_picture_as_it_is_decoded(
    encoder: CountingEncoder, products: list[Product], tmp_path: Path
) -> None:
    shots = [Shot(products[0], 0, 5), Shot(products[0]), Shot(products[0], 0, 6)]
    found = compute_features(encoder, shots, tmp_path)
    assert [shot.view for shot in found.shots] == [5, None, 6]
    image = encoder.decode(products[0].pictures[0].source)[0]
    expected = encoder.pixel_features(encoder.preprocess([training_view(image, 5), image, training_view(image, 6)]))
    assert np.allclose(found.values, expected, atol=1e-4)


def test_views_and_further_pictures_have_entries_of_their_own_in_the_cache(
    encoder: CountingEncoder, products: list[Product], tmp_path: Path
) -> None:
    pictures = tuple(product.pictures[0] for product in products[:2])
    product = Product("two", "", pictures)
    seen: list[np.ndarray] = []
    for shot in (Shot(product), Shot(product, 1), Shot(product, 0, 1), Shot(product, 0, 2), Shot(product, 1, 1)):
        encoder.embedded = 0
        seen.append(compute_features(encoder, [shot], tmp_path).values[0])
        assert encoder.embedded == 1
        again = compute_features(encoder, [shot], tmp_path)
        assert encoder.embedded == 1
        assert np.array_equal(again.values[0], seen[-1])
    assert len({row.tobytes() for row in seen}) == len(seen)


def test_levels_that_are_asked_for_later_are_computed_and_kept_in_half_precision(
    encoder: CountingEncoder, products: list[Product], tmp_path: Path
) -> None:
    shots = main_pictures(products[:5])
    assert compute_features(encoder, shots, tmp_path).levels is None
    for embedded in (5, 0):
        encoder.embedded = 0
        found = compute_features(encoder, shots, tmp_path, with_levels=True)
        assert encoder.embedded == embedded
        assert found.levels is not None
        assert found.levels.dtype == np.float16
        pixels = encoder.preprocess([encoder.decode(product.pictures[0].source)[0] for product in products[:5]])
        expected = encoder.run_pixels(pixels).levels
        assert expected is not None
        assert np.allclose(found.levels, expected, rtol=2e-3, atol=2e-3)
    assert compute_features(encoder, shots, tmp_path).levels is None


def test_a_further_picture_that_cannot_be_read_is_named(encoder: CountingEncoder, tmp_path: Path) -> None:
    """A rejection without a picture's name is of the whole product, so one without a name gets its number."""
    good = ProductPicture(PictureBytes(encoded(draw_product("ellipse", "red", 0))), "main.png")
    bad = PictureBytes(b"?")
    product = Product("p", "", (good, ProductPicture(bad, "back.png"), ProductPicture(bad)))
    for _ in range(2):
        found = compute_features(encoder, [Shot(product), Shot(product, 1), Shot(product, 2)], tmp_path)
        assert [shot.picture for shot in found.shots] == [0]
        assert [(item.product_id, item.picture) for item in found.rejected] == [("p", "back.png"), ("p", "picture 3")]
    main = Product("q", "", (ProductPicture(bad, "main.png"),))
    assert [item.picture for item in compute_features(encoder, [Shot(main)], tmp_path).rejected] == [""]


def test_features_join_in_order_and_levels_stay_where_all_have_them(products: list[Product]) -> None:
    def of(number: int, n: int, with_levels: bool) -> Features:
        shots = tuple(Shot(products[number]) for _ in range(n))
        levels = np.full((n, 3), number, np.float16) if with_levels else None
        return Features(shots, np.full((n, 2), number, np.float32), (), levels)

    empty = Features((), np.empty((0, 0), np.float32), ())
    joined = join_features([of(1, 2, True), empty, of(2, 1, True)])
    assert joined.values.tolist() == [[1, 1], [1, 1], [2, 2]]
    assert joined.levels is not None
    assert joined.levels[:, 0].tolist() == [1, 1, 2]
    assert join_features([of(1, 2, True), of(2, 1, False)]).levels is None
    assert join_features([empty, empty]).values.shape == (0, 0)
