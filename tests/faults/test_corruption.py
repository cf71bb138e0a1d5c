"""A damaged file is refused by its name, before a version is opened and while it is served: never a wrong answer.

A sample; `python -m tests.faults.corruption` tries every file.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.corruption import ALLOWED, Case, cases, outcome, prepare

EVERY = 23


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("sound") / "index"
    return root, prepare(root)


def test_a_sample_of_all_files_and_damages(version: tuple[Path, Path]) -> None:
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
def test_the_files_that_did_the_worst(version: tuple[Path, Path], leaf: str, damage: str, serving: bool) -> None:
    """48 GB allocated, a panic at the first large page, other products than the nearest."""
    root, folder = version
    (file,) = {case.file for case in cases(folder) if case.file.endswith(leaf)}
    assert outcome(root, folder, Case(file, damage, serving)) == "refused"
