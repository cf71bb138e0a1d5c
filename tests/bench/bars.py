"""How a bench reports: a table, then one line a bar, then an exit status."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass
class Bars:
    """Collects rows and bars of one run; `short` marks the lines of a short one."""

    short: bool
    rows: list[tuple[str, str, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    failed: bool = False

    def row(self, name: str, value: str, baseline: str = "") -> None:
        """A figure with its baseline beside it."""
        self.rows.append((name, value, baseline))

    def at_least(self, name: str, value: float, bar: float) -> None:
        """A bar that is passed from `bar` upwards."""
        self._bar(name, value, bar, value >= bar)

    def at_most(self, name: str, value: float, bar: float) -> None:
        """A bar that is passed up to `bar`."""
        self._bar(name, value, bar, value <= bar)

    def report(self, title: str) -> None:
        """Print everything; exit with status 1 where a bar was missed."""
        table = Table(title=title, title_justify="left")
        for heading in ("figure", "value", "baseline"):
            table.add_column(heading, justify="left" if heading == "figure" else "right")
        for row in self.rows:
            table.add_row(*row)
        Console(width=110).print(table)
        for line in self.lines:
            print(line)
        sys.exit(1 if self.failed else 0)

    def _bar(self, name: str, value: float, bar: float, passed: bool) -> None:
        self.failed |= not passed
        suffix = " short" if self.short else ""
        self.lines.append(f"BAR {name} {value:.4g} {bar:g} {'pass' if passed else 'fail'}{suffix}")


def arguments(description: str | None) -> argparse.Namespace:
    """The flags that every bench takes: --short, --data, --model."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--short", action="store_true", help="a few minutes at most; lines are marked so")
    parser.add_argument("--data", type=Path, default=Path("data"), help="where models and indexes are kept")
    parser.add_argument(
        "--model", type=Path, default=None, help="bundle to use; default: the demo's, trained if missing"
    )
    return parser.parse_args()
