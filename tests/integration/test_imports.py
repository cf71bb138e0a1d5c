"""The one way of imports: embedder, indexer, server; nobody imports the server; the client imports nothing of ours."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PERMITTED = {
    "embedder": {"embedder"},
    "indexer": {"embedder", "indexer", "merchlens"},
    "server": {"embedder", "indexer", "server", "merchlens"},
    "clients": {"merchlens"},
}
OURS = {"embedder", "indexer", "server", "clients", "merchlens", "tests"}


QDRANT_MODULES = ("collection", "condition", "connection", "reader", "store", "writer")


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("folder", PERMITTED)
def test_imports_point_one_way(folder: str) -> None:
    modules = list((ROOT / folder).rglob("*.py"))
    assert modules
    wrong = {str(path.relative_to(ROOT)): imported(path) & OURS - PERMITTED[folder] for path in modules}
    assert {path: names for path, names in wrong.items() if names} == {}


def test_foreign_types_stop_at_the_edge() -> None:
    homes = {
        "qdrant_client": {f"indexer/stores/qdrant/{name}.py" for name in QDRANT_MODULES},
        "qdrant_edge": {"indexer/stores/edge/shard.py", "indexer/words/bm25.py"},
        "onnxruntime": {"embedder/runtimes/onnx.py"},
        "isal": {"embedder/inputs/png.py"},
        "pyarrow": {
            *(f"embedder/catalogs/tables/{name}.py" for name in ("arrow_file", "cells", "parquet_file")),
            "indexer/transfer/products_file.py",
            "indexer/transfer/vector_column.py",
        },
        "fsspec": {"embedder/inputs/remote/object_store.py"},
        "httpcore2": {f"embedder/inputs/remote/{name}.py" for name in ("checked_network", "web_pictures")},
        "google": {
            f"server/rpc/{name}.py"
            for name in ("messages/payload", "messages/catalog", "failure", "status", "interceptors")
        },
    }
    for package, permitted in homes.items():
        users = {
            path.relative_to(ROOT).as_posix()
            for folder in ("embedder", "indexer", "server")
            for path in (ROOT / folder).rglob("*.py")
            if package in imported(path)
        }
        assert users <= permitted, package


@pytest.mark.parametrize(
    "module",
    ["indexer", "merchlens", "indexer.__main__", "server.hosting.host", "embedder.encoder", "embedder.__main__"],
)
def test_importing_it_loads_no_torch(module: str) -> None:
    code = (
        f"import {module}, sys; print([name for name in ('torch', 'open_clip', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_a_report_can_be_made_where_nothing_but_the_base_is_installed() -> None:
    modules = "embedder.report.folder, embedder.report.plots, embedder.report.rendering, embedder.report.thumbnails"
    absent = ("torch", "open_clip", "matplotlib", "onnxruntime")
    code = f"import {modules}, sys; print([name for name in {absent} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_package_initializers_hold_a_docstring_only() -> None:
    for folder in ("embedder", "indexer", "server"):
        for path in (ROOT / folder).rglob("__init__.py"):
            body = ast.parse(path.read_text(encoding="utf-8")).body
            assert len(body) == 1, path
            assert isinstance(body[0], ast.Expr), path
