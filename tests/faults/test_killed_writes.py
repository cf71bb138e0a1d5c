"""Writers that are killed, and what of their files was not synced cut or garbled: nothing that was acknowledged is lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from indexer.changes.change import cannot_embed
from indexer.changes.journal import ACKNOWLEDGED, FILE
from indexer.stores.edge.store import EdgeStore
from tests.conftest import copy_folder
from tests.faults import traced
from tests.indexer.changes.changing import upserting
from tests.indexer.conftest import load, shelf

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(shutil.which("strace") is None, reason="needs the Debian package strace"),
]

LOG = f"{FILE}-wal"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("writes") / "index"
    store = EdgeStore(root)
    store.activate(load(store, shelf(20)).version)
    return root


def killed(root: Path, log: Path, writers: int, seed: int, after_lines: int) -> list[str]:
    """Let writers write, kill them after so many lines; what they had said."""
    process = subprocess.Popen(
        traced.command(log, sys.executable, "-m", "tests.faults.writing", str(root), str(writers), str(seed)),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line.strip())
        if len(said) >= after_lines:
            break
    time.sleep(Random(seed).random() * 0.05)
    os.killpg(process.pid, signal.SIGKILL)
    said += [line.strip() for line in process.stdout]
    process.wait(60)
    return said


def tear(log: Path, random: Random) -> int:
    """Cut, garble or leave each piece that was written and not synced; how many pieces there were."""
    unsynced = traced.Unsynced()
    for event in traced.events(log):
        unsynced.note(event)
    torn = 0
    for name, ranges in unsynced.ranges.items():
        path = Path(name)
        if path.parent.name != "changes" or not path.exists():
            continue
        data = bytearray(path.read_bytes())
        for start, end in ranges:
            torn += 1
            fate = random.choice(["cut", "garbled", "zeros", "kept"])
            if fate == "garbled":
                data[start:end] = random.randbytes(len(data[start:end]))
            elif fate == "zeros":
                data[start:end] = bytes(len(data[start:end]))
            elif fate == "cut" and end >= len(data):
                del data[start:]
        path.write_bytes(data)
    # Mapped, and never synced: it may hold anything.
    index = log.parent / "index" / "changes" / f"{FILE}-shm"
    if index.exists():
        index.write_bytes(random.randbytes(index.stat().st_size))
    return torn


def check_kept(root: Path, said: list[str]) -> int:
    """Each product is as its last acknowledged change made it, or as one made it that was asked for later."""
    possible: dict[str, list[int]] = defaultdict(lambda: [-1])
    acknowledged = 0
    for line in said:
        match line.split():
            case ["asked", product_id, price]:
                possible[product_id].append(int(price))
            case ["done", product_id, price, _]:
                place = len(possible[product_id]) - 1
                assert possible[product_id][place] == int(price)
                possible[product_id][:place] = []
                acknowledged += 1
    store = EdgeStore(root)
    with closing(store.take_changes(store.open(), cannot_embed)) as online:
        for product_id, prices in possible.items():
            stored = online.reader.fetch(product_id)
            found = -1 if stored is None else stored.payload["price"]
            assert found in prices, (product_id, found, prices)
        (outcome,) = online.write([upserting("one more", "one more")])
        assert outcome is not None
        assert online.reader.fetch("one more") is not None
    return acknowledged


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[] if seed < 3 else [pytest.mark.long]) for seed in range(30)]
)
def test_nothing_that_was_acknowledged_is_lost(built: Path, tmp_path: Path, seed: int) -> None:
    root, log = copy_folder(built, tmp_path / "index"), tmp_path / "trace"
    random = Random(seed)
    said = killed(root, log, writers=4, seed=seed, after_lines=random.randrange(20, 400))
    tear(log, random)
    assert check_kept(root, said) > 0


def test_a_change_is_acknowledged_after_its_sync(built: Path, tmp_path: Path) -> None:
    """One writer: whenever it is told, nothing of the journal is unsynced. Several: what they are told of was marked.

    The mark is set by the thread that commits, at a moment when nothing is unsynced.
    """
    for writers in (1, 16):
        folder = tmp_path / str(writers)
        folder.mkdir()
        root, log = copy_folder(built, folder / "index"), folder / "trace"
        killed(root, log, writers, seed=writers, after_lines=200)
        unsynced = traced.Unsynced()
        marked, told, syncs = 0, 0, 0
        for event in traced.events(log):
            unsynced.note(event)
            syncs += event.call == "fdatasync" and event.path.endswith(LOG)
            if event.call == "pwrite64" and event.path.endswith(ACKNOWLEDGED):
                assert not unsynced.ranges.get(event.path.replace(ACKNOWLEDGED, LOG))
                marked = int(event.text.split()[0])
            elif event.call == "write" and event.text.startswith("done "):
                told += 1
                assert int(event.text.split()[3]) <= marked
                if writers == 1:
                    assert not any(path.endswith((FILE, LOG)) for path in unsynced.ranges)
        assert told > 50
        # One sync for several, or one for each.
        assert syncs < told if writers == 16 else syncs >= told
