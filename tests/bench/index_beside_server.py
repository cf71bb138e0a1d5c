"""Searches on a running server while the catalog is indexed anew, the new version goes live, and old ones are deleted.

Fifty searches a second are sent whatever the answers take, each once. Meanwhile `indexer build` runs with nothing in its
cache, then `indexer gc` deletes all that may go. Bars: none fails, and all are answered by the version that the server
opened. Latency is shown, beside that of the quiet server: what a build takes, a search waits
for. Short: 1,000 products instead of 20,000.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from indexer.stores.address import open_store
from tests.bench.bars import Bars, arguments
from tests.bench.prepared import command, demo_bundle, server
from tests.bench.titled_catalog import write_titled
from tests.steady_searches import Answer, SteadySearches

PER_S = 50
QUIET_S, SHORT_QUIET_S = 20.0, 3.0
TEXTS = 50
LATE_S = 1.0


def main() -> None:
    """Serve, index, report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    products, quiet_s = (1_000, SHORT_QUIET_S) if flags.short else (20_000, QUIET_S)
    bundle = demo_bundle(flags.data, flags.model)
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        catalog = write_titled(root / "shop", products)
        store = f"edge:{root / 'index'}"
        flagged = ("--catalog", str(catalog.path), "--model", str(bundle), "--store", store)
        command("indexer", "build", *flagged, "--cache-dir", str(root / "cache"))
        opened = open_store(store).live_version()
        texts = [row["title"] for row in islice(catalog.rows, TEXTS)]
        with server(bundle, store) as target, SteadySearches(target, texts, PER_S) as searches:
            searches.during = "warming up"
            time.sleep(quiet_s / 4)
            searches.during = "quiet"
            time.sleep(quiet_s)
            searches.during = "build and flip"
            command("indexer", "build", *flagged, "--cache-dir", str(root / "empty"))
            searches.during = "gc, and after it"
            command("indexer", "gc", "--store", store, "--keep", "0", "--drop-after-s", "0")
            time.sleep(quiet_s)
        flipped = open_store(store).live_version()
    assert flipped != opened
    report(bars, searches.answers, str(opened))
    bars.report(f"{PER_S} searches a second, {products:,} products")


def report(bars: Bars, answers: Sequence[Answer], opened: str) -> None:
    """Rows and bars."""
    for during in ("quiet", "build and flip", "gc, and after it"):
        spent = sorted(answer.seconds * 1000 for answer in answers if answer.during == during)
        bars.row(
            f"{during}: searches, median and 99th percentile ms",
            f"{len(spent):,}, {statistics.median(spent):.1f}, {spent[len(spent) * 99 // 100]:.1f}",
        )
    late = sum(answer.seconds > LATE_S for answer in answers)
    bars.row(f"answers later than {LATE_S:.0f} s after they were due", f"{late:,} of {len(answers):,}")
    failed = [answer.error for answer in answers if answer.error]
    bars.row("failed with", "; ".join(sorted(set(failed))[:3]) or "nothing")
    bars.at_most("index_beside_server_failed", len(failed), 0)
    others = sum(not answer.error and answer.version != opened for answer in answers)
    bars.at_most("index_beside_server_other_versions", others, 0)


if __name__ == "__main__":
    main()
