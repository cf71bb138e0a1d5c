"""`python -m indexer` as its users run it: exit statuses, output, one line of error."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from embedder import bundle
from indexer.commands.output import default_quality, default_rejects
from indexer.settings import IndexerSettings
from indexer.stores.edge.store import EdgeStore
from tests.conftest import run_module, write_drawn_catalog
from tests.indexer.conftest import load, shelf


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A CSV of 24 products."""
    return write_drawn_catalog(tmp_path / "shop", 24, side=32)


def indexer(*arguments: str | Path, cwd: Path | None = None):
    return run_module("indexer", *map(str, arguments), cwd=cwd)


def test_a_clean_build_is_0_and_status_shows_it(shop: Path, trained_bundle: Path, tmp_path: Path) -> None:
    store = f"edge:{tmp_path / 'index'}"
    done = indexer("build", "--catalog", shop, "--model", trained_bundle, "--store", store)
    assert done.returncode == 0, done.stderr
    assert "24 products indexed, 0 rejected" in done.stdout
    assert "products/s" in done.stdout
    assert (tmp_path / "index" / "rejects.jsonl").read_text() == ""
    page = tmp_path / "index" / "quality" / "index.html"
    assert f"; see {page}" in done.stdout
    assert "24 products with 24 pictures" in page.read_text(encoding="utf-8")
    shown = indexer("status", "--store", store)
    assert shown.returncode == 0
    assert "1 versions, live: v" in shown.stdout
    assert "24 products, 0 rejected, 4 categories" in shown.stdout
    told = json.loads(indexer("status", "--store", store, "--json").stdout)
    (version,) = told["versions"]
    assert told["live"] == version["version"]
    assert (version["state"], version["products"]) == ("ready", 24)


def test_rejected_rows_are_3_and_the_rest_is_live(shop: Path, trained_bundle: Path, tmp_path: Path) -> None:
    (shop.parent / "0003.png").unlink()
    store = f"edge:{tmp_path / 'index'}"
    done = indexer("build", "--catalog", shop, "--model", trained_bundle, "--store", store, "--name", "spring")
    assert done.returncode == 3
    assert "23 products indexed, 1 rejected" in done.stdout
    assert f"IMAGE_MISSING 1; see {tmp_path / 'index' / 'rejects.jsonl'}" in done.stdout
    (row,) = map(json.loads, (tmp_path / "index" / "rejects.jsonl").read_text().splitlines())
    assert (row["line"], row["product_id"], row["reason"]) == (5, "p-0003", "IMAGE_MISSING")


