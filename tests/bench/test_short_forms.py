"""Each bench runs to its end and prints its bars; those that no machine's speed decides must pass."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from embedder.datasets import tuxpaint_files
from embedder.datasets.fashion_mnist_files import INSTALLED_FOLDER, LOCAL_FOLDER, PACKAGE, lacks
from tests.conftest import run_module
from tests.made_once import made_once

needs_fashion_mnist = pytest.mark.skipif(
    bool(lacks(INSTALLED_FOLDER) and lacks(LOCAL_FOLDER)), reason=f"needs the Debian package {PACKAGE}"
)
needs_stamps = pytest.mark.skipif(
    tuxpaint_files.find() is None, reason="needs the Debian package tuxpaint-stamps-default"
)
BENCHES = {path.stem for kind in ("quality", "index", "serve") for path in Path(__file__).parent.glob(f"{kind}_*.py")}
TIMED = {
    "quality_training_step": {"training_step_ratio"},
    "index_beside_server": {"index_beside_server_failed", "index_beside_server_other_versions"},
    "index_bulk_load": {"index_bulk_load_ratio"},
    "index_decoding": {"index_decoding_ratio"},
    "index_effort": {
        f"index_effort_{kind}_{name}" for kind in ("plain", "filtered") for name in ("recall", "latency_ratio")
    },
    "index_incremental": {
        *(f"index_second_build_{name}" for name in ("encoded", "ratio")),
        *(f"index_update_{name}" for name in ("speedup", "exports_that_differ")),
    },
    "index_instance_cost": {"instance_closed_form_s", "instance_encoding_ratio", "instance_search_ratio"},
    "index_memory": {"index_memory_ratio"},
    "index_text_cost": {"index_text_cost_ratio"},
    "serve_batch_search": {"serve_batch_search_speedup"},
    "serve_pages": {f"serve_pages_{name}" for name in ("counts_that_differ", "repeats", "gaps")},
    "serve_rankings": {
        "serve_rankings_hybrid_ratio",
        *(f"serve_rankings_recall_{share}_percent" for share in (1, 10, 50)),
    },
    "serve_start_up": {"serve_start_up_s", "serve_heavy_imports"},
    "serve_stream": {"serve_stream_cpu_ratio"},
    "serve_text_query": {"serve_text_query_ratio"},
    "serve_writes": {"serve_writes_speedup"},
}
SURE = {
    "index_beside_server_failed",
    "index_beside_server_other_versions",
    "index_second_build_encoded",
    "index_update_exports_that_differ",
    "serve_pages_counts_that_differ",
    "serve_pages_gaps",
    "serve_pages_repeats",
    *(f"serve_rankings_recall_{share}_percent" for share in (1, 10, 50)),
    "serve_heavy_imports",
}
"""Bars of benches of speed that no machine's speed decides."""

LONG = {"index_memory", "index_text_cost", "serve_batch_search", "serve_rankings", "serve_stream", "serve_writes"}
"""Of the benches of speed, those that take longest and have no sure bar that says something of so few products."""

QUALITY = {
    "quality_fashion_mnist": {"quality_category_accuracy", "quality_category_share_at_10"},
    "quality_studio": {
        "studio_other_hand_recall_at_1",
        "studio_other_hand_recall_at_10",
    },
    "quality_tuxpaint": {
        "tuxpaint_street_misses_ratio",
        *(f"tuxpaint_{kind}" for kind in ("busy_background", "small_on_grey", "rotated", "darkened", "cropped")),
    },
}

