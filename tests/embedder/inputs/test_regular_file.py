"""Only regular files are opened; nothing that a name may lead to makes the program wait."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path

import pytest

from embedder.catalogs.registry import open_catalog
from embedder.errors import CatalogError, PictureError, PictureMissing, PictureOutside
from embedder.inputs.picture import PictureBytes, PictureFile, PictureLimits, decode_picture, read_picture
from embedder.inputs.regular_file import NotRegularFile, open_regular_file
from tests.conftest import draw_product
from tests.embedder.conftest import encoded

pytestmark = pytest.mark.timeout(20)


def make(kind: str, path: Path) -> Path:
    """Something under a picture's name that is no picture's file."""
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a folder":
        path.mkdir()
    elif kind == "a device":
        path.symlink_to("/dev/zero")
    elif kind == "a terminal":
        path.symlink_to("/dev/tty")
    return path


@pytest.mark.parametrize("kind", ["a pipe", "a folder", "a device"])
def test_what_is_no_regular_file_is_refused_at_once_and_named(tmp_path: Path, kind: str) -> None:
    path = make(kind, tmp_path / "a.jpg")
    with pytest.raises(NotRegularFile, match=f"it is {kind}; permitted: a regular file"):
        open_regular_file(path)
    with pytest.raises(PictureMissing, match=f"a.jpg' cannot be read: it is {kind}"):
        decode_picture(PictureFile(path))


def test_a_pipe_that_somebody_writes_to_is_none_the_better(tmp_path: Path) -> None:
    path = make("a pipe", tmp_path / "a.jpg")
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        os.write(descriptor, b"GIF89a")
        with pytest.raises(NotRegularFile, match="a pipe"):
            open_regular_file(path)
        assert os.read(descriptor, 10) == b"GIF89a", "nothing was taken out of it"
    finally:
        os.close(descriptor)


def test_a_socket_and_a_terminal_are_refused() -> None:
    # A socket's path is short: not below pytest's folder.
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{folder}/a.jpg")
        for path in (Path(folder, "a.jpg"), make("a terminal", Path(folder, "b.jpg"))):
            with pytest.raises(PictureMissing, match="cannot be read"):
                decode_picture(PictureFile(path))


def test_a_link_to_a_link_to_a_pipe_and_a_dangling_one(tmp_path: Path) -> None:
    make("a pipe", tmp_path / "pipe")
    (tmp_path / "one").symlink_to("pipe")
    (tmp_path / "two.jpg").symlink_to("one")
    (tmp_path / "gone.jpg").symlink_to("nowhere")
    with pytest.raises(PictureMissing, match="it is a pipe"):
        decode_picture(PictureFile(tmp_path / "two.jpg"))
    with pytest.raises(PictureMissing, match="No such file"):
        decode_picture(PictureFile(tmp_path / "gone.jpg"))


@pytest.mark.parametrize("path", ["/proc/self/status", "/proc/self/mem", "/proc/self/fd/0", "/proc/kmsg"])
def test_files_of_the_kernels_answer_or_are_refused_but_do_not_wait(path: str) -> None:
    with pytest.raises(PictureError):
        decode_picture(PictureFile(Path(path)))


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
@pytest.mark.parametrize("kind", ["a pipe", "a folder", "a device"])
def test_a_catalog_that_is_no_regular_file_is_refused_at_once(tmp_path: Path, kind: str, suffix: str) -> None:
    path = make(kind, tmp_path / f"shop{suffix}")
    with pytest.raises(CatalogError, match="not a file"):
        open_catalog(f"{'csv' if suffix == '.csv' else 'jsonl'}:{path}")


@pytest.mark.parametrize("name", ["shop.csv", "shop.jsonl"])
def test_a_catalog_that_becomes_a_pipe_between_two_passes_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("id,image\nA,a.jpg\n" if name == "shop.csv" else '{"id": "A", "image": "a.jpg"}\n')
    reader = open_catalog(str(path))
    path.unlink()
    make("a pipe", path)
    with pytest.raises(CatalogError, match="it is a pipe"):
        list(reader.read())


class TestOutsideTheFolder:
    @pytest.fixture
    def shop(self, tmp_path: Path) -> Path:
        shop = tmp_path / "shop"
        (shop / "photos").mkdir(parents=True)
        (tmp_path / "shop2").mkdir()
        for path in (shop / "photos/in.png", tmp_path / "out.png", tmp_path / "shop2/near.png"):
            path.write_bytes(encoded(draw_product("ellipse", "red", 0)))
        (shop / "file-link.png").symlink_to(tmp_path / "out.png")
        (shop / "folder-link").symlink_to(tmp_path)
        (shop / "inner-link.png").symlink_to("photos/in.png")
        (shop / "around.png").symlink_to("../shop/photos/in.png")
        return shop

    @pytest.mark.parametrize(
        "name",
        ["../out.png", "../shop2/near.png", "photos/../../out.png", "file-link.png", "folder-link/out.png", "ABSOLUTE"],
    )
    def test_it_is_read_only_where_that_is_permitted(self, shop: Path, name: str) -> None:
        path = shop / name if name != "ABSOLUTE" else shop.parent / "out.png"
        with pytest.raises(PictureOutside, match=r"lies outside the catalog's folder .*--allow-outside-pictures") as no:
            read_picture(PictureFile(path, shop))
        assert no.value.reason == "IMAGE_OUTSIDE_CATALOG"
        assert read_picture(PictureFile(path)) == PictureBytes((shop / "photos/in.png").read_bytes())

    @pytest.mark.parametrize("name", ["photos/in.png", "inner-link.png", "around.png", "photos/../photos/in.png"])
    def test_within_it_links_and_dots_are_fine(self, shop: Path, name: str) -> None:
        assert read_picture(PictureFile(shop / name, shop)).data
        (shop.parent / "alias").symlink_to(shop)
        assert read_picture(PictureFile(shop.parent / "alias" / name, shop.parent / "alias")).data

    def test_a_folder_whose_name_leads_elsewhere_by_now_is_looked_at_again(self, shop: Path, tmp_path: Path) -> None:
        alias = tmp_path / "alias"
        alias.symlink_to(shop)
        picture = PictureFile(alias / "photos/in.png", alias)
        before = read_picture(picture)
        (tmp_path / "new/photos").mkdir(parents=True)
        (tmp_path / "new/photos/in.png").write_bytes(b"new")
        alias.unlink()
        alias.symlink_to(tmp_path / "new")
        assert read_picture(picture) == PictureBytes(b"new") != before

    def test_the_message_does_not_tell_whether_the_file_exists(self, shop: Path) -> None:
        messages = []
        for name in ("/etc/passwd", "/etc/passwe"):
            with pytest.raises(PictureOutside) as caught:
                read_picture(PictureFile(Path(name), shop))
            messages.append(str(caught.value).replace(name, "NAME"))
        assert messages[0] == messages[1]

    def test_a_pipe_outside_is_not_even_opened(self, shop: Path) -> None:
        os.mkfifo(shop.parent / "pipe.png")
        with pytest.raises(PictureOutside):
            read_picture(PictureFile(shop / "../pipe.png", shop))


class TestLimitsOfACatalog:
    def test_a_callers_picture_is_to_be_sent_smaller_an_operators_limit_can_be_raised(self) -> None:
        picture = PictureBytes(encoded(draw_product("ellipse", "red", 0)))
        with pytest.raises(PictureError, match=r"permitted: up to 100; send it smaller"):
            decode_picture(picture, PictureLimits(max_pixels=100))
        with pytest.raises(PictureError, match=r"permitted: up to 100; next step: .*raise --max-image-pixels"):
            decode_picture(picture, PictureLimits.for_catalog(100))
        assert decode_picture(picture, PictureLimits.for_catalog(96 * 96)).image.size == (96, 96)

    def test_the_bytes_permitted_grow_with_the_pixels(self) -> None:
        assert PictureLimits.for_catalog(1000).max_bytes == PictureLimits().max_bytes
        assert PictureLimits.for_catalog(169_000_000).max_bytes == 4 * 169_000_000

    def test_a_file_too_large_names_the_flag_too(self, tmp_path: Path) -> None:
        path = tmp_path / "huge.png"
        with path.open("wb") as file:
            file.truncate(1 << 40)
        with pytest.raises(PictureError, match=r"more than 10,485,760 bytes.*raise --max-image-pixels"):
            decode_picture(PictureFile(path), PictureLimits.for_catalog(1000))