def test_a_parquet_file_with_pictures_in_it_is_indexed_and_its_columns_are_shown_first(
    shop: Path, trained_bundle: Path, tmp_path: Path
) -> None:
    ids = [f"p-{number}" for number in range(6)]
    pictures = [(shop.parent / f"{number:04}.png").read_bytes() for number in range(6)]
    pictures[2] = pictures[2][:40]
    table = pa.table({"nr": ids, "photo": pictures, "price": [1.5] * 6, "hue": ["red"] * 6, "vector": [[0.5]] * 6})
    pq.write_table(table, tmp_path / "shop.parquet")
    store = f"edge:{tmp_path / 'index'}"
    done = indexer(
        "build", "--catalog", tmp_path / "shop.parquet", "--model", trained_bundle, "--store", store,
        "--map", "id=nr", "--map", "image=photo",
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "5 products indexed, 1 rejected" in done.stdout
    (row,) = map(json.loads, (tmp_path / "index" / "rejects.jsonl").read_text().splitlines())
    assert (row["line"], row["product_id"], row["reason"]) == (3, "p-2", "IMAGE_UNREADABLE")
    said = [line.partition(" INFO indexer: ")[2] for line in done.stderr.splitlines()]
    first = said.index("columns of shop.parquet:")
    assert said[first + 1].split() == ["id", "'nr'"]
    assert said[first + 3].split() == ["pictures", "'photo'"]
    assert said[first + 10].split() == ["attributes", "'hue'", "(text)"]
    assert "left out" in said[first + 11]
    assert "'vector' (type list<" in said[first + 11]


def test_status_of_nothing_is_1(tmp_path: Path) -> None:
    shown = indexer("status", "--store", f"edge:{tmp_path / 'nowhere'}")
    assert (shown.returncode, "live: none" in shown.stdout) == (1, True)
    assert not (tmp_path / "nowhere").exists()


def test_the_next_build_takes_over_and_the_last_one_is_kept(shop: Path, trained_bundle: Path, tmp_path: Path) -> None:
    root = tmp_path / "index"
    made = []
    for limit in ("5", "9"):
        done = indexer(
            "build", "--catalog", shop, "--model", trained_bundle, "--store", f"edge:{root}", "--limit", limit
        )
        assert done.returncode == 0, done.stderr
        made.append((root / "CURRENT").read_text().strip())
    told = json.loads(indexer("status", "--store", f"edge:{root}", "--json").stdout)
    assert told["live"] == made[1] != made[0]
    assert [(version["version"], version["products"]) for version in told["versions"]] == [(made[0], 5), (made[1], 9)]


def test_status_does_not_call_an_index_live_that_cannot_be_opened(tmp_path: Path) -> None:
    root = tmp_path / "index"
    store = EdgeStore(root)
    ready = load(store, shelf(10))
    store.activate(ready.version)
    (root / "versions" / ready.version / "manifest.json").write_text("{")
    shown = indexer("status", "--store", f"edge:{root}")
    assert shown.returncode != 0
    assert ready.version in shown.stdout + shown.stderr


def test_verify_is_0_for_a_whole_version_1_for_a_damaged_one_2_for_none(tmp_path: Path) -> None:
    root = tmp_path / "index"
    assert indexer("verify", "--store", f"edge:{root}").returncode == 2
    store = EdgeStore(root)
    ready = load(store, shelf(10))
    store.activate(ready.version)
    told = indexer("verify", "--store", f"edge:{root}", "--deep")
    assert told.returncode == 0, told.stderr
    assert f"version {ready.version} is whole; checked: " in told.stdout
    assert "MB of data" in told.stdout
    assert "passed: self-queries: 10 of 10 products find themselves" in told.stdout
    with closing(store.open(owner="a server")):
        told = indexer("verify", "--store", f"edge:{root}")
    assert told.returncode == 0, told.stderr
    assert re.search(r"left out: searches: .*a server; .*--deep", told.stdout)
    told = indexer("verify", "--store", f"edge:{root}", "--json")
    said = json.loads(told.stdout)
    assert (said["version"], said["whole"]) == (ready.version, True)
    assert {finding["name"] for finding in said["findings"]} == {
        *("files", "model", "products", "self-queries", "recall")
    }
    (path,) = (root / "versions" / ready.version).rglob("mutable_id_tracker.mappings")
    path.write_bytes(path.read_bytes()[:-1])
    told = indexer("verify", "--store", f"edge:{root}", "--version", ready.version)
    assert told.returncode == 1
    assert "damaged: shard/segments/" in told.stdout
    assert "mutable_id_tracker.mappings has" in told.stdout
    (root / "versions" / ready.version / "manifest.json").write_text("{")
    assert indexer("verify", "--store", f"edge:{root}").returncode == 1
    told = indexer("verify", "--store", f"edge:{root}", "--version", "v1")
    assert told.returncode == 2
    assert len(errors(told.stderr)) == 1


def test_rejects_of_a_build_into_a_server_are_in_the_cache_under_the_catalogs_name() -> None:
    settings = IndexerSettings(store="qdrant://db:7000/shop", cache_dir=Path("cache"))
    assert default_rejects(settings, "qdrant://db:7000/shop") == Path("cache/rejects/db_7000_shop.jsonl")
    assert default_rejects(IndexerSettings(store="edge:there"), "edge:there") == Path("there/rejects.jsonl")


def test_the_report_on_a_catalog_is_beside_its_rejects() -> None:
    settings = IndexerSettings(store="qdrant://db:7000/shop", cache_dir=Path("cache"))
    assert default_quality(settings, "qdrant://db:7000/shop") == Path("cache/quality/db_7000_shop")
    assert default_quality(IndexerSettings(store="edge:there"), "edge:there") == Path("there/quality")


def test_a_build_that_is_to_leave_no_report_leaves_none(shop: Path, trained_bundle: Path, tmp_path: Path) -> None:
    root = tmp_path / "index"
    done = indexer(
        "build", "--catalog", shop, "--model", trained_bundle, "--store", f"edge:{root}", "--no-quality-report"
    )
    assert done.returncode == 0, done.stderr
    assert "quality report" not in done.stdout
    assert not (root / "quality").exists()


def test_rollback_goes_back_and_forth_and_gc_deletes_what_nobody_uses(tmp_path: Path) -> None:
    root = tmp_path / "index"
    store, address = EdgeStore(root), ("--store", f"edge:{root}")
    assert indexer("rollback", *address).returncode == 2
    first, second = (load(store, shelf(10 + seed, seed)).version for seed in range(2))
    store.activate(first)
    store.activate(second)
    told = indexer("rollback", *address)
    assert told.returncode == 0, told.stderr
    assert f"version {first} is live (10 products), {second} was" in told.stdout
    assert store.live_version() == first
    assert "is the live one already" in indexer("rollback", *address, "--version", first).stdout
    told = indexer("gc", *address, "--keep", "0")
    assert "0 old and 0 unfinished versions deleted, 2 left" in told.stdout
    assert f"version {second} stays for another" in told.stderr
    (root / "versions" / "vleft").mkdir()
    told = indexer("gc", *address, "--keep", "0", "--drop-after-s", "0")
    assert "1 old and 1 unfinished versions deleted, 1 left" in told.stdout
    assert [item.version for item in store.versions()] == [first] == [store.live_version()]


def test_what_was_resolved_is_logged_without_the_key(shop: Path, trained_bundle: Path, tmp_path: Path) -> None:
    config = tmp_path / "merchlens.toml"
    config.write_text('qdrant_api_key = "very-secret"\nbatch_size = 7\n')
    done = indexer(
        "build", "--catalog", shop, "--model", trained_bundle, "--store", f"edge:{tmp_path / 'index'}",
        "--config", config,
    )  # fmt: skip
    assert done.returncode == 0
    assert "'batch_size': 7" in done.stderr
    assert "very-secret" not in done.stdout + done.stderr


def test_a_split_that_no_benchmark_has_is_2_and_those_there_are_are_named(shop: Path, tmp_path: Path) -> None:
    done = indexer("build", "--catalog", shop, "--store", f"edge:{tmp_path / 'index'}", "--split", "half")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "'half'; permitted: train, validation, test" in done.stderr


def errors(stderr: str) -> list[str]:
    """What is there besides the log."""
    return [line for line in stderr.splitlines() if " INFO " not in line]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"--catalog": "nowhere.csv"}, "nowhere.csv"),
        ({"--model": "no-such-model"}, "model 'no-such-model' is not known; permitted: starter"),
        ({"--model": "broken"}, "onnx/image.onnx has SHA-256"),
        ({"--store": "index"}, "permitted: edge:PATH"),
        ({"--store": "qdrant://127.0.0.1:1/shop"}, "next step: is it up"),
        ({"--store": "edge:file"}, "cannot be written"),
        ({"--batch-size": "5000"}, "batch_size"),
        ({"--config": "half.toml"}, "half.toml"),
        ({"--column": "sku"}, "permitted: FIELD=COLUMN"),
        ({"--map": "image=photo"}, "no column 'photo', named for image; columns found: 'id', "),
        ({"--picture-host": "https://a/b"}, "picture host 'https://a/b'; permitted: a host such as"),
        ({"--rejects": "file/rejects.jsonl"}, "rejects.jsonl"),
    ],
    ids=[
        "catalog",
        "model",
        "bundle",
        "store",
        "qdrant",
        "folder",
        "setting",
        "config",
        "column",
        "mapped",
        "host",
        "rejects",
    ],
)
def test_what_cannot_be_done_is_2_and_one_line(
    shop: Path, trained_bundle: Path, tmp_path: Path, change: dict[str, str], said: str
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "half.toml").write_text('store = "edge:')
    if change.get("--model") == "broken":
        shutil.copytree(trained_bundle, tmp_path / "broken")
        (tmp_path / "broken" / bundle.IMAGE_ONNX).write_bytes(b"")
    given = {"--catalog": str(shop), "--model": str(trained_bundle), "--store": f"edge:{tmp_path / 'index'}", **change}
    done = indexer("build", *(part for pair in given.items() for part in pair), cwd=tmp_path)
    assert not (tmp_path / "index" / "CURRENT").exists()
    assert done.returncode == 2, done.stderr
    (line,) = errors(done.stderr)
    assert line.startswith("error: ")
    assert said in line
