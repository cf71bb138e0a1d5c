"""Fashion-MNIST: finding it, fetching it, and reading its files strictly."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import io
import struct
import urllib.error
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from embedder.catalogs.product import Product
from embedder.catalogs.registry import open_catalog
from embedder.datasets import fashion_mnist_files as files
from embedder.datasets.fashion_mnist import LABELS, FashionMnistReader
from embedder.errors import CatalogError
from embedder.inputs.picture import PicturePixels, decode_picture

SIZES = {"train": 12, "t10k": 5}


def pack_idx(array: np.ndarray, kind: int = 0x08) -> bytes:
    header = struct.pack(f">4B{array.ndim}I", 0, 0, kind, array.ndim, *array.shape)
    return gzip.compress(header + array.astype(np.uint8).tobytes(), mtime=0)


def make_dataset(folder: Path) -> Path:
    """A tiny dataset of the same form, from a seed."""
    random = np.random.default_rng(17)
    folder.mkdir(parents=True, exist_ok=True)
    for part, size in SIZES.items():
        images = random.integers(0, 256, (size, 28, 28))
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(pack_idx(images))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(pack_idx(np.arange(size) % 10))
    return folder


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return make_dataset(tmp_path / "dataset")


class TestReading:
    def test_both_parts_training_first(self, dataset: Path) -> None:
        reader = FashionMnistReader(str(dataset))
        products = [found for found in reader.read() if isinstance(found, Product)]
        assert (reader.name, reader.count(), len(products)) == ("fashion-mnist", 17, 17)
        assert [product.id for product in products][10:14] == ["train-00010", "train-00011", "test-00000", "test-00001"]
        assert [product.line for product in products] == list(range(1, 18))
        assert {product.id: product for product in reader.read() if isinstance(product, Product)}.keys() == {
            product.id for product in products
        }, "a catalog can be read again"

    def test_a_product(self, dataset: Path) -> None:
        product = next(iter(FashionMnistReader(str(dataset), split="test").read()))
        assert isinstance(product, Product)
        assert (product.id, product.pictures[0].name, product.split, product.line) == (
            "test-00000",
            "test-00000",
            "test",
            13,
        )
        assert (product.title, product.category) == ("T-shirt or top", "T-shirt or top")
        assert isinstance(product.pictures[0].source, PicturePixels)
        raw = gzip.decompress((dataset / "t10k-images-idx3-ubyte.gz").read_bytes())
        expected = np.frombuffer(raw[16 : 16 + 784], np.uint8).reshape(28, 28)
        np.testing.assert_array_equal(product.pictures[0].source.pixels, expected)
        assert decode_picture(product.pictures[0].source).image.size == (28, 28)

    def test_every_label_is_a_category_of_one_level(self, dataset: Path) -> None:
        products = list(FashionMnistReader(str(dataset), split="train").read())
        assert [found.category for found in products if isinstance(found, Product)] == [*LABELS, *LABELS[:2]]
        assert not any("/" in label for label in LABELS)

    def test_one_part(self, dataset: Path) -> None:
        assert FashionMnistReader(str(dataset), split="train").count() == 12
        assert FashionMnistReader(str(dataset), split="test").count() == 5

    def test_it_is_found_by_name(self, dataset: Path) -> None:
        assert isinstance(open_catalog(f"fashion-mnist:{dataset}"), FashionMnistReader)


class TestRefused:
    def test_there_is_no_validation_part(self, dataset: Path) -> None:
        with pytest.raises(CatalogError, match="no split 'validation'; permitted: train, test"):
            FashionMnistReader(str(dataset), split="validation")

    def test_columns_mean_nothing_here(self, dataset: Path) -> None:
        with pytest.raises(CatalogError, match="no columns"):
            FashionMnistReader(str(dataset), columns={"id": "sku"})

    def test_a_folder_that_lacks_a_file(self, dataset: Path) -> None:
        (dataset / "t10k-labels-idx1-ubyte.gz").unlink()
        with pytest.raises(CatalogError, match=r"lacks t10k-labels-idx1-ubyte\.gz; permitted"):
            FashionMnistReader(str(dataset))

    @pytest.mark.parametrize(
        ("name", "data", "message"),
        [
            ("train-images-idx3", b"no gzip at all", "cannot be unpacked"),
            ("train-images-idx3", b"", "header of 0 bytes"),
            ("train-images-idx3", gzip.compress(b"\0\0\x08", mtime=0), "header of 3 bytes"),
            ("train-images-idx3", pack_idx(np.zeros((12, 28, 28)), kind=0x0D), "0x00000d03.*permitted: 0x00000803"),
            ("train-images-idx3", pack_idx(np.zeros((12, 784))), "0x00000802.*permitted: 0x00000803"),
            ("train-images-idx3", pack_idx(np.zeros((12, 32, 32))), r"\(12, 32, 32\) and 12 labels; permitted"),
            ("train-images-idx3", pack_idx(np.zeros((11, 28, 28))), r"\(11, 28, 28\) and 12 labels; permitted"),
            ("train-images-idx3", pack_idx(np.zeros((0, 28, 28))), r"shape \(0, 28, 28\)"),
            (
                "train-images-idx3",
                gzip.compress(struct.pack(">4B3I", 0, 0, 8, 3, 2**32 - 1, 28, 28), mtime=0),
                "shape .*permitted: 1 to 1,073,741,824 values",
            ),
        ],
    )
    def test_headers_are_checked_at_once(self, dataset: Path, name: str, data: bytes, message: str) -> None:
        (dataset / f"{name}-ubyte.gz").write_bytes(data)
        with pytest.raises(CatalogError, match=message):
            FashionMnistReader(str(dataset))

    @pytest.mark.parametrize(
        ("name", "change", "message"),
        [
            ("train-labels-idx1", lambda raw: raw[:-1], "holds 11 values; permitted: 12"),
            ("train-labels-idx1", lambda raw: raw + b"\0", "holds more than 12 values; permitted: 12"),
            ("train-labels-idx1", lambda raw: raw[:-1] + b"\x0a", "holds label 10; permitted: 0 to 9"),
            ("train-images-idx3", lambda raw: raw[:-784], "permitted: 9,408"),
        ],
    )
    def test_contents_are_checked_when_read(
        self, dataset: Path, name: str, change: Callable[[bytes], bytes], message: str
    ) -> None:
        path = dataset / f"{name}-ubyte.gz"
        path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes()))))
        reader = FashionMnistReader(str(dataset))
        with pytest.raises(CatalogError, match=message):
            list(reader.read())

    def test_a_file_cut_short(self, dataset: Path) -> None:
        path = dataset / "train-images-idx3-ubyte.gz"
        path.write_bytes(path.read_bytes()[:-2000])
        reader = FashionMnistReader(str(dataset))
        with pytest.raises(CatalogError, match=r"cannot be unpacked.*fetch it again"):
            list(reader.read())


class Surroundings:
    """A machine without the dataset: its own working directory, search path and internet."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.original = make_dataset(root / "original")
        self.local = root / "work/data/datasets/fashion-mnist"
        self.served: dict[str, bytes | Exception] = {}
        self.requested: list[str] = []
        (root / "work").mkdir()
        (root / "bin").mkdir()
        digests = {
            name: hashlib.sha256(gzip.decompress((self.original / name).read_bytes())).hexdigest()
            for name in files.FILE_NAMES
        }
        monkeypatch.setattr(files, "CONTENT_SHA256", digests)
        monkeypatch.setattr(files, "INSTALLED_FOLDER", root / "installed")
        monkeypatch.setattr("urllib.request.urlopen", self._open_url)
        monkeypatch.setenv("PATH", str(root / "bin"))
        monkeypatch.chdir(root / "work")

    def add_command(self, name: str, script: str) -> None:
        path = self.root / "bin" / name
        path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
        path.chmod(0o755)

    def add_debian(self, unpack: str = "") -> None:
        self.add_command("apt-get", 'test "$*" = "--quiet download dataset-fashion-mnist" && touch "$3_1_all.deb"')
        folder = "usr/share/datasets/fashion-mnist"
        self.add_command(
            "dpkg-deb",
            f'test "$1 $2" = "-x dataset-fashion-mnist_1_all.deb" && mkdir -p "$3/{folder}" '
            f'&& cp {self.original}/* "$3/{folder}"\n{unpack}',
        )

    def serve_all(self) -> None:
        self.served = {name: (self.original / name).read_bytes() for name in files.FILE_NAMES}

    def _open_url(self, url: str, timeout: float) -> io.BytesIO:
        assert timeout == 20.0
        self.requested.append(url)
        reply = self.served.get(url.removeprefix(files.URL), urllib.error.URLError("no network"))
        if isinstance(reply, Exception):
            raise reply
        return io.BytesIO(reply)


