"""Convolution and pooling."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ...arrays.array import shape_text
from ..file import Node, UnsupportedError
from ..reading import Reading
from ..values import Cells, Result, Value
from .registry import axis_of, operator


@operator("Conv")
def conv(read: Reading, node: Node) -> Result:
    """A convolution: conv2d, or conv3d for weights of five axes."""
    x, weight = read.value(node, 0), read.weight(node, 1)
    if weight.ndim == 3:
        flat, maps = _of_one_row(read, node, x)
        return _as_row(read, _conv(read, flat, maps, weight[:, :, None]))
    return _conv(read, node, x, weight)


def _conv(read: Reading, node: Node, x: Value, weight: np.ndarray) -> Value:
    settings = {"out_channels": weight.shape[0], "kernel_size": list(weight.shape[2:])}
    weights = {"weight": weight}
    if (bias := read.optional_weight(node, 2)) is not None:
        weights["bias"] = bias
    else:
        settings["bias"] = False
    if weight.ndim == 5:
        return _conv3d(read, node, x, settings, weights)
    _two_dimensional(weight.ndim - 2)
    if (groups := node.get("group", 1)) != 1:
        settings["groups"] = groups
    rows, columns = x.shape[2:] if len(x.shape) == 4 else (1, 1)
    settings |= _window(node, (rows, columns), weight.shape[2:])
    return read.drawn(node, "conv2d", read.plan.maps(x), weights=weights, **settings)


def _conv3d(read: Reading, node: Node, x: Value, settings: dict[str, Any], weights: dict[str, np.ndarray]) -> Value:
    if len(x.shape) != 5 or x.shape[0] != 1:
        raise UnsupportedError(f"it reads {shape_text(x.shape)}; conv3d needs one volume with channels")
    channels, depth, rows, columns = x.shape[1:]
    settings |= {"in_channels": channels, "groups": node.get("group", 1)}
    settings |= _window(node, (depth, rows, columns), weights["weight"].shape[2:])
    layer = read.plan.view(read.plan.settled(x), (channels * depth, rows, columns))
    made = read.plan.add("conv3d", layer, name=read.name(node), weights=weights, **settings)
    maps, *sides = read.plan.steps[made].shape
    filters = settings["out_channels"]
    return Value((1, filters, maps // filters, *sides), lambda: Cells(made))


@operator("ConvTranspose")
def conv_transpose(read: Reading, node: Node) -> Result:
    """conv_transpose2d, its padding worked out where an output shape is given."""
    x, weight = read.value(node, 0), read.weight(node, 1)
    if weight.ndim == 3:
        flat, maps = _of_one_row(read, node, x)
        return _as_row(read, _conv_transpose(read, flat, maps, weight[:, :, None]))
    return _conv_transpose(read, node, x, weight)


def _conv_transpose(read: Reading, node: Node, x: Value, weight: np.ndarray) -> Value:
    _two_dimensional(weight.ndim - 2)
    layer = read.plan.maps(x)
    groups, stride, dilation = node.get("group", 1), node.get("strides", [1, 1]), node.get("dilations", [1, 1])
    extra = list(node.get("output_padding", [0, 0]))
    pads = list(node.get("pads", [0] * 4))
    auto, wanted = node.get("auto_pad", "NOTSET"), node.get("output_shape")
    if auto.startswith("SAME") and not wanted:
        wanted = [size * s for size, s in zip(x.shape[2:], stride, strict=True)]
    for a in (0, 1) if wanted else ():
        reach = dilation[a] * (weight.shape[2 + a] - 1) + 1
        total = stride[a] * (x.shape[2 + a] - 1) + extra[a] + reach - wanted[-2:][a]
        extra[a] += max(0, -total)
        less = max(0, total) // 2
        pads[a], pads[2 + a] = (less, max(0, total) - less) if auto == "SAME_UPPER" else (max(0, total) - less, less)
    settings = {"out_channels": weight.shape[1] * groups, "kernel_size": list(weight.shape[2:]), "stride": stride}
    settings |= {"padding": pads, "output_padding": extra, "dilation": dilation, "groups": groups}
    weights = {"weight": weight}
    if (bias := read.optional_weight(node, 2)) is not None:
        weights["bias"] = bias
    else:
        settings["bias"] = False
    return read.drawn(node, "conv_transpose2d", layer, weights=weights, **settings)


@operator("MaxPool")
def max_pool(read: Reading, node: Node) -> Result:
    """max_pool2d."""
    if len(node.outputs) > 1 and read.is_used(node.outputs[1]):
        raise UnsupportedError("sheetcnn has the largest cells, not their places (output Indices)")
    return _pooling(read, node, "max_pool2d", {})


@operator("AveragePool")
def average_pool(read: Reading, node: Node) -> Result:
    """avg_pool2d, which counts padding only where the model says so."""
    return _pooling(read, node, "avg_pool2d", {"count_include_pad": bool(node.get("count_include_pad", 0))})


def _pooling(read: Reading, node: Node, kind: str, settings: dict[str, Any]) -> Result:
    x, size = read.value(node, 0), node.get("kernel_shape", [])
    if len(size) == 1:
        flat, maps = _of_one_row(read, node, x)
        return _as_row(read, _pooled(read, flat, maps, kind, settings))
    if len(size) == 3:
        return _pooled_volume(read, node, x, kind, settings)
    return _pooled(read, node, x, kind, settings)


def _pooled(read: Reading, node: Node, x: Value, kind: str, settings: dict[str, Any]) -> Value:
    size = node.get("kernel_shape", [])
    _two_dimensional(len(size))
    layer = read.plan.maps(x)
    given = {"kernel_size": size, "stride": [1, 1]} | _window(node, x.shape[2:], size)
    if node.get("ceil_mode", 0):
        given["ceil_mode"] = True
    if kind == "avg_pool2d" and "dilation" in given:
        return _dilated_mean(read, node, layer, settings | given)
    return read.drawn(node, kind, layer, **settings | given)


def _dilated_mean(read: Reading, node: Node, layer: int, given: dict[str, Any]) -> Value:
    """A mean of cells that lie apart: a depthwise convolution, each weight of which is a share of 1."""
    channels, *sides = read.plan.steps[layer].shape
    if any(given["padding"]) and not given["count_include_pad"]:
        raise UnsupportedError("a mean of cells that lie apart counts its padding here; export it with count_include_pad")
    size, stride, dilation = given["kernel_size"], given["stride"], given["dilation"]
    for n, side in enumerate(sides):
        room = side + given["padding"][n] + given["padding"][2 + n] - dilation[n] * (size[n] - 1) - 1
        if given.get("ceil_mode") and room % stride[n]:
            raise UnsupportedError("a mean of cells that lie apart has no ceil_mode here; export it without")
    weight = np.full((channels, 1, *size), 1 / int(np.prod(size)))
    settings = {key: given[key] for key in ("kernel_size", "stride", "dilation", "padding")}
    settings |= {"out_channels": channels, "groups": channels, "bias": False}
    return read.drawn(node, "conv2d", layer, weights={"weight": weight}, **settings)


def _pooled_volume(read: Reading, node: Node, x: Value, kind: str, settings: dict[str, Any]) -> Result:
    """Pooling of volumes: of rows and columns map by map, then of each volume's depth, which is laid along the rows."""
    if len(x.shape) != 5 or x.shape[0] != 1:
        raise UnsupportedError(f"it reads {shape_text(x.shape)}, but works along 3 dimensions")
    channels, depth, rows, columns = x.shape[1:]
    given = dict(node.attributes)
    size, stride = given["kernel_shape"], given.get("strides", [1] * 3)
    given["pads"] = _window(node, x.shape[2:], size)["padding"]
    given |= {"auto_pad": "NOTSET", "dilations": given.get("dilations", [1] * 3), "strides": stride}
    plane, line = dict(given), dict(given)
    for key, one in (("kernel_shape", 1), ("strides", 1), ("dilations", 1)):
        plane[key], line[key] = given[key][1:], [given[key][0], one]
    front, top, left, back, bottom, right = given["pads"]
    plane["pads"], line["pads"] = [top, left, bottom, right], [front, 0, back, 0]
    made = x
    if plane["kernel_shape"] != [1, 1] or plane["strides"] != [1, 1]:
        maps = read.reshaped(x, (1, channels * depth, rows, columns))
        made = _pooled(read, replace(node, attributes=plane), maps, kind, dict(settings))
        rows, columns = made.shape[2:]
    if line["kernel_shape"] != [1, 1] or line["strides"] != [1, 1]:
        upright = read.reshaped(made, (1, channels, depth, rows * columns))
        made = _pooled(read, replace(node, attributes=line), upright, kind, dict(settings))
        depth = made.shape[2]
    return read.reshaped(made, (1, channels, depth, rows, columns))


