"""Searching a graph with as many candidates as were measured to be enough, against the fixed number of earlier releases.

60,000 products in clusters, 512 values each, in Edge with a graph and payload indexes. What is measured is measured with
100 queries; recall among the first 10 and latency are then taken of other ones, without a filter and with filters that a
half and a fifth of the products pass (below a twentieth Edge compares with all that pass). Bars: recall at least 0.99,
and a median at most that of 128 candidates, in turn. Short: 20,000 products.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from indexer.filters.expression import Expression
from indexer.filters.schema import FieldType, Schema
from indexer.stores.edge.arguments import EdgeArguments
from indexer.stores.edge.shard import Shard
from indexer.stores.protocol import Batch
from indexer.versions.effort_measuring import measure_effort, sample_products
from indexer.versions.graph_effort import BALANCED, GraphEffort, describe_efforts
from indexer.versions.layout import VectorLayout
from indexer.versions.manifest import Manifest
from indexer.versions.recall import ExactAnswer, Vectors, exact_answers, graph_queries, recall
from indexer.versions.varied_filters import varied_filters
from tests.bench.bars import Bars, arguments

DIM = 512
CLUSTERS = 300
QUERIES = 200
WANTED = 0.99
ARGUMENTS = EdgeArguments(graph_above=10_000)
SCHEMA = Schema({"color": FieldType.KEYWORD, "size": FieldType.KEYWORD})


def main() -> None:
    """Fill, measure, compare, report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    products = 20_000 if flags.short else 60_000
    rng = np.random.default_rng(0)
    centers = rng.standard_normal((CLUSTERS, DIM), dtype=np.float32)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "shard"
        _fill(folder, centers, products, rng)
        shard = Shard.load(folder, VectorLayout(DIM), ARGUMENTS)
        filters = varied_filters(SCHEMA, sample_products(shard)[0])[:2]
        started = time.perf_counter()
        found = measure_effort(shard, _manifest(), WANTED, {"image": {"pictures": _near(centers, 100, rng)}})
        measured_s = time.perf_counter() - started
        _compare(bars, shard, found["image"], _near(centers, QUERIES, rng), filters)
        shard.close()
    bars.row(f"measuring, {products:,} products", f"{measured_s:.1f} s")
    for line in describe_efforts(found, measured_s):
        print(line)
    bars.report("Candidates of the graph: as measured, against a fixed number")


def _compare(bars: Bars, shard: Shard, found: GraphEffort, asked: Vectors, filters: Sequence[Expression]) -> None:
    efforts = (found.balanced, BALANCED)
    for name, where in (("plain", ()), ("filtered", filters)):
        groups = graph_queries("image", {"plain": asked}, where)[-1:]
        answers = exact_answers(shard, groups, time.monotonic() + 3_600)
        (measured,), (before,) = (recall(shard, answers, effort).values() for effort in efforts)
        spent = _medians_ms(shard, answers, efforts)
        bars.row(f"recall@10, {name}, {efforts[0]} candidates", f"{measured:.4f}", f"{before:.4f}, {efforts[1]}")
        bars.row(f"median, {name}", f"{spent[0]:.2f} ms", f"{spent[1]:.2f} ms")
        bars.at_least(f"index_effort_{name}_recall", measured, WANTED)
        bars.at_most(f"index_effort_{name}_latency_ratio", spent[0] / spent[1], 1.0)


def _medians_ms(shard: Shard, answers: Sequence[ExactAnswer], efforts: Sequence[int]) -> list[float]:
    """Of the same queries, the efforts in turn, so that all meet the same noise."""
    spent: list[list[float]] = [[] for _ in efforts]
    for answer in answers:
        for effort, times in zip(efforts, spent, strict=True):
            started = time.perf_counter()
            shard.query([answer.query.part], [1.0], 10, answer.query.where, effort)
            times.append((time.perf_counter() - started) * 1e3)
    return [float(np.median(times)) for times in spent]


def _fill(folder: Path, centers: Vectors, products: int, rng: np.random.Generator) -> None:
    shard = Shard.create(folder, VectorLayout(DIM), ARGUMENTS)
    for start in range(0, products, 5_000):
        names = [str(start + row) for row in range(5_000)]
        payloads = [
            {
                "product_id": name,
                "title": f"product {name}",
                "attributes": {"color": str(rng.integers(2)), "size": str(rng.integers(5))},
            }
            for name in names
        ]
        shard.upsert(Batch(names, _near(centers, 5_000, rng), payloads))
    shard.optimize(SCHEMA)
    shard.flush()
    shard.close()


def _near(centers: Vectors, count: int, rng: np.random.Generator) -> Vectors:
    """Unit vectors around the centers: evenly spread ones have no near neighbours to search for."""
    near = centers[rng.integers(len(centers), size=count)]
    vectors = near + np.float32(0.7) * rng.standard_normal((count, DIM), dtype=np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def _manifest() -> Manifest:
    return Manifest("v1", "bench", "random vectors", "", "", DIM, schema=SCHEMA)


if __name__ == "__main__":
    main()
