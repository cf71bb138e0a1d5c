"""What every store does, tested on each: Edge on disk, Qdrant in memory, or the server that a variable names.

`MERCHLENS_TEST_QDRANT_URL=qdrant://HOST:6334` runs the Qdrant half against that server, in collections of its own that
it removes; `MERCHLENS_TEST_QDRANT_API_KEY` goes with it where the server wants one.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from qdrant_client import QdrantClient

from indexer.errors import StoreError, StoreNotFound, StoreUnavailable, VersionIncomplete
from indexer.filters.expression import Expression, matches
from indexer.filters.parser import parse_filter
from indexer.filters.schema import Field
from indexer.stores.edge.store import EdgeStore
from indexer.stores.points import FUSION_K, point_id
from indexer.stores.protocol import Batch, Payload, QueryPart, Store, VersionReader, WordVector
from indexer.stores.qdrant.arguments import QdrantArguments
from indexer.stores.qdrant.store import QdrantStore
from indexer.words.bm25 import Bm25Words
from indexer.words.text_index import Bm25Settings, TextIndex
from tests.indexer.conftest import DIM, STRANGE_IDS, Shelf, load, manifest_of, search, shelf, unit_rows

URL_VARIABLE, KEY_VARIABLE = "MERCHLENS_TEST_QDRANT_URL", "MERCHLENS_TEST_QDRANT_API_KEY"

FILTERS = [
    "price < 50",
    "price <= 49.9",
    "price > 49.9 AND price <= 1000000",
    "price >= 0",
    "price = 50",
    "price != 50",
    "in_stock = true",
    "in_stock = false",
    "NOT in_stock = true",
    'category = "shoes"',
    'category : "shoes"',
    'category : "shoes/boots"',
    'category != "bags"',
    'category : "Taschen/große"',
    'color = "red"',
    'color = "Red"',
    'color != "red"',
    'NOT color = "red"',
    'attributes."heel height" > 2',
    "waterproof = true",
    'size = "42"',
    'title = "Ankle boot"',
    'id = "靴/1"',
    '(color = "red" OR color = "blue") AND NOT price > 10',
    'NOT (in_stock = true AND (price < 10 OR category : "bags"))',
    'color = "no such colour"',
    "price > 10000000",
]


def connecting(kind: str, folder: Path) -> Iterator[Callable[[], Store]]:
    """What connects to one new store, each time that it is called, as another process would."""
    if kind == "edge":
        yield lambda: EdgeStore(folder / "index")
    else:
        yield from connecting_to_qdrant()


def connecting_to_qdrant() -> Iterator[Callable[[], Store]]:
    url = os.environ.get(URL_VARIABLE)
    if not url:
        client = QdrantClient(":memory:")
        yield lambda: QdrantStore(client, "qdrant://memory/shop", "shop")
        client.close()
        return
    catalog = f"contract-{secrets.token_hex(4)}"
    opened: list[QdrantStore] = []

    def connect() -> Store:
        # A server for tests holds nothing: its key may be seen.
        plain = QdrantArguments(plain_text_key=True)
        opened.append(QdrantStore.connect(f"{url.rstrip('/')}/{catalog}", os.environ.get(KEY_VARIABLE), plain))
        return opened[-1]

    try:
        yield connect
    finally:
        connect()
        client = opened[-1]._client
        for collection in client.get_collections().collections:
            if collection.name.startswith(catalog):
                client.delete_collection(collection.name)
        for store in opened:
            store.close()


@pytest.fixture(params=["edge", "qdrant"])
def connect(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    yield from connecting(request.param, tmp_path)


@pytest.fixture
def store(connect: Callable[[], Store]) -> Store:
    return connect()


@pytest.fixture(scope="module")
def things() -> Shelf:
    return shelf(200)


@pytest.fixture(scope="module", params=["edge", "qdrant"])
def reader(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, things: Shelf
) -> Iterator[VersionReader]:
    """Of a live version with all products; nobody writes to its store."""
    for connect in connecting(request.param, tmp_path_factory.mktemp("stores")):
        store = connect()
        store.activate(load(store, things).version)
        opened = store.open()
        yield opened
        opened.close()


def nearest_by_hand(things: Shelf, query: np.ndarray, limit: int, rows: list[int] | None = None) -> list[str]:
    rows = list(range(len(things.ids))) if rows is None else rows
    scores = things.vectors @ query
    return [things.ids[row] for row in sorted(rows, key=lambda row: (-scores[row], things.ids[row]))[:limit]]


class TestAnEmptyStore:
    def test_has_no_versions(self, store: Store) -> None:
        assert store.versions() == []
        assert store.live_version() is None

    def test_cannot_be_opened_and_says_what_to_do(self, store: Store) -> None:
        with pytest.raises(StoreNotFound, match=r"no index at .*next step: python -m indexer build"):
            store.open()

    def test_knows_no_version(self, store: Store) -> None:
        for ask in (store.open, store.activate):
            with pytest.raises(StoreNotFound, match=r"no version 'v1'.*next step"):
                ask("v1")


class TestSearching:
    def test_finds_the_nearest_with_their_cosines(self, reader: VersionReader, things: Shelf) -> None:
        for query in unit_rows(10, seed=9):
            found = search(reader, query, 7)
            assert [item.product_id for item in found] == nearest_by_hand(things, query, 7)
            expected = np.sort(things.vectors @ query)[::-1][:7]
            assert np.allclose([item.score for item in found], expected, atol=1e-5)

    def test_a_product_finds_itself(self, reader: VersionReader, things: Shelf) -> None:
        for row in (0, 5, 150):
            (found,) = search(reader, things.vectors[row], 1)
            assert found.product_id == things.ids[row]
            assert found.score == pytest.approx(1.0, abs=1e-5)

    def test_gives_back_the_whole_payload(self, reader: VersionReader, things: Shelf) -> None:
        for row in range(0, 200, 23):
            (found,) = search(reader, things.vectors[row], 1)
            assert dict(found.payload) == dict(things.payloads[row])

    def test_no_more_than_there_are(self, reader: VersionReader, things: Shelf) -> None:
        assert len(search(reader, things.vectors[0], 1000)) == 200

    def test_equal_scores_are_ordered_by_id(self, store: Store) -> None:
        same = shelf(30)
        twins = Shelf(same.payloads, np.repeat(same.vectors[:1], 30, axis=0), same.schema)
        store.activate(load(store, twins).version)
        opened = store.open()
        assert [item.product_id for item in search(opened, twins.vectors[0], 30)] == sorted(twins.ids)
        opened.close()

    def test_exactly_gives_the_same(self, reader: VersionReader, things: Shelf) -> None:
        query = unit_rows(1, seed=5)[0]
        exactly = [item.product_id for item in search(reader, query, 10, effort="exact")]
        assert exactly == nearest_by_hand(things, query, 10)

    def test_from_several_threads(self, reader: VersionReader, things: Shelf) -> None:
        queries = unit_rows(64, seed=3)
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda query: [item.product_id for item in search(reader, query, 3)], queries))
        assert found == [nearest_by_hand(things, query, 3) for query in queries]


class TestFiltering:
    @pytest.mark.parametrize("text", FILTERS)
    def test_gives_what_the_filter_means(self, reader: VersionReader, things: Shelf, text: str) -> None:
        where = parse_filter(text, things.schema)
        assert where is not None
        rows = [row for row, payload in enumerate(things.payloads) if matches(where, payload)]
        assert reader.count(where) == len(rows)
        query = unit_rows(1, seed=2)[0]
        found = [item.product_id for item in search(reader, query, 200, where)]
        assert found == nearest_by_hand(things, query, 200, rows)

    def test_the_filters_above_tell_products_apart(self, things: Shelf) -> None:
        """Else the test above would prove little."""
        counts = [sum(matches(parse_filter(t, things.schema), p) for p in things.payloads) for t in FILTERS]
        assert sum(0 < count < 200 for count in counts) >= len(FILTERS) - 3

    def test_attributes_whose_names_need_quotes_or_cannot_be_asked_for(self, store: Store) -> None:
        base = shelf(3)
        names = ["sleeve length", "größe", "a.b", "x[0]", 'in"ches', "back\\slash", "-"]
        payloads = tuple({**p, "attributes": dict.fromkeys(names, f"v{n}")} for n, p in enumerate(base.payloads))
        builder_schema = type(base.schema)(dict.fromkeys(names, next(iter(base.schema.attributes.values()))))
        odd = Shelf(payloads, base.vectors, builder_schema)
        store.activate(load(store, odd).version)
        opened = store.open()
        for name in ("sleeve length", "größe", "a.b", "x[0]"):
            where = parse_filter(f'attributes."{name}" = "v1"', odd.schema)
            assert [item.product_id for item in search(opened, odd.vectors[0], 3, where)] == [odd.ids[1]], name
        opened.close()

    def test_counts_all_without_a_filter(self, reader: VersionReader) -> None:
        assert reader.count() == 200


def values_in(payload: Payload, field: Field) -> set[str]:
    if field.name == "category":
        return set(payload.get("category_path", ()))
    value = (payload.get("attributes", {}) if field.is_attribute else payload).get(field.name, [])
    return {str(each).lower() if isinstance(each, bool) else each for each in np.atleast_1d(value).tolist()}


class TestCountingValues:
    @pytest.mark.parametrize("text", ["", "price < 50", 'color = "no such colour"'])
    def test_each_value_of_an_indexed_field_has_its_number_of_products(
        self, reader: VersionReader, things: Shelf, text: str
    ) -> None:
        where = parse_filter(text, things.schema)
        payloads = [payload for payload in things.payloads if where is None or matches(where, payload)]
        counted = [field for field in things.schema.fields() if reader.counts_values_of(field)]
        assert {field.path for field in counted} >= {"category", "in_stock", "color", "size", "waterproof"}
        for field in counted:
            if field.name == "id":
                continue
            expected = Counter(value for payload in payloads for value in values_in(payload, field))
            assert reader.count_values(field, 1000, where) == expected, field.path

    def test_the_most_frequent_values_are_given(self, reader: VersionReader, things: Shelf) -> None:
        color = things.schema.resolve("color")
        whole = reader.count_values(color, 1000)
        assert len(whole) > 2
        few = reader.count_values(color, 2)
        assert sorted(few.values()) == sorted(whole.values())[-2:]

    def test_numbers_and_words_without_an_index_are_not_counted(self, reader: VersionReader, things: Shelf) -> None:
        for path in ("price", "title", 'attributes."heel height"'):
            assert not reader.counts_values_of(things.schema.resolve(path))


class TestRecommending:
    @pytest.mark.parametrize("text", ["", "price < 50"])
    @pytest.mark.parametrize("disliked", [0, 1, 40])
    def test_by_the_nearest_that_is_liked_before_what_is_nearer_to_one_that_is_not(
        self, reader: VersionReader, things: Shelf, text: str, disliked: int
    ) -> None:
        wanted, unwanted = unit_rows(3, seed=21), unit_rows(disliked, seed=22)
        where = parse_filter(text, things.schema)
        rows = [row for row, payload in enumerate(things.payloads) if where is None or matches(where, payload)]
        best = (things.vectors @ wanted.T).max(axis=1)
        worst = (things.vectors @ unwanted.T).max(axis=1) if disliked else np.full(len(best), -2.0)
        order = sorted(
            rows, key=lambda row: (0, -best[row], things.ids[row]) if best[row] > worst[row] else (1, worst[row], "")
        )
        for limit in (1, 20, 200):
            found = reader.recommend(
                [QueryPart(vector, scale=0.5) for vector in wanted],
                [QueryPart(vector) for vector in unwanted],
                limit,
                where,
            )
            assert [item.product_id for item in found] == [things.ids[row] for row in order[:limit]]
            assert [item.score for item in found] == pytest.approx([best[row] / 2 for row in order[:limit]], abs=1e-5)

    def test_of_a_product_with_several_pictures_the_nearest_counts(
        self, store: Store, album: tuple[Shelf, np.ndarray, list[int]]
    ) -> None:
        things, vectors, counts = album
        batch = Batch(things.ids, vectors, things.payloads, counts)
        store.activate(load(store, things, batches=[batch], multivector=True).version)
        opened = store.open()
        place = int(np.cumsum(counts)[7]) - 2
        found = opened.recommend([QueryPart(vectors[place])], [QueryPart(-vectors[place])], 60)
        opened.close()
        assert (found[0].product_id, found[0].picture) == (things.ids[7], counts[7] - 2)
        assert len(found) == 60


class TestPaging:
    @pytest.mark.parametrize("text", ["", "in_stock = true", 'color = "no such colour"'])
    @pytest.mark.parametrize("limit", [1, 7, 200, 1000])
    def test_pages_have_each_product_that_matches_once_in_the_same_order(
        self, reader: VersionReader, things: Shelf, text: str, limit: int
    ) -> None:
        where = parse_filter(text, things.schema)
        pages = walked(reader, limit, where)
        found = [payload for page in pages for payload in page]
        expected = [payload for payload in things.payloads if where is None or matches(where, payload)]
        assert [payload["product_id"] for payload in found] == sorted(
            (payload["product_id"] for payload in expected), key=point_id
        )
        assert {payload["product_id"]: payload for payload in found} == {
            payload["product_id"]: payload for payload in expected
        }
        assert all(len(page) == limit for page in pages[:-1])
        assert pages == walked(reader, limit, where)


def walked(reader: VersionReader, limit: int, where: Expression | None) -> list[tuple[Payload, ...]]:
    pages, start = [], ""
    while True:
        page = reader.page(limit, start, where)
        pages.append(page.payloads)
        start = page.next
        if not start:
            return pages


@pytest.fixture(scope="module")
def album(things: Shelf) -> tuple[Shelf, np.ndarray, list[int]]:
    """60 products with 1 to 4 pictures: their shelf, all vectors in order, and how many are each one's."""
    counts = [1 + row % 4 for row in range(60)]
    vectors = unit_rows(sum(counts), seed=11)
    payloads = tuple(
        {**payload, "pictures": [f"{row}-{place}.jpg" for place in range(count)]}
        for row, (payload, count) in enumerate(zip(things.payloads[:60], counts, strict=True))
    )
    return Shelf(payloads, vectors, things.schema), vectors, counts


