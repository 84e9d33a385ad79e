"""Sums, products and fully connected layers; pieces of activations."""

from __future__ import annotations

from functools import reduce

import numpy as np

from ...arrays.array import Shape, shape_text
from ..curves import PIECES, Curve, curve_of
from ..file import Node, PieceError, UnsupportedError
from ..reading import Reading
from ..values import Cells, Result, Value, stacked
from .registry import axis_of, operator

_JOINTS = {"Add": "add", "Sum": "add", "Sub": "subtract", "Mul": "multiply", "Max": "maximum", "Min": "minimum"}
_STAGES = {"Add": "bias", "Sub": "mean", "Mul": "weight", "Div": "std", "Sum": "bias"}


@operator("Add", "Sub", "Mul", "Div", "Sum", "Pow", "Max", "Min")
def arithmetic(read: Reading, node: Node) -> Result:
    """A joint of layers, a constant for each channel, or a piece of an activation."""
    operands = [read.operand(node, n) for n in range(len(node.inputs))]
    if len(operands) == 1:
        return operands[0]
    values = [one for one in operands if isinstance(one, Value)]
    rank = max(len(one.shape) for one in operands)
    if read.opset < 7 and node.get("broadcast", 0) and "axis" in node.attributes:
        second = operands[1]
        shape = (*second.shape, *[1] * (rank - axis_of(node.get("axis"), rank) - len(second.shape)))
        operands[1] = second.reshape(shape) if isinstance(second, np.ndarray) else read.reshaped(second, shape)
        values = [one for one in operands if isinstance(one, Value)]
    try:
        shape = np.broadcast_shapes(*(one.shape for one in operands))
    except ValueError:
        raise UnsupportedError(f"{' and '.join(shape_text(one.shape) for one in operands)} do not fit") from None

    def draw() -> Cells:
        if len(values) == len(operands) and node.operator in _JOINTS:
            return _joined(read, node, values, shape)
        if len(operands) == 2 and len(values) == 1 and node.operator in _STAGES:
            return _with_constant(read, node, *operands)
        raise PieceError()

    function = "Add" if node.operator == "Sum" else node.operator

    def follow(*curves: Curve | float) -> Curve | float:
        return reduce(lambda one, other: curve_of(function, (one, other)), curves)

    return read.piece(node, shape, draw, operands, follow)


@operator("Neg")
def negative(read: Reading, node: Node) -> Result:
    """A factor of −1, or a piece of an activation."""
    x = read.value(node, 0)

    def draw() -> Cells:
        minus = read.plan.constant(x, np.array(-1.0))
        return Cells(read.plan.affine(x.cells.layer, "weight", minus, read.name(node)), x.cells.order)

    return read.piece(node, x.shape, draw, [x], lambda c: curve_of("Neg", (c,)))


@operator(*PIECES)
def piece(read: Reading, node: Node) -> Result:
    """What is no layer, but may be a piece of an activation."""
    operands = [read.operand(node, n) for n in range(len(node.inputs))]

    def draw() -> Cells:
        raise PieceError()

    shape = next(one.shape for one in operands if isinstance(one, Value))
    return read.piece(node, shape, draw, operands, lambda *cs: curve_of(node.operator, cs))


def _with_constant(read: Reading, node: Node, first: Result, second: Result) -> Cells:
    """A layer and a constant for each of its channels; the constant may come first."""
    x, given, swapped = (second, first, True) if isinstance(first, np.ndarray) else (first, second, False)
    assert isinstance(x, Value)
    assert isinstance(given, np.ndarray)
    plan, name = read.plan, read.name(node)
    layer, constant = x.cells.layer, plan.constant(x, given)
    if given.size > 1 and len(x.shape) <= 2:  # each number of a vector has its own
        layer, constant = plan.view(layer, (constant.size,)), constant.reshape(-1)
    if not np.isfinite(constant).all() or (node.operator == "Div" and not constant.all()):
        raise UnsupportedError("its constant holds 0, NaN or infinity")
    if swapped and node.operator == "Div":
        raise UnsupportedError("it divides a constant by a layer, which no layer does")
    stage = _STAGES[node.operator]
    flat = constant.reshape(len(constant), -1)
    if (flat != flat[:, :1]).any():
        return Cells(_cellwise(read, node, layer, constant.astype(float), swapped), x.cells.order)
    if swapped and node.operator == "Sub":
        layer, stage = plan.affine(layer, "weight", np.full(constant.shape, -1.0), name), "bias"
    return Cells(plan.affine(layer, stage, constant, name), x.cells.order)


def _cellwise(read: Reading, node: Node, layer: int, constant: np.ndarray, swapped: bool) -> int:
    """A layer with a number of its own for each cell."""
    plan, name = read.plan, read.name(node)
    if swapped and node.operator == "Sub":
        layer = plan.affine(layer, "weight", np.full(constant.shape, -1.0), name)
    elif node.operator in ("Sub", "Div"):
        constant = -constant if node.operator == "Sub" else 1 / constant
    operation = "multiply" if node.operator in ("Mul", "Div") else "add"
    return plan.add("cellwise", layer, name=name, weights={"weight": constant}, operation=operation)


