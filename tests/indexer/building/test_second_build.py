"""A build of what the live version holds already learns nothing anew, and ends as if it had."""

from __future__ import annotations

import csv
import json
import logging
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from embedder.catalogs.registry import open_catalog
from embedder.encoder import Encoder, open_encoder
from indexer.building.run import BuildResult, build
from indexer.building.summary import to_dict, to_text
from indexer.settings import IndexerSettings
from indexer.stores.edge.store import EdgeStore
from indexer.transfer.export import PRODUCTS_FILE, export
from tests.conftest import copy_folder, write_drawn_catalog

Run = Callable[..., BuildResult]


@pytest.fixture(scope="module")
def encoder(trained_bundle: Path) -> Encoder:
    return open_encoder(trained_bundle, device="cpu")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 products."""
    return write_drawn_catalog(tmp_path_factory.mktemp("shop"), 48, side=48)


@pytest.fixture(scope="module")
def run(shop: Path, encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Builds the shop's index, or another catalog's; builds of one cache embed nothing twice."""
    folder = tmp_path_factory.mktemp("run")

    def build_it(store: EdgeStore, catalog: Path = shop, model: Encoder = encoder, **options) -> BuildResult:
        given = {"match_views": 20, "shadow_queries": 20, "cache_dir": folder / "cache", **options.pop("settings", {})}
        settings = IndexerSettings(**given)
        return build(open_catalog(str(catalog)), model, store, settings, folder / "rejects.jsonl", **options)

    return build_it


@pytest.fixture(scope="module")
def live(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one version."""
    root = tmp_path_factory.mktemp("live") / "index"
    assert run(EdgeStore(root)).calibrated_in is None, "nothing was live before"
    return root


@pytest.fixture
def store(live: Path, tmp_path: Path) -> EdgeStore:
    return EdgeStore(copy_folder(live, tmp_path / "index"))


def told(result: BuildResult) -> dict:
    """A manifest as text, less its name and time."""
    return json.loads(replace(result.manifest, version="", created_at="").to_json())


def test_it_says_what_was_taken_over_from_which_version(store: EdgeStore, run: Run, tmp_path: Path, caplog) -> None:
    before = store.live_version()
    with caplog.at_level(logging.INFO):
        result = run(store, quality_folder=tmp_path)
    assert result.calibrated_in == before != store.live_version()
    assert f"is taken over from version {before}, made of the same products by the same model" in caplog.text
    assert f"what answers are worth was taken over from version {before}" in to_text(result, store.url)
    assert to_dict(result)["calibrated_in"] == before
    assert (result.pictures_embedded, result.titles_embedded, result.further_embedded) == (0, 0, 0)
    # The report asks with views, which are drawn for it.
    assert json.loads((tmp_path / "quality.json").read_text(encoding="utf-8"))["unfound"]["asked"] == 20


def test_it_is_to_the_last_byte_what_a_fresh_build_is(store: EdgeStore, run: Run, tmp_path: Path) -> None:
    fresh = EdgeStore(tmp_path / "fresh")
    # Batches are another size: nothing may depend on that.
    second, first = run(store), run(fresh, settings={"batch_size": 7})
    assert (second.calibrated_in is None, first.calibrated_in) == (False, None)
    assert json.dumps({**told(second), "settings": {}}) == json.dumps({**told(first), "settings": {}})
    assert second.manifest.match_models["image"].same is not None, "views were looked at"
    for each, name in ((store, "second"), (fresh, "first")):
        with closing(each.open()) as reader:
            export(reader, tmp_path / name)
    assert (tmp_path / "second" / PRODUCTS_FILE).read_bytes() == (tmp_path / "first" / PRODUCTS_FILE).read_bytes()


def changed_shop(shop: Path, folder: Path, change: Callable[[list[list[str]]], None]) -> Path:
    """The catalog with changed rows."""
    copy_folder(shop.parent, folder)
    with (folder / shop.name).open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    change(rows)
    with (folder / shop.name).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *rows])
    return folder / shop.name


def retitle(rows: list[list[str]]) -> None:
    rows[17][1] = "something else"


class TestItLearnsAnewWhere:
    @pytest.mark.parametrize("change", [retitle, list.reverse])
    def test_products_have_changed_or_their_order_has(self, store, run, shop, tmp_path, change) -> None:
        before = told_by(store)
        result = run(store, changed_shop(shop, tmp_path / "shop", change))
        assert result.calibrated_in is None
        assert result.manifest.calibration != before.calibration
        # In another order the catalog is the same, but other products ask, and with other views.
        assert (result.manifest.catalog_hash == before.catalog_hash) == (change is list.reverse)
        assert not result.shadow.same_contents

    def test_what_the_live_version_says_is_damaged(self, store, run) -> None:
        sound = told_by(store)
        path = Path(store.url.removeprefix("edge:")) / "versions" / str(store.live_version()) / "manifest.json"
        said = json.loads(path.read_text(encoding="utf-8"))
        said["words"]["rare"] += 1.0
        path.write_text(json.dumps(said), encoding="utf-8")
        result = run(store)
        assert result.calibrated_in is None
        assert result.manifest.words == sound.words


def told_by(store: EdgeStore):
    with closing(store.open()) as reader:
        return reader.manifest
