"""The mistakes that can be planted in a layer: each as wrong formulas, and as what these give in NumPy.

Which layers a mistake fits is told by what their classes state: their windows, and what else can go wrong with them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import new_class
from typing import Any

import numpy as np

from ..arrays.array import Array, CellFormula, Shape, Values
from ..arrays.grid import Grid, Grids
from ..layers.base import Layer
from ..layers.drawing import arrays_of
from ..layers.reduction import Reduction
from ..model.network import Node

MOST_TERMS = 150  # products written out in one formula

Inputs = tuple[np.ndarray, ...]
Own = dict[str, Grids]  # the grids of the layer's own arrays, by key


@dataclass(frozen=True)
class MistakeKind:
    """One kind of mistake. `pick` is a whole number that chooses, where there is a choice."""

    words: str
    fits: Callable[[Node], bool]
    formula: Callable[[Node, tuple[Grids, ...], Own, int], CellFormula]
    values: Callable[[Node, Inputs, Values, int], np.ndarray]
    drawn: bool = (
        True  # among "random" kinds; of later ones are none, so that variants of earlier handouts stay what they were
    )


@dataclass(frozen=True)
class Planted:
    """A mistake in its place."""

    kind: str
    node: Node
    pick: int  # what the mistake chooses by, where there is a choice
    mask: np.ndarray  # the cells that have it
    number: float | None = None  # what was typed over a formula
    wrong: Array | None = None  # of the backward pass and the step: the array with the mistake in all of its cells

    @property
    def id(self) -> str:
        """The array that has it."""
        return f"{self.node.name}.output" if self.wrong is None else self.wrong.id

    def values(self, right: np.ndarray, xs: Inputs = (), numbers: Values | None = None, *, known: Values) -> np.ndarray:
        """What the array holds with the mistake in it: made of what the layer reads, or of all numbers that are `known`."""
        if self.number is not None:
            return np.where(self.mask, self.number, right)
        if self.wrong is not None:
            return np.where(self.mask, self.wrong.computed(known), right)
        assert numbers is not None
        return np.where(self.mask, MISTAKES[self.kind].values(self.node, xs, numbers, self.pick), right)


def _write(node: Node, layer: Layer, xs: tuple[Grids, ...], own: Own) -> CellFormula:
    """What writes the formulas of a layer in the place of the node's own."""
    inputs = tuple(Array(name, shape) for name, shape in zip(node.inputs, node.in_shapes, strict=True))
    output = arrays_of(layer, node.name, inputs, "compact")[-1]
    read = {**output.parameters, **output.steps}
    xs = xs if output.inputs == inputs else tuple(own[array.key] for array in output.inputs)  # or the sum
    return output.reading(xs, {key: own[array.key] for key, array in read.items()})


def _taken_for(words: str, kind: str, drawn: bool = True) -> MistakeKind:
    """Another layer in the place of the right one, which says itself what it is taken for."""

    def formula(node: Node, xs: tuple[Grids, ...], own: Own, pick: int) -> CellFormula:
        return _write(node, node.layer.mistaken(*node.in_shapes)[kind], xs, own)

    def values(node: Node, xs: Inputs, numbers: Values, pick: int) -> np.ndarray:
        found = node.layer.mistaken(*node.in_shapes)[kind].activated(*xs, **numbers)
        return found[:, : node.shape[1], : node.shape[2]]

    return MistakeKind(words, lambda node: kind in node.layer.mistaken(*node.in_shapes), formula, values, drawn)


def _with_formula(layer: Layer, formula: Callable[..., str]) -> Layer:
    """The layer with another formula, which its activation still stands around."""
    kind: type[Layer] = new_class("Mistaken", (type(layer),), exec_body=lambda body: body.update(formula=formula))
    return kind(**{key: getattr(layer, key) for key in type(layer).model_fields})


def _slides(node: Node) -> bool:
    return node.layer.textbook(*node.in_shapes)


def _summed(node: Node) -> Reduction | None:
    """The windows whose products with kernels a layer sums, as the textbook does; None for other layers."""
    reduction = node.layer.reduction(*node.in_shapes) if _slides(node) else None
    return reduction if reduction is not None and reduction.kind == "sum" else None


def _many(node: Node) -> bool:
    """Whether every filter sums over all channels, of which there are several."""
    reduction = _summed(node)
    return reduction is not None and reduction.terms == node.in_shapes[0][0] > 1


# -- the bias once for each channel ------------------------------------------------------------------------------------
def _bias_formula(node: Node, xs: tuple[Grids, ...], own: Own, pick: int) -> CellFormula:
    right = node.layer.formula

    def formula(self: Layer, at: Shape, x: Grids, weight: Grids, bias: Grids) -> str:
        return "+".join(right(at, [x[c]], weight=[[row[c]] for row in weight], bias=bias) for c in range(len(x)))

    return _write(node, _with_formula(node.layer, formula), xs, own)


