"""`quality.json`: everything that was found, for programs; `quality_schema.FIELDS` documents it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from embedder.report.page import Finding
from indexer.quality.inspection import Inspection
from indexer.quality.reporting.findings import counts_of
from indexer.quality.reporting.quality_schema import FORMAT, FORMAT_VERSION
from indexer.quality.small_pictures import LEAST_SIDE
from indexer.versions.manifest import Manifest


def quality_text(found: Inspection, findings: Sequence[Finding], manifest: Manifest) -> str:
    """The file's text: JSON with one field a line, ASCII, without NaN."""
    return json.dumps(to_quality(found, findings, manifest), indent=1, allow_nan=False) + "\n"


def to_quality(found: Inspection, findings: Sequence[Finding], manifest: Manifest) -> dict[str, Any]:
    """What the file holds."""

    def product(place: int) -> dict[str, Any]:
        words = found.words[place]
        return {"product_id": words.id, "title": words.title, "category": words.category}

    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "catalog": manifest.catalog,
        "source": manifest.source,
        "version": manifest.version,
        "fingerprint": manifest.model_fingerprint,
        "products": found.products,
        "pictures": found.pictures,
        "counts": counts_of(found),
        "duplicates": {
            "compared": found.duplicates.compared,
            "sets": [
                {
                    "key": found.words[item.members[0]].id,
                    "identical": item.identical,
                    "products": [product(place) for place in item.members],
                }
                for item in found.duplicates.sets
            ],
            "placeholders": [
                {"products": len(shared), "examples": [found.words[place].id for place in shared[:10]]}
                for shared in found.duplicates.placeholders
            ],
        },
        "doubtful_categories": {
            "judged": found.judged,
            "products": [
                {
                    **product(item.place),
                    "suggested": found.categories[item.suggested],
                    "by_picture": item.by_picture,
                    "own_by_picture": item.own_by_picture,
                    "by_title": item.by_title,
                    "like": None if item.like is None else found.words[item.like].id,
                }
                for item in found.suspects
            ],
        },
        "unreadable": {
            "reasons": dict(found.rejected_pictures),
            "pictures": [asdict(item) for item in found.rejections],
        },
        "tiny": {
            "least_side": LEAST_SIDE,
            "pictures": [
                {**product(item.place), "picture": item.picture, "width": item.width, "height": item.height}
                for item in found.tiny.named
            ],
        },
        "unfound": {
            "asked": found.search.asked,
            "among": found.search.among,
            "products": [
                {
                    **product(item.place),
                    "before_by_view": item.before_by_view,
                    "before_by_title": item.before_by_title,
                }
                for item in found.search.unfound
            ],
        },
        "look_alikes": [
            {
                **asdict(item),
                "first": found.categories[item.first],
                "second": found.categories[item.second],
                "examples": [found.words[place].id for place in item.examples],
            }
            for item in found.look_alikes
        ],
        "findings": [asdict(finding) for finding in findings],
    }
