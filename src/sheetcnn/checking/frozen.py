"""Layers that are not live: whether their numbers are those that NumPy computed when the workbook was built."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..arrays.array import Array, Values
from ..model.frozen import Sums, sums_of
from ..model.graph import Graph
from .comparison import TOLERANCE, Comparison, agree, apart


def frozen_layers(comparison: Comparison, graph: Graph, values: Values, built: Mapping[str, Sums]) -> None:
    """Each layer that is not live against the sums that NumPy computed, and, where it has no weights, against NumPy itself."""
    for node in graph.network.nodes:
        if node.live:
            continue
        comparison.now = comparison.reports[node.name]
        output = graph.output(node.name)
        numbers = values[output.id]
        comparison.now.grids += int(np.prod(output.shape[: output.grid_axes]))
        comparison.now.cells += numbers.size
        want = None if graph.behind[node.name] else output.computed(values)
        as_built = node.name not in built or _alike(sums_of(numbers), built[node.name])
        if want is not None and agree(numbers, want).all():
            comparison.now.largest_difference = float(apart(numbers, want).max(initial=0.0))
        elif as_built and want is not None:
            comparison.report.notes.append(
                f"{node.name} is not live: what it reads was changed since, and its numbers are those of before"
            )
        elif want is not None:
            _differences(comparison, output, numbers, want)
        elif not as_built:
            grid = next(comparison.named.each(comparison.grids[output.id]))[1]
            text = "or another of the layer is no longer what NumPy computed; the layer is not live: build the workbook anew"
            comparison.add("value", comparison.named.where(grid, 0, 0), text, None, None, None)


def _alike(now: Sums, built: Sums) -> bool:
    return all(abs(one - other) <= TOLERANCE * (1 + built[2]) for one, other in zip(now, built, strict=True))


def _differences(comparison: Comparison, output: Array, numbers: np.ndarray, want: np.ndarray) -> None:
    """Name the cells that hold other numbers than NumPy computes."""
    for index, grid, _ in comparison.named.each(comparison.grids[output.id]):
        wrong = ~agree(numbers[index], want[index]).reshape(grid.rows, grid.columns)
        for i, j in np.argwhere(wrong).tolist():
            comparison.differs(grid, i, j, float(want[index].reshape(grid.rows, grid.columns)[i, j]))
