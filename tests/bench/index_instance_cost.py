"""What the instance part costs: solving for it, encoding a picture with it, and searching with the longer vectors.

Bars: closed form on 20,000 products with two pictures each, levels at hand, at most 20 s; encoding with both parts at
most 1.10 times the semantic part alone at the same size, medians in turn; the median search among 100,000 products at
most 1.25 times that of vectors of 384 values. Short: 5,000 products to solve for, 20,000 to search (with a graph).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx.utils
import onnxruntime

from embedder import bundle
from embedder.index_space import MAX_DIM
from embedder.training.instance.whitening import LevelSamples, fit_instance
from indexer.filters.schema import Schema
from indexer.stores.edge.arguments import EdgeArguments
from indexer.stores.edge.shard import Shard
from indexer.stores.protocol import Batch, QueryPart
from indexer.versions.layout import VectorLayout
from tests.bench.bars import Bars, arguments
from tests.bench.prepared import demo_bundle

WIDTHS = (16, 24, 40, 80, 112, 192, 320, 1280)
"""Of the starter's levels."""

TODAY = 384
ROUNDS = 60


def main() -> None:
    """Measure all three, report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    products = 5_000 if flags.short else 20_000
    seconds = closed_form_s(products)
    bars.row(f"closed form, {products:,} products of two pictures", f"{seconds:.1f} s")
    bars.at_most("instance_closed_form_s", seconds, 20.0)
    both, alone = encoding_s(demo_bundle(flags.data, flags.model))
    bars.row("encoding one picture, median", f"{both * 1000:.2f} ms", f"{alone * 1000:.2f} ms, semantic part alone")
    bars.at_most("instance_encoding_ratio", both / alone, 1.10)
    indexed = 20_000 if flags.short else 100_000
    longer, today = searching_s(indexed)
    bars.row(f"search among {indexed:,}, median", f"{longer * 1000:.2f} ms", f"{today * 1000:.2f} ms, {TODAY} values")
    bars.at_most("instance_search_ratio", longer / today, 1.25)
    bars.report("What the instance part costs")


def closed_form_s(products: int) -> float:
    """Seconds to solve for the map; levels of products that differ in as many directions as real ones."""
    rng = np.random.default_rng(0)
    total = sum(WIDTHS)
    basis = rng.standard_normal((300, total), dtype=np.float32) / 17
    mains = rng.standard_normal((products, 300), dtype=np.float32) @ basis
    others = mains + 0.5 * rng.standard_normal((products, 300), dtype=np.float32) @ basis
    levels = np.concatenate([mains, others]).astype(np.float16)
    owners = np.concatenate([np.arange(products)] * 2)
    started = time.perf_counter()
    fit_instance(LevelSamples(levels, owners, WIDTHS), 192)
    return time.perf_counter() - started


def encoding_s(folder: Path) -> tuple[float, float]:
    """Median seconds of one picture through the whole graph, and through the semantic part of it, in turn."""
    path = folder / bundle.IMAGE_ONNX
    found = bundle.load_info(folder).level_widths
    if found != WIDTHS:
        raise SystemExit(
            f"{folder} has levels of {found}, not {WIDTHS}; next step: delete it, or name another by --model"
        )
    with tempfile.TemporaryDirectory() as temporary:
        alone = Path(temporary) / "semantic.onnx"
        onnx.utils.extract_model(str(path), str(alone), ["pixels"], ["embeddings"])
        sessions = [
            onnxruntime.InferenceSession(str(each), providers=["CPUExecutionProvider"]) for each in (path, alone)
        ]
    height, width = bundle.load_info(folder).preprocessing.size
    pixels = np.random.default_rng(0).standard_normal((1, 3, height, width), dtype=np.float32)
    whole, part = _in_turn([lambda each=each: each.run(None, {"pixels": pixels}) for each in sessions])
    return whole, part


def searching_s(products: int) -> tuple[float, float]:
    """Median seconds of a search for 20 among as many products, with vectors of both lengths, in turn."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as temporary:
        shards, asked = [], []
        for dim in (MAX_DIM, TODAY):
            shard, vectors = _shard(Path(temporary) / str(dim), dim, products, rng)
            shards.append(shard)
            asked.append([QueryPart(vector) for vector in vectors[:ROUNDS]])
        medians = _in_turn(
            [
                lambda turn=iter(parts), shard=shard: shard.query([next(turn)], [1.0], 20, None, "balanced")
                for shard, parts in zip(shards, [each * 2 for each in asked], strict=True)
            ]
        )
        for shard in shards:
            shard.close()
    return medians[0], medians[1]


def _shard(folder: Path, dim: int, products: int, rng: np.random.Generator) -> tuple[Shard, npt.NDArray[np.float32]]:
    # A few hundred kinds, as catalogs have: evenly spread vectors have no near neighbours to search for.
    centers = rng.standard_normal((300, dim), dtype=np.float32)
    shard = Shard.create(folder, VectorLayout(dim), EdgeArguments(graph_above=10_000))
    first = np.empty((0, dim), dtype=np.float32)
    for start in range(0, products, 5_000):
        kinds = rng.integers(len(centers), size=5_000)
        vectors = centers[kinds] + 0.7 * rng.standard_normal((5_000, dim), dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        names = [str(start + row) for row in range(5_000)]
        shard.upsert(Batch(names, vectors, [{"product_id": name, "title": f"product {name}"} for name in names]))
        first = vectors if start == 0 else first
    shard.optimize(Schema({}))
    shard.flush()
    return shard, first


def _in_turn(calls: list[Callable[[], object]]) -> list[float]:
    """Median seconds of each, called in turn so that both meet the same noise; the first round does not count."""
    spent: list[list[float]] = [[] for _ in calls]
    for turn in range(ROUNDS + 1):
        for call, times in zip(calls, spent, strict=True):
            started = time.perf_counter()
            call()
            if turn:
                times.append(time.perf_counter() - started)
    return [float(np.median(times)) for times in spent]


if __name__ == "__main__":
    main()
