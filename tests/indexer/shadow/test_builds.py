"""A build's version is asked what the live one is asked, and takes its place unless it answers worse."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from embedder.catalogs.registry import open_catalog
from embedder.encoder import Encoder, open_encoder
from indexer.building.run import BuildResult, build
from indexer.building.summary import to_text
from indexer.errors import VersionRefused
from indexer.settings import IndexerSettings
from indexer.shadow.query_file import read_queries
from indexer.shadow.run import ShadowRules
from indexer.stores.edge.store import EdgeStore
from indexer.versions.rollback import roll_back
from tests.conftest import copy_folder, write_drawn_catalog

QUERIES = 40


class Skewed(Encoder):
    """A model whose indexed pictures are turned away from what its queries look for: a build gone wrong."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder.info, encoder._runtime, encoder._tokenizer, encoder.head, encoder.space, encoder.seen)
        self._sound = encoder

    def embed_pixels(self, pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.roll(super().embed_pixels(pixels), 7, axis=1)

    def encode_images(self, images: list[Image.Image], batch_size: int = 64) -> npt.NDArray[np.float32]:
        return self._sound.encode_images(images, batch_size)


OTHERWISE = {"keep_versions": 2}
"""Settings that no answer depends on, and that are not the live version's: versions of the same are not compared."""


@pytest.fixture(scope="module")
def encoder(trained_bundle: Path) -> Encoder:
    return open_encoder(trained_bundle, device="cpu")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 products."""
    return write_drawn_catalog(tmp_path_factory.mktemp("shop"), 60, side=48)


@pytest.fixture(scope="module")
def run(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., BuildResult]:
    """Builds the shop's index; builds of one cache embed nothing twice."""
    folder = tmp_path_factory.mktemp("run")

    def build_it(
        encoder: Encoder, store: EdgeStore, cache: str = "cache", limit: int | None = None, **options
    ) -> BuildResult:
        settings = {"match_views": QUERIES, "shadow_queries": QUERIES, **options.pop("settings", {})}
        return build(
            open_catalog(str(shop)),
            encoder,
            store,
            IndexerSettings(cache_dir=folder / cache, **settings),
            folder / "rejects.jsonl",
            limit=limit,
            shadow=ShadowRules(**options),
        )

    return build_it


@pytest.fixture(scope="module")
def live(encoder: Encoder, run: Callable[..., BuildResult], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one version."""
    root = tmp_path_factory.mktemp("live") / "index"
    assert run(encoder, EdgeStore(root)).shadow is None, "nothing was live before"
    return root


@pytest.fixture
def store(live: Path, tmp_path: Path) -> EdgeStore:
    return EdgeStore(copy_folder(live, tmp_path / "index"))


def test_an_unchanged_catalog_gives_the_same_answers(store, encoder, run) -> None:
    before = store.live_version()
    result = run(encoder, store, settings=OTHERWISE)
    found = result.shadow
    assert (found.live, found.version) == (before, store.live_version())
    assert set(found.kinds) == {"image", "text"}
    for compared in found.kinds.values():
        assert compared.queries == QUERIES
        assert all(item.verdict != "worse" for item in compared.recall.values())
    # Many of the titles are the same; which of them come first is open.
    assert found.kinds["image"].overlap == 1.0
    assert found.kinds["image"].recall[1].difference == 0.0
    assert found.kinds["text"].overlap > 0.5


def test_versions_that_hold_the_same_in_all_are_not_asked(store, encoder, run, tmp_path, caplog) -> None:
    before = store.live_version()
    with caplog.at_level(logging.INFO):
        result = run(encoder, store, out=tmp_path / "shadow.json")
    assert store.live_version() == result.manifest.version != before
    assert f"not compared with the live one, {before}, which holds the same in all" in caplog.text
    assert (result.shadow.same_contents, result.shadow.kinds) == (True, {})
    told = json.loads((tmp_path / "shadow.json").read_text(encoding="utf-8"))
    assert (told["live"], told["same_contents"], told["kinds"], told["went_live"]) == (before, True, {}, True)
    assert "beside the version that was live: the same products, model, calibration and settings" in to_text(result, "")


def test_products_that_came_or_went_count_for_neither_version(store, encoder, run) -> None:
    assert run(encoder, store, limit=50).shadow.kinds["image"].overlap > 0.95
    assert run(encoder, store).shadow.kinds["image"].overlap > 0.95


def test_a_catalog_that_has_grown_a_lot_is_no_worse(store, encoder, run, tmp_path) -> None:
    """Of the first hits most are new; the others are in the order that they were in."""
    small = EdgeStore(tmp_path / "small")
    run(encoder, small, limit=6)
    found = run(encoder, small).shadow
    assert found.kinds["image"].overlap == 1.0
    assert found.kinds["image"].recall[1].difference == 0.0


def test_a_version_that_answers_worse_stays_beside_the_live_one_until_somebody_decides(
    store, encoder, run, tmp_path
) -> None:
    before = store.live_version()
    with pytest.raises(VersionRefused, match="next step: python -m indexer rollback --version") as caught:
        run(Skewed(encoder), store, cache="skewed", out=tmp_path / "shadow.json")
    assert "with the same model; permitted: shadow_min_overlap = 0.5 or more" in str(caught.value)
    assert store.live_version() == before
    told = json.loads((tmp_path / "shadow.json").read_text(encoding="utf-8"))
    assert (told["live"], told["went_live"]) == (before, False)
    assert told["refused"]
    assert told["kinds"]["image"]["recall"]["at_1"]["new"] < told["kinds"]["image"]["recall"]["at_1"]["live"]
    # It can be made the live one by name, as the message says.
    roll_back(store, told["version"])
    assert store.live_version() == told["version"]


def test_a_loss_of_recall_alone_refuses_it_too(store, encoder, run) -> None:
    with pytest.raises(VersionRefused, match=r"recall@1 falls from .* permitted: a loss of shadow_max_loss = 0.05"):
        run(Skewed(encoder), store, cache="skewed", settings={"shadow_min_overlap": 0.0})


def test_with_force_it_goes_live(store, encoder, run, caplog) -> None:
    before = store.live_version()
    with caplog.at_level(logging.WARNING):
        result = run(Skewed(encoder), store, cache="skewed", force=True)
    assert store.live_version() == result.manifest.version != before
    assert "goes live although it answers worse" in caplog.text


def test_no_queries_no_comparison(store, encoder, run) -> None:
    result = run(Skewed(encoder), store, cache="skewed", settings={"shadow_queries": 0})
    assert result.shadow is None
    assert store.live_version() == result.manifest.version


def test_a_live_version_that_a_server_has_open_is_compared_by_a_copy(store, encoder, run) -> None:
    root = Path(store.url.removeprefix("edge:"))
    with closing(store.open(owner="127.0.0.1:50051")) as served:
        found = run(encoder, store, settings=OTHERWISE).shadow
        assert found.live == served.manifest.version
        assert found.kinds["image"].overlap == 1.0
        assert served.count() == 60
    assert list((root / "copies").iterdir()) == []


def test_a_live_version_that_cannot_be_opened_does_not_hold_up_the_next_one(store, encoder, run, caplog) -> None:
    folder = Path(store.url.removeprefix("edge:")) / "versions" / store.live_version()
    (folder / "files.json").write_text("{}")
    with caplog.at_level(logging.WARNING):
        result = run(encoder, store, settings=OTHERWISE)
    assert result.shadow is None
    assert "is not compared with the live one, which cannot be opened" in caplog.text
    assert store.live_version() == result.manifest.version


class TestAnotherModel:
    @pytest.fixture
    def base(self, starter_bundle: Path) -> Encoder:
        return open_encoder(starter_bundle, device="cpu")

    def test_answers_beside_the_one_that_made_the_live_version(self, store, run, base, trained_bundle) -> None:
        found = run(base, store, models=(trained_bundle.parent,), force=True).shadow
        assert not found.same_model
        for compared in found.kinds.values():
            assert compared.queries == QUERIES
            assert 0.0 < compared.overlap < 1.0
            assert set(compared.recall) == {1, 10}

    def test_is_not_compared_where_that_one_is_not_at_hand(self, store, run, base, tmp_path, caplog) -> None:
        with caplog.at_level(logging.WARNING):
            result = run(base, store, models=(tmp_path,))
        assert result.shadow is None
        assert "next step: --live-model names the folder" in caplog.text
        assert store.live_version() == result.manifest.version


class TestAnOperatorsQueries:
    def test_are_asked_instead(self, store, encoder, run, shop, tmp_path) -> None:
        picture = next(shop.parent.rglob("*.png"))
        (tmp_path / "photo.png").write_bytes(picture.read_bytes())
        lines = [
            {"text": "red ball"},
            {"text": "blue box", "expected": "nowhere"},
            {"image": "photo.png"},
        ]
        path = tmp_path / "queries.jsonl"
        path.write_text("\n".join(json.dumps(line) for line in lines) + "\n\n", encoding="utf-8")
        found = run(encoder, store, queries=tuple(read_queries(path))).shadow
        assert {kind: compared.queries for kind, compared in found.kinds.items()} == {"image": 1, "text": 2}
        assert found.kinds["image"].overlap == 1.0
        assert all(not compared.recall for compared in found.kinds.values()), "nobody says what is right"

    def test_whose_picture_cannot_be_read_are_left_out(self, store, encoder, run, tmp_path, caplog) -> None:
        (tmp_path / "photo.png").write_text("none")
        path = tmp_path / "queries.jsonl"
        path.write_text('{"image": "photo.png"}\n{"text": "red ball"}\n', encoding="utf-8")
        with caplog.at_level(logging.WARNING):
            found = run(encoder, store, queries=tuple(read_queries(path))).shadow
        assert set(found.kinds) == {"text"}
        assert "cannot be read, and is left out" in caplog.text
