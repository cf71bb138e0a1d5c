"""Whether words find the product: titles with a word left out, titles in the other number, and words of no title.

Stamps of tuxpaint and the studio, all products, with the untuned starter; any product with an identical title counts as
found. Baselines: pictures alone, as before titles were indexed, and words alone (BM25). Bars: recall@10 of 0.95 for both
kinds of titles on both sets; for names of categories that stand in no title the share of the first ten hits that are of
the category is no smaller than by pictures alone. The weights of pictures, titles and words are those that the build
chose; its queries leave out other words than these. Where an article is all that is left of a title, nothing can find it:
how many these are is shown. Short: a tenth of the queries, 500 products of the studio.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from embedder.catalogs.captions import category_words, other_number, title_of
from embedder.catalogs.loading import load_catalog
from embedder.catalogs.product import Product
from embedder.catalogs.registry import open_catalog
from embedder.index_space import IndexQuery
from indexer.stores.protocol import Scored
from indexer.versions.layout import Part
from indexer.words.text_ranking import TextRanking
from server.hosting.served_catalog import ServedCatalog
from server.search.query import TextQuery
from tests.bench.answering import answering
from tests.bench.bars import Bars, arguments

SEED = 1
DEPTH = 10
FEWEST_CATEGORIES = 10
ARTICLES = frozenset({"a", "an", "the"})
STUDIO_PRODUCTS = 2_000
WAYS: tuple[Part | None, ...] = (None, "image", "title", "words")

Find = Callable[[str, Part | None], list[Scored]]


def main() -> None:
    """Index, ask, report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    catalogs = {
        "stamps": "tuxpaint-stamps",
        "studio": f"studio:products={500 if flags.short else STUDIO_PRODUCTS},seed=7",
    }
    for name, catalog in catalogs.items():
        products = list(load_catalog(open_catalog(catalog)).products)
        model = flags.model or Path("starter")
        with (
            tempfile.TemporaryDirectory() as temporary,
            answering(model, catalog, Path(temporary) / "index", flags.data / "cache") as served,
        ):
            measure(bars, name, products[:: 10 if flags.short else 1], products, finder(served))
    bars.report("text queries: hybrid, and each part alone")


def finder(served: ServedCatalog) -> Find:
    """Searches by all parts as the index weighs them, or by one of them alone."""
    ranking = TextRanking(served.reader.manifest)

    def find(text: str, way: Part | None) -> list[Scored]:
        part = served.parts.encode(TextQuery(text), "query")
        by = ranking.of(IndexQuery(part.vector, part.scale), part.semantic, part.text)
        weights = by.weights if way is None else [float(part.using == way) for part in by.parts]
        return served.reader.query(by.parts, weights, DEPTH) if any(weights) else []

    return find


def measure(bars: Bars, name: str, asked: Sequence[Product], products: Sequence[Product], find: Find) -> None:
    """One catalog's rows and bars."""
    titles = {product.id: title_of(product) for product in products}
    random = np.random.default_rng(SEED)
    shortened, renumbered = [], []
    for product in asked:
        title = titles[product.id]
        words = title.split()
        if len(words) > 1:
            del words[int(random.integers(len(words)))]
            shortened.append((" ".join(words), title))
        if title and (other := other_number(title)) != title:
            renumbered.append((other, title))
    empty = np.mean([set(text.casefold().split()) <= ARTICLES for text, _ in shortened]) if shortened else 0.0
    bars.row(f"{name}: a word left out, and nothing but an article is left", f"{empty:.3f} of these titles")
    for kind, queries in (("a word left out", shortened), ("other number", renumbered)):
        found = {
            way: float(
                np.mean([any(titles[hit.product_id] == title for hit in find(text, way)) for text, title in queries])
            )
            for way in WAYS
        }
        alone = ", ".join(f"{way} {found[way]:.3f}" for way in WAYS if way)
        bars.row(f"{name}: {kind}, recall@{DEPTH}, {len(queries)} titles", f"{found[None]:.3f}", alone)
        bars.at_least(f"text_{name}_{kind.replace(' ', '_')}_recall_at_{DEPTH}", found[None], 0.95)
    categories = {product.id: product.category or "" for product in products}
    spoken = {word for title in titles.values() for word in title.casefold().split()}
    unspoken = [
        category
        for category in sorted(set(categories.values()))
        if category and not spoken & set(category_words(category).casefold().split())
    ]
    if len(unspoken) < FEWEST_CATEGORIES:
        bars.row(f"{name}: words of no title", f"{len(unspoken)} categories are named by such: too few")
        return
    sizes = {category: list(categories.values()).count(category) for category in unspoken}
    shares = {
        way: float(
            np.mean(
                [
                    sum(categories[hit.product_id] == category for hit in find(category_words(category), way))
                    / min(DEPTH, sizes[category])
                    for category in unspoken
                ]
            )
        )
        for way in WAYS
    }
    alone = ", ".join(f"{way} {shares[way]:.3f}" for way in WAYS if way)
    bars.row(f"{name}: words of no title, share of {DEPTH}, {len(unspoken)} categories", f"{shares[None]:.3f}", alone)
    bars.at_least(f"text_{name}_unspoken_gain_over_pictures", shares[None] - shares["image"], 0.0)


if __name__ == "__main__":
    main()
