"""Every file of an index version, damaged in five ways, before the version is opened and while it is served.

`python -m tests.faults.corruption` tries all of them and prints a table; `test_corruption.py` tries a sample. Each case
runs in a process of its own with a limit on its memory: Edge ends a process that maps some of these files.

Outcomes: "refused" (an error that names the file), "same" (the answers of the sound version), "WRONG" (other answers),
"UNNAMED" (an error without the file's name), "OTHER" (an error that a caller is told as INTERNAL), "ABORT" (the
process ended).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import Pipe
from pathlib import Path

import numpy as np

from indexer.errors import VersionIncomplete
from indexer.stores.edge.store import EdgeStore
from tests.indexer.conftest import load, search, shelf, unit_rows

MEMORY_BYTES = 8 << 30
PRODUCTS = 120
ALLOWED = {"refused", "same"}
UNTOUCHED = "untouched"


def truncated(data: bytearray) -> bytearray:
    return data[: len(data) // 2]


def zeroed(data: bytearray) -> bytearray:
    return bytearray(len(data))


def garbled(at: float) -> Callable[[bytearray], bytearray]:
    """64 random bytes at a place between 0 (the beginning) and 1 (the end)."""

    def change(data: bytearray) -> bytearray:
        noise = np.random.default_rng(7).bytes(min(64, len(data)))
        start = int((len(data) - len(noise)) * at)
        return data[:start] + bytearray(noise) + data[start + len(noise) :]

    return change


DAMAGES: dict[str, Callable[[bytearray], bytearray]] = {
    "truncated": truncated,
    "zeroed": zeroed,
    "garbled at the start": garbled(0.0),
    "garbled in the middle": garbled(0.5),
    "garbled at the end": garbled(1.0),
}


@dataclass(frozen=True)
class Case:
    """One file, damaged in one way, before the version is opened or while it is open."""

    file: str
    damage: str
    serving: bool


def build(root: Path) -> Path:
    """A store with one live version; its folder."""
    store = EdgeStore(root)
    version = load(store, shelf(PRODUCTS)).version
    store.activate(version)
    return root / "versions" / version


def cases(folder: Path) -> Iterator[Case]:
    """All of a version's; a file that a damage would leave as it is has none."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "OWNER":
            data = bytearray(path.read_bytes())
            for damage, change in DAMAGES.items():
                if change(data) != data:
                    for serving in (False, True):
                        yield Case(path.relative_to(folder).as_posix(), damage, serving)


def outcome(root: Path, folder: Path, case: Case) -> str:
    """Damage, ask, mend."""
    path, sound = folder / case.file, (folder / case.file).read_bytes()
    parent, child = Pipe()
    process = os.fork()
    if process == 0:
        try:
            os._exit(_ask(root, child, case))
        finally:
            os._exit(1)
    child.close()
    try:
        if case.serving:
            parent.recv()
        # In place, as a disk or a careless copy does it; a file that is replaced leaves an open one as it was.
        if case.damage != UNTOUCHED:
            changed = DAMAGES[case.damage](bytearray(sound))
            with path.open("r+b") as file:
                file.write(changed)
                file.truncate(len(changed))
        noticed = case.damage == UNTOUCHED or _verify_names(root, folder, case)
        parent.send("damaged")
        try:
            told = str(parent.recv())
        except EOFError:
            told = "ABORT"
        _, status = os.waitpid(process, 0)
        if os.waitstatus_to_exitcode(status) != 0:
            return "ABORT"
        return told if noticed else "UNNOTICED by indexer verify"
    finally:
        with path.open("r+b") as file:
            file.write(sound)
            file.truncate(len(sound))
        parent.close()


def _verify_names(root: Path, folder: Path, case: Case) -> bool:
    """Whether `indexer verify --deep` tells of the damaged file."""
    try:
        told = " ".join(EdgeStore(root).verify(folder.name, deep=True).differences)
    except VersionIncomplete as error:
        told = str(error)
    return case.file in told or (case.file == "manifest.json" and "manifest" in told)


def _ask(root: Path, pipe, case: Case) -> int:
    """The process that opens the version; its own, because Edge may end it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    reader = None
    try:
        if case.serving:
            reader = EdgeStore(root).open()
            pipe.send("open")
        pipe.recv()
        reader = reader or EdgeStore(root).open()
        told = "same" if answers(reader) == json.loads((root / "answers.json").read_text()) else "WRONG"
    except VersionIncomplete as error:
        told = "refused" if case.file in str(error) or "manifest" in str(error) else f"UNNAMED {error}"
    except BaseException as error:
        told = f"OTHER {type(error).__name__}: {str(error)[:100]}"
    if reader is not None:
        reader.close()
    pipe.send(told)
    return 0


def answers(reader) -> list:
    """What the version says to searches, filters, counts and fetches, JSON-able."""
    from indexer.filters.parser import parse_filter

    schema = reader.manifest.schema
    said: list = []
    for number, text in enumerate(("", "price < 50", "category:shoes", "color = red", "waterproof", "NOT in_stock")):
        where = parse_filter(text, schema) if text else None
        found = search(reader, unit_rows(6, seed=9)[number], PRODUCTS, where)
        said.append([[item.product_id, round(item.score, 5), item.payload] for item in found])
        said.append(reader.count(where))
    stored = reader.fetch("p-0050")
    said.append(None if stored is None else [np.round(stored.vectors, 5).tolist(), stored.payload])
    return json.loads(json.dumps(said))


def prepare(root: Path) -> Path:
    """Build, and note what the sound version answers; the version's folder. The asking process opens the shard: a
    process that has opened one must not fork.
    """
    folder = build(root)
    process = os.fork()
    if process == 0:
        try:
            reader = EdgeStore(root).open()
            (root / "answers.json").write_text(json.dumps(answers(reader)))
            reader.close()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0, "the sound version does not answer"
    for serving in (False, True):
        assert outcome(root, folder, Case("files.json", UNTOUCHED, serving)) == "same"
    return folder


def main() -> None:
    """Try all; exit status 1 where one is neither refused nor harmless."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="only each n-th case")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary) / "index"
        folder = prepare(root)
        tried = list(cases(folder))[:: flags.every]
        counts: Counter[tuple[str, str]] = Counter()
        bad = []
        for case in tried:
            told = outcome(root, folder, case)
            counts["serving" if case.serving else "before", told.split()[0]] += 1
            if told not in ALLOWED:
                bad.append((case, told))
        shutil.rmtree(root)
    for (when, told), count in sorted(counts.items()):
        print(f"{when:8} {told:10} {count:5}")
    for case, told in bad:
        print(case, told)
    print(f"BAR corruption_cases_bad {len(bad)} 0 {'fail' if bad else 'pass'}")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
