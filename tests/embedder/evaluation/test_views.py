"""What photos find: each kind by itself, trained and untrained kinds apart, in the table and in the JSON."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from embedder.catalogs.product import Product, ProductPicture
from embedder.encoder import Encoder, open_encoder
from embedder.errors import SettingsError
from embedder.evaluation.gallery import Gallery, Recall
from embedder.evaluation.measurement import Measured
from embedder.evaluation.run import EvalRequest, embed_products, evaluate
from embedder.evaluation.tables import views_table
from embedder.evaluation.views import MAX_QUERIES, ViewFigures, checked_kinds, measure_views, view_seed
from embedder.inputs.picture import PictureBytes, PicturePixels
from embedder.inputs.pixels import PixelReader
from embedder.inputs.street_views import KINDS, TRAINING_KINDS, UNSEEN_KINDS, street_view
from embedder.settings import EmbedderSettings
from tests.conftest import draw_product, run_module

FEW = ("darkened", "mirrored")


def request(catalog: Path, model: Path, kinds: tuple[str, ...], **fields: object) -> EvalRequest:
    return EvalRequest(
        **{
            "catalog": str(catalog), "columns": {}, "model": str(model), "image_size": None, "max_products": None,
            "gallery": 10_000, "view_kinds": kinds, **fields,
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def measured(drawn_catalog: Path, starter_bundle: Path) -> Measured:
    """The starter on the drawn catalog, all kinds."""
    return evaluate(request(drawn_catalog, starter_bundle, tuple(KINDS)), EmbedderSettings(threads=1))


@pytest.fixture(scope="module")
def encoder(tiny_bundle: Path) -> Encoder:
    return open_encoder(tiny_bundle, threads=1)


def drawn(count: int, further: int = 0) -> list[Product]:
    """Products that each have one main picture, and so many more."""
    shapes, colors = ("ellipse", "rectangle", "tall", "triangle"), ("red", "blue", "green", "black")
    return [
        Product(
            f"p{number}",
            "",
            tuple(
                ProductPicture(
                    PicturePixels(
                        np.asarray(draw_product(shapes[number % 4], colors[number // 4 % 4], 100 * number + view))
                    ),
                    f"{number}-{view}",
                )
                for view in range(1 + further)
            ),
        )
        for number in range(count)
    ]


def gallery_of(encoder: Encoder, products: list[Product]) -> Gallery:
    embedded = embed_products(encoder, products)
    gallery = Gallery.of_main_pictures(embedded.products, embedded.embeddings)
    further = [(place, picture) for place, product in enumerate(products) for picture in product.pictures[1:]]
    if not further:
        return gallery
    vectors = [PixelReader(encoder.preprocessing).read(picture.source).values for _, picture in further]
    return gallery.with_further([place for place, _ in further], encoder.embed_pixels(np.stack(vectors)))


def test_every_kind_is_measured_on_every_test_product_among_all_products(measured: Measured) -> None:
    views = measured.views
    assert views is not None
    assert list(views.kinds) == list(KINDS)
    assert views.products == views.pictures == measured.products == 160
    for recall in [*views.kinds.values(), views.unchanged]:
        assert recall.queries == measured.queries > 5
        assert 0 <= recall.at_1 <= recall.at_10 <= 1
    # The pictures themselves are in the gallery, no two alike.
    assert views.unchanged.at_1 == 1.0
    assert views.other_picture is None
    # Far from chance (10 of 160), and not all the same: ten products each are one shape in one colour.
    assert views.kinds["darkened"].at_10 > 0.3
    assert views.kinds["small_on_grey"].at_10 < views.kinds["mirrored"].at_10


def test_kinds_used_in_training_and_kinds_never_used_are_apart(measured: Measured) -> None:
    views, figures = measured.views, measured.to_figures()
    assert views is not None
    assert set(views.of_training(True)) == set(TRAINING_KINDS)
    assert set(views.of_training(False)) == set(UNSEEN_KINDS)
    for group, names in (("used_in_training", TRAINING_KINDS), ("never_used_in_training", UNSEEN_KINDS)):
        for k in (1, 10):
            expected = np.mean([figures[f"views.{name}.recall_at_{k}"] for name in names])
            assert figures[f"views.{group}.recall_at_{k}"] == pytest.approx(expected)
    console = Console(width=120, record=True, file=None, quiet=False)
    with console.capture() as captured:
        console.print(views_table(views))
    lines = [line for line in captured.get().splitlines() if "│" in line]
    labels = [line.split("│")[1].strip() for line in lines]
    assert labels == [
        *(KINDS[name].label for name in TRAINING_KINDS),
        f"mean of {len(TRAINING_KINDS)} used in training",
        *(KINDS[name].label for name in UNSEEN_KINDS),
        f"mean of {len(UNSEEN_KINDS)} never used in training",
        "unchanged",
    ]
    (line,) = [line for line in lines if "blurred" in line]
    recall = views.kinds["blurred"]
    assert re.findall(r"[\d.]+", line) == [f"{recall.at_1:.4f}", f"{recall.at_10:.4f}", str(recall.queries)]


def test_titles_are_searched_among_all_products(measured: Measured) -> None:
    """The drawn catalog has 16 titles, each of ten products, so that the whole gallery holds more of each."""
    figures = measured.figures
    assert 0 < figures["title_to_product_recall_at_1"] <= figures["title_to_product_recall_at_10"] <= 1


def test_a_measurement_is_what_searching_with_each_view_by_itself_gives(encoder: Encoder) -> None:
    """Also that a product's views do not depend on the others, on the order, or on how many threads there are."""
    products = drawn(14)
    gallery = gallery_of(encoder, products)
    reader = PixelReader(encoder.preprocessing)
    places = [9, 2, 5, 7, 11]
    views = measure_views(encoder, gallery, places, FEW, seed=4, reader=reader, decode_threads=3)
    assert views is not None
    for kind in FEW:
        ranks = []
        for place in places:
            image = reader.decode(products[place].pictures[0].source).image
            view = street_view(image, kind, view_seed(4, products[place].id))
            (query,) = encoder.encode_images([view])
            scores = gallery.vectors @ query
            ranks.append(int((scores > scores[place]).sum()))
        assert views.kinds[kind].at_1 == pytest.approx(np.mean([rank < 1 for rank in ranks]))
        assert views.kinds[kind].at_10 == pytest.approx(np.mean([rank < 10 for rank in ranks]))


