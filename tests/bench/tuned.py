"""What the benches of tuned towers have in common: the training itself, and the guard's figures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from embedder import bundle
from tests.bench.bars import Bars

_KEPT_BASE = 3
"""Exit status of a training that kept the base's towers; its bundle is there, and is measured like any other."""


def train(*flags: str) -> None:
    """`python -m embedder train`."""
    done = subprocess.run([sys.executable, "-m", "embedder", "train", *flags], check=False)
    if done.returncode not in (0, _KEPT_BASE):
        raise subprocess.CalledProcessError(done.returncode, done.args)


def extent(short: bool, budget: str, folder: Path) -> list[str]:
    """Flags of how long a training tunes: a budget, or in a bench's short form one pass, however slow the machine is."""
    if not short:
        return ["--budget", budget]
    config = folder / "one_pass.toml"
    short = {"tune": "passes = 1", "instance": "views = 1000", "train": "rehearsal = 200"}
    config.write_text("".join(f"[embedder.{name}]\n{line}\n" for name, line in short.items()), encoding="utf-8")
    return ["--config", str(config)]


def kept_mixture(tuning: dict[str, Any]) -> dict[str, Any]:
    """The one that a tuned bundle was made of; the base's, which comes first, where none may be kept."""
    found: dict[str, Any] = next((item for item in tuning["sweep"] if item["kept"]), tuning["sweep"][0])
    return found


def report_guard(bars: Bars, folder: Path, name: str) -> None:
    """Rows and bars of what was kept: what it lost of what the base knew, and how much of the gain it kept."""
    tuning = bundle.load_info(folder).training["tuning"]
    mixtures = tuning["sweep"]
    kept = kept_mixture(tuning)
    best = max(mixtures[1:], key=lambda item: item["in_domain"].get("score", 0.0))
    start = tuning["frozen_score"]
    gain = (kept["in_domain"].get("score", 0.0) - start) / max(1e-9, best["in_domain"].get("score", 0.0) - start)
    bars.row("share of the tuned weights kept", kept["label"], f"guard off: {best['label']}")
    bars.row("retention lost", f"{kept['lost']:.4f}", f"guard off: {best['lost']:.4f}")
    bars.row("score on validation products", f"{kept['in_domain'].get('score', 0.0):.4f}", f"frozen: {start:.4f}")
    bars.row("seconds in steps", f"{tuning['spent_s']:,.0f}")
    bars.at_most(f"{name}_retention_lost", kept["lost"], 0.02)
    bars.at_least(f"{name}_gain_kept", gain if kept["kept"] else 0.0, 0.9)
