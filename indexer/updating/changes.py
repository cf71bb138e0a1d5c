"""What an update does to a version, product by product."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from indexer.stores.points import UNCOMPARED_KEYS, with_derived
from indexer.stores.protocol import Batch, VersionReader
from indexer.versions.examination import ASKED
from indexer.versions.holdings import Holdings

DELETED_AT_ONCE = 1_000


class Changes:
    """Compares products with what a version holds, and keeps count of what it then holds.

    Attributes:
        holdings: of the changed version.
        written: products that are new or different.
        unchanged: products that are as they were, and are not written.
        deleted: products taken away.
        absent: products that were to be taken away, and were not there.
        seen: ids of all products that came.
        sample: of the products to write, ids with the vector of the main picture.
    """

    def __init__(self, before: VersionReader) -> None:
        self._before = before
        self.holdings = Holdings.of(before.manifest)
        self.written = 0
        self.unchanged = 0
        self.deleted = 0
        self.absent = 0
        self.seen: set[str] = set()
        self.sample: list[tuple[str, npt.NDArray[np.float32]]] = []

    @property
    def are_none(self) -> bool:
        """Whether the version stays as it was."""
        return not (self.written or self.deleted)

    def to_write(self, batch: Batch) -> Batch | None:
        """The products of a batch that are new or different; None where there are none."""
        held = self._held(batch.product_ids)
        rows = []
        payloads = list(batch.payloads)
        for row, (product_id, payload) in enumerate(zip(batch.product_ids, batch.payloads, strict=True)):
            self.seen.add(product_id)
            old = held.get(product_id)
            if old is not None and _said(old) == dict(payload):
                continue
            rows.append(row)
            payloads[row] = with_derived(payload, old)
            if old is not None:
                self.holdings.remove(old)
            self.holdings.add(payload)
        self.written += len(rows)
        self.unchanged += len(batch.product_ids) - len(rows)
        if not rows:
            return None
        chosen = replace(batch, payloads=payloads).take(rows)
        wanted = max(0, ASKED - len(self.sample))
        self.sample += [(row.product_id, row.vectors[0].copy()) for row in islice(chosen.rows(), wanted)]
        return chosen

    def to_delete(self, product_ids: Iterable[str]) -> Iterator[list[str]]:
        """Of the products that are to go, those that are there, some at a time."""
        remaining = iter(dict.fromkeys(product_ids))
        while asked := list(islice(remaining, DELETED_AT_ONCE)):
            held = self._held(asked)
            for payload in held.values():
                self.holdings.remove(payload)
            self.deleted += len(held)
            self.absent += len(asked) - len(held)
            if held:
                yield list(held)

    def left_behind(self, kept: set[str]) -> Iterator[str]:
        """Ids that the version holds and that did not come, but for `kept`."""
        for page in self._before.scan(["product_id"]):
            for payload in page:
                product_id = str(payload["product_id"])
                if product_id not in self.seen and product_id not in kept:
                    yield product_id

    def _held(self, product_ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        return {item.product_id: item.payload for item in self._before.fetch_many(product_ids)}


def _said(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Of a payload what the catalog says."""
    return {key: value for key, value in payload.items() if key not in UNCOMPARED_KEYS}
