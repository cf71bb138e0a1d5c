"""A bundle and an index of every release so far are opened by this one, or refused with the next step."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from PIL import Image

from embedder.encoder import Encoder, open_encoder
from embedder.errors import EmbedderError
from indexer.errors import IndexerError
from indexer.stores.edge.store import EdgeStore
from indexer.versions.manifest import check_servable
from tests.conftest import draw_product, run_module
from tests.indexer.conftest import search

RELEASES = sorted(
    path for path in (Path(__file__).parents[1] / "releases").iterdir() if (path / "index.tar.xz").is_file()
)
REFUSED: dict[str, str] = {}
"""Release to what this one says of its files, where it does not read them any more."""


def unpack(archive: Path, folder: Path) -> Path:
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder


@pytest.fixture(params=RELEASES, ids=lambda path: path.name)
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path, Path]:
    """A release's name, its bundle and its index."""
    release = request.param
    bundle = unpack(release / "bundle.tar.xz", tmp_path / "bundle")
    return release.name, bundle, unpack(release / "index.tar.xz", tmp_path / "index")


def test_there_is_one_of_the_first_release() -> None:
    assert "0.1" in [path.name for path in RELEASES]


def test_it_is_opened_and_answers_or_is_refused_with_the_next_step(kept: tuple[str, Path, Path]) -> None:
    release, bundle, index = kept
    if release in REFUSED:
        with pytest.raises((EmbedderError, IndexerError), match=f"{REFUSED[release]}.*next step"):
            answer(open_encoder(bundle, device="cpu"), index)
        return
    answer(open_encoder(bundle, device="cpu"), index)


def answer(encoder: Encoder, index: Path) -> None:
    """What the release's own build put in is found, by each picture and by words."""
    reader = EdgeStore(index).open()
    try:
        check_servable(reader.manifest, encoder.info.fingerprint)
        assert (reader.manifest.products, reader.manifest.pictures) == (4, 5)
        for number, shape, color, product, place in (
            (0, "ellipse", "red", "p-0", 0),
            (0, "ellipse", "blue", "p-0", 1),
            (3, "triangle", "green", "p-3", 0),
        ):
            encoded = io.BytesIO()
            draw_product(shape, color, number, side=48).save(encoded, "PNG")
            (vector,) = encoder.encode_images([Image.open(encoded).convert("RGB")])
            found = search(reader, vector, 4)
            assert (found[0].product_id, found[0].picture) == (product, place)
            assert found[0].score == pytest.approx(1.0, abs=1e-3)
        (words,) = encoder.encode_texts(["a photo of the red ball"])
        assert len(search(reader, words, 4)) == 4
    finally:
        reader.close()


def test_its_files_are_found_whole(kept: tuple[str, Path, Path]) -> None:
    release, _, index = kept
    if release in REFUSED:
        pytest.skip(f"release {release} is not read any more")
    done = run_module("indexer", "verify", "--store", f"edge:{index}", "--deep")
    assert done.returncode == 0, done.stdout + done.stderr
