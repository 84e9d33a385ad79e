"""Normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...arrays.array import shape_text
from ..file import Node, UnsupportedError
from ..reading import Reading
from ..values import Cells, Result, Value
from .registry import axis_of, operator


@operator("BatchNormalization")
def batch_norm(read: Reading, node: Node) -> Result:
    """batch_norm2d; on a vector each number is a map of one cell."""
    x = read.value(node, 0)
    if node.get("training_mode", 0) or (read.opset < 7 and not node.get("is_test", 0)):
        raise UnsupportedError("it is in training mode; export the model with eval()")
    if not node.get("spatial", 1):
        raise UnsupportedError("spatial = 0 is not what batch_norm2d does")
    layer = _maps(read, x)
    keys = ("weight", "bias", "running_mean", "running_var")
    weights = {key: read.weight(node, n) for n, key in enumerate(keys, start=1)}
    made = read.plan.add("batch_norm2d", layer, name=read.name(node), weights=weights, eps=node.get("epsilon", 1e-5))
    return Value(x.shape, lambda: Cells(made))


@operator("InstanceNormalization")
def instance_norm(read: Reading, node: Node) -> Result:
    """Over a tensor whose channels are groups of a layer's maps it is group normalisation, as PyTorch exports it."""
    x = read.value(node, 0)
    if len(x.shape) < 3 or x.shape[0] != 1:
        raise UnsupportedError(f"it reads {shape_text(x.shape)}; one picture with channels is needed")
    groups = x.shape[1]
    weight, bias = (read.weight(node, n) for n in (1, 2))

    def draw() -> Cells:
        layer = _grouped(read, node, x)
        alike = read.plan.steps[layer].shape[0] == groups
        kind, settings = ("instance_norm2d", {}) if alike else ("group_norm", {"num_groups": groups})
        return Cells(_normalized(read, node, kind, layer, weight, bias, settings))

    return Value(x.shape, draw)


def _grouped(read: Reading, node: Node, x: Value) -> int:
    """The maps whose groups are the channels of a tensor: those that its reader takes them for again, or the tensor's own."""
    for reader in read.readers.get(node.outputs[0], ()):
        made = read.result(reader.outputs[0]) if reader.operator == "Reshape" else None
        shape = made.shape if isinstance(made, Value) else ()
        if len(shape) == 4 and shape[0] == 1 and shape[1] % x.shape[1] == 0:
            return read.plan.maps(read.reshaped(x, shape))
    if x.base is None and x.cells.order is None:
        shape = read.plan.steps[x.cells.layer].shape
        if len(shape) == 3 and shape[0] % x.shape[1] == 0:
            return x.cells.layer
    return _maps(read, x)


def _maps(read: Reading, x: Value) -> int:
    """The maps of a tensor of any number of axes: what depth there is in one map, one below the other."""
    if len(x.shape) < 2 or x.shape[0] != 1:
        raise UnsupportedError(f"it reads {shape_text(x.shape)}; one picture with channels is needed")
    rows, columns = int(np.prod(x.shape[2:-1])), x.shape[-1] if len(x.shape) > 2 else 1
    return read.plan.maps(read.reshaped(x, (1, x.shape[1], rows, columns)))


@operator("GroupNormalization")
def group_norm(read: Reading, node: Node) -> Result:
    """group_norm."""
    x = read.value(node, 0)
    layer, settings = _maps(read, x), {"num_groups": node.get("num_groups", 1)}
    weight, bias = (read.weight(node, n) for n in (1, 2))
    return Value(x.shape, lambda: Cells(_normalized(read, node, "group_norm", layer, weight, bias, settings)))


def _normalized(
    read: Reading, node: Node, kind: str, layer: int, weight: np.ndarray, bias: np.ndarray, settings: dict[str, Any]
) -> int:
    channels = read.plan.steps[layer].shape[0]
    weights = {}
    if (weight != 1).any() or (bias != 0).any():  # one for each channel, or (opset 18) one for each group
        weights = {"weight": np.repeat(weight, channels // len(weight)), "bias": np.repeat(bias, channels // len(bias))}
    settings |= {"eps": node.get("epsilon", 1e-5), "affine": bool(weights)}
    return read.plan.add(kind, layer, name=read.name(node), weights=weights, **settings)


@operator("LayerNormalization")
def layer_norm(read: Reading, node: Node) -> Result:
    """layer_norm over the last axis, or a vector; over whole pictures group_norm, and what else is fitting for their cells."""
    x = read.value(node, 0)
    rank = len(x.shape)
    axis = axis_of(node.get("axis", -1), rank)
    if any(name and read.is_used(name) for name in node.outputs[1:]):
        raise UnsupportedError("sheetcnn has the normalised cells, not their mean and deviation (outputs 2 and 3)")
    size = x.shape[axis:]
    scale = np.broadcast_to(read.weight(node, 1), size).reshape(-1)
    given = read.optional_weight(node, 2)
    bias = np.zeros(scale.shape) if given is None else np.broadcast_to(given, size).reshape(-1)
    plain = bool((scale == 1).all() and (bias == 0).all())
    weights = {} if plain else {"weight": scale, "bias": bias}
    settings = {"eps": node.get("epsilon", 1e-5), "affine": not plain}
    flat = read.reshaped(x, (*x.shape[:axis], int(np.prod(size))))
    if int(np.prod(x.shape[:axis])) == 1:
        layer = read.plan.view(read.plan.settled(flat), (len(scale),))
        made = read.plan.add("layer_norm", layer, name=read.name(node), weights=weights, **settings)
        return Value(x.shape, lambda: Cells(made))
    layer, back = read.with_channels(flat, axis)
    return read.reshaped(
        back(read.plan.add("layer_norm", layer, name=read.name(node), weights=weights, **settings)), x.shape
    )


@operator("LRN")
def lrn(read: Reading, node: Node) -> Result:
    """lrn, which looks at the same neighbours where their number is odd."""
    if (size := node.get("size", 0)) % 2 == 0:
        raise UnsupportedError(f"size {size} is even; then ONNX and lrn look at different neighbours")
    settings = {"size": size, "alpha": node.get("alpha", 1e-4), "beta": node.get("beta", 0.75), "k": node.get("bias", 1.0)}
    return read.drawn(node, "lrn", read.plan.maps(read.value(node, 0)), **settings)
