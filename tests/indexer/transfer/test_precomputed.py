"""Vectors that were computed elsewhere make the version that a build of the pictures would have made."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest
from PIL import Image

from embedder.encoder import Encoder, open_encoder
from embedder.errors import CatalogError
from indexer.building.run import build
from indexer.errors import BuildError, TransferError
from indexer.settings import IndexerSettings
from indexer.stores.edge.store import EdgeStore
from indexer.transfer.export import PRODUCTS_FILE, export
from indexer.transfer.opening import open_vectors
from indexer.transfer.precomputed import PrecomputedResult, describe, load_vectors
from tests.conftest import run_module, write_drawn_catalog
from tests.indexer.conftest import search, unit_rows

PRODUCTS = 48


@pytest.fixture(scope="module")
def encoder(trained_bundle: Path) -> Encoder:
    return open_encoder(trained_bundle, device="cpu")


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_drawn_catalog(tmp_path_factory.mktemp("shop"), PRODUCTS, side=48)


@pytest.fixture(scope="module")
def rows(catalog: Path) -> list[dict[str, str]]:
    with catalog.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def vectors(catalog: Path, rows: list[dict[str, str]], encoder: Encoder) -> np.ndarray:
    """Of the catalog's pictures, float32 (n, dim)."""
    return encoder.encode_images([Image.open(catalog.parent / row["image"]).convert("RGB") for row in rows])


@pytest.fixture
def store(tmp_path: Path) -> EdgeStore:
    return EdgeStore(tmp_path / "index")


def load(
    source: Path, products: Path | None, encoder: Encoder, store: EdgeStore, columns: dict[str, str] | None = None,
    **settings: Any,
) -> PrecomputedResult:  # fmt: skip
    reader, found = open_vectors(str(source), None if products is None else str(products), columns or {}, encoder.dim)
    made = IndexerSettings(cache_dir=source.parent / "cache", **settings)
    rejects = source.parent / "rejects.jsonl"
    return load_vectors(
        reader, found, encoder, store, made, rejects, source=source.name, in_rows=products is None
    )  # fmt: skip


def npy(folder: Path, values: np.ndarray) -> Path:
    np.save(folder / "vectors.npy", values)
    return folder / "vectors.npy"


def table(folder: Path, rows: list[dict[str, str]], values: Any, kind: Any = None) -> Path:
    """Without pictures, and with names of its own."""
    columns = {
        "sku": [row["id"] for row in rows],
        "name": [row["title"] for row in rows],
        "category": [row["category"] for row in rows],
        "clip_vec": arrow.array(list(values), kind or arrow.list_(arrow.float32())),
    }
    parquet.write_table(arrow.table(columns), folder / "products.parquet", row_group_size=20)
    return folder / "products.parquet"


COLUMNS = {"title": "name", "embedding": "clip_vec"}


def rejected(folder: Path) -> list[tuple[int, str, str]]:
    lines = [json.loads(line) for line in (folder / "rejects.jsonl").read_text().splitlines()]
    return [(line["line"], line["product_id"], line["reason"]) for line in lines]


def held(store: EdgeStore, folder: Path) -> arrow.Table:
    reader = store.open()
    export(reader, folder)
    reader.close()
    return parquet.read_table(folder / PRODUCTS_FILE)


def test_an_npy_file_beside_a_catalog_makes_what_a_build_of_the_pictures_makes(
    catalog: Path, vectors: np.ndarray, encoder: Encoder, store: EdgeStore, tmp_path: Path
) -> None:
    done = load(npy(tmp_path, 7.5 * vectors), catalog, encoder, store)
    assert (done.manifest.products, done.manifest.rejected, store.live_version()) == (
        PRODUCTS, 0, done.manifest.version,
    )  # fmt: skip
    other = EdgeStore(tmp_path / "built")
    settings = IndexerSettings(cache_dir=tmp_path / "cache", match_views=0)
    reader = open_vectors(str(tmp_path / "vectors.npy"), str(catalog), {}, encoder.dim)[0]
    built = build(reader, encoder, other, settings, tmp_path / "rejects.jsonl").manifest

    one, two = held(store, tmp_path / "one"), held(other, tmp_path / "two")
    assert one.column("product_id") == two.column("product_id")
    for row in range(PRODUCTS):
        assert np.allclose(one.column("vectors")[row].as_py(), two.column("vectors")[row].as_py(), atol=1e-5)
        assert one.column("title")[row] == two.column("title")[row]
        mine, its = (json.loads(each.column("payload")[row].as_py()) for each in (one, two))
        assert mine.items() <= its.items()
    for field in ("schema", "categories", "pictures", "texts", "words", "head_digest", "model_fingerprint"):
        assert getattr(done.manifest, field) == getattr(built, field), field
    assert done.manifest.category_models.keys() == built.category_models.keys() == {"image", "text"}
    assert done.manifest.match_models.keys() == built.match_models.keys()
    assert not done.is_doubtful
    assert "not known without pictures: whether a photo shows the very product" in describe(done, store.url)


