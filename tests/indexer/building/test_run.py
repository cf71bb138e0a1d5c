"""A build indexes what can be indexed, reports the rest, and changes nothing that is live until it is complete."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from qdrant_client import QdrantClient

from embedder.catalogs.product import Product, Rejection
from embedder.catalogs.registry import open_catalog
from embedder.encoder import Encoder, open_encoder
from indexer.building import decoding, quality_inspection
from indexer.building.cached_encoder import CachedEncoder
from indexer.building.decoding import AHEAD
from indexer.building.run import BuildResult, build
from indexer.building.summary import to_dict, to_text
from indexer.caches.embedding_cache import EmbeddingCache
from indexer.errors import BuildError, StoreUnavailable
from indexer.filters.schema import FieldType
from indexer.settings import IndexerSettings
from indexer.stores.edge.store import EdgeStore
from indexer.stores.protocol import Batch
from indexer.stores.qdrant.store import QdrantStore
from indexer.versions.manifest import new_version_name
from tests.conftest import draw_product, write_drawn_catalog
from tests.indexer.conftest import search
from tests.indexer.stores.qdrant.troubled_client import TroubledClient


@pytest.fixture(scope="module")
def encoder(trained_bundle: Path) -> Encoder:
    return open_encoder(trained_bundle, device="cpu")


@pytest.fixture(scope="module")
def small_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 products."""
    return write_drawn_catalog(tmp_path_factory.mktemp("small"), 48, side=48)


@pytest.fixture
def store(tmp_path: Path) -> EdgeStore:
    return EdgeStore(tmp_path / "index")


def run(shop: Path, encoder: Encoder, store, rejects: Path, **options) -> BuildResult:
    given = {"batch_size": 16, "match_views": 0, "cache_dir": rejects.parent / "cache", **options.pop("settings", {})}
    settings = IndexerSettings(**given)
    return build(open_catalog(str(shop)), encoder, store, settings, rejects, **options)


def messy_catalog(folder: Path) -> tuple[Path, dict[int, str]]:
    """A CSV in which most things are wrong that can be; line to reason of what must be rejected."""
    folder.mkdir()
    draw_product("ellipse", "red", 0).save(folder / "good.png")
    whole = (folder / "good.png").read_bytes()
    (folder / "truncated.png").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("not a picture at all")
    rows = [
        ("good-1", "Ball", "toys/ball", "5", "good.png", None),
        ("", "No id", "toys/ball", "5", "good.png", "ID_MISSING"),
        ("good-1", "Twice", "toys/ball", "5", "good.png", "ID_DUPLICATE"),
        ("x" * 513, "Long id", "toys/ball", "5", "good.png", "ID_TOO_LONG"),
        ("missing", "Ball", "toys/ball", "5", "nowhere.png", "IMAGE_MISSING"),
        ("truncated", "Ball", "toys/ball", "5", "truncated.png", "IMAGE_UNREADABLE"),
        ("empty", "Ball", "toys/ball", "5", "empty.png", "IMAGE_EMPTY"),
        ("text", "Ball", "toys/ball", "5", "text.jpg", "IMAGE_UNREADABLE"),
        ("folder", "Ball", "toys/ball", "5", ".", "IMAGE_MISSING"),
        ("no-picture", "Ball", "toys/ball", "5", "", "PICTURE_COLUMN_EMPTY"),
        ("price", "Ball", "toys/ball", "minus five", "good.png", "PRICE_INVALID"),
        ("category", "Ball", "toys//ball", "5", "good.png", "CATEGORY_INVALID"),
        ("good-2", "", "", "", "good.png", None),
        ("good-3", "Größe 靴", "toys/ball", "0", "good.png", None),
    ]
    path = folder / "catalog.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "title", "category", "price", "image"])
        writer.writerows(row[:-1] for row in rows)
    return path, {line: row[-1] for line, row in enumerate(rows, 2) if row[-1] is not None}