@pytest.fixture(scope="module", params=["edge", "qdrant"])
def album_reader(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    album: tuple[Shelf, np.ndarray, list[int]],
) -> Iterator[VersionReader]:
    things, vectors, counts = album
    for connect in connecting(request.param, tmp_path_factory.mktemp("albums")):
        store = connect()
        batch = Batch(things.ids, vectors, things.payloads, counts)
        store.activate(load(store, things, batches=[batch], multivector=True).version)
        opened = store.open()
        yield opened
        opened.close()


class TestSeveralPictures:
    """A product is found by each of its pictures, appears once, and the hit says which one matched."""

    def test_each_picture_finds_its_product_and_is_named(self, album_reader: VersionReader, album) -> None:
        things, vectors, counts = album
        start = 0
        for row, count in enumerate(counts):
            for place in range(count):
                found = search(album_reader, vectors[start + place], 3)
                assert (found[0].product_id, found[0].picture) == (things.ids[row], place)
                assert found[0].score == pytest.approx(1.0, abs=1e-5)
                assert found[0].payload["pictures"][found[0].picture] == f"{row}-{place}.jpg"
            start += count

    def test_a_product_appears_once_with_its_nearest_pictures_cosine(self, album_reader: VersionReader, album) -> None:
        things, vectors, counts = album
        bounds = np.cumsum([0, *counts])
        for query in unit_rows(10, seed=21):
            best = {
                things.ids[row]: float((vectors[bounds[row] : bounds[row + 1]] @ query).max())
                for row in range(len(counts))
            }
            found = search(album_reader, query, 60)
            assert [item.product_id for item in found] == sorted(best, key=lambda name: (-best[name], name))
            assert np.allclose([item.score for item in found], sorted(best.values(), reverse=True), atol=1e-5)

    def test_a_scale_multiplies_every_score_and_changes_no_picture(self, album_reader: VersionReader) -> None:
        for query in unit_rows(3, seed=43):
            plain = album_reader.query([QueryPart(query)], [1.0], 60)
            scaled = album_reader.query([QueryPart(query, scale=0.5)], [1.0], 60)
            assert [(item.product_id, item.picture) for item in scaled] == [
                (item.product_id, item.picture) for item in plain
            ]
            assert np.allclose([item.score for item in scaled], [0.5 * item.score for item in plain], atol=1e-6)

    def test_a_product_is_fetched_with_all_its_vectors(self, album_reader: VersionReader, album) -> None:
        things, vectors, counts = album
        start = sum(counts[:7])
        found = album_reader.fetch(things.ids[7])
        assert found is not None
        assert np.allclose(found.vectors, vectors[start : start + 4], atol=1e-5)
        mean = vectors[start : start + 4].mean(axis=0)
        assert np.allclose(found.direction, mean / np.linalg.norm(mean), atol=1e-5)

    def test_a_later_write_with_fewer_pictures_leaves_none_of_the_old(self, store: Store, album) -> None:
        things, vectors, counts = album
        first = Batch(things.ids[:8], vectors[: sum(counts[:8])], things.payloads[:8], counts[:8])
        fewer = Batch([things.ids[7]], unit_rows(1, seed=99), [things.payloads[7]], [1])
        eight = Shelf(things.payloads[:8], vectors, things.schema)
        store.activate(load(store, eight, batches=[first, fewer], multivector=True).version)
        opened = store.open()
        found = opened.fetch(things.ids[7])
        assert found is not None
        assert found.vectors.shape == (1, DIM)
        opened.close()

    def test_a_batch_whose_pictures_do_not_add_up_cannot_be_made(self, things: Shelf) -> None:
        for counts in ([1, 1], [3, 0], [1, 2, 1]):
            with pytest.raises(ValueError, match=r"permitted"):
                Batch(things.ids[:2], things.vectors[:3], things.payloads[:2], counts)


