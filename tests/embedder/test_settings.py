"""Defaults yield to a TOML file, that to the environment, that to flags; what no command knows is refused.

Values out of range are named. One file and one environment serve all three commands.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from embedder.errors import SettingsError
from embedder.setting_names import COMMANDS, TABLES
from embedder.settings import EmbedderSettings, LayeredSettings, tables_of
from indexer.settings import IndexerSettings
from server.settings import ServerSettings
from tests.conftest import run_module

CLASSES: list[type[LayeredSettings]] = [EmbedderSettings, IndexerSettings, ServerSettings]
every_command = pytest.mark.parametrize("settings", CLASSES, ids=lambda settings: settings.command)


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
    with pytest.raises(FileNotFoundError, match=r"nowhere\.toml does not exist"):
        EmbedderSettings.from_flags(tmp_path / "nowhere.toml")


def test_the_names_known_are_those_that_the_commands_have() -> None:
    """A setting that is added or renamed must be so in `embedder/setting_names.py` too."""
    assert {settings.command: frozenset(settings.model_fields) for settings in CLASSES} == dict(COMMANDS)
    assert {name for settings in CLASSES for name in tables_of(settings)} == TABLES


SHARED_FILE = """
cache_dir = "for-all"
device = "cpu"
store = "edge:somewhere"
port = 50052

[embedder]
seed = 3

[embedder.train]
epochs = 2

[indexer]
cache_dir = "for-the-indexer"

