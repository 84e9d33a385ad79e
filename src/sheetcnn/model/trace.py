"""How one cell of a layer comes about, in NumPy: what it reads, kernels, products and sums, and what is done with them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..arrays.array import Array, Shape, Values
from ..arrays.window import Window
from ..layers.base import PREFIX, Layer
from ..layers.reduction import Operation, Reduction, Spot
from .graph import Graph
from .network import Node

JOINED = {"+": "sum", "*": "product", "-": "difference"}  # what becomes of cells, by the sign between a layer's inputs
LARGEST = 12  # rows or columns of a window that can be looked at


def as_maps(shape: Shape) -> Shape:
    """A shape as maps, rows and columns: a vector is one map of one column."""
    return shape if len(shape) == 3 else (1, *shape, 1)[:3]


def reads(graph: Graph, node: Node) -> list[Array]:
    """The arrays that a layer's cells read, where they read them: on its own sheet if they are shown there once more."""
    reduction = node.layer.reduction(*node.in_shapes)
    if reduction is not None and reduction.source is not None:
        return [graph.get(node.name, reduction.source)]
    return graph.mirrors(node.name) or [graph.output(name) for name in node.inputs]


def reduction_of(graph: Graph, node: Node) -> Reduction | None:
    """What one cell is made of: its windows, or single cells as windows of one cell; None for a layer that says nothing of it."""
    found = node.layer.reduction(*node.in_shapes)
    if found is not None:
        if not found.folded or (before := folds(graph, node)) is None:
            return found
        count, *size = before.in_shapes[0]
        return replace(found, window=Window(tuple(size)), terms=count)
    origins = node.layer.origins((0, 0, 0), *node.in_shapes)
    if not origins:
        return None
    kind = JOINED.get(node.layer.sign, "cell") if len(node.inputs) > 1 else "cell"
    return Reduction(kind, Window((1, 1)), terms=len(origins))


def folds(graph: Graph, node: Node) -> Node | None:
    """The layer that made a vector of maps which a layer reads, where these are small enough to be looked at."""
    before = graph.network.by_name.get(node.inputs[0])
    if before is None or len(before.in_shapes) != 1 or len(before.in_shapes[0]) != 3:
        return None
    made = int(np.prod(before.in_shapes[0])) == node.in_shapes[0][0]
    return before if made and max(before.in_shapes[0][1:]) <= LARGEST else None


def final_of(node: Node) -> Layer | None:
    """The activation that acts on the finished sum, as far as it can be looked into."""
    final = node.layer.final
    return final if final is not None and final.origins((0, 0, 0), node.shape) else None


def compared(graph: Graph, node: Node) -> Array:
    """What comes of it all: the layer's output, or the pre-activation where the activation cannot be looked into."""
    return graph.get(node.name, "output" if node.layer.final is None or final_of(node) is not None else "sum")


@dataclass(frozen=True)
class Done:
    """An operation with the array whose number stands beside it."""

    operation: Operation
    array: Array | None


def operations_of(graph: Graph, node: Node, reduction: Reduction) -> list[Done]:
    """All that is done with what the windows give together, up to the cell."""
    found = []
    if reduction.kind == "mean" or reduction.divisor != 1:
        found.append(Done(Operation("÷", "cells" if reduction.kind == "mean" else "channels", "divisor"), None))
    parts = [(node.layer, "", node.in_shapes)]
    if (final := final_of(node)) is not None:
        parts.append((final, PREFIX, (node.shape,)))
    for layer, prefix, shapes in parts:
        own = layer.parameters(*shapes)
        for operation in layer.operations(*shapes):
            key, array = operation.key, None
            if key == "reads":
                array = reads(graph, node)[0] if not prefix else graph.get(node.name, "sum")
            elif key:
                array = graph.get(node.name, prefix + key if key in own else key)
            found.append(Done(operation, array))
    return found


@dataclass(frozen=True)
class Term:
    """One window: the array that it lies in, its channel there, and its corner."""

    array: Array
    channel: int
    top: int
    left: int


@dataclass(frozen=True)
class Step:
    """One operation done: the number beside it (or what a function gives), and what there is so far."""

    sign: str
    label: str
    number: float
    so_far: float


