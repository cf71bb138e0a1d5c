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
        verdict = "**kept**" if item.share == sweep.kept else item.refused or "permitted, gains less"
        lines.append(
            _row(
                [
                    f"{item.share:.2f}",
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
            "Where a score or retention was not measured (few held-out products, a tolerance of 1) it is empty.",
            "",
            *lines,
            "",
        ]
    )


def sweep_plot(sweep: Sweep) -> bytes:
    """The score and what is lost, against the share of the tuned weights, as a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    shares = [item.share for item in sweep.mixtures]
    axes.plot(shares, [item.score for item in sweep.mixtures], "o-", color="tab:blue", label="score on the catalog")
    axes.axhline(sweep.frozen_score, color="tab:blue", linestyle=":", label="frozen towers")
    axes.set_xlabel("share of tuned weights")
    axes.set_ylabel("score on held-out products of the catalog", color="tab:blue")
    other = axes.twinx()
    other.plot(shares, [item.lost for item in sweep.mixtures], "s--", color="tab:red", label="retention lost")
    other.axhline(sweep.tolerance, color="tab:red", linestyle=":", label="tolerance")
    other.set_ylabel("points lost on things of other kinds", color="tab:red")
    if sweep.kept is not None:
        axes.axvline(sweep.kept, color="tab:green", label="kept")
    lines = [*axes.get_lines(), *other.get_lines()]
    axes.legend(lines, [str(line.get_label()) for line in lines], fontsize="small", loc="center left")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def _beginning(sweep: Sweep) -> str:
    return " with the trained text side" if sweep.frozen_is_kept else ""


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
