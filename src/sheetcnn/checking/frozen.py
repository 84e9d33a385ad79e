"""Layers that are not live: whether their numbers are those that NumPy computed when the workbook was built."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..arrays.array import Array, Values
from ..model.frozen import Sums, sums_of
from ..model.graph import Graph
from .comparison import TOLERANCE, Comparison, agree, apart


def frozen_layers(
    comparison: Comparison, graph: Graph, values: Values, built: Mapping[str, Sums], right: Values | None = None
) -> None:
    """Each layer that is not live against the sums that NumPy computed, and, where it has no weights, against NumPy itself.

    `right` are the numbers of a network that it must be of.
    """
    for node in graph.network.nodes:
        if node.live:
            continue
        comparison.now = comparison.reports[node.name]
        output = graph.output(node.name)
        numbers = values[output.id]
        comparison.now.grids += int(np.prod(output.shape[: output.grid_axes]))
        comparison.now.cells += numbers.size
        want = right[output.id] if right is not None else None if graph.behind[node.name] else output.computed(values)
        differ = changed(numbers, built[node.name]) if node.name in built else []
        if want is not None and agree(numbers, want).all():
            comparison.now.largest_difference = float(apart(numbers, want).max(initial=0.0))
        elif want is not None and right is None and not differ:
            comparison.report.notes.append(
                f"{node.name} is not live: what it reads was changed since, and its numbers are those of before"
            )
        elif want is not None:
            _differences(comparison, output, numbers, want)
        elif differ:
            _name_changed(comparison, output, numbers, differ)


def changed(numbers: np.ndarray, built: Sums) -> list[tuple[np.ndarray, np.ndarray]]:
    """Along each axis the places whose sum is another than it was, and by how much; nothing where all are the same."""
    now, sizes = sums_of(numbers), sums_of(np.abs(numbers))
    if [len(sums) for sums in built] != [len(sums) for sums in now]:
        return [(np.arange(1), np.full(1, np.nan))] * numbers.ndim
    more = [np.subtract(one, other) for one, other in zip(now, built, strict=True)]
    found = [np.flatnonzero(~(np.abs(by) <= TOLERANCE * (1 + np.array(size)))) for by, size in zip(more, sizes, strict=True)]
    return [(places, by[places]) for places, by in zip(found, more, strict=True)] if any(map(len, found)) else []


def _name_changed(
    comparison: Comparison, output: Array, numbers: np.ndarray, found: list[tuple[np.ndarray, np.ndarray]]
) -> None:
    """Name the cell that was changed, or of several the first of each map: what it was, its sums tell where it is the only one."""
    alone = all(len(places) == 1 for places, _ in found)
    first = [int(places[0]) if len(places) else 0 for places, _ in found]
    axis, (places, more) = next((n, one) for n, one in enumerate(found) if len(one[0]))
    grids = {index: grid for index, grid, _ in comparison.named.each(comparison.grids[output.id])}
    for place, by in zip(places.tolist(), more.tolist(), strict=True):
        at = tuple(place if n == axis else other for n, other in enumerate(first))
        index, (i, j) = at[: output.grid_axes], (*at[output.grid_axes :], 0, 0)[:2]
        if alone or numbers.ndim == 1:
            comparison.differs(grids[index], i, j, float(numbers[at] - by))
            continue
        others = ("of its map", "of this row, in whatever map,", "of this column, in whatever row and map,")
        kind = 0 if axis < output.grid_axes else axis - output.grid_axes + 1
        text = f"or others {others[kind]} are no longer what NumPy computed; the layer is not live: build the workbook anew"
        comparison.add("value", comparison.named.where(grids[index], i, j), text, None, None, None)


def _differences(comparison: Comparison, output: Array, numbers: np.ndarray, want: np.ndarray) -> None:
    """Name the cells that hold other numbers than NumPy computes."""
    for index, grid, _ in comparison.named.each(comparison.grids[output.id]):
        wrong = ~agree(numbers[index], want[index]).reshape(grid.rows, grid.columns)
        for i, j in np.argwhere(wrong).tolist():
            comparison.differs(grid, i, j, float(want[index].reshape(grid.rows, grid.columns)[i, j]))
