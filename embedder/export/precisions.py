"""`python -m embedder export --catalog`: a bundle with graphs in further precisions, measured, and the decision.

All is measured on the catalog's validation and training products; test products stay unseen.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from embedder import bundle
from embedder.catalogs.captions import title_of
from embedder.catalogs.product import Product
from embedder.encoder import Encoder, open_encoder
from embedder.errors import TrainingError
from embedder.export.quantized_graphs import write_fp16, write_int8_image, write_int8_text
from embedder.inputs.pixels import PixelReader, Pixels, map_ahead
from embedder.inputs.street_views import training_view
from embedder.precision import TOWERS, GraphFigures, Precision, Tower, TowerPrecision, graph_file
from embedder.runtimes.onnx import OnnxRuntime
from embedder.settings import EmbedderSettings
from embedder.training.split_products import TrainRequest, load_everything, split_products

CALIBRATED_ON = 96
"""Training pictures by which the ranges of activations are set, a third of them as photos."""

GALLERY, QUERIES = 2_000, 2_000
"""Products that are searched, and titles and photos that search, at most."""

FEWEST_QUERIES = 200
"""With fewer of them half a point cannot be told from chance, and fp32 stays."""

MOST_LOST = 0.005
LEAST_FASTER = 0.9
"""Of fp32's time: a precision that saves less is not worth another space of rounding."""

COMPARED = 256
"""Pictures and titles that torch computes too."""

_TIMED = 60
_BATCH = 32

_log = logging.getLogger(__name__)


def add_precisions(
    source: Path, request: TrainRequest, config: EmbedderSettings, wanted: Sequence[Precision] = ("fp16", "int8")
) -> bundle.BundleInfo:
    """Write a bundle with further graphs; one at the request's `out` is replaced only when the new one is whole.

    Args:
        source: the bundle; it may be `request.out` itself.
        request: the catalog; its `out` is where the bundle goes.
        config: seed, limits, cache.
        wanted: precisions besides fp32.

    Raises:
        CatalogError, BundleError: see `embedder.errors`.
        TrainingError: the catalog has no products that can be looked at.
    """
    info = bundle.load_info(source)
    bundle.verify_files(source, info)
    seen = _Seen.of(source, request, config)
    with bundle.replace_folder(request.out) as folder:
        shutil.copytree(source, folder, dirs_exist_ok=True)
        for tower, precision in _graphs(wanted):
            _write(folder, tower, precision, seen)
        precisions = {
            "image": _decide(_measure_image(folder, seen, wanted)),
            "text": _decide(_measure_text(folder, seen, wanted)),
        }
        for tower, precision in _graphs(wanted):
            if precision not in precisions[tower].measured:
                (folder / graph_file(tower, precision)).unlink(missing_ok=True)
        (folder / bundle.BUNDLE_FILE).unlink()
        kept = {item.name: getattr(info, item.name) for item in fields(info)}
        described = {name: value for name, value in kept.items() if name not in ("fingerprint", "files")}
        return bundle.seal(folder, **{**described, "precisions": precisions})


