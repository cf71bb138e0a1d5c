"""A catalog in memory: what was read and which data it was."""

from __future__ import annotations

from pathlib import Path

from embedder.catalogs.loading import data_hash, load_catalog
from embedder.catalogs.product import Product, ProductPicture
from embedder.catalogs.registry import open_catalog
from embedder.inputs.picture import PictureBytes, PictureFile


def test_products_and_rejected_rows_are_kept_apart(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,title,image\n1,Boot,1.png\n,No id,2.png\n3,Bag,3.png\n1,Twice,1.png\n")
    catalog = load_catalog(open_catalog(str(tmp_path / "a.csv")))
    assert [product.id for product in catalog.products] == ["1", "3"]
    assert [(row.line, row.reason) for row in catalog.rejections] == [(3, "ID_MISSING"), (5, "ID_DUPLICATE")]


def test_the_data_hash_is_of_ids_titles_and_categories_in_order() -> None:
    picture = PictureBytes(b"")
    products = [
        Product("1", "Boot", (ProductPicture(picture),), category="shoes"),
        Product("2", "Bag", (ProductPicture(picture),)),
    ]
    assert data_hash(products) == data_hash(list(products))
    assert len(data_hash(products)) == 64
    others = [
        products[::-1],
        products[:1],
        [Product("1", "Boots", (ProductPicture(picture),), category="shoes"), products[1]],
        [Product("1", "Boot", (ProductPicture(picture),), category="bags"), products[1]],
    ]
    assert len({data_hash(products), *map(data_hash, others)}) == 5


def test_products_of_a_part_come_with_or_without_leave_to_lie_outside(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,image,split\n1,1.png,train\n2,2.png,test\n")
    for allow, limit in ((False, tmp_path), (True, None)):
        catalog = load_catalog(open_catalog(str(tmp_path / "a.csv"), allow_outside_pictures=allow))
        (product,) = (product for product in catalog.products if product.split == "test")
        assert product.pictures[0].source == PictureFile(tmp_path / "2.png", limit)