@pytest.fixture
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Surroundings:
    return Surroundings(tmp_path, monkeypatch)


class TestFinding:
    def test_an_installed_package_is_used(self, surroundings: Surroundings) -> None:
        make_dataset(surroundings.root / "installed")
        make_dataset(surroundings.local)
        assert files.find_or_fetch() == surroundings.root / "installed"

    def test_then_the_local_folder(self, surroundings: Surroundings) -> None:
        make_dataset(surroundings.root / "installed")
        (surroundings.root / "installed/t10k-labels-idx1-ubyte.gz").unlink()
        make_dataset(surroundings.local)
        assert files.find_or_fetch() == surroundings.local
        assert FashionMnistReader().count() == 17

    def test_then_debians_archive_once(self, surroundings: Surroundings) -> None:
        surroundings.add_debian()
        assert FashionMnistReader().count() == 17
        surroundings.add_command("apt-get", "exit 1")
        assert FashionMnistReader().count() == 17
        assert [path.name for path in surroundings.local.parent.iterdir()] == ["fashion-mnist"], "nothing left behind"
        assert sorted(path.name for path in surroundings.local.iterdir()) == sorted(files.FILE_NAMES)
        assert surroundings.requested == []

    @pytest.mark.parametrize("apt", [None, "echo 'E: Unable to locate package' >&2; exit 100", "exit 0"])
    def test_then_the_public_url(self, surroundings: Surroundings, apt: str | None) -> None:
        if apt is not None:
            surroundings.add_command("apt-get", apt)
        surroundings.serve_all()
        assert files.find_or_fetch() == surroundings.local
        assert surroundings.requested == [files.URL + name for name in files.FILE_NAMES]

    @pytest.mark.parametrize(
        "unpack",
        [
            "exit 2",
            'rm "$3"/usr/share/datasets/fashion-mnist/t10k*',
            'for f in "$3"/usr/share/datasets/fashion-mnist/*; do echo changed | gzip > "$f"; done',
        ],
    )
    def test_a_package_with_something_else_in_it_is_not_used(self, surroundings: Surroundings, unpack: str) -> None:
        surroundings.add_debian(unpack)
        surroundings.serve_all()
        assert files.find_or_fetch() == surroundings.local
        assert len(surroundings.requested) == 4

    def test_what_is_half_there_is_completed(self, surroundings: Surroundings) -> None:
        make_dataset(surroundings.local)
        (surroundings.local / "train-images-idx3-ubyte.gz").unlink()
        surroundings.serve_all()
        files.find_or_fetch()
        assert files.lacks(surroundings.local) == []

    def test_the_content_counts_not_how_it_was_packed(self, surroundings: Surroundings) -> None:
        surroundings.served = {
            name: gzip.compress(gzip.decompress((surroundings.original / name).read_bytes()), 1, mtime=99)
            for name in files.FILE_NAMES
        }
        assert files.find_or_fetch() == surroundings.local

    @pytest.mark.parametrize(
        ("reply", "message"),
        [
            (urllib.error.URLError("no network"), "no network"),
            (TimeoutError("timed out"), "timed out"),
            (http.client.IncompleteRead(b""), "IncompleteRead"),
            (b"<html>not the file</html>", "cannot be unpacked"),
            (gzip.compress(b"other", mtime=0), "permitted: "),
        ],
    )
    def test_when_nothing_works_it_says_what_to_do_and_leaves_nothing(
        self, surroundings: Surroundings, reply: bytes | Exception, message: str
    ) -> None:
        surroundings.serve_all()
        surroundings.served["t10k-labels-idx1-ubyte.gz"] = reply
        with pytest.raises(CatalogError) as caught:
            FashionMnistReader()
        text = str(caught.value)
        assert message in text
        assert "apt-get is not installed" in text
        assert "apt-get install dataset-fashion-mnist" in text
        assert (
            f"put train-images-idx3-ubyte.gz, {', '.join(files.FILE_NAMES[1:])} into {str(surroundings.local)!r}"
            in text
        )
        assert list(surroundings.local.parent.iterdir()) == []

    def test_an_endless_reply_is_cut(self, surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(files, "MAX_DOWNLOAD_BYTES", 100)
        surroundings.serve_all()
        with pytest.raises(CatalogError, match="more than 100 bytes"):
            files.find_or_fetch()

    def test_a_hanging_command_is_ended(self, surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(files, "PACKAGE_TIMEOUT_S", 0.2)
        surroundings.add_command("apt-get", "exec sleep 60")
        with pytest.raises(CatalogError, match="apt-get took longer than"):
            files.find_or_fetch()


def find_real_dataset() -> Path | None:
    return next((path for path in (files.INSTALLED_FOLDER, files.LOCAL_FOLDER) if not files.lacks(path)), None)


REAL_DATASET = find_real_dataset()


@pytest.mark.skipif(
    REAL_DATASET is None,
    reason="needs Fashion-MNIST: install the Debian package dataset-fashion-mnist, or have data/datasets/fashion-mnist",
)
class TestRealData:
    def test_70_000_products_in_ten_categories_of_the_same_size(self) -> None:
        reader = FashionMnistReader(str(REAL_DATASET))
        counts: Counter[tuple[str | None, str | None]] = Counter()
        ids = set()
        for found in reader.read():
            assert isinstance(found, Product)
            counts[found.split, found.category] += 1
            ids.add(found.id)
        assert reader.count() == len(ids) == 70_000
        assert counts == {("train", label): 6000 for label in LABELS} | {("test", label): 1000 for label in LABELS}

    def test_the_published_content(self) -> None:
        assert REAL_DATASET is not None
        for name, digest in files.CONTENT_SHA256.items():
            assert hashlib.sha256(gzip.decompress((REAL_DATASET / name).read_bytes())).hexdigest() == digest

    def test_the_first_test_picture_is_an_ankle_boot(self) -> None:
        product = next(iter(FashionMnistReader(str(REAL_DATASET), split="test").read()))
        assert isinstance(product, Product)
        assert (product.id, product.category) == ("test-00000", "Ankle boot")