def _graphs(wanted: Sequence[Precision]) -> list[tuple[Tower, Precision]]:
    return [(tower, precision) for tower in TOWERS for precision in wanted if precision != "fp32"]


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What everything is measured on.

    Attributes:
        encoder: the bundle in torch, in fp32 on the CPU.
        calibration: preprocessed training pictures, and photos of some, float32 (3, height, width) each.
        products: g of them, that are searched; validation products first.
        pixels: of their main pictures, float32 (g, 3, height, width).
        photos: of the first of them, float32 (q, 3, height, width).
        titles: distinct ones of the products.
    """

    encoder: Encoder
    calibration: list[npt.NDArray[np.float32]]
    products: list[Product]
    pixels: npt.NDArray[np.float32]
    photos: npt.NDArray[np.float32]
    titles: list[str]

    @classmethod
    def of(cls, source: Path, request: TrainRequest, config: EmbedderSettings) -> _Seen:
        """Read the pictures, float32 as `Encoder.preprocess` gives them; one that cannot be read is left out.

        Raises:
            TrainingError: fewer than 2 products can be looked at.
        """
        encoder = open_encoder(source, "torch", device="cpu")
        split = split_products(request, config, load_everything(request, config))
        reader = PixelReader(encoder.preprocessing, config.picture_limits())

        def read(products: Sequence[Product], photos: bool) -> list[tuple[Product, npt.NDArray[np.float32]]]:
            def one(numbered: tuple[int, Product]) -> tuple[Product, object]:
                number, product = numbered
                change = (lambda image: training_view(image, number)) if photos else None
                return product, reader.try_read(product.pictures[0].source, change)

            with closing(map_ahead(one, enumerate(products), config.decode_threads, reader.ahead)) as found:
                return [(product, outcome.values) for product, outcome in found if isinstance(outcome, Pixels)]

        searched = read([*split.validation, *split.training][:GALLERY], photos=False)
        if len(searched) < 2:
            raise TrainingError(
                f"catalog {request.catalog!r} has {len(searched)} products with readable pictures outside its test "
                "products; permitted: 2 or more, to measure precisions on"
            )
        products = [product for product, _ in searched]
        queries = products[: min(QUERIES, max(FEWEST_QUERIES, len(split.validation)))]
        shown = split.training[: CALIBRATED_ON * 2 // 3]
        calibration = [*read(shown, photos=False), *read(shown[: CALIBRATED_ON // 3], photos=True)]
        photos = [values for _, values in read(queries, photos=True)]
        return cls(
            encoder,
            [values for _, values in calibration] or [values for _, values in searched[:CALIBRATED_ON]],
            products,
            np.stack([values for _, values in searched]),
            np.stack(photos),
            list(dict.fromkeys(title for product in products if (title := title_of(product))))[:QUERIES],
        )


def _write(folder: Path, tower: Tower, precision: Precision, seen: _Seen) -> None:
    source, target = (folder / graph_file(tower, each) for each in ("fp32", precision))
    if precision == "fp16":
        write_fp16(source, target)
    elif tower == "text":
        write_int8_text(source, target)
    else:
        write_int8_image(source, target, seen.calibration)


def _open(folder: Path, tower: Tower, precision: Precision) -> OnnxRuntime:
    return OnnxRuntime(folder, threads=1, text_threads=1, precisions={tower: precision})


def _in_batches(
    run: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]], pixels: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    return np.concatenate([run(pixels[start : start + _BATCH]) for start in range(0, len(pixels), _BATCH)])


def _measure_image(folder: Path, seen: _Seen, wanted: Sequence[Precision]) -> dict[Precision, GraphFigures]:
    """Photos that find their product first, both computed in each precision."""
    encoder = seen.encoder

    def vectors(runtime: OnnxRuntime, pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return _in_batches(lambda some: encoder.index_vectors(runtime.embed_pixels(some)), pixels)

    expected = _in_batches(encoder.embed_pixels, seen.pixels[:COMPARED])
    runtimes = {precision: _open(folder, "image", precision) for precision in ("fp32", *wanted)}
    times = _times(
        {name: partial(_one_picture, runtime, seen.pixels) for name, runtime in runtimes.items()}, len(seen.pixels)
    )
    found: dict[Precision, GraphFigures] = {}
    for precision, runtime in runtimes.items():
        gallery = vectors(runtime, seen.pixels)
        queries = encoder.space.queries(vectors(runtime, seen.photos))[0]
        # Of products that share a picture any may come first; they are few, and the same for all precisions.
        recall = float(((queries @ gallery.T).argmax(axis=1) == np.arange(len(queries))).mean())
        figures = _figures(
            folder, "image", precision, times[precision], gallery[: len(expected)], expected, recall, len(queries)
        )
        if figures is not None:
            found[precision] = figures
    return found


def _measure_text(folder: Path, seen: _Seen, wanted: Sequence[Precision]) -> dict[Precision, GraphFigures]:
    """Titles that find a product of theirs among the first ten, whose pictures are embedded in fp32."""
    encoder = seen.encoder
    batches = [
        encoder.tokenize(seen.titles[start : start + _BATCH]).ids for start in range(0, len(seen.titles), _BATCH)
    ]
    singles = [encoder.tokenize([title]).ids for title in seen.titles[:_TIMED]]
    if not batches:
        return {}
    image = _open(folder, "image", "fp32")
    gallery = _in_batches(lambda some: image.embed_pixels(some).embeddings, seen.pixels)
    owners = np.asarray([title_of(product) for product in seen.products], dtype=object)
    expected = encoder.semantic_texts(seen.titles[:COMPARED])
    runtimes = {precision: _open(folder, "text", precision) for precision in ("fp32", *wanted)}
    times = _times({name: partial(_one_text, runtime, singles) for name, runtime in runtimes.items()}, len(singles))
    found: dict[Precision, GraphFigures] = {}
    for precision, runtime in runtimes.items():
        texts = np.concatenate([runtime.embed_tokens(batch).embeddings for batch in batches])
        nearest = np.argsort(-(texts @ gallery.T), axis=1, kind="stable")[:, :10]
        right = owners[nearest] == np.asarray(seen.titles, dtype=object)[:, None]
        figures = _figures(
            folder, "text", precision, times[precision], texts[: len(expected)], expected,
            float(right.any(axis=1).mean()), len(texts),
        )  # fmt: skip
        if figures is not None:
            found[precision] = figures
    return found


def _one_picture(runtime: OnnxRuntime, pixels: npt.NDArray[np.float32], row: int) -> None:
    runtime.embed_pixels(pixels[row : row + 1])


def _one_text(runtime: OnnxRuntime, tokens: Sequence[npt.NDArray[np.int64]], row: int) -> None:
    runtime.embed_tokens(tokens[row])


def _times(calls: dict[Precision, Callable[[int], object]], rows: int) -> dict[Precision, float]:
    """Median milliseconds of each call, taken in turn: what else the machine does slows all alike."""
    times: dict[Precision, list[float]] = {name: [] for name in calls}
    for turn in range(_TIMED + 3):
        for name, call in calls.items():
            started = time.perf_counter()
            call(turn % rows)
            # The first calls pay for what comes later.
            if turn >= 3:
                times[name].append(time.perf_counter() - started)
    return {name: 1000 * float(np.median(values)) for name, values in times.items()}


def _figures(
    folder: Path,
    tower: Tower,
    precision: Precision,
    median_ms: float,
    found: npt.NDArray[np.float32],
    expected: npt.NDArray[np.float32],
    recall: float,
    queries: int,
) -> GraphFigures | None:
    """What was measured of a graph; None where it gives no numbers."""
    cosines = (found * expected).sum(axis=1)
    if not np.isfinite(found).all():
        _log.warning("%s tower in %s: values that are no numbers; the graph is left out", tower, precision)
        return None
    figures = GraphFigures(
        (folder / graph_file(tower, precision)).stat().st_size,
        round(median_ms, 3),
        float(cosines.min()),
        float(np.median(cosines)),
        recall,
        queries,
    )
    _log.info(
        "%s tower in %s: %.1f MB, %.2f ms, cosine with torch %.4f at least, %.4f median; recall %.4f of %d",
        tower,
        precision,
        figures.bytes / 1e6,
        figures.median_ms,
        figures.least_cosine,
        figures.median_cosine,
        recall,
        queries,
    )
    return figures


def _decide(measured: dict[Precision, GraphFigures]) -> TowerPrecision:
    """int8 where it costs nearly nothing and is faster; else fp32, and why."""
    before, after = measured.get("fp32"), measured.get("int8")
    if before is None or after is None:
        return TowerPrecision("fp32", "nothing was measured of int8", measured)
    lost = before.recall - after.recall
    share = after.median_ms / before.median_ms
    said = f"int8 loses {100 * lost:.2f} points of {before.queries} queries, in {share:.2f} of the time"
    if before.queries < FEWEST_QUERIES:
        said += f"; fewer than {FEWEST_QUERIES} queries tell nothing"
    elif lost > MOST_LOST:
        said += f"; permitted: {100 * MOST_LOST:.1f} points"
    elif share > LEAST_FASTER:
        said += f"; worth it from {LEAST_FASTER} of the time on"
    else:
        return TowerPrecision("int8", said, measured)
    return TowerPrecision("fp32", said, measured)
