"""The indexer's settings come in the house's four layers, and keep the key of the database to themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from indexer.settings import IndexerSettings


def test_each_layer_yields_to_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toml = tmp_path / "merchlens.toml"
    toml.write_text('store = "edge:from-file"\nbatch_size = 8\n')
    assert IndexerSettings.from_flags(None).store == "edge:data/index"
    assert IndexerSettings.from_flags(toml).store == "edge:from-file"
    monkeypatch.setenv("MERCHLENS_STORE", "edge:from-environment")
    assert IndexerSettings.from_flags(toml).store == "edge:from-environment"
    assert IndexerSettings.from_flags(toml, store="edge:flag").store == "edge:flag"
    assert IndexerSettings.from_flags(toml).batch_size == 8


@pytest.mark.parametrize(
    "flags",
    [{"batch_size": 0}, {"decode_threads": 0}, {"keep_versions": -1}, {"max_reject_share": 1.5}, {"threads": 2000}],
)
def test_a_value_out_of_range_is_named(flags: dict) -> None:
    (name,) = flags
    with pytest.raises(ValidationError, match=name):
        IndexerSettings.from_flags(None, **flags)


def test_the_key_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCHLENS_QDRANT_API_KEY", "very-secret")
    settings = IndexerSettings.from_flags(None)
    assert settings.qdrant_api_key is not None
    assert settings.qdrant_api_key.get_secret_value() == "very-secret"
    assert "very-secret" not in f"{settings!r} {settings.model_dump(mode='json')} {settings.model_dump_json()}"
