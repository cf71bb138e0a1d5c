"""A catalog in memory: what was read and which data it was."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from embedder.catalogs.loading import data_hash, load_catalog
from embedder.catalogs.product import Product, ProductPicture
from embedder.catalogs.registry import open_catalog
from embedder.catalogs.siblings.hashing import hash_pictures
from embedder.errors import CatalogError
from embedder.inputs.picture import PictureBytes, PictureFile, RemotePicture, load_picture
from tests.embedder.catalogs.tables.written import png


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


class TestPicturesInTheCatalogItself:
    """What does not fit into memory lies in a temporary file, and is the same to everyone who reads it."""

    def write(self, folder: Path, count: int = 9) -> str:
        path = folder / "shop.parquet"
        pq.write_table(pa.table({"id": range(count), "image": [png(number // 2) for number in range(count)]}), path)
        return str(path)

    def test_they_are_the_same_pictures_wherever_they_lie(self, tmp_path: Path) -> None:
        in_memory = load_catalog(open_catalog(self.write(tmp_path)))
        some_on_disk = load_catalog(open_catalog(self.write(tmp_path)), picture_bytes=3 * len(png(0)))
        assert [product.id for product in some_on_disk.products] == [product.id for product in in_memory.products]
        kinds = [type(product.pictures[0].source) for product in some_on_disk.products]
        assert kinds == [PictureBytes] * 3 + [RemotePicture] * 6
        for one, other in zip(in_memory.products, some_on_disk.products, strict=True):
            assert load_picture(one.pictures[0].source) == load_picture(other.pictures[0].source)
        assert data_hash(in_memory.products) == data_hash(some_on_disk.products)

    def test_they_are_read_in_several_threads_and_their_hashes_are_those_of_their_bytes(self, tmp_path: Path) -> None:
        in_memory = load_catalog(open_catalog(self.write(tmp_path)))
        on_disk = load_catalog(open_catalog(self.write(tmp_path)), picture_bytes=0)
        hashes = [
            hash_pictures([product.pictures[0].source for product in found.products], tmp_path, decode_threads=4)
            for found in (in_memory, on_disk)
        ]
        assert hashes[0] == hashes[1]
        assert None not in (hashes[0] or [None])

    def test_a_full_disk_is_an_error_that_says_where(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with Path("/dev/full").open("w+b", buffering=0) as full:
            monkeypatch.setattr(tempfile, "TemporaryFile", lambda prefix: full)
            with pytest.raises(CatalogError, match="No space left on device; next step: free space there, or set"):
                load_catalog(open_catalog(self.write(tmp_path)), picture_bytes=0)
