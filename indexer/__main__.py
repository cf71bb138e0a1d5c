"""`python -m indexer`: build and inspect index versions."""

from __future__ import annotations

import json
import logging
import re
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from embedder.catalogs.guessed_columns import log_columns
from embedder.catalogs.registry import CATALOG_HELP, open_catalog, parse_columns
from embedder.encoder import Encoder, open_encoder
from embedder.errors import EmbedderError
from embedder.export.base_bundles import resolve_bundle
from embedder.progress import ProgressReport
from embedder.settings import describe_invalid
from indexer.building.retention import clear_versions
from indexer.building.run import build as run_build
from indexer.building.summary import to_text
from indexer.errors import IndexerError, StoreNotFound, VersionIncomplete
from indexer.settings import IndexerSettings
from indexer.stores.payload_indexes import choose_payload_indexes
from indexer.updating.deletions import read_ids
from indexer.updating.run import update as run_update
from indexer.updating.summary import describe
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
    column: Annotated[
        list[str] | None,
        typer.Option("--map", "--column", help="FIELD=COLUMN, as in id=sku or image=img_path; repeatable"),
    ] = None,
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
    picture_host: Annotated[
        list[str] | None, typer.Option("--picture-host", help="pictures may be fetched from there by https; repeatable")
    ] = None,
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
    encoder = _encoder(model, settings)
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
def update(
    changes: Annotated[
        str | None, typer.Option(help="products to add or replace: a catalog of these alone, as for build")
    ] = None,
    delete: Annotated[Path | None, typer.Option(help="file with ids of products to take away, one a line")] = None,
    catalog: Annotated[
        str | None, typer.Option(help="the whole catalog, instead: what differs is changed, what is missing goes")
    ] = None,
    model: Annotated[str, typer.Option(help="the one that the index was built with")] = "starter",
    store: Store = None,
    column: Annotated[
        list[str] | None,
        typer.Option("--map", "--column", help="FIELD=COLUMN, as in id=sku or image=img_path; repeatable"),
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="default: rejects.jsonl in the edge store, else cache_dir/rejects")
    ] = None,
    max_reject_share: Annotated[float | None, typer.Option(min=0, max=1, help="with more, nothing changes")] = None,
    max_delete_share: Annotated[
        float | None, typer.Option(min=0, max=1, help="of --catalog: if more are missing, nothing changes")
    ] = None,
    allow_outside_pictures: Annotated[
        bool, typer.Option("--allow-outside-pictures", help="pictures may lie outside the catalog's folder")
    ] = False,
    picture_host: Annotated[
        list[str] | None, typer.Option("--picture-host", help="pictures may be fetched from there by https; repeatable")
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:1")] = None,
    cache_dir: Annotated[Path | None, typer.Option(help="exported models, and vectors of earlier builds")] = None,
    config: Config = None,
) -> None:
    """Change the live version: add, replace and take away products, and embed nothing else.

    A product is left alone where neither its row nor its pictures changed. On disk a copy of the live version is
    changed, and becomes the live one; a version that a server has open is refused. In a Qdrant server the live version
    itself is changed. What was calibrated when the index was built stays: build anew from time to time.

    Exit status: 0 done, 3 done but some rows rejected (these products stay as they were), 2 failed.
    """
    settings = IndexerSettings.from_flags(
        config,
        store=store,
        picture_hosts=picture_host,
        device=device,
        cache_dir=cache_dir,
        max_reject_share=max_reject_share,
        max_delete_share=max_delete_share,
    )
    if (catalog is None) == (changes is None and delete is None):
        raise typer.BadParameter(
            "permitted: --catalog alone, or --changes, --delete or both", param_hint="--catalog, --changes, --delete"
        )
    spec = catalog or changes
    reader = None
    if spec is not None:
        reader = open_catalog(
            spec,
            columns=parse_columns(column),
            allow_outside_pictures=allow_outside_pictures,
            web=settings.web_pictures(),
        )
        log_columns(reader, logging.getLogger("indexer"))
    encoder = _encoder(model, settings)
    target = settings.open_store()
    with ProgressReport(logging.getLogger("indexer")) as progress:
        step = progress.step("comparing", None)
        result = run_update(
            reader,
            read_ids(delete) if delete else (),
            encoder,
            target,
            settings,
            rejects or default_rejects(settings, target.url),
            is_whole=catalog is not None,
            on_rows=lambda total: step.update(total=total),
            on_progress=step.advance,
        )
    print(describe(result, target.url))
    if result.reasons:
        raise typer.Exit(EXIT_SOME_REJECTED)


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="folder for products.parquet and manifest.json")],
    store: Store = None,
    version: Annotated[str | None, typer.Option(help="its name; default: the live one")] = None,
    config: Config = None,
) -> None:
    """Write what a version holds into a folder: ids, vectors and payloads as Parquet, in the order of the ids.

    Two versions that hold the same give the same products.parquet, byte by byte.
    """
    # pyarrow comes with an extra.
    from indexer.transfer.export import export as run_export

    target = IndexerSettings.from_flags(config, store=store).open_store()
    with (
        closing(target.open(version, "indexer export")) as reader,
        ProgressReport(logging.getLogger("indexer")) as progress,
    ):
        step = progress.step("exporting", reader.manifest.products)
        products = run_export(reader, out, step.advance)
        print(f"{out}: {products:,} products of version {reader.manifest.version} at {target.url}")


@app.command()
def load(
    folder: Annotated[Path, typer.Argument(help="as export wrote it")],
    store: Store = None,
    config: Config = None,
) -> None:
    """Load an export as a new version and make it the live one: no picture is read, no model is needed."""
    from indexer.transfer.load import load as run_load

    settings = IndexerSettings.from_flags(config, store=store)
    target = settings.open_store()
    with ProgressReport(logging.getLogger("indexer")) as progress:
        result = run_load(folder, target, settings, progress.step("loading", None).advance)
    print(
        f"{result.manifest.products:,} products loaded, {result.elapsed_s:.1f} s; live version "
        f"{result.manifest.version} at {target.url}"
    )


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
    dropped, unfinished = clear_versions(target, settings)
    left = len(target.versions())
    print(f"{target.url}: {len(dropped)} old and {len(unfinished)} unfinished versions deleted, {left} left")


def _encoder(model: str, settings: IndexerSettings) -> Encoder:
    return open_encoder(
        resolve_bundle(model, settings.cache_dir),
        threads=settings.threads,
        device=settings.device,
        precision=settings.precision,
    )


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
