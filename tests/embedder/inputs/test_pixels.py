"""Pictures become pixels one by one, in order, in a bounded number of threads, without piling up in memory."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embedder.inputs import pixels as pixels_module
from embedder.inputs.picture import ANIMATION_FIRST_FRAME, PictureBytes, PictureFile, PictureLimits, PicturePixels
from embedder.inputs.pixels import MAX_AHEAD_BYTES, PixelReader, Pixels, UnusablePicture, map_ahead
from embedder.inputs.preprocess import Preprocessing
from tests.conftest import draw_product
from tests.embedder.conftest import encoded

PREPROCESSING = Preprocessing(size=(48, 48), mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))
READER = PixelReader(PREPROCESSING)


@pytest.mark.parametrize("resize_mode", ["shortest", "longest", "squash"])
def test_each_picture_is_what_the_whole_batch_makes_of_it(resize_mode: str) -> None:
    reader = PixelReader(Preprocessing((48, 40), (0.5,) * 3, (0.5,) * 3, resize_mode=resize_mode))
    images = [draw_product("ellipse", "red", seed, side).resize((side, 60)) for seed, side in enumerate((30, 48, 200))]
    batch = reader.preprocessing.apply(images)
    for image, expected in zip(images, batch, strict=True):
        read = reader.read(PictureBytes(encoded(image)))
        assert read.values.dtype == np.float32
        assert np.array_equal(read.values, expected)


def test_a_jpeg_decoded_at_a_reduced_scale_has_nearly_the_pixels_of_the_whole() -> None:
    image = draw_product("ellipse", "red", 1, 1203)
    reduced = READER.read(PictureBytes(encoded(image, "JPEG", quality=95)))
    assert READER.decode(PictureBytes(encoded(image, "JPEG"))).image.width == 151
    whole = PREPROCESSING.apply([image])[0]
    assert (
        np.abs(PREPROCESSING.to_bytes(reduced.values[None]).astype(int) - PREPROCESSING.to_bytes(whole[None])).mean()
        < 1.5
    )


def test_what_was_done_to_a_picture_is_reported() -> None:
    frames = [draw_product("ellipse", color, 1, 40) for color in ("red", "blue")]
    animation = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert READER.read(PictureBytes(animation)).warnings == (ANIMATION_FIRST_FRAME,)


def test_many_are_read_in_order_and_the_unusable_say_why(tmp_path: Path) -> None:
    images = [draw_product("ellipse", "red", seed, 40 + 7 * seed) for seed in range(40)]
    pictures = [PictureBytes(encoded(image)) for image in images]
    pictures[3], pictures[17] = PictureBytes(b"no picture"), PictureFile(tmp_path / "nowhere.png")
    outcomes = list(READER.read_each(enumerate(pictures), threads=3))
    assert [key for key, _ in outcomes] == list(range(40))
    unusable = {key: outcome for key, outcome in outcomes if isinstance(outcome, UnusablePicture)}
    assert {key: outcome.reason for key, outcome in unusable.items()} == {3: "IMAGE_UNREADABLE", 17: "IMAGE_MISSING"}
    assert "nowhere.png" in unusable[17].detail
    for key, outcome in outcomes:
        if isinstance(outcome, Pixels):
            assert np.array_equal(outcome.values, PREPROCESSING.apply([images[key]])[0])


def test_limits_are_the_readers_own() -> None:
    picture = PicturePixels(np.zeros((60, 60), dtype=np.uint8))
    strict = PixelReader(PREPROCESSING, PictureLimits(max_pixels=60 * 59))
    assert isinstance(strict.try_read(picture), UnusablePicture)
    assert isinstance(READER.try_read(picture), Pixels)


def test_no_picture_stays_in_memory_once_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of a good picture nor of one that breaks off in the middle, however long its outcome is kept."""
    opened = []

    decode = pixels_module.decode_picture

    def following(*arguments, **options):
        decoded = decode(*arguments, **options)
        opened.append(weakref.ref(decoded.image))
        return decoded

    monkeypatch.setattr(pixels_module, "decode_picture", following)
    data = encoded(draw_product("ellipse", "red", 1))
    outcomes = list(READER.read_each([(0, PictureBytes(data)), (1, PictureBytes(data[:400]))], threads=2))
    gc.collect()
    assert [type(outcome) for _, outcome in outcomes] == [Pixels, UnusablePicture]
    assert opened
    assert [reference() for reference in opened] == [None] * len(opened)