[server]
max_image_pixels = 1_000_000
"""


def test_one_file_serves_every_command(tmp_path: Path) -> None:
    path = tmp_path / "merchlens.toml"
    path.write_text(SHARED_FILE)
    embedder, indexer, server = (settings.from_flags(path) for settings in CLASSES)
    assert [embedder.cache_dir, indexer.cache_dir, server.cache_dir] == [
        Path("for-all"), Path("for-the-indexer"), Path("for-all")
    ]  # fmt: skip
    assert (embedder.device, embedder.seed, embedder.train.epochs) == ("cpu", 3, 2)
    assert (indexer.store, server.store, server.port) == ("edge:somewhere", "edge:somewhere", 50052)
    assert embedder.max_image_pixels == indexer.max_image_pixels == 50_000_000
    assert server.max_image_pixels == 1_000_000


def test_one_environment_serves_every_command(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SEED": "8", "PORT": "50053", "BATCH_SIZE": "9", "TRAIN__EPOCHS": "4", "EDGE__GRAPH_LINKS": "8",
                        "TEST_QDRANT_URL": "qdrant://nowhere"}.items():  # fmt: skip
        monkeypatch.setenv(f"MERCHLENS_{name}", value)
    embedder, indexer, server = (settings.from_flags(None) for settings in CLASSES)
    assert (embedder.seed, embedder.train.epochs, indexer.batch_size, server.port) == (8, 4, 9, 50053)


def test_the_layers_of_a_table_are_put_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "merchlens.toml"
    path.write_text("[train]\nepochs = 2\ndropout = 0.3\nbatch_size = 8\n[embedder.train]\ndropout = 0.4\n")
    monkeypatch.setenv("MERCHLENS_TRAIN__BATCH_SIZE", "16")
    train = EmbedderSettings.from_flags(path, train={"epochs": 5, "learning_rate": None}).train
    assert (train.epochs, train.dropout, train.batch_size, train.learning_rate) == (5, 0.4, 16, 2e-3)


MISSPELT = {
    "sed = 7": r"unknown setting 'sed'; the nearest known name is seed; permitted: .*batch_size.*workers",
    "[serve]\nport = 1": r"unknown table 'serve'; the nearest known name is server",
    "[server]\nprot = 1": r"\[server\]: unknown setting 'prot'; the nearest known name is port",
    "[indexer]\nseed = 1": r"\[indexer\]: unknown setting 'seed'",
    "[embedder]\nport = 1": r"\[embedder\]: unknown setting 'port'",
    "[indexer.train]\nepochs = 1": r"\[indexer\]: unknown table 'train'",
    "server = 3": r"server is 3; permitted: a table, \[server\]",
}


@every_command
@pytest.mark.parametrize("text", MISSPELT)
def test_a_name_that_no_command_knows_is_refused_in_the_file(
    settings: type[LayeredSettings], tmp_path: Path, text: str
) -> None:
    path = tmp_path / "merchlens.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=MISSPELT[text]):
        settings.from_flags(path)


@pytest.mark.parametrize("table", ["train", "embedder.train"])
def test_a_name_that_a_table_does_not_know_is_refused(tmp_path: Path, table: str) -> None:
    path = tmp_path / "merchlens.toml"
    path.write_text(f"[{table}]\nlearning_rte = 1\n")
    with pytest.raises(SettingsError, match="unknown setting 'learning_rte'; the nearest known name is learning_rate"):
        EmbedderSettings.from_flags(path)
    path.write_text("train = 3\n")
    with pytest.raises(SettingsError, match=r"train is 3; permitted: a table, \[train\]"):
        EmbedderSettings.from_flags(path)


@every_command
@pytest.mark.parametrize("variable", ["MERCHLENS_PROT", "merchlens_prot", "MERCHLENS_PORT__", "MERCHLENS_"])
def test_a_name_that_no_command_knows_is_refused_in_the_environment(
    settings: type[LayeredSettings], monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "secret-value")
    with pytest.raises(SettingsError, match=rf"environment variable {variable}: unknown setting") as refused:
        settings.from_flags(None)
    assert "secret-value" not in str(refused.value)
    if "prot" in variable.lower():
        assert "the nearest known name is MERCHLENS_PORT;" in str(refused.value)


def test_a_name_that_a_table_does_not_know_is_refused_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCHLENS_TRAIN__EPOCH", "3")
    with pytest.raises(SettingsError, match="the nearest known name is MERCHLENS_TRAIN__EPOCHS;"):
        EmbedderSettings.from_flags(None)
    monkeypatch.delenv("MERCHLENS_TRAIN__EPOCH")
    monkeypatch.setenv("MERCHLENS_TRAIN", "no JSON")
    with pytest.raises(SettingsError, match=r'field "train".*permitted: for a table JSON'):
        EmbedderSettings.from_flags(None)


def unreadable(kind: str, path: Path) -> None:
    if kind == "folder":
        path.mkdir()
    else:
        path.write_bytes({"latin-1": "seed = 1 # größer".encode("latin-1"), "no TOML": b"seed = = 1"}[kind])


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("latin-1", "is not UTF-8: byte 13 is 0xf6"),
        ("no TOML", "is not TOML"),
        ("folder", "cannot be read: Is a directory"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line_and_status_2(tmp_path: Path, kind: str, reason: str) -> None:
    path = tmp_path / "merchlens.toml"
    unreadable(kind, path)
    with pytest.raises(SettingsError, match=reason):
        EmbedderSettings.from_flags(path)
    done = run_module("embedder", "eval", "--catalog", "nowhere.csv", "--config", str(path))
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: config file {path} {reason}")
    assert done.stderr.count("\n") == 1


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "merchlens.toml"
    path.write_bytes(b"\xef\xbb\xbfseed = 4\n")
    assert EmbedderSettings.from_flags(path).seed == 4


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"dim": 300, "semantic_dim": 300}, "600 values together; permitted: 512 or fewer"),
        ({"dim": -1}, "greater than or equal to 0"),
        ({"dim": 513, "semantic_dim": 1}, "less than or equal to 512"),
        ({"semantic_dim": 0}, "greater than or equal to 1"),
        ({"products": 1}, "greater than or equal to 2"),
        ({"pictures": 16}, "less than or equal to 15"),
        ({"ridge": 0}, "greater than 0"),
        ({"ridge": float("nan")}, "finite"),
        ({"width": 3}, "nexpected keyword argument"),
    ],
)
def test_an_instance_part_has_its_ranges(chosen: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        EmbedderSettings.from_flags(None, instance=chosen)


def test_an_index_vector_may_be_all_of_either_part() -> None:
    for dim, semantic_dim in ((0, 512), (511, 1)):
        found = EmbedderSettings.from_flags(None, instance={"dim": dim, "semantic_dim": semantic_dim}).instance
        assert (found.dim, found.semantic_dim) == (dim, semantic_dim)
