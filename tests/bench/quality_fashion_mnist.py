"""How good short fine-tuning is on the official test pictures, with the starter as it is for a baseline.

Bars, those of the release before the instance part on all 54,030 training products: category accuracy on the 10,000
test pictures >= 0.889; share of the 10 nearest of 10,000 indexed products with the query's category, on 2,000 test
pictures, >= 0.8495. Short: 12,000 training products and lower bars.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.bench.bars import Bars, arguments
from tests.bench.prepared import CATALOG, command


def main() -> None:
    """Train, measure, report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    cache = str(flags.data / "cache")
    with tempfile.TemporaryDirectory() as temporary:
        bundle = flags.model or Path(temporary) / "bundle"
        if flags.model is None:
            # The demo's training without its two minutes: how many products fit into them is the machine's figure.
            size = ["--max-products", "12000"] if flags.short else []
            command("embedder", "train", "--catalog", CATALOG, "--out", str(bundle), "--cache-dir", cache, *size)
        sample = ["--max-products", "2000"] if flags.short else []
        gallery = "4000" if flags.short else "10000"
        tuned = measure(bundle, cache, Path(temporary) / "tuned.json", gallery, sample)
        starter = measure(Path("starter"), cache, Path(temporary) / "starter.json", gallery, sample)
    for name, value in tuned.items():
        bars.row(name.replace("_", " "), f"{value:.4f}", f"{starter[name]:.4f}" if name in starter else "")
    bars.at_least("quality_category_accuracy", tuned["accuracy"], 0.87 if flags.short else 0.889)
    bars.at_least("quality_category_share_at_10", tuned["category_share_at_10"], 0.80 if flags.short else 0.8495)
    bars.report("Fashion-MNIST test pictures: fine-tuned, and the starter as baseline")


def measure(model: Path, cache: str, out: Path, gallery: str, sample: list[str]) -> dict[str, float]:
    """Figures of `python -m embedder eval`."""
    command(
        "embedder", "eval", "--catalog", CATALOG, "--model", str(model), "--cache-dir", cache, "--gallery", gallery,
        "--json", str(out), *sample,
    )  # fmt: skip
    figures: dict[str, float] = json.loads(out.read_text())
    return figures


if __name__ == "__main__":
    main()