TITLE_DIM = 8
NAMES = ("red box", "red boot", "blue hat", "green box", "red red hat", "the can", "")


@dataclass(frozen=True)
class Titled:
    """Products with titles, as a version holds them beside the pictures, and what the words weigh."""

    things: Shelf
    batch: Batch
    words: Bm25Words
    spoken: list[str]

    @property
    def texts(self) -> TextIndex:
        return TextIndex(TITLE_DIM, SETTINGS)

    def by_image(self, query: np.ndarray) -> dict[str, float]:
        return dict(zip(self.things.ids, (self.batch.vectors @ query).tolist(), strict=True))

    def by_title(self, query: np.ndarray) -> dict[str, float]:
        assert self.batch.titles is not None
        cosines = (self.batch.titles @ query).tolist()
        return {name: cosine for name, cosine, text in zip(self.things.ids, cosines, self.spoken, strict=True) if text}

    def by_words(self, text: str) -> dict[str, float]:
        """BM25 by its formula, product by product; words are compared without a plural's ending."""
        titles = [title.replace("boxes", "box").split() for title in self.spoken]
        found = {}
        for name, title in zip(self.things.ids, titles, strict=True):
            score = 0.0
            for word in set(text.replace("boxes", "box").split()):
                holding = sum(word in other for other in titles)
                often = title.count(word)
                length = 1 - SETTINGS.b + SETTINGS.b * len(title) / SETTINGS.average_length
                idf = np.log((sum(map(bool, titles)) - holding + 0.5) / (holding + 0.5) + 1)
                score += idf * often * (SETTINGS.k + 1) / (often + SETTINGS.k * length)
            if score:
                found[name] = score
        return found


