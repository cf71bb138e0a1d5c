"""A folder of product folders as a catalog: each folder that holds pictures is a product."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedder.catalogs.outline import outline_catalog
from embedder.catalogs.product import Product, ProductPicture, Rejection
from embedder.catalogs.product_folders import ProductFoldersReader
from embedder.catalogs.registry import open_catalog
from embedder.errors import CatalogError
from embedder.inputs.picture import PictureFile


def make(root: Path, *names: str) -> str:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return str(root)


def said(location: str, **options) -> list[tuple[str, list[str]] | tuple[str, str]]:
    """Id and picture names of a product, id and reason of a rejection."""
    return [
        (row.id, [Path(picture.name).name for picture in row.pictures])
        if isinstance(row, Product)
        else (row.product_id, row.reason)
        for row in ProductFoldersReader(location, **options).read()
    ]


def test_a_folders_pictures_are_one_product_the_first_by_name_is_the_main_one(tmp_path: Path) -> None:
    make(tmp_path, "shoes/boots/red_winter-boot/2 side.jpg", "shoes/boots/red_winter-boot/1 front.png", "hat/a.jpg")
    reader = open_catalog(f"product-folders:{tmp_path}")
    folder = tmp_path / "shoes/boots/red_winter-boot"
    hat, boot = reader.read()
    assert isinstance(hat, Product)
    assert (hat.id, hat.title, hat.category, hat.line) == ("hat", "hat", None, 1)
    assert boot == Product(
        id="shoes/boots/red_winter-boot",
        title="red winter boot",
        pictures=(
            ProductPicture(PictureFile(folder / "1 front.png", tmp_path), "shoes/boots/red_winter-boot/1 front.png"),
            ProductPicture(PictureFile(folder / "2 side.jpg", tmp_path), "shoes/boots/red_winter-boot/2 side.jpg"),
        ),
        category="shoes/boots",
        line=2,
    )
    assert list(reader.read()) == [hat, boot], "a catalog can be read again"
    assert (reader.name, reader.count(), outline_catalog(reader).rows) == (tmp_path.name, 2, 2)


def test_the_plain_folder_kind_still_makes_each_picture_a_product(tmp_path: Path) -> None:
    make(tmp_path, "boot/1.jpg", "boot/2.jpg")
    assert [row.id for row in open_catalog(str(tmp_path)).read() if isinstance(row, Product)] == [
        "boot/1.jpg",
        "boot/2.jpg",
    ]


def test_a_folder_with_pictures_may_be_the_category_of_others(tmp_path: Path) -> None:
    # By name, the sub-folder stands between the two pictures.
    location = make(tmp_path, "boots/a.jpg", "boots/b red/1.jpg", "boots/c.jpg", "zip/z.jpg")
    assert said(location) == [("boots", ["a.jpg", "c.jpg"]), ("boots/b red", ["1.jpg"]), ("zip", ["z.jpg"])]
    categories = [row.category for row in ProductFoldersReader(location).read() if isinstance(row, Product)]
    assert categories == [None, "boots", None]


def test_pictures_in_no_folder_belong_to_no_product(tmp_path: Path) -> None:
    location = make(tmp_path, "stray.jpg", "boot/1.jpg")
    stray, boot = ProductFoldersReader(location).read()
    assert isinstance(stray, Rejection)
    assert (stray.line, stray.reason) == (1, "ID_MISSING")
    assert "'stray.jpg' lies in no product's folder" in stray.detail
    assert isinstance(boot, Product)


def test_of_more_than_sixteen_pictures_the_others_are_counted(tmp_path: Path) -> None:
    (product,) = ProductFoldersReader(make(tmp_path, *(f"boot/{number:02d}.jpg" for number in range(20)))).read()
    assert isinstance(product, Product)
    assert (len(product.pictures), product.pictures_left_out) == (16, 4)


def test_folders_of_a_benchmark_are_splits(tmp_path: Path) -> None:
    location = make(tmp_path, "train/boots/b1/1.jpg", "test/b2/1.jpg", "test/b2/2.jpg", "test/stray.jpg")
    found = {
        row.id: (row.split, row.category) for row in ProductFoldersReader(location).read() if isinstance(row, Product)
    }
    assert found == {"train/boots/b1": ("train", "boots"), "test/b2": ("test", None)}
    assert said(location, split="train") == [("train/boots/b1", ["1.jpg"])]
    assert said(location, split="test") == [("", "ID_MISSING"), ("test/b2", ["1.jpg", "2.jpg"])]


def test_a_folder_whose_name_is_no_id_is_rejected_once(tmp_path: Path) -> None:
    assert said(make(tmp_path, "bo\not/1.jpg", "bo\not/2.jpg")) == [("", "ID_INVALID")]


def test_links_out_of_the_catalog_are_followed_only_where_that_is_permitted(tmp_path: Path) -> None:
    make(tmp_path / "elsewhere", "coat/1.jpg")
    location = make(tmp_path / "shop", "boot/1.jpg")
    (tmp_path / "shop/coat").symlink_to(tmp_path / "elsewhere/coat")
    assert said(location) == [("boot", ["1.jpg"]), ("coat", "IMAGE_OUTSIDE_CATALOG")]
    assert said(location, allow_outside_pictures=True) == [("boot", ["1.jpg"]), ("coat", ["1.jpg"])]


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="holds no picture"):
        ProductFoldersReader(make(tmp_path, "notes.txt"))
