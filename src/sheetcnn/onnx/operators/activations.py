"""Activations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...arrays.array import shape_text
from ...layers import LAYERS
from ..curves import LARGEST, UNIT, curve_of
from ..file import Node, UnsupportedError
from ..plan import layer_of
from ..reading import Reading
from ..values import Cells, Result, Value
from .registry import axis_of, operator


def _activation(name: str, kind: str, **renamed: tuple[str, float]) -> None:
    """An operator that is an activation; `renamed` has, by the layer's setting, ONNX's attribute and its default."""

    @operator(name)
    def read_it(read: Reading, node: Node) -> Result:
        settings = {setting: node.get(given, default) for setting, (given, default) in renamed.items()}
        return _curve(read, node, kind, settings)


_activation("Relu", "relu")
_activation("LeakyRelu", "leaky_relu", negative_slope=("alpha", 0.01))
_activation("Elu", "elu", alpha=("alpha", 1.0))
_activation("Mish", "mish")
_activation("Softplus", "softplus")
_activation("Softsign", "softsign")
_activation("Sigmoid", "sigmoid")
_activation("HardSwish", "hard_swish")
_activation("Tanh", "tanh")


@operator("HardSigmoid")
def hard_sigmoid(read: Reading, node: Node) -> Result:
    """hard_sigmoid; a sixth in single precision is meant as a sixth."""
    alpha, beta = node.get("alpha", 0.2), node.get("beta", 0.5)
    return _curve(
        read, node, "hard_sigmoid", {"alpha": 1 / 6 if np.float32(alpha) == np.float32(1 / 6) else alpha, "beta": beta}
    )


@operator("ThresholdedRelu")
def thresholded_relu(read: Reading, node: Node) -> Result:
    """threshold, below which all is 0."""
    return _curve(read, node, "threshold", {"threshold": node.get("alpha", 1.0), "value": 0.0})


@operator("Gelu")
def gelu(read: Reading, node: Node) -> Result:
    """gelu, exact or with tanh."""
    approximate = node.get("approximate", "none")
    return _curve(read, node, "gelu", {"approximate": approximate} if approximate != "none" else {})


@operator("Selu")
def selu(read: Reading, node: Node) -> Result:
    """selu; with constants of its own, elu and a factor."""
    alpha, gamma = node.get("alpha", 1.6732632), node.get("gamma", 1.050701)
    scale, least = LAYERS["selu"]().forward(np.array([1.0, -1e3]))
    if abs(alpha * scale / -least - 1) < 2 * UNIT and abs(gamma / scale - 1) < 2 * UNIT:
        return _curve(read, node, "selu", {})
    x = read.value(node, 0)
    made = read.plan.add("elu", x.cells.layer, name=read.name(node), alpha=alpha)
    scaled = read.plan.affine(made, "weight", np.full(read.plan.steps[made].shape, gamma))
    return Value(x.shape, lambda: Cells(scaled, x.cells.order))


@operator("Shrink")
def shrink(read: Reading, node: Node) -> Result:
    """shrink."""
    return _curve(read, node, "shrink", {"lambd": node.get("lambd", 0.5), "shift": node.get("bias", 0.0)})


@operator("Celu")
def celu(read: Reading, node: Node) -> Result:
    """elu; with a constant of its own, of x over it, times it."""
    x, alpha = read.value(node, 0), node.get("alpha", 1.0)
    if alpha == 1:
        return _curve(read, node, "elu", {})
    plan, name, shape = read.plan, read.name(node), read.plan.steps[x.cells.layer].shape
    made = plan.add("elu", plan.affine(x.cells.layer, "std", np.full(shape, alpha), name), name=name)
    scaled = plan.affine(made, "weight", np.full(shape, alpha))
    return Value(x.shape, lambda: Cells(scaled, x.cells.order))


@operator("Swish")
def swish(read: Reading, node: Node) -> Result:
    """silu."""
    if node.get("alpha", 1.0) != 1:
        raise UnsupportedError(f"silu has alpha 1, not {node.get('alpha')}")
    return _curve(read, node, "silu", {})


@operator("Clip")
def clip(read: Reading, node: Node) -> Result:
    """relu6, relu or clip, whatever the bounds say."""
    low, high = (
        node.get(name, default) if (given := read.optional_weight(node, n)) is None else float(given.reshape(-1)[0])
        for n, (name, default) in enumerate((("min", -LARGEST), ("max", LARGEST)), start=1)
    )
    low, high = max(low, -LARGEST), min(high, LARGEST)
    if (low, high) == (0, 6):
        return _curve(read, node, "relu6", {})
    if low == 0 and high >= LARGEST:
        return _curve(read, node, "relu", {})
    return _curve(read, node, "clip", {"min_val": min(low, high), "max_val": high})


def _curve(read: Reading, node: Node, kind: str, settings: dict[str, Any]) -> Result:
    """An activation; what it computes is followed, since it may be a piece of another."""
    x = read.value(node, 0)
    layer_of(kind, settings)  # settings that are none are refused now, whoever draws it

    def draw() -> Cells:
        return Cells(read.plan.add(kind, x.cells.layer, name=read.name(node), **settings), x.cells.order)

    return read.piece(node, x.shape, draw, [x], lambda c: curve_of(kind, (c,), tuple(settings.items())), whole=True)


@operator("PRelu")
def prelu(read: Reading, node: Node) -> Result:
    """prelu, with one slope for all or one for each channel."""
    x, slope = read.value(node, 0), read.weight(node, 1)
    if read.opset < 7 and slope.ndim == 1 and len(slope) > 1:
        slope = slope.reshape(-1, *[1] * (len(x.shape) - 2))
    if (slope == slope.flat[0]).all():
        made = read.plan.add("prelu", x.cells.layer, name=read.name(node), weights={"weight": slope.reshape(-1)[:1]})
        return Value(x.shape, lambda: Cells(made, x.cells.order))
    layer, slopes, back = _channels(read, x, slope)
    return back(read.plan.add("prelu", layer, name=read.name(node), weights={"weight": slopes}, num_parameters=len(slopes)))


def _channels(read: Reading, x: Value, slope: np.ndarray) -> tuple[int, np.ndarray, Callable[[int], Value]]:
    """The maps whose channels have a slope each, the slopes, and what makes a tensor of such maps again."""
    layer, order, given = x.cells.layer, x.cells.order, read.plan.constant(x, slope)
    try:
        slopes = read.plan.per_channel(given, read.plan.steps[layer].shape)
        return layer, slopes, lambda made: Value(x.shape, lambda: Cells(made, order))
    except UnsupportedError:
        for axis, size in enumerate(x.shape):  # maps of a layer may be rows of the tensor's maps
            each = np.moveaxis(np.broadcast_to(slope, x.shape), axis, 0).reshape(size, -1)
            if (each == each[:, :1]).all():
                turned, back = read.with_channels(x, axis)
                return turned, each[:, 0], back
        raise


@operator("Softmax", "LogSoftmax")
def softmax(read: Reading, node: Node) -> Result:
    """softmax or log_softmax, over channels or a vector."""
    x = read.value(node, 0)
    axis = axis_of(node.get("axis", 1 if read.opset < 13 else -1), len(x.shape))
    before, after = int(np.prod(x.shape[:axis])), int(np.prod(x.shape[axis + 1 :]))
    if read.opset < 13:  # then over all axes from this one on
        after = 1
    kind = "softmax" if node.operator == "Softmax" else "log_softmax"
    if before != 1:
        if read.opset < 13 and axis < len(x.shape) - 1:
            raise UnsupportedError(
                f"over all axes from {axis} on of {shape_text(x.shape)} it is not over channels, nor over a vector"
            )
        layer, back = read.with_channels(x, axis)
        return back(read.plan.add(kind, layer, name=read.name(node)))
    layer = read.plan.settled(x)
    size = int(np.prod(x.shape)) // after
    shape = read.plan.steps[layer].shape
    if len(shape) != 3 or shape[0] != size or len(x.shape) <= 2:
        layer = read.plan.view(layer, (size,) if after == 1 else (size, after // x.shape[-1], x.shape[-1]))
    made = read.plan.add(kind, layer, name=read.name(node))
    return Value(x.shape, lambda: Cells(made))
