"""What each ONNX operator becomes: one small function for each, registered under the operator's name.

A function gets the reading at work and the node, and returns what the node's first output is: a constant, or a Value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..layers import LAYERS
from ..layers.base import Shape, shape_text
from ..network import MAX_CELLS
from .curves import LARGEST, PIECES, computed, of_layer
from .file import Node, UnsupportedError
from .plan import Cells, Value, stacked

if TYPE_CHECKING:
    from . import Reading

Result = np.ndarray | Value
Operator = Callable[["Reading", Node], Result]
OPERATORS: dict[str, Operator] = {}


def operator(*names: str) -> Callable[[Operator], Operator]:
    """Register a function under the names of the operators that it reads."""

    def register(function: Operator) -> Operator:
        OPERATORS.update(dict.fromkeys(names, function))
        return function

    return register


# -- convolution and pooling -------------------------------------------------------------------------------------------


@operator("Conv")
def conv(read: Reading, node: Node) -> Result:
    """A convolution: conv2d, or conv3d for weights of five axes."""
    x, weight = read.value(node, 0), read.weight(node, 1)
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


def _conv3d(read: Reading, node: Node, x: Value, settings: dict[str, Any], weights: dict[str, np.ndarray]) -> Result:
    pads = node.get("pads", [0] * 6)
    if node.get("group", 1) != 1:
        raise UnsupportedError("conv3d has no groups")
    if node.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID") or pads[:3] != pads[3:]:
        raise UnsupportedError("conv3d has the same padding on both sides only")
    if len(x.shape) != 5 or x.shape[0] != 1:
        raise UnsupportedError(f"it reads {shape_text(x.shape)}; conv3d needs one volume with channels")
    channels, depth, rows, columns = x.shape[1:]
    settings |= {"in_channels": channels, "stride": node.get("strides", [1] * 3), "padding": pads[:3]}
    settings["dilation"] = node.get("dilations", [1] * 3)
    layer = read.plan.view(read.plan.settled(x), (channels * depth, rows, columns))
    made = read.plan.add("conv3d", layer, name=read.name(node), weights=weights, **settings)
    maps, *sides = read.plan.steps[made].shape
    filters = settings["out_channels"]
    return Value((1, filters, maps // filters, *sides), lambda: Cells(made))


@operator("ConvTranspose")
def conv_transpose(read: Reading, node: Node) -> Result:
    """conv_transpose2d, its padding worked out where an output shape is given."""
    x, weight = read.value(node, 0), read.weight(node, 1)
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
    size = node.get("kernel_shape", [])
    _two_dimensional(len(size))
    x = read.value(node, 0)
    layer = read.plan.maps(x)
    settings |= {"kernel_size": size, "stride": [1, 1]} | _window(node, x.shape[2:], size)
    if node.get("ceil_mode", 0):
        settings["ceil_mode"] = True
    return read.drawn(node, kind, layer, **settings)


def _two_dimensional(axes: int) -> None:
    if axes != 2:
        raise UnsupportedError(
            f"it works along {axes} dimension{'s' if axes != 1 else ''}; sheetcnn has maps of rows and columns"
        )


def _window(node: Node, size: tuple[int, ...], kernel: tuple[int, ...]) -> dict[str, Any]:
    """Stride, dilation and padding of a window, "same" padding worked out for the input's size."""
    stride, dilation = node.get("strides", [1, 1]), node.get("dilations", [1, 1])
    settings: dict[str, Any] = {}
    if stride != [1, 1]:
        settings["stride"] = stride
    if dilation != [1, 1]:
        settings["dilation"] = dilation
    auto = node.get("auto_pad", "NOTSET")
    pads = list(node.get("pads", [0] * 4)) if auto == "NOTSET" else [0] * 4
    if auto.startswith("SAME"):
        for a in (0, 1):
            reach = dilation[a] * (kernel[a] - 1) + 1
            total = max((-(-size[a] // stride[a]) - 1) * stride[a] + reach - size[a], 0)
            less = total // 2
            pads[a], pads[2 + a] = (less, total - less) if auto == "SAME_UPPER" else (total - less, less)
    return settings | {"padding": pads}


@operator("GlobalAveragePool", "GlobalMaxPool")
def global_pool(read: Reading, node: Node) -> Result:
    """global_avg_pool2d or global_max_pool2d."""
    x = read.value(node, 0)
    return _whole_maps(read, node, x, tuple(range(2, len(x.shape))), keep=True)


@operator("ReduceMean", "ReduceMax")
def reduce(read: Reading, node: Node) -> Result:
    """Global pooling, or pooling of whole rows or columns."""
    x = read.value(node, 0)
    axes = node.get("axes") or read.optional_integers(node, 1)
    rank = len(x.shape)
    if not axes and node.get("noop_with_empty_axes", 0):
        return x
    return _whole_maps(read, node, x, tuple(sorted(_axis(a, rank) for a in axes or range(rank))), node.get("keepdims", 1))


def _whole_maps(read: Reading, node: Node, x: Value, axes: tuple[int, ...], keep: bool) -> Result:
    """The mean or the largest of whole maps, however the tensor is shaped; or of their rows, columns, or all cells."""
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
    kind = "max" if node.operator in ("GlobalMaxPool", "ReduceMax") else "avg"
    order = None
    if groups.shape[1] == grid[0].size and (groups // grid[0].size == groups[:, :1] // grid[0].size).all():
        made = plan.add(f"global_{kind}_pool2d", layer, name=read.name(node))
        order = groups[:, 0] // grid[0].size
    elif np.array_equal(groups, grid.reshape(-1, shape[2])):
        made = plan.add(f"{kind}_pool2d", layer, name=read.name(node), kernel_size=[1, shape[2]])
    elif np.array_equal(groups, grid.transpose(0, 2, 1).reshape(-1, shape[1])):
        made = plan.add(f"{kind}_pool2d", layer, name=read.name(node), kernel_size=[shape[1], 1])
    else:
        raise UnsupportedError(f"over axes {list(axes)} of {shape_text(x.shape)} it takes no whole maps, rows or columns")
    if order is not None and np.array_equal(order, np.arange(len(order))):
        order = None
    out = tuple(1 if a in axes else size for a, size in enumerate(x.shape) if keep or a not in axes)
    return Value(out, lambda: Cells(made, order))


# -- normalisation -----------------------------------------------------------------------------------------------------


@operator("BatchNormalization")
def batch_norm(read: Reading, node: Node) -> Result:
    """batch_norm2d; on a vector each number is a map of one cell."""
    x = read.value(node, 0)
    if node.get("training_mode", 0) or (read.opset < 7 and not node.get("is_test", 0)):
        raise UnsupportedError("it is in training mode; export the model with eval()")
    if not node.get("spatial", 1):
        raise UnsupportedError("spatial = 0 is not what batch_norm2d does")
    if len(x.shape) < 2 or x.shape[0] != 1:
        raise UnsupportedError(f"it reads {shape_text(x.shape)}; one picture with channels is needed")
    channels, sides = x.shape[1], stacked((1, *x.shape[2:]))
    shape = (
        channels,
        *((1, 1) if len(x.shape) == 2 else (1, *sides) if len(sides) == 1 else (sides[0] * sides[-2], sides[-1])),
    )
    if len(x.shape) > 4:  # depth and rows one below the other: they share their channel's numbers
        shape = (channels, int(np.prod(x.shape[2:-1])), x.shape[-1])
    keys = ("weight", "bias", "running_mean", "running_var")
    weights = {key: read.weight(node, n) for n, key in enumerate(keys, start=1)}
    layer = read.plan.view(read.plan.settled(x), shape)
    made = read.plan.add("batch_norm2d", layer, name=read.name(node), weights=weights, eps=node.get("epsilon", 1e-5))
    return Value(x.shape, lambda: Cells(made))


@operator("InstanceNormalization")
def instance_norm(read: Reading, node: Node) -> Result:
    """Over a tensor whose channels are groups of a layer's maps it is group normalisation, as PyTorch exports it."""
    x = read.value(node, 0)
    groups = x.shape[1] if len(x.shape) > 2 and x.shape[0] == 1 else 0
    layer = read.plan.settled(x)
    shape = read.plan.steps[layer].shape
    if not groups or len(shape) != 3 or shape[0] % groups:
        raise UnsupportedError(f"it reads {shape_text(x.shape)}; one picture with channels is needed")
    weight, bias = (read.weight(node, n) for n in (1, 2))
    kind, settings = ("instance_norm2d", {}) if shape[0] == groups else ("group_norm", {"num_groups": groups})
    return Value(x.shape, lambda: Cells(_normalized(read, node, kind, layer, weight, bias, settings)))


@operator("GroupNormalization")
def group_norm(read: Reading, node: Node) -> Result:
    """group_norm."""
    x = read.value(node, 0)
    layer, settings = read.plan.maps(x), {"num_groups": node.get("num_groups", 1)}
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


@operator("LRN")
def lrn(read: Reading, node: Node) -> Result:
    """lrn, which looks at the same neighbours where their number is odd."""
    if (size := node.get("size", 0)) % 2 == 0:
        raise UnsupportedError(f"size {size} is even; then ONNX and lrn look at different neighbours")
    settings = {"size": size, "alpha": node.get("alpha", 1e-4), "beta": node.get("beta", 0.75), "k": node.get("bias", 1.0)}
    return read.drawn(node, "lrn", read.plan.maps(read.value(node, 0)), **settings)


# -- activations -------------------------------------------------------------------------------------------------------


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
    return _curve(read, node, "hard_sigmoid", {"alpha": 1 / 6 if abs(alpha - 1 / 6) < 1e-7 else alpha, "beta": beta})


@operator("Gelu")
def gelu(read: Reading, node: Node) -> Result:
    """gelu, exact or with tanh."""
    approximate = node.get("approximate", "none")
    return _curve(read, node, "gelu", {"approximate": approximate} if approximate != "none" else {})


@operator("Selu")
def selu(read: Reading, node: Node) -> Result:
    """selu; with constants of its own, elu and a factor."""
    alpha, gamma = node.get("alpha", 1.6732632), node.get("gamma", 1.050701)
    if abs(alpha - 1.6732632) < 1e-5 and abs(gamma - 1.050701) < 1e-5:
        return _curve(read, node, "selu", {})
    x = read.value(node, 0)
    made = read.plan.add("elu", x.cells.layer, name=read.name(node), alpha=alpha)
    scaled = read.plan.affine(made, "weight", np.full(read.plan.steps[made].shape, gamma))
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
    if (low, high) == (0, 6):
        return _curve(read, node, "relu6", {})
    if low == 0 and high >= LARGEST:
        return _curve(read, node, "relu", {})
    return _curve(read, node, "clip", {"min_val": min(low, high), "max_val": high})


def _curve(read: Reading, node: Node, kind: str, settings: dict[str, Any]) -> Result:
    """An activation; what it computes is followed, since it may be a piece of another."""
    x = read.value(node, 0)

    def draw() -> Cells:
        return Cells(read.plan.add(kind, x.cells.layer, name=read.name(node), **settings), x.cells.order)

    return read.piece(node, x.shape, draw, [x], lambda y: of_layer(kind, settings, y), whole=True)


@operator("PRelu")
def prelu(read: Reading, node: Node) -> Result:
    """prelu, with one slope for all or one for each channel."""
    x, slope = read.value(node, 0), read.weight(node, 1)
    if read.opset < 7 and slope.ndim == 1 and len(slope) > 1:
        slope = slope.reshape(-1, *[1] * (len(x.shape) - 2))
    channels = read.plan.steps[x.cells.layer].shape[0]
    if slope.size > 1:
        slope = read.plan.per_channel(read.plan.constant(x, slope), read.plan.steps[x.cells.layer].shape)
    slope = slope.reshape(-1)
    count = 1 if (slope == slope[0]).all() else channels
    made = read.plan.add(
        "prelu", x.cells.layer, name=read.name(node), weights={"weight": slope[:count]}, num_parameters=count
    )
    return Value(x.shape, lambda: Cells(made, x.cells.order))


@operator("Softmax", "LogSoftmax")
def softmax(read: Reading, node: Node) -> Result:
    """softmax or log_softmax, over channels or a vector."""
    x = read.value(node, 0)
    axis = _axis(node.get("axis", 1 if read.opset < 13 else -1), len(x.shape))
    before, after = int(np.prod(x.shape[:axis])), int(np.prod(x.shape[axis + 1 :]))
    if read.opset < 13:  # then over all axes from this one on
        after = 1
    if before != 1:
        raise UnsupportedError(f"over axis {axis} of {shape_text(x.shape)} it is not over channels, nor over a vector")
    kind = "softmax" if node.operator == "Softmax" else "log_softmax"
    layer = read.plan.settled(x)
    size = int(np.prod(x.shape)) // after
    shape = read.plan.steps[layer].shape
    if len(shape) != 3 or shape[0] != size or len(x.shape) <= 2:
        layer = read.plan.view(layer, (size,) if after == 1 else (size, after // x.shape[-1], x.shape[-1]))
    made = read.plan.add(kind, layer, name=read.name(node))
    return Value(x.shape, lambda: Cells(made))


# -- arithmetic --------------------------------------------------------------------------------------------------------

_JOINTS = {"Add": "add", "Sum": "add", "Sub": "subtract", "Mul": "multiply"}
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
        shape = (*second.shape, *[1] * (rank - _axis(node.get("axis"), rank) - len(second.shape)))
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
        raise UnsupportedError("no layer does this, unless it is part of an activation that sheetcnn knows")

    function = "Add" if node.operator == "Sum" else node.operator

    def follow(*ys: np.ndarray) -> np.ndarray:
        total = ys[0]
        for y in ys[1:]:
            total = computed(function, total, y)
        return total

    return read.piece(node, shape, draw, operands, follow)


@operator("Neg")
def negative(read: Reading, node: Node) -> Result:
    """A factor of −1, or a piece of an activation."""
    x = read.value(node, 0)

    def draw() -> Cells:
        minus = read.plan.constant(x, np.array(-1.0))
        return Cells(read.plan.affine(x.cells.layer, "weight", minus, read.name(node)), x.cells.order)

    return read.piece(node, x.shape, draw, [x], lambda y: computed("Neg", y))


@operator(*PIECES)
def piece(read: Reading, node: Node) -> Result:
    """What is no layer, but may be a piece of an activation."""
    operands = [read.operand(node, n) for n in range(len(node.inputs))]

    def draw() -> Cells:
        raise UnsupportedError("no layer does this, unless it is part of an activation that sheetcnn knows")

    shape = next(one.shape for one in operands if isinstance(one, Value))
    return read.piece(node, shape, draw, operands, lambda *ys: computed(node.operator, *ys))


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
    if swapped and node.operator == "Sub":
        layer, stage = plan.affine(layer, "weight", np.full(constant.shape, -1.0), name), "bias"
    return Cells(plan.affine(layer, stage, constant, name), x.cells.order)


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
    layers = []
    for value in values:
        lifted = (*[1] * (len(shape) - len(value.shape)), *value.shape)
        own = lifted[1:] if len(shape) > 1 and shape[0] == 1 else lifted
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
    weight = (weight if node.get("transB", 0) else weight.T) * node.get("alpha", 1.0)
    bias = read.optional_weight(node, 2)
    if bias is not None and bias.size not in (1, len(weight)):
        raise UnsupportedError(f"it adds {shape_text(bias.shape)} to {len(weight)} numbers")
    beta = node.get("beta", 1.0)
    if bias is not None:
        bias = np.broadcast_to(bias.reshape(-1) * beta, (len(weight),)).copy()
    x = read.value(node, 0)
    shape = x.shape[::-1] if node.get("transA", 0) else x.shape
    if len(shape) != 2 or shape[0] != 1:
        raise UnsupportedError(f"it reads {shape_text(shape)}; the vector of one picture is needed")
    return _linear(read, node, x, weight, bias, (1, len(weight)))


@operator("MatMul")
def matmul(read: Reading, node: Node) -> Result:
    """linear without a bias."""
    x, weight = read.value(node, 0), read.weight(node, 1)
    if weight.ndim != 2 or int(np.prod(x.shape[:-1])) != 1:
        raise UnsupportedError(f"{shape_text(x.shape)} times {shape_text(weight.shape)} is not one vector times a matrix")
    return _linear(read, node, x, weight.T, None, (*x.shape[:-1], weight.shape[1]))


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


# -- shaping -----------------------------------------------------------------------------------------------------------


@operator("Concat")
def concat(read: Reading, node: Node) -> Result:
    """concat, of channels or of vectors."""
    values = [read.value(node, n) for n in range(len(node.inputs))]
    if len(values) == 1:
        return values[0]
    axis = _axis(node.get("axis", 1), len(values[0].shape))
    if any(len(value.shape) != len(values[0].shape) or int(np.prod(value.shape[:axis])) != 1 for value in values):
        raise UnsupportedError(
            f"along axis {axis} of {' and '.join(shape_text(v.shape) for v in values)} it stacks no channels"
        )
    after = values[0].shape[axis + 1 :]
    layers = []
    for value in values:
        size = value.shape[axis]
        layers.append(read.plan.view(read.plan.settled(value), (size,) if not after else stacked((1, size, *after)[-4:])))
    made = read.plan.add("concat", *layers, name=read.name(node))
    shape = (*values[0].shape[:axis], sum(value.shape[axis] for value in values), *after)
    return Value(shape, lambda: Cells(made))


@operator("Pad")
def pad(read: Reading, node: Node) -> Result:
    """pad."""
    x = read.value(node, 0)
    rank = len(x.shape)
    mode = {"constant": "constant", "reflect": "reflect", "edge": "replicate"}.get(node.get("mode", "constant"))
    if mode is None:
        raise UnsupportedError(f"pad has no mode {node.get('mode')!r}")
    pads = node.get("pads") or read.optional_integers(node, 1) or []
    axes = [_axis(a, rank) for a in read.optional_integers(node, 3) or range(rank)]
    if len(pads) != 2 * len(axes):
        raise UnsupportedError(f"it has {len(pads)} pads for {len(axes)} axes")
    sides = {a: (pads[n], pads[n + len(axes)]) for n, a in enumerate(axes)}
    if any(sides.get(a, (0, 0)) != (0, 0) for a in range(rank - 2)) or min(pads, default=0) < 0:
        raise UnsupportedError("it pads other axes than rows and columns, or by less than 0")
    given = read.optional_weight(node, 2)
    value = float(node.get("value", 0.0) if given is None else given.reshape(-1)[0])
    if not any(pads):
        return x
    (top, bottom), (left, right) = sides.get(rank - 2, (0, 0)), sides.get(rank - 1, (0, 0))
    settings = {"padding": [top, left, bottom, right]} | ({"mode": mode} if mode != "constant" else {"value": value})
    return read.drawn(node, "pad", read.plan.maps(x), **settings)


@operator("Resize", "Upsample")
def resize(read: Reading, node: Node) -> Result:
    """The `upsample` whose output rows and columns are made of the same input rows and columns."""
    x = read.value(node, 0)
    layer = read.plan.maps(x)
    if any(node.get(name, 0) for name in ("antialias", "exclude_outside")):
        raise UnsupportedError("upsample has no antialias and no exclude_outside")
    scales, sizes = _resizing(read, node, x.shape)
    if sizes[:2] != list(x.shape[:2]):
        raise UnsupportedError("it resizes other axes than rows and columns")
    factors = [new // old for new, old in zip(sizes[2:], x.shape[2:], strict=True)]
    if [f * old for f, old in zip(factors, x.shape[2:], strict=True)] != sizes[2:] or min(factors) < 1:
        raise UnsupportedError(f"{shape_text(tuple(sizes[2:]))} is not a whole number of times {shape_text(x.shape[2:])}")
    if max(old * new for old, new in zip(x.shape, sizes, strict=True)) > MAX_CELLS:
        raise UnsupportedError(f"{shape_text(tuple(sizes))} is too large")
    how = ({"mode": "nearest"}, {"mode": "bilinear"}, {"mode": "bilinear", "align_corners": True})
    want = [
        _resized(node, read.opset, old, new, scale)
        for old, new, scale in zip(x.shape[2:], sizes[2:], scales[2:], strict=True)
    ]
    for settings in how:
        trial = LAYERS["upsample"].model_validate({"scale_factor": factors} | settings)
        rows, columns = x.shape[2:]
        have = [trial.forward(np.eye(rows)[:, :, None])[:, :, 0], trial.forward(np.eye(columns)[:, None, :])[:, 0, :]]
        if all(np.allclose(mine.T, yours, atol=1e-6) for mine, yours in zip(have, want, strict=True)):
            return read.drawn(node, "upsample", layer, scale_factor=factors, **settings)
    raise UnsupportedError(
        f"upsample has no mode {node.get('mode', 'nearest')!r} with {node.get('coordinate_transformation_mode', 'half_pixel')!r}"
    )


def _resizing(read: Reading, node: Node, shape: Shape) -> tuple[list[float], list[int]]:
    """The scale and the new size of every axis."""
    rank = len(shape)
    given = node.get("scales")
    if given is None:
        last = read.optional_weight(node, 2 if read.opset > 10 and node.operator == "Resize" else 1)
        given = [] if last is None else last.reshape(-1).tolist()
    axes = [_axis(a, rank) for a in node.get("axes") or range(rank)]
    if node.get("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise UnsupportedError("keep_aspect_ratio_policy is not read")
    sizes = list(shape)
    scales = [1.0] * rank
    wanted = read.optional_integers(node, 3) if not given else None
    if len(given or wanted or []) != len(axes):
        raise UnsupportedError(f"it has {len(given or wanted or [])} scales for {len(axes)} axes")
    for n, axis in enumerate(axes):
        sizes[axis] = int(np.floor(shape[axis] * given[n])) if given else int((wanted or [])[n])
        scales[axis] = given[n] if given else sizes[axis] / shape[axis]
    return scales, sizes


def _resized(node: Node, opset: int, old: int, new: int, scale: float) -> np.ndarray:
    """How much of each old place goes into each new one, by ONNX's definition of Resize."""
    mode = node.get("mode", "nearest")
    if mode not in ("nearest", "linear"):
        raise UnsupportedError(f"upsample has no mode {mode!r}")
    simple = node.operator == "Upsample" or opset == 10
    transform = "asymmetric" if simple else node.get("coordinate_transformation_mode", "half_pixel")
    rounding = "floor" if simple else node.get("nearest_mode", "round_prefer_floor")
    places = np.arange(new, dtype=float)
    if transform in ("half_pixel", "half_pixel_symmetric") or (transform == "pytorch_half_pixel" and new > 1):
        where = (places + 0.5) / scale - 0.5
    elif transform == "align_corners":
        where = places * (old - 1) / (new - 1) if new > 1 else places * 0
    elif transform == "asymmetric":
        where = places / scale
    else:
        raise UnsupportedError(f"upsample has no {transform!r}")
    matrix = np.zeros((new, old))
    if mode == "nearest":
        halves = {"floor": np.floor(where), "ceil": np.ceil(where), "round_prefer_floor": np.ceil(where - 0.5)}
        near = halves.get(rounding, np.floor(where + 0.5))
        matrix[range(new), np.clip(near, 0, old - 1).astype(int)] = 1
        return matrix
    where = np.clip(where, 0, old - 1)
    first = np.minimum(where.astype(int), old - 1)
    np.add.at(matrix, (range(new), first), 1 - (where - first))
    np.add.at(matrix, (range(new), np.minimum(first + 1, old - 1)), where - first)
    return matrix


@operator("DepthToSpace")
def depth_to_space(read: Reading, node: Node) -> Result:
    """pixel_shuffle, after a channel_shuffle in the mode DCR."""
    x, r = read.value(node, 0), node.get("blocksize", 1)
    if len(x.shape) != 4 or r < 1 or x.shape[1] % r**2:
        raise UnsupportedError(f"it cannot divide the channels of {shape_text(x.shape)} by {r}²")
    batch, channels, rows, columns = x.shape
    less = channels // r**2
    if node.get("mode", "DCR") == "CRD":
        split, turn = (batch, less, r, r, rows, columns), (0, 1, 4, 2, 5, 3)
    else:
        split, turn = (batch, r, r, less, rows, columns), (0, 3, 4, 1, 5, 2)
    moved = read.transposed(read.reshaped(x, split), turn)
    return read.reshaped(moved, (batch, less, rows * r, columns * r))


@operator("Flatten")
def flatten(read: Reading, node: Node) -> Result:
    """The same cells in two axes."""
    x = read.value(node, 0)
    axis = (
        _axis(node.get("axis", 1), len(x.shape) + 1) if node.get("axis", 1) >= 0 else _axis(node.get("axis"), len(x.shape))
    )
    return read.reshaped(x, (int(np.prod(x.shape[:axis])), int(np.prod(x.shape[axis:]))))


@operator("Reshape")
def reshape(read: Reading, node: Node) -> Result:
    """The same cells in other axes."""
    x = read.value(node, 0)
    wanted = node.get("shape") or read.optional_integers(node, 1) or []
    sizes = list(wanted)
    if not node.get("allowzero", 0):
        sizes = [x.shape[n] if size == 0 and n < len(x.shape) else size for n, size in enumerate(wanted)]
    if sizes.count(-1) == 1:
        rest = -int(np.prod(sizes))
        sizes[sizes.index(-1)] = int(np.prod(x.shape)) // rest if rest > 0 else 0
    return read.reshaped(x, tuple(sizes))


@operator("Squeeze")
def squeeze(read: Reading, node: Node) -> Result:
    """The same cells without axes of one."""
    x = read.value(node, 0)
    axes = node.get("axes") or read.optional_integers(node, 1)
    gone = {_axis(a, len(x.shape)) for a in axes} if axes else {n for n, size in enumerate(x.shape) if size == 1}
    return read.reshaped(x, tuple(size for n, size in enumerate(x.shape) if n not in gone))


@operator("Unsqueeze")
def unsqueeze(read: Reading, node: Node) -> Result:
    """The same cells with more axes of one."""
    x = read.value(node, 0)
    axes = node.get("axes") or read.optional_integers(node, 1) or []
    rank = len(x.shape) + len(axes)
    new = {_axis(a, rank) for a in axes}
    sizes = iter(x.shape)
    return read.reshaped(x, tuple(1 if n in new else next(sizes) for n in range(rank)))


@operator("Transpose")
def transpose(read: Reading, node: Node) -> Result:
    """The same cells in another order, which a shuffle or a fully connected layer may undo."""
    x = read.value(node, 0)
    turn = tuple(node.get("perm") or reversed(range(len(x.shape))))
    if sorted(turn) != list(range(len(x.shape))):
        raise UnsupportedError(f"perm {list(turn)} does not fit {shape_text(x.shape)}")
    return read.transposed(x, turn)


@operator("Expand")
def expand(read: Reading, node: Node) -> Result:
    """Nothing, where it repeats nothing."""
    x = read.value(node, 0)
    wanted = tuple(read.optional_integers(node, 1) or [])
    if int(np.prod(wanted, dtype=object)) > int(np.prod(x.shape)):
        raise UnsupportedError(f"it repeats {shape_text(x.shape)}, which no layer does")
    return read.reshaped(x, np.broadcast_shapes(x.shape, wanted))


@operator("Shape")
def shape_of(read: Reading, node: Node) -> Result:
    """A constant, since all sizes are known."""
    x = read.value(node, 0)
    return np.array(x.shape[node.get("start", 0) : node.get("end", len(x.shape))], dtype=np.int64)


# -- what passes through -----------------------------------------------------------------------------------------------


@operator("Identity")
def identity(read: Reading, node: Node) -> Result:
    """What it reads."""
    return read.value(node, 0)


@operator("Cast", "CastLike")
def cast(read: Reading, node: Node) -> Result:
    """What it reads: sheetcnn computes in double precision."""
    if node.operator == "Cast" and node.get("to", 1) not in (1, 10, 11, 16):  # FLOAT, FLOAT16, DOUBLE, BFLOAT16
        raise UnsupportedError("it makes whole numbers; sheetcnn has real ones")
    return read.operand(node, 0)


@operator("Dropout")
def dropout(read: Reading, node: Node) -> Result:
    """dropout, as it acts in inference."""
    x = read.value(node, 0)
    if len(node.outputs) > 1 and read.is_used(node.outputs[1]):
        raise UnsupportedError("sheetcnn has no mask (output 2)")
    given, training = read.optional_weight(node, 1), read.optional_weight(node, 2)
    ratio = float(node.get("ratio", 0.5) if given is None else given.reshape(-1)[0])
    if training is not None and training.any() and ratio:
        raise UnsupportedError("it is in training mode; export the model with eval()")
    return Value(
        x.shape, lambda: Cells(read.plan.add("dropout", x.cells.layer, name=read.name(node), p=ratio), x.cells.order)
    )


def _axis(axis: int, rank: int) -> int:
    """An axis counted from 0, given from either end."""
    if not -rank <= axis < rank:
        raise UnsupportedError(f"axis {axis} does not exist in {rank} dimensions")
    return axis % rank
