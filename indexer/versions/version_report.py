"""Verifying a version: its files, its model, and what its answers say of it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any

from indexer.errors import StoreLocked, StoreUnavailable, VersionIncomplete
from indexer.stores.protocol import Store
from indexer.versions.examination import Finding, compare_models, examine
from indexer.versions.manifest import Manifest
from indexer.versions.verify import Verification


@dataclass(frozen=True, slots=True)
class VersionReport:
    """What was found of one version.

    Attributes:
        files: compared with what was sealed.
        findings: everything that was looked at, the files first.
    """

    files: Verification
    findings: tuple[Finding, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing failed."""
        return all(finding.outcome != "failed" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "version": self.files.version,
            "whole": self.whole,
            "findings": [finding.to_dict() for finding in self.findings],
        }


def verify_version(
    store: Store, version: str, deep: bool = False, fingerprint: str | None = None, wanted_recall: float = 0.0
) -> VersionReport:
    """Look at everything that can be looked at; a version whose files differ is not opened.

    Args:
        store: where it is.
        version: its name.
        deep: see `Store.verify`; also search a copy of a version on disk that a server has open.
        fingerprint: of the model that it should be made by; None: the live version's.
        wanted_recall: see `examine`.

    Raises:
        StoreNotFound, StoreUnavailable: it is not there, or cannot be reached.
    """
    try:
        files = store.verify(version, deep)
    except VersionIncomplete as error:
        files = Verification(version, "its manifest", (str(error),))
    found = [
        Finding(
            "files",
            "passed" if files.whole else "failed",
            files.checked if files.whole else "; ".join(files.differences),
            {"checked": files.checked, "differences": list(files.differences)},
        )
    ]
    if files.whole:
        manifest = next(item for item in store.versions() if item.version == version)
        found += compare_models(store, manifest, fingerprint)
        found += _searches(store, manifest, deep, wanted_recall)
    return VersionReport(files, tuple(found))


def _searches(store: Store, manifest: Manifest, beside: bool, wanted_recall: float) -> list[Finding]:
    try:
        with closing(store.open(manifest.version, "indexer verify", beside)) as reader:
            return examine(reader, manifest, wanted_recall=wanted_recall)
    except VersionIncomplete as error:
        return [Finding("searches", "failed", str(error))]
    # A server that has it open is no fault of the version's, and its own searches show whether it answers.
    except StoreLocked as error:
        return [Finding("searches", "left out", f"{error}; or --deep, which searches a copy")]
    except StoreUnavailable as error:
        return [Finding("searches", "left out", str(error))]
