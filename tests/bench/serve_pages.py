"""Pages of a search: what they cost, whether they count rightly, and whether a walk gives everything once.

Titled products, a server in a process of its own, one client. 500 generated queries with facets, totals and groups are
compared with counting what their pages give. Then 200 walks go over filtered, grouped and counted queries while another
client writes: a tenth of the products get other prices and titles, others come and go. What nobody wrote, and is among
the best 1,000 products of exact searches before and after a walk, must have come, and nothing twice. Bars: nothing
differs, nothing comes twice, nothing is left out. Reported: what a page takes beside the first ten hits of the same
query. Short: 2,000 products, 60 queries, 20 walks.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from merchlens import Client, FacetQuery, Hit, ProductInput, ProductPicture, SearchQuery, SearchResult

from tests.bench.bars import Bars, arguments
from tests.bench.prepared import command, demo_bundle, server
from tests.bench.serve_text_query import timed
from tests.bench.titled_catalog import COLORS, DETAILS, MATERIALS, OCCASIONS, Row, write_titled

SEED = 0
DEPTH = 1_000
FIELDS = ("color", "category", "in_stock", "price")
FILTERS = (
    "",
    "in_stock",
    "price < 30",
    "price >= 100 AND in_stock",
    "color:(red OR navy)",
    'category:"Sandal"',
    "price < 7",
)


def main() -> None:
    """Measure, report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    products, queries, walks, rounds = (2_000, 60, 20, 5) if flags.short else (20_000, 500, 200, 40)
    bundle = demo_bundle(flags.data, flags.model)
    chosen = random.Random(SEED)
    with tempfile.TemporaryDirectory() as temporary:
        catalog = write_titled(Path(temporary) / "shop", products)
        store = f"edge:{temporary}/index"
        command(
            "indexer", "build", "--catalog", str(catalog.path), "--model", str(bundle), "--store", store,
            "--cache-dir", f"{temporary}/cache",
        )  # fmt: skip
        with server(bundle, store) as target, Client(target, timeout_s=120) as client:
            differing = sum(counts_differ(client, any_query(chosen)) for _ in range(queries))
            report_costs(bars, client, rounds)
            repeats, gaps = 0, 0
            with Changes(target, catalog.rows) as changes:
                for _ in range(walks):
                    twice, missing = walk(client, any_query(chosen), chosen.randint(20, 400), changes.touches)
                    repeats, gaps = repeats + twice, gaps + missing
            bars.row("products written during the walks", f"{changes.written:,}")
    bars.at_most("serve_pages_counts_that_differ", differing, 0)
    bars.at_most("serve_pages_repeats", repeats, 0)
    bars.at_most("serve_pages_gaps", gaps, 0)
    bars.report(f"pages of a search, {products:,} products, {queries} queries, {walks} walks")


def any_query(chosen: random.Random) -> SearchQuery:
    """Words that name much, little or nothing of the catalog, with a filter, or none."""
    words = [chosen.choice(each) for each in (COLORS, MATERIALS, DETAILS, OCCASIONS)]
    return SearchQuery(
        text=" ".join(chosen.sample(words, chosen.randint(1, 4))),
        filter=chosen.choice(FILTERS),
        group_by=chosen.choice(("", "", "color", "category")),
        keep_duplicates=chosen.random() < 0.2,
        min_match_probability=chosen.choice((0.0, 0.0, 0.2)),
    )


def counts_differ(client: Client, query: SearchQuery) -> bool:
    """Whether facets, total and groups are other ones than those of the pages."""
    asked = replace(query, facets=FIELDS, count_total=True)
    first = next(iter(client.walk_search(asked)))
    assert first.total_size is not None
    # The candidates of a first page are searched as all first pages are, not as a walk's.
    plain = replace(query, group_by="", top_k=DEPTH)
    hits = next(iter(client.walk_search(plain))).hits
    same = first.total_size.value == len(hits) and all(
        facet_of(first, field) == naive_facet(hits, field) for field in FIELDS
    )
    if query.group_by:
        groups = Counter(value for hit in hits for value in values_of(hit, query.group_by)[-1:])
        same &= all(group.candidate_count == groups[group.value] for group in first.groups if group.value is not None)
    return not same


def facet_of(result: SearchResult, field: str) -> object:
    """What the server says."""
    facet = result.facets[field]
    return facet.product_count, facet.without_value_count, dict(facet.values), facet.min, facet.max


def naive_facet(hits: tuple[Hit, ...], field: str) -> object:
    """What the hits say."""
    if field == "price":
        prices = [hit.price for hit in hits if hit.price is not None]
        return len(hits), len(hits) - len(prices), {}, min(prices, default=None), max(prices, default=None)
    values = [values_of(hit, field) for hit in hits]
    counts = Counter(value for each in values for value in each)
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:20]
    return len(hits), sum(not each for each in values), dict(ranked), None, None


