"""A new version is asked for products that went into it before it goes live."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, suppress

import numpy as np
import numpy.typing as npt

from indexer.errors import StoreError, VersionIncomplete
from indexer.stores.protocol import QueryPart, Store, VersionReader
from indexer.versions.manifest import Manifest

ASKED = 20
"""Products, at most."""

LEAST_FOUND = 0.9
"""Of them that must find themselves: a graph may miss one."""

_SAME = 1e-3
"""How far apart the scores of the same picture may be, by rounding and by what the engine keeps of a vector."""


def try_version(store: Store, manifest: Manifest, sample: Sequence[tuple[str, npt.NDArray[np.float32]]]) -> None:
    """Open a finished version as a server would, and let products search for themselves.

    Args:
        store: where it is.
        manifest: of the version, which is ready and not live.
        sample: ids of products that went into it, and one unit vector of each, float32 (dim,); the first `ASKED` ask.

    Raises:
        VersionIncomplete: it holds another number of products, or products do not find themselves; it is deleted.
        StoreError: it cannot be opened or searched; it is deleted.
    """
    try:
        with closing(store.open(manifest.version, "indexer build")) as reader:
            held = reader.count()
            if held != manifest.products:
                raise VersionIncomplete(
                    f"version {manifest.version} at {store.url} holds {held:,} products of {manifest.products:,}; the "
                    "live one stays; next step: run the command again"
                )
            asking = list(sample)[:ASKED]
            lost = [product_id for product_id, vector in asking if not _finds_itself(reader, product_id, vector)]
            if len(lost) > (1 - LEAST_FOUND) * len(asking):
                raise VersionIncomplete(
                    f"{len(lost)} of {len(asking)} products asked for in version {manifest.version} at {store.url} "
                    f"were not found, {lost[0]!r} among them; the live one stays; next step: run the command again"
                )
    except BaseException:
        with suppress(StoreError):
            store.drop(manifest.version)
        raise


def _finds_itself(reader: VersionReader, product_id: str, vector: npt.NDArray[np.float32]) -> bool:
    """Whether a product's own vector finds it, or one whose picture is as near."""
    found = reader.query([QueryPart(vector)], [1.0], 1)
    if not found or reader.fetch(product_id) is None:
        return False
    return found[0].product_id == product_id or abs(found[0].score - 1.0) < _SAME