class CellTrace:
    """One cell taken apart, from the arrays and not from the sheets; its place is the map, row and column, counted from 0."""

    def __init__(self, graph: Graph, values: Values, node: Node, place: Shape) -> None:
        reduction = reduction_of(graph, node)
        assert reduction is not None
        self.graph, self.values, self.node, self.reduction, self.place = graph, values, node, reduction, place
        m, i, j = self.place
        self.filter, self.depth = divmod(m, reduction.maps)
        if len(node.shape) == 1:
            self.filter = i
        self.first = self.filter // reduction.filters * reduction.group
        self.level = self.depth * reduction.levels[0] - reduction.levels[1]
        self.corner = (0, 0) if reduction.folded else reduction.window.corner(i, j)
        self.reads = reads(graph, node)
        self.terms = [self._term(t) for t in range(reduction.terms)]
        self.windows = np.stack([self._window(t, term) for t, term in enumerate(self.terms)])  # NaN: a blank cell
        self.kernels = self._kernels()
        whole = np.where(np.isnan(self.windows), 0.0, self.windows)
        self.products = whole * (self.kernels if len(self.kernels) else 0.0)
        self.sums = self.products.sum(axis=(1, 2))
        self.parts = self.sums if reduction.term_activation is None else reduction.term_activation.forward(self.sums)
        self.together = self._together(whole)
        self.divisor = float(self._divisor())
        self.steps = self._steps()
        self.found = self.steps[-1].so_far if self.steps else self.together
        output = values[compared(graph, node).id]
        self.cell = float(output.reshape(as_maps(output.shape))[self.place])

    def _term(self, t: int) -> Term | None:
        """The window of a term; None where it lies beyond all channels."""
        reduction = self.reduction
        if self.node.layer.reduction(*self.node.in_shapes) is None:
            m, i, j = self.place
            channel, top, left = self.node.layer.origins((m, i, j), *self.node.in_shapes)[t]
        else:
            level = self.level + t * reduction.levels[2]
            if not 0 <= level < reduction.depth:
                return None
            channel, (top, left) = self.first + level, self.corner
            if reduction.folded:
                channel, top, left = 0, 0, t * reduction.window.size[0] * reduction.window.size[1]
        for array in self.reads:
            if channel < (count := as_maps(array.shape)[0]) or len(self.reads) == 1:
                return Term(array, int(channel), int(top), int(left))
            channel -= count
        raise IndexError(t)

    def _window(self, t: int, term: Term | None) -> np.ndarray:
        window = self.reduction.window
        found = np.full(window.size, np.nan)
        if term is None:
            return found
        numbers = self.values[term.array.id]
        if self.reduction.folded:
            part = numbers.reshape(-1)[term.left : term.left + found.size]
            found.reshape(-1)[: len(part)] = part
            return found
        x = numbers.reshape(as_maps(numbers.shape))[term.channel]
        if term.array.spacing != (1, 1):  # the input with holes between its cells
            (down, along), (h, w) = term.array.spacing, x.shape
            spread = np.full(((h - 1) * down + 1, (w - 1) * along + 1), np.nan)
            spread[::down, ::along] = x
            x = spread
        for a, b in np.ndindex(found.shape):
            row, column = term.top + a * window.dilation[0], term.left + b * window.dilation[1]
            if 0 <= row < x.shape[0] and 0 <= column < x.shape[1]:
                found[a, b] = x[row, column]
        return found

    def _kernels(self) -> np.ndarray:
        reduction = self.reduction
        if reduction.kernel is None:
            return np.zeros((0, *reduction.window.size))
        kernels = self.values[f"{self.node.name}.{reduction.kernel}"][self.filter]
        if reduction.folded:
            full = np.zeros(self.windows.size)
            full[: kernels.size] = kernels.reshape(-1)
            return full.reshape(self.windows.shape)
        return np.broadcast_to(kernels.reshape(-1, *reduction.window.size), self.windows.shape)

    def _together(self, whole: np.ndarray) -> float:
        reduction = self.reduction
        if reduction.kind == "largest":
            return float(np.nanmax(self.windows))
        if reduction.kind == "squares":
            return float((whole**2).sum())
        if reduction.kind == "product":
            return float(whole.prod())
        if reduction.kind == "difference":
            return float(whole[0, 0, 0] - whole[1:].sum())
        total = float((self.parts if len(self.kernels) else whole).sum())
        if reduction.sum_activation is not None:
            total = float(reduction.sum_activation.forward(np.array([total]))[0])
        return total

    def _divisor(self) -> int:
        reduction = self.reduction
        if reduction.kind != "mean":
            return reduction.divisor
        count = 1
        for axis, size in enumerate(self.values[self.reads[0].id].shape[1:]):
            before, after = reduction.counted_padding[axis], reduction.counted_padding[axis + 2]
            start = self.corner[axis]
            count *= min(start + reduction.window.size[axis], size + after) - max(start, -before)
        return count

    def _steps(self) -> list[Step]:
        so_far, found = self.together, []
        spot = Spot(self.filter, *self.place)
        for done in operations_of(self.graph, self.node, self.reduction):
            one = done.operation
            number = self.divisor if one.key == "divisor" else one.constant or 0.0
            if done.array is not None:
                numbers = self.values[done.array.id]
                part = numbers if one.over else numbers[one.at(spot)]
                number = float(part.max() if one.over == "MAX" else part.sum())
            if one.made is not None:
                number = one.made[1](number)
            if one.function is not None:
                so_far = number = one.function[1](so_far, number)
            else:
                so_far = {"+": so_far + number, "−": so_far - number, "·": so_far * number}.get(
                    one.sign, so_far / number if number else np.nan
                )
            found.append(Step(one.sign, one.label, number, so_far))
        return found
