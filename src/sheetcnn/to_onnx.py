"""A network with its weights as an ONNX model: one small function for each layer, registered under the layer's type."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from . import __version__
from .arrays.array import Shape, Values
from .errors import NetworkError
from .layers.avg_pool2d import AvgPool2d
from .layers.base import PREFIX, Layer
from .layers.batch_norm2d import BatchNorm2d
from .layers.conv2d import Conv2d
from .layers.conv3d import Conv3d
from .layers.conv_transpose2d import ConvTranspose2d
from .layers.group_norm import GroupNorm, GroupStatistics
from .layers.pad import Pad
from .layers.sliding import Pooling
from .layers.upsample import Upsample
from .model.network import Network
from .model.settings import INPUT

try:
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ImportError:
    raise NetworkError("models in .onnx need the package onnx; install it with  pip install 'sheetcnn[onnx]'") from None

OPSET, IR = 21, 10  # of the middle of 2024: new enough for all layers, old enough for runtimes in use
Writer = Callable[..., str]  # (writing, layer, name, inputs, their shapes, parameters) -> the name of its output
WRITERS: dict[str, Writer] = {}


def model_of(network: Network, parameters: Values) -> bytes:
    """The model as the bytes of an .onnx file. It takes the pixels of one picture, 1×C×H×W, in single precision.

    Its outputs are the layers that no other layer reads. Raises NetworkError where numbers are too large for single precision.
    """
    to = Writing()
    values = {INPUT: _normalized(to, parameters)}
    for node in network.nodes:
        to.owner = network.owner(node.name)
        xs = [values[name] for name in node.inputs]
        own = {key: parameters[f"{to.owner}.{key}"] for key in node.layer.all_parameters(*node.in_shapes)}
        values[node.name] = to.layer(node.layer, node.name, xs, node.in_shapes, own)
    read = {name for node in network.nodes for name in node.inputs}
    ends = [node for node in network.nodes if node.name not in read]
    graph = helper.make_graph(
        to.nodes,
        "network",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [1, *network.input.shape])],
        [helper.make_tensor_value_info(values[node.name], TensorProto.FLOAT, [1, *node.shape]) for node in ends],
        list(to.constants.values()),
    )
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(
        graph, opset_imports=opsets, ir_version=IR, producer_name="sheetcnn", producer_version=__version__
    )
    model.doc_string = network.settings.about
    helper.set_model_props(model, {"name": network.settings.name} | _labels(network))
    return model.SerializeToString()


def _labels(network: Network) -> dict[str, str]:
    labels = network.settings.labels
    return {} if labels is None else {"labels": json.dumps(labels, ensure_ascii=False)}


def _normalized(to: Writing, given: Values) -> str:
    """(pixel / scale − mean) / std, as far as these are given."""
    x = INPUT
    for key, operator in (("scale", "Div"), ("mean", "Sub"), ("std", "Div")):
        if (name := f"{INPUT}.{key}") in given:
            x = to.add(operator, f"{INPUT}_{key}", x, to.constant(name, given[name].reshape(-1, 1, 1)))
    return x


class Writing:
    """The nodes and constants written so far."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}
        self.owner = INPUT  # whose weights are being written; layers that share them write them once
        self.prefix = ""

    def add(self, operator: str, name: str, *inputs: str, **attributes: Any) -> str:
        """The name of a new node's output."""
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name, **attributes))
        return name

    def constant(self, name: str, array: np.ndarray) -> str:
        """The name of a constant; real numbers are in single precision."""
        if array.dtype.kind == "f":
            if np.abs(array).max(initial=0) > np.finfo(np.float32).max:
                raise NetworkError(
                    f"{name}: holds {np.abs(array).max():.4g}, too large for the single precision of ONNX models"
                )
            array = array.astype(np.float32)
        tensor = numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name)
        # Layers that share weights may need them in different shapes.
        while (held := self.constants.setdefault(tensor.name, tensor)) is not tensor and held != tensor:
            tensor.name += "_"
        return tensor.name

    def integers(self, name: str, numbers: list[int]) -> str:
        """The name of a constant of whole numbers."""
        return self.constant(name, np.array(numbers, np.int64))

    def weight(self, key: str, array: np.ndarray) -> str:
        """The name of a layer's weight."""
        return self.constant(f"{self.owner}.{self.prefix}{key}", array)

    def layer(self, layer: Layer, name: str, xs: list[str], shapes: tuple[Shape, ...], parameters: Values) -> str:
        """The name of what a layer makes, its activation included."""
        own = {key: array for key, array in parameters.items() if not key.startswith(PREFIX)}
        others = {key.removeprefix(PREFIX): array for key, array in parameters.items() if key.startswith(PREFIX)}
        final = layer.final
        if final is None:
            return WRITERS[layer.type](self, layer, name, xs, shapes, **own)
        total = WRITERS[layer.type](self, layer, f"{name}_sum", xs, shapes, **own)
        self.prefix = PREFIX
        y = self.layer(final, name, [total], (layer.output_shape(*shapes),), others)
        self.prefix = ""
        return y


