"""The sweep as people read it: a table and a plot in the bundle's report."""

from __future__ import annotations

import io

from embedder.training.guard.sweep import Sweep

TABLE, PLOT = "sweep.md", "sweep.png"


def sweep_table(sweep: Sweep) -> str:
    """A Markdown table, a row a mixture."""
    names = sorted({name for item in sweep.mixtures for name in item.in_domain} - {"score"})
    kept_names = sorted({name for item in sweep.mixtures for name in item.retention})
    heads = ["share of tuned weights", "score", *names, "retention lost", *kept_names, "verdict"]
    lines = [_row([head.replace("_", " ") for head in heads]), _row(["---"] * len(heads))]
    for item in sweep.mixtures:
        verdict = "**kept**" if item is sweep.kept else item.refused or "permitted, gains less"
        lines.append(
            _row(
                [
                    item.shares.label,
                    _figure(item.in_domain.get("score")),
                    *[_figure(item.in_domain.get(name)) for name in names],
                    f"{item.lost:.4f}" if item.retention else "",
                    *[_figure(item.retention.get(name)) for name in kept_names],
                    verdict,
                ]
            )
        )
    return "\n".join(
        [
            "# Between the base and the tuned weights",
            "",
            f"Frozen towers with trained ends score {sweep.frozen_score:.4f} and lose {sweep.frozen_lost:.4f} of "
            f"retention. It may lose {sweep.tolerance:g}, so shares are on the line from the base{_beginning(sweep)}. "
            "Two shares are those of the image tower's first and last layer. Where a score or retention was not "
            "measured (few held-out products, a tolerance of 1) it is empty.",
            "",
            *lines,
            "",
        ]
    )


def sweep_plot(sweep: Sweep) -> bytes:
    """The score of each mixture against what it loses, as a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    even = [item for item in sweep.mixtures if item.shares.first == item.shares.last]
    others = [item for item in sweep.mixtures if item.shares.first != item.shares.last]
    axes.plot(
        [item.lost for item in even], [item.score for item in even], "o-", color="tab:blue", label="all layers alike"
    )
    axes.plot(
        [item.lost for item in others],
        [item.score for item in others],
        "s",
        color="tab:orange",
        label="first layers more",
    )
    for item in sweep.mixtures:
        axes.annotate(
            item.shares.label, (item.lost, item.score), (4, 4), textcoords="offset points", fontsize="x-small"
        )
    if sweep.kept is not None:
        axes.plot(
            [sweep.kept.lost], [sweep.kept.score], "o", color="tab:green", markersize=14, fillstyle="none", label="kept"
        )
    axes.axhline(sweep.frozen_score, color="tab:blue", linestyle=":", label="frozen towers")
    axes.axvline(sweep.tolerance, color="tab:red", linestyle=":", label="tolerance")
    axes.set_xlabel("points lost on things of other kinds")
    axes.set_ylabel("score on held-out products of the catalog")
    axes.legend(fontsize="small")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def _beginning(sweep: Sweep) -> str:
    return " with the trained text side" if sweep.frozen_is_kept else ""


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
