"""Model, index version and what answers from the two are opened, tried out and closed as one."""

from __future__ import annotations

from pathlib import Path

import pytest

import server.search.checks
from embedder.bundle import load_info
from embedder.errors import BundleNotFound
from indexer.stores.address import open_store
from indexer.versions.rollback import version_before
from server.hosting.served_catalog import open_served_catalog
from server.search.query import SearchCommand, TextQuery
from server.settings import ServerSettings
from tests.conftest import copy_folder, run_module, write_drawn_catalog


@pytest.fixture
def settings(drawn_store: str, trained_bundle: Path, tmp_path: Path) -> ServerSettings:
    copy_folder(drawn_store.removeprefix("edge:"), tmp_path / "store")
    return ServerSettings(model=str(trained_bundle), store=f"edge:{tmp_path / 'store'}", threads=1)


def test_what_is_opened_answers_and_lets_go_of_the_index_when_it_is_closed(settings: ServerSettings) -> None:
    catalog = open_served_catalog(settings, owner="test")
    assert catalog.schema == catalog.reader.manifest.schema
    outcome = catalog.searcher.search(SearchCommand.of(TextQuery("red ball"), "", 3))
    assert len(outcome.hits) == 3
    assert outcome.origin.model_fingerprint == catalog.encoder.info.fingerprint
    assert outcome.origin.index_version == catalog.reader.manifest.version
    catalog.close()
    open_store(settings.store).open(owner="another").close()


def test_of_a_folder_of_models_the_one_that_made_the_live_version_answers(
    settings: ServerSettings, starter_bundle: Path, trained_bundle: Path, tmp_path: Path
) -> None:
    """A model and its index go live by one switch, and back by one."""
    models = tmp_path / "models"
    models.mkdir()
    (models / "base").symlink_to(starter_bundle)
    (models / "tuned").symlink_to(trained_bundle)
    settings = settings.model_copy(update={"model": str(models)})
    shop = write_drawn_catalog(tmp_path / "shop", 12, side=48)
    flags = ("--catalog", str(shop), "--store", settings.store, "--cache-dir", str(tmp_path / "cache"), "--force")
    done = run_module("indexer", "build", "--model", str(models / "base"), *flags)
    assert done.returncode == 0, done.stderr
    for bundle in (starter_bundle, trained_bundle):
        opened = open_served_catalog(settings, owner="test")
        assert opened.encoder.info.fingerprint == load_info(bundle).fingerprint
        assert opened.searcher.search(SearchCommand.of(TextQuery("red ball"), "", 3)).hits
        opened.close()
        open_store(settings.store).activate(version_before(open_store(settings.store)))
    (models / "tuned").unlink()
    open_store(settings.store).activate(version_before(open_store(settings.store)))
    with pytest.raises(BundleNotFound, match=r"holds base; permitted: a bundle of the model .* next step"):
        open_served_catalog(settings, owner="test")
    open_store(settings.store).open(owner="another").close()


def test_it_is_tried_out_under_the_servers_own_limits_before_anybody_is_served(
    settings: ServerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    depths = []
    parse = server.search.checks.parse_filter

    def noting(text: str, *arguments, **options):
        depths.append((text.count("("), options["max_depth"]))
        return parse(text, *arguments, **options)

    monkeypatch.setattr(server.search.checks, "parse_filter", noting)
    open_served_catalog(settings.model_copy(update={"max_filter_depth": 50}), owner="test").close()
    assert set(depths) == {(50, 50)}
    # A limit that no call could be answered under, whatever let it through.
    with pytest.raises(ValueError, match="permitted: 1 to 64"):
        open_served_catalog(settings.model_copy(update={"max_filter_depth": 65}), owner="test")
    open_store(settings.store).open(owner="another").close()


def test_limits_that_refuse_everything_are_an_operators_right(settings: ServerSettings) -> None:
    tight = {"max_image_bytes": 1, "max_filter_chars": 1, "max_text_chars": 1, "max_page_size": 1}
    opened = open_served_catalog(settings.model_copy(update=tight), owner="test")
    assert opened.reader.manifest.state == "ready"
    opened.close()