def writer(*types: str) -> Callable[[Writer], Writer]:
    """Register a function under the types of the layers that it writes."""

    def register(function: Writer) -> Writer:
        WRITERS.update(dict.fromkeys(types, function))
        return function

    return register


# -- convolution ---------------------------------------------------------------------------------------------------------


def _window(layer: Any) -> dict[str, Any]:
    sides = {"kernel_shape": layer.kernel_size, "strides": layer.stride, "dilations": layer.dilation}
    return sides | {"pads": getattr(layer, "sides", layer.padding)}


@writer("conv2d")
def _conv2d(
    to: Writing, layer: Conv2d, name: str, xs: list[str], shapes: Any, weight: np.ndarray, **more: np.ndarray
) -> str:
    bias = [to.weight("bias", more["bias"])] if "bias" in more else []
    if layer.channel_mix == "sum" and layer.activation_scope == "map":
        return to.add("Conv", name, *xs, to.weight("weight", weight), *bias, group=layer.groups, **_window(layer))
    # What CNNs do not do, with a kernel for every filter and channel: each product is a map of its own …
    channels, size = shapes[0][0], shapes[0][0] // layer.groups
    kernels = np.broadcast_to(weight, (len(weight), size, *layer.kernel_size))
    products = np.zeros((len(weight), size, channels, *layer.kernel_size))
    for k, c in np.ndindex(len(weight), size):
        products[k, c, layer.channels_of(k, channels).start + c] = kernels[k, c]
    if layer.channel_mix == "separate":
        bias = [to.weight("bias", np.repeat(more["bias"], channels))] if "bias" in more else []
        return to.add(
            "Conv", name, *xs, to.weight("weight", products.reshape(-1, *products.shape[2:])), *bias, **_window(layer)
        )
    part = 1 / size if layer.channel_mix == "mean" else 1.0
    if layer.activation_scope == "map":
        summed = products.sum(axis=1) * part
        return to.add("Conv", name, *xs, to.weight("weight", summed), *bias, **_window(layer))
    each = to.weight("weight", products.reshape(-1, *products.shape[2:]))
    y = to.add("Conv", f"{name}_products", *xs, each, **_window(layer))
    assert layer.activation is not None
    y = to.layer(layer.activation, f"{name}_activated", [y], ((len(weight) * size, *layer.positions(shapes[0])),), {})
    # … and a convolution of 1×1 sums those of each filter.
    ones = np.kron(np.eye(len(weight)), np.full((1, size), part))[:, :, None, None]
    return to.add("Conv", name, y, to.weight("summing", ones), *bias)