def test_each_products_chances_are_kept_and_the_figures_are_their_means(measured: Measured) -> None:
    views = measured.views
    assert views is not None
    assert set(views.by_product) == {outcome.product_id for outcome in measured.outcomes}
    for place, recall in enumerate(views.kinds.values()):
        at_1, at_10 = zip(*(of_kinds[place] for of_kinds in views.by_product.values()), strict=True)
        assert (recall.at_1, recall.at_10) == pytest.approx((np.mean(at_1), np.mean(at_10)))


def test_another_seed_draws_other_views(encoder: Encoder) -> None:
    assert view_seed(0, "p1") != view_seed(1, "p1") != view_seed(1, "p2")
    image = draw_product("ellipse", "red", 3)
    first, second = (street_view(image, "street", view_seed(seed, "p1")).tobytes() for seed in (0, 1))
    assert first != second


def test_other_pictures_of_a_product_count_as_the_product_and_are_queries_themselves(encoder: Encoder) -> None:
    products = drawn(12, further=2)
    gallery = gallery_of(encoder, products)
    reader = PixelReader(encoder.preprocessing)
    views = measure_views(encoder, gallery, [0, 4, 8], FEW, seed=0, reader=reader)
    assert views is not None
    assert (views.products, views.pictures) == (12, 36)
    assert views.other_picture is not None
    assert views.other_picture.queries == 6
    main = embed_products(encoder, products).embeddings
    found = []
    for place in (0, 4, 8):
        for picture in products[place].pictures[1:]:
            query = encoder.embed_pixels(reader.read(picture.source).values[None])[0]
            found.append(int((main @ query).argmax()) == place)
    assert views.other_picture.at_1 == pytest.approx(np.mean(found))
    figures = views.to_figures()
    assert figures["views.other_picture.queries"] == 6
    assert figures["views.other_picture.recall_at_1"] == views.other_picture.at_1


def test_where_an_other_picture_is_nearest_the_product_is_found(encoder: Encoder) -> None:
    """Product 0's main picture is product 1's too; a second one makes a difference to photos of that one only."""
    one, other = drawn(2)
    twin = Product("twin", "", one.pictures)
    both = Product(one.id, "", (other.pictures[0], one.pictures[0]))
    reader = PixelReader(encoder.preprocessing)
    alone = measure_views(encoder, gallery_of(encoder, [one, twin]), [0], ("mirrored",), seed=0, reader=reader)
    assert alone is not None
    assert alone.kinds["mirrored"].at_1 == pytest.approx(0.5)
    several = measure_views(encoder, gallery_of(encoder, [both, twin]), [0], ("mirrored",), seed=0, reader=reader)
    assert several is not None
    assert several.kinds["mirrored"].at_1 == 1.0


def test_a_picture_that_cannot_be_read_any_more_is_left_out(encoder: Encoder) -> None:
    products = drawn(4)
    gallery = gallery_of(encoder, products)
    gone = Product("gone", "", (ProductPicture(PictureBytes(b"no picture")),))
    gallery = Gallery.of_main_pictures([gone, *products[1:]], gallery.vectors)
    reader = PixelReader(encoder.preprocessing)
    done: list[int] = []
    views = measure_views(encoder, gallery, [0, 1], FEW, seed=0, reader=reader, on_progress=done.append)
    assert views is not None
    assert views.kinds["darkened"].queries == 1
    assert sum(done) == 2
    assert measure_views(encoder, gallery, [0], FEW, seed=0, reader=reader) is None
    assert measure_views(encoder, gallery, [], FEW, seed=0, reader=reader) is None


