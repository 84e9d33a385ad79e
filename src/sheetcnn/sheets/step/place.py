"""Where a step and the network after it stand: layer below layer, every array beside the other."""

from __future__ import annotations

import numpy as np

from ...arrays.array import Array, Margin, Shape
from ...arrays.grid import Grids, flat
from ...model.graph import Graph
from ...model.loss import LOSS
from ...model.network import Node
from ...model.settings import INPUT
from ...model.training import step_of
from ..layer.bands import height_of, width_of
from ..page import GAP, LEFT, NO_MARGIN, Page, Pen
from .content import step_sheet_name


class StepPage:
    """One step: the gradients where they are not shown, the parameters, and all layers that these change."""

    def __init__(self, graph: Graph, step: int, read: dict[str, Grids]) -> None:
        """`read` has the grids of all arrays on other sheets, by their ids."""
        self.graph, self.name, self.read = graph, step_of(step), read
        self.pen = Pen(Page(step_sheet_name(self.name), None, rows=1))
        self.copies = graph.learning.copies[step - 1] if graph.learning is not None else {}

    def page(self) -> Page:
        """The page, a strip for each layer, and one for the loss."""
        assert self.graph.learning is not None
        strips: dict[str, list[Array]] = {}
        for array in self.graph.learning.pages[self.name]:
            strips.setdefault(array.owner, []).append(array)
        owners = {f"{self.name}_{node.name}": node for node in self.graph.network.nodes}
        row = 2
        for owner in [f"{self.name}_{INPUT}", *owners, *(owner for owner in strips if owner == f"{self.name}_{LOSS}")]:
            if owner in strips:
                row = self._strip(strips[owner], row, owners.get(owner))
        return self.pen.finish()

    def _strip(self, arrays: list[Array], row: int, node: Node | None) -> int:
        if node is None:
            margin = _margin(self.graph, INPUT) if arrays[0].owner == f"{self.name}_{INPUT}" else NO_MARGIN
            return strip(self.pen, arrays, row, margin)
        wide = [array for array in arrays if node.layer.wide(*node.in_shapes) and array.key == "weight"]
        others = [array for array in arrays if array not in wide]
        end = strip(self.pen, others, row, _margin(self.graph, node.name))
        if wide:
            end = max(end, self._kernels(node, wide[0], row))
        return end

    def _kernels(self, node: Node, array: Array, row: int) -> int:
        """A wide layer's kernels, one below the other, so far apart as the channels that one SUMPRODUCT lays them on."""
        name = node.inputs[0]
        read = self.copies[name][-1].id if name in self.copies else self.graph.output(name).id
        self.pen.finish()
        tops = [grid.top for _, grid in flat(self.read.get(read) or self.pen.page.grids[read])]
        column, last = self.pen.page.columns + GAP + 1, row
        for k in range(array.shape[0]):
            seen = tops[node.layer.channels_of(k, len(tops))]
            for c, top in enumerate(seen):
                grid = self.pen.put(
                    array, (k, c), row + 1 + top - seen[0], column, f"{array.owner} {array.label}" if k + c == 0 else ""
                )
                last = max(last, grid.bottom)
            column += width_of(array) + GAP
        return last + 2


def strip(pen: Pen, arrays: list[Array], row: int, margin: Margin) -> int:
    """Arrays beside each other from a row on, their grids one below the other, all as far apart; returns the next free row.

    The last one, which others read, has its margin around it.
    """
    around = {array.id: margin if array is arrays[-1] and array.grid_axes else array.margin for array in arrays}
    bare = {array.id: height_of(array) - array.margin[0] - array.margin[2] for array in arrays}
    high = {id: bare[id] + around[id][0] + around[id][2] for id in bare}
    # Kernels and the maps that one SUMPRODUCT lays them on must stand as far apart.
    pitch = max((high[array.id] for array in arrays if array.grid_axes), default=0) + 1
    column, last = LEFT, row
    for array in reversed(arrays):
        top, left, bottom, right = around[array.id]
        wide = width_of(array) - array.margin[1] - array.margin[3] + left + right
        inner: Shape = array.shape[1 : array.grid_axes]
        for index in array.indexes():
            along = int(np.ravel_multi_index(index[1:], inner)) if inner else 0
            label = "" if any(index) else f"{array.owner} {array.label}"
            first, at = row + 1 + (index[0] if index else 0) * pitch, column + along * (wide + GAP)
            pen.put(array, index, first + top, at + left, label, (top, left, bottom, right))
            last = max(last, first + high[array.id])
        column += int(np.prod(inner)) * (wide + GAP)
    return last + 2


def _margin(graph: Graph, name: str) -> Margin:
    """The padding that readers want: none of them has mirrors here."""
    sides = [
        reader.layer.margin(*reader.in_shapes)
        for reader in graph.network.nodes
        if name in reader.inputs and all(len(shape) == 3 for shape in reader.in_shapes)
    ]
    top, left, bottom, right = (max(side) for side in zip((0, 0, 0, 0), *sides, strict=True))
    return top, left, bottom, right


def grids_of(pages: list[Page]) -> dict[str, Grids]:
    """The grids of pages, by the ids of their arrays."""
    return {name: grids for page in pages for name, grids in page.grids.items()}