@writer("conv3d")
def _conv3d(to: Writing, layer: Conv3d, name: str, xs: list[str], shapes: Any, **given: np.ndarray) -> str:
    maps, rows, columns = shapes[0]
    volume = to.integers(f"{name}.volume", [1, layer.in_channels, maps // layer.in_channels, rows, columns])
    x = to.add("Reshape", f"{name}_volume", *xs, volume)
    window = _window(layer) | {"pads": [*layer.padding, *layer.padding]}
    y = to.add("Conv", f"{name}_stacks", x, *(to.weight(key, array) for key, array in given.items()), **window)
    return to.add("Reshape", name, y, to.integers(f"{name}.maps", [1, *layer.output_shape(shapes[0])]))


@writer("conv_transpose2d")
def _conv_transpose2d(
    to: Writing, layer: ConvTranspose2d, name: str, xs: list[str], shapes: Any, **given: np.ndarray
) -> str:
    weight = to.weight("weight", layer.to_file("weight", given["weight"]))
    settings = _window(layer) | {"output_padding": layer.output_padding, "group": layer.groups}
    if "bias" not in given:
        return to.add("ConvTranspose", name, *xs, weight, **settings)
    if layer.groups == 1:
        return to.add("ConvTranspose", name, *xs, weight, to.weight("bias", given["bias"]), **settings)
    # onnx.reference gives the bias of the first group to all groups, so it is added by itself.
    y = to.add("ConvTranspose", f"{name}_unbiased", *xs, weight, **settings)
    return to.add("Add", name, y, to.weight("bias", given["bias"][:, None, None]))


# -- pooling -------------------------------------------------------------------------------------------------------------


@writer("max_pool2d", "avg_pool2d")
def _pool(to: Writing, layer: Pooling, name: str, xs: list[str], shapes: Any) -> str:
    """Windows that ceil_mode adds are padding at the end, where padding counts nothing: runtimes differ in ceil_mode."""
    counts = isinstance(layer, AvgPool2d) and layer.count_include_pad
    settings = _window(layer)
    if layer.ceil_mode and layer.positions(shapes[0]) != layer.model_copy(update={"ceil_mode": False}).positions(shapes[0]):
        if counts:
            settings["ceil_mode"] = 1
        else:
            settings["pads"] = layer.margin(shapes[0])
    if isinstance(layer, AvgPool2d):
        return to.add("AveragePool", name, *xs, count_include_pad=int(counts), **settings)
    return to.add("MaxPool", name, *xs, **settings)


@writer("adaptive_avg_pool2d")
def _adaptive_avg_pool2d(to: Writing, layer: Any, name: str, xs: list[str], shapes: Any) -> str:
    """The means of rows, then those of columns, each a product with a matrix."""
    _, rows, columns = shapes[0]
    down = to.constant(f"{name}.rows", _means(layer, 0, rows))
    along = to.constant(f"{name}.columns", _means(layer, 1, columns).T)
    return to.add("MatMul", name, to.add("MatMul", f"{name}_rows", down, *xs), along)


def _means(layer: Any, axis: int, size: int) -> np.ndarray:
    """How much of each input row (or column) goes into each output row."""
    matrix = np.zeros((layer.output_size[axis], size))
    for place in range(len(matrix)):
        start, count = layer.span(axis, place, size)
        matrix[place, start : start + count] = 1 / count
    return matrix


# -- normalisation -------------------------------------------------------------------------------------------------------


@writer("batch_norm2d")
def _batch_norm2d(to: Writing, layer: BatchNorm2d, name: str, xs: list[str], shapes: Any, **given: np.ndarray) -> str:
    given = {"weight": np.ones(shapes[0][0]), "bias": np.zeros(shapes[0][0])} | given
    numbers = [to.weight(key, given[key]) for key in ("weight", "bias", "running_mean", "running_var")]
    return to.add("BatchNormalization", name, *xs, *numbers, epsilon=layer.eps)


@writer("instance_norm2d", "group_norm")
def _group_statistics(
    to: Writing, layer: GroupStatistics, name: str, xs: list[str], shapes: Any, **given: np.ndarray
) -> str:
    given = {"weight": np.ones(shapes[0][0]), "bias": np.zeros(shapes[0][0])} | given
    numbers = [to.weight(key, given[key]) for key in ("weight", "bias")]
    if isinstance(layer, GroupNorm):
        return to.add("GroupNormalization", name, *xs, *numbers, epsilon=layer.eps, num_groups=layer.num_groups)
    return to.add("InstanceNormalization", name, *xs, *numbers, epsilon=layer.eps)


@writer("lrn")
def _lrn(to: Writing, layer: Any, name: str, xs: list[str], shapes: Any) -> str:
    """Squares summed over neighbours by a convolution of 1×1: ONNX's LRN has other neighbours where the size is even."""
    channels = shapes[0][0]
    near = np.zeros((channels, channels, 1, 1))
    for k in range(channels):
        near[k, list(layer.neighbours(k, channels))] = layer.alpha / layer.size
    squares = to.add("Mul", f"{name}_squares", xs[0], xs[0])
    neighbours, start = to.constant(f"{name}.neighbours", near), to.constant(f"{name}.k", np.full(channels, layer.k))
    total = to.add("Conv", f"{name}_total", squares, neighbours, start)
    power = to.add("Pow", f"{name}_power", total, to.constant(f"{name}.beta", np.array(layer.beta)))
    return to.add("Div", name, xs[0], power)


# -- cell by cell --------------------------------------------------------------------------------------------------------


def _one(kind: str, operator: str, fixed: dict[str, Any] | None = None, **renamed: str) -> None:
    """A layer that is one operator; `renamed` has, by ONNX's attribute, the layer's setting."""

    @writer(kind)
    def write(to: Writing, layer: Layer, name: str, xs: list[str], shapes: Any) -> str:
        settings = {attribute: getattr(layer, setting) for attribute, setting in renamed.items()}
        return to.add(operator, name, *xs, **(fixed or {}), **settings)


_one("global_max_pool2d", "GlobalMaxPool")
_one("global_avg_pool2d", "GlobalAveragePool")
_one("relu", "Relu")
_one("leaky_relu", "LeakyRelu", alpha="negative_slope")
_one("elu", "Elu", alpha="alpha")
_one("selu", "Selu")
_one("gelu", "Gelu", approximate="approximate")
_one("mish", "Mish")
_one("softsign", "Softsign")
_one("sigmoid", "Sigmoid")
_one("hard_sigmoid", "HardSigmoid", alpha="alpha", beta="beta")
_one("hard_swish", "HardSwish")
_one("tanh", "Tanh")
_one("softmax", "Softmax", {"axis": 1})
_one("log_softmax", "LogSoftmax", {"axis": 1})
_one("concat", "Concat", {"axis": 1})
_one("pixel_shuffle", "DepthToSpace", {"mode": "CRD"}, blocksize="upscale_factor")
_one("flatten", "Flatten")
_one("identity", "Identity")


@writer("relu6", "clip")
def _clip(to: Writing, layer: Any, name: str, xs: list[str], shapes: Any) -> str:
    low, high = (0.0, 6.0) if layer.type == "relu6" else (layer.min_val, layer.max_val)
    return to.add("Clip", name, *xs, to.constant(f"{name}.min", np.array(low)), to.constant(f"{name}.max", np.array(high)))


@writer("threshold")
def _threshold(to: Writing, layer: Any, name: str, xs: list[str], shapes: Any) -> str:
    above = to.add("Greater", f"{name}_above", *xs, to.constant(f"{name}.threshold", np.array(layer.threshold)))
    return to.add("Where", name, above, *xs, to.constant(f"{name}.value", np.array(layer.value)))


@writer("prelu")
def _prelu(to: Writing, layer: Any, name: str, xs: list[str], shapes: Any, weight: np.ndarray) -> str:
    return to.add("PRelu", name, *xs, to.weight("weight", weight.reshape(-1, *[1] * (len(shapes[0]) - 1))))


@writer("silu")
def _silu(to: Writing, layer: Layer, name: str, xs: list[str], shapes: Any) -> str:
    return to.add("Mul", name, *xs, to.add("Sigmoid", f"{name}_sigmoid", *xs))


@writer("softplus")
def _softplus(to: Writing, layer: Any, name: str, xs: list[str], shapes: Any) -> str:
    if layer.beta == 1:
        return to.add("Softplus", name, *xs)
    beta = to.constant(f"{name}.beta", np.array(layer.beta))
    return to.add("Div", name, to.add("Softplus", f"{name}_soft", to.add("Mul", f"{name}_scaled", *xs, beta)), beta)


# -- joining and shaping -------------------------------------------------------------------------------------------------


@writer("add", "subtract", "multiply")
def _join(to: Writing, layer: Layer, name: str, xs: list[str], shapes: Any) -> str:
    operator = {"add": "Add", "subtract": "Sub", "multiply": "Mul"}[layer.type]
    total = xs[0]
    for n, x in enumerate(xs[1:], start=2):
        total = to.add(operator, name if n == len(xs) else f"{name}_{n}", total, x)
    return total


@writer("pad")
def _pad(to: Writing, layer: Pad, name: str, xs: list[str], shapes: Any) -> str:
    top, left, bottom, right = layer.padding
    pads = to.integers(f"{name}.pads", [0, 0, top, left, 0, 0, bottom, right])
    value = [to.constant(f"{name}.value", np.array(layer.value))] if layer.mode == "constant" else []
    return to.add("Pad", name, *xs, pads, *value, mode={"replicate": "edge"}.get(layer.mode, layer.mode))


@writer("upsample")
def _upsample(to: Writing, layer: Upsample, name: str, xs: list[str], shapes: Any) -> str:
    scales = to.constant(f"{name}.scales", np.array([1, 1, *layer.scale_factor], float))
    how = "align_corners" if layer.align_corners else "half_pixel"
    settings = {"mode": "linear", "coordinate_transformation_mode": how}
    if layer.mode == "nearest":
        settings = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return to.add("Resize", name, *xs, "", scales, **settings)


@writer("channel_shuffle")
def _channel_shuffle(to: Writing, layer: Any, name: str, xs: list[str], shapes: Any) -> str:
    channels, rows, columns = shapes[0]
    split = to.integers(f"{name}.split", [1, layer.groups, channels // layer.groups, rows, columns])
    turned = to.add("Transpose", f"{name}_turned", to.add("Reshape", f"{name}_split", *xs, split), perm=[0, 2, 1, 3, 4])
    return to.add("Reshape", name, turned, to.integers(f"{name}.maps", [1, *shapes[0]]))


@writer("unflatten")
def _unflatten(to: Writing, layer: Any, name: str, xs: list[str], shapes: Any) -> str:
    return to.add("Reshape", name, *xs, to.integers(f"{name}.size", [1, *layer.size]))


@writer("linear")
def _linear(to: Writing, layer: Layer, name: str, xs: list[str], shapes: Any, **given: np.ndarray) -> str:
    return to.add("Gemm", name, *xs, *(to.weight(key, array) for key, array in given.items()), transB=1)


@writer("dropout")
def _dropout(to: Writing, layer: Any, name: str, xs: list[str], shapes: Any) -> str:
    return to.add("Dropout", name, *xs, to.constant(f"{name}.ratio", np.array(layer.p)))
