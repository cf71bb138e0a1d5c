"""What a search found: a settings file to train with, and a table for people."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from embedder.errors import SettingsError
from embedder.settings import EmbedderSettings
from embedder.training.search.space import Value
from embedder.training.search.trials import Trial, ranking
from embedder.training.split_products import TrainRequest

_SHOWN = 3
"""Trials in the table, besides the one with the settings as given: as many as 80 columns hold."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a search found.

    Attributes:
        request: what to train; with all products.
        config: what the trials shared.
        given: those of the config's settings that lie within the searched ranges.
        trials: all of them, in order.
        importances: see `Study.importances`.
    """

    request: TrainRequest
    config: EmbedderSettings
    given: Mapping[str, Value]
    trials: tuple[Trial, ...]
    importances: Mapping[str, float]

    @property
    def best(self) -> Trial | None:
        """The one with the highest score; None where none has any."""
        return next(iter(ranking(self.trials)), None)

    @property
    def as_given(self) -> Trial | None:
        """The one whose settings are those that the search was started with, if they all lie in the searched ranges."""
        for trial in self.trials:
            if trial.values == self.given:
                return trial
        return None


def write_settings(found: Found, path: Path) -> None:
    """Write the best trial's settings as a settings file.

    Table `[embedder.tune]` holds what was searched and what is tuned. Other settings that the trials had from a file,
    the environment or flags are in it too, where they are not the defaults: a training reads one file only.

    Raises:
        SettingsError: it cannot be written.
    """
    best = found.best
    assert best is not None
    tune = {**_changed(found.config.tune), "what": found.config.tune.what, **best.values}
    tables: dict[str, Mapping[str, Any]] = {
        "tune": tune,
        "train": _changed(found.config.train),
        "instance": _changed(found.config.instance),
    }
    lines = [
        f"# Of trial {best.number}, the best of {len(found.trials)} by python -m embedder train --search: score "
        f"{best.score:.4f} on held-out products of {json.dumps(found.request.catalog)}."
    ]
    for name, table in tables.items():
        if table:
            lines += ["", f"[embedder.{name}]"]
            # JSON's strings, numbers and truth values are TOML's.
            lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"settings file {path} cannot be written ({error.strerror or error}); next step: the same command with "
            "another --search-out writes it at once, for the trials are kept"
        ) from error


def print_found(found: Found, path: Path) -> None:
    """Print the best trials, how much each setting counts, and how to train with the best ones."""
    console = Console()
    console.print(_table(found))
    failed = [trial for trial in found.trials if trial.score is None]
    if failed:
        print(f"{len(failed)} of {len(found.trials)} trials failed, the last one by: {failed[-1].reason}")
    if found.importances:
        print("counts: how much a setting's value tells the best quarter of the trials from the others; adds up to 1")
    print(
        "scores: the mean of recall@1 of photo-like views, recall@10 of titles and category accuracy, on held-out "
        "products; what is forgotten of the base is measured by the training"
    )
    print(f"settings {path}; next step, with the other flags that this search had:")
    print(_command(found.request, path, found.config.picture_hosts))


def _changed(settings: Any) -> dict[str, Any]:
    """Values that are not the defaults."""
    standard = type(settings)()
    return {
        field.name: value
        for field in fields(settings)
        if (value := getattr(settings, field.name)) != getattr(standard, field.name)
    }


def _table(found: Found) -> Table:
    ranked = ranking(found.trials)
    columns = {f"trial {trial.number}": trial for trial in ranked[:_SHOWN]}
    as_given = found.as_given
    if as_given is not None and as_given not in columns.values():
        columns["as given"] = as_given
    table = Table()
    table.add_column("")
    if found.importances:
        table.add_column("counts", justify="right")
    for heading, trial in columns.items():
        table.add_column(
            f"{heading}{' = as given' if trial is as_given and heading != 'as given' else ''}", justify="right"
        )
    blank = [""] if found.importances else []
    for name in ("score", *sorted({name for trial in ranked for name in trial.figures} - {"score"})):
        cells = [trial.score if name == "score" else trial.figures.get(name) for trial in columns.values()]
        table.add_row(name.replace("_", " "), *blank, *["" if cell is None else f"{cell:.4f}" for cell in cells])
    table.add_section()
    names = sorted(ranked[0].values, key=lambda name: -found.importances.get(name, 0.0))
    for name in names:
        counted = [f"{found.importances.get(name, 0.0):.2f}"] if found.importances else []
        table.add_row(name, *counted, *[_shown(trial.values[name]) for trial in columns.values()])
    return table


def _shown(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _command(request: TrainRequest, path: Path, hosts: Sequence[str]) -> str:
    """The training that follows, as it is typed."""
    words = ["python", "-m", "embedder", "train", "--catalog", request.catalog, "--model", request.model]
    words += ["--config", str(path), "--out", str(request.out)]
    if request.budget_s is not None:
        words += ["--budget", f"{request.budget_s:g}s"]
    if request.image_size is not None:
        words += ["--image-size", str(request.image_size)]
    if request.max_products is not None:
        words += ["--max-products", str(request.max_products)]
    for field, column in request.columns.items():
        words += ["--map", f"{field}={column}"]
    if request.allow_outside_pictures:
        words.append("--allow-outside-pictures")
    for host in hosts:
        words += ["--picture-host", host]
    return shlex.join(words)
