"""Whether a hit with a match probability of 0.87 is right 87 times in 100, and whether nonsense is known as such.

On the stamps of tuxpaint, by products that neither the model nor the index learnt anything from; what the probabilities
are fitted on are the validation products, and for the very product others than those that ask. Baselines: the cosine scaled to 0..1, and for nonsense the
largest cosine. Bars: calibration error (debiased, equal-mass bins) over the first ten hits 0.05 for pictures and 0.08 for
titles, Brier score 0.7 of that of the base rate; 200 random strings and 200 sentences about other things told from 400
titles and categories of held-out products, AUROC 0.95. Short: 64 px, a third of the queries.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torchmetrics.functional.classification import binary_auroc

from embedder.catalogs.captions import category_words, title_of
from embedder.catalogs.loading import load_catalog
from embedder.catalogs.product import Product
from embedder.catalogs.registry import open_catalog
from embedder.evaluation.reliability import measure_reliability
from embedder.inputs.picture import decode_picture
from embedder.inputs.street_views import street_view
from indexer.building.calibration.product_sample import PICTURES
from server.hosting.served_catalog import ServedCatalog
from server.search.query import SearchOutcome, TextQuery
from tests.bench.answering import answering, picture_query, search
from tests.bench.bars import Bars, arguments
from tests.bench.prepared import command, sibling_keys
from tests.bench.quality_tuxpaint import CATALOG, tested_places, write_catalog

SEED = 0
NONSENSE = 200


def main() -> None:
    """Train, index twice, ask, report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    cache = flags.data / "cache"
    products = list(load_catalog(open_catalog(CATALOG)).products)
    keys = sibling_keys(products, cache)
    asked = [products[place] for place in tested_places(keys, SEED)][:: 3 if flags.short else 1]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        whole = write_catalog(products, keys, SEED, folder)
        rows = whole.read_text(encoding="utf-8").splitlines()
        others = folder / "others.jsonl"
        others.write_text("\n".join(row for row in rows if json.loads(row)["split"] != "test") + "\n", encoding="utf-8")
        model = folder / "bundle"
        command(
            "embedder", "train", "--catalog", str(whole), "--allow-outside-pictures", "--out", str(model), "--cache-dir",
            str(cache), *(["--image-size", "64"] if flags.short else []),
        )  # fmt: skip
        with answering(model, str(others), folder / "others", cache, "--allow-outside-pictures") as served:
            relevance(bars, served, asked)
            nonsense(bars, served, asked)
        # An index is calibrated on views of its first products; the others ask.
        later = {product.id for product in products[PICTURES:]}
        with answering(model, str(whole), folder / "whole", cache, "--allow-outside-pictures") as served:
            sameness(bars, served, [product for product in asked if product.id in later])
    bars.report("stamps: what a hit is worth, by products never seen")


def relevance(bars: Bars, served: ServedCatalog, asked: Sequence[Product]) -> None:
    """Hits of the query's own category, in a catalog that does not have its product."""
    pictures = search(served, (picture_query(decode_picture(p.pictures[0].source).image) for p in asked))
    titles = search(served, (TextQuery(title_of(p)) for p in asked))
    for name, found, bar in (("pictures", pictures, 0.05), ("titles", titles, 0.08)):
        right = [
            hit.payload.get("category") == product.category
            for product, outcome in zip(asked, found, strict=True)
            for hit in outcome.hits
        ]
        said = [hit.match.relevant for outcome in found for hit in outcome.hits]
        _report(bars, f"match_{name}", f"{name}: hits of the category", found, np.asarray(said), np.asarray(right), bar)


def sameness(bars: Bars, served: ServedCatalog, asked: Sequence[Product]) -> None:
    """Hits that are the very product, by photo-like views of it."""
    views = (
        picture_query(street_view(decode_picture(p.pictures[0].source, draft_side=448).image, "street", 1000 + place))
        for place, p in enumerate(asked)
    )
    found = search(served, views)
    right = [
        hit.product_id == product.id for product, outcome in zip(asked, found, strict=True) for hit in outcome.hits
    ]
    said = [hit.match.same for outcome in found for hit in outcome.hits]
    _report(bars, "match_same_product", "photos: the very product", found, np.asarray(said), np.asarray(right), 0.05)


