"""A trained bundle and an index of some products, answering in this process what a server would answer."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from embedder.recognition.category_model import Judged
from embedder.recognition.neighbor_vote import NEIGHBORS
from server.hosting.served_catalog import ServedCatalog, open_served_catalog
from server.search.query import PictureQuery, Query, SearchCommand, SearchOutcome
from server.settings import ServerSettings
from tests.bench.prepared import command


@dataclass(frozen=True, slots=True, eq=False)
class Judgements:
    """What was said of n queries whose categories are known.

    Attributes:
        found: by witness, and "fused": (predicted categories (n,), their probabilities (n,)).
        known: probability that the category is one of the catalog's, (n,).
    """

    found: dict[str, tuple[npt.NDArray[np.object_], npt.NDArray[np.float64]]]
    known: npt.NDArray[np.float64]

    def right(self, witness: str, truth: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Which of the queries' categories a witness predicts."""
        return np.asarray(self.found[witness][0] == np.asarray(truth, dtype=object))


@contextmanager
def answering(model: Path, catalog: str, folder: Path, cache: Path, *flags: str) -> Iterator[ServedCatalog]:
    """An index of a catalog by a model, opened for queries."""
    store = f"edge:{folder}"
    command(
        "indexer", "build", "--catalog", catalog, "--model", str(model), "--store", store, "--cache-dir", str(cache), *flags
    )  # fmt: skip
    served = open_served_catalog(ServerSettings(model=str(model), store=store, cache_dir=cache, device="cpu"), "bench")
    try:
        yield served
    finally:
        served.close()


def judge(served: ServedCatalog, queries: Iterable[Query]) -> Judgements:
    """What each witness says of each query, and all together."""
    judged = []
    for query in queries:
        part = served.parts.encode(query, "query")
        judged.append(served.categories.judge(part, served.finder.nearest(part.query, NEIGHBORS)))
    categories = np.asarray(served.categories.categories, dtype=object)
    tables = {"fused": [item.probabilities[0] for item in judged], **_witnesses(judged)}
    found = {}
    for name, rows in tables.items():
        table = np.stack(rows)
        found[name] = (categories[table.argmax(axis=1)], table.max(axis=1))
    return Judgements(found, np.asarray([float(item.known[0]) for item in judged]))


def _witnesses(judged: Sequence[Judged]) -> dict[str, list[npt.NDArray[np.float64]]]:
    tables = {"neighbors": [item.votes[0] for item in judged]}
    if judged[0].evidence.head is not None:
        tables["head"] = [np.exp(np.nan_to_num(item.evidence.head[0], nan=-np.inf)) for item in judged]  # type: ignore[index]
    if judged[0].evidence.names is not None:
        tables["names"] = [item.evidence.names[0] for item in judged]  # type: ignore[index]
    return tables


def search(served: ServedCatalog, queries: Iterable[Query], filter: str = "") -> list[SearchOutcome]:
    """Ten hits of each query, as a server would give them."""
    return [served.searcher.search(SearchCommand.of(query, filter, 0)) for query in queries]


def picture_query(image: Image.Image) -> PictureQuery:
    """A picture as a caller would send it, without loss."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "PNG", compress_level=1)
    return PictureQuery(buffer.getvalue())
