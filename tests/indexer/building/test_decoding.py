"""Decoding keeps the order, a product's pictures together, and a product as long as one of its pictures is readable."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embedder.catalogs.product import Product, ProductPicture, Rejection
from embedder.catalogs.registry import open_catalog
from embedder.catalogs.siblings.perceptual_hash import hash_picture
from embedder.inputs.kept_blocks import BLOCKS
from embedder.inputs.picture import PictureFile, PictureLimits, decode_picture
from embedder.inputs.pixels import PixelReader
from embedder.inputs.preprocess import Preprocessing
from embedder.inputs.remote.hosts import PictureHosts
from embedder.inputs.remote.web_pictures import WebPictures
from indexer.building import decoding
from indexer.building.decoding import AHEAD, Decoding
from indexer.caches.thumbnails import ThumbnailCache
from indexer.quality.picture_traits import PictureTraits
from tests.conftest import draw_product
from tests.embedder.inputs.remote.web_server import Server, redirects, sends, status

HALF = (0.5, 0.5, 0.5)
READER = PixelReader(Preprocessing((32, 32), HALF, HALF, resize_mode="squash"))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(6):
        draw_product("ellipse", "red", number, side=48).save(folder / f"{number}.png")
    (folder / "broken.png").write_bytes((folder / "0.png").read_bytes()[:100])
    return folder


def product(name: str, folder: Path, *files: str, left_out: int = 0) -> Product:
    shown = tuple(ProductPicture(PictureFile(folder / file), file) for file in files)
    return Product(name, "", shown, line=int(name), pictures_left_out=left_out)


class Remembers:
    """Stands for an encoder that knows these pictures' vectors already, by their files' bytes."""

    def __init__(self, known: dict[bytes, np.ndarray] | None = None) -> None:
        self._known = known or {}
        self.traits: dict[bytes, PictureTraits] = {}

    def known_traits(self, contents: Sequence[bytes]) -> dict[bytes, PictureTraits]:
        return {content: self.traits[content] for content in contents if content in self.traits}

    def keep_traits(self, traits: dict[bytes, PictureTraits]) -> None:
        self.traits |= traits

    def picture_key(self, content: bytes, max_pixels: int) -> bytes:
        return content

    def known(self, keys: Sequence[bytes]) -> dict[bytes, np.ndarray]:
        return {key: self._known[key] for key in keys if key in self._known}


def traits_of(path: Path) -> PictureTraits:
    """What is to be known of a picture, from itself."""
    picture = PictureFile(path)
    return PictureTraits(hash_picture(picture, PictureLimits()), *decode_picture(picture).image.size)


def decode(rows, batch_size: int = 4, threads: int = 2, encoder: Remembers | None = None) -> list:
    return list(Decoding(READER, encoder or Remembers(), threads, batch_size).batches(rows))


def test_order_and_pixels_are_those_of_reading_one_by_one(pictures: Path) -> None:
    rows = [product(str(n), pictures, f"{n % 6}.png") for n in range(21)]
    batches = decode(rows)
    assert [item.id for batch in batches for item in batch.products] == [str(n) for n in range(21)]
    assert [batch.rows for batch in batches] == [4, 4, 4, 4, 4, 1]
    pixels = np.concatenate([batch.pixels for batch in batches])
    expected = np.stack([READER.read(row.pictures[0].source).values for row in rows])
    assert np.array_equal(pixels, expected)


def test_a_products_pictures_stay_together_and_batches_are_of_pictures(pictures: Path) -> None:
    rows = [product(str(n), pictures, "0.png", "1.png", "2.png") for n in range(5)]
    batches = decode(rows, batch_size=4)
    assert [batch.counts for batch in batches] == [[3, 3], [3, 3], [3]]
    assert [len(batch.keys) for batch in batches] == [6, 6, 3]


def test_a_picture_that_a_batch_shows_several_times_is_decoded_once(pictures: Path) -> None:
    rows = [product("1", pictures, "0.png", "1.png"), product("2", pictures, "1.png", "0.png", "broken.png", "2.png")]
    (batch,) = decode(rows, batch_size=9)
    assert batch.decoded == [0, 1, 4]
    assert batch.keys[:2] == batch.keys[3:1:-1]
    expected = [READER.read(PictureFile(pictures / name)).values for name in ("0.png", "1.png", "2.png")]
    assert np.array_equal(batch.pixels, np.stack(expected))
    assert [item.reason for item in batch.rejections] == ["IMAGE_UNREADABLE"]


@pytest.mark.parametrize("held_bytes", [1, 2_000])
def test_how_many_files_are_held_at_once_changes_nothing(
    pictures: Path, held_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [product(str(n), pictures, f"{n % 6}.png", "broken.png", "nowhere.png", f"{n % 3}.png") for n in range(9)]
    (expected,) = decode(rows, batch_size=99)
    monkeypatch.setattr(decoding, "_HELD_BYTES", held_bytes)
    (batch,) = decode(rows, batch_size=99)
    assert np.array_equal(batch.pixels, expected.pixels)
    assert (batch.keys, batch.decoded, batch.rejections) == (expected.keys, expected.decoded, expected.rejections)


def test_pictures_that_are_known_are_not_decoded(pictures: Path) -> None:
    """Neither are they looked at: what is known of the broken one is taken as well."""
    known = {
        hashlib.sha256((pictures / name).read_bytes()).digest(): np.full(3, place, dtype=np.float32)
        for place, name in enumerate(("1.png", "broken.png"))
    }
    row = product("1", pictures, "0.png", "1.png", "broken.png", "2.png")
    encoder = Remembers(known)
    encoder.traits = dict.fromkeys(known, traits_of(pictures / "3.png"))
    (batch,) = decode([row], encoder=encoder)
    assert [picture.name for picture in batch.products[0].pictures] == ["0.png", "1.png", "broken.png", "2.png"]
    assert {place: float(vector[0]) for place, vector in batch.known.items()} == {1: 0.0, 2: 1.0}
    expected = [READER.read(row.pictures[place].source).values for place in (0, 3)]
    assert np.array_equal(batch.pixels, np.stack(expected))
    assert len(batch.keys) == 4


def test_what_pictures_look_like_is_told_and_remembered(pictures: Path) -> None:
    row, encoder = product("1", pictures, "0.png", "1.png", "0.png"), Remembers()
    expected = [traits_of(picture.source.path) for picture in row.pictures]
    (batch,) = decode([row], encoder=encoder)
    assert batch.traits == expected
    assert [(item.width, item.height) for item in expected] == [(48, 48)] * 3
    assert {item.hash.content: item for item in encoder.traits.values()} == {e.hash.content: e for e in expected}


def test_a_picture_whose_vector_alone_is_known_is_looked_at_but_not_embedded_again(pictures: Path) -> None:
    encoder = Remembers({hashlib.sha256((pictures / "1.png").read_bytes()).digest(): np.zeros(3, dtype=np.float32)})
    (batch,) = decode([product("1", pictures, "1.png")], encoder=encoder)
    assert batch.traits == [traits_of(pictures / "1.png")]
    assert (list(batch.known), len(batch.pixels)) == ([0], 0)


def test_a_thumbnail_is_kept_of_what_is_decoded_and_nothing_is_decoded_for_one(pictures: Path, tmp_path: Path) -> None:
    contents = {name: hashlib.sha256((pictures / name).read_bytes()).digest() for name in ("0.png", "1.png")}
    encoder = Remembers({contents["1.png"]: np.zeros(3, dtype=np.float32)})
    encoder.traits = {contents["1.png"]: traits_of(pictures / "1.png")}
    row = product("1", pictures, "0.png", "1.png", "broken.png")
    with ThumbnailCache(tmp_path, 2**20) as thumbnails:
        (batch,) = Decoding(READER, encoder, 2, 4, thumbnails).batches([row])
        assert len(batch.products[0].pictures) == 2
        assert thumbnails.read(contents["0.png"]) is not None
        assert thumbnails.read(contents["1.png"]) is None


def test_what_a_large_picture_looks_like_is_told_from_a_reduced_one(tmp_path: Path) -> None:
    draw_product("ellipse", "red", 1, side=1537).save(tmp_path / "1.png")
    (batch,) = decode([product("1", tmp_path, "1.png")])
    (found,), expected = batch.traits, traits_of(tmp_path / "1.png")
    assert (found.width, found.height) == (1537, 1537)
    assert found.hash.content == expected.hash.content
    bits = np.unpackbits(np.frombuffer(found.hash.bits, np.uint8) ^ np.frombuffer(expected.hash.bits, np.uint8))
    assert bits.sum() <= 2


def test_a_product_stays_with_its_readable_pictures(pictures: Path) -> None:
    (batch,) = decode([product("7", pictures, "0.png", "broken.png", "nowhere.png", "1.png")])
    (kept,) = batch.products
    assert [picture.name for picture in kept.pictures] == ["0.png", "1.png"]
    assert batch.counts == [2]
    assert [(item.line, item.product_id, item.reason, item.picture) for item in batch.rejections] == [
        (7, "7", "IMAGE_UNREADABLE", "broken.png"),
        (7, "7", "IMAGE_MISSING", "nowhere.png"),
    ]


def test_a_product_without_a_readable_picture_is_one_rejected_row(pictures: Path) -> None:
    (batch,) = decode([product("7", pictures, "broken.png", "nowhere.png"), product("8", pictures, "1.png")])
    assert [item.id for item in batch.products] == ["8"]
    assert [(item.product_id, item.reason, item.picture) for item in batch.rejections] == [
        ("7", "IMAGE_UNREADABLE", "")
    ]


def test_a_batch_of_rejections_has_no_pixels(pictures: Path) -> None:
    (batch,) = decode([Rejection(2, "", "ID_MISSING", "no id")])
    assert batch.pixels.shape == (0, 3, 32, 32)
    assert batch.counts == []
    assert len(batch.rejections) == 1


def test_pictures_beyond_the_permitted_number_are_counted(pictures: Path) -> None:
    (batch,) = decode([product("1", pictures, "0.png", left_out=3), product("2", pictures, "1.png", left_out=1)])
    assert batch.pictures_left_out == 4


def test_no_more_than_a_few_batches_are_read_ahead(pictures: Path) -> None:
    read = [0]

    def rows() -> Iterator[Product]:
        for number in range(1000):
            read[0] += 1
            yield product(str(number), pictures, "0.png")

    batches = Decoding(READER, Remembers(), 2, 4).batches(rows())
    next(batches)
    assert read[0] <= 4 * (AHEAD + 2)
    batches.close()


@pytest.mark.parametrize("ended", ["read to the end", "left alone"])
def test_memory_is_kept_between_pictures_and_given_back_afterwards(pictures: Path, ended: str) -> None:
    before = Image.core.get_blocks_max()
    batches = Decoding(READER, Remembers(), 3, 1).batches(product(str(n), pictures, "0.png") for n in range(9))
    next(batches)
    assert Image.core.get_blocks_max() == 3 * BLOCKS
    if ended == "left alone":
        batches.close()
    else:
        assert len(list(batches)) == 8
    assert Image.core.get_blocks_max() == before


def test_the_readers_error_comes_out_and_ends_it(pictures: Path) -> None:
    def rows() -> Iterator[Product]:
        yield product("1", pictures, "0.png")
        raise RuntimeError("the catalog went away")

    with pytest.raises(RuntimeError, match="went away"):
        decode(rows())


def test_pictures_from_a_web_server_are_embedded_or_left_out_with_the_reason(pictures: Path, tmp_path: Path) -> None:
    with Server().running() as server:
        server.pages["/0.png"] = sends((pictures / "0.png").read_bytes())
        server.pages["/busy.png"] = status(503)
        server.pages["/away.png"] = redirects("http://elsewhere.test/0.png")
        at = f"http://pictures.test:{server.port}"
        names = ("0.png", "gone.png", "busy.png", "away.png")
        rows = [f"{number},{at}/{name}" for number, name in enumerate(names)]
        (tmp_path / "shop.csv").write_text("\n".join(["id,image", *rows, ""]))
        web = WebPictures(
            PictureHosts.parse([at]),
            resolve=lambda host, port: ["127.0.0.1"],
            permitted_networks=[ip_network("127.0.0.0/8")],
        )
        batches = decode(open_catalog(str(tmp_path / "shop.csv"), web=web).read())
    assert [(row.line, row.reason) for batch in batches for row in batch.rejections] == [
        (3, "IMAGE_MISSING"),
        (4, "IMAGE_FETCH_FAILED"),
        (5, "IMAGE_URL_REFUSED"),
    ]
    (found,) = (item for batch in batches for item in batch.products)
    expected = READER.read(PictureFile(pictures / "0.png")).values
    assert found.id == "0"
    assert np.array_equal(np.concatenate([batch.pixels for batch in batches]), expected[None])
