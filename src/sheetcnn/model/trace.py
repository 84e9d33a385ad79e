"""How one cell of a layer comes about, in NumPy: its windows, kernels, products and sums."""

from __future__ import annotations

import numpy as np

from ..arrays.array import Array, Shape, Values
from ..layers.base import Layer
from .graph import Graph
from .network import Node


class CellTrace:
    """One cell taken apart, from the arrays and not from the sheets; its place is the map, row and column, counted from 0."""

    def __init__(self, graph: Graph, values: Values, node: Node, place: Shape) -> None:
        reduction = node.layer.reduction(*node.in_shapes)
        assert reduction is not None
        self.reduction, self.place = reduction, place
        m, i, j = self.place
        self.filter, self.depth = divmod(m, reduction.maps)
        self.first = self.filter // reduction.filters * reduction.group
        self.level = self.depth * reduction.levels[0] - reduction.levels[1]
        self.corner = reduction.window.corner(i, j)
        own = node.name
        x = values[graph.output(node.inputs[0]).id]
        if reduction.source is not None:  # the input with holes between its cells
            (down, along), (c, h, w) = graph.get(own, reduction.source).spacing, x.shape
            spread = np.full((c, (h - 1) * down + 1, (w - 1) * along + 1), np.nan)
            spread[:, ::down, ::along] = x
            x = spread
        self.windows = np.full((reduction.terms, *reduction.window.size), np.nan)  # NaN: a blank cell
        for t, a, b in np.ndindex(self.windows.shape):
            level = self.level + t * reduction.levels[2]
            row, column = (
                self.corner[0] + a * reduction.window.dilation[0],
                self.corner[1] + b * reduction.window.dilation[1],
            )
            if 0 <= level < reduction.depth and 0 <= row < x.shape[1] and 0 <= column < x.shape[2]:
                self.windows[t, a, b] = x[self.first + level, row, column]
        self.kernels = np.zeros((0, *reduction.window.size))
        if reduction.kernel is not None:
            kernels = values[f"{own}.{reduction.kernel}"][self.filter].reshape(-1, *reduction.window.size)
            self.kernels = np.broadcast_to(kernels, self.windows.shape)
        self.products = np.where(np.isnan(self.windows), 0.0, self.windows) * (self.kernels if len(self.kernels) else 0.0)
        self.sums = self.products.sum(axis=(1, 2))
        self.parts = self.sums if reduction.term_activation is None else reduction.term_activation.forward(self.sums)
        inside = self.windows[~np.isnan(self.windows)]
        self.together = float(
            {"sum": self.parts, "largest": inside.max(initial=-np.inf), "mean": inside}[reduction.kind].sum()
        )
        if reduction.sum_activation is not None:
            self.together = float(reduction.sum_activation.forward(np.array([self.together]))[0])
        self.divisor = float(self._divisor(x.shape))
        biases = values.get(f"{own}.bias")
        self.bias = None if biases is None else float(biases[self.filter])
        self.total = self.together / self.divisor + (self.bias or 0.0)
        activation = activation_of(node)
        self.activated = None if activation is None else float(activation.forward(np.array([self.total]))[0])
        self.cell = float(values[compared(graph, node).id][self.place])

    def _divisor(self, shape: tuple[int, ...]) -> int:
        reduction = self.reduction
        if reduction.kind != "mean":
            return reduction.divisor
        count = 1
        for axis in (0, 1):
            before, after = reduction.counted_padding[axis], reduction.counted_padding[axis + 2]
            start = self.corner[axis]
            count *= min(start + reduction.window.size[axis], shape[1 + axis] + after) - max(start, -before)
        return count


def activation_of(node: Node) -> Layer | None:
    """The activation that acts on the cell by itself, as it can be shown."""
    final = node.layer.final
    return final if final is not None and final.cellwise else None


def compared(graph: Graph, node: Node) -> Array:
    """What is made of the windows: the layer's output, or the pre-activation where the activation needs more than the cell."""
    by_cell = node.layer.final is None or activation_of(node) is not None
    return graph.get(node.name, "output" if by_cell else "sum")
