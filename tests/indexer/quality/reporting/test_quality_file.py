"""`quality.json` holds what its documentation says, no more and no less."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from indexer.quality.inspection import Inspection
from indexer.quality.reporting.findings import counts_of, find_findings
from indexer.quality.reporting.quality_file import quality_text
from indexer.quality.reporting.quality_schema import FIELDS, FORMAT_VERSION
from tests.indexer.conftest import manifest_of, shelf
from tests.indexer.quality.inspections import everything, nothing, unlabelled

README = Path(__file__).parents[4] / "README.md"
TYPES: dict[str, Any] = {"text": str, "integer": int, "number": float, "bool": bool}


def written(found: Inspection) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(quality_text(found, find_findings(found), manifest_of(shelf(3))))
    return data


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Path and value of everything that is no object or list; a reason is `*`."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{'*' if path == 'unreadable.reasons' else key}".removeprefix("."))
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, f"{path}[]")
    else:
        yield path, value


@pytest.mark.parametrize("found", [everything(), nothing(), unlabelled()], ids=["everything", "nothing", "unlabelled"])
def test_all_that_is_written_is_documented_and_of_that_kind(found: Inspection) -> None:
    for path, value in leaves(written(found)):
        kind = FIELDS[path].kind
        assert (value is None and kind.endswith("or null")) or type(value) is TYPES[kind.removesuffix(" or null")], path


def test_all_that_is_documented_is_written_where_there_is_everything() -> None:
    assert {path for path, _ in leaves(written(everything()))} == set(FIELDS)


def test_places_and_numbers_became_ids_and_categories() -> None:
    data = written(everything())
    assert data["format_version"] == FORMAT_VERSION
    sets = data["duplicates"]["sets"]
    assert [(item["key"], item["identical"], [p["product_id"] for p in item["products"]]) for item in sets] == [
        ("p-0", True, ["p-0", "p-4"]),
        ("p-1", False, ["p-1", "p-2", "p-3"]),
    ]
    first, second = data["doubtful_categories"]["products"]
    assert (first["product_id"], first["category"], first["suggested"]) == ("p-62", "<b>hats</b>", "boots")
    assert (second["title"], second["by_title"], second["like"]) == ("", None, None)
    assert first["like"] == "p-69"
    assert (data["look_alikes"][0]["first"], data["look_alikes"][0]["second"]) == ("bags", "<b>hats</b>")
    assert data["counts"] == counts_of(everything())
    assert sum(data["counts"].values()) == 1 + 1 + 1 + 2 + 2 + 1 + 2 + 1


def test_the_readme_names_where_the_fields_are_documented() -> None:
    assert "indexer/quality/reporting/quality_schema.py" in README.read_text(encoding="utf-8")
