"""What columns are taken for is said before the work starts, in few lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from embedder.catalogs.guessed_columns import SAMPLED_ROWS, ColumnsReader
from embedder.catalogs.registry import open_catalog


def said(path: Path, **options) -> str:
    reader = open_catalog(str(path), **options)
    assert isinstance(reader, ColumnsReader)
    return str(reader.guessed_columns())


def test_of_a_csv(tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"
    path.write_text("sku,Name,photo,image 2,wool,cm,hue,none,parent_id\n1,x,a.jpg,b.jpg,true,3,red,,P\n")
    assert (
        said(path, columns={"category": "hue"})
        == """\
columns of shop.csv (by its first 1 rows):
  id             'sku'
  title          'Name'
  pictures       'photo', 'image 2'
  description    none
  category       'hue'
  price          none
  in_stock       none
  split          none
  variant_group  'parent_id'
  attributes     'wool' (bool), 'cm' (number), 'none' (empty), 'parent_id' (text)
  another column for a field: --map FIELD=COLUMN"""
    )


def test_of_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "shop.jsonl"
    rows = [
        {"id": 1, "images": ["a.jpg"], "cm": 3, "attributes": {"hue": "red"}},
        {"id": 2, "images": ["b.jpg"], "cm": "wide"},
        {"id": 3},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    lines = said(path).splitlines()
    assert lines[0] == "columns of shop.jsonl (by its first 3 rows):"
    assert lines[3].split() == ["pictures", "'images'"]
    assert lines[10].partition("attributes")[2].strip() == "'cm' (number or text), 'hue' (text)"


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_only_the_beginning_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"shop.{suffix}"
    rows = range(SAMPLED_ROWS + 5)
    if suffix == "csv":
        path.write_bytes(b"id,image,cm\n" + b"".join(b"%d,a.jpg,%d\n" % (n, n) for n in rows) + b"x,a.jpg,wide\n")
    else:
        path.write_text("".join(f'{{"id": {n}, "image": "a.jpg", "cm": {n}}}\n' for n in rows) + "no json\n")
    assert f"(by its first {SAMPLED_ROWS:,} rows)" in said(path)
    assert "'cm' (number)" in said(path)


def test_many_attributes_are_not_all_listed(tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"
    path.write_text("id,image," + ",".join(f"a{n}" for n in range(100)) + "\n")
    assert "'a39' (empty), and 60 more" in said(path)


def test_a_folder_of_pictures_has_none(drawn_catalog: Path) -> None:
    assert not isinstance(open_catalog(str(drawn_catalog.parent)), ColumnsReader)