def nonsense(bars: Bars, served: ServedCatalog, asked: Sequence[Product]) -> None:
    """Texts that mean something here against others."""
    meant = list(dict.fromkeys([*(title_of(p) for p in asked), *(category_words(p.category or "") for p in asked)]))[
        :400
    ]
    texts = [*meant, *random_strings(NONSENSE), *other_sentences(NONSENSE)]
    labels = torch.tensor([1] * len(meant) + [0] * (len(texts) - len(meant)))
    found = search(served, (TextQuery(text) for text in texts))
    worth = np.asarray([outcome.anything for outcome in found], dtype=np.float64)
    cosines = np.asarray([outcome.hits[0].score for outcome in found])
    area = float(binary_auroc(torch.from_numpy(worth), labels))
    baseline = float(binary_auroc(torch.from_numpy((cosines + 1) / 2), labels))
    warned = np.asarray([any(item.code == "NOTHING_GOOD_FOUND" for item in outcome.warnings) for outcome in found])
    bars.row("texts that mean nothing here, AUROC", f"{area:.4f}", f"largest cosine {baseline:.4f}")
    here = labels.numpy() == 1
    bars.row("... warned of; of texts that mean something", f"{warned[~here].mean():.3f}; {warned[here].mean():.3f}")
    bars.at_least("match_nonsense_auroc", area, 0.95)


def random_strings(count: int) -> list[str]:
    """Not those that an index is calibrated with."""
    rng = random.Random("bench")
    return [
        "".join(rng.choice("abcdefghijklmnopqrstuvwxyz ") for _ in range(rng.randint(4, 24))).strip() or "q"
        for _ in range(count)
    ]


def other_sentences(count: int) -> list[str]:
    """About other things than pictures of things; none of the words' lists that an index is calibrated with."""
    rng = random.Random("sentences")
    starts = ("Yesterday", "In general", "According to him", "If possible", "Sooner or later", "As agreed", "Honestly")
    middles = (
        "we must pay the rent", "the court dismissed the claim", "democracy needs patience", "nobody answered my email",
        "grammar is difficult", "the train to Vienna was cancelled", "she studied philosophy", "prices rose by two percent",
        "the jury could not agree", "I missed the bus", "the theory was refuted", "he resigned from office",
        "our server crashed", "the deadline has passed", "unemployment is falling",
    )  # fmt: skip
    ends = (
        "again",
        "without any reason",
        "despite the rules",
        "before noon",
        "for the third time",
        "as expected",
        "quietly",
    )
    return [f"{rng.choice(starts)} {rng.choice(middles)} {rng.choice(ends)}" for _ in range(count)]


def _report(
    bars: Bars,
    name: str,
    label: str,
    found: Sequence[SearchOutcome],
    said: npt.NDArray[np.float64],
    right: npt.NDArray[np.bool_],
    bar: float,
) -> None:
    cosines = np.asarray([(hit.score + 1) / 2 for outcome in found for hit in outcome.hits])
    measured, plain = measure_reliability(said, right), measure_reliability(cosines.clip(0, 1), right)
    base = float(right.mean() * (1 - right.mean()))
    bars.row(
        f"{label}: calibration error", f"{measured.debiased_error:.4f}",
        f"cosine {plain.debiased_error:.4f}; perfect {measured.by_chance:.4f}",
    )  # fmt: skip
    bars.row(f"{label}: Brier score", f"{measured.brier:.4f}", f"base rate {base:.4f}, cosine {plain.brier:.4f}")
    bars.at_most(f"{name}_calibration_error", measured.debiased_error, bar)
    bars.at_most(f"{name}_brier_ratio", measured.brier / base, 0.7)


if __name__ == "__main__":
    main()
