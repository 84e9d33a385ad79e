"""What a network, its answers and a report look like on a terminal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .show import say, table

# NumPy, openpyxl, pydantic and rich are imported where they are needed, so that --help answers at once.
if TYPE_CHECKING:
    from ..builder import Built
    from ..checking.report import Report
    from ..model.network import Network

SHOWN = 8  # cells named for each layer
TOP = 5  # answers shown of a prediction
BAR = 20  # letters of the longest bar beside them


def print_layers(network: Network) -> None:
    """A network as a table: its layers with their sizes and costs."""
    from ..arrays.array import shape_text
    from ..model.costs import costs

    found = costs(network)
    rows = [["", "input", "", shape_text(network.input.shape), "", "", ""]]
    for node in network.nodes:
        cost = found[node.name]
        words = node.parameter_words
        multiplications = f"{cost.multiplications:,}" if cost.multiplications else ""
        row = [str(node.number), node.name, node.layer.type, shape_text(node.shape), "" if words == "none" else words]
        rows.append([*row, multiplications, cost.sees])
    total = f"{sum(c.parameters for c in found.values()):,}"
    rows.append(["", "total", "", "", total, f"{sum(c.multiplications for c in found.values()):,}", ""])
    heads = ["", "layer", "type", "output C×H×W", "parameters", "multiplications", "receptive field"]
    table(network.settings.name, heads, rows, right=(5,))


def print_training(network: Network, steps: int | None = None) -> None:
    """What a backward pass and so many steps add to a workbook."""
    from ..model.limits import graph_of
    from ..model.settings import checked_steps
    from ..model.training import STEPS, step_of
    from ..sheets.layout import drawn_for

    updates = checked_steps(network.training.steps if steps is None else steps)
    graph = graph_of(
        network, replace(drawn_for(network, "auto", None), training=True, typed=network.loss == "mse", updates=updates)
    )
    assert graph.learning is not None
    pages = graph.learning.pages
    counts = {name: sum(array.count for array in arrays) for name, arrays in pages.items()}
    forward = sum(array.count for arrays in graph.of.values() for array in arrays)
    once = {name: count for name, count in counts.items() if name not in map(step_of, range(3, updates + 1))}
    rows = [[name, f"{len(pages[name]):,}", f"{count:,}"] for name, count in once.items()]
    if updates > 2:
        rows[-1 - (STEPS in once)][0] = f"{step_of(2)}, and each further one"
    total = forward + sum(counts.values())
    rows.append(["without --train", "", f"{forward:,}"])
    rows.append(["in all", "", f"{total:,} ({total / forward:.1f} times as many)"])
    table(
        f"Training: loss {network.loss}, {network.training.optimizer}, learning rate {network.training.rate:g}, steps {updates}",
        ["sheet", "arrays", "cells"],
        rows,
        right=(1, 2),
    )


def print_predictions(built: Built) -> None:
    """The answer to each picture; to a single one the largest few numbers with bars."""
    probable = built.network.gives_probabilities
    head = "probability" if probable else "output"

    def text(value: float) -> str:
        return f"{100 * value:.1f} %" if probable else f"{value:.4g}"

    if len(built.predictions) > 1:
        rows = [[picture, ranked[0][0], text(ranked[0][1])] for picture, ranked in built.predictions.items()]
        table("Predictions", ["picture", "prediction", head], rows, right=(2,))
        return
    for picture, ranked in built.predictions.items():
        full = 1.0 if probable else max(abs(value) for _, value in ranked) or 1.0
        bars = ["█" * round(max(value, 0) / full * BAR) for _, value in ranked[:TOP]]
        rows = [[label, text(value), bar] for (label, value), bar in zip(ranked[:TOP], bars, strict=True)]
        table(f"Prediction for {picture}: {ranked[0][0]}", ["label", head, ""], rows, right=(1,))


def print_report(report: Report) -> None:
    """What a check found: a table of the layers, the first cells of each that differ, notes, and the verdict."""
    from ..checking.comparison import KEPT

    rows = []
    gone = {finding.layer for finding in report.findings if finding.kind == "missing"}
    for layer in report.layers:
        saved = "" if layer.largest_saved_difference is None else f"{layer.largest_saved_difference:.2g}"
        verdict = f"{layer.findings:,} differ" if not layer.ok else "shows errors" if layer.follow else "agrees"
        verdict = "gone" if layer.layer in gone else verdict
        row = [layer.layer, layer.type, str(layer.grids or ""), f"{layer.cells:,}"]
        rows.append([*row, f"{layer.largest_difference:.2g}" if layer.type else "", saved, verdict])
    heads = ["layer", "type", "grids", "cells", "largest difference", "saved values", "result"]
    table(f"{report.book}: {report.network}", heads, rows, right=(2, 3, 4, 5))
    for layer in report.layers:
        shown = [finding for finding in report.findings if finding.layer == layer.layer][:SHOWN]
        for finding in shown:
            formula = f"   ={finding.formula}" if finding.formula and finding.kind in ("value", "saved", "input") else ""
            say(f"{finding.cell}  {finding.text}{formula}")
        if layer.findings > len(shown):
            say(f"{layer.layer}: and {layer.findings - len(shown):,} more cells (--json lists up to {KEPT:,} of a kind)")
    for note in report.notes:
        say(f"note: {note}")
    who = {"python": "our evaluator", "libreoffice": "LibreOffice"}.get(report.engine, report.engine)
    if report.ok:
        say(f"all {report.cells:,} cells agree with NumPy (computed by {who})")
    else:
        say("the workbook does not agree with NumPy; what is named first comes first, later layers may only follow from it")