def test_groups_without_a_measured_kind_are_absent() -> None:
    recall = Recall(0.5, 0.75, 4)
    views = ViewFigures({"jpeg": recall}, recall, None, 9, 11)
    assert views.to_figures() == {
        "views.jpeg.recall_at_1": 0.5,
        "views.jpeg.recall_at_10": 0.75,
        "views.never_used_in_training.recall_at_1": 0.5,
        "views.never_used_in_training.recall_at_10": 0.75,
        "views.unchanged.recall_at_1": 0.5,
        "views.unchanged.recall_at_10": 0.75,
        "views.queries": 4,
        "views.gallery_products": 9,
        "views.gallery_pictures": 11,
    }
    assert views_table(views).row_count == 3


def test_kinds_are_checked_by_name() -> None:
    assert checked_kinds([]) == tuple(KINDS)
    assert checked_kinds(["mirrored", "darkened", "mirrored"]) == ("darkened", "mirrored")
    with pytest.raises(
        SettingsError, match="view kind 'darkend'; the nearest known name is darkened; permitted: blurred"
    ):
        checked_kinds(["mirrored", "darkend"])
    assert MAX_QUERIES >= 500


def write_catalog(folder: Path, splits: list[str]) -> Path:
    """A CSV with a product for each split."""
    folder.mkdir()
    with (folder / "catalog.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "title", "image", "split"])
        for number, split in enumerate(splits):
            draw_product("ellipse", "red", number, 64).save(folder / f"{number}.png")
            writer.writerow([number, f"thing {number}", f"{number}.png", split])
    return folder / "catalog.csv"


def test_a_catalog_of_one_product(tmp_path: Path, tiny_bundle: Path) -> None:
    catalog = write_catalog(tmp_path / "one", ["test"])
    measured = evaluate(request(catalog, tiny_bundle, FEW), EmbedderSettings(threads=1))
    assert measured.views is not None
    assert (measured.queries, measured.gallery, measured.products) == (1, 0, 1)
    assert measured.views.kinds["darkened"].at_1 == 1.0
    assert measured.figures["title_to_product_recall_at_1"] == 1.0


def test_the_gallery_holds_all_products_up_to_the_limit(tmp_path: Path, tiny_bundle: Path) -> None:
    """Training products first; then the validation products, and the test products that were not asked for."""
    catalog = write_catalog(tmp_path / "some", ["test"] * 5 + ["train"] * 6 + ["validation"] * 3)
    settings = EmbedderSettings(threads=1)
    for limit, queries, gallery, products in ((100, 5, 6, 14), (8, 5, 6, 13), (4, 5, 4, 9), (100, 2, 6, 14)):
        measured = evaluate(request(catalog, tiny_bundle, (), gallery=limit, max_products=queries), settings)
        assert (measured.queries, measured.gallery, measured.products) == (queries, gallery, products)
        assert measured.views is None


def test_the_command_prints_and_writes_what_photos_find(drawn_catalog: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    done = run_module(
        "embedder", "eval", "--catalog", str(drawn_catalog), "--model", str(tiny_bundle), "--json", str(out),
        "--view-kind", "jpeg", "--view-kind", "rotated", "--cache-dir", str(tmp_path), "--max-products", "10",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    figures = json.loads(out.read_text())
    assert "photos of 10 test products, searched among 160 products with 160 pictures" in done.stdout
    assert "mean of 1 used in training" in done.stdout
    assert "mean of 1 never used in training" in done.stdout
    for kind in ("jpeg", "rotated"):
        shown = rf"{re.escape(KINDS[kind].label)}\W+{figures[f'views.{kind}.recall_at_1']:.4f}"
        assert re.search(shown, done.stdout)
    assert figures["views.gallery_products"] == 160
    assert "title_to_product_recall_at_1" in figures


def test_an_unknown_kind_is_refused_before_anything_is_loaded(drawn_catalog: Path) -> None:
    done = run_module("embedder", "eval", "--catalog", str(drawn_catalog), "--view-kind", "fog")
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert line == f"error: view kind 'fog'; permitted: {', '.join(sorted(KINDS))}"
    assert "Traceback" not in done.stderr


def test_a_kind_that_the_models_training_showed_is_not_called_never_used() -> None:
    recall = Recall(0.5, 0.75, 4)
    views = ViewFigures({"jpeg": recall, "blurred": recall}, recall, None, 9, 11, frozenset({"jpeg"}))
    assert set(views.of_training(True)) == {"jpeg"}
    assert set(views.of_training(False)) == {"blurred"}
