"""A folder of pictures as a catalog."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedder.catalogs.picture_folder import PictureFolderReader
from embedder.catalogs.product import Product, ProductPicture, Rejection
from embedder.catalogs.registry import open_catalog
from embedder.catalogs.rows.pictures import SUFFIXES
from embedder.errors import CatalogError
from embedder.inputs.picture import PictureFile


def make(root: Path, *names: str) -> str:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return str(root)


def read_products(location: str) -> list[Product]:
    results = list(PictureFolderReader(location).read())
    assert all(isinstance(found, Product) for found in results), results
    return [found for found in results if isinstance(found, Product)]


def test_names_are_titles_and_folders_are_categories(tmp_path: Path) -> None:
    location = make(tmp_path / "photos", "women/boots/red_winter-boot.jpg", "hat.png")
    reader = PictureFolderReader(location)
    assert reader.name == "photos"
    hat, boot = reader.read()
    assert hat == Product(
        id="hat.png",
        title="hat",
        pictures=(ProductPicture(PictureFile(tmp_path / "photos/hat.png", tmp_path / "photos"), "hat.png"),),
        line=1,
    )
    assert boot == Product(
        id="women/boots/red_winter-boot.jpg",
        title="red winter boot",
        pictures=(
            ProductPicture(
                PictureFile(tmp_path / "photos/women/boots/red_winter-boot.jpg", tmp_path / "photos"),
                "women/boots/red_winter-boot.jpg",
            ),
        ),
        category="women/boots",
        line=2,
    )
    assert list(reader.read()) == [hat, boot], "a catalog can be read again"


def test_it_is_found_by_being_a_folder(tmp_path: Path) -> None:
    assert isinstance(open_catalog(make(tmp_path, "a.jpg")), PictureFolderReader)


def test_the_order_is_that_of_names_folder_by_folder(tmp_path: Path) -> None:
    products = read_products(make(tmp_path, "b/2.jpg", "b/10.jpg", "a.jpg", "c.jpg", "b/a/z.jpg"))
    assert [product.id for product in products] == ["a.jpg", "b/10.jpg", "b/2.jpg", "b/a/z.jpg", "c.jpg"]
    assert [product.line for product in products] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".JPG", ".Png"])
def test_suffixes_of_pictures_in_any_case(tmp_path: Path, suffix: str) -> None:
    assert [product.id for product in read_products(make(tmp_path, f"a{suffix}"))] == [f"a{suffix}"]


def test_other_files_are_counted_and_hidden_ones_are_not_even_that(tmp_path: Path) -> None:
    location = make(tmp_path, "a.jpg", "b/c.jpg", "notes.txt", "b/d.svg", "e", ".hidden.jpg", ".cache/f.jpg")
    reader = PictureFolderReader(location)
    assert (reader.count(), reader.ignored) == (2, 2 + 1)
    assert [product.id for product in read_products(location)] == ["a.jpg", "b/c.jpg"]


@pytest.mark.timeout(20)
def test_links_are_followed_and_circles_end(tmp_path: Path) -> None:
    make(tmp_path / "elsewhere", "linked.jpg")
    location = make(tmp_path / "photos", "a/one.jpg", "b/two.jpg")
    (tmp_path / "photos/a/up").symlink_to(tmp_path / "photos")
    (tmp_path / "photos/b/self").symlink_to(".")
    (tmp_path / "photos/c").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "photos/d.jpg").symlink_to("d.jpg")
    results = list(PictureFolderReader(location, allow_outside_pictures=True).read())
    assert [found.id for found in results if isinstance(found, Product)] == [
        "a/one.jpg",
        "b/two.jpg",
        "c/linked.jpg",
        "d.jpg",
    ]


def test_links_to_folders_outside_are_rejected_one_by_one_and_not_walked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "elsewhere", "private/a.jpg")
    location = make(tmp_path / "photos", "a/one.jpg", "b/two.jpg")
    (tmp_path / "photos/a/private").symlink_to(tmp_path / "elsewhere/private")
    (tmp_path / "photos/c").symlink_to("../elsewhere")
    (tmp_path / "photos/d").symlink_to("a")
    listed = []
    iterdir = Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda path: listed.append(path.resolve()) or iterdir(path))
    reader = PictureFolderReader(location)
    found = list(reader.read())
    assert [(row.line, row.id) for row in found if isinstance(row, Product)] == [(1, "a/one.jpg"), (3, "b/two.jpg")]
    assert [(row.line, row.product_id, row.reason) for row in found if isinstance(row, Rejection)] == [
        (2, "a/private", "IMAGE_OUTSIDE_CATALOG"),
        (4, "c", "IMAGE_OUTSIDE_CATALOG"),
    ]
    assert all("--allow-outside-pictures" in row.detail for row in found if isinstance(row, Rejection))
    assert not [folder for folder in listed if "elsewhere" in folder.parts]
    assert (reader.count(), reader.ignored) == (4, 0)


def test_the_catalog_itself_may_be_a_link(tmp_path: Path) -> None:
    make(tmp_path / "photos", "a/one.jpg")
    (tmp_path / "alias").symlink_to("photos")
    assert [product.id for product in read_products(str(tmp_path / "alias"))] == ["a/one.jpg"]


@pytest.mark.timeout(20)
def test_a_pipe_is_no_picture_but_a_dangling_link_is_left_to_be_reported(tmp_path: Path) -> None:
    location = make(tmp_path, "a.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "gone.jpg").symlink_to("nowhere.jpg")
    assert [product.id for product in read_products(location)] == ["a.jpg", "gone.jpg"]
    assert PictureFolderReader(location).ignored == 1


def test_a_very_deep_folder(tmp_path: Path) -> None:
    deep = "/".join(["d"] * 200)
    (product,) = read_products(make(tmp_path, f"{deep}/a.jpg"))
    assert product.category == deep


class TestIds:
    def test_a_path_that_is_too_long(self, tmp_path: Path) -> None:
        name = "/".join(["x" * 200] * 3) + "/a.jpg"
        (rejection,) = PictureFolderReader(make(tmp_path, name)).read()
        assert isinstance(rejection, Rejection)
        assert rejection.reason == "ID_TOO_LONG"

    @pytest.mark.parametrize("name", [b"a\nb.jpg", b"\xff.jpg", b" a.jpg"])
    def test_names_that_are_no_plain_text(self, tmp_path: Path, name: bytes) -> None:
        make(tmp_path, os.fsdecode(name))
        (rejection,) = PictureFolderReader(str(tmp_path)).read()
        assert isinstance(rejection, Rejection)
        assert (rejection.line, rejection.reason) == (1, "ID_INVALID")

    def test_a_folder_without_a_name_is_no_category(self, tmp_path: Path) -> None:
        (rejection,) = PictureFolderReader(make(tmp_path, "a/ /b.jpg")).read()
        assert isinstance(rejection, Rejection)
        assert (rejection.product_id, rejection.reason) == ("a/ /b.jpg", "CATEGORY_INVALID")


class TestSplits:
    def test_folders_of_a_benchmark_are_splits(self, tmp_path: Path) -> None:
        location = make(
            tmp_path, "train/boots/a.jpg", "test/boots/a.jpg", "val/b.jpg", "Validation/c/d.jpg", "readme.txt", "z.jpg"
        )
        found = {product.id: (product.split, product.category) for product in read_products(location)}
        assert found == {
            "train/boots/a.jpg": ("train", "boots"),
            "test/boots/a.jpg": ("test", "boots"),
            "val/b.jpg": ("validation", None),
            "Validation/c/d.jpg": ("validation", "c"),
            "z.jpg": (None, None),
        }

    def test_one_other_folder_and_they_are_categories(self, tmp_path: Path) -> None:
        products = read_products(make(tmp_path, "train/a.jpg", "boots/b.jpg"))
        assert [(product.split, product.category) for product in products] == [(None, "boots"), (None, "train")]

    def test_only_the_split_asked_for_is_read(self, tmp_path: Path) -> None:
        location = make(tmp_path, "train/a.jpg", "test/b.jpg", "z.jpg")
        found = [item.id for item in PictureFolderReader(location, split="test").read() if isinstance(item, Product)]
        assert found == ["test/b.jpg"]
        assert list(PictureFolderReader(location, split="validation").read()) == []


class TestRefusedCatalogs:
    def test_no_such_folder_a_file_and_no_path(self, tmp_path: Path) -> None:
        make(tmp_path, "a.jpg")
        with pytest.raises(CatalogError, match="no such folder"):
            PictureFolderReader(str(tmp_path / "none"))
        with pytest.raises(CatalogError, match="not a folder"):
            PictureFolderReader(str(tmp_path / "a.jpg"))
        with pytest.raises(CatalogError, match="path is empty"):
            PictureFolderReader("")

    def test_a_folder_without_pictures(self, tmp_path: Path) -> None:
        with pytest.raises(CatalogError, match=r"holds no picture; permitted: files ending in \.jpg"):
            PictureFolderReader(make(tmp_path, "notes.txt", "sub/more.txt"))

    def test_columns_mean_nothing_here(self, tmp_path: Path) -> None:
        with pytest.raises(CatalogError, match="no columns"):
            PictureFolderReader(make(tmp_path, "a.jpg"), columns={"id": "sku"})

    def test_a_folder_that_may_not_be_listed_is_not_passed_over_in_silence(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reader = PictureFolderReader(make(tmp_path, "a.jpg", "locked/b.jpg"))
        iterdir = Path.iterdir

        def refuse(path: Path) -> Iterator[Path]:
            # Taking the permission away would not stop root, as whom tests may run.
            if path.name == "locked":
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return iterdir(path)

        monkeypatch.setattr(Path, "iterdir", refuse)
        with pytest.raises(CatalogError, match=r"locked.*cannot be read: Permission denied"):
            list(reader.read())
