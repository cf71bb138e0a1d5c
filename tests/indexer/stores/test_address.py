"""A store's address says which engine and where; anything else is refused with what would do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from indexer.errors import StoreUrlInvalid
from indexer.stores.address import open_store
from indexer.stores.edge.store import EdgeStore
from indexer.stores.qdrant.store import QdrantStore


def test_edge(tmp_path: Path) -> None:
    store = open_store(f"edge:{tmp_path}/index")
    assert isinstance(store, EdgeStore)
    assert store.url == f"edge:{tmp_path}/index"
    assert list(tmp_path.iterdir()) == []


def test_edge_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert open_store("edge:~/index").url == f"edge:{tmp_path}/index"


def test_qdrant() -> None:
    store = open_store("qdrant://db:1234/shop")
    assert isinstance(store, QdrantStore)
    store.close()


@pytest.mark.parametrize("url", ["", "edge", "edge:", "data/index", "http://db", "sqlite:x", ":memory:"])
def test_anything_else(url: str) -> None:
    with pytest.raises(StoreUrlInvalid, match=r"permitted: edge:PATH, or qdrant://HOST:6334/CATALOG"):
        open_store(url)


def test_the_engine_that_is_not_used_is_not_loaded() -> None:
    program = (
        "import sys; from indexer.stores.address import open_store\n"
        "open_store('edge:/nowhere'); print('qdrant_client' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
