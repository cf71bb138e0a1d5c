"""How fast large PNGs are indexed: products a second of a build, against Pillow decoding and scaling in one go.

A third of the pictures are as a camera gives them, a third cut out (with alpha), a third on white; all have 4,000 x
3,000 pixels. The baseline is what builds did before: Pillow inflates with its own zlib, all of a cut-out is composited,
and the whole picture is scaled and looked at in one step each; no thumbnails. The two are run in turn, so that a machine
that slows down slows both. Counted is the time in which the stages run side by side, which grows with the catalog: what
comes before and after is the same for both (views of 120 products, which a small catalog would consist of, are left
out). Bar: ratio >= 1.5.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from unittest import mock

import numpy as np
from PIL import Image, ImageDraw

from embedder.catalogs.registry import open_catalog
from embedder.encoder import Encoder, open_encoder
from embedder.inputs import picture, preprocess
from embedder.inputs.kept_blocks import keeping_blocks
from embedder.inputs.picture import PictureBytes, PictureLimits, decode_picture
from indexer.building import decoding
from indexer.building.run import BuildResult, build
from indexer.settings import IndexerSettings
from indexer.stores.address import open_store
from tests.bench.bars import Bars, arguments
from tests.bench.prepared import demo_bundle

SIZE = (4000, 3000)
KINDS = ("photo", "cut out", "on white")


def main() -> None:
    """Measure, report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    count, rounds = (12, 2) if flags.short else (24, 5)
    encoder = open_encoder(demo_bundle(flags.data, flags.model), device="cpu")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for number in range(count):
            draw(number).save(folder / f"{KINDS[number % 3]} {number}.png")
        for kind in KINDS:
            data = next(folder.glob(f"{kind} *.png")).read_bytes()
            with as_before():
                before, expected = decoding_ms(data)
            with keeping_blocks(1):
                after, found = decoding_ms(data)
            assert np.array_equal(found, expected)
            bars.row(f"{kind}, {len(data) / 2**20:.1f} MiB: CPU time to RGB, ms", f"{after:.0f}", f"{before:.0f}")
        ratios, rates, whole = [], [], []
        for _ in range(rounds):
            with as_before():
                slow = built(folder, encoder, thumbnails=False)
            fast = built(folder, encoder, thumbnails=True)
            rates.append((rate(fast), rate(slow)))
            ratios.append(rates[-1][0] / rates[-1][1])
            whole.append((fast.products_per_s, slow.products_per_s))
    for place, stage in enumerate(fast.stages):
        bars.row(f"stage {stage.name}, s at work", f"{stage.busy_s:.2f}", f"{slow.stages[place].busy_s:.2f}")
    for name, pairs in (("products/s", rates), ("products/s, with what comes before and after", whole)):
        bars.row(name, *(f"{statistics.median(found):.2f}" for found in zip(*pairs, strict=True)))
    bars.row("ratio, each round", " ".join(f"{ratio:.2f}" for ratio in ratios))
    bars.at_least("index_decoding_ratio", statistics.median(ratios), 1.5)
    bars.report(f"Indexing {count} PNGs of 12 megapixels, {rounds} rounds")


def draw(number: int) -> Image.Image:
    """A picture with light that changes and a camera's grain: whole, cut out, or on white."""
    rng = np.random.default_rng(number)
    light = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize(SIZE, Image.Resampling.BICUBIC)
    grain = rng.normal(0, 3, (SIZE[1], SIZE[0], 1)).astype(np.int16)
    photo = Image.fromarray((np.asarray(light, dtype=np.int16) + grain).clip(0, 255).astype(np.uint8))
    outline = Image.new("L", (400, 300))
    ImageDraw.Draw(outline).ellipse((80, 40, 320, 260), fill=255)
    outline = outline.resize(SIZE, Image.Resampling.BICUBIC)
    match KINDS[number % 3]:
        case "photo":
            return photo
        case "cut out":
            clear = Image.new("RGBA", SIZE)
            photo.putalpha(outline)
            clear.paste(photo, mask=outline.point(lambda value: 255 * (value > 0)))
            return clear
        case _:
            white = Image.new("RGB", SIZE, "white")
            white.paste(photo, mask=outline)
            return white


@contextmanager
def as_before() -> Iterator[None]:
    """What builds did before, where it differs."""

    def by_pillow_alone(opened: Image.Image, data: bytes) -> Image.Image:
        opened.load()
        return opened

    def composited(image: Image.Image) -> Image.Image:
        def on_white(strip: Image.Image) -> Image.Image:
            white = Image.new("RGBA", strip.size, (255, 255, 255, 255))
            return Image.alpha_composite(white, strip.convert("RGBA")).convert("RGB")

        return picture._in_strips(image, on_white)

    with ExitStack() as stack:
        for module, name, value in (
            (picture, "load_png", by_pillow_alone),
            (picture, "_on_white", composited),
            (preprocess, "REDUCING_GAP", None),
            (decoding, "_LEAST_LOOKED_AT", max(SIZE)),
            (decoding, "keeping_blocks", lambda threads: nullcontext()),
        ):
            stack.enter_context(mock.patch.object(module, name, value))
        yield


def decoding_ms(data: bytes) -> tuple[float, np.ndarray]:
    """CPU time for decoding, the least of three, and what came out."""
    least = float("inf")
    for _ in range(3):
        started = time.process_time()
        image = decode_picture(PictureBytes(data), PictureLimits.for_catalog()).image
        least = min(least, time.process_time() - started)
    return least * 1000, np.asarray(image)


def rate(result: BuildResult) -> float:
    """Products a second, while the stages ran."""
    return result.manifest.products / (result.elapsed_s - result.outline_s - result.seal_s)


def built(folder: Path, encoder: Encoder, thumbnails: bool) -> BuildResult:
    """A build from the first row read to the new version being live; nothing is known of the pictures."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        settings = IndexerSettings(
            cache_dir=root / "cache",
            embedding_cache_mb=0,
            thumbnail_cache_mb=1024 if thumbnails else 0,
            # A batch is decoded by one thread: few pictures are to keep both at work.
            batch_size=2,
            match_views=0,
        )
        reader = open_catalog(f"folder:{folder}")
        result = build(reader, encoder, open_store(f"edge:{root / 'index'}"), settings, root / "rejects.jsonl")
        assert result.manifest.rejected == 0
        return result


if __name__ == "__main__":
    main()