def values_of(hit: Hit, field: str) -> list[str]:
    """As facets count them; of a category all levels, the lowest last."""
    if field == "category":
        levels = hit.category.split("/") if hit.category else []
        return ["/".join(levels[: depth + 1]) for depth in range(len(levels))]
    value = hit.in_stock if field == "in_stock" else hit.attributes.get(field)
    return [] if value is None else [str(value).lower() if isinstance(value, bool) else str(value)]


class Changes:
    """Writes for the length of a block: products whose numbers end in 3 change, others come and go."""

    def __init__(self, target: str, rows: Sequence[Row]) -> None:
        self._client = Client(target, timeout_s=120)
        self._rows = [row for number, row in enumerate(rows) if number % 10 == 3]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self._failure: BaseException | None = None
        self.written = 0

    @staticmethod
    def touches(product_id: str) -> bool:
        """Whether a product may be written."""
        return product_id.startswith("new-") or product_id.endswith("3")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._client.close()
        if self._failure is not None:
            raise self._failure

    def _write(self) -> None:
        chosen = random.Random(SEED + 1)
        try:
            vectors = [
                vector
                for row in chosen.sample(self._rows, 20)
                for vector in self._client.get_product(row["id"], vectors=True).product.vectors
            ]
            while not self._stop.wait(0.01):
                changed = chosen.choice(self._rows)
                title = f"{changed['title']} {chosen.choice(COLORS)}"
                product = ProductInput(
                    product_id=changed["id"],
                    title=title,
                    category=changed["category"],
                    price=float(chosen.randint(5, 400)),
                    in_stock=chosen.random() < 0.5,
                    attributes={"color": chosen.choice(COLORS)},
                )
                come = ProductInput(
                    product_id=f"new-{chosen.randint(0, 99)}",
                    title=title,
                    price=50.0,
                    pictures=[ProductPicture(vector=chosen.choice(vectors))],
                )
                written = self._client.upsert_products([product, come])
                assert all(result.error is None for result in written), written
                self._client.delete_products([f"new-{chosen.randint(0, 99)}"])
                self.written += 2
        except BaseException as error:
            self._failure = error


def walk(client: Client, query: SearchQuery, size: int, touches: Callable[[str], bool]) -> tuple[int, int]:
    """How often something came twice, and how many of the exact first 1,000 that nobody wrote never came."""
    before = exact(client, query)
    found: list[str] = []
    groups: list[str | None] = []
    for page in client.walk_search(replace(query, top_k=size, hits_per_group=100, facets=FIELDS[:1])):
        found += [hit.product_id for hit in page]
        groups += [group.value for group in page.groups if group.value is not None]
        found += [hit.product_id for group in page.groups if group.value is None for hit in group]
    after = {hit.product_id for hit in exact(client, query)}
    stayed = [hit for hit in before if hit.product_id in after and not touches(hit.product_id)]
    if not query.group_by:
        return len(found) - len(set(found)), len({hit.product_id for hit in stayed} - set(found))
    wanted = {value for hit in stayed for value in values_of(hit, query.group_by)[-1:]}
    return len(groups) - len(set(groups)), len(wanted - set(groups))


def exact(client: Client, query: SearchQuery) -> tuple[Hit, ...]:
    """The best 1,000 products by an exact search."""
    return client.search(
        text=query.text, filter=query.filter, keep_duplicates=query.keep_duplicates, top_k=DEPTH, accuracy="exact",
        min_match_probability=query.min_match_probability,
    ).hits  # fmt: skip


def report_costs(bars: Bars, client: Client, rounds: int) -> None:
    """What pages take, beside the first ten hits."""
    asked = [f"{COLORS[place % len(COLORS)]} {MATERIALS[place % len(MATERIALS)]} {place}" for place in range(rounds)]
    tokens = [client.search(text=text).next_page_token for text in asked]

    def median_ms(ask: Callable[[str], SearchResult]) -> float:
        return statistics.median(timed(lambda text=text: ask(text)) for text in asked) * 1000

    plain = median_ms(lambda text: client.search(text=text))
    later = iter(tokens)
    ways: dict[str, Callable[[str], SearchResult]] = {
        "a second page, searched exactly": lambda text: client.search(text=text, page_token=next(later)),
        "three facets of the query": lambda text: client.search(text=text, facets=FIELDS[:3]),
        "three facets of the filter": lambda text: client.search(
            text=text, facets=[FacetQuery(field, scope="filter") for field in FIELDS[:3]]
        ),
        "groups": lambda text: client.search(text=text, group_by="category"),
        "variety": lambda text: client.search(text=text, diversity=0.5),
        "a least probability": lambda text: client.search(text=text, min_match_probability=0.2),
        "1,000 hits, titles alone": lambda text: client.search(text=text, top_k=DEPTH, fields=["title"]),
    }
    bars.row("ten hits of a text, ms", f"{plain:.2f}")
    for name, ask in ways.items():
        taken = median_ms(ask)
        bars.row(f"  {name}, ms", f"{taken:.2f}", f"{taken / plain:.1f} x")


if __name__ == "__main__":
    main()
