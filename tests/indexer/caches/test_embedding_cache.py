"""Vectors on disk: found again bit for bit, never wrong, never larger than permitted, and never in the way."""

from __future__ import annotations

import logging
import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest

from indexer.caches.embedding_cache import FILE_NAME, EmbeddingCache, cache_key

MB = 2**20


def vectors(count: int, length: int = 8, seed: int = 0) -> dict[bytes, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {cache_key("test", str(seed), str(n)): rng.normal(size=length).astype(np.float32) for n in range(count)}


def test_what_was_stored_is_found_again_bit_for_bit_after_a_restart(tmp_path: Path) -> None:
    stored = vectors(700)
    with EmbeddingCache(tmp_path, MB) as cache:
        cache.store(stored)
    with EmbeddingCache(tmp_path, MB) as cache:
        found = cache.find([*stored, cache_key("other")], 8)
    assert found.keys() == stored.keys()
    assert all(np.array_equal(found[key], stored[key]) and found[key].dtype == np.float32 for key in stored)


def test_parts_of_a_key_do_not_run_into_each_other() -> None:
    assert cache_key("ab", "c") != cache_key("a", "bc")
    assert cache_key("a", b"b") == cache_key("a", "b")


def test_a_damaged_entry_and_one_of_another_length_are_as_good_as_none(tmp_path: Path) -> None:
    stored = vectors(3)
    first, second, third = stored
    with EmbeddingCache(tmp_path, MB) as cache:
        cache.store(stored)
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        (value,) = connection.execute("SELECT value FROM vectors WHERE key = ?", (first,)).fetchone()
        flipped = value[:10] + bytes([value[10] ^ 1]) + value[11:]
        connection.execute("UPDATE vectors SET value = ? WHERE key = ?", (flipped, first))
        connection.execute("UPDATE vectors SET value = 'text' WHERE key = ?", (second,))
    connection.close()
    with EmbeddingCache(tmp_path, MB) as cache:
        assert cache.find([first, second, third], 8).keys() == {third}
        assert not cache.find([third], 9)
        cache.store({first: stored[first]})
        assert np.array_equal(cache.find([first], 8)[first], stored[first])


def test_what_was_not_used_for_the_most_builds_goes_first(tmp_path: Path) -> None:
    """Three builds of 0.9 MB into a table of 2.25 MB, the first one's still in use: the second one's goes, as far as it must."""
    builds = [vectors(600, 256, seed) for seed in range(3)]
    for number, build in enumerate(builds):
        with EmbeddingCache(tmp_path, 9 * MB // 4) as cache:
            if number:
                cache.find(list(builds[0]), 256)
            cache.store(build)
    with EmbeddingCache(tmp_path, 9 * MB // 4) as cache:
        left = [len(cache.find(list(build), 256)) for build in builds]
    assert left[0] == left[2] == 600
    assert left[1] < 600


def test_it_does_not_grow_beyond_what_is_permitted(tmp_path: Path) -> None:
    with EmbeddingCache(tmp_path, MB) as cache:
        for seed in range(40):
            cache.store(vectors(100, 512, seed))
    assert (tmp_path / FILE_NAME).stat().st_size < 1.5 * MB


def test_nothing_is_kept_where_no_space_is_given(tmp_path: Path) -> None:
    with EmbeddingCache(tmp_path / "none", 0) as cache:
        cache.store(vectors(3))
        assert not cache.find(list(vectors(3)), 8)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("trouble", ["no folder", "no table", "not sqlite"])
def test_one_that_cannot_be_used_costs_time_only(
    trouble: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "cache"
    if trouble == "no folder":
        folder.write_text("a file")
    else:
        folder.mkdir()
        if trouble == "not sqlite":
            (folder / FILE_NAME).write_bytes(b"not a database at all" * 500)
        else:
            with sqlite3.connect(folder / FILE_NAME) as connection:
                connection.execute("CREATE TABLE vectors (something TEXT)")
            connection.close()
    with caplog.at_level(logging.WARNING), EmbeddingCache(folder, MB) as cache:
        cache.store(vectors(3))
        assert not cache.find(list(vectors(3)), 8)
    assert "next step: delete it" in caplog.text


def test_two_builds_and_several_threads_share_it(tmp_path: Path) -> None:
    failures: list[str] = []

    def work(seed: int, cache: EmbeddingCache) -> None:
        stored = vectors(200, 64, seed)
        for key, vector in stored.items():
            cache.store({key: vector})
        found = cache.find(list(stored), 64)
        if any(not np.array_equal(found.get(key), vector) for key, vector in stored.items()):
            failures.append(str(seed))

    with EmbeddingCache(tmp_path, 64 * MB) as one, EmbeddingCache(tmp_path, 64 * MB) as other:
        threads = [threading.Thread(target=work, args=(seed, (one, other)[seed % 2])) for seed in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failures
