"""The report that a build leaves: one page, and JSON beside it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from embedder.catalogs.outline import read_rows
from embedder.catalogs.product import Product
from embedder.catalogs.registry import CatalogReader
from embedder.evaluation.reporting.product_pictures import ProductPictures
from embedder.inputs.picture import PictureLimits
from embedder.report.folder import ReportFolder
from embedder.report.rendering import render
from indexer.caches.thumbnails import ThumbnailCache
from indexer.quality.inspection import Inspection
from indexer.quality.reporting.findings import counts_of, find_findings
from indexer.quality.reporting.page import quality_page, shown_places
from indexer.quality.reporting.quality_file import quality_text
from indexer.versions.manifest import Manifest

PAGE, DATA = "index.html", "quality.json"


@dataclass(frozen=True, slots=True)
class QualityReport:
    """What was written.

    Attributes:
        page: the file for people; `DATA` lies beside it.
        counts: what was found, by kind.
        elapsed_s: for looking and writing.
    """

    page: Path
    counts: Mapping[str, int]
    elapsed_s: float

    @property
    def findings(self) -> int:
        """How many things were found, of all kinds."""
        return sum(self.counts.values())


def write_report(
    folder: Path,
    found: Inspection,
    manifest: Manifest,
    reader: CatalogReader,
    limit: int | None,
    limits: PictureLimits,
    thumbnails: ThumbnailCache,
    started: float,
) -> QualityReport:
    """Write both files; an earlier report's are replaced, others' are not.

    Args:
        folder: where they go.
        found: in the catalog.
        manifest: of the version that was built from it.
        reader: the catalog, whose rows are read once more for the pictures that the page shows.
        limit: of its products.
        limits: what a picture that is shown may weigh.
        thumbnails: of these pictures, where there are some.
        started: when looking began, in `time.monotonic`'s seconds.

    Raises:
        SettingsError: the folder cannot be written, or holds another's file of that name.
        CatalogError: the catalog cannot be read any more.
    """
    target = ReportFolder(folder)
    target.check((PAGE, DATA))
    findings = find_findings(found)
    shown = {found.words[place].id for place in shown_places(found)}
    with thumbnails:
        pictures = ProductPictures(_products(reader, limit, shown), limits, thumbnails.image_of)
        page = quality_page(found, findings, manifest, pictures)
    target.write({PAGE: render(page), DATA: quality_text(found, findings, manifest)})
    return QualityReport(folder / PAGE, counts_of(found), time.monotonic() - started)


def _products(reader: CatalogReader, limit: int | None, wanted: set[str]) -> dict[str, Product]:
    """The products with these ids; pictures in memory are held for no others."""
    found: dict[str, Product] = {}
    for row in read_rows(reader, limit) if wanted else ():
        if isinstance(row, Product) and row.id in wanted:
            found.setdefault(row.id, row)
            if len(found) == len(wanted):
                break
    return found
