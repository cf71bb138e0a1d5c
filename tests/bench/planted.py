"""A studio catalog as files, with errors whose places are known: wrong categories, copies, copies encoded again."""

from __future__ import annotations

import io
import json
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from embedder.datasets.studio.items import StudioItem, load_item
from embedder.datasets.studio.views import CLEAN, draw_view

WRONG_SHARE, COPIED_SHARE, ENCODED_SHARE = 0.02, 0.02, 0.01


@dataclass(frozen=True, slots=True)
class PlantedCatalog:
    """What was written.

    Attributes:
        path: of the JSONL file; pictures lie beside it.
        products: in it, planted ones among them.
        wrong: ids of products whose category is not theirs.
        copied: pairs of ids that show the same file: by its path, by a link, or by a copy.
        encoded: pairs of ids of which one shows the other's picture as another JPEG file.
    """

    path: Path
    products: int
    wrong: frozenset[str]
    copied: frozenset[frozenset[str]]
    encoded: frozenset[frozenset[str]]


@dataclass(frozen=True, slots=True)
class _Row:
    item: StudioItem
    id: str
    category: str
    image: str


def plant(folder: Path, products: int, seed: int) -> PlantedCatalog:
    """Draw a catalog and plant 2 % wrong categories, 2 % copies and 1 % copies encoded again.

    A wrong category is any other of the catalog's, each as likely. A copy encoded again is a JPEG of quality 40 to 90,
    and every second one also has 60 to 95 % of the side.

    Args:
        folder: where to write; it may exist.
        products: drawn ones, 50 or more.
        seed: of products and errors.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(f"planted {seed}")
    rows = []
    for number in range(products):
        item = load_item(seed, number)
        Image.fromarray(draw_view(seed, number, CLEAN)).save(folder / f"{item.id}.png", compress_level=1)
        rows.append(_Row(item, item.id, item.category, f"{item.id}.png"))
    categories = sorted({row.category for row in rows})
    counts = [round(share * products) for share in (WRONG_SHARE, COPIED_SHARE, ENCODED_SHARE)]
    chosen = rng.sample(range(products), sum(counts))
    wrong, copied, encoded = chosen[: counts[0]], chosen[counts[0] : -counts[2]], chosen[-counts[2] :]
    for place in wrong:
        others = [category for category in categories if category != rows[place].category]
        rows[place] = replace(rows[place], category=rng.choice(others))
    copies = [_copy(rows[place], folder, ("path", "link", "file")[turn % 3]) for turn, place in enumerate(copied)]
    jpegs = [_encode(rows[place], folder, rng, smaller=turn % 2 == 1) for turn, place in enumerate(encoded)]
    pairs = [
        frozenset(frozenset((rows[place].id, row.id)) for place, row in zip(places, made, strict=True))
        for places, made in ((copied, copies), (encoded, jpegs))
    ]
    wrong_ids = frozenset(rows[place].id for place in wrong)
    everything = [*rows, *copies, *jpegs]
    rng.shuffle(everything)
    return PlantedCatalog(_write(everything, folder), len(everything), wrong_ids, *pairs)


def _copy(row: _Row, folder: Path, how: str) -> _Row:
    name = f"{row.id}-again.png"
    if how == "link":
        (folder / name).symlink_to(row.image)
    elif how == "file":
        shutil.copyfile(folder / row.image, folder / name)
    return replace(row, id=f"{row.id}-again", image=row.image if how == "path" else name)


def _encode(row: _Row, folder: Path, rng: random.Random, smaller: bool) -> _Row:
    with Image.open(folder / row.image) as image:
        side = round(image.width * (rng.uniform(0.6, 0.95) if smaller else 1.0))
        buffer = io.BytesIO()
        image.resize((side, side), Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=rng.randint(40, 90))
    name = f"{row.id}-encoded.jpg"
    (folder / name).write_bytes(buffer.getvalue())
    return replace(row, id=f"{row.id}-encoded", image=name)


def _write(rows: Sequence[_Row], folder: Path) -> Path:
    path = folder / "catalog.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            record = {
                "id": row.id, "title": row.item.title, "category": row.category, "image": row.image,
                "price": row.item.price, "variant_group": row.item.group,
            }  # fmt: skip
            file.write(json.dumps(record) + "\n")
    return path
