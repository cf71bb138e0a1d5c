"""`python -m indexer`: build and inspect index versions."""

from __future__ import annotations

import json
import logging
import re
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from embedder.catalogs.registry import CATALOG_HELP, open_catalog, parse_columns
from embedder.encoder import open_encoder
from embedder.errors import EmbedderError
from embedder.export.base_bundles import resolve_bundle
from embedder.progress import ProgressReport
from embedder.settings import describe_invalid
from indexer.building.retention import drop_abandoned, drop_old
from indexer.building.run import build as run_build
from indexer.building.summary import to_text
from indexer.errors import IndexerError, StoreNotFound, VersionIncomplete
from indexer.settings import IndexerSettings
from indexer.stores.payload_indexes import choose_payload_indexes
from indexer.versions.rollback import roll_back, version_before
from indexer.versions.verify import Verification

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help="Build and inspect indexes."
)

EXIT_DAMAGED = 1
EXIT_FAILED = 2
EXIT_SOME_REJECTED = 3

Store = Annotated[str | None, typer.Option(help="edge:PATH or qdrant://HOST:6334/CATALOG")]
Config = Annotated[Path | None, typer.Option("--config", help="TOML file of settings")]


@app.command()
def build(
    catalog: Annotated[str, typer.Option(help=CATALOG_HELP)],
    model: Annotated[str, typer.Option(help="a bundle's path, or a model's name")] = "starter",
    store: Store = None,
    split: Annotated[str | None, typer.Option(help="only this split of a benchmark: train, validation, test")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="index at most this many products")] = None,
    column: Annotated[list[str] | None, typer.Option("--column", help="FIELD=COLUMN, as in id=sku")] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="default: rejects.jsonl in the edge store, else cache_dir/rejects")
    ] = None,
    name: Annotated[str, typer.Option(help="the catalog's name for callers")] = "default",
    max_reject_share: Annotated[float | None, typer.Option(min=0, max=1, help="with more, nothing goes live")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1)] = None,
    threads: Annotated[int | None, typer.Option(min=0)] = None,
    decode_threads: Annotated[int | None, typer.Option(min=1, help="pictures decoded at once")] = None,
    max_image_pixels: Annotated[
        int | None, typer.Option(min=1, help="of one picture; larger ones are rejected")
    ] = None,
    allow_outside_pictures: Annotated[
        bool, typer.Option("--allow-outside-pictures", help="pictures may lie outside the catalog's folder")
    ] = False,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:1")] = None,
    cache_dir: Annotated[Path | None, typer.Option(help="exported models, and vectors of earlier builds")] = None,
    quality_report: Annotated[
        bool | None, typer.Option(help="write a page about the catalog: quality/ in the edge store, else in cache_dir")
    ] = None,
    config: Config = None,
) -> None:
    """Embed a catalog, load it as a new version, make that the live one.

    Exit status: 0 all rows indexed, 3 indexed but some rows rejected (see the rejects file), 2 failed.
    """
    settings = IndexerSettings.from_flags(
        config,
        store=store,
        batch_size=batch_size,
        threads=threads,
        decode_threads=decode_threads,
        max_image_pixels=max_image_pixels,
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
    )
    folder = resolve_bundle(model, settings.cache_dir)
    encoder = open_encoder(folder, threads=settings.threads, device=settings.device, precision=settings.precision)
    target = settings.open_store()
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
            on_rows=lambda total: step.update(total=total),
            on_progress=step.advance,
        )
    print(to_text(result, target.url))
    if result.reasons:
        raise typer.Exit(EXIT_SOME_REJECTED)


@app.command()
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


