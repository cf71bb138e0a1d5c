"""Pictures of concurrent queries are decoded within a bound: who finds it used up waits, then is refused."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embedder.errors import PictureTooManyPixels
from server.errors import DeadlineExpired, DecodeMemoryFull
from server.search.decode_memory import DecodeMemory

LONG_S = 60.0


def alive() -> None:
    """The caller is still there."""


def until(condition: Callable[[], bool]) -> None:
    """Wait for another thread to get somewhere; the test's own timeout ends it otherwise."""
    while not condition():
        threading.Event().wait(0.001)


def test_what_is_taken_is_given_back_also_after_a_failure() -> None:
    memory = DecodeMemory(100, LONG_S)
    with memory.reservation(alive) as take:
        take(60)
        take(40)
        assert memory.used_bytes == 100

    def fail() -> None:
        with memory.reservation(alive) as take:
            take(100)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert memory.used_bytes == 0


def test_a_picture_that_finds_too_little_free_waits_for_its_turn() -> None:
    memory = DecodeMemory(100, LONG_S)
    finish = threading.Event()
    order = []

    def decode(name: str, count: int, wait: bool = False) -> None:
        with memory.reservation(alive) as take:
            take(count)
            assert memory.used_bytes <= 100
            order.append(name)
            if wait:
                finish.wait()

    with ThreadPoolExecutor(3) as threads:
        calls = [threads.submit(decode, "first", 60, True)]
        until(lambda: memory.used_bytes == 60)
        calls.append(threads.submit(decode, "large", 90))
        until(lambda: memory.waiting == 1)
        # It would fit, but comes later: else a large picture would never have its turn.
        calls.append(threads.submit(decode, "small", 10))
        until(lambda: memory.waiting == 2)
        assert order == ["first"]
        finish.set()
        for call in calls:
            call.result()
    assert order == ["first", "large", "small"]
    assert (memory.used_bytes, memory.waiting) == (0, 0)


def test_many_at_once_never_take_more_than_there_is() -> None:
    memory = DecodeMemory(100, LONG_S)
    seen = []

    def decode(count: int) -> None:
        with memory.reservation(alive) as take:
            take(count)
            seen.append(memory.used_bytes)

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(decode, [1 + index * 37 % 100 for index in range(500)]))
    assert len(seen) == 500
    assert max(seen) <= 100
    assert memory.used_bytes == 0


def test_after_the_wait_it_is_refused_with_what_to_do() -> None:
    memory = DecodeMemory(100, 0.02)
    with memory.reservation(alive) as first:
        first(60)
        with (
            pytest.raises(DecodeMemoryFull, match=r"fewer than the 50 bytes.*next step"),
            memory.reservation(alive) as second,
        ):
            second(50)
        with memory.reservation(alive) as third:
            third(40)
    assert (memory.used_bytes, memory.waiting) == (0, 0)


def test_who_waits_leaves_when_its_caller_does() -> None:
    memory = DecodeMemory(100, LONG_S)
    asked = []

    def check_alive() -> None:
        asked.append(True)
        if len(asked) == 3:
            raise DeadlineExpired("the caller cancelled")

    with memory.reservation(alive) as first:
        first(60)
        with pytest.raises(DeadlineExpired), memory.reservation(check_alive) as second:
            second(50)
    assert (memory.used_bytes, memory.waiting) == (0, 0)


def test_more_than_there_is_at_all_is_the_pictures_fault_and_waits_for_nothing() -> None:
    with (
        pytest.raises(PictureTooManyPixels, match="permitted: up to 100"),
        DecodeMemory(100, LONG_S).reservation(alive) as take,
    ):
        take(101)


@pytest.mark.parametrize(("max_bytes", "wait_s"), [(0, 1.0), (1, -1.0)])
def test_a_bound_that_is_none_is_refused(max_bytes: int, wait_s: float) -> None:
    with pytest.raises(ValueError, match="permitted"):
        DecodeMemory(max_bytes, wait_s)


# 4 megapixels each; without a bound, eight of them at once took up to 800 MB.
LARGE = {
    "PNG of 16 bits": lambda path: Image.fromarray(np.zeros((2000, 2000), np.uint16)).save(path, "PNG"),
    "PNG with alpha": lambda path: Image.new("RGBA", (2000, 2000), (9, 9, 9, 9)).save(path, "PNG"),
    "progressive JPEG": lambda path: Image.new("RGB", (2000, 2000)).save(path, "JPEG", progressive=True),
    "WebP with alpha": lambda path: Image.new("RGBA", (2000, 2000), (9, 9, 9, 9)).save(
        path, "WEBP", lossless=True, quality=0, method=0
    ),
    "TIFF of floats": lambda path: Image.new("F", (2000, 2000)).save(path, "TIFF", compression="tiff_lzw"),
}
PEAK = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from embedder.inputs.picture import PictureBytes, decode_picture
from server.hosting.allocator import give_back_large_blocks
from server.search.decode_memory import DecodeMemory

give_back_large_blocks()

def peak():
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024

data = PictureBytes(Path(sys.argv[1]).read_bytes())
needed = []
before = peak()
decode_picture(data, draft_side=448, reserve=needed.append)
alone = peak() - before
memory = DecodeMemory(2 * needed[0], 60)

def decode(number):
    with memory.reservation(lambda: None) as take:
        assert decode_picture(data, draft_side=448, reserve=take).image.mode == "RGB"

with ThreadPoolExecutor(8) as threads:
    list(threads.map(decode, range(8)))
print(needed[0], alone, peak() - before)
"""


@pytest.mark.parametrize("name", LARGE)
def test_real_memory_stays_within_the_bound_with_eight_at_once(name: str, tmp_path: Path) -> None:
    LARGE[name](tmp_path / "picture")
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(tmp_path / "picture")], capture_output=True, text=True, check=True
    )
    needed, alone, together = map(int, done.stdout.split())
    # Libraries' own code and buffers, and one strip for each picture in work.
    slack = 48 << 20
    assert alone <= needed + slack
    assert together <= 2 * needed + slack
