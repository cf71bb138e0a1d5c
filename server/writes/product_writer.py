"""Products to write and to take away, from the caller's stream into the index."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import TypeVar

from indexer.changes.change import Change, Noted
from indexer.stores.protocol import OnlineChanges
from server.errors import InvalidRequest, WritesRefused, WritesUnsupported
from server.hosting.address import is_local
from server.search.attempt import attempt
from server.search.checks import RequestChecks
from server.search.indexed_product import check_product_id
from server.settings import ServerSettings
from server.writes.asked import AskedProduct, Written
from server.writes.checks import CheckedProduct, ProductChecks
from server.writes.embedding import ProductEmbedder

Item = TypeVar("Item")

CheckAlive = Callable[[], None]

_TOGETHER = 32
_BYTES_TOGETHER = 16 << 20
_PERMITTED_ID = re.compile(r"[\x21-\x7e]{1,128}")


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """What names a call: the catalog, and under which id the same call may come again."""

    catalog: str
    request_id: str


class ProductWriter:
    """Writes into one catalog. Calls from several threads are allowed."""

    def __init__(
        self,
        online: OnlineChanges | None,
        checks: RequestChecks,
        products: ProductChecks,
        embedder: ProductEmbedder,
        settings: ServerSettings,
    ) -> None:
        """Take what writes.

        Args:
            online: the version; None where its engine takes no changes while it is served.
            checks: of requests.
            products: of products.
            embedder: of products.
            settings: whether writing is permitted, and how much at once.
        """
        self._online = online
        self._checks = checks
        self._products = products
        self._embedder = embedder
        self._is_permitted = settings.allow_unauthenticated_writes or is_local(settings.host)
        self._host = settings.host
        self._most = settings.max_write_products

    def upsert(
        self, request: WriteRequest, asked: Iterable[AskedProduct], check_alive: CheckAlive = lambda: None
    ) -> Iterator[list[Written]]:
        """Write products, some at a time, in order.

        Args:
            request: the call.
            asked: read as it comes; a product that cannot be written keeps no other from being.
            check_alive: raises `DeadlineExpired` where the caller no longer waits.

        Yields:
            What became of the next ones; they are durable and searched.

        Raises:
            WritesRefused, WritesUnsupported: nothing is written here.
            InvalidRequest: REQUEST_ID_INVALID, or WRITE_SIZE.
            ResourceMissing: no such catalog.
            DeadlineExpired, StoreError: the rest is not written.
        """
        online, request_id = self._begin(request)
        place = 0
        for group in _groups(self._counted(asked)):
            check_alive()
            yield self._upsert(online, request_id, place, group, check_alive)
            place += len(group)
        self._check_any(place)

    def delete(
        self, request: WriteRequest, product_ids: Iterable[str], check_alive: CheckAlive = lambda: None
    ) -> Iterator[list[Written]]:
        """Take products away; see `upsert`."""
        online, request_id = self._begin(request)
        place = 0
        group: list[str] = []
        for product_id in self._counted(product_ids):
            group.append(product_id)
            if len(group) == self._most or len(group) >= 10 * _TOGETHER:
                check_alive()
                yield self._delete(online, request_id, place, group)
                place, group = place + len(group), []
        if group:
            check_alive()
            yield self._delete(online, request_id, place, group)
        self._check_any(place + len(group))

    def _begin(self, request: WriteRequest) -> tuple[OnlineChanges, str]:
        if not self._is_permitted:
            raise WritesRefused(
                f"host {self._host!r} can be reached by others, and nobody is asked who they are; permitted: writes on "
                "127.0.0.1, ::1, localhost; next step: --allow-unauthenticated-writes, where only those reach it "
                "who may write"
            )
        self._checks.catalog(request.catalog)
        if self._online is None:
            raise WritesUnsupported(
                "the index is in a Qdrant server, and is not changed through this one; next step: python -m indexer "
                "update, which changes it while it is served"
            )
        if not request.request_id:
            return self._online, str(uuid.uuid4())
        if not _PERMITTED_ID.fullmatch(request.request_id):
            raise InvalidRequest(
                "REQUEST_ID_INVALID",
                "request_id",
                f"request_id {request.request_id[:80]!r}; permitted: 1 to 128 printable ASCII characters without white "
                "space, or empty",
            )
        return self._online, request.request_id

    def _counted(self, items: Iterable[Item]) -> Iterator[Item]:
        for count, item in enumerate(items, start=1):
            if count > self._most:
                raise InvalidRequest(
                    "WRITE_SIZE",
                    "product",
                    f"more than {self._most:,} products in one call; permitted: 1 to {self._most:,}; next step: send "
                    "the others in another call, under another request_id",
                )
            yield item

    def _check_any(self, count: int) -> None:
        if not count:
            raise InvalidRequest("WRITE_SIZE", "product", f"no product; permitted: 1 to {self._most:,}")

    def _upsert(
        self,
        online: OnlineChanges,
        request_id: str,
        start: int,
        group: Sequence[AskedProduct],
        check_alive: CheckAlive,
    ) -> list[Written]:
        checked = [attempt(partial(self._products.check, item)) for item in group]
        good = [item for item in checked if isinstance(item, CheckedProduct)]
        ready = iter(self._embedder.embed(good, check_alive))
        results: list[Written] = []
        changes: dict[int, Change] = {}
        for place, (asked, item) in enumerate(zip(group, checked, strict=True)):
            found = item if isinstance(item, Exception) else next(ready)
            if isinstance(found, Exception):
                results.append(Written(asked.product_id, found))
                continue
            changes[place] = Change(asked.product_id, request_id, start + place, asked.digest, found.becomes)
            results.append(Written(asked.product_id, warnings=found.warnings))
        _write(online, changes, results)
        return results

    def _delete(self, online: OnlineChanges, request_id: str, start: int, group: Sequence[str]) -> list[Written]:
        results: list[Written] = []
        changes: dict[int, Change] = {}
        for place, product_id in enumerate(group):
            error = attempt(partial(check_product_id, product_id, "product_ids"))
            results.append(Written(product_id, error))
            if error is None:
                asked = sha256(b"delete\0" + product_id.encode()).digest()
                changes[place] = Change(product_id, request_id, start + place, asked)
        _write(online, changes, results)
        return results


def _write(online: OnlineChanges, changes: dict[int, Change], results: list[Written]) -> None:
    """Make changes, and note what became of each at its place among the results."""
    if not changes:
        return
    for place, outcome in zip(changes, online.write(list(changes.values())), strict=True):
        before = results[place]
        if isinstance(outcome, Noted):
            results[place] = Written(
                before.product_id,
                time=outcome.time,
                already=not outcome.is_new,
                was_there=outcome.was_there,
                warnings=before.warnings,
            )
        else:
            results[place] = Written(before.product_id, outcome)


def _groups(asked: Iterable[AskedProduct]) -> Iterator[list[AskedProduct]]:
    """Products that go through the model together: not too many, and none twice.

    A product may say that its pictures stay: those that were sent before it in the same call.
    """
    group: list[AskedProduct] = []
    ids: set[str] = set()
    size = 0
    for item in asked:
        if group and (len(group) == _TOGETHER or size + item.picture_bytes > _BYTES_TOGETHER or item.product_id in ids):
            yield group
            group, ids, size = [], set(), 0
        group.append(item)
        ids.add(item.product_id)
        size += item.picture_bytes
    if group:
        yield group