@pytest.mark.parametrize(
    "kind",
    [arrow.list_(arrow.float32()), arrow.large_list(arrow.float64()), arrow.list_(arrow.float16()), "fixed"],
    ids=str,
)
def test_a_column_of_a_table_without_pictures(
    kind: Any, rows: list[dict[str, str]], vectors: np.ndarray, encoder: Encoder, store: EdgeStore, tmp_path: Path
) -> None:
    kind = arrow.list_(arrow.float32(), encoder.dim) if kind == "fixed" else kind
    values = vectors.astype(np.float16) if kind.value_type == arrow.float16() else vectors
    done = load(table(tmp_path, rows[:20], values[:20], kind), None, encoder, store, COLUMNS, index_titles=False)
    assert done.manifest.products == 20
    reader = store.open()
    for row in (0, 7, 19):
        (best,) = search(reader, vectors[row], 1)
        assert (best.product_id, best.payload["title"]) == (rows[row]["id"], rows[row]["title"])
        assert best.score > 0.999
    reader.close()


def test_a_vector_that_cannot_be_indexed_rejects_its_row_and_no_other(
    rows: list[dict[str, str]], vectors: np.ndarray, encoder: Encoder, store: EdgeStore, tmp_path: Path
) -> None:
    values: list[Any] = [row.tolist() for row in vectors]
    values[3], values[10], values[11], values[30] = None, [np.nan, *values[10][1:]], [0.0] * encoder.dim, values[30][:5]
    values[31] = [None, *values[31][1:]]
    done = load(table(tmp_path, rows, values), None, encoder, store, COLUMNS, index_titles=False)
    assert rejected(tmp_path) == [
        (4, rows[3]["id"], "VECTOR_MISSING"),
        (11, rows[10]["id"], "VECTOR_NOT_FINITE"),
        (12, rows[11]["id"], "VECTOR_ZERO"),
        (31, rows[30]["id"], "VECTOR_DIM"),
        (32, rows[31]["id"], "VECTOR_NOT_FINITE"),
    ]
    assert done.reasons["VECTOR_NOT_FINITE"] == 2
    reader = store.open()
    assert reader.count() == PRODUCTS - 5
    assert search(reader, vectors[47], 1)[0].product_id == rows[47]["id"]
    reader.close()


def test_with_too_many_of_them_nothing_goes_live(
    catalog: Path, vectors: np.ndarray, encoder: Encoder, store: EdgeStore, tmp_path: Path
) -> None:
    values = vectors.copy()
    values[:25] = 0
    with pytest.raises(BuildError, match=r"25 of 48 rows were rejected \(VECTOR_ZERO 25\); permitted: a share of 0.5"):
        load(npy(tmp_path, values), catalog, encoder, store)
    assert (store.live_version(), store.versions()) == (None, [])


