"""A disk that becomes full at any moment of a build or an update, with all that they write on it: store and cache.

The command ends in one line that says so, what is live answers as before, and with room again the same command ends with
what it would have given. The moments are drawn from a seed that is printed.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.stores.edge.store import EdgeStore
from tests.conftest import copy_folder, write_drawn_catalog
from tests.faults.commands import TEXTS, Indexing, moments
from tests.faults.small_disk import kept_full, small_disk
from tests.faults.test_resumed import write_catalogs
from tests.serving import running_server
from tests.steady_searches import SteadySearches

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600)]

DISK_MB = 700
PRODUCTS = 440
FIRST = 320
SEARCHES_PER_S = 5
POINTS = [pytest.param(2, id="2 moments"), pytest.param(10, id="10 moments", marks=pytest.mark.long)]
"""Of each of the two commands."""

CONFIG = "[indexer]\ndrop_after_s = 0\n"


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_drawn_catalog(tmp_path_factory.mktemp("shop"), PRODUCTS, side=32)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", DISK_MB) as folder:
        yield folder


def indexing(folder: Path, model: Path) -> Indexing:
    return Indexing(f"edge:{folder / 'index'}", model, folder, CONFIG)


def end_on_a_full_disk(told: Indexing, disk: Path, moment_s: float, verb: str, *more: str) -> tuple[int, str]:
    """Exit status and message of a command whose disk becomes full after so many seconds."""
    process = told.start(verb, *more)
    time.sleep(moment_s)
    with kept_full(disk):
        return told.told(process)


def assert_told_or_done(status: int, message: str) -> bool:
    """Whether it was done all the same: all that counted had been written."""
    assert "Traceback" not in message
    if status == 0:
        return True
    assert status == 2, message
    last = message.splitlines()[-1]
    assert last.startswith("error: ")
    assert "no space left" in last
    assert "next step: free some" in last
    return False


@pytest.mark.parametrize("points", POINTS)
def test_a_build_while_the_version_before_it_is_served(
    catalog: Path, trained_bundle: Path, disk: Path, tmp_path: Path, points: int
) -> None:
    print(f"seed {points}")
    shares = moments(points, seed=points)
    flags = ("--catalog", str(catalog), "--batch-size", "16")
    whole, shop = indexing(tmp_path / "whole", trained_bundle), indexing(disk / "shop", trained_bundle)
    duration_s = whole.run("build", *flags)
    shop.run("build", "--catalog", str(catalog), "--limit", str(FIRST))
    served = shop.live()
    ended = []
    with (
        running_server("--model", str(trained_bundle), "--store", shop.url) as server,
        SteadySearches(server.target, TEXTS, SEARCHES_PER_S) as searches,
    ):
        for _ in range(points):
            live = shop.live()
            shutil.rmtree(shop.cache, ignore_errors=True)
            moment = next(shares) * duration_s
            done = assert_told_or_done(*end_on_a_full_disk(shop, disk, moment, "build", *flags))
            ended.append(done)
            assert (shop.live() != live) == done
            shop.run("build", *flags)
            assert shop.exported() == whole.exported()
            assert shop.states() == {"ready"}
    assert not all(ended)
    assert searches.answers
    assert searches.failed() == []
    assert searches.versions() == {served}
    assert searches.changed() == []


@pytest.mark.parametrize("points", POINTS)
def test_an_update_there_and_back(catalog: Path, trained_bundle: Path, disk: Path, tmp_path: Path, points: int) -> None:
    print(f"seed {points}")
    shares = moments(points, seed=points)
    pictures = copy_folder(catalog.parent, tmp_path / "shop")
    catalogs = [pictures / "before.csv", pictures / "after.csv"]
    write_catalogs(catalog, *catalogs)
    shop = indexing(disk / "shop", trained_bundle)
    shop.run("build", "--catalog", str(catalogs[0]), "--batch-size", "16")
    exports = [shop.exported()]
    duration_s = shop.run("update", "--catalog", str(catalogs[1]))
    exports.append(shop.exported())
    held, ended = 1, []
    for _ in range(points):
        side = 1 - held
        moment = next(shares) * duration_s
        done = assert_told_or_done(*end_on_a_full_disk(shop, disk, moment, "update", "--catalog", str(catalogs[side])))
        ended.append(done)
        assert shop.exported() == exports[side if done else held]
        shop.run("update", "--catalog", str(catalogs[side]))
        assert shop.exported() == exports[side]
        assert shop.states() == {"ready"}
        assert EdgeStore(shop.folder / "index").verify(shop.live(), deep=True).whole
        held = side
    assert not all(ended)
