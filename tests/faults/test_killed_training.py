"""A training of the towers that is killed at any moment goes on with the same command, and ends with the same weights."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from embedder.bundle import WEIGHTS_FILE, load_info
from embedder.instance_map import INSTANCE_FILE
from embedder.recognition.head import WEIGHTS_FILE as HEAD_FILE
from tests.conftest import write_drawn_catalog
from tests.embedder.training.tuning.conftest import small_bundle
from tests.preloaded import Started, start_preloaded

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1500)]

__all__ = ["small_bundle"]

SETTINGS = """
[embedder]
threads = 1
[embedder.train]
epochs = 2
rehearsal = 10
[embedder.tune]
passes = 40
products = 8
checkpoint_s = 0.3
tolerance = 1.0
[embedder.instance]
dim = 16
products = 60
views = 100
"""
KILLS = 5
END_S = 420.0


@pytest.fixture
def start(small_bundle: Path, tmp_path: Path) -> Callable[[str], Started]:
    """Starts a training into a folder of that name, with a cache of its own."""
    catalog = write_drawn_catalog(tmp_path / "shop", 60, side=32)
    (tmp_path / "settings.toml").write_text(SETTINGS)

    def run(name: str) -> Started:
        return start_preloaded(
            (
                "embedder", "train", "--catalog", str(catalog), "--model", str(small_bundle), "--tune", "full",
                "--device", "cpu", "--out", str(tmp_path / name), "--cache-dir", str(tmp_path / f"{name}-cache"),
                "--config", str(tmp_path / "settings.toml"),
            ),
            tmp_path / f"{name}-output",
        )  # fmt: skip

    return run


def digests(folder: Path) -> dict[str, str]:
    return {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in (WEIGHTS_FILE, HEAD_FILE, INSTANCE_FILE)
    }


def wait_for_a_checkpoint(cache: Path, running: Started) -> None:
    deadline = time.monotonic() + END_S
    while not list(cache.glob("tuning/*/checkpoint.safetensors")):
        assert running.process.exitcode is None, running.output()
        assert time.monotonic() < deadline, running.output()
        time.sleep(0.05)


def test_killed_five_times_it_ends_with_the_same_weights(start: Callable[[str], Started], tmp_path: Path) -> None:
    whole = start("whole")
    assert whole.wait(END_S) == 0, whole.output()
    rng = random.Random(5)
    cache = tmp_path / "killed-cache"
    resumed = []
    for kill in range(KILLS):
        running = start("killed")
        if kill:
            # Anywhere: while it starts, while features are gathered, in a step, while a checkpoint is written.
            wait_for_a_checkpoint(cache, running)
        time.sleep(rng.uniform(0.2, 3.0))
        running.process.kill()
        running.wait(END_S)
        resumed.append("tuning goes on after step" in running.output())
        assert not (tmp_path / "killed").exists()
    last = start("killed")
    assert last.wait(END_S) == 0, last.output()
    assert "tuning goes on after step" in last.output()
    assert digests(tmp_path / "killed") == digests(tmp_path / "whole")
    assert load_info(tmp_path / "killed").fingerprint == load_info(tmp_path / "whole").fingerprint


def test_a_second_one_of_the_same_command_is_refused_while_the_first_runs(
    start: Callable[[str], Started], tmp_path: Path
) -> None:
    first = start("one")
    wait_for_a_checkpoint(tmp_path / "one-cache", first)
    second = start("one")
    assert second.wait(END_S) == 2
    assert f"the same training is running already (process {first.process.pid}" in second.output()
    first.process.kill()
    first.wait(END_S)


def test_ctrl_c_leaves_a_checkpoint_and_says_that_the_same_command_goes_on(
    start: Callable[[str], Started], tmp_path: Path
) -> None:
    running = start("one")
    wait_for_a_checkpoint(tmp_path / "one-cache", running)
    running.interrupt()
    assert running.wait(END_S) == 130
    assert "error: stopped after step" in running.output()
    assert "the same command goes on from there" in running.output()
    assert list((tmp_path / "one-cache").glob("tuning/*/checkpoint.safetensors"))
