"""What is killed at any moment and run again holds in the end what it would have held: the same export, byte by byte.

The moments are drawn from a seed that is printed. `MERCHLENS_TEST_QDRANT_URL` adds a Qdrant server to the store on disk; see
`tests/indexer/stores/test_contract.py`.
"""

from __future__ import annotations

import csv
import io
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as parquet
import pytest
from qdrant_client import QdrantClient

from indexer.stores.edge.store import EdgeStore
from indexer.stores.qdrant.store import QdrantStore
from tests.conftest import copy_folder, write_drawn_catalog
from tests.faults.commands import TEXTS, Indexing, moments
from tests.indexer.stores.test_contract import KEY_VARIABLE, URL_VARIABLE
from tests.serving import running_server
from tests.steady_searches import SteadySearches

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600)]

PRODUCTS = 400
FIRST = 320
"""Products of the version that is live, and served, before the first build is killed."""

NEW = 40
SEARCHES_PER_S = 5
KILLS = [pytest.param(3, id="3 moments"), pytest.param(40, id="40 moments", marks=pytest.mark.long)]

Make = Callable[[str], Indexing]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_drawn_catalog(tmp_path_factory.mktemp("shop"), PRODUCTS + NEW, side=32)


@pytest.fixture(params=["edge", "qdrant"])
def make(request: pytest.FixtureRequest, trained_bundle: Path, tmp_path: Path) -> Iterator[Make]:
    """What makes stores, empty ones, that are called by a name."""
    if request.param == "edge":
        yield lambda name: Indexing(f"edge:{tmp_path / name / 'index'}", trained_bundle, tmp_path / name)
        return
    url, key = os.environ.get(URL_VARIABLE, "").rstrip("/"), os.environ.get(KEY_VARIABLE)
    if not url:
        pytest.skip(f"no Qdrant server is named by {URL_VARIABLE}")
    mark = f"killed-{secrets.token_hex(4)}"
    config = f'qdrant_api_key = "{key}"\n[indexer.qdrant]\nplain_text_key = true\n' if key else ""
    yield lambda name: Indexing(f"{url}/{mark}-{name}", trained_bundle, tmp_path / name, config)
    with closing(QdrantStore.connect(f"{url}/{mark}", key)) as store:
        client: QdrantClient = store._client
        for collection in client.get_collections().collections:
            if collection.name.startswith(mark):
                client.delete_collection(collection.name)


def by_id(exported: bytes) -> dict[str, tuple[object, ...]]:
    """What is held of each product; none may be there twice."""
    rows = parquet.read_table(io.BytesIO(exported)).to_pylist()
    found = {row["product_id"]: tuple(map(str, row.values())) for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.mark.parametrize("kills", KILLS)
def test_a_build_while_the_version_before_it_is_served(catalog: Path, make: Make, kills: int) -> None:
    """Every other time with an empty cache, so that moments fall on both kinds of builds."""
    print(f"seed {kills}")
    shares = moments(kills, seed=kills)
    flags = ("--catalog", str(catalog), "--limit", str(PRODUCTS), "--batch-size", "16")
    whole, killed = make("whole"), make("killed")
    first_s, again_s = whole.run("build", *flags), whole.run("build", *flags)
    killed.run("build", "--catalog", str(catalog), "--limit", str(FIRST))
    live = served = killed.live()
    hits = 0
    with (
        running_server("--model", str(killed.model), "--store", killed.url) as server,
        SteadySearches(server.target, TEXTS, SEARCHES_PER_S) as searches,
    ):
        while hits < kills:
            anew = hits % 2 == 0
            if anew:
                shutil.rmtree(killed.cache, ignore_errors=True)
            hit = killed.killed_after(next(shares) * (first_s if anew else again_s), "build", *flags)
            hits += hit
            # Late enough, it was done already.
            if not hit or killed.live() != live:
                assert killed.live() != live
                live = killed.live()
                assert killed.exported() == whole.exported()
    assert searches.answers
    assert searches.failed() == []
    assert searches.versions() == {served}
    assert searches.changed() == []
    killed.run("build", *flags)
    assert killed.exported() == whole.exported()
    assert killed.states() == {"ready"}
    if killed.url.startswith("edge:"):
        assert EdgeStore(killed.folder / "index").verify(killed.live(), deep=True).whole


@pytest.mark.parametrize("kills", KILLS)
def test_an_update_there_and_back(catalog: Path, make: Make, tmp_path: Path, kills: int) -> None:
    """Between two catalogs, of which each is what a build of it gives: prices, products that go, products that are new."""
    print(f"seed {kills}")
    shares = moments(kills, seed=kills)
    shop = copy_folder(catalog.parent, tmp_path / "shop")
    catalogs = [shop / "before.csv", shop / "after.csv"]
    write_catalogs(catalog, *catalogs)
    built, killed = make("built"), make("killed")
    exports = []
    for path in catalogs:
        built.run("build", "--catalog", str(path), "--batch-size", "16")
        exports.append(built.exported())
    assert exports[0] != exports[1]
    killed.run("build", "--catalog", str(catalogs[0]), "--batch-size", "16")
    # There and back again without a kill: what it takes, and that it ends as a build does.
    durations = []
    for side in (1, 0):
        durations.append(killed.run("update", "--catalog", str(catalogs[side])))
        assert killed.exported() == exports[side]
    hits, held, side = 0, 0, 1
    while hits < kills:
        moment = next(shares) * durations[1 - side]
        hit = killed.killed_after(moment, "update", "--catalog", str(catalogs[side]))
        hits += hit
        exported = killed.exported()
        if killed.url.startswith("edge:"):
            assert exported in (exports[held], exports[side])
        else:
            # In a server the live version itself is changed: each product is as it was, or as it will be.
            assert by_id(exported).items() <= by_id(exports[held]).items() | by_id(exports[side]).items()
            assert by_id(exports[0]).keys() & by_id(exports[1]).keys() <= by_id(exported).keys()
        if not hit or exported == exports[side]:
            assert exported == exports[side]
            held, side = side, 1 - side
    killed.run("update", "--catalog", str(catalogs[side]))
    assert killed.exported() == exports[side]


def write_catalogs(catalog: Path, before: Path, after: Path) -> None:
    """One with the first products, and one with other prices, without some of them, and with new ones."""
    with catalog.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    changed = [{**row, "price": str(float(row["price"]) + (place % 10 == 0))} for place, row in enumerate(rows)]
    for path, chosen in ((before, rows[:PRODUCTS]), (after, changed[3:])):
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(chosen)