class TestAMessyCatalog:
    @pytest.fixture
    def built(self, encoder: Encoder, store: EdgeStore, tmp_path: Path) -> tuple[BuildResult, dict[int, str]]:
        catalog, expected = messy_catalog(tmp_path / "shop")
        result = run(catalog, encoder, store, tmp_path / "rejects.jsonl", settings={"max_reject_share": 0.9})
        return result, expected

    def test_every_bad_row_is_told_with_line_and_reason(self, built) -> None:
        result, expected = built
        rows = [json.loads(line) for line in result.rejects.read_text(encoding="utf-8").splitlines()]
        assert {row["line"]: row["reason"] for row in rows} == expected
        assert all(row["detail"] for row in rows)

    def test_the_rest_is_live(self, built, store: EdgeStore) -> None:
        reader = store.open()
        assert {name for name in ("good-1", "good-2", "good-3", "price", "truncated") if reader.fetch(name)} == {
            "good-1",
            "good-2",
            "good-3",
        }
        assert reader.fetch("good-3").payload["title"] == "Größe 靴"
        reader.close()

    def test_the_figures_add_up(self, built) -> None:
        result, expected = built
        assert (result.manifest.products, result.manifest.rejected) == (3, len(expected))
        assert sum(result.reasons.values()) == len(expected)
        assert to_dict(result)["products"] == 3


def test_a_manifest_says_what_was_built(
    small_catalog: Path, encoder: Encoder, store: EdgeStore, tmp_path: Path
) -> None:
    result = run(small_catalog, encoder, store, tmp_path / "rejects.jsonl", catalog="spring")
    manifest = store.open(result.manifest.version).manifest
    assert manifest == result.manifest
    assert (manifest.state, manifest.products, manifest.rejected, manifest.catalog) == ("ready", 48, 0, "spring")
    assert (manifest.model_fingerprint, manifest.dim) == (encoder.info.fingerprint, encoder.dim)
    assert manifest.categories == {"boxes/box": 12, "boxes/tall box": 12, "signs/triangle": 12, "toys/ball": 12}
    assert manifest.schema.attributes == {"color": FieldType.KEYWORD}
    assert store.live_version() == manifest.version


def test_the_index_holds_the_encoders_embeddings(
    small_catalog: Path, encoder: Encoder, store: EdgeStore, tmp_path: Path
) -> None:
    run(small_catalog, encoder, store, tmp_path / "rejects.jsonl")
    reader = store.open()
    for product in open_catalog(str(small_catalog)).read():
        assert isinstance(product, Product)
        (expected,) = encoder.encode_images([encoder.decode(product.pictures[0].source)[0]])
        stored = reader.fetch(product.id)
        assert stored is not None
        assert float(stored.vectors[0] @ expected) >= 0.9999
    reader.close()


def test_the_same_catalog_has_the_same_hash(
    small_catalog: Path, encoder: Encoder, store: EdgeStore, tmp_path: Path
) -> None:
    first = run(small_catalog, encoder, store, tmp_path / "r").manifest
    again = run(small_catalog, encoder, store, tmp_path / "r", settings={"batch_size": 5}).manifest
    part = run(small_catalog, encoder, store, tmp_path / "r", limit=47).manifest
    assert first.catalog_hash == again.catalog_hash != part.catalog_hash
    assert first.version < again.version < part.version


def test_how_categories_are_judged_is_fitted_and_comes_out_the_same_each_time(
    small_catalog: Path, encoder: Encoder, starter_bundle: Path, store: EdgeStore, tmp_path: Path
) -> None:
    starter = open_encoder(starter_bundle, device="cpu")
    # A second build into one store would take it over.
    stores = [EdgeStore(tmp_path / name) for name in ("one", "other")]
    first, again = (run(small_catalog, starter, each, tmp_path / "r").manifest.category_models for each in stores)
    assert set(first) == {"image", "text"}
    assert first == again
    assert set(first["image"].pool.weights) == {"neighbors", "names"}
    tuned = run(small_catalog, encoder, store, tmp_path / "r").manifest.category_models
    assert set(tuned["image"].pool.weights) == {"head", "neighbors", "names"}