def test_a_rejected_row_of_the_catalog_takes_its_vector_with_it(
    catalog: Path, rows: list[dict[str, str]], vectors: np.ndarray, encoder: Encoder, store: EdgeStore, tmp_path: Path
) -> None:
    bad = [{**row, "price": "minus five"} if place in (0, 5) else row for place, row in enumerate(rows)]
    with (tmp_path / "bad.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(bad)
    load(npy(tmp_path, vectors), tmp_path / "bad.csv", encoder, store, index_titles=False)
    assert [line[1:] for line in rejected(tmp_path)] == [
        (rows[0]["id"], "PRICE_INVALID"),
        (rows[5]["id"], "PRICE_INVALID"),
    ]
    reader = store.open()
    assert [search(reader, vectors[row], 1)[0].product_id for row in (1, 4, 6, 47)] == [
        rows[row]["id"] for row in (1, 4, 6, 47)
    ]
    reader.close()


@pytest.mark.parametrize("count", [PRODUCTS - 1, PRODUCTS + 1])
def test_fewer_or_more_vectors_than_rows_are_an_error_before_anything_is_written(
    count: int, catalog: Path, encoder: Encoder, store: EdgeStore, tmp_path: Path
) -> None:
    with pytest.raises(TransferError, match=rf"vectors.npy holds {count} vectors, catalog.csv 48 rows; permitted: as"):
        load(npy(tmp_path, unit_rows(count, dim=encoder.dim)), catalog, encoder, store)
    assert not (tmp_path / "index").exists()


def test_a_product_with_several_rows_has_a_vector_of_each(
    vectors: np.ndarray, encoder: Encoder, store: EdgeStore, tmp_path: Path
) -> None:
    columns = {
        "id": ["a", "a", "b", "c", "c", "c"],
        "title": ["Red ball"] * 2 + ["Blue box"] + ["Green ring"] * 3,
        "image": ["a1.jpg", "a2.jpg", "b1.jpg", ["c1.jpg"], ["c2.jpg", "c3.jpg"], ["c4.jpg"]],
        "embedding": [row.tolist() for row in vectors[:6]],
    }
    columns["image"] = [[name] if isinstance(name, str) else name for name in columns["image"]]
    parquet.write_table(arrow.table(columns), tmp_path / "p.parquet")
    done = load(tmp_path / "p.parquet", None, encoder, store, max_reject_share=1.0)
    assert done.manifest.multivector
    reader = store.open()
    found = reader.fetch("a")
    assert found is not None
    assert np.allclose(found.vectors, vectors[:2], atol=1e-6)
    assert (search(reader, vectors[1], 1)[0].product_id, search(reader, vectors[1], 1)[0].picture) == ("a", 1)
    assert reader.count() == 2
    reader.close()
    # Which of four pictures three vectors are of, nobody knows.
    assert rejected(tmp_path) == [(4, "c", "VECTOR_COUNT")]


def test_vectors_in_another_order_or_of_another_model_are_told_of(
    catalog: Path, vectors: np.ndarray, encoder: Encoder, store: EdgeStore, tmp_path: Path
) -> None:
    other = unit_rows(PRODUCTS, seed=3, dim=encoder.dim)
    done = load(npy(tmp_path, other), catalog, encoder, store)
    assert done.is_doubtful
    assert "WARNING: that is no more than chance: are these vectors of this model" in describe(done, store.url)


class TestAWrongFile:
    """It is refused before anything is written."""

    def refused(self, why: str, encoder: Encoder, source: Path, products: Path | None = None, **columns: str) -> None:
        with pytest.raises((TransferError, CatalogError), match=why):
            open_vectors(str(source), None if products is None else str(products), columns, encoder.dim)

    def test_without_its_other_half(self, catalog: Path, encoder: Encoder, tmp_path: Path) -> None:
        self.refused(r"an npy file holds no products; next step: name their catalog", encoder, tmp_path / "v.npy")
        self.refused(r"permitted with --products: a file ending in .npy", encoder, catalog, catalog)
        self.refused(r"catalog.csv is no table with a column of vectors; permitted: Parquet", encoder, catalog)

    def test_of_another_length(
        self, catalog: Path, rows: list[dict[str, str]], encoder: Encoder, tmp_path: Path
    ) -> None:
        wrong = unit_rows(PRODUCTS, dim=encoder.dim + 1)
        why = rf"holds vectors of {encoder.dim + 1} values; permitted: {encoder.dim}, as the model makes them"
        self.refused(why, encoder, npy(tmp_path, wrong), catalog)
        self.refused(why, encoder, table(tmp_path, rows, [None, *wrong[1:]]), **COLUMNS)

    def test_without_such_a_column_or_with_one_of_another_kind(
        self, rows: list[dict[str, str]], vectors: np.ndarray, encoder: Encoder, tmp_path: Path
    ) -> None:
        path = table(tmp_path, rows, vectors)
        self.refused(r"has no column 'embedding'; columns found: 'sku', 'name', 'category', 'clip_vec'", encoder, path)
        self.refused(r"column 'name' of .* is of type string; permitted: a list", encoder, path, embedding="name")

    def test_that_was_cut_short(
        self, rows: list[dict[str, str]], vectors: np.ndarray, encoder: Encoder, tmp_path: Path
    ) -> None:
        path = table(tmp_path, rows, vectors)
        path.write_bytes(path.read_bytes()[:-50])
        self.refused(r"is no Parquet file, is damaged or was cut short", encoder, path, **COLUMNS)


def test_the_commands(
    catalog: Path, rows: list[dict[str, str]], vectors: np.ndarray, trained_bundle: Path, tmp_path: Path
) -> None:
    def run(*arguments: str) -> Any:
        store = ("--store", f"edge:{tmp_path / 'index'}", "--cache-dir", str(tmp_path / "cache"))
        return run_module("indexer", "load", *arguments, *store)

    values = vectors.copy()
    values[2] = 0
    path, model = npy(tmp_path, values), ("--model", str(trained_bundle))
    done = run(str(path), "--products", str(catalog), *model)
    assert done.returncode == 3, done.stderr
    assert "47 products, 1 rejected" in done.stdout
    assert "VECTOR_ZERO 1; see the rejects file" in done.stdout
    assert (tmp_path / "index" / "rejects.jsonl").is_file()
    named = ("--map", "id=sku", "--map", "title=name", "--map", "embedding=clip_vec")
    done = run(str(table(tmp_path, rows, vectors)), *named, *model)
    assert (done.returncode, "48 products, 0 rejected" in done.stdout) == (0, True), done.stderr
    done = run(str(path), "--products", str(catalog))
    assert done.returncode == 2
    assert "--model" in done.stderr
