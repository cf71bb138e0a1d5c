"""What several folders of tests share: a small drawn catalog, and a model fine-tuned on it."""

from __future__ import annotations

import csv
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from tests.made_once import made_once
from tests.preloaded import HEAVY, run_preloaded

if "PYTEST_XDIST_WORKER" in os.environ:
    # Workers and their processes share the cores; threads of torch that wait for each other would spin. Read at import.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

COLORS = {"red": (200, 30, 40), "blue": (30, 60, 200), "green": (20, 150, 60), "black": (20, 20, 20)}
SHAPES = {"toys/ball": "ellipse", "boxes/box": "rectangle", "boxes/tall box": "tall", "signs/triangle": "triangle"}


def draw_product(shape: str, color: str, seed: int, side: int = 96) -> Image.Image:
    """A coloured shape on a light ground, a little different for each seed."""
    rng = random.Random(seed)
    image = Image.new("RGB", (side, side), tuple(rng.randint(235, 255) for _ in range(3)))
    draw = ImageDraw.Draw(image)
    left, top = side * rng.uniform(0.1, 0.25), side * rng.uniform(0.1, 0.25)
    right, bottom = side * rng.uniform(0.75, 0.9), side * rng.uniform(0.75, 0.9)
    fill = tuple(max(0, min(255, value + rng.randint(-20, 20))) for value in COLORS[color])
    if shape == "ellipse":
        draw.ellipse((left, top, right, bottom), fill=fill)
    elif shape == "rectangle":
        draw.rectangle((left, top, right, bottom), fill=fill)
    elif shape == "tall":
        draw.rectangle((side * 0.4, top, side * 0.6, bottom), fill=fill)
    else:
        draw.polygon([(left, bottom), (right, bottom), (side / 2, top)], fill=fill)
    return image


def write_drawn_catalog(folder: Path, count: int, side: int = 96) -> Path:
    """A CSV with `count` products whose pictures lie beside it: id, title, category, price, in_stock, color, image."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "catalog.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "title", "category", "price", "in_stock", "color", "image"])
        for index in range(count):
            category = list(SHAPES)[index % len(SHAPES)]
            color = list(COLORS)[index // len(SHAPES) % len(COLORS)]
            draw_product(SHAPES[category], color, index, side).save(folder / f"{index:04d}.png")
            title = f"{color} {category.split('/')[-1]}"
            stock = "yes" if index % 3 else "no"
            writer.writerow([f"p-{index:04d}", title, category, 5 + index, stock, color, f"{index:04d}.png"])
    return path


def copy_folder(source: Path | str, target: Path) -> Path:
    """Copy a folder that does not exist yet, holes as holes: an index is 100 MB of them, and 1 MB of data."""
    subprocess.run(["cp", "-R", str(source), str(target)], check=True)
    return target


def run_module(*arguments: str, cwd: Path | None = None, timeout_s: float = 240) -> subprocess.CompletedProcess[str]:
    """`python -m ARGUMENTS` as users run it, without colours and with nothing of ours in the environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MERCHLENS_")}
    environment |= {"NO_COLOR": "1", "COLUMNS": "200", "HF_HUB_OFFLINE": "1"}
    if arguments[0] == "embedder" and HEAVY.intersection(arguments[1:2]):
        return run_preloaded(arguments, cwd, environment, timeout_s)
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        cwd=cwd,
        env=environment,
        check=False,
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the files that need the trained bundle first: pytest-xdist's `worksteal` gives each worker a run of the list.

    So one worker begins by making that bundle while the others are busy with files that do without.
    """
    needing = {item.path for item in items if "trained_bundle" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: item.path not in needing)


@pytest.fixture(scope="session")
def drawn_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CSV of 160 drawn products."""
    return made_once(tmp_path_factory, "drawn", lambda folder: write_drawn_catalog(folder, 160)) / "catalog.csv"


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where exported models and features are kept for this run of the tests; the starter at 96 px is there."""

    def export_starter(folder: Path) -> None:
        from embedder.export.base_bundles import resolve_bundle

        resolve_bundle("starter", folder, 96)

    return made_once(tmp_path_factory, "cache", export_starter)


@pytest.fixture(scope="session")
def starter_bundle(model_cache: Path) -> Path:
    """The starter at 96 px as it is."""
    (folder,) = (model_cache / "models").glob("starter-96-*")
    return folder


@pytest.fixture(scope="session")
def trained_bundle(drawn_catalog: Path, model_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter at 96 px, fine-tuned on the drawn catalog through the command line."""

    def train(folder: Path) -> None:
        settings = folder / "settings.toml"
        # Its balls and boxes look like what is rehearsed: what they are called would not be learnt. Ten steps are few,
        # so they are large.
        settings.write_text("[embedder.train]\nrehearsal = 0\n", encoding="utf-8")
        done = run_module(
            "embedder", "train", "--catalog", str(drawn_catalog), "--image-size", "96", "--epochs", "10", "--learning-rate", "0.006",
            "--out", str(folder / "drawn"), "--cache-dir", str(model_cache), "--config", str(settings), timeout_s=500,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    return made_once(tmp_path_factory, "trained", train) / "drawn"