@app.command()
def verify(
    store: Store = None,
    version: Annotated[str | None, typer.Option(help="its name; default: the live one")] = None,
    deep: Annotated[bool, typer.Option("--deep", help="also read the large files of an index over 2 GB")] = False,
    config: Config = None,
) -> None:
    """Compare a version's files with their digests. It may be open in a server.

    Of a Qdrant server's version the manifest and the number of products are checked.

    Exit status: 0 whole, 1 damaged (each damaged file is named), 2 cannot be checked.
    """
    settings = IndexerSettings.from_flags(config, store=store)
    target = settings.open_store()
    name = version or target.live_version()
    if name is None:
        raise StoreNotFound(f"no live version at {target.url}; next step: python -m indexer build, or give --version")
    try:
        found = target.verify(name, deep)
    except VersionIncomplete as error:
        found = Verification(name, "its manifest", (str(error),))
    for difference in found.differences:
        print(f"damaged: {difference}")
    print(f"{target.url}: version {name} is {'whole' if found.whole else 'DAMAGED'}; checked: {found.checked}")
    if not found.whole:
        raise typer.Exit(EXIT_DAMAGED)


@app.command()
def rollback(
    store: Store = None,
    version: Annotated[str | None, typer.Option(help="its name; default: the one that was live before")] = None,
    config: Config = None,
) -> None:
    """Make an earlier version the live one again, once its files are known to be whole.

    Exit status: 0 it is live, 2 there is none, or it is damaged; then the live one stays.
    """
    target = IndexerSettings.from_flags(config, store=store).open_store()
    before = target.live_version()
    name = version or version_before(target)
    if name == before:
        print(f"{target.url}: version {name} is the live one already")
        return
    manifest = roll_back(target, name)
    print(f"{target.url}: version {name} is live ({manifest.products:,} products), {before or 'none'} was")
    models = {item.version: item.model_fingerprint for item in target.versions()}
    if before in models and models[before] != manifest.model_fingerprint:
        print(
            f"it was made by another model, {manifest.model_base} {manifest.model_fingerprint[:16]}; next step: "
            "restart servers with that one"
        )


@app.command()
def gc(
    store: Store = None,
    keep: Annotated[int | None, typer.Option(min=0, help="finished versions kept besides the live one")] = None,
    drop_after_s: Annotated[
        float | None, typer.Option(min=0, help="those that stopped being live less than so many seconds ago stay too")
    ] = None,
    config: Config = None,
) -> None:
    """Delete old versions that nobody uses, and what killed builds left. Every build does that at its end, too."""
    settings = IndexerSettings.from_flags(config, store=store, keep_versions=keep, drop_after_s=drop_after_s)
    target = settings.open_store()
    dropped = drop_old(target, settings.keep_versions, settings.drop_after_s)
    unfinished = drop_abandoned(target, settings.abandoned_after_s)
    left = len(target.versions())
    print(f"{target.url}: {len(dropped)} old and {len(unfinished)} unfinished versions deleted, {left} left")


def default_rejects(settings: IndexerSettings, url: str) -> Path:
    """In the store's folder; of a server's, one file a catalog in the cache, not wherever the command was run."""
    kind, _, path = settings.store.partition(":")
    if kind == "edge":
        return Path(path).expanduser() / "rejects.jsonl"
    return settings.cache_dir / "rejects" / f"{_file_name(url)}.jsonl"


def default_quality(settings: IndexerSettings, url: str) -> Path:
    """The folder of the report on the catalog, beside the rejects."""
    kind, _, path = settings.store.partition(":")
    if kind == "edge":
        return Path(path).expanduser() / "quality"
    return settings.cache_dir / "quality" / _file_name(url)


def _file_name(url: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "_", url.partition("://")[2])


def main() -> None:
    """Run the command line; our own errors are one line and exit status 2."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("indexer").setLevel(logging.INFO)
    try:
        app()
    except ValidationError as error:
        print(f"error: {describe_invalid(error)}", file=sys.stderr)
        sys.exit(EXIT_FAILED)
    except (EmbedderError, IndexerError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(EXIT_FAILED)


if __name__ == "__main__":
    main()
