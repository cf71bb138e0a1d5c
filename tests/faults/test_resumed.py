"""What is killed at any moment and run again holds in the end what it would have held: the same export, byte by byte."""

from __future__ import annotations

import csv
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from indexer.stores.edge.store import EdgeStore
from indexer.transfer.export import PRODUCTS_FILE, export
from tests.conftest import copy_folder, run_module, write_drawn_catalog

PRODUCTS = 400
KILLS = 8


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_drawn_catalog(tmp_path_factory.mktemp("shop"), PRODUCTS, side=32)


def command(verb: str, model: Path, folder: Path, *more: str) -> list[str]:
    return [
        "indexer", verb, "--model", str(model), "--store", f"edge:{folder / 'index'}", "--cache-dir",
        str(folder / "cache"), *more,
    ]  # fmt: skip


def run(arguments: list[str]) -> float:
    """To its end; seconds."""
    started = time.monotonic()
    done = run_module(*arguments)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - started


def kill_after(arguments: list[str], delay_s: float) -> bool:
    """Whether it was still running."""
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        process.wait(delay_s)
        return False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)
        return True


def exported(folder: Path) -> bytes:
    """Of the live version; opening it is what a server would do."""
    store = EdgeStore(folder / "index")
    reader = store.open()
    export(reader, folder / "out")
    reader.close()
    return (folder / "out" / PRODUCTS_FILE).read_bytes()


@pytest.mark.faults
def test_a_build(catalog: Path, trained_bundle: Path, tmp_path: Path) -> None:
    flags = ("--catalog", str(catalog), "--batch-size", "16")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    duration_s = run(command("build", trained_bundle, whole, *flags))
    moments = random.Random(0)
    again = command("build", trained_bundle, killed, *flags)
    hits = sum(kill_after(again, moments.uniform(0.1, 1.0) * duration_s) for _ in range(KILLS))
    assert hits >= KILLS // 2
    run(again)
    assert exported(killed) == exported(whole)
    assert {item.state for item in EdgeStore(killed / "index").versions()} == {"ready"}


@pytest.mark.faults
def test_an_update(catalog: Path, trained_bundle: Path, tmp_path: Path) -> None:
    """The live version answers meanwhile; in the end it is as if all had been built anew."""
    shop = copy_folder(catalog.parent, tmp_path / "shop") / "catalog.csv"
    folder = tmp_path / "killed"
    run(command("build", trained_bundle, folder, "--catalog", str(shop), "--batch-size", "16"))
    before = exported(folder)
    with shop.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows[::10]:
        row["price"] = str(float(row["price"]) + 1)
    with shop.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows[3:])
    again = command("update", trained_bundle, folder, "--catalog", str(shop))
    duration_s = run(command("update", trained_bundle, copy_folder(folder, tmp_path / "copy"), "--catalog", str(shop)))
    moments = random.Random(1)
    for _ in range(KILLS):
        if not kill_after(again, moments.uniform(0.2, 0.95) * duration_s):
            break
        # Late enough, it was done already; what is live is the one or the other, and whole.
        assert exported(folder) in (before, exported(tmp_path / "copy"))
    run(again)
    assert exported(folder) == exported(tmp_path / "copy")
    built = tmp_path / "built"
    built.mkdir()
    copy_folder(folder / "cache", built / "cache")
    run(command("build", trained_bundle, built, "--catalog", str(shop), "--batch-size", "16"))
    assert exported(folder) == exported(built)