SETTINGS = Bm25Settings("english", 2.0)


def ranked(scores: dict[str, float]) -> list[str]:
    return sorted(scores, key=lambda name: (-scores[name], name))


@pytest.fixture(scope="module")
def titled() -> Titled:
    things = shelf(140)
    spoken = [NAMES[row % len(NAMES)] + f" {row % 20}" * (row % 3 > 0) for row in range(140)]
    spoken = [text if NAMES[row % len(NAMES)] else "" for row, text in enumerate(spoken)]
    titles = unit_rows(140, seed=31, dim=TITLE_DIM)
    titles[[row for row, text in enumerate(spoken) if not text]] = 0
    words = Bm25Words(SETTINGS)
    batch = Batch(things.ids, things.vectors, things.payloads, None, titles, [words.title(text) for text in spoken])
    return Titled(things, batch, words, spoken)


@pytest.fixture(scope="module", params=["edge", "qdrant"])
def titled_reader(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, titled: Titled
) -> Iterator[VersionReader]:
    for connect in connecting(request.param, tmp_path_factory.mktemp("titled")):
        store = connect()
        store.activate(load(store, titled.things, batches=[titled.batch], texts=titled.texts).version)
        opened = store.open()
        yield opened
        opened.close()


class TestTitlesAndWords:
    """Beside its pictures, a product is found by what its title means and by the words that it has."""

    def test_by_titles(self, titled_reader: VersionReader, titled: Titled) -> None:
        for query, picture in zip(unit_rows(5, seed=32, dim=TITLE_DIM), unit_rows(5, seed=33), strict=True):
            parts = [QueryPart(picture, scale=0.5), QueryPart(query, "title", 2.0)]
            found = titled_reader.query(parts, [0.0, 1.0], 200)
            expected = titled.by_title(query)
            # A product without a title has none that could be near.
            assert [item.product_id for item in found] == ranked(expected)
            assert np.allclose(
                [item.title for item in found], [2 * expected[item.product_id] for item in found], atol=1e-5
            )
            pictures = titled.by_image(picture)
            assert np.allclose(
                [item.score for item in found], [0.5 * pictures[item.product_id] for item in found], atol=1e-5
            )

    def test_what_a_part_gives_some_products_is_what_it_gives_them_among_all(
        self, titled_reader: VersionReader, titled: Titled
    ) -> None:
        picture, title = unit_rows(1, seed=35)[0], unit_rows(1, seed=36, dim=TITLE_DIM)[0]
        words = titled.words.query("red boxes")
        assert words is not None
        some = [*titled.things.ids[::3], "not there"]
        for part, expected in (
            (QueryPart(picture, scale=0.5), titled.by_image(picture)),
            (QueryPart(title, "title"), titled.by_title(title)),
            (QueryPart(words, "words"), titled.by_words("red boxes")),
        ):
            found = titled_reader.scores(part, some)
            assert set(found) == set(some) & set(expected)
            assert found == pytest.approx({name: expected[name] for name in found}, rel=1e-4, abs=1e-5)
            assert titled_reader.scores(part, []) == {}

    @pytest.mark.parametrize("text", ["red", "box", "red boxes", "the", "can", "hat 4", "nothing of the kind"])
    def test_by_words(self, titled_reader: VersionReader, titled: Titled, text: str) -> None:
        words = titled.words.query(text)
        assert words is not None
        found = titled_reader.query([QueryPart(words, "words")], [1.0], 200)
        expected = titled.by_words(text)
        assert {item.product_id for item in found} == set(expected)
        assert np.allclose([item.score for item in found], [expected[item.product_id] for item in found], rtol=1e-4)
        assert [item.score for item in found] == sorted((item.score for item in found), reverse=True)

    def test_by_words_that_stand_in_no_title(self, titled_reader: VersionReader, titled: Titled) -> None:
        words = titled.words.query("umbrella")
        assert words is not None
        assert titled_reader.query([QueryPart(words, "words")], [1.0], 10) == []

    @pytest.mark.parametrize("weights", [[1.0, 1.0, 1.0], [0.5, 0.25, 4.0], [1.0, 0.0, 2.0]])
    @pytest.mark.parametrize("where", [None, "price < 50"])
    def test_by_all_of_them_fused_by_their_ranks(
        self, titled_reader: VersionReader, titled: Titled, weights: list[float], where: str | None
    ) -> None:
        condition = None if where is None else parse_filter(where, titled.things.schema)
        permitted = [
            payload["product_id"]
            for payload in titled.things.payloads
            if condition is None or matches(condition, payload)
        ]
        picture, title = unit_rows(1, seed=34)[0], unit_rows(1, seed=35, dim=TITLE_DIM)[0]
        words = titled.words.query("red hat 7")
        assert words is not None
        parts = [QueryPart(picture), QueryPart(title, "title"), QueryPart(words, "words")]
        found = titled_reader.query(parts, weights, 140, condition)
        lists = [titled.by_image(picture), titled.by_title(title), titled.by_words("red hat 7")]
        # Products of one score by words may come in any order there; so only what is told apart is compared.
        fused: dict[str, tuple[float, float]] = {}
        for scores, weight in zip(lists, weights, strict=True):
            if weight:
                order = [name for name in ranked(scores) if name in permitted]
                for name in order:
                    same = [place for place, other in enumerate(order) if abs(scores[other] - scores[name]) < 1e-4]
                    low, high = fused.get(name, (0.0, 0.0))
                    gain = [1 / ((place + 1) / weight + FUSION_K - 1) for place in (max(same), min(same))]
                    fused[name] = (low + gain[0], high + gain[1])
        assert {item.product_id for item in found} == set(fused)
        for before, after in pairwise(found):
            assert fused[before.product_id][1] >= fused[after.product_id][0] - 1e-7
        pictures = titled.by_image(picture)
        assert np.allclose([item.score for item in found], [pictures[item.product_id] for item in found], atol=1e-5)

    def test_pictures_alone_are_ranked_as_ever(self, titled_reader: VersionReader, titled: Titled) -> None:
        for query in unit_rows(3, seed=36):
            found = search(titled_reader, query, 20)
            assert [item.product_id for item in found] == ranked(titled.by_image(query))[:20]

    def test_a_product_is_fetched_with_its_title(self, titled_reader: VersionReader, titled: Titled) -> None:
        assert titled.batch.titles is not None
        for row in (0, 1, 6):
            found = titled_reader.fetch(titled.things.ids[row])
            assert found is not None
            assert np.allclose(found.vectors, titled.batch.vectors[row], atol=1e-5)
            if titled.spoken[row]:
                assert found.title is not None
                assert np.allclose(found.title, titled.batch.titles[row], atol=1e-5)
            else:
                assert found.title is None

    def test_opening_it_again_and_again_finds_it_whole(self, store: Store, titled: Titled) -> None:
        """Edge writes some of its files anew each time, with their keys in another order."""
        store.activate(load(store, titled.things, batches=[titled.batch], texts=titled.texts).version)
        for _ in range(8):
            opened = store.open()
            assert opened.count() == 140
            opened.close()

    def test_a_batch_with_a_title_too_few_cannot_be_made(self, titled: Titled) -> None:
        batch = titled.batch
        assert batch.titles is not None
        assert batch.words is not None
        for titles, words in ((batch.titles[1:], batch.words), (batch.titles, batch.words[1:])):
            with pytest.raises(ValueError, match=r"139 .*for 140 products"):
                Batch(batch.product_ids, batch.vectors, batch.payloads, None, titles, words)


