"""What the documents say is so: their commands exist and run, their tables are whole."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embedder.catalogs.product import ROW_REASONS
from embedder.encoder import open_encoder
from embedder.errors import PictureError, TextError
from server.rpc.status import TABLE
from tests.conftest import write_drawn_catalog
from tests.serving import running_server

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), ROOT / "clients/python/README.md"]


def fenced(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    return str(found)


def test_the_readmes_commands_lead_from_a_catalog_to_answers(tmp_path: Path, model_cache: Path) -> None:
    """The whole path on a shop's own CSV, exactly as the README has it; only the server's port is a free one."""
    write_drawn_catalog(tmp_path, 80, side=32)
    (tmp_path / "catalog.csv").rename(tmp_path / "products.csv")
    environment = {**os.environ, "MERCHLENS_CACHE_DIR": str(model_cache), "NO_COLOR": "1"}

    def command(line: str) -> list[str]:
        words = shlex.split(line)
        assert words[:2] == ["python", "-m"]
        return [sys.executable, *words[1:]]

    *jobs, serve = [command(line) for line in fenced("sh").splitlines()]
    for job in jobs:
        done = subprocess.run(job, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (job, done.stderr)
    assert "80 products, 0 rejected" in done.stdout
    vectors = open_encoder(tmp_path / "data/models/shop", device="cpu").encode_images(
        [Image.open(path).convert("RGB") for path in sorted(tmp_path.glob("*.png"))]
    )
    np.save(tmp_path / "vectors.npy", vectors)
    for job in map(command, fenced("bash").splitlines()):
        done = subprocess.run(job, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (job, done.stderr)
    assert "80 products restored" in done.stdout
    assert serve[1:3] == ["-m", "server"]
    with running_server(*serve[3:], cwd=tmp_path, env=environment) as server:
        code = fenced("python")
        assert "localhost:50051" in code
        asked = subprocess.run(
            [sys.executable, "-c", code.replace("localhost:50051", server.target)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert server.stop() == 0
    *hits, category = asked.stdout.splitlines()
    assert len(hits) == 5, asked.stderr
    assert hits[0].endswith("red ball")
    assert category.startswith("toys/ball ")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_and_module_that_a_document_names_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    named = set(re.findall(r"(?:`|^ {4})make ([a-z]+(?: [a-z]+)*)", text, re.M))
    assert {word for words in named for word in words.split()} <= targets
    for module in re.findall(r"python -m ([a-z_.]+)", text):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_a_document_links_to_or_names_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    named = re.findall(r"`((?:embedder|indexer|server|tests|proto|clients)/[\w./]+\.\w+)`", text)
    assert [link for link in links if not (document.parent / link).exists()] == []
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_architectures_table_lists_every_error_reason_and_no_other() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([A-Z_, ]+) \| [A-Z_]+ \|", text.partition("## Error reasons")[2], re.M)
    listed = {reason for row in rows for reason in row.split(", ")}
    assert listed == reasons_sent()


def reasons_sent() -> set[str]:
    """Reasons in the status table, of the exception classes, and those given where exceptions are raised."""
    sent = {row.reason for row in TABLE.values()}
    sent |= {kind.reason for base in (PictureError, TextError) for kind in base.__subclasses__()}
    # The client's own refusals and the catalogs' reject reasons are never sent by a server.
    for path in [*(ROOT / "server").rglob("*.py"), *(ROOT / "indexer/filters").glob("*.py"), *STORES]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISED and node.args:
                sent |= {node.args[0].value} if isinstance(node.args[0], ast.Constant) else set()
    assert set(ROW_REASONS) >= OF_ROWS
    return sent | OF_ROWS


OF_ROWS = {"TITLE_INVALID", "ID_TOO_LONG", "CATEGORY_INVALID", "PRICE_INVALID"}
"""A product to write is read as a catalog's row is; its message leaves no others of a row's faults."""

RAISED = ("InvalidRequest", "ResourceMissing", "QueryVectorError")
STORES = (ROOT / "indexer/stores/protocol.py",)
