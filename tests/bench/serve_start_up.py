"""How long a server takes from its start to its first answer, with 10,000 products, and what it has imported by then.

The baseline is the Python process alone with the libraries that serving needs. Bars: <= 4 s; neither torch nor
open_clip imported.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from merchlens import Client

from tests.bench.bars import Bars, arguments
from tests.bench.prepared import build_index, demo_bundle, server

HEAVY = ("torch", "open_clip", "torchvision", "timm", "transformers")


def main() -> None:
    """Measure, report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    count, rounds = (2000, 2) if flags.short else (10_000, 5)
    bundle = demo_bundle(flags.data, flags.model)
    with tempfile.TemporaryDirectory() as temporary:
        store = build_index(bundle, Path(temporary) / "index", count)
        seconds = [first_answer_s(bundle, store) for _ in range(rounds)]
    imports = [import_s() for _ in range(rounds)]
    bars.row(
        "start to first answer, s",
        f"{statistics.median(seconds):.2f}",
        f"{statistics.median(imports):.2f} imports alone",
    )
    bars.row("each round, s", " ".join(f"{value:.2f}" for value in seconds))
    heavy = imported_by_server()
    bars.row("heavy imports", " ".join(heavy) or "none")
    bars.at_most("serve_start_up_s", statistics.median(seconds), 4.0)
    bars.at_most("serve_heavy_imports", len(heavy), 0)
    bars.report(f"Start-up with {count:,} products")


def first_answer_s(bundle: Path, store: str) -> float:
    """Seconds from starting the process to the answer of a first text query."""
    started = time.perf_counter()
    with server(bundle, store) as target, Client(target) as client:
        assert client.search(text="ankle boot").hits
        return time.perf_counter() - started


def import_s() -> float:
    """Seconds of a process that imports what serving needs, and ends."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import grpc, numpy, onnxruntime, PIL, qdrant_edge, tokenizers"], check=True)
    return time.perf_counter() - started


def imported_by_server() -> list[str]:
    """Heavy packages that importing the server brings (that none comes later is a test's business)."""
    code = (
        f"import server.hosting.host, server.__main__, sys; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.split()


if __name__ == "__main__":
    main()