def test_the_databases_key_is_not_in_the_manifest(
    small_catalog: Path, encoder: Encoder, store: EdgeStore, tmp_path: Path
) -> None:
    secret = {"qdrant_api_key": "very-secret"}
    manifest = run(small_catalog, encoder, store, tmp_path / "r", limit=4, settings=secret).manifest
    assert manifest.settings["batch_size"] == 16
    assert "api_key" not in manifest.to_json()
    assert "very-secret" not in manifest.to_json()


def test_as_many_rejects_as_are_permitted_go_live(encoder: Encoder, store: EdgeStore, tmp_path: Path) -> None:
    catalog = write_drawn_catalog(tmp_path / "shop", 4, side=32)
    for name in ("0000.png", "0002.png"):
        (catalog.parent / name).unlink()
    manifest = run(catalog, encoder, store, tmp_path / "r", settings={"max_reject_share": 0.5}).manifest
    assert (manifest.products, manifest.rejected, store.live_version()) == (2, 2, manifest.version)


def test_a_version_that_did_not_finish_is_not_counted_among_those_kept(
    small_catalog: Path, encoder: Encoder, tmp_path: Path
) -> None:
    """Another machine may be filling it: only a store on disk knows that its builder is dead."""
    client = QdrantClient(":memory:")
    store = QdrantStore(client, "qdrant://memory/shop", "shop")
    first = run(small_catalog, encoder, store, tmp_path / "r", limit=4).manifest
    begun = replace(first, version=new_version_name(), state="building", products=0)
    store.create(begun)
    second = run(small_catalog, encoder, store, tmp_path / "r", limit=4).manifest
    assert [manifest.version for manifest in store.versions()] == [first.version, begun.version, second.version]
    client.close()


def test_progress_counts_every_row(small_catalog: Path, encoder: Encoder, store: EdgeStore, tmp_path: Path) -> None:
    totals, done = [], []
    run(small_catalog, encoder, store, tmp_path / "r", on_rows=totals.append, on_progress=done.append)
    assert totals == [48]
    assert sum(done) == 48


def test_a_limit_is_of_products_from_the_catalogs_beginning(
    small_catalog: Path, encoder: Encoder, store: EdgeStore, tmp_path: Path
) -> None:
    assert run(small_catalog, encoder, store, tmp_path / "r", limit=7).manifest.products == 7
    reader = store.open()
    assert reader.fetch("p-0006") is not None
    assert reader.fetch("p-0007") is None
    reader.close()


@pytest.mark.parametrize(("keep", "left"), [(0, 1), (1, 2), (2, 3)])
def test_so_many_versions_are_kept_besides_the_live_one(
    small_catalog: Path, encoder: Encoder, store: EdgeStore, tmp_path: Path, keep: int, left: int
) -> None:
    made = [
        run(
            small_catalog, encoder, store, tmp_path / "r", limit=4, settings={"keep_versions": keep, "drop_after_s": 0}
        ).manifest.version
        for _ in range(4)
    ]
    assert [manifest.version for manifest in store.versions()] == made[-left:]
    assert store.live_version() == made[-1]


