"""What a build takes of memory when the catalog grows tenfold: `indexer build` with its defaults, in processes of its own.

Rows share fifty tiny pictures and a thousand titles, so that the encoder has little to do; ids and payloads all differ.
Memory is looked at ten times a second: what the command and its loader hold together. The bar is on what only ending the
processes would give back (anonymous and shared memory); files that are mapped, which the system takes back when it needs
the room, are shown beside it. Bar: 200,000 rows take at most 1.15 times as much as 20,000. Short: 8,000 against 4,000; that
says little, as up to 20,000 products are kept to calibrate on.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.bars import Bars, arguments
from tests.bench.prepared import demo_bundle
from tests.bench.titled_catalog import write_tiny

TITLES = 1_000
PICTURES = 50
LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Peaks:
    """Most bytes at a time: of all processes together, of each kind, and what of all is mapped files besides.

    Attributes:
        held: anonymous and shared memory of all processes.
        command: the same, of the command alone.
        loader: the same, of its children.
        with_files: resident in all, mapped files among it.
        seconds: how long it ran.
    """

    held: int
    command: int
    loader: int
    with_files: int
    seconds: float


def main() -> None:
    """Build both, report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    few, many = (4_000, 8_000) if flags.short else (20_000, 200_000)
    bundle = demo_bundle(flags.data, flags.model)
    with tempfile.TemporaryDirectory(dir=flags.data if flags.data.is_dir() else None) as temporary:
        small, large = (built(bundle, Path(temporary) / str(rows), rows) for rows in (few, many))
    for name in ("held", "command", "loader", "with_files"):
        bars.row(
            f"{name.replace('_', ' ')}, MB, {many:,} rows",
            f"{getattr(large, name) / 1e6:,.0f}",
            f"{getattr(small, name) / 1e6:,.0f}, {few:,} rows",
        )
    bars.row("a row more, bytes held", f"{(large.held - small.held) / (many - few):,.0f}")
    bars.row("build with its report, s", f"{large.seconds:,.0f}", f"{small.seconds:,.0f}")
    bars.at_most("index_memory_ratio", large.held / small.held, 1.15)
    bars.report(f"Memory of a build, {many:,} rows against {few:,}")


def built(bundle: Path, folder: Path, rows: int) -> Peaks:
    """Build a catalog of so many rows."""
    catalog = write_tiny(folder, rows, PICTURES, TITLES)
    started = time.monotonic()
    build = subprocess.Popen(
        [
            sys.executable, "-m", "indexer", "build", "--catalog", str(catalog), "--model", str(bundle),
            "--store", f"edge:{folder / 'index'}", "--cache-dir", str(folder / "cache"),
        ]
    )  # fmt: skip
    peaks = watch(build)
    if build.returncode:
        raise SystemExit(f"the build ended with exit status {build.returncode}")
    return Peaks(**peaks, seconds=time.monotonic() - started)


def watch(build: subprocess.Popen[bytes]) -> dict[str, int]:
    """Until it ends; see `Peaks`."""
    most = dict.fromkeys(("held", "command", "loader", "with_files"), 0)
    ended = threading.Event()
    while not ended.wait(LOOK_EVERY_S):
        own, children = resident(build.pid), [resident(pid) for pid in children_of(build.pid)]
        now = {
            "held": own[0] + sum(held for held, _ in children),
            "command": own[0],
            "loader": sum(held for held, _ in children),
            "with_files": own[1] + sum(total for _, total in children),
        }
        most = {name: max(most[name], now[name]) for name in most}
        if build.poll() is not None:
            ended.set()
    return most


def resident(pid: int) -> tuple[int, int]:
    """Bytes of anonymous and shared memory, and of all that is resident; 0 where the process is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0, 0
    found = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.startswith(("VmRSS", "Rss"))}
    return found.get("RssAnon", 0) + found.get("RssShmem", 0), found.get("VmRSS", 0)


def children_of(pid: int) -> list[int]:
    """Processes that it started, and that these started."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text(encoding="utf-8").rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents.setdefault(parent, []).append(int(path.parent.name))
    found, asked = [], [pid]
    while asked:
        started = parents.get(asked.pop(), [])
        found += started
        asked += started
    return found


if __name__ == "__main__":
    main()