@pytest.fixture(scope="module", params=["edge", "qdrant"])
def marked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, things: Shelf
) -> Iterator[VersionReader]:
    for connect in connecting(request.param, tmp_path_factory.mktemp("marked")):
        store = connect()
        begun = manifest_of(things)
        writer = store.create(begun)
        for batch in things.batches():
            writer.upsert(batch)
        writer.mark(things.ids[:3], "set", ["a", "靴", "a"])
        writer.mark([], "set", [])
        writer.finish(replace(begun, state="ready", products=len(things.ids)))
        store.activate(begun.version)
        opened = store.open()
        yield opened
        opened.close()


class TestMarking:
    """What is known of products only when all have been written, is added to their payload before the version is done."""

    def test_adds_one_value_and_leaves_the_rest(self, marked: VersionReader, things: Shelf) -> None:
        for row, value in enumerate(["a", "靴", "a"]):
            found = marked.fetch(things.ids[row])
            assert found is not None
            assert dict(found.payload) == {**things.payloads[row], "set": value}
            assert np.allclose(found.vectors[0], things.vectors[row], atol=1e-5)

    def test_leaves_other_products_alone(self, marked: VersionReader, things: Shelf) -> None:
        for row in range(3, 200, 29):
            found = marked.fetch(things.ids[row])
            assert found is not None
            assert dict(found.payload) == dict(things.payloads[row])
        assert marked.count() == 200


