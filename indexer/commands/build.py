"""`python -m indexer build`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from embedder.catalogs.guessed_columns import log_columns
from embedder.catalogs.registry import CATALOG_HELP, open_catalog, parse_columns
from embedder.export.base_bundles import resolve_bundle
from embedder.progress import ProgressReport
from indexer.building.run import build as run_build
from indexer.building.summary import to_note, to_text
from indexer.commands.output import default_quality, default_rejects, default_shadow
from indexer.commands.shared import (
    EXIT_SOME_REJECTED,
    CacheDir,
    CatalogName,
    Columns,
    Config,
    Device,
    MaxRejectShare,
    OutsidePictures,
    PictureHosts,
    Rejects,
    Store,
    open_model,
)
from indexer.settings import IndexerSettings
from indexer.shadow.query_file import read_queries
from indexer.shadow.run import ShadowRules


def build(
    catalog: Annotated[str, typer.Option(help=CATALOG_HELP)],
    model: Annotated[str, typer.Option(help="a bundle's path, or a model's name")] = "starter",
    store: Store = None,
    split: Annotated[str | None, typer.Option(help="only this split of a benchmark: train, validation, test")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="index at most this many products")] = None,
    column: Columns = None,
    rejects: Rejects = None,
    name: CatalogName = "default",
    max_reject_share: MaxRejectShare = None,
    batch_size: Annotated[int | None, typer.Option(min=1)] = None,
    threads: Annotated[int | None, typer.Option(min=0)] = None,
    decode_threads: Annotated[int | None, typer.Option(min=1, help="pictures decoded at once")] = None,
    max_image_pixels: Annotated[
        int | None, typer.Option(min=1, help="of one picture; larger ones are rejected")
    ] = None,
    allow_outside_pictures: OutsidePictures = False,
    picture_host: PictureHosts = None,
    device: Device = None,
    cache_dir: CacheDir = None,
    quality_report: Annotated[
        bool | None, typer.Option(help="write a page about the catalog: quality/ in the edge store, else in cache_dir")
    ] = None,
    queries: Annotated[
        Path | None,
        typer.Option(help="JSON lines of text or image, and expected: asked of the new version and the live one"),
    ] = None,
    live_model: Annotated[
        Path | None, typer.Option(help="folder of the bundle that made the live version; default: beside the new one")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="go live also where the live version answers better")] = False,
    config: Config = None,
) -> None:
    """Embed a catalog, load it as a new version, make that the live one unless it answers worse.

    Exit status: 0 all rows indexed, 3 indexed but some rows rejected (see the rejects file), 4 indexed but worse than
    the live version, which stays, 2 failed.
    """
    settings = IndexerSettings.from_flags(
        config,
        store=store,
        batch_size=batch_size,
        threads=threads,
        decode_threads=decode_threads,
        max_image_pixels=max_image_pixels,
        picture_hosts=picture_host,
        device=device,
        cache_dir=cache_dir,
        max_reject_share=max_reject_share,
        quality_report=quality_report,
    )
    logging.getLogger("indexer").info("settings %s", settings.model_dump(mode="json"))
    if split not in (None, "train", "validation", "test"):
        raise typer.BadParameter(f"{split!r}; permitted: train, validation, test", param_hint="--split")
    reader = open_catalog(
        catalog,
        split=split,  # type: ignore[arg-type]
        columns=parse_columns(column),
        allow_outside_pictures=allow_outside_pictures,
        web=settings.web_pictures(),
    )
    log_columns(reader, logging.getLogger("indexer"))
    bundle = resolve_bundle(model, settings.cache_dir)
    encoder = open_model(bundle, settings)
    target = settings.open_store()
    shadow = ShadowRules(
        None if queries is None else tuple(read_queries(queries)),
        tuple(folder for folder in (live_model, bundle.resolve().parent) if folder is not None),
        default_shadow(settings, target.url),
        force,
    )
    with ProgressReport(logging.getLogger("indexer")) as progress:
        step = progress.step("indexing", None)
        result = run_build(
            reader,
            encoder,
            target,
            settings,
            rejects or default_rejects(settings, target.url),
            catalog=name,
            limit=limit,
            quality_folder=default_quality(settings, target.url) if settings.quality_report else None,
            shadow=shadow,
            on_rows=lambda total: step.update(total=total),
            on_progress=step.advance,
            on_busiest=lambda busiest: step.update(note=to_note(busiest)),
        )
    print(to_text(result, target.url))
    if result.reasons:
        raise typer.Exit(EXIT_SOME_REJECTED)
