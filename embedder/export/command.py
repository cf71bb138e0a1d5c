"""`python -m embedder export`: writes a bundle, and prints what its precisions are worth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from embedder import bundle
from embedder.errors import SettingsError
from embedder.precision import PRECISIONS, Precision
from embedder.settings import EmbedderSettings


def export_and_print(
    model: str,
    out: Path,
    image_size: int | None,
    catalog: str | None,
    precisions: Sequence[str] | None,
    config: EmbedderSettings,
    *,
    columns: dict[str, str],
    max_products: int | None,
    allow_outside_pictures: bool,
) -> None:
    """Write the bundle.

    Args:
        model: by any name, or a bundle's path.
        out: the bundle's folder.
        image_size: side of the input in pixels; None: the model's own.
        catalog: to measure further precisions on; None: there are none but fp32.
        precisions: which, besides fp32; None: all.
        config: seed, limits, cache.
        columns, max_products, allow_outside_pictures: of the catalog.

    Raises:
        SettingsError: a precision that is not known, or one without a catalog to measure it on.
        EmbedderError: see `embedder.errors`.
    """
    wanted = _wanted(precisions, catalog)
    if catalog is None:
        info = _write(model, image_size, out)
    else:
        from embedder.export.base_bundles import resolve_bundle
        from embedder.export.precisions import add_precisions
        from embedder.training.split_products import TrainRequest

        source = resolve_bundle(model, config.cache_dir, image_size)
        request = TrainRequest(
            catalog, columns, model, out, image_size, None, max_products, allow_outside_pictures=allow_outside_pictures
        )
        info = add_precisions(source, request, config, wanted)
    print(f"bundle {out}: {info.base}, dim {info.dim}, fingerprint {info.fingerprint[:16]}…")
    if info.precisions:
        Console().print(_table(info))
        for tower, item in info.precisions.items():
            print(f"{tower} tower: {item.serve} is served; {item.why}")


def _write(model: str, image_size: int | None, out: Path) -> bundle.BundleInfo:
    from embedder.export.onnx import write_bundle
    from embedder.towers.sources import load_model

    return write_bundle(load_model(model, image_size), out)


def _wanted(precisions: Sequence[str] | None, catalog: str | None) -> list[Precision]:
    further = [name for name in PRECISIONS if name != "fp32"]
    unknown = sorted(set(precisions or ()) - set(further))
    if unknown:
        raise SettingsError(f"--precision {unknown[0]!r}; permitted: {', '.join(further)}; fp32 is always there")
    if precisions and catalog is None:
        raise SettingsError(
            f"--precision {precisions[0]} without --catalog; next step: give the catalog that it is measured on"
        )
    return [name for name in further if not precisions or name in precisions]


def _table(info: bundle.BundleInfo) -> Table:
    table = Table()
    table.add_column("tower")
    for heading in ("precision", "MB", "ms", "least cosine", "median cosine", "recall", "queries"):
        table.add_column(heading, justify="right")
    for tower, item in info.precisions.items():
        for precision, figures in item.measured.items():
            table.add_row(
                tower,
                precision,
                f"{figures.bytes / 1e6:.1f}",
                f"{figures.median_ms:.2f}",
                f"{figures.least_cosine:.4f}",
                f"{figures.median_cosine:.4f}",
                f"{figures.recall:.4f}",
                f"{figures.queries:,}",
            )
        table.add_section()
    return table
