"""The mistakes that can be planted in a layer: each as wrong formulas, and as what these give in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..arrays.array import Array, CellFormula, Shape, Values
from ..arrays.grid import Grid, Grids
from ..layers.activation import Elementwise
from ..layers.avg_pool2d import AvgPool2d
from ..layers.base import Layer
from ..layers.conv2d import Conv2d
from ..layers.drawing import arrays_of
from ..layers.max_pool2d import MaxPool2d
from ..layers.sliding import Sliding
from ..model.network import Node

MOST_TERMS = 150  # products written out in one formula

Inputs = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class MistakeKind:
    """One kind of mistake. `pick` is a whole number that chooses, where there is a choice."""

    words: str
    fits: Callable[[Node], bool]
    formula: Callable[[Node, tuple[Grids, ...], dict[str, Grids], int], CellFormula]
    values: Callable[[Node, Inputs, Values, int], np.ndarray]


def _write(node: Node, layer: Layer, xs: tuple[Grids, ...], own: dict[str, Grids]) -> CellFormula:
    inputs = tuple(Array(name, shape) for name, shape in zip(node.inputs, node.in_shapes, strict=True))
    output = arrays_of(layer, node.name, inputs, "compact")[-1]
    formula, read = output.formula, {**output.parameters, **output.steps}
    assert formula is not None
    xs = xs if output.inputs == inputs else tuple(own[array.key] for array in output.inputs)  # or the sum
    given = {key: own[array.key] for key, array in read.items()}
    return lambda at: formula(at, *xs, **given)


def _run(layer: Layer, xs: Inputs, numbers: Values) -> np.ndarray:
    return layer.activated(*xs, **numbers)


def _with(layer: Layer, **settings: Any) -> Any:
    """The layer with other settings."""
    return _as(type(layer), layer, **settings)


def _as(kind: type[Layer], layer: Layer, **settings: Any) -> Any:
    """The layer as one of another kind, which has the same settings and others beside them."""
    return kind(**{key: getattr(layer, key) for key in type(layer).model_fields} | settings)


def _plain(node: Node) -> bool:
    """Whether a layer is a convolution whose formula reads like the equation, a term for each channel."""
    layer = node.layer
    return (
        isinstance(layer, Conv2d)
        and (layer.channel_mix, layer.activation_scope, layer.groups) == ("sum", "map", 1)
        and not layer.wide(*node.in_shapes)
        and not layer.draws_sum("compact")
        and not layer.steps(node.in_shapes[0], "compact")
    )


def _slides(node: Node) -> bool:
    return _plain(node) or (isinstance(node.layer, MaxPool2d | AvgPool2d) and not node.layer.ceil_mode)


# -- ReLU before the sum over the channels -----------------------------------------------------------------------------
def _relu_fits(node: Node) -> bool:
    return _plain(node) and node.in_shapes[0][0] > 1 and isinstance(getattr(node.layer, "activation", None), Elementwise)


def _relu_formula(node: Node, xs: tuple[Grids, ...], own: dict[str, Grids], pick: int) -> CellFormula:
    return _write(node, _with(node.layer, activation_scope="channel"), xs, own)


def _relu_values(node: Node, xs: Inputs, numbers: Values, pick: int) -> np.ndarray:
    return _run(_with(node.layer, activation_scope="channel"), xs, numbers)


# -- the bias once for each channel ------------------------------------------------------------------------------------
class _BiasPerChannel(Conv2d):
    def formula(  # type: ignore[override] # as with every layer, it takes the parameters that it has, by name
        self, at: Shape, x: Grids, weight: Grids, bias: Grids | None = None, product: Grids | None = None
    ) -> str:
        each = range(len(x))
        return "+".join(super(_BiasPerChannel, self).formula(at, [x[c]], [[row[c]] for row in weight], bias) for c in each)


def _bias_formula(node: Node, xs: tuple[Grids, ...], own: dict[str, Grids], pick: int) -> CellFormula:
    return _write(node, _as(_BiasPerChannel, node.layer), xs, own)


def _bias_values(node: Node, xs: Inputs, numbers: Values, pick: int) -> np.ndarray:
    return _run(node.layer, xs, numbers | {"bias": numbers["bias"] * len(xs[0])})


# -- one channel left out ----------------------------------------------------------------------------------------------
def _without(parts: Any, pick: int) -> Any:
    gone = pick % len(parts)
    return parts[:gone] + parts[gone + 1 :]


def _missing_formula(node: Node, xs: tuple[Grids, ...], own: dict[str, Grids], pick: int) -> CellFormula:
    fewer = own | {"weight": [_without(kernels, pick) for kernels in own["weight"]]}
    return _write(node, node.layer, (_without(xs[0], pick),), fewer)


def _missing_values(node: Node, xs: Inputs, numbers: Values, pick: int) -> np.ndarray:
    weight = numbers["weight"].copy()
    weight[:, pick % weight.shape[1]] = 0
    return _run(node.layer, xs, numbers | {"weight": weight})


# -- the window one cell too far to the right, or too far down ---------------------------------------------------------
def _step(pick: int) -> tuple[int, int]:
    return (0, 1) if pick % 2 else (1, 0)


def _shifted_formula(node: Node, xs: tuple[Grids, ...], own: dict[str, Grids], pick: int) -> CellFormula:
    down, along = _step(pick)

    def moved(grid: Grid) -> Grid:
        return replace(grid, top=grid.top + down, left=grid.left + along).seen_from(node.name)

    return _write(node, node.layer, ([moved(grid) for grid in xs[0]],), own)


def _shifted_values(node: Node, xs: Inputs, numbers: Values, pick: int) -> np.ndarray:
    down, along = _step(pick)
    layer = node.layer
    assert isinstance(layer, Sliding)
    # Beyond a map and its padding lie blank cells: 0 in a sum, and never the largest.
    sides = layer.margin(xs[0].shape)
    blank = -np.inf if isinstance(layer, MaxPool2d) else 0.0
    around = ((0, 0), (sides[0], sides[2] + down), (sides[1], sides[3] + along))
    padded = np.pad(xs[0], around, constant_values=blank)[:, down:, along:]
    if isinstance(layer, AvgPool2d):
        rows, columns = layer.positions(xs[0].shape)
        view = np.lib.stride_tricks.sliding_window_view(padded, layer.reach, axis=(1, 2))
        view = view[:, :: layer.stride[0], :: layer.stride[1]][:, :rows, :columns]
        return view.sum(axis=(3, 4)) / layer.cells(xs[0].shape)
    found = _run(_with(layer, padding=[0, 0, 0, 0]), (padded,), numbers)
    return np.where(np.isneginf(found), 0.0, found)


# -- the kernel turned around, as a convolution of mathematics has it --------------------------------------------------
def _flips(node: Node) -> bool:
    layer = node.layer
    return (
        _plain(node)
        and isinstance(layer, Conv2d)
        and layer.dilation == (1, 1)
        and 1 < layer.kernel_size[0] * layer.kernel_size[1] * node.in_shapes[0][0] <= MOST_TERMS
    )


class _Flipped(Conv2d):
    def formula(  # type: ignore[override] # as with every layer, it takes the parameters that it has, by name
        self, at: Shape, x: Grids, weight: Grids, bias: Grids | None = None, product: Grids | None = None
    ) -> str:
        k, i, j = at
        (top, left), (rows, columns) = self.corner(i, j), self.kernel_size
        total = "+".join(
            f"{channel.window(top + a, left + b, 1, 1)}*{kernel.at(rows - 1 - a, columns - 1 - b)}"
            for channel, kernel in zip(x, weight[k], strict=True)
            for a, b in np.ndindex(rows, columns)
        )
        return total if bias is None else f"{bias[k].area}+{total}"


def _flipped_formula(node: Node, xs: tuple[Grids, ...], own: dict[str, Grids], pick: int) -> CellFormula:
    return _write(node, _as(_Flipped, node.layer), xs, own)


def _flipped_values(node: Node, xs: Inputs, numbers: Values, pick: int) -> np.ndarray:
    return _run(node.layer, xs, numbers | {"weight": numbers["weight"][:, :, ::-1, ::-1]})


# -- a stride too small by one -----------------------------------------------------------------------------------------
def _strides(node: Node) -> bool:
    return _slides(node) and isinstance(node.layer, Sliding) and max(node.layer.stride) > 1


def _slower(node: Node) -> Layer:
    assert isinstance(node.layer, Sliding)
    return _with(node.layer, stride=[max(1, step - 1) for step in node.layer.stride])


def _stride_formula(node: Node, xs: tuple[Grids, ...], own: dict[str, Grids], pick: int) -> CellFormula:
    return _write(node, _slower(node), xs, own)


def _stride_values(node: Node, xs: Inputs, numbers: Values, pick: int) -> np.ndarray:
    return _run(_slower(node), xs, numbers)[:, : node.shape[1], : node.shape[2]]


# -- the wrong pooling -------------------------------------------------------------------------------------------------
def _other(node: Node) -> Layer:
    layer = node.layer
    assert isinstance(layer, MaxPool2d | AvgPool2d)
    settings: dict[str, Any] = {key: getattr(layer, key) for key in ("kernel_size", "stride", "padding", "ceil_mode")}
    return AvgPool2d(**settings, count_include_pad=False) if isinstance(layer, MaxPool2d) else MaxPool2d(**settings)


def _pooling_formula(node: Node, xs: tuple[Grids, ...], own: dict[str, Grids], pick: int) -> CellFormula:
    return _write(node, _other(node), xs, own)


def _pooling_values(node: Node, xs: Inputs, numbers: Values, pick: int) -> np.ndarray:
    return _run(_other(node), xs, {})


def _many(node: Node) -> bool:
    return _plain(node) and node.in_shapes[0][0] > 1


def _unchanged(node: Node, xs: Inputs, numbers: Values, pick: int) -> np.ndarray:
    return _run(node.layer, xs, numbers)


def _right(node: Node, xs: tuple[Grids, ...], own: dict[str, Grids], pick: int) -> CellFormula:
    return _write(node, node.layer, xs, own)


TYPED = "typed_number"
MISTAKES: dict[str, MistakeKind] = {
    "relu_before_sum": MistakeKind("ReLU acts on each channel, before the sum", _relu_fits, _relu_formula, _relu_values),
    "bias_per_channel": MistakeKind(
        "the bias is added once for each channel",
        lambda node: _many(node) and getattr(node.layer, "bias", False),
        _bias_formula,
        _bias_values,
    ),
    "missing_channel": MistakeKind("one channel is left out of the sum", _many, _missing_formula, _missing_values),
    "shifted_window": MistakeKind("the window is shifted by one cell", _slides, _shifted_formula, _shifted_values),
    "flipped_kernel": MistakeKind("the kernel is turned around", _flips, _flipped_formula, _flipped_values),
    "wrong_stride": MistakeKind("the stride is too small by one", _strides, _stride_formula, _stride_values),
    "max_for_average": MistakeKind(
        "the largest cell is taken instead of the average",
        lambda node: isinstance(node.layer, AvgPool2d),
        _pooling_formula,
        _pooling_values,
    ),
    "average_for_max": MistakeKind(
        "the average is taken instead of the largest cell",
        lambda node: isinstance(node.layer, MaxPool2d) and node.layer.dilation == (1, 1),
        _pooling_formula,
        _pooling_values,
    ),
    TYPED: MistakeKind("a number was typed over a formula", lambda node: True, _right, _unchanged),
}