class TestTheQuery:
    @pytest.mark.parametrize("weights", [[], [1.0, 1.0], [0.0], [-1.0], [float("nan")], [float("inf")]])
    def test_has_a_weight_for_each_part_and_one_above_0(
        self, reader: VersionReader, things: Shelf, weights: list[float]
    ) -> None:
        with pytest.raises(ValueError, match=r"permitted: .*weight"):
            reader.query([QueryPart(things.vectors[0])], weights, 1)

    def test_uses_what_the_version_holds_each_once(self, reader: VersionReader, things: Shelf) -> None:
        part = QueryPart(things.vectors[0])
        for parts in (
            [QueryPart(things.vectors[0], "title")],
            [part, part],
            [part, QueryPart(WordVector((1,), (1.0,)), "words")],
        ):
            with pytest.raises(ValueError, match=r"permitted: .*'image'"):
                reader.query(parts, [1.0] * len(parts), 1)

    def test_a_weight_changes_no_score(self, reader: VersionReader, things: Shelf) -> None:
        found = [reader.query([QueryPart(things.vectors[3])], [weight], 5) for weight in (0.1, 1.0, 10.0)]
        for other in found[1:]:
            assert [item.product_id for item in other] == [item.product_id for item in found[0]]
            assert np.allclose([item.score for item in other], [item.score for item in found[0]], atol=1e-6)

    @pytest.mark.parametrize("scale", [0.25, 2**0.5])
    def test_a_scale_multiplies_every_score_and_changes_no_order(
        self, reader: VersionReader, things: Shelf, scale: float
    ) -> None:
        """As of a picture query, whose score is the weighted mean of two parts' cosines."""
        for query in unit_rows(3, seed=41):
            plain = reader.query([QueryPart(query)], [1.0], 20)
            scaled = reader.query([QueryPart(query, scale=scale)], [1.0], 20)
            assert [item.product_id for item in scaled] == [item.product_id for item in plain]
            expected = np.sort(things.vectors @ query)[::-1][:20] * scale
            assert np.allclose([item.score for item in scaled], expected, atol=1e-5)

    @pytest.mark.parametrize("effort", ["fast", "balanced", "exact"])
    def test_without_a_graph_every_effort_finds_the_same(
        self, reader: VersionReader, things: Shelf, effort: str
    ) -> None:
        query = unit_rows(1, seed=31)[0]
        found = [item.product_id for item in search(reader, query, 10, effort=effort)]  # type: ignore[arg-type]
        assert found == nearest_by_hand(things, query, 10)


