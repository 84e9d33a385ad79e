"""Where the network after a step stands: layer below layer, every array beside the other."""

from __future__ import annotations

import numpy as np

from ...arrays.array import Array, Margin, Shape
from ...model.graph import Graph
from ...model.network import Node
from ...model.training import STEP
from ..layer.bands import height_of, width_of
from ..page import GAP, LEFT, Page, Pen

SHEET = f"_{STEP}"


def step_page(graph: Graph) -> Page:
    """All layers that the step changes, or that read one."""
    assert graph.learning is not None
    page = Page(SHEET, None, rows=1)
    pen = Pen(page)
    row = 2
    for node in graph.network.nodes:
        arrays = graph.learning.copies[node.name]
        if arrays[-1].owner != node.name:  # it is not the same as before
            row = _strip(graph, node, arrays, pen, row)
    return pen.finish()


def _strip(graph: Graph, node: Node, arrays: list[Array], pen: Pen, row: int) -> int:
    """The arrays of one layer beside each other, their grids one below the other; returns the next free row."""
    column, last = LEFT, row
    for array in reversed(arrays):
        margin = _margin(graph, node) if array.key == "output" and array.grid_axes else array.margin
        top, left, bottom, right = margin
        high = height_of(array) - array.margin[0] - array.margin[2] + top + bottom
        wide = width_of(array) - array.margin[1] - array.margin[3] + left + right
        inner = int(np.prod(array.shape[1 : array.grid_axes])) if array.grid_axes > 1 else 1
        for index in array.indexes():
            k = index[0] if index else 0
            along = int(np.ravel_multi_index(index[1:], array.shape[1 : array.grid_axes])) if len(index) > 1 else 0
            label = f"{array.owner} {array.label}" if not any(index) else ""
            place: Shape = row + 1 + k * (high + 1), column + along * (wide + GAP)
            pen.put(array, index, place[0] + top, place[1] + left, label, margin)
            last = max(last, place[0] + high)
        column += inner * (wide + GAP)
    return last + 2


def _margin(graph: Graph, node: Node) -> Margin:
    """The padding that readers want: none of them has mirrors here."""
    sides = [
        reader.layer.margin(*reader.in_shapes)
        for reader in graph.network.nodes
        if node.name in reader.inputs and all(len(shape) == 3 for shape in reader.in_shapes)
    ]
    top, left, bottom, right = (max(side) for side in zip((0, 0, 0, 0), *sides, strict=True))
    return top, left, bottom, right
