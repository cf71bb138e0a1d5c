"""`python -m embedder datasets`: which sets there are, and preparing one."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from embedder.catalogs.product import Product
from embedder.catalogs.registry import BUILT_IN, open_catalog
from embedder.datasets import csv_folder, fashion_mnist_files, listing, tuxpaint_files
from embedder.errors import CatalogError
from embedder.inputs.picture import decode_picture
from tests.conftest import run_module, write_drawn_catalog


class TestListing:
    def test_every_set_with_where_it_is_and_how_to_name_it(self) -> None:
        done = run_module("embedder", "datasets")
        assert done.returncode == 0, done.stderr
        # The table breaks its lines where they are long.
        words = done.stdout.split()
        for found in listing.KNOWN_SETS:
            assert found.name in words
            assert found.description.split()[0] in words
        assert "drawn when it is read" in done.stdout

    def test_each_is_a_catalog_by_its_name(self) -> None:
        for found in listing.KNOWN_SETS:
            assert found.name in BUILT_IN
            assert found.usage.startswith(found.name)

    def test_what_is_not_here_yet_is_said_and_not_fetched(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        for files in (fashion_mnist_files, tuxpaint_files):
            monkeypatch.setattr(files, "INSTALLED_FOLDER", tmp_path / "nowhere")
        assert [found.where() for found in listing.KNOWN_SETS] == [
            "not here yet",
            "not here yet",
            "drawn when it is read",
        ]
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("name", ["cifar", "", "fashion-mnist:somewhere", "Studio"])
    def test_an_unknown_one_is_refused_with_the_known(self, name: str) -> None:
        with pytest.raises(CatalogError, match=f"dataset '{name}'; permitted: fashion-mnist, tuxpaint-stamps, studio"):
            listing.known_set(name)


class TestPreparing:
    def test_a_set_that_is_drawn_is_written_for_people_to_look_at(self, tmp_path: Path) -> None:
        name, out = "studio:products=8,seed=3,views=clean+other", tmp_path / "shop"
        done = run_module("embedder", "datasets", "prepare", name, "--out", str(out))
        assert done.returncode == 0, done.stderr
        assert f"8 products written; use them with --catalog {out}/catalog.csv" in done.stdout
        with (out / "catalog.csv").open(newline="", encoding="utf-8") as file:
            columns = next(csv.reader(file))
        assert columns == [
            "id", "title", "category", "price", "in_stock", "color", "material", "pattern", "second_color",
            "third_color", "variant_group", "split", "image", "image_2",
        ]  # fmt: skip

    def test_what_was_written_reads_as_the_same_catalog(self, tmp_path: Path) -> None:
        reader = open_catalog("studio:products=6,seed=3,views=clean+street")
        written = csv_folder.write_csv_folder(reader, tmp_path / "shop")
        assert (written.products, written.left_out) == (6, 0)
        for row, again in zip(reader.read(), open_catalog(str(written.csv)).read(), strict=True):
            assert isinstance(row, Product)
            assert isinstance(again, Product)
            for field in ("id", "title", "category", "price", "in_stock", "attributes", "split"):
                assert getattr(again, field) == getattr(row, field), field
            assert len(again.pictures) == 2
            for picture, other in zip(row.pictures, again.pictures, strict=True):
                drawn, read = (np.asarray(decode_picture(found.source).image) for found in (picture, other))
                np.testing.assert_array_equal(drawn, read)

    def test_rows_that_cannot_be_written_are_counted(self, tmp_path: Path) -> None:
        catalog = write_drawn_catalog(tmp_path / "drawn", 6)
        (catalog.parent / "0001.png").write_bytes(b"no picture")
        (catalog.parent / "0002.png").unlink()
        catalog.write_text(catalog.read_text().replace("p-0004", "p-0000"))
        written = csv_folder.write_csv_folder(open_catalog(str(catalog)), tmp_path / "out")
        assert (written.products, written.left_out) == (3, 3)
        assert [row.id for row in open_catalog(str(written.csv)).read() if isinstance(row, Product)] == [
            "p-0000",
            "p-0003",
            "p-0005",
        ]

    def test_nothing_is_written_over(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("mine")
        with pytest.raises(CatalogError, match="is not empty; permitted: a new or an empty one"):
            csv_folder.write_csv_folder(open_catalog("studio:products=2"), tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]

    def test_a_folder_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(CatalogError, match=r"cannot be written: .*next step: name another one"):
            csv_folder.write_csv_folder(open_catalog("studio:products=2"), tmp_path / "file")

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("cifar", "error: dataset 'cifar'; permitted: fashion-mnist, tuxpaint-stamps, studio"),
            ("studio:products=none", "error: studio: products 'none'; permitted: a number from 1 to 1,000,000"),
        ],
    )
    def test_what_is_refused_is_one_line_and_exit_status_2(self, name: str, message: str, tmp_path: Path) -> None:
        done = run_module("embedder", "datasets", "prepare", name, "--out", str(tmp_path / "out"))
        assert done.returncode == 2
        assert done.stderr.strip().splitlines()[-1].startswith(message)
        assert not (tmp_path / "out").exists()