class TestFetching:
    @pytest.mark.parametrize("row", range(len(STRANGE_IDS)))
    def test_a_product_of_any_id(self, reader: VersionReader, things: Shelf, row: int) -> None:
        found = reader.fetch(things.ids[row])
        assert found is not None
        assert found.product_id == STRANGE_IDS[row]
        assert dict(found.payload) == dict(things.payloads[row])
        assert np.allclose(found.vectors[0], things.vectors[row], atol=1e-5)
        assert found.vectors.dtype == np.float32

    @pytest.mark.parametrize("name", ["", "no such", "p-0100 ", "P-0100"])
    def test_an_unknown_id_is_none(self, reader: VersionReader, name: str) -> None:
        assert reader.fetch(name) is None


class TestWriting:
    def test_twice_the_same_product_is_one_and_the_later_one(self, store: Store, things: Shelf) -> None:
        first, second = things.batches(100)
        changed = Batch(first.product_ids, second.vectors, [{**payload, "title": "new"} for payload in first.payloads])
        ready = load(store, things, batches=[first, second, changed])
        store.activate(ready.version)
        opened = store.open()
        assert opened.count() == 200
        found = opened.fetch(things.ids[0])
        assert found is not None
        assert found.payload["title"] == "new"
        assert np.allclose(found.vectors[0], things.vectors[100], atol=1e-5)
        opened.close()

    def test_a_manifest_comes_back_as_it_went_in(self, store: Store, things: Shelf) -> None:
        ready = load(store, things)
        assert store.versions() == [ready]
        opened = store.open(ready.version)
        assert opened.manifest == ready
        opened.close()

    def test_an_unfinished_version_is_seen_but_neither_opened_nor_made_live(self, store: Store, things: Shelf) -> None:
        begun = manifest_of(things)
        writer = store.create(begun)
        writer.upsert(things.batches()[0])
        assert [manifest.state for manifest in store.versions()] == ["building"]
        for ask in (store.open, store.activate):
            with pytest.raises(VersionIncomplete, match=r"'building'.*next step"):
                ask(begun.version)
        assert store.live_version() is None
        writer.abort()

    def test_what_is_given_up_is_gone(self, store: Store, things: Shelf) -> None:
        writer = store.create(manifest_of(things))
        writer.upsert(things.batches()[0])
        writer.abort()
        writer.abort()
        assert store.versions() == []

    def test_giving_up_after_the_end_does_nothing(self, store: Store, things: Shelf) -> None:
        ready = load(store, things)
        assert [manifest.version for manifest in store.versions()] == [ready.version]

    def test_fewer_products_than_the_manifest_says_is_an_error(self, store: Store, things: Shelf) -> None:
        begun = manifest_of(things)
        writer = store.create(begun)
        writer.upsert(things.batches()[0])
        with pytest.raises(StoreUnavailable, match=r"50 products of 200.*next step"):
            writer.finish(replace(begun, state="ready", products=200))
        writer.abort()
        assert store.versions() == []

    def test_what_is_indexed_but_not_sealed_is_no_version_yet(self, store: Store, things: Shelf) -> None:
        begun = manifest_of(things)
        writer = store.create(begun)
        for batch in things.batches():
            writer.upsert(batch)
        ready = replace(begun, state="ready", products=len(things.ids))
        # So few have no graph to be tried.
        assert writer.index(ready) is None
        for refused in (store.open, store.activate):
            with pytest.raises(VersionIncomplete, match="'building'"):
                refused(begun.version)
        writer.finish(ready)
        store.activate(begun.version)
        reader = store.open()
        assert reader.count() == len(things.ids)
        assert not reader.has_graph()
        reader.close()

    def test_batches_whose_columns_differ_in_length_cannot_be_made(self, things: Shelf) -> None:
        with pytest.raises(ValueError, match=r"permitted: as many of each"):
            Batch(things.ids[:2], things.vectors[:3], things.payloads[:2])


