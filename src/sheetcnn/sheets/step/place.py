"""Where the network after a step stands: layer below layer, every array beside the other."""

from __future__ import annotations

import numpy as np

from ...arrays.array import Array, Margin
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
            row = strip(pen, arrays, row, _margin(graph, node))
    return pen.finish()


def strip(pen: Pen, arrays: list[Array], row: int, margin: Margin) -> int:
    """Arrays beside each other from a row on, their grids one below the other, the output with its margin; returns the next free row."""
    column, last = LEFT, row
    for array in reversed(arrays):
        top, left, bottom, right = margin if array.key == "output" and array.grid_axes else array.margin
        high = height_of(array) - array.margin[0] - array.margin[2] + top + bottom
        wide = width_of(array) - array.margin[1] - array.margin[3] + left + right
        inner = array.shape[1 : array.grid_axes]
        for index in array.indexes():
            along = int(np.ravel_multi_index(index[1:], inner)) if inner else 0
            label = "" if any(index) else f"{array.owner} {array.label}"
            first, at = row + 1 + (index[0] if index else 0) * (high + 1), column + along * (wide + GAP)
            pen.put(array, index, first + top, at + left, label, (top, left, bottom, right))
            last = max(last, first + high)
        column += int(np.prod(inner)) * (wide + GAP)
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
