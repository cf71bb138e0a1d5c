"""Defaults yield to a TOML file, that to the environment, that to flags; values out of range are named."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from embedder.settings import EmbedderSettings


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    path = tmp_path / "merchlens.toml"
    path.write_text('seed = 7\nthreads = 3\ncache_dir = "from-file"\n')
    return path


def test_each_layer_yields_to_the_next(toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert EmbedderSettings.from_flags(None).seed == 0
    assert EmbedderSettings.from_flags(toml).seed == 7
    monkeypatch.setenv("MERCHLENS_SEED", "8")
    assert EmbedderSettings.from_flags(toml).seed == 8
    assert EmbedderSettings.from_flags(toml, seed=9).seed == 9
    assert EmbedderSettings.from_flags(toml, seed=9).threads == 3


def test_a_flag_that_was_not_given_takes_nothing_away(toml: Path) -> None:
    assert EmbedderSettings.from_flags(toml, cache_dir=None).cache_dir == Path("from-file")


@pytest.mark.parametrize("flags", [{"seed": -1}, {"threads": -1}, {"threads": 1025}, {"seed": "many"}])
def test_a_value_out_of_range_is_named(flags: dict) -> None:
    (name,) = flags
    with pytest.raises(ValidationError, match=name):
        EmbedderSettings.from_flags(None, **flags)


def test_the_environment_is_checked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCHLENS_THREADS", "a lot")
    with pytest.raises(ValidationError, match="threads"):
        EmbedderSettings.from_flags(None)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.toml is not there"):
        EmbedderSettings.from_flags(tmp_path / "nowhere.toml")
