"""The stamps of Tux Paint: finding them, fetching them, and reading pictures and captions."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from embedder.catalogs.product import Product, Rejection
from embedder.catalogs.registry import open_catalog
from embedder.datasets import tuxpaint_files as files
from embedder.datasets.tuxpaint_stamps import TuxpaintStampsReader
from embedder.errors import CatalogError
from embedder.inputs.picture import PictureFile, decode_picture


def add_stamp(folder: Path, name: str, caption: str | bytes | None, color: tuple[int, ...] = (9, 9, 200, 0)) -> None:
    path = folder / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGBA", (12, 8), color).save(path)
    if caption is not None:
        data = caption if isinstance(caption, bytes) else caption.encode()
        path.with_suffix(".txt").write_bytes(data)


def make_stamps(folder: Path) -> Path:
    add_stamp(folder, "animals/birds/owl", "A snowy  owl.\nde.utf8=Eine Schneeeule.\n")
    add_stamp(folder, "animals/frog", "A frog.\nfr.utf8=Une grenouille.")
    add_stamp(folder, "animals/frog-1", "A frog.\n")
    add_stamp(folder, "animals/frog_mirror", None)
    add_stamp(folder, "clothes/sock2", "A sock!")
    add_stamp(folder, "clothes/sock1", "Another sock.")
    (folder / "clothes/sock1.ogg").write_bytes(b"sound")
    (folder / "clothes/sock1.dat").write_text("tintable")
    return folder


@pytest.fixture
def stamps(tmp_path: Path) -> Path:
    return make_stamps(tmp_path / "stamps")


def products(folder: Path) -> list[Product]:
    return [row for row in TuxpaintStampsReader(str(folder)).read() if isinstance(row, Product)]


class TestReading:
    def test_a_product_is_a_picture_with_its_english_caption(self, stamps: Path) -> None:
        owl = products(stamps)[0]
        assert (owl.id, owl.title, owl.category) == ("animals/birds/owl", "A snowy owl", "animals/birds")
        assert (owl.split, owl.price, owl.line) == (None, None, 1)
        assert isinstance(owl.pictures[0].source, PictureFile)
        assert owl.pictures[0].source.path == stamps / "animals/birds/owl.png"

    def test_what_is_clear_becomes_white(self, stamps: Path) -> None:
        assert decode_picture(products(stamps)[0].pictures[0].source).image.getpixel((0, 0)) == (255, 255, 255)

    def test_mirrored_twins_and_other_files_are_no_products(self, stamps: Path) -> None:
        reader = TuxpaintStampsReader(str(stamps))
        assert [product.id for product in products(stamps)] == [
            "animals/birds/owl",
            "animals/frog-1",
            "animals/frog",
            "clothes/sock1",
            "clothes/sock2",
        ]
        assert reader.count() == 5
        assert reader.outline().rows == 5
        assert (reader.name, reader.outline().most_pictures) == ("tuxpaint-stamps", 1)

    def test_numbered_siblings_with_one_caption_are_variants(self, stamps: Path) -> None:
        for product in products(stamps):
            assert product.attributes == {"variant_group": product.variant_group}
        assert {product.id: product.variant_group for product in products(stamps)} == {
            "animals/birds/owl": "animals/birds/owl",
            "animals/frog": "animals/frog",
            "animals/frog-1": "animals/frog",
            "clothes/sock1": "clothes/sock1",
            "clothes/sock2": "clothes/sock2",
        }

    @pytest.mark.parametrize(
        ("caption", "detail"),
        [(None, "no caption: No such file"), (b"\xff\xfe", "caption is not UTF-8")],
    )
    def test_one_without_a_caption_is_rejected_and_the_others_are_read(
        self, stamps: Path, caption: bytes | None, detail: str
    ) -> None:
        add_stamp(stamps, "animals/zebra", caption)
        rows = list(TuxpaintStampsReader(str(stamps)).read())
        (rejection,) = [row for row in rows if isinstance(row, Rejection)]
        assert (rejection.product_id, rejection.reason, rejection.line) == ("animals/zebra", "TITLE_INVALID", 4)
        assert detail in rejection.detail
        assert len(rows) == 6

    def test_a_pipe_for_a_caption_holds_nothing_up(self, stamps: Path) -> None:
        add_stamp(stamps, "animals/zebra", None)
        os.mkfifo(stamps / "animals/zebra.txt")
        (rejection,) = [row for row in TuxpaintStampsReader(str(stamps)).read() if isinstance(row, Rejection)]
        assert "a pipe" in rejection.detail


class TestRefused:
    def test_a_folder_without_stamps(self, tmp_path: Path) -> None:
        add_stamp(tmp_path, "owl", None)
        for folder in (tmp_path, tmp_path / "none"):
            with pytest.raises(CatalogError, match=f"'{folder}' holds no stamps; permitted: a folder with pictures"):
                open_catalog(f"tuxpaint-stamps:{folder}")

    def test_columns_and_splits_mean_nothing_here(self, stamps: Path) -> None:
        with pytest.raises(CatalogError, match="no columns"):
            TuxpaintStampsReader(str(stamps), columns={"id": "sku"})
        with pytest.raises(CatalogError, match="no split 'test'; permitted: none"):
            TuxpaintStampsReader(str(stamps), split="test")


class Surroundings:
    """A machine without the stamps: its own working directory and search path."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.original = make_stamps(root / "original")
        self.local = root / "work/data/datasets/tuxpaint-stamps"
        (root / "work").mkdir()
        (root / "bin").mkdir()
        monkeypatch.setattr(files, "INSTALLED_FOLDER", root / "installed")
        monkeypatch.setenv("PATH", str(root / "bin"))
        monkeypatch.chdir(root / "work")

    def add_command(self, name: str, script: str) -> None:
        path = self.root / "bin" / name
        path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
        path.chmod(0o755)

    def add_debian(self, unpack: str = "") -> None:
        name = "tuxpaint-stamps-default"
        self.add_command("apt-get", f'test "$*" = "--quiet download {name}" && touch "$3_1_all.deb"')
        folder = "usr/share/tuxpaint/stamps"
        self.add_command(
            "dpkg-deb",
            f'test "$1 $2" = "-x {name}_1_all.deb" && mkdir -p "$3/{folder}" '
            f'&& cp -R {self.original}/* "$3/{folder}"\n{unpack}',
        )


