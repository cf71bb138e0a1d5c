"""What is not done twice: a second build of an unchanged catalog, and an update of a few products.

A catalog is built, and built again: bars are that nothing goes through the encoder, and that it takes at most 1.5 times as
long as loading an export of the same products, where no picture is looked at. Then 20 products change, round by round: an
update from a file of these must be at least 10 times as fast as a build of the whole catalog from the cache, and an export
of what either gives the same, byte by byte. All times are to the moment when the version is live; medians of rounds in
turn. Short: 2,000 products, one round.
"""

from __future__ import annotations

import random
import statistics
import tempfile
from contextlib import closing
from pathlib import Path

from embedder.catalogs.registry import open_catalog
from embedder.encoder import Encoder, open_encoder
from indexer.building.run import BuildResult, build
from indexer.settings import IndexerSettings
from indexer.stores.address import open_store
from indexer.transfer.export import PRODUCTS_FILE, export
from indexer.transfer.load import load
from indexer.updating.run import UpdateResult, update
from tests.bench.bars import Bars, arguments
from tests.bench.prepared import demo_bundle
from tests.bench.titled_catalog import changed, write_rows, write_titled

SEED = 0
CHANGED = 20


class Shop:
    """A catalog's file, a model, a cache, and stores that are called by a name."""

    def __init__(self, encoder: Encoder, folder: Path, products: int) -> None:
        self.encoder = encoder
        self.folder = folder
        self.catalog = write_titled(folder / "shop", products)
        self.settings = IndexerSettings(cache_dir=folder / "cache", drop_after_s=0)

    def build(self, store: str) -> BuildResult:
        """The catalog as it is now; what the cache knows is not embedded."""
        reader = open_catalog(str(self.catalog.path))
        return build(reader, self.encoder, self._store(store), self.settings, self.folder / "rejects.jsonl")

    def load(self, exported: Path, store: str) -> float:
        """Seconds."""
        return load(exported, self._store(store), self.settings).elapsed_s

    def update(self, places: list[int], turn: int, store: str) -> UpdateResult:
        """Change some products, in the catalog and by an update from a file of these alone."""
        rows = changed(self.catalog.rows, places, turn)
        for place, row in zip(places, rows, strict=True):
            self.catalog.rows[place] = row
        write_rows(self.catalog.path, self.catalog.rows)
        changes = self.catalog.path.with_name("changes.jsonl")
        write_rows(changes, rows)
        reader = open_catalog(str(changes))
        return update(reader, (), self.encoder, self._store(store), self.settings, self.folder / "rejects.jsonl")

    def export(self, store: str) -> Path:
        """What the live version holds, as a folder."""
        with closing(self._store(store).open()) as reader:
            export(reader, self.folder / f"{store}-export")
        return self.folder / f"{store}-export"

    def _store(self, name: str):
        return open_store(f"edge:{self.folder / name}")


def main() -> None:
    """Measure, report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    products, rounds = (2_000, 1) if flags.short else (20_000, 3)
    encoder = open_encoder(demo_bundle(flags.data, flags.model), device="cpu", precision="auto")
    with tempfile.TemporaryDirectory() as temporary:
        shop = Shop(encoder, Path(temporary), products)
        first = shop.build("index")
        measure_again(bars, shop, first, rounds)
        measure_update(bars, shop, rounds)
    bars.report(f"{products:,} products in Qdrant Edge, {rounds} rounds")


def measure_again(bars: Bars, shop: Shop, first: BuildResult, rounds: int) -> None:
    """The second build, and what loading takes."""
    exported = shop.export("index")
    again, loaded = [], []
    for _ in range(rounds):
        loaded.append(shop.load(exported, "loaded"))
        again.append(shop.build("index"))
    encoded = sum(item.pictures_embedded + item.titles_embedded + item.further_embedded for item in again)
    middle = sorted(again, key=lambda item: item.elapsed_s)[rounds // 2]
    load_s = statistics.median(loaded)
    bars.row("first build, s", f"{first.elapsed_s:.1f}")
    bars.row("second build, s", f"{middle.elapsed_s:.1f}", f"{load_s:.1f} loading an export")
    parts = (middle.outline_s, middle.elapsed_s - middle.outline_s - middle.seal_s, middle.seal_s)
    bars.row("  outline, stages, sealing", ", ".join(f"{part:.1f}" for part in parts))
    bars.row("  at work", ", ".join(f"{stage.name} {stage.share:.0%}" for stage in middle.stages))
    bars.at_most("index_second_build_encoded", encoded, 0)
    bars.at_most("index_second_build_ratio", middle.elapsed_s / load_s, 1.5)


def measure_update(bars: Bars, shop: Shop, rounds: int) -> None:
    """Updates, each beside a build of what the catalog then is."""
    chosen = random.Random(SEED)
    updated, rebuilt, differing = [], [], 0
    for turn in range(rounds):
        places = sorted(chosen.sample(range(len(shop.catalog.rows)), CHANGED))
        done = shop.update(places, turn, "index")
        assert (done.written, done.unchanged) == (CHANGED, 0)
        updated.append(done.elapsed_s)
        rebuilt.append(shop.build("rebuilt").elapsed_s)
        one, other = ((shop.export(store) / PRODUCTS_FILE).read_bytes() for store in ("index", "rebuilt"))
        differing += one != other
    update_s, build_s = statistics.median(updated), statistics.median(rebuilt)
    bars.row(f"update of {CHANGED} products, s", f"{update_s:.2f}", f"{build_s:.1f} build from the cache")
    bars.at_least("index_update_speedup", build_s / update_s, 10.0)
    bars.at_most("index_update_exports_that_differ", differing, 0)


if __name__ == "__main__":
    main()