def _joined(read: Reading, node: Node, values: list[Value], shape: Shape) -> Cells:
    plan, kind, name = read.plan, _JOINTS[node.operator], read.name(node)
    cells = [value.cells for value in values]
    first = cells[0]
    alike = all(
        value.shape == shape
        and plan.steps[one.layer].shape == plan.steps[first.layer].shape
        and _same(one.order, first.order)
        for value, one in zip(values, cells, strict=True)
    )
    if alike:
        return Cells(plan.add(kind, *(one.layer for one in cells), name=name), first.order)
    tensors = [read.reshaped(value, (*[1] * (len(shape) - len(value.shape)), *value.shape)) for value in values]
    if any(one.cells.order is not None and plan.last(one.cells, one.shape) for one in tensors):  # channels come last
        found = [read.with_channels(one, len(shape) - 1) for one in tensors]
        whole = next((back for (_, back), one in zip(found, tensors, strict=True) if one.shape[:-1] == shape[:-1]), None)
        if whole is not None:
            return whole(plan.add(kind, *(layer for layer, _ in found), name=name)).cells
    layers = []
    for value in tensors:
        own = value.shape[1:] if len(shape) > 1 and shape[0] == 1 else value.shape
        layers.append(plan.view(plan.settled(value), own if len(own) == 1 else stacked((1, *own))))
    made = plan.add(kind, *layers, name=name)
    if int(np.prod(plan.steps[made].shape)) != int(np.prod(shape)):
        raise UnsupportedError(f"{' and '.join(shape_text(value.shape) for value in values)} are joined as no layer does")
    return Cells(made)


def _same(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    return one is other or (one is not None and other is not None and np.array_equal(one, other))


# -- fully connected ---------------------------------------------------------------------------------------------------


@operator("Gemm")
def gemm(read: Reading, node: Node) -> Result:
    """linear, with alpha, beta and the transposition folded into its weights."""
    weight = read.weight(node, 1)
    if weight.ndim != 2:
        raise UnsupportedError(f"its weight is {shape_text(weight.shape)}, not a matrix")
    weight = weight if node.get("transB", 0) else weight.T
    if (alpha := node.get("alpha", 1.0)) != 1:
        weight = weight * alpha
    bias = read.optional_weight(node, 2)
    if bias is not None and bias.size not in (1, len(weight)):
        raise UnsupportedError(f"it adds {shape_text(bias.shape)} to {len(weight)} numbers")
    beta = node.get("beta", 1.0)
    if bias is not None:
        bias = np.broadcast_to(bias.reshape(-1) * beta, (len(weight),)).copy()
    x = read.value(node, 0)
    if node.get("transA", 0):
        x = read.transposed(x, (1, 0))
    if len(x.shape) != 2:
        raise UnsupportedError(f"it reads {shape_text(x.shape)}; the vector of one picture is needed")
    if x.shape[0] != 1:
        return _mixed(read, node, x, 1, weight, bias)
    return _linear(read, node, x, weight, bias, (1, len(weight)))


@operator("MatMul")
def matmul(read: Reading, node: Node) -> Result:
    """linear without a bias; of more than one vector a convolution of 1×1."""
    if isinstance(given := read.operand(node, 0), np.ndarray):
        x, weight = read.value(node, 1), read.weight(node, 0)
        if given.ndim != 2 or len(x.shape) < 2 or x.shape[-2] != given.shape[1]:
            raise UnsupportedError(f"{shape_text(given.shape)} times {shape_text(x.shape)} is not a matrix times vectors")
        return _mixed(read, node, x, len(x.shape) - 2, weight, None)
    x, weight = read.value(node, 0), read.weight(node, 1)
    if weight.ndim != 2 or x.shape[-1:] != weight.shape[:1]:
        raise UnsupportedError(f"{shape_text(x.shape)} times {shape_text(weight.shape)} is not vectors times a matrix")
    if int(np.prod(x.shape[:-1])) != 1:
        return _mixed(read, node, x, len(x.shape) - 1, weight.T, None)
    return _linear(read, node, x, weight.T, None, (*x.shape[:-1], weight.shape[1]))


def _mixed(read: Reading, node: Node, x: Value, axis: int, weight: np.ndarray, bias: np.ndarray | None) -> Result:
    """What is fully connected along one axis of several: a convolution of 1×1, whose channels are that axis."""
    layer, back = read.with_channels(x, axis)
    weights = {"weight": weight[:, :, None, None]} | ({} if bias is None else {"bias": bias})
    settings = {"out_channels": len(weight), "kernel_size": [1, 1], "padding": [0] * 4}
    settings |= {} if bias is not None else {"bias": False}
    return back(read.plan.add("conv2d", layer, name=read.name(node), weights=weights, **settings))


def _linear(read: Reading, node: Node, x: Value, weight: np.ndarray, bias: np.ndarray | None, shape: Shape) -> Result:
    """A fully connected layer; where its input was transposed, its columns are put in the layer's own order instead."""
    cells = x.cells
    flattens = x.node is not None and x.node.operator in ("Flatten", "Reshape")
    layer = read.plan.view(cells.layer, (int(np.prod(x.shape)),), read.name(x.node) if flattens and x.node else "")
    if cells.order is not None and len(cells.order) == weight.shape[1]:
        turned = np.empty_like(weight)
        turned[:, cells.order] = weight
        weight = turned
    weights = {"weight": weight} | ({} if bias is None else {"bias": bias})
    settings = {"out_features": len(weight)} | ({} if bias is not None else {"bias": False})
    made = read.plan.add("linear", layer, name=read.name(node), weights=weights, **settings)
    return Value(shape, lambda: Cells(made))
