"""A version's graph is compared with exact search before it is sealed, and serves with what was found."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from qdrant_client import QdrantClient

from indexer.errors import StoreUnavailable, VersionIncomplete
from indexer.stores.edge.arguments import EdgeArguments
from indexer.stores.edge.shard import Shard
from indexer.stores.edge.store import EdgeStore
from indexer.stores.protocol import Batch, QueryPart, Store, VersionReader, WordVector
from indexer.stores.qdrant.store import QdrantStore
from indexer.versions.effort_measuring import LADDER, index_and_measure, measure_effort
from indexer.versions.examination import examine
from indexer.versions.graph_effort import GraphEffort
from indexer.versions.manifest import Manifest
from indexer.versions.recall import noisy_copies
from indexer.words.text_index import Bm25Settings, TextIndex
from tests.indexer.conftest import Shelf, load, manifest_of, shelf, unit_rows

PRODUCTS, DIM = 2_800, 1_024
"""Edge builds no graph of less than 10 MB of vectors."""

GRAPHS = EdgeArguments(graph_above=100)


def clustered(count: int, seed: int) -> np.ndarray:
    """Unit vectors around 40 centers, float32 (count, DIM)."""
    near = unit_rows(40, 1, DIM)[np.random.default_rng(seed).integers(0, 40, count)]
    rows = near + 0.7 * unit_rows(count, seed, DIM)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


WORDED = TextIndex(0, Bm25Settings("english", 3.0))


def with_words(batches: Iterable[Batch]) -> Iterator[Batch]:
    """Each product with a word beside its picture."""
    for batch in batches:
        yield replace(batch, words=[WordVector((number % 50,), (1.0,)) for number in range(len(batch.product_ids))])


@dataclass
class Large:
    """A store with one finished version, measured before it was sealed."""

    store: EdgeStore
    manifest: Manifest
    asked: np.ndarray


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Large:
    products = shelf(PRODUCTS)
    things = Shelf(products.payloads, clustered(PRODUCTS, 2), products.schema)
    store = EdgeStore(tmp_path_factory.mktemp("large"), GRAPHS)
    begun = manifest_of(things, texts=WORDED)
    writer = store.create(begun)
    for batch in with_words(things.batches(500)):
        writer.upsert(batch)
    asked = clustered(60, 3)
    full = replace(begun, state="ready", products=PRODUCTS)
    manifest, _ = index_and_measure(writer, full, 0.99, lambda: {"image": {"pictures": asked}})
    # A kill before this leaves a version that cannot go live.
    with pytest.raises(VersionIncomplete, match="'building'"):
        store.activate(begun.version)
    writer.finish(manifest)
    store.activate(begun.version)
    return Large(store, manifest, asked)


def recall_of(large: Large, effort: str | int) -> float:
    """Recall among the first ten of queries that were not measured with."""
    with closing(large.store.open()) as reader:
        shares = []
        for query in clustered(60, 4):
            exact, found = (
                {item.product_id for item in reader.query([QueryPart(query)], [1.0], 10, None, each)}
                for each in ("exact", effort)
            )
            shares.append(len(exact & found) / 10)
    return float(np.mean(shares))


def test_the_manifest_says_how_many_candidates_are_enough(large: Large) -> None:
    assert large.store.versions()[0] == large.manifest
    (found,) = large.manifest.effort.values()
    assert set(large.manifest.effort) == {"image"}
    assert found.balanced in LADDER
    assert found.fast in LADDER
    assert found.fast <= found.balanced < 128
    assert set(found.recall) == {"pictures", "filtered"}
    assert min(found.recall.values()) >= 0.99
    assert min(found.fast_recall.values()) >= 0.95
    assert found.queries == 120


def test_searches_look_at_as_many(large: Large, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    params = Shard._search_params

    def noted(self: Shard, *arguments):
        found = params(self, *arguments)
        asked.append(found.hnsw_ef)
        return found

    monkeypatch.setattr(Shard, "_search_params", noted)
    effort = large.manifest.effort["image"]
    with closing(large.store.open()) as reader:
        for each in ("balanced", "fast"):
            reader.query([QueryPart(large.asked[0])], [1.0], 10, None, each)
    operators = EdgeStore(large.store._root, EdgeArguments(search_candidates=200, fast_candidates=20))
    with closing(operators.open()) as reader:
        for each in ("balanced", "fast"):
            reader.query([QueryPart(large.asked[0])], [1.0], 10, None, each)
    assert asked == [effort.balanced, effort.fast, 200, 20]


def test_other_queries_find_as_much(large: Large) -> None:
    assert recall_of(large, "balanced") >= 0.98
    assert recall_of(large, "fast") >= 0.93


def test_without_held_out_queries_noisy_copies_of_products_ask(large: Large) -> None:
    with closing(large.store.open()) as reader:
        (found,) = measure_effort(reader, large.manifest, 0.99).values()
        few = measure_effort(reader, large.manifest, 0.99, {"image": {"texts": clustered(5, 5)}})
    assert set(found.recall) == {"noisy copies", "filtered"}
    assert set(few["image"].recall) == {"noisy copies", "filtered"}


class LosesTheFirst:
    """A reader whose graph never finds the nearest product."""

    def __init__(self, reader: VersionReader) -> None:
        self._reader = reader
        self.scan, self.fetch_many = reader.scan, reader.fetch_many

    def query(self, parts, weights, limit, where=None, effort="balanced"):
        found = self._reader.query(parts, weights, limit, where, effort)
        return found if effort == "exact" else found[1:]


def test_a_recall_that_no_effort_reaches_is_told_with_figures(large: Large, caplog: pytest.LogCaptureFixture) -> None:
    with closing(large.store.open()) as reader, caplog.at_level(logging.WARNING):
        found = measure_effort(LosesTheFirst(reader), large.manifest, 0.99)
    assert found["image"].balanced == found["image"].fast == LADDER[-1]
    assert found["image"].recall["noisy copies"] == pytest.approx(0.9, abs=0.01)
    assert re.search(r"finds 0\.9\d\d \(noisy copies\).* with 512 candidates; wanted: 0\.99.*next step", caplog.text)


def test_a_store_that_cannot_answer_exactly_fails_no_build(large: Large, caplog: pytest.LogCaptureFixture) -> None:
    class TooSlow(LosesTheFirst):
        def query(self, *arguments):
            raise StoreUnavailable("it took longer than qdrant.timeout_s")

    with closing(large.store.open()) as reader, caplog.at_level(logging.WARNING):
        assert measure_effort(TooSlow(reader), large.manifest, 0.99) == {}
    assert "longer than qdrant.timeout_s" in caplog.text


def test_when_time_does_not_suffice_fixed_numbers_serve(large: Large, caplog: pytest.LogCaptureFixture) -> None:
    with closing(large.store.open()) as reader, caplog.at_level(logging.WARNING):
        assert measure_effort(reader, large.manifest, 0.99, most_s=0.0) == {"image": GraphEffort()}
    assert "fixed numbers serve" in caplog.text


def test_nothing_is_measured_where_nobody_wants_to_know(large: Large) -> None:
    with closing(large.store.open()) as reader:
        assert measure_effort(reader, large.manifest, 0.0) == {}


@pytest.fixture(params=["edge", "qdrant"])
def without_graph(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "edge":
        yield EdgeStore(tmp_path / "index")
        return
    client = QdrantClient(":memory:")
    yield QdrantStore(client, "qdrant://memory/shop", "shop")
    client.close()


@pytest.mark.parametrize("texts", [None, WORDED], ids=["pictures", "words"])
def test_where_there_is_no_graph_there_is_nothing_to_measure(without_graph: Store, texts: TextIndex | None) -> None:
    things = shelf(61)
    begun = manifest_of(things, texts=texts)
    writer = without_graph.create(begun)
    for batch in things.batches() if texts is None else with_words(things.batches()):
        writer.upsert(batch)
    # Words are indexed, also those of a product that went.
    writer.delete(things.ids[-1:])
    manifest, _ = index_and_measure(writer, replace(begun, state="ready", products=60), 0.99)
    assert manifest.effort == {}
    writer.finish(manifest)
    writer.abort()
    with closing(without_graph.open(begun.version)) as reader:
        assert reader.count() == 60
        (recall,) = (finding for finding in examine(reader, manifest) if finding.name == "recall")
    assert "there is no graph" in recall.said


INDEXED = """
import sys, time
from dataclasses import replace
from pathlib import Path
from indexer.stores.edge.store import EdgeStore
from tests.indexer.conftest import manifest_of, shelf
things = shelf(20)
begun = manifest_of(things)
writer = EdgeStore(Path(sys.argv[1])).create(begun)
writer.upsert(things.batches()[0])
writer.index(replace(begun, state="ready", products=20))
print(begun.version, flush=True)
time.sleep(60)
"""


def test_a_kill_while_it_is_measured_leaves_the_live_version_and_one_that_the_next_build_clears(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path / "index")
    live = load(store, shelf(10)).version
    store.activate(live)
    with subprocess.Popen(
        [sys.executable, "-c", INDEXED, str(tmp_path / "index")], stdout=subprocess.PIPE, text=True
    ) as builder:
        assert builder.stdout is not None
        killed = builder.stdout.readline().strip()
        builder.kill()
    assert {item.version: item.state for item in store.versions()} == {live: "ready", killed: "building"}
    assert store.live_version() == live
    assert store.drop_unfinished(0) == (killed,)
    store.open().close()


def test_noisy_copies_are_all_as_far_from_their_products() -> None:
    held = unit_rows(30, 6)
    copies = noisy_copies(held)
    assert np.sum(copies * held, axis=1) == pytest.approx(0.8, abs=1e-5)
    assert np.linalg.norm(copies, axis=1) == pytest.approx(1.0, abs=1e-5)
