"""`python -m embedder datasets`: list the known sets of pictures, and prepare one."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from embedder.catalogs.registry import open_catalog
from embedder.datasets.csv_folder import write_csv_folder
from embedder.datasets.listing import KNOWN_SETS, known_set
from embedder.progress import ProgressReport

_log = logging.getLogger(__name__)

app = typer.Typer(
    add_completion=False,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    help="List the known sets of pictures, or prepare one.",
)


@app.callback()
def show(context: typer.Context) -> None:
    """List the known sets of pictures: what they are, where they are, and how to name them as --catalog."""
    if context.invoked_subcommand is not None:
        return
    table = Table("name", "what it is", "products", "where", "--catalog")
    for found in KNOWN_SETS:
        table.add_row(found.name, found.description, found.products, found.where(), found.usage)
    Console().print(table)


@app.command()
def prepare(
    name: Annotated[
        str, typer.Argument(help="a set's name; for studio with options, as in studio:products=200,seed=1")
    ],
    out: Annotated[
        Path | None, typer.Option(help="write its products there too, as a CSV with the pictures beside it")
    ] = None,
) -> None:
    """Fetch a set where it is not here yet, and say where it is."""
    found = known_set(name)
    # Its options are wrong before anything is fetched or written.
    if found.files is None:
        open_catalog(name)
    print(f"{found.name}: {found.prepare()}; use it with --catalog {name}")
    if out is not None:
        reader = open_catalog(name)
        with ProgressReport(_log) as progress:
            step = progress.step("products written", reader.count())
            written = write_csv_folder(reader, out, on_progress=step.advance)
        left_out = f", {written.left_out:,} left out" if written.left_out else ""
        print(f"{written.products:,} products written{left_out}; use them with --catalog {written.csv}")
