"""A damaged file is refused by its name, before a version is opened and while it is served: never a wrong answer.

A sample; `python -m tests.faults.corruption` tries every file.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from tests.faults.corruption import ALLOWED, Case, cases, prepare
from tests.faults.corruption import outcome as outcome_here

EVERY = 23

Outcome = Callable[[Path, Path, Case], str]


@pytest.fixture(scope="module")
def clean_process() -> Iterator[ProcessPoolExecutor]:
    """Forks for each case, which this one must not: tests before may have opened a shard in it."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as found:
        yield found


@pytest.fixture
def outcome(clean_process: ProcessPoolExecutor) -> Outcome:
    return lambda *case: clean_process.submit(outcome_here, *case).result()


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory, clean_process: ProcessPoolExecutor) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("sound") / "index"
    return root, clean_process.submit(prepare, root).result()


def test_a_sample_of_all_files_and_damages(version: tuple[Path, Path], outcome: Outcome) -> None:
    root, folder = version
    tried = list(cases(folder))[::EVERY]
    assert {case.serving for case in tried} == {False, True}
    told = {case: outcome(root, folder, case) for case in tried}
    assert {case: found for case, found in told.items() if found not in ALLOWED} == {}
    # Mended, it is what it was.
    assert outcome(root, folder, Case("files.json", "truncated", serving=False)) == "refused"


@pytest.mark.parametrize("serving", [False, True])
@pytest.mark.parametrize("damage", ["truncated", "garbled at the start"])
@pytest.mark.parametrize("leaf", ["mutable_id_tracker.mappings", "payload_storage/tracker.dat", "chunk_0.mmap"])
def test_the_files_that_did_the_worst(
    version: tuple[Path, Path], outcome: Outcome, leaf: str, damage: str, serving: bool
) -> None:
    """48 GB allocated, a panic at the first large page, other products than the nearest."""
    root, folder = version
    (file,) = {case.file for case in cases(folder) if case.file.endswith(leaf)}
    assert outcome(root, folder, Case(file, damage, serving)) == "refused"
