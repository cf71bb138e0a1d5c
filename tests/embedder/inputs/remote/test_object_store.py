"""Catalogs and pictures behind URLs, by fsspec; its file system in memory stands for an object store."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from embedder.catalogs.loading import load_catalog
from embedder.catalogs.product import Product, Rejection
from embedder.catalogs.registry import open_catalog
from embedder.catalogs.siblings.hashing import hash_pictures
from embedder.errors import CatalogError, MissingExtra, PictureFetchFailed, PictureMissing, PictureTooLarge
from embedder.inputs.picture import PictureFile, PictureLimits, RemotePicture, decode_picture
from embedder.inputs.remote.object_store import ObjectPictures, RemoteFolder
from tests.embedder.catalogs.tables.test_datasets import save, some
from tests.embedder.catalogs.tables.written import FORMATS, png


@pytest.fixture
def store() -> Iterator[Any]:
    system = fsspec.filesystem("memory")
    system.store.clear()
    system.pipe_file("/bucket/shop/pictures/a.png", png(1))
    system.pipe_file("/bucket/other/b.png", png(2))
    yield system
    system.store.clear()


def products(spec: str, **options: Any) -> list[Product]:
    found = load_catalog(open_catalog(spec, **options))
    assert not found.rejections
    return list(found.products)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("shop.csv", "id,image\nA,pictures/a.png\n"),
        ("shop.jsonl", '{"id": "A", "image": "pictures/a.png"}\n'),
    ],
)
def test_a_catalog_of_texts_is_read_from_a_store_and_its_pictures_are_beside_it(
    store: Any, name: str, text: str
) -> None:
    store.pipe_file(f"/bucket/shop/{name}", text.encode())
    (product,) = products(f"memory://bucket/shop/{name}")
    assert isinstance(product.pictures[0].source, RemotePicture)
    assert product.pictures[0].source.url == "memory://bucket/shop/pictures/a.png"
    assert product.pictures[0].name == "pictures/a.png"
    assert decode_picture(product.pictures[0].source).image.size == (4, 4)


@pytest.mark.parametrize("write", FORMATS, ids=lambda write: write.__name__)
def test_so_is_every_kind_of_table(store: Any, tmp_path: Path, write: Any) -> None:
    path = write(tmp_path, pa.table({"id": ["A", "B"], "image": ["pictures/a.png", "./pictures/../pictures/a.png"]}))
    store.pipe_file(f"/bucket/shop/{path.name}", path.read_bytes())
    reader = open_catalog(f"memory://bucket/shop/{path.name}")
    assert reader.name == path.name
    for product in load_catalog(reader).products:
        decode_picture(product.pictures[0].source)
    store.pipe_file(f"/bucket/shop/{path.name}", path.read_bytes()[:-20])
    with pytest.raises(CatalogError, match=f"memory://bucket/shop/{path.name}.*cut short"):
        list(open_catalog(f"memory://bucket/shop/{path.name}").read())


def test_so_are_folders_of_parquet_files_and_data_sets(store: Any, tmp_path: Path) -> None:
    for name in ("train-00000-of-00001", "test-00000-of-00001"):
        pq.write_table(pa.table({"id": [name], "image": ["pictures/a.png"]}), tmp_path / "x.parquet")
        store.pipe_file(f"/bucket/shop/data/{name}.parquet", (tmp_path / "x.parquet").read_bytes())
    found = products("parquet:memory://bucket/shop")
    assert [product.split for product in found] == ["test", "train"]
    assert decode_picture(found[0].pictures[0].source).image.size == (4, 4)
    for path in save(tmp_path / "saved", [some("A"), some("B")]).iterdir():
        store.pipe_file(f"/bucket/saved/{path.name}", path.read_bytes())
    assert [product.id for product in products("hf-dataset:memory://bucket/saved")] == ["A", "B"]


class TestPictures:
    @pytest.mark.parametrize(
        "name", ["../other/b.png", "/other/b.png", "memory://bucket/other/b.png", "memory://bucket/shop/../other/b.png"]
    )
    def test_outside_the_catalogs_folder_they_are_refused_unless_that_is_permitted(self, store: Any, name: str) -> None:
        store.pipe_file("/bucket/shop/shop.csv", f"id,image\nA,{name}\n".encode())
        (rejection,) = open_catalog("memory://bucket/shop/shop.csv").read()
        assert isinstance(rejection, Rejection)
        assert rejection.reason == "IMAGE_OUTSIDE_CATALOG"
        assert "--allow-outside-pictures" in rejection.detail
        (product,) = products("memory://bucket/shop/shop.csv", allow_outside_pictures=True)
        assert decode_picture(product.pictures[0].source).image.getpixel((0, 0)) == (2, 100, 200)

    def test_a_local_catalog_names_objects_only_where_that_is_permitted(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "shop.csv").write_text("id,image\nA,s3://bucket/a.png\nB,b.png\n")
        rejection, product = open_catalog(str(tmp_path / "shop.csv")).read()
        assert isinstance(rejection, Rejection)
        assert rejection.reason == "IMAGE_OUTSIDE_CATALOG"
        assert isinstance(product, Product)
        monkeypatch.setattr(ObjectPictures, "check", lambda self, url: None)
        first, second = products(str(tmp_path / "shop.csv"), allow_outside_pictures=True)
        assert first.pictures[0].source == RemotePicture("s3://bucket/a.png", ObjectPictures())
        assert second.pictures[0].source == PictureFile(tmp_path / "b.png", None)

    @pytest.mark.parametrize(
        "name", ["ftp://host/a.png", "ssh://host/a.png", "memory://bucket/a.png", "data:x", "file:///a"]
    )
    def test_a_row_does_not_choose_where_this_machine_connects_to(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "shop.csv").write_text(f"id,image\nA,{name}\n")
        (rejection,) = open_catalog(str(tmp_path / "shop.csv"), allow_outside_pictures=True).read()
        assert isinstance(rejection, Rejection)
        assert rejection.reason == "IMAGE_MISSING"

    def test_what_is_not_there_or_too_large_is_a_fault_of_the_picture(self, store: Any) -> None:
        with pytest.raises(PictureMissing, match="no such object"):
            decode_picture(ObjectPictures().picture("memory://bucket/shop/gone.png"))
        store.pipe_file("/bucket/large.png", bytes(2000))
        limits = PictureLimits(max_bytes=1000)
        assert len(ObjectPictures().fetch("memory://bucket/large.png", limits)) == 1001
        with pytest.raises(PictureTooLarge):
            decode_picture(ObjectPictures().picture("memory://bucket/large.png"), limits)

    def test_whatever_a_store_raises_is_a_picture_that_did_not_come(
        self, store: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*arguments: object, **options: object) -> bytes:
            raise RuntimeError("the token has expired")

        monkeypatch.setattr(type(store), "cat_file", broken)
        with pytest.raises(PictureFetchFailed, match="RuntimeError: the token has expired; next step"):
            decode_picture(ObjectPictures().picture("memory://bucket/shop/pictures/a.png"))

    def test_hashes_of_what_may_change_under_its_url_are_made_anew(self, store: Any, tmp_path: Path) -> None:
        picture = ObjectPictures().picture("memory://bucket/shop/pictures/a.png")
        (before,) = hash_pictures([picture], tmp_path) or [None]
        store.pipe_file("/bucket/shop/pictures/a.png", png(200))
        (after,) = hash_pictures([picture], tmp_path) or [None]
        assert before is not None
        assert after is not None
        assert before.content != after.content


class TestErrors:
    @pytest.mark.parametrize(
        ("spec", "said"),
        [
            ("memory://bucket/gone.csv", "no such file"),
            ("csv:memory://bucket/empty.csv", "is empty"),
            ("https://shop.test/shop.csv", "on a web server; .* download it"),
            ("file:///shop/shop.csv", "without file://"),
            ("simplecache::memory://bucket/shop.csv", "without '::'"),
            ("csv:nonsense://bucket/shop.csv", "cannot be reached: .* permitted: s3://, gs://"),
            ("parquet:memory://bucket/nothing-here", r"holds no file that ends in \.parquet"),
        ],
    )
    def test_a_catalog_that_is_not_there(self, store: Any, spec: str, said: str) -> None:
        store.pipe_file("/bucket/empty.csv", b"")
        with pytest.raises(CatalogError, match=said):
            open_catalog(spec)

    @pytest.mark.parametrize("module", ["s3fs", "fsspec.core"])
    def test_what_is_not_installed_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(MissingExtra, match=r"pip install 'merchlens\[remote\]'"):
            open_catalog("s3://bucket/shop.parquet")
        (tmp_path / "shop.csv").write_text("id,image\nA,s3://bucket/a.png\n")
        with pytest.raises(MissingExtra, match=r"pip install 'merchlens\[remote\]'"):
            list(open_catalog(str(tmp_path / "shop.csv"), allow_outside_pictures=True).read())


@pytest.mark.parametrize(
    ("folder", "name", "url"),
    [
        ("s3://bucket/shop", "a.png", "s3://bucket/shop/a.png"),
        ("s3://bucket/shop/", "x//./a.png", "s3://bucket/shop/x/a.png"),
        ("s3://bucket/shop", "../../../a.png", "s3://bucket/a.png"),
        ("s3://bucket", "../a.png", "s3://bucket/a.png"),
        ("s3://bucket/shop", "/a.png", "s3://bucket/a.png"),
        ("s3://bucket/shop", "what?#.png", "s3://bucket/shop/what?#.png"),
        ("S3://bucket/shop", "GS://other/./a.png", "gs://other/a.png"),
    ],
)
def test_names_to_urls(folder: str, name: str, url: str) -> None:
    assert RemoteFolder.at(folder).url_of(name) == url