def test_waiting_pixels_are_bounded_in_number_and_bytes() -> None:
    for side in (32, 224, 1024, 4096):
        reader = PixelReader(Preprocessing((side, side), (0.5,) * 3, (0.5,) * 3))
        assert 1 <= reader.ahead <= 256
        assert reader.ahead == 1 or reader.ahead * 3 * side * side * 4 <= MAX_AHEAD_BYTES


def counted(limit: int, taken: list[int]) -> Iterator[int]:
    for value in range(limit):
        taken.append(value)
        yield value


def test_no_more_is_taken_than_may_wait() -> None:
    taken: list[int] = []
    results = map_ahead(lambda value: value * 2, counted(100, taken), threads=2, ahead=5)
    for index in range(10):
        assert next(results) == index * 2
        assert len(taken) <= index + 1 + 5
    results.close()


def test_no_more_threads_work_than_permitted() -> None:
    running, most, lock = 0, 0, threading.Lock()
    both = threading.Barrier(2)

    def work(value: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        # Two at a time, or this would wait for ever: the work is parallel.
        both.wait(timeout=60)
        with lock:
            running -= 1
        return value

    assert list(map_ahead(work, range(20), threads=2, ahead=8)) == list(range(20))
    assert most == 2


@pytest.mark.parametrize("where", ["function", "items"])
def test_an_error_reaches_the_caller_in_its_place(where: str) -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        if where == "items":
            raise KeyError("the catalog ended")
        yield 3

    def work(value: int) -> int:
        if value == 3:
            raise KeyError("the picture broke")
        return value

    results = map_ahead(work, items(), threads=2, ahead=1)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(KeyError):
        list(results)


def test_what_has_not_begun_is_cancelled_when_the_caller_stops() -> None:
    begun: list[int] = []
    first_taken = threading.Event()

    def work(value: int) -> int:
        if value:
            first_taken.wait(timeout=60)
        begun.append(value)
        return value

    results = map_ahead(work, range(1000), threads=1, ahead=200)
    assert next(results) == 0
    threading.Timer(0.05, first_taken.set).start()
    results.close()
    assert len(begun) < 200


PEAK = """
import sys
from pathlib import Path
from embedder.catalogs.product import Product, ProductPicture
from embedder.encoder import open_encoder
from embedder.evaluation.run import embed_products
from embedder.inputs.picture import PictureFile
from embedder.training.pictures.features import compute_features
from embedder.training.pictures.shots import companions, main_pictures

bundle, picture, folder = (Path(argument) for argument in sys.argv[1:])
encoder = open_encoder(bundle, device="cpu")
for count in (4, 24):
    products = [Product(str(index), "", (ProductPicture(PictureFile(picture)),)) for index in range(count)]
    shots = main_pictures(products) + companions(products, 0, 2 * count)
    assert len(compute_features(encoder, shots, folder, decode_threads=2).shots) == 3 * count
    assert len(embed_products(encoder, products, decode_threads=2).products) == count
    # Not `ru_maxrss`, which a child takes over from the process that started it.
    status = Path("/proc/self/status").read_text()
    print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


def test_peak_memory_of_training_and_evaluation_does_not_grow_with_the_number_of_large_pictures(
    tiny_bundle: Path, tmp_path: Path
) -> None:
    """Decoded, one takes 16 MB; 20 more of them would take 320 MB if they were held."""
    picture = tmp_path / "large.png"
    Image.new("RGB", (2000, 2000), (200, 30, 40)).save(picture, compress_level=1)
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(tiny_bundle), str(picture), str(tmp_path / "cache")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    few_kib, many_kib = (int(line) for line in done.stdout.split())
    assert (many_kib - few_kib) / 1024 < 120