def _two_dimensional(axes: int) -> None:
    if axes != 2:
        raise UnsupportedError(
            f"it works along {axes} dimension{'s' if axes != 1 else ''}; sheetcnn has maps of rows and columns"
        )


_ALONG = {"strides": 1, "dilations": 1, "kernel_shape": 1, "output_padding": 0, "output_shape": 1}


def _of_one_row(read: Reading, node: Node, x: Value) -> tuple[Node, Value]:
    """A node that works along one dimension, and what it reads, as one that works on maps of one row."""
    if len(x.shape) != 3:
        raise UnsupportedError(f"it reads {shape_text(x.shape)}, but works along 1 dimension")
    given = {key: [first, *node.get(key)] for key, first in _ALONG.items() if key in node.attributes}
    if "pads" in node.attributes:
        before, after = node.get("pads")
        given["pads"] = [0, before, 0, after]
    layer, _ = read.with_channels(x, 1)
    maps = Value((1, x.shape[1], 1, x.shape[2]), lambda: Cells(layer), node=x.node)
    return replace(node, attributes=node.attributes | given), maps


def _as_row(read: Reading, made: Value) -> Value:
    """Maps of one row as a tensor of one dimension."""
    return read.reshaped(made, (*made.shape[:2], made.shape[3]))


def _window(node: Node, size: tuple[int, ...], kernel: tuple[int, ...]) -> dict[str, Any]:
    """Stride, dilation and padding of a window, "same" padding worked out for the input's size."""
    axes = len(kernel)
    stride, dilation = node.get("strides", [1] * axes), node.get("dilations", [1] * axes)
    settings: dict[str, Any] = {}
    if set(stride) != {1}:
        settings["stride"] = stride
    if set(dilation) != {1}:
        settings["dilation"] = dilation
    auto = node.get("auto_pad", "NOTSET")
    pads = list(node.get("pads", [0] * 2 * axes)) if auto == "NOTSET" else [0] * 2 * axes
    if auto.startswith("SAME"):
        for a in range(axes):
            reach = dilation[a] * (kernel[a] - 1) + 1
            total = max((-(-size[a] // stride[a]) - 1) * stride[a] + reach - size[a], 0)
            less = total // 2
            pads[a], pads[axes + a] = (less, total - less) if auto == "SAME_UPPER" else (total - less, less)
    return settings | {"padding": pads}


@operator("GlobalAveragePool", "GlobalMaxPool")
def global_pool(read: Reading, node: Node) -> Result:
    """global_avg_pool2d or global_max_pool2d."""
    x = read.value(node, 0)
    return _whole_maps(read, node, x, tuple(range(2, len(x.shape))), True)


_MODES = {"Mean": "mean", "Max": "max", "Min": "min", "Sum": "sum"}


@operator(*(f"Reduce{name}" for name in _MODES))
def reduce(read: Reading, node: Node) -> Result:
    """Global pooling, pooling of whole rows or columns, or of all channels at each place."""
    x = read.value(node, 0)
    axes = node.get("axes") or read.optional_integers(node, 1)
    rank = len(x.shape)
    if not axes and node.get("noop_with_empty_axes", 0):
        return x
    over = tuple(sorted(axis_of(a, rank) for a in axes or range(rank)))
    keep = bool(node.get("keepdims", 1))
    if all(x.shape[a] == 1 for a in over):
        return read.reshaped(x, tuple(size for n, size in enumerate(x.shape) if n not in over)) if not keep else x
    out = tuple(1 if a in over else size for a, size in enumerate(x.shape) if keep or a not in over)
    return Value(out, lambda: _whole_maps(read, node, x, over, keep).cells)


def _whole_maps(read: Reading, node: Node, x: Value, axes: tuple[int, ...], keep: bool) -> Value:
    """What is made of whole maps, however the tensor is shaped; of their rows or columns; or of all channels at each place."""
    mode = "mean" if node.operator == "GlobalAveragePool" else "max" if node.operator == "GlobalMaxPool" else ""
    mode = mode or _MODES[node.operator.removeprefix("Reduce")]
    out = tuple(1 if a in axes else size for a, size in enumerate(x.shape) if keep or a not in axes)
    cells = _windows(read, node, x, axes, mode) if mode in ("mean", "max") else None
    if cells is not None:
        return Value(out, lambda: cells)
    # Axes beside each other become one, which is then that of the channels.
    rest = tuple(a for a in range(len(x.shape)) if a not in axes)
    beside = read.reshaped(
        read.transposed(x, (*rest, *axes)), (*(x.shape[a] for a in rest), int(np.prod([x.shape[a] for a in axes])))
    )
    layer, back = read.with_channels(beside, len(rest))
    return read.reshaped(back(read.plan.add("channel_pool", layer, name=read.name(node), mode=mode)), out)


def _windows(read: Reading, node: Node, x: Value, axes: tuple[int, ...], mode: str) -> Cells | None:
    """The mean or the largest of whole maps, rows or columns, or of all cells, where the axes are that."""
    plan, cells = read.plan, x.cells
    rest = [a for a in range(len(x.shape)) if a not in axes]
    places = np.arange(int(np.prod(x.shape))) if cells.order is None else cells.order
    groups = places.reshape(x.shape).transpose(*rest, *axes).reshape(int(np.prod([x.shape[a] for a in rest])), -1)
    shape = plan.steps[cells.layer].shape
    layer = cells.layer
    if len(shape) != 3 or len(groups) == 1:
        shape = (1, 1, len(places)) if len(shape) != 3 else (1, shape[0] * shape[1], shape[2])
        layer = plan.view(layer, shape)
    grid = np.arange(len(places)).reshape(shape)
    kind = "max" if mode == "max" else "avg"
    if groups.shape[1] == grid[0].size and (groups // grid[0].size == groups[:, :1] // grid[0].size).all():
        made = plan.add(f"global_{kind}_pool2d", layer, name=read.name(node))
        order = groups[:, 0] // grid[0].size
        return Cells(made, None if np.array_equal(order, np.arange(len(order))) else order)
    if np.array_equal(groups, grid.reshape(-1, shape[2])):
        return Cells(plan.add(f"{kind}_pool2d", layer, name=read.name(node), kernel_size=[1, shape[2]]))
    if np.array_equal(groups, grid.transpose(0, 2, 1).reshape(-1, shape[1])):
        return Cells(plan.add(f"{kind}_pool2d", layer, name=read.name(node), kernel_size=[shape[1], 1]))
    return None
