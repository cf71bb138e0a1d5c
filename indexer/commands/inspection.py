"""`python -m indexer status` and `verify`: what there is, and whether it is whole."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from embedder.bundle import load_info
from embedder.export.base_bundles import resolve_bundle
from indexer.commands.shared import EXIT_DAMAGED, Config, Store
from indexer.errors import StoreNotFound
from indexer.settings import IndexerSettings
from indexer.stores.payload_indexes import choose_payload_indexes
from indexer.versions.version_report import verify_version


def status(
    store: Store = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    config: Config = None,
) -> None:
    """Show a store's versions, and which one is live. Exit status 1 where none is live and whole."""
    settings = IndexerSettings.from_flags(config, store=store)
    target = settings.open_store()
    live, versions = target.live_version(), target.versions()
    usable = any(version.version == live and version.state == "ready" for version in versions)
    if as_json:
        print(
            json.dumps(
                {"store": target.url, "live": live, "versions": [json.loads(version.to_json()) for version in versions]}
            )
        )
    else:
        damaged = "" if usable or live is None else " (cannot be opened; next step: run python -m indexer build again)"
        print(f"{target.url}: {len(versions)} versions, live: {live or 'none'}{damaged}")
        for version in versions:
            print(
                f"{'*' if version.version == live else ' '} {version.version}  {version.state}  {version.created_at}\n"
                f"    {version.products:,} products, {version.rejected:,} rejected, {len(version.categories):,} "
                f"categories\n    model {version.model_base} {version.model_fingerprint[:16]}, from {version.source}"
            )
            if left_out := choose_payload_indexes(version.schema).describe():
                print(f"    {left_out}")
    if not usable:
        raise typer.Exit(1)


def verify(
    store: Store = None,
    version: Annotated[str | None, typer.Option(help="its name; default: the live one")] = None,
    deep: Annotated[
        bool,
        typer.Option("--deep", help="also read the large files of an index over 2 GB, and search a copy of one in use"),
    ] = False,
    model: Annotated[str | None, typer.Option(help="that it should be made by; default: the live version's")] = None,
    wanted_recall: Annotated[float | None, typer.Option(min=0, max=1, help="of the graph; less is noted")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    config: Config = None,
) -> None:
    """Verify a version as a build does before it goes live: its files, its model, and what its answers say of it.

    Files are compared with their digests (a Qdrant server checks its own). Then the version is opened: products are
    counted, some ask for themselves, and what its graph finds is compared with exact search. On disk nobody else can
    open it meanwhile; one that a server has open is searched with --deep only, as a copy.

    Exit status: 0 whole, 1 damaged (what failed is named), 2 cannot be verified.
    """
    settings = IndexerSettings.from_flags(config, store=store, wanted_recall=wanted_recall)
    target = settings.open_store()
    name = version or target.live_version()
    if name is None:
        raise StoreNotFound(f"no live version at {target.url}; next step: python -m indexer build, or give --version")
    fingerprint = None if model is None else load_info(resolve_bundle(model, settings.cache_dir)).fingerprint
    found = verify_version(target, name, deep, fingerprint, settings.wanted_recall)
    if as_json:
        print(json.dumps({"store": target.url, **found.to_dict()}))
    else:
        for difference in found.files.differences:
            print(f"damaged: {difference}")
        for finding in found.findings[1:]:
            print(f"{'damaged' if finding.outcome == 'failed' else finding.outcome}: {finding.name}: {finding.said}")
        whole = "whole" if found.whole else "DAMAGED"
        print(f"{target.url}: version {name} is {whole}; checked: {found.files.checked}")
    if not found.whole:
        raise typer.Exit(EXIT_DAMAGED)
