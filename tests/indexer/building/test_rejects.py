"""Rejected rows are kept, one JSON object a line; the file is there whole or not at all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from embedder.catalogs.product import Rejection
from indexer.building.rejects import RejectLog

ROW = Rejection(3, "p-1", "IMAGE_EMPTY", "picture of 0 bytes")


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_each_row_with_line_id_reason_and_detail(tmp_path: Path) -> None:
    with RejectLog(tmp_path / "deep" / "rejects.jsonl") as log:
        log.add(ROW)
        log.add(Rejection(9, "\udcff\n", "ID_INVALID", 'a "quote"\nand a line'))
    first, second = lines(log.path)
    assert first == {"line": 3, "product_id": "p-1", "reason": "IMAGE_EMPTY", "detail": "picture of 0 bytes"}
    assert second["detail"] == 'a "quote"\nand a line'
    assert (log.rows, dict(log.reasons)) == (2, {"IMAGE_EMPTY": 1, "ID_INVALID": 1})


def test_nothing_rejected_is_an_empty_file(tmp_path: Path) -> None:
    with RejectLog(tmp_path / "rejects.jsonl"):
        pass
    assert lines(tmp_path / "rejects.jsonl") == []


def test_a_reader_sees_the_last_builds_file_until_this_one_is_done(tmp_path: Path) -> None:
    path = tmp_path / "rejects.jsonl"
    path.write_text("")
    with RejectLog(path) as log:
        log.add(ROW)
        assert lines(path) == []
    assert len(lines(path)) == 1


def test_a_build_that_fails_leaves_the_last_ones(tmp_path: Path) -> None:
    path = tmp_path / "rejects.jsonl"
    path.write_text('{"line": 1}\n')

    def fail() -> None:
        with RejectLog(path) as log:
            log.add(ROW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert lines(path) == [{"line": 1}]
    assert [found.name for found in tmp_path.iterdir()] == ["rejects.jsonl"]


def test_two_builds_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    path = tmp_path / "rejects.jsonl"
    with RejectLog(path) as first:
        first.add(ROW)
        with RejectLog(path) as second:
            second.add(ROW)
            second.add(ROW)
        assert len(lines(path)) == 2
        first.add(ROW)
        first.add(ROW)
    # The one that ended last.
    assert len(lines(path)) == 3
    assert [found.name for found in tmp_path.iterdir()] == ["rejects.jsonl"]


def test_what_a_killed_build_left_is_cleared_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "rejects.jsonl"
    code = (
        "import os, sys; from pathlib import Path; from indexer.building.rejects import RejectLog\n"
        "RejectLog(Path(sys.argv[1])); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == -9
    (left,) = tmp_path.iterdir()
    other = tmp_path / ".other-rejects.jsonl.1.partial"
    other.write_text("")
    with RejectLog(path):
        assert not left.exists()
    assert {found.name for found in tmp_path.iterdir()} == {"rejects.jsonl", other.name}