@pytest.fixture
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Surroundings:
    return Surroundings(tmp_path, monkeypatch)


class TestFinding:
    def test_an_installed_package_is_used(self, surroundings: Surroundings) -> None:
        make_stamps(surroundings.root / "installed")
        make_stamps(surroundings.local)
        assert files.find_or_fetch() == surroundings.root / "installed"

    def test_then_the_local_folder(self, surroundings: Surroundings) -> None:
        (surroundings.root / "installed").mkdir()
        make_stamps(surroundings.local)
        assert files.find_or_fetch() == surroundings.local

    def test_then_debians_archive_once_and_without_the_sounds(self, surroundings: Surroundings) -> None:
        assert files.find() is None
        surroundings.add_debian()
        assert TuxpaintStampsReader().count() == 5
        surroundings.add_command("apt-get", "exit 1")
        assert TuxpaintStampsReader().count() == 5
        assert [path.name for path in surroundings.local.parent.iterdir()] == ["tuxpaint-stamps"], "nothing left behind"
        assert {path.suffix for path in surroundings.local.rglob("*") if path.is_file()} == {".png", ".txt"}

    @pytest.mark.parametrize(
        ("apt", "unpack", "message"),
        [
            (None, "", "apt-get is not installed"),
            ("echo 'E: Unable to locate package' >&2; exit 100", "", "status 100: E: Unable to locate package"),
            ("exit 0", "", "left no package"),
            ("", "exit 2", "dpkg-deb ended with status 2"),
            ("", 'rm -R "$3"/usr/share/tuxpaint/stamps', "the package lacks usr/share/tuxpaint/stamps"),
            ("", 'find "$3" -name "*.png" -delete', "no picture with a caption"),
        ],
    )
    def test_when_that_fails_it_says_what_to_do_and_leaves_nothing(
        self, surroundings: Surroundings, apt: str | None, unpack: str, message: str
    ) -> None:
        if apt is not None:
            surroundings.add_debian(unpack)
        if apt:
            surroundings.add_command("apt-get", apt)
        with pytest.raises(CatalogError) as caught:
            TuxpaintStampsReader()
        assert message in str(caught.value)
        assert "apt-get install tuxpaint-stamps-default" in str(caught.value)
        assert list(surroundings.local.parent.iterdir()) == []

    def test_a_hanging_command_is_ended(self, surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(files, "PACKAGE_TIMEOUT_S", 0.2)
        surroundings.add_command("apt-get", "exec sleep 60")
        with pytest.raises(CatalogError, match="apt-get took longer than"):
            files.find_or_fetch()


@pytest.mark.skipif(files.find() is None, reason="needs the stamps: install the Debian package tuxpaint-stamps-default")
class TestRealData:
    def test_all_of_them_have_captions_and_categories(self) -> None:
        rows = list(open_catalog("tuxpaint-stamps").read())
        found = [row for row in rows if isinstance(row, Product)]
        assert len(found) == len(rows) > 700
        assert len({product.id for product in found}) == len(found)
        assert all(product.title and product.category for product in found)
        departments = Counter(str(product.category).partition("/")[0] for product in found)
        assert departments["animals"] > 100
        assert departments["vehicles"] > 20
        titles = {product.id: product.title for product in found}
        assert titles["animals/mammals/cats/tiger"] == "A tiger"
        assert not any("utf8" in title or title.endswith(".") for title in titles.values())

    def test_their_pictures_can_be_decoded(self) -> None:
        for row in list(open_catalog("tuxpaint-stamps").read())[::40]:
            assert isinstance(row, Product)
            assert min(decode_picture(row.pictures[0].source).image.size) > 5
