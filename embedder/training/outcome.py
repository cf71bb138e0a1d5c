"""What a training tells the person who ran it, on their terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from embedder.bundle import BundleInfo
from embedder.training.comparison import MEANINGS


def print_outcome(info: BundleInfo) -> None:
    """Print how the model did before and after on held-out products, what was chosen and why, what was left out."""
    described = info.training
    compared = described["compared"]
    print(f"base model {info.base}: {described['model_reason']}")
    print(f"picture size {described['image_size']} px: {described['image_size_reason']}")
    for line in _tuning(described["tuning"]):
        print(line)
    print(_instance(described["instance"]))
    for line in _attributes(described.get("attributes", {})):
        print(line)
    rejected = ", ".join(f"{reason} {count:,}" for reason, count in described["rejected_reasons"].items())
    print(f"left out: {described['rejected']:,} rows or pictures{f' ({rejected})' if rejected else ''}")
    if not compared["after"]:
        print("before and after: not measured, there are no held-out products; next step: a larger catalog")
        return
    print(
        f"on {compared['products']:,} held-out products and {compared['views']:,} photo-like views of them, which "
        f"searched {compared['gallery']:,} products:"
    )
    table = Table()
    for heading, side in (("figure", "left"), ("before", "right"), ("after", "right"), ("what it means", "left")):
        table.add_column(heading, justify="right" if side == "right" else "left")
    for name, meaning in MEANINGS.items():
        if name in compared["after"]:
            before = compared["before"].get(name)
            shown = "" if before is None else f"{before:.4f}"
            table.add_row(name.replace("_", " "), shown, f"{compared['after'][name]:.4f}", meaning)
    Console().print(table)
    print("these products chose the epoch and the weight of the parts; python -m embedder eval measures on others")


def _tuning(described: Mapping[str, Any]) -> list[str]:
    """What the towers' tuning did, where there was one."""
    if "kept_share" not in described:
        return ["tuned: nothing; the instance part is solved in closed form"]
    if "plan" not in described:
        return [f"tuned: {described['what']}; the towers are the base's"]
    plan = described["plan"]
    steps = sum(stage["steps"] for stage in plan["stages"])
    sizes = ", ".join(f"{stage['steps']:,} at {stage['side']} px" for stage in plan["stages"])
    kept = next((item for item in described["sweep"] if item["kept"]), None)
    lines = [
        f"tuned: {described['what']}; {steps:,} steps of {plan['batch']} pictures ({sizes}) in "
        f"{described['spent_s']:.0f} s, {plan['passes']:.1f} passes ({plan['reason']})"
    ]
    if kept is None:
        ends = "trained projections" if described["frozen_is_kept"] else "its own projections"
        lines.append(f"kept: the base's towers with {ends} (report/sweep.md says why)")
    else:
        score = kept["in_domain"].get("score")
        compared = "not compared, there are few held-out products"
        if score is not None:
            compared = f"score {score:.3f}, frozen towers {described['frozen_score']:.3f}"
        lost = "what it lost was not measured, a tolerance of 1 was set"
        if kept["retention"]:
            lost = f"lost {kept['lost']:.3f} of retention, {described['tolerance']:g} is permitted"
        lines.append(f"kept: {kept['label']} of the tuned weights; {compared}; {lost} (report/sweep.md)")
    return [*lines, described["more_time"]]


def _instance(described: Mapping[str, Any]) -> str:
    if not described["dim"]:
        return "instance part: none (see the log); pictures are compared by the semantic part alone"
    how = (
        "chosen on held-out products" if described["weights_tried"] else "not measured, there are no held-out products"
    )
    return (
        f"index vector: {described['semantic_dim']} values of the semantic part, {described['dim']} of the instance "
        f"part, which was fitted on {described['pairs']:,} pairs of pictures and counts {described['weight']:.2f} in a "
        f"picture query ({how})"
    )


def _attributes(described: Mapping[str, Any]) -> list[str]:
    """Which attributes are recognised, how well, and why others are not."""
    lines = []
    for name, item in described.items():
        if "left_out" in item:
            lines.append(f"attribute {name}: not recognised; {item['left_out']}")
        elif item["method"] == "head":
            right = (
                f"right for {item['accuracy']:.0%} of {item['held_out']:,} held-out pictures"
                if "accuracy" in item
                else "not measured, there are few held-out products"
            )
            rare = f", {item['values_left_out']:,} too rare ones left out" if item["values_left_out"] else ""
            lines.append(f"attribute {name}: {item['values']:,} values{rare}; {right}")
        else:
            how = "by the colours of the pixels" if item["method"] == "pixels" else "by what they are called"
            lines.append(f"attribute {name}: {item['values']:,} values, told {how}; not calibrated")
    return lines