class TestWhatFails:
    """The live version stays, nothing half-done stays, the reason is reported."""

    @pytest.fixture
    def live(self, small_catalog: Path, encoder: Encoder, store: EdgeStore, tmp_path: Path) -> str:
        return run(small_catalog, encoder, store, tmp_path / "rejects.jsonl", limit=8).manifest.version

    @pytest.fixture(autouse=True)
    def _nothing_changed(self, live: str, store: EdgeStore) -> Iterator[None]:
        yield
        assert store.live_version() == live
        assert [manifest.version for manifest in store.versions()] == [live]
        reader = store.open()
        assert reader.count() == 8
        reader.close()

    def test_too_many_rejects(self, encoder: Encoder, store: EdgeStore, tmp_path: Path) -> None:
        catalog, expected = messy_catalog(tmp_path / "shop")
        with pytest.raises(BuildError, match=rf"{len(expected)} of 14 rows were rejected.*permitted: a share of 0\.5"):
            run(catalog, encoder, store, tmp_path / "rejects.jsonl")
        # They can be looked at all the same.
        assert len((tmp_path / "rejects.jsonl").read_text().splitlines()) == len(expected)

    def test_no_product_at_all(self, encoder: Encoder, store: EdgeStore, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("id,title,image\n,Boot,a.png\n")
        with pytest.raises(BuildError, match=r"no product of 1 rows could be indexed; ID_MISSING 1; next step"):
            run(tmp_path / "a.csv", encoder, store, tmp_path / "r", settings={"max_reject_share": 1.0})

    def test_an_empty_catalog(self, encoder: Encoder, store: EdgeStore, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("id,title,image\n")
        with pytest.raises(BuildError, match=r"no rows at all"):
            run(tmp_path / "a.csv", encoder, store, tmp_path / "r")

    @pytest.mark.parametrize("when", ["upsert", "finish"])
    def test_a_store_that_fails(
        self, small_catalog: Path, encoder: Encoder, store: EdgeStore, tmp_path: Path, when: str
    ) -> None:
        with pytest.raises(StoreUnavailable, match=r"disk full"):
            run(small_catalog, encoder, Failing(store, when), tmp_path / "r")

    def test_an_encoder_that_fails(
        self, small_catalog: Path, encoder: Encoder, store: EdgeStore, tmp_path: Path
    ) -> None:
        class Broken(Encoder):
            def embed_pixels(self, pixels):
                raise RuntimeError("out of memory")

        broken = Broken(encoder.info, encoder._runtime, encoder._tokenizer, encoder.head)
        with pytest.raises(RuntimeError, match=r"out of memory"):
            run(small_catalog, broken, store, tmp_path / "r")

    def test_being_interrupted(self, small_catalog: Path, encoder: Encoder, store: EdgeStore, tmp_path: Path) -> None:
        def interrupt(done: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run(small_catalog, encoder, store, tmp_path / "r", on_progress=interrupt)


class Failing:
    """A store whose disk fills up."""

    def __init__(self, store: EdgeStore, when: str) -> None:
        self._store, self._when = store, when

    def __getattr__(self, name: str):
        return getattr(self._store, name)

    def create(self, manifest, expected_products=0):
        writer = self._store.create(manifest)

        def fail(*_: object) -> None:
            raise StoreUnavailable("disk full")

        setattr(writer, self._when, fail)
        return writer


class Slow(EdgeStore):
    """A store that takes nothing until it is told to."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked, self.go = threading.Event(), threading.Event()
        self.taken: list[Batch] = []

    def create(self, manifest, expected_products=0):
        writer = super().create(manifest, expected_products)
        write = writer.upsert

        def upsert(batch: Batch) -> None:
            self.asked.set()
            self.go.wait(60)
            self.taken.append(batch)
            write(batch)

        writer.upsert = upsert
        return writer


def test_a_store_that_is_behind_makes_the_reader_wait(encoder: Encoder, tmp_path: Path) -> None:
    """However large the catalog, no more than a few batches of it are in memory."""
    catalog = open_catalog(str(write_drawn_catalog(tmp_path / "shop", 8, side=32)))
    (one, *_) = catalog.read()
    read = [0]

    class Endless:
        name = "endless"

        def count(self) -> int:
            return 400

        def read(self) -> Iterator[Product | Rejection]:
            read[0] = 0
            for number in range(400):
                read[0] += 1
                yield replace(one, id=str(number))

    store, settings = (
        Slow(tmp_path / "index"),
        IndexerSettings(batch_size=4, match_views=0, cache_dir=tmp_path / "cache"),
    )
    thread = threading.Thread(target=build, args=(Endless(), encoder, store, settings, tmp_path / "r"))
    thread.start()
    assert store.asked.wait(60)
    seen = -1
    # It has come to rest when it has read no further for a while.
    while seen != read[0]:
        seen = read[0]
        store.go.wait(1.0)
    assert seen <= 4 * (2 * AHEAD + 4)
    store.go.set()
    thread.join(60)
    assert sum(len(batch.product_ids) for batch in store.taken) == 400
    assert np.concatenate([batch.vectors for batch in store.taken]).shape == (400, encoder.dim)


class Counting(Encoder):
    """Counts the pictures that go through its tower."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(
            encoder.info, encoder._runtime, encoder._tokenizer, encoder.head, encoder.space, encoder.seen
        )  # fmt: skip
        self.pictures = 0

    def embed_pixels(self, pixels: np.ndarray) -> np.ndarray:
        self.pictures += len(pixels)
        return super().embed_pixels(pixels)


class TestWhatIsKnown:
    """What did not change is never embedded twice, and what changed always is."""

    def vectors(self, result: BuildResult, store: EdgeStore) -> dict[str, np.ndarray]:
        reader = store.open()
        found = {f"p-{number:04d}": reader.fetch(f"p-{number:04d}").direction for number in range(48)}
        reader.close()
        return found

    def test_a_second_build_embeds_nothing_and_is_the_same(
        self, small_catalog: Path, encoder: Encoder, store: EdgeStore, tmp_path: Path
    ) -> None:
        first = run(small_catalog, encoder, store, tmp_path / "r", settings={"match_views": 20})
        before = self.vectors(first, store)
        assert (first.pictures_embedded, first.further_embedded > 20) == (48, True)
        second = run(small_catalog, encoder, store, tmp_path / "r", settings={"match_views": 20})
        assert (second.pictures_embedded, second.further_embedded) == (0, 0)
        assert "48 of 48 pictures were known from earlier builds" in to_text(second, "x")
        after = self.vectors(second, store)
        assert all(np.array_equal(before[name], after[name]) for name in before)
        assert second.manifest.match_models == first.manifest.match_models
        assert second.manifest.category_models == first.manifest.category_models

    @pytest.mark.parametrize("cache_mb", [0, 64])
    def test_a_picture_that_many_products_share_is_embedded_once(
        self, encoder: Encoder, store: EdgeStore, tmp_path: Path, cache_mb: int
    ) -> None:
        """Within one batch, and in batches that are decoded before the first of them is embedded."""
        catalog = write_drawn_catalog(tmp_path / "shop", 40, side=48)
        files = sorted(catalog.parent.glob("*.png"))
        for number, file in enumerate(files[3:]):
            file.write_bytes(files[number % 3].read_bytes())
        counting = Counting(encoder)
        off = {"embedding_cache_mb": cache_mb, "batch_size": 8, "shadow_queries": 0}
        result = run(catalog, counting, store, tmp_path / "r", settings=off)
        assert (result.manifest.products, result.pictures_embedded, counting.pictures) == (40, 3, 3)
        expected = encoder.encode_images([Image.open(file).convert("RGB") for file in files])
        with closing(store.open()) as reader:
            for number, vector in enumerate(expected):
                assert reader.fetch(f"p-{number:04d}").direction @ vector > 0.9999

    def test_a_picture_that_changed_is_embedded_anew_whatever_its_name(
        self, encoder: Encoder, store: EdgeStore, tmp_path: Path
    ) -> None:
        catalog = write_drawn_catalog(tmp_path / "shop", 48, side=48)
        before = self.vectors(run(catalog, encoder, store, tmp_path / "r"), store)
        files = sorted(catalog.parent.rglob("*.png")) if catalog.is_file() else sorted(catalog.rglob("*.png"))
        changed, other = files[5], files[6]
        changed.write_bytes(other.read_bytes())
        draw_product("triangle", "green", 9, side=48).save(other)
        again = run(catalog, encoder, store, tmp_path / "r")
        assert again.pictures_embedded == 1
        after = self.vectors(again, store)
        different = [name for name in before if not np.array_equal(before[name], after[name])]
        assert len(different) == 2

    def test_another_precision_or_no_cache_shares_nothing(
        self, small_catalog: Path, encoder: Encoder, store: EdgeStore, tmp_path: Path
    ) -> None:
        assert run(small_catalog, encoder, store, tmp_path / "r").pictures_embedded == 48
        off = run(small_catalog, encoder, store, tmp_path / "r", settings={"embedding_cache_mb": 0})
        assert off.pictures_embedded == 48
        said_fp16 = Encoder(
            encoder.info, encoder._runtime, encoder._tokenizer, encoder.head, encoder.space,
            precisions={"image": "fp16", "text": "fp32"},
        )  # fmt: skip
        assert CachedEncoder(said_fp16, EmbeddingCache(tmp_path, 0)).picture_key(b"x", 9) != CachedEncoder(
            encoder, EmbeddingCache(tmp_path, 0)
        ).picture_key(b"x", 9)


class TestSeveralPictures:
    """A product with several pictures is one product that each of them finds, on both engines."""

    @pytest.fixture(params=["edge", "qdrant"])
    def any_store(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[object]:
        if request.param == "edge":
            yield EdgeStore(tmp_path / "index")
            return
        client = QdrantClient(":memory:")
        yield QdrantStore(client, "qdrant://memory/shop", "shop")
        client.close()

    @pytest.fixture
    def shop(self, tmp_path: Path) -> Path:
        """Two products with two pictures each, one of the four broken, and one with one picture."""
        folder = tmp_path / "shop"
        folder.mkdir()
        for number, (shape, color) in enumerate(
            [("ellipse", "red"), ("triangle", "blue"), ("rectangle", "green"), ("tall", "black")]
        ):
            draw_product(shape, color, number, side=64).save(folder / f"{number}.png")
        (folder / "broken.png").write_bytes(b"not a picture")
        rows = [
            {"id": "a", "title": "red ball", "category": "toys", "images": ["0.png", "1.png"]},
            {"id": "b", "title": "green box", "category": "boxes", "images": ["2.png", "broken.png"]},
            {"id": "c", "title": "tall box", "category": "boxes", "images": ["3.png"]},
        ]
        path = folder / "shop.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    def test_each_picture_finds_its_product_once(self, shop: Path, encoder: Encoder, any_store, tmp_path: Path) -> None:
        result = run(shop, encoder, any_store, tmp_path / "rejects.jsonl")
        manifest = result.manifest
        assert (manifest.products, manifest.pictures, manifest.multivector) == (3, 4, True)
        assert (manifest.rejected, manifest.pictures_rejected) == (0, 1)
        reader = any_store.open()
        for name, product, place in (("0.png", "a", 0), ("1.png", "a", 1), ("2.png", "b", 0), ("3.png", "c", 0)):
            image = Image.open(shop.parent / name).convert("RGB")
            (query,) = encoder.encode_images([image])
            found = search(reader, query, 10)
            assert sorted(item.product_id for item in found) == ["a", "b", "c"]
            assert (found[0].product_id, found[0].picture) == (product, place)
            assert found[0].payload["pictures"][place] == name
            assert found[0].score == pytest.approx(1.0, abs=1e-3)
        reader.close()

    def test_a_picture_that_cannot_be_read_is_told_and_its_product_stays(
        self, shop: Path, encoder: Encoder, any_store, tmp_path: Path
    ) -> None:
        result = run(shop, encoder, any_store, tmp_path / "rejects.jsonl")
        (line,) = map(json.loads, (tmp_path / "rejects.jsonl").read_text().splitlines())
        assert (line["product_id"], line["picture"], line["reason"]) == ("b", "broken.png", "IMAGE_UNREADABLE")
        assert "0 rows and 1 single pictures: IMAGE_UNREADABLE 1" in to_text(result, "edge:somewhere")

    def test_a_catalog_of_one_picture_each_has_one_vector_each(
        self, small_catalog: Path, encoder: Encoder, any_store, tmp_path: Path
    ) -> None:
        manifest = run(small_catalog, encoder, any_store, tmp_path / "r", limit=5).manifest
        assert (manifest.products, manifest.pictures, manifest.multivector) == (5, 5, False)


def test_the_summary_shows_each_stage_and_the_one_that_was_waited_for(
    small_catalog: Path, encoder: Encoder, store: EdgeStore, tmp_path: Path
) -> None:
    result = run(small_catalog, encoder, store, tmp_path / "r")
    told = to_dict(result)
    assert list(told["stages"]) == ["read", "decode", "embed", "titles", "load"]
    assert all(stage["busy_s"] > 0 for stage in told["stages"].values())
    shares = {name: stage["share"] for name, stage in told["stages"].items()}
    assert shares[told["bottleneck"]] == max(shares.values())
    assert told["outline_s"] + told["seal_s"] < told["elapsed_s"]
    assert f"the others waited for {told['bottleneck']}" in to_text(result, store.url)


def test_what_titles_take_is_told_and_nothing_where_there_are_none(small_catalog, encoder, tmp_path) -> None:
    result = run(small_catalog, encoder, EdgeStore(tmp_path / "with"), tmp_path / "rejects.jsonl")
    embeddings = 48 * 4 * encoder.info.semantic_dim
    # Each of them has two words or three, of 8 bytes.
    assert embeddings + 48 * 8 <= result.title_bytes <= embeddings + 48 * 8 * 4
    assert "titles and their words: 0.1 MB on disk" in to_text(result, "x")
    without = {"index_titles": False, "index_words": False}
    result = run(small_catalog, encoder, EdgeStore(tmp_path / "without"), tmp_path / "rejects.jsonl", settings=without)
    assert result.title_bytes == 0
    assert "titles and their words" not in to_text(result, "x")


def test_a_graph_is_measured_with_what_is_not_in_the_index_and_the_summary_says_how_far_it_is_searched(
    small_catalog: Path, encoder: Encoder, tmp_path: Path
) -> None:
    store = QdrantStore(TroubledClient(has_graph=True), "qdrant://memory/shop", "shop")  # type: ignore[arg-type]
    result = run(small_catalog, encoder, store, tmp_path / "rejects.jsonl", settings={"match_views": 24})
    (live,) = store.versions()
    assert live.effort == result.manifest.effort
    assert {"pictures", "texts"} <= set(live.effort["image"].recall)
    assert "texts" in live.effort["title"].recall
    # What answers here is exact always.
    assert {effort.balanced for effort in live.effort.values()} == {16}
    assert "graph of image vectors: a search for 10 looks at 16 candidates" in to_text(result, store.url)
    assert to_dict(result)["effort"]["title"]["balanced"] == 16
    unmeasured = run(small_catalog, encoder, store, tmp_path / "rejects.jsonl", settings={"wanted_recall": 0})
    assert unmeasured.manifest.effort == {}
    store.close()


class TestWhatIsWrongWithACatalog:
    """A build marks what shows the same, and leaves a report that says what to look at."""

    @pytest.fixture(scope="class")
    @classmethod
    def flawed(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """48 drawn products, and five more: a link, a copy, a JPEG of one; one tiny, one unreadable."""
        catalog = write_drawn_catalog(tmp_path_factory.mktemp("flawed"), 48, side=96)
        folder = catalog.parent
        (folder / "link.png").symlink_to("0005.png")
        (folder / "copy.png").write_bytes((folder / "0005.png").read_bytes())
        with Image.open(folder / "0006.png") as image:
            image.save(folder / "encoded.jpg", quality=70)
        draw_product("ellipse", "red", 77, side=20).save(folder / "tiny.png")
        (folder / "broken.png").write_bytes(b"no picture")
        with catalog.open("a", newline="", encoding="utf-8") as file:
            for name in ("link.png", "copy.png", "encoded.jpg", "tiny.png", "broken.png"):
                csv.writer(file).writerow([name, "red ball", "toys/ball", "5", "yes", "red", name])
        return catalog

    def built(self, catalog: Path, encoder: Encoder, store: EdgeStore, tmp_path: Path, **options) -> BuildResult:
        options.setdefault("settings", {"match_views": 8})
        return run(catalog, encoder, store, tmp_path / "r", quality_folder=tmp_path / "quality", **options)

    def marks(self, store: EdgeStore, *names: str) -> list[str | None]:
        reader = store.open()
        found = [reader.fetch(name).payload.get("duplicate_set") for name in names]
        reader.close()
        return found

    def test_what_shows_the_same_bears_one_key_and_nothing_else_has_one(
        self, flawed: Path, encoder: Encoder, store: EdgeStore, tmp_path: Path
    ) -> None:
        result = self.built(flawed, encoder, store, tmp_path)
        assert self.marks(store, "p-0005", "link.png", "copy.png") == ["p-0005"] * 3
        assert self.marks(store, "p-0006", "encoded.jpg") == ["p-0006"] * 2
        others = [f"p-{number:04d}" for number in range(48) if number not in (5, 6)]
        assert set(self.marks(store, "tiny.png", *others)) == {None}
        assert to_dict(result)["duplicates"]["sets"] == 2
        assert "2 sets of products show the same picture, 3 products too many" in to_text(result, "x")

    def test_the_report_says_so_and_the_summary_names_it(
        self, flawed: Path, encoder: Encoder, store: EdgeStore, tmp_path: Path
    ) -> None:
        result = self.built(flawed, encoder, store, tmp_path)
        assert result.quality is not None
        assert result.quality.page == tmp_path / "quality" / "index.html"
        found = json.loads((tmp_path / "quality" / "quality.json").read_text(encoding="utf-8"))
        assert found["counts"] == dict(result.quality.counts) == to_dict(result)["quality"]["counts"]
        assert (found["version"], found["products"], found["unfound"]["asked"]) == (result.manifest.version, 52, 8)
        counted = {name: count for name, count in found["counts"].items() if count}
        assert counted.items() >= {
            "identical_sets": 1, "near_duplicate_sets": 1, "unreadable_pictures": 1, "tiny_pictures": 1
        }.items()  # fmt: skip
        page = result.quality.page.read_text(encoding="utf-8")
        assert "encoded.jpg" in page
        assert "data:image/jpeg" in page
        named = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counted.items())
        assert f"findings ({named})" in to_text(result, "x")

    def test_a_second_build_finds_the_same_and_decodes_nothing(
        self, flawed: Path, encoder: Encoder, store: EdgeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = self.built(flawed, encoder, store, tmp_path)
        before = json.loads((tmp_path / "quality" / "quality.json").read_text(encoding="utf-8"))

        def decode(*_: object) -> None:
            raise AssertionError("a picture was decoded")

        monkeypatch.setattr(decoding, "hash_image", decode)
        second = self.built(flawed, encoder, store, tmp_path)
        after = json.loads((tmp_path / "quality" / "quality.json").read_text(encoding="utf-8"))
        assert (second.pictures_embedded, second.duplicates) == (0, first.duplicates)
        assert {**before, "version": ""} == {**after, "version": ""}
        assert second.manifest.catalog_hash == first.manifest.catalog_hash

    @pytest.mark.parametrize("why", ["in the way", "another's", "a fault of ours"])
    def test_a_report_that_cannot_be_made_is_a_warning(
        self,
        why: str,
        small_catalog: Path,
        encoder: Encoder,
        store: EdgeStore,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        if why == "in the way":
            (tmp_path / "quality").write_text("a file")
        elif why == "another's":
            (tmp_path / "quality").mkdir()
            (tmp_path / "quality" / "index.html").write_text("somebody's page")
        else:
            monkeypatch.setattr(quality_inspection, "inspect_catalog", lambda *_: 1 / 0)
        result = self.built(small_catalog, encoder, store, tmp_path, settings={"match_views": 0})
        assert result.quality is None
        assert store.live_version() == result.manifest.version
        assert "there is no quality report" in caplog.text
        assert "next step" in caplog.text
        assert "quality report" not in to_text(result, "x")

    def test_where_none_is_wanted_duplicates_are_marked_all_the_same(
        self, flawed: Path, encoder: Encoder, store: EdgeStore, tmp_path: Path
    ) -> None:
        result = run(flawed, encoder, store, tmp_path / "r")
        assert result.quality is None
        assert self.marks(store, "link.png") == ["p-0005"]
        assert not (tmp_path / "quality").exists()

    def test_a_roll_that_could_not_be_kept_leaves_an_index_without_marks(
        self,
        flawed: Path,
        encoder: Encoder,
        store: EdgeStore,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        (tmp_path / "cache").write_text("a file")
        result = self.built(flawed, encoder, store, tmp_path)
        assert (result.manifest.products, result.quality, result.duplicates.sets) == (52, None, ())
        assert self.marks(store, "link.png") == [None]
        assert "duplicates are not known in this version" in caplog.text
