"""`python -m embedder`: export, train, compare and evaluate models; list and prepare known sets of pictures."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from embedder.catalogs.registry import CATALOG_HELP, open_catalog, parse_columns
from embedder.catalogs.split_report import SplitReport
from embedder.datasets.command import app as datasets_app
from embedder.duration import parse_duration
from embedder.errors import EmbedderError, SettingsError, TrainingLost, TrainingStopped
from embedder.flags import flag
from embedder.inputs.street_views import KINDS
from embedder.settings import EmbedderSettings, describe_invalid
from embedder.training.proposal import AUTO
from embedder.training.settings import FineTuneSettings, TuneSettings
from embedder.training.split_products import TrainRequest

_STATUS: Mapping[type[Exception], int] = {TrainingLost: 3, TrainingStopped: 130}
"""Exit statuses of errors; all others give 2."""

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help="Fine-tune and evaluate encoders."
)
app.add_typer(datasets_app, name="datasets")

Model = Annotated[str, typer.Option(help="starter, timm:TOWER, ARCHITECTURE/TAG, hf-hub:ORG/NAME, or a bundle's path")]
Catalog = Annotated[str, typer.Option(help=CATALOG_HELP)]
Columns = Annotated[
    list[str] | None,
    typer.Option("--map", "--column", help="FIELD=COLUMN, as in id=sku or image=img_path; repeatable"),
]
OutsidePictures = Annotated[
    bool, typer.Option("--allow-outside-pictures", help="pictures may lie outside the catalog's folder")
]
PictureHosts = Annotated[
    list[str] | None, typer.Option("--picture-host", help="pictures may be fetched from there by https; repeatable")
]
Config = Annotated[Path | None, typer.Option("--config", help="TOML file of settings")]
ImageSize = Annotated[
    int | None, typer.Option(min=32, max=1024, help="input side in pixels; default: fits the catalog")
]
Seed = Annotated[int | None, flag(EmbedderSettings, "seed", "of everything random")]
Threads = Annotated[int | None, flag(EmbedderSettings, "threads", "of ONNX Runtime; 0: one for each core")]
DecodeThreads = Annotated[int | None, flag(EmbedderSettings, "decode_threads", "pictures decoded at once")]
MaxImagePixels = Annotated[
    int | None, flag(EmbedderSettings, "max_image_pixels", "of one picture; larger ones are left out")
]
Device = Annotated[str | None, flag(EmbedderSettings, "device", "auto, cpu, cuda, cuda:1")]
CacheDir = Annotated[Path | None, flag(EmbedderSettings, "cache_dir", "exported models and features")]


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="the bundle's folder")],
    model: Model = "starter",
    image_size: ImageSize = None,
    catalog: Annotated[
        str | None,
        typer.Option(help="measure further precisions on it, and decide for each tower whether int8 is served"),
    ] = None,
    precision: Annotated[
        list[str] | None, typer.Option(help="besides fp32, with --catalog; repeatable; default: fp16 and int8")
    ] = None,
    max_products: Annotated[int | None, typer.Option(min=2, help="of the catalog's training products")] = None,
    column: Columns = None,
    allow_outside_pictures: OutsidePictures = False,
    picture_host: PictureHosts = None,
    seed: Seed = None,
    decode_threads: DecodeThreads = None,
    max_image_pixels: MaxImagePixels = None,
    cache_dir: CacheDir = None,
    config: Config = None,
) -> None:
    """Write any model as a bundle, without training; with --catalog its towers in fp16 and int8 too.

    A bundle may be given for both --model and --out: it is replaced when the new one is whole. Its fingerprint stays,
    and so does every index that was made with it.
    """
    from embedder.export.command import export_and_print

    settings = _settings(
        config,
        seed=seed,
        decode_threads=decode_threads,
        max_image_pixels=max_image_pixels,
        picture_hosts=picture_host,
        cache_dir=cache_dir,
    )
    export_and_print(
        model,
        out,
        image_size,
        catalog,
        precision,
        settings,
        columns=parse_columns(column),
        max_products=max_products,
        allow_outside_pictures=allow_outside_pictures,
    )


@app.command()
def train(
    catalog: Catalog,
    out: Annotated[Path, typer.Option(help="the bundle's folder")],
    model: Annotated[
        str, typer.Option(help="auto: a starter that suits catalog and budget; else any of the other commands' names")
    ] = AUTO,
    image_size: ImageSize = None,
    tune: Annotated[
        str | None,
        flag(
            TuneSettings,
            "what",
            "auto, heads, projection, lora or full; auto: full with a budget of 5m or more, else projection",
            "tune",
        ),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(help="about how long, as in 90s, 20m, 1h; 0: closed form only; default: no limit"),
    ] = None,
    minutes: Annotated[float | None, typer.Option(min=0.05, help="the same as --budget, in minutes")] = None,
    max_products: Annotated[int | None, typer.Option(min=2, help="at most this many; default: all")] = None,
    epochs: Annotated[int | None, flag(FineTuneSettings, "epochs", "passes over the training products")] = None,
    batch_size: Annotated[int | None, flag(FineTuneSettings, "batch_size", "products a step")] = None,
    learning_rate: Annotated[float | None, flag(FineTuneSettings, "learning_rate", "peak; above 0")] = None,
    search: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="no bundle: N short trainings of the towers find settings to train with; --budget is for all of them",
        ),
    ] = None,
    search_out: Annotated[
        Path | None, typer.Option(help="the settings file that --search writes; default: OUT.search.toml")
    ] = None,
    column: Columns = None,
    allow_outside_pictures: OutsidePictures = False,
    picture_host: PictureHosts = None,
    seed: Seed = None,
    threads: Threads = None,
    decode_threads: DecodeThreads = None,
    max_image_pixels: MaxImagePixels = None,
    device: Device = None,
    cache_dir: CacheDir = None,
    config: Config = None,
) -> None:
    """Fine-tune: projections, category head and instance part; with --tune full or lora the image tower itself.

    A training of the towers that was stopped, or killed, goes on with the same command. It keeps the weights that gain
    most on the catalog and lose little of what the base knew; where there are none, the base's towers are kept, and the
    exit status is 3. All other settings are in the settings file's tables embedder.train, embedder.tune and
    embedder.instance.

    --search N trains no bundle. It tries N settings of the towers' tuning, each on at most 2,000 training products, in
    an equal share of the budget (without one: 4 passes), and scores them on held-out products; the retention suite is
    for the training that follows. The best ones are written as a settings file, and the command to train with it is
    printed. The same command goes on with a search that was stopped.
    """
    settings = _settings(
        config,
        seed=seed,
        threads=threads,
        decode_threads=decode_threads,
        max_image_pixels=max_image_pixels,
        picture_hosts=picture_host,
        device=device,
        cache_dir=cache_dir,
        train={"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate},
        tune={"what": tune},
    )
    if budget is not None and minutes is not None:
        raise SettingsError(f"--budget {budget} and --minutes {minutes:g}; permitted: one of them")
    budget_s = minutes * 60 if minutes is not None else None if budget is None else parse_duration(budget)
    if search_out is not None and search is None:
        raise SettingsError(f"--search-out {search_out} without --search; permitted: both, or neither")
    columns = _checked_columns(catalog, column, allow_outside_pictures)
    from embedder.training.outcome import print_outcome
    from embedder.training.run import train as run

    request = TrainRequest(
        catalog=catalog,
        columns=columns,
        model=model,
        out=out,
        image_size=image_size,
        budget_s=budget_s,
        max_products=max_products,
        allow_outside_pictures=allow_outside_pictures,
    )
    if search is not None:
        _search(request, settings, search, search_out or out.with_name(f"{out.name}.search.toml"))
        return
    info = run(request, settings)
    used = info.training["training_products"]
    print(f"bundle {out}: {used:,} training products, dim {info.dim}, fingerprint {info.fingerprint[:16]}…")
    print(SplitReport.from_dict(info.training["splits"]))
    print_outcome(info)


@app.command()
def towers(
    catalog: Catalog,
    out: Annotated[Path, typer.Option(help="the folder of all bundles, one for each tower")],
    tower: Annotated[
        list[str] | None,
        typer.Option(
            help="a name of timm's, starter, starter-lite1 or starter-lite2; repeatable; default: a small CNN, a "
            "ResNet, the starter, a MobileNet and a small ViT"
        ),
    ] = None,
    pretrained: Annotated[
        bool, typer.Option("--pretrained", help="timm's towers begin with its weights, from its hub; else from scratch")
    ] = False,
    budget: Annotated[str, typer.Option(help="about how long for each tower, as in 5m, 1h")] = "5m",
    image_size: ImageSize = None,
    max_products: Annotated[int | None, typer.Option(min=2, help="at most this many; default: all")] = None,
    column: Columns = None,
    allow_outside_pictures: OutsidePictures = False,
    picture_host: PictureHosts = None,
    seed: Seed = None,
    threads: Threads = None,
    decode_threads: DecodeThreads = None,
    max_image_pixels: MaxImagePixels = None,
    device: Device = None,
    cache_dir: CacheDir = None,
    config: Config = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="write the figures there too")] = None,
) -> None:
    """Train several image towers alike on a catalog, and show their accuracy, speed, size and training time.

    Each stands beside the starter's text tower and is tuned in full, with the same products, seed and budget; towers
    that take any picture size have the same. Those that begin from scratch are not held to what they knew before. One
    that fails is shown with its error. What is finished is shown also where the command is stopped.
    """
    settings = _settings(
        config,
        seed=seed,
        threads=threads,
        decode_threads=decode_threads,
        max_image_pixels=max_image_pixels,
        picture_hosts=picture_host,
        device=device,
        cache_dir=cache_dir,
    )
    budget_s = parse_duration(budget)
    columns = _checked_columns(catalog, column, allow_outside_pictures)
    from embedder.training.towers_compared import DEFAULT_TOWERS, TowerRow, TowersRequest, compare_towers
    from embedder.training.towers_table import print_rows, row_line, write_rows

    request = TowersRequest(
        catalog=catalog,
        columns=columns,
        out=out,
        towers=tuple(tower or DEFAULT_TOWERS),
        budget_s=budget_s,
        image_size=image_size,
        max_products=max_products,
        allow_outside_pictures=allow_outside_pictures,
        pretrained=pretrained,
    )
    rows: list[TowerRow] = []
    try:
        for row in compare_towers(request, settings):
            rows.append(row)
            print(row_line(row), flush=True)
    finally:
        # Also where the rest was stopped.
        if rows:
            print_rows(rows)
            if json_out is not None:
                write_rows(json_out, request, settings.seed, rows)


@app.command("eval")
def evaluate(
    catalog: Catalog,
    model: Annotated[
        str | None,
        typer.Option(help="starter (the default), timm:TOWER, ARCHITECTURE/TAG, hf-hub:ORG/NAME, or a bundle's path"),
    ] = None,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="A B", help="two models side by side, in place of --model: bundles' paths or names"),
    ] = None,
    image_size: ImageSize = None,
    max_products: Annotated[int | None, typer.Option(min=2, help="at most this many test products")] = None,
    gallery: Annotated[int, typer.Option(min=2, help="at most this many other products are searched")] = 10_000,
    views: Annotated[
        bool, typer.Option("--views", help="also search with the test pictures as photos would show them")
    ] = False,
    view_kind: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND", help=f"only this kind of view; repeatable; implies --views: {', '.join(KINDS)}"),
    ] = None,
    column: Columns = None,
    allow_outside_pictures: OutsidePictures = False,
    picture_host: PictureHosts = None,
    seed: Seed = None,
    threads: Threads = None,
    decode_threads: DecodeThreads = None,
    max_image_pixels: MaxImagePixels = None,
    device: Device = None,
    cache_dir: CacheDir = None,
    config: Config = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="write DIR/index.html, to read, and DIR/metrics.json; other files in it stay"),
    ] = None,
    json_out: Annotated[
        Path | None, typer.Option("--json", help="write the figures, or the comparison, there too")
    ] = None,
) -> None:
    """Evaluate a model on a catalog's test products.

    --views perturbs their pictures (background, scale, rotation, light, crop, occlusion, JPEG and more) and reports,
    for each kind, how often the very product is found among all products. Kinds that training uses and kinds that it
    never uses are reported apart.

    --report writes a page that says what is good, what is bad and what to do, with plots and the worst queries. It
    replaces an earlier report, and no other file.

    --compare A B measures two models on the same products, those that both trainings held out, and says for each figure
    whether B is better: by intervals of a paired bootstrap over queries. Few queries give no verdict.
    """
    settings = _settings(
        config,
        seed=seed,
        threads=threads,
        decode_threads=decode_threads,
        max_image_pixels=max_image_pixels,
        picture_hosts=picture_host,
        device=device,
        cache_dir=cache_dir,
    )
    if model is not None and compare is not None:
        raise SettingsError(f"--model {model} and --compare {' '.join(compare)}; permitted: one of them")
    kinds: tuple[str, ...] = ()
    if views or view_kind:
        from embedder.evaluation.views import checked_kinds

        kinds = checked_kinds(view_kind or ())
    columns = _checked_columns(catalog, column, allow_outside_pictures)
    from embedder.evaluation.command import evaluate_and_print
    from embedder.evaluation.run import EvalRequest

    request = EvalRequest(
        catalog,
        columns,
        model or "starter",
        image_size,
        max_products,
        gallery,
        allow_outside_pictures,
        kinds,
    )
    evaluate_and_print(request, settings, compare, report, json_out)


def _search(request: TrainRequest, settings: EmbedderSettings, trials: int, settings_file: Path) -> None:
    from embedder.training.search.report import print_found
    from embedder.training.search.run import search

    print_found(search(request, settings, trials, settings_file), settings_file)


def _checked_columns(catalog: str, column: list[str] | None, allow_outside_pictures: bool) -> dict[str, str]:
    """The columns as a mapping, once the catalog is there: a wrong path shows before torch is loaded."""
    columns = parse_columns(column)
    open_catalog(catalog, columns=columns, allow_outside_pictures=allow_outside_pictures)
    return columns


def _settings(config: Path | None, **flags: object) -> EmbedderSettings:
    settings = EmbedderSettings.from_flags(config, **flags)
    logging.getLogger("embedder").info("settings %s", settings.model_dump(mode="json"))
    return settings


def main() -> None:
    """Run the command line; our own errors are one line and exit status 2."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("embedder").setLevel(logging.INFO)
    try:
        app()
    except ValidationError as error:
        print(f"error: {describe_invalid(error)}", file=sys.stderr)
        sys.exit(2)
    except (EmbedderError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(_STATUS.get(type(error), 2))


if __name__ == "__main__":
    main()