def _bias_values(node: Node, xs: Inputs, numbers: Values, pick: int) -> np.ndarray:
    return node.layer.activated(*xs, **(numbers | {"bias": numbers["bias"] * len(xs[0])}))


# -- one channel left out ----------------------------------------------------------------------------------------------
def _without(parts: Any, pick: int) -> Any:
    gone = pick % len(parts)
    return parts[:gone] + parts[gone + 1 :]


def _missing_formula(node: Node, xs: tuple[Grids, ...], own: Own, pick: int) -> CellFormula:
    fewer = own | {"weight": [_without(kernels, pick) for kernels in own["weight"]]}
    return _write(node, node.layer, (_without(xs[0], pick),), fewer)


def _missing_values(node: Node, xs: Inputs, numbers: Values, pick: int) -> np.ndarray:
    weight = numbers["weight"].copy()
    weight[:, pick % weight.shape[1]] = 0
    return node.layer.activated(*xs, **(numbers | {"weight": weight}))


# -- the window one cell too far to the right, or too far down ---------------------------------------------------------
def _step(pick: int) -> tuple[int, int]:
    return (0, 1) if pick % 2 else (1, 0)


def _shifted_formula(node: Node, xs: tuple[Grids, ...], own: Own, pick: int) -> CellFormula:
    down, along = _step(pick)

    def moved(grid: Grid) -> Grid:
        return replace(grid, top=grid.top + down, left=grid.left + along).seen_from(node.name)

    return _write(node, node.layer, ([moved(grid) for grid in xs[0]],), own)


def _shifted_values(node: Node, xs: Inputs, numbers: Values, pick: int) -> np.ndarray:
    return node.layer.shifted(xs[0], _step(pick), **numbers)


# -- the kernel turned around, as a convolution of mathematics has it --------------------------------------------------
def _flips(node: Node) -> bool:
    reduction = _summed(node)
    if reduction is None or reduction.kernel != "weight" or reduction.window.dilation != (1, 1):
        return False
    return 1 < reduction.window.size[0] * reduction.window.size[1] * reduction.terms <= MOST_TERMS


def _flipped_formula(node: Node, xs: tuple[Grids, ...], own: Own, pick: int) -> CellFormula:
    reduction = _summed(node)
    assert reduction is not None

    def formula(self: Layer, at: Shape, x: Grids, weight: Grids, bias: Grids | None = None) -> str:
        (m, i, j), (rows, columns) = at, reduction.window.size
        k, (top, left) = m // reduction.maps, reduction.window.corner(i, j)
        total = "+".join(
            f"{x[channel].window(top + a, left + b, 1, 1)}*{weight[k][t].at(rows - 1 - a, columns - 1 - b)}"
            for t, channel in reduction.channels(m)
            for a, b in np.ndindex(rows, columns)
        )
        return total if bias is None else f"{bias[k].area}+{total}"

    return _write(node, _with_formula(node.layer, formula), xs, own)


def _flipped_values(node: Node, xs: Inputs, numbers: Values, pick: int) -> np.ndarray:
    return node.layer.activated(*xs, **(numbers | {"weight": numbers["weight"][..., ::-1, ::-1]}))


# -- all of them -------------------------------------------------------------------------------------------------------
def _right(node: Node, xs: tuple[Grids, ...], own: Own, pick: int) -> CellFormula:
    return _write(node, node.layer, xs, own)


def _unchanged(node: Node, xs: Inputs, numbers: Values, pick: int) -> np.ndarray:
    return node.layer.activated(*xs, **numbers)


def _has_bias(node: Node) -> bool:
    return _many(node) and "bias" in node.layer.parameters(*node.in_shapes)


TYPED = "typed_number"
MISTAKES: dict[str, MistakeKind] = {
    "relu_before_sum": _taken_for("ReLU acts on each channel, before the sum", "relu_before_sum"),
    "bias_per_channel": MistakeKind("the bias is added once for each channel", _has_bias, _bias_formula, _bias_values),
    "missing_channel": MistakeKind("one channel is left out of the sum", _many, _missing_formula, _missing_values),
    "shifted_window": MistakeKind("the window is shifted by one cell", _slides, _shifted_formula, _shifted_values),
    "flipped_kernel": MistakeKind("the kernel is turned around", _flips, _flipped_formula, _flipped_values),
    "wrong_stride": _taken_for("the stride is too small by one", "wrong_stride"),
    "max_for_average": _taken_for("the largest cell is taken instead of the average", "max_for_average"),
    "average_for_max": _taken_for("the average is taken instead of the largest cell", "average_for_max"),
    TYPED: MistakeKind("a number was typed over a formula", lambda node: True, _right, _unchanged),
    "bias_outside_relu": _taken_for("the bias is added after ReLU", "bias_outside_relu", drawn=False),
}
