"""What the inspector shows for a choice, in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...arrays.array import Values
from .table import CHOICES, Inspector


class CellTrace:
    """What the inspector shows for a choice, in NumPy: from the arrays, not from the sheets."""

    def __init__(self, inspector: Inspector, values: Values, choice: dict[str, Any]) -> None:
        names = [layer.node.name.lower() for layer in inspector.layers]
        self.number = names.index(str(choice["layer"]).lower())
        self.layer = layer = inspector.layers[self.number]
        reduction, shape = layer.reduction, layer.node.shape
        self.place = tuple(_clamped(choice[key], size) for key, size in zip(CHOICES[1:], shape, strict=True))
        m, i, j = self.place
        self.filter, self.depth = divmod(m, reduction.maps)
        self.first = self.filter // reduction.filters * reduction.group
        self.level = self.depth * reduction.levels[0] - reduction.levels[1]
        self.corner = reduction.window.corner(i, j)
        own = layer.node.name
        x = values[inspector.graph.output(layer.node.inputs[0]).id]
        if reduction.source is not None:  # the input with holes between its cells
            (down, along), (c, h, w) = layer.source.grids[0].spacing, x.shape
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
        self.divisor = float(self._divisor(x.shape))
        biases = values[f"{own}.bias"] if layer.biases else None
        self.bias = None if biases is None else float(biases[self.filter])
        self.total = self.together / self.divisor + (self.bias or 0.0)
        self.activated = None
        if layer.activation is not None:
            self.activated = float(layer.activation.forward(np.array([self.total]))[0])
        self.cell = float(values[layer.compared.id][self.place])

    def _divisor(self, shape: tuple[int, ...]) -> int:
        reduction = self.layer.reduction
        if reduction.kind != "mean":
            return reduction.divisor
        count = 1
        for axis in (0, 1):
            before, after = reduction.counted_padding[axis], reduction.counted_padding[axis + 2]
            start = self.corner[axis]
            count *= min(start + reduction.window.size[axis], shape[1 + axis] + after) - max(start, -before)
        return count


def _clamped(value: Any, size: int) -> int:
    """A choice as the inspector takes it: the nearest that there is, counted from 0."""
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else size
    return int(np.floor(max(1, min(number, size)) + 0.5)) - 1
