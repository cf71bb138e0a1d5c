"""`python -m indexer update --server`: a server makes the changes of a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from merchlens import NotFound

from tests.conftest import draw_product, run_module
from tests.server.conftest import Served


def changes(folder: Path, rows: list[dict[str, Any]]) -> Path:
    """A file of changes, with the pictures that its rows name where they can be drawn."""
    for number, row in enumerate(rows):
        if row.get("image", "").endswith(".png"):
            draw_product("tall", "green", 700 + number).save(folder / row["image"])
    path = folder / "changes.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_rows_are_written_and_ids_taken_away_while_it_serves(changing: Served, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"id": "cmd-1", "title": "green tower", "category": "towers", "price": 7.5, "in_stock": True, "color": "green",
         "image": "a.png"},
        {"id": "p-0009", "title": "a new title", "price": 1, "image": "b.png"},
        {"id": "cmd-2", "title": "no picture there", "image": "missing.jpg"},
        {"id": "", "title": "no id", "image": "a.png"},
    ]  # fmt: skip
    gone = tmp_path / "gone.txt"
    gone.write_text("p-0011\nnobody\n", encoding="utf-8")
    done = run_module(
        "indexer", "update", "--changes", str(changes(tmp_path, rows)), "--delete", str(gone), "--server", changing.target,
        "--rejects", str(tmp_path / "rejects.jsonl"), "--cache-dir", str(tmp_path / "cache"),
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "2 products written, 1 taken away, 2 rejected" in done.stdout
    assert "1 products that were to be taken away were not there" in done.stdout
    rejects = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {(item["line"], item["reason"]) for item in rejects} == {(3, "IMAGE_MISSING"), (4, "ID_MISSING")}
    written = changing.client.get_product("cmd-1").product
    assert (written.title, written.category, written.price, written.in_stock) == ("green tower", "towers", 7.5, True)
    assert written.attributes["color"] == "green"
    assert changing.client.search(image=(tmp_path / "a.png").read_bytes(), top_k=1).hits[0].product_id == "cmd-1"
    assert changing.client.get_product("p-0009").product.title == "a new title"
    with pytest.raises(NotFound):
        changing.client.get_product("p-0011")


def test_what_the_server_refuses_is_a_line_of_the_rejects(changing: Served, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    rows = [{"id": "cmd-3", "title": "x", "image": "broken.jpg"}, {"id": "cmd-4", "title": "y", "image": "c.png"}]
    done = run_module(
        "indexer", "update", "--changes", str(changes(tmp_path, rows)), "--server", changing.target,
        "--cache-dir", str(tmp_path / "cache"),
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    (line,) = (tmp_path / "cache" / "rejects" / "server.jsonl").read_text(encoding="utf-8").splitlines()
    reject = json.loads(line)
    assert (reject["line"], reject["product_id"], reject["reason"]) == (1, "cmd-3", "IMAGE_UNREADABLE")
    assert changing.client.get_product("cmd-4").product.title == "y"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--catalog", "x.jsonl"), "permitted with --server: --changes, --delete or both"),
        (("--delete", "gone.txt"), "did not make the changes"),
    ],
)
def test_what_cannot_be_done_says_so(tmp_path: Path, flags: tuple[str, str], message: str) -> None:
    (tmp_path / "x.jsonl").write_text("", encoding="utf-8")
    (tmp_path / "gone.txt").write_text("p-1\n", encoding="utf-8")
    done = run_module(
        "indexer", "update", flags[0], str(tmp_path / flags[1]), "--server", "127.0.0.1:1", "--cache-dir", str(tmp_path),
    )  # fmt: skip
    assert done.returncode == 2
    assert message in " ".join(done.stderr.replace("│", " ").split())


def test_an_update_of_its_folder_names_the_way_through_the_server(
    changing: Served, trained_bundle: Path, tmp_path: Path
) -> None:
    done = run_module(
        "indexer", "update", "--changes", str(changes(tmp_path, [{"id": "cmd-5", "image": "d.png"}])), "--store",
        changing.settings.store, "--model", str(trained_bundle), "--cache-dir", str(tmp_path / "cache"),
    )  # fmt: skip
    assert done.returncode == 2
    assert "--server HOST:PORT has it make the changes" in done.stderr
