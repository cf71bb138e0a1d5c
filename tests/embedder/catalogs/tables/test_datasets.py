"""Data sets as `datasets.save_to_disk` lays them out, read without that package."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from embedder.catalogs.product import Product, ProductPicture, Rejection
from embedder.catalogs.registry import open_catalog
from embedder.errors import CatalogError
from embedder.inputs.picture import PictureBytes, PictureFile
from tests.embedder.catalogs.tables.written import png

IMAGE = pa.struct({"bytes": pa.binary(), "path": pa.string()})
LABELS = {"label": {"names": ["toys", "home/lamps"], "_type": "ClassLabel"}, "image": {"_type": "Image"}}


def save(folder: Path, tables: Sequence[Any], features: dict[str, Any] | None = None, split: str | None = None) -> Path:
    """Write tables as the shards of one data set."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"data-{number:05}-of-{len(tables):05}.arrow" for number in range(len(tables))]
    for name, table in zip(names, tables, strict=True):
        described = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features or {}}})})
        with pa.OSFile(str(folder / name), "wb") as file, pa.ipc.new_stream(file, described.schema) as writer:
            writer.write_table(described, 1000)
    state = {"_data_files": [{"filename": name} for name in names], "_fingerprint": "f00", "_split": split}
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "dataset_info.json").write_text(json.dumps({"features": features or {}}))
    return folder


def some(*ids: str) -> Any:
    images = pa.array([{"bytes": png(number), "path": f"{name}.png"} for number, name in enumerate(ids)], IMAGE)
    return pa.table({"id": list(ids), "image": images, "label": [number % 2 for number in range(len(ids))]})


def test_a_data_set_of_several_shards_is_found_by_its_folder(tmp_path: Path) -> None:
    folder = save(tmp_path / "shop", [some("A", "B"), some("C")], LABELS)
    reader = open_catalog(str(folder), columns={"category": "label"})
    rows = [row for row in reader.read() if isinstance(row, Product)]
    assert [(row.line, row.id, row.category) for row in rows] == [
        (1, "A", "toys"),
        (2, "B", "home/lamps"),
        (3, "C", "toys"),
    ]
    assert rows[1].pictures == (ProductPicture(PictureBytes(png(1)), "B.png"),)
    assert (reader.name, reader.count()) == ("shop", 3)
    assert rows == list(open_catalog(f"hf-dataset:{folder}", columns={"category": "label"}).read())


def test_class_labels_are_their_names_and_what_is_no_label_costs_its_row(tmp_path: Path) -> None:
    table = some("A", "B", "C").set_column(2, "label", pa.array([1, -1, 7]))
    first, second, third = open_catalog(str(save(tmp_path, [table], LABELS))).read()
    assert isinstance(first, Product)
    assert first.attributes == {"label": "home/lamps"}
    assert isinstance(second, Product)
    assert second.attributes == {}
    assert isinstance(third, Rejection)
    assert third.detail == "column 'label': class label 7; permitted: 0 to 1, or -1 for none"


def test_the_folders_of_a_dict_are_splits_as_far_as_they_are_ours(tmp_path: Path) -> None:
    for split, product_id in (("train", "A"), ("test", "B"), ("unsupervised", "C")):
        save(tmp_path / split, [some(product_id)])
    (tmp_path / "dataset_dict.json").write_text(json.dumps({"splits": ["train", "test", "unsupervised"]}))
    found = {row.id: row.split for row in open_catalog(str(tmp_path)).read() if isinstance(row, Product)}
    assert found == {"A": "train", "B": "test", "C": None}
    tested = [row.id for row in open_catalog(str(tmp_path), split="test").read() if isinstance(row, Product)]
    assert tested == ["B"]
    said = str(open_catalog(str(tmp_path)).guessed_columns())  # type: ignore[attr-defined]
    assert "split          the files' names" in said


def test_a_split_column_counts_more_than_the_folder(tmp_path: Path) -> None:
    save(tmp_path / "train", [some("A").append_column("split", pa.array(["validation"]))])
    (tmp_path / "dataset_dict.json").write_text(json.dumps({"splits": ["train"]}))
    (product,) = open_catalog(str(tmp_path)).read()
    assert isinstance(product, Product)
    assert product.split == "validation"


def test_paths_are_relative_to_the_folder_and_stay_in_it(tmp_path: Path) -> None:
    table = some("A").set_column(1, "image", pa.array([{"bytes": None, "path": "pictures/a.png"}], IMAGE))
    (product,) = open_catalog(str(save(tmp_path, [table]))).read()
    assert isinstance(product, Product)
    assert product.pictures[0].source == PictureFile(tmp_path / "pictures/a.png", tmp_path)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("state.json", "{", "is no JSON"),
        ("state.json", "[]", "holds no JSON object"),
        ("state.json", "{}", "names no data files"),
        (
            "state.json",
            '{"_data_files": [{"filename": "../x.arrow"}]}',
            r"names '\.\./x\.arrow'; permitted: a name within",
        ),
        ("state.json", '{"_data_files": [{"filename": 5}]}', "names 5"),
        ("state.json", '{"_data_files": [{"filename": "gone.arrow"}]}', "gone.arrow': no such file"),
        ("dataset_dict.json", '{"splits": []}', "names no splits"),
        ("dataset_dict.json", '{"splits": ["/etc"]}', "names '/etc'"),
        ("dataset_dict.json", '{"splits": ["train"]}', "no such file"),
    ],
)
def test_a_description_that_is_wrong_is_an_error(tmp_path: Path, file: str, text: str, said: str) -> None:
    folder = save(tmp_path, [some("A")])
    (folder / file).write_text(text)
    with pytest.raises(CatalogError, match=said):
        open_catalog(str(folder))


def test_a_shard_that_was_cut_short_is_an_error_that_names_it(tmp_path: Path) -> None:
    folder = save(tmp_path, [some("A"), some("B")])
    shard = folder / "data-00001-of-00002.arrow"
    shard.write_bytes(shard.read_bytes()[:-8])
    with pytest.raises(CatalogError, match=r"data-00001-of-00002.arrow.*cut short"):
        open_catalog(str(folder))


def test_a_folder_that_is_none_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"neither state.json nor dataset_dict.json; next step: .* save_to_disk"):
        open_catalog(f"hf-dataset:{tmp_path}")
