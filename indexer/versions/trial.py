"""A new version is verified before it goes live: opened as a server would, and asked for what went into it."""

from __future__ import annotations

import logging
from contextlib import closing, suppress

from indexer.errors import StoreError, VersionIncomplete
from indexer.stores.protocol import Store
from indexer.versions.examination import Sample, compare_models, examine
from indexer.versions.manifest import Manifest

_log = logging.getLogger(__name__)


def try_version(store: Store, manifest: Manifest, sample: Sample | None) -> None:
    """Open a finished version as a server would, and look at it as `python -m indexer verify` does.

    Args:
        store: where it is.
        manifest: of the version, which is ready and not live.
        sample: ids of products that went into it, and one unit vector of each, float32 (dim,); None: some of its
            own; see `examine`.

    Raises:
        VersionIncomplete: it holds another number of products, products do not find themselves, or its graph finds
            next to nothing; it is deleted.
        StoreError: it cannot be opened or searched; it is deleted.
    """
    try:
        with closing(store.open(manifest.version, "indexer build")) as reader:
            findings = [*compare_models(store, manifest), *examine(reader, manifest, sample)]
        for finding in findings:
            _log.info("version %s: %s: %s", manifest.version, finding.name, finding.said)
            if finding.outcome == "failed":
                raise VersionIncomplete(
                    f"version {manifest.version} at {store.url}: {finding.name}: {finding.said}; the live one stays; "
                    "next step: run the command again"
                )
    except BaseException:
        with suppress(StoreError):
            store.drop(manifest.version)
        raise