RECOGNITION = {
    "quality_attributes": {f"attributes_{name}_macro_f1" for name in ("color", "pattern", "material")},
    "quality_category": {
        *(f"category_{name}" for name in ("stamps_accuracy", "stamps_calibration_error", "not_in_catalog_auroc")),
        *(f"category_{name}_gain_over_best_witness" for name in ("stamps", "fashion_mnist")),
        "category_fashion_mnist_calibration_error",
    },
    "quality_catalog_report": {
        f"catalog_report_{kind}_{figure}"
        for kind in ("wrong_categories", "copies", "encoded_again")
        for figure in ("precision", "recall")
    },
    "quality_export": {
        *(f"export_text_int8_{name}" for name in ("time_ratio", "size_ratio", "recall_loss")),
        "export_image_served_recall_loss",
    },
    "quality_text_search": {
        *(
            f"text_{name}_{kind}_recall_at_10"
            for name in ("stamps", "studio")
            for kind in ("a_word_left_out", "other_number")
        ),
        "text_stamps_unspoken_gain_over_pictures",
    },
    "quality_match": {
        *(f"match_{kind}_calibration_error" for kind in ("pictures", "titles", "same_product")),
        *(f"match_{kind}_brier_ratio" for kind in ("pictures", "titles", "same_product")),
        "match_nonsense_auroc",
    },
}
"""Figures on a few hundred queries are too uncertain for their bars: these print them all, and no more is asked."""

TUNED = {
    "quality_tuned_fashion_mnist": {
        *(f"tuned_fashion_mnist_{name}" for name in ("accuracy", "titles_macro_f1", "minutes")),
        *(f"tuned_fashion_mnist_{name}" for name in ("retention_lost", "gain_kept")),
    },
    "quality_tuned_studio": {
        *(f"tuned_studio_{name}" for name in ("other_hand_recall_at_1", "other_hand_recall_at_10")),
        *(f"tuned_studio_{name}" for name in ("title_recall_at_1_gain", "retention_lost", "gain_kept")),
    },
    "quality_tuned_tuxpaint": {
        *(f"tuned_tuxpaint_{name}" for name in ("street_misses_ratio", "category_accuracy")),
        *(f"tuned_tuxpaint_{name}" for name in ("title_recall_at_10_ratio", "title_recall_at_1_gain")),
    },
}
"""A few minutes of tuning are too short for their bars: their short forms end, print all bars and nothing else is asked."""


def bars(bench: str, *flags: str) -> dict[str, str]:
    """Name to verdict of the bars that the short form printed."""
    done = run_module(f"tests.bench.{bench}", "--short", *flags, timeout_s=840)
    found = re.findall(r"^BAR (\w+) [\d.e+-]+ [\d.e+-]+ (pass|fail) short$", done.stdout, re.M)
    assert found, done.stderr
    assert done.returncode == int(any(verdict == "fail" for _, verdict in found))
    return dict(found)


def test_every_bench_has_its_short_form_here() -> None:
    assert {*TIMED, *QUALITY, *RECOGNITION, *TUNED} == BENCHES


@needs_fashion_mnist
@pytest.mark.bench
@pytest.mark.timed
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "bench", [pytest.param(bench, marks=[pytest.mark.long] if bench in LONG else []) for bench in TIMED]
)
def test_a_bench_of_speed_prints_its_bars(bench: str, trained_bundle: Path, tmp_path: Path) -> None:
    verdicts = bars(bench, "--model", str(trained_bundle), "--data", str(tmp_path))
    assert set(verdicts) == TIMED[bench]
    assert {name for name in SURE if verdicts.get(name) == "fail"} == set()


@pytest.fixture(scope="module")
def shared_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all workers: what one bench has exported and looked at, the others find in its cache."""
    return made_once(tmp_path_factory, "bench-data", lambda folder: None)


@needs_fashion_mnist
@needs_stamps
@pytest.mark.bench
@pytest.mark.timeout(900)
@pytest.mark.parametrize("bench", QUALITY)
def test_a_bench_of_quality_meets_its_bars(bench: str, shared_data: Path) -> None:
    verdicts = bars(bench, "--data", str(shared_data))
    assert verdicts == dict.fromkeys(QUALITY[bench], "pass")


@needs_fashion_mnist
@needs_stamps
@pytest.mark.bench
@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("bench", [*RECOGNITION, *TUNED])
def test_a_bench_whose_short_form_is_too_short_for_its_bars_prints_them(bench: str, shared_data: Path) -> None:
    assert set(bars(bench, "--data", str(shared_data))) == (RECOGNITION | TUNED)[bench]