class TestVersions:
    def test_nothing_is_live_before_it_is_made_so(self, store: Store, things: Shelf) -> None:
        load(store, things)
        assert store.live_version() is None

    def test_the_next_version_takes_over_while_the_last_one_still_answers(
        self, connect: Callable[[], Store], things: Shelf
    ) -> None:
        store, query = connect(), things.vectors[0]
        old = load(store, things)
        store.activate(old.version)
        reading = connect().open()
        others = shelf(20, seed=1)
        new = load(store, others)
        assert store.live_version() == old.version
        store.activate(new.version)
        assert [item.product_id for item in search(reading, query, 5)] == nearest_by_hand(things, query, 5)
        opened = connect().open()
        assert opened.manifest.version == new.version
        assert [item.product_id for item in search(opened, query, 5)] == nearest_by_hand(others, query, 5)
        reading.close()
        opened.close()

    def test_one_may_go_back(self, store: Store, things: Shelf) -> None:
        old, new = load(store, things), load(store, shelf(20, seed=1))
        for version in (old.version, new.version, old.version):
            store.activate(version)
            assert store.live_version() == version

    def test_one_says_since_when_it_is_not_live_any_more(self, connect: Callable[[], Store], things: Shelf) -> None:
        store = connect()
        first, second = (load(store, things).version for _ in range(2))
        store.activate(first)
        assert (store.retired_at(first), store.retired_at(second)) == (None, None)
        before = datetime.now(UTC)
        store.activate(second)
        retired = connect().retired_at(first)
        assert retired is not None
        assert before <= retired <= datetime.now(UTC)
        assert connect().retired_at(second) is None
        store.activate(first)
        assert store.retired_at(first) is None
        assert store.retired_at(second) is not None
        store.activate(first)
        assert store.retired_at(first) is None
        store.open(first).close()
        with pytest.raises(StoreNotFound, match="no version 'v1'"):
            store.retired_at("v1")

    def test_finished_ones_are_not_cleared_as_unfinished(self, store: Store, things: Shelf) -> None:
        ready = load(store, things)
        store.activate(ready.version)
        assert store.drop_unfinished(0.0) == ()
        assert [item.version for item in store.versions()] == [ready.version]

    def test_are_listed_oldest_first(self, store: Store) -> None:
        names = ["v20260101T000000-aaaaaa", "v20260102T000000-000000", "v20250101T000000-ffffff"]
        for name in names:
            load(store, shelf(5), version=name)
        assert [manifest.version for manifest in store.versions()] == sorted(names)

    def test_the_live_one_is_not_dropped(self, store: Store, things: Shelf) -> None:
        ready = load(store, things)
        store.activate(ready.version)
        with pytest.raises(StoreError, match=r"is the live one.*next step"):
            store.drop(ready.version)
        assert store.live_version() == ready.version

    def test_another_one_is(self, store: Store, things: Shelf) -> None:
        old, new = load(store, things), load(store, shelf(20, seed=1))
        store.activate(new.version)
        store.drop(old.version)
        assert [manifest.version for manifest in store.versions()] == [new.version]
        with pytest.raises(StoreNotFound):
            store.open(old.version)

    def test_one_that_is_not_there_is_dropped_already(self, store: Store, things: Shelf) -> None:
        ready = load(store, things)
        store.drop("v1")
        assert [manifest.version for manifest in store.versions()] == [ready.version]

    def test_a_reader_closes_twice(self, store: Store, things: Shelf) -> None:
        store.activate(load(store, things).version)
        opened = store.open()
        opened.close()
        opened.close()
        again = store.open()
        assert again.count() == 200
        again.close()


def test_dimensions_are_the_manifests(store: Store) -> None:
    small = shelf(10)
    assert small.vectors.shape[1] == DIM
    ready = load(store, small)
    assert ready.dim == DIM
