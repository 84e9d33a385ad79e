"""A network run by PyTorch in double precision, layer by layer, so that it computes the gradients."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from sheetcnn.layers.base import PREFIX
from sheetcnn.model.graph import Graph
from sheetcnn.model.settings import INPUT

Tensors = dict[str, torch.Tensor]


def run(graph: Graph, given: dict[str, np.ndarray]) -> Tensors:
    """The parameters, the pixels and every layer's output (and sum) by the ids of their arrays; those that are given are leaves."""
    network = graph.network
    values = {name: torch.tensor(array, dtype=torch.double, requires_grad=True) for name, array in given.items()}
    x = values[f"{INPUT}.channel"]
    for key in ("scale", "mean", "std"):
        if f"{INPUT}.{key}" in values:
            by = values[f"{INPUT}.{key}"].reshape(-1, 1, 1)
            x = x - by if key == "mean" else x / by
    outputs = {INPUT: x}
    for node in network.nodes:
        owner = network.owner(node.name)
        own = {key: values[f"{owner}.{key}"] for key in node.layer.all_parameters(*node.in_shapes)}
        y = layer_of(node.layer, [outputs[name] for name in node.inputs], own)
        values[f"{node.name}.sum"] = y
        if node.layer.final is not None:
            y = layer_of(
                node.layer.final, [y], {key.removeprefix(PREFIX): one for key, one in own.items() if key.startswith(PREFIX)}
            )
        values[f"{node.name}.output"] = outputs[node.name] = y
    return values


def layer_of(layer: Any, xs: list[torch.Tensor], own: Tensors) -> torch.Tensor:
    """What one layer, without its activation, makes of its inputs."""
    return globals()[f"_{layer.type}"](layer, *xs, **{key: one for key, one in own.items() if not key.startswith(PREFIX)})


def _padded(x: torch.Tensor, sides: tuple[int, ...], value: float = 0.0) -> torch.Tensor:
    top, left, bottom, right = sides
    return functional.pad(x, (left, right, top, bottom), value=value)


def _conv2d(layer: Any, x: torch.Tensor, weight: torch.Tensor, bias: Any = None) -> torch.Tensor:
    x, channels = _padded(x, layer.sides), len(x)
    how = {"stride": layer.stride, "dilation": layer.dilation}
    if layer.channel_mix == "separate":
        filters = weight.repeat_interleave(channels, 0)
        maps = x.repeat(len(weight), 1, 1)
        y = functional.conv2d(maps[None], filters, groups=len(filters), **how)[0]
        return y if bias is None else y + bias.repeat_interleave(channels)[:, None, None]
    if layer.channel_mix == "shared":
        weight = weight.expand(-1, channels, -1, -1)
    y = functional.conv2d(x[None], weight, groups=layer.groups, **how)[0]
    y = y / channels if layer.channel_mix == "mean" else y
    return y if bias is None else y + bias[:, None, None]


def _conv3d(layer: Any, x: torch.Tensor, weight: torch.Tensor, bias: Any = None) -> torch.Tensor:
    volume = x.reshape(1, layer.in_channels, -1, *x.shape[1:])
    front, top, left, back, bottom, right = layer.padding
    volume = functional.pad(volume, (left, right, top, bottom, front, back))
    y = functional.conv3d(volume, weight, bias, layer.stride, 0, layer.dilation, layer.groups)[0]
    return y.reshape(-1, *y.shape[2:])


def _conv_transpose2d(layer: Any, x: torch.Tensor, weight: torch.Tensor, bias: Any = None) -> torch.Tensor:
    groups = layer.groups
    filters, each = weight.shape[:2]
    turned = (
        weight.reshape(groups, filters // groups, each, *weight.shape[2:])
        .transpose(1, 2)
        .reshape(-1, filters // groups, *weight.shape[2:])
    )
    y = functional.conv_transpose2d(x[None], turned, None, layer.stride, 0, layer.output_padding, groups, layer.dilation)[0]
    top, left, bottom, right = layer.padding
    y = y[:, top : y.shape[1] - bottom, left : y.shape[2] - right]
    return y if bias is None else y + bias[:, None, None]


def _linear(layer: Any, x: torch.Tensor, weight: torch.Tensor, bias: Any = None) -> torch.Tensor:
    return functional.linear(x, weight, bias)


def _pooled(layer: Any, x: torch.Tensor, fill: float) -> list[list[torch.Tensor]]:
    """The cells of each window inside the input, by the window's place."""
    rows, columns = layer.positions(tuple(x.shape))
    found = []
    for i in range(rows):
        line = []
        for j in range(columns):
            top, left = layer.corner(i, j)
            down = [top + a * layer.dilation[0] for a in range(layer.kernel_size[0])]
            along = [left + b * layer.dilation[1] for b in range(layer.kernel_size[1])]
            down, along = [a for a in down if 0 <= a < x.shape[1]], [b for b in along if 0 <= b < x.shape[2]]
            line.append(x[:, down][:, :, along].reshape(len(x), -1))
        found.append(line)
    return found


def _max_pool2d(layer: Any, x: torch.Tensor) -> torch.Tensor:
    return torch.stack([torch.stack([cells.max(dim=1).values for cells in line], -1) for line in _pooled(layer, x, 0)], 1)


def _avg_pool2d(layer: Any, x: torch.Tensor) -> torch.Tensor:
    sums = torch.stack([torch.stack([cells.sum(dim=1) for cells in line], -1) for line in _pooled(layer, x, 0)], 1)
    return sums / torch.tensor(layer.cells(tuple(x.shape)))


def _adaptive_avg_pool2d(layer: Any, x: torch.Tensor) -> torch.Tensor:
    return functional.adaptive_avg_pool2d(x, layer.output_size)


def _global_avg_pool2d(layer: Any, x: torch.Tensor) -> torch.Tensor:
    return x.mean(dim=(1, 2), keepdim=True)


def _global_max_pool2d(layer: Any, x: torch.Tensor) -> torch.Tensor:
    return x.reshape(len(x), -1).max(dim=1).values[:, None, None]


def _batch_norm2d(
    layer: Any, x: torch.Tensor, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None
) -> torch.Tensor:
    return functional.batch_norm(x[None], running_mean.detach(), running_var.detach(), weight, bias, eps=layer.eps)[0]


def _group_norm(layer: Any, x: torch.Tensor, weight: Any = None, bias: Any = None) -> torch.Tensor:
    grouped = x.reshape(layer.groups_of(len(x)), -1)  # PyTorch's own refuses a group of one cell
    mean, var = grouped.mean(dim=1, keepdim=True), grouped.var(dim=1, keepdim=True, correction=0)
    y = ((grouped - mean) / torch.sqrt(var + layer.eps)).reshape(x.shape)
    return y if weight is None else y * weight[:, None, None] + bias[:, None, None]


_instance_norm2d = _group_norm


def _layer_norm(layer: Any, x: torch.Tensor, weight: Any = None, bias: Any = None) -> torch.Tensor:
    if x.ndim == 1:
        return functional.layer_norm(x, x.shape, weight, bias, layer.eps)
    return functional.layer_norm(x.permute(1, 2, 0), x.shape[:1], weight, bias, layer.eps).permute(2, 0, 1)


def _lrn(layer: Any, x: torch.Tensor) -> torch.Tensor:
    return functional.local_response_norm(x[None], layer.size, layer.alpha, layer.beta, layer.k)[0]


def _concat_constant(layer: Any, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return torch.cat([weight[: layer.before], x, weight[layer.before :]])


def _cellwise(layer: Any, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return x + weight if layer.operation == "add" else x * weight


def _prelu(layer: Any, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return functional.prelu(x[None], weight)[0]


def _softmax(layer: Any, x: torch.Tensor) -> torch.Tensor:
    return x.softmax(0)


def _log_softmax(layer: Any, x: torch.Tensor) -> torch.Tensor:
    return x.log_softmax(0)


def _add(layer: Any, *xs: torch.Tensor) -> torch.Tensor:
    return reduce(torch.add, xs)


def _subtract(layer: Any, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return a - b


def _multiply(layer: Any, *xs: torch.Tensor) -> torch.Tensor:
    return reduce(torch.mul, xs)


def _maximum(layer: Any, *xs: torch.Tensor) -> torch.Tensor:
    return reduce(torch.maximum, xs)


def _minimum(layer: Any, *xs: torch.Tensor) -> torch.Tensor:
    return reduce(torch.minimum, xs)


def _concat(layer: Any, *xs: torch.Tensor) -> torch.Tensor:
    return torch.cat(xs)


def _channel_pool(layer: Any, x: torch.Tensor) -> torch.Tensor:
    how = {"max": torch.amax, "min": torch.amin, "mean": torch.mean, "sum": torch.sum}[layer.mode]
    return how(x, 0, keepdim=True)  # type: ignore[operator]


def _channel_shuffle(layer: Any, x: torch.Tensor) -> torch.Tensor:
    return functional.channel_shuffle(x[None], layer.groups)[0]


def _pixel_shuffle(layer: Any, x: torch.Tensor) -> torch.Tensor:
    return functional.pixel_shuffle(x, layer.upscale_factor)


def _flatten(layer: Any, x: torch.Tensor) -> torch.Tensor:
    return x.reshape(-1)


def _unflatten(layer: Any, x: torch.Tensor) -> torch.Tensor:
    return x.reshape(layer.size)


def _pad(layer: Any, x: torch.Tensor) -> torch.Tensor:
    top, left, bottom, right = layer.padding
    more = {"value": layer.value} if layer.mode == "constant" else {}
    return functional.pad(x[None], (left, right, top, bottom), layer.mode, **more)[0]


def _rearrange(layer: Any, x: torch.Tensor) -> torch.Tensor:
    """Each cell shows one of the input's: which one, its own NumPy tells."""
    places = layer.forward(np.arange(x.numel()).reshape(x.shape))
    return x.reshape(-1)[torch.tensor(places.astype(int).copy())]


def _upsample(layer: Any, x: torch.Tensor) -> torch.Tensor:
    down, along = (torch.tensor(layer.matrix(axis, tuple(x.shape))) for axis in (0, 1))
    return down @ x @ along.T


def _identity(layer: Any, x: torch.Tensor) -> torch.Tensor:
    return x


_dropout = _identity


def _activation(function: Any) -> Any:
    return lambda layer, x: function(layer, x)


_relu = _activation(lambda layer, x: functional.relu(x))
_relu6 = _activation(lambda layer, x: functional.relu6(x))
_clip = _activation(
    lambda layer, x: (
        functional.hardtanh(x, layer.min_val, layer.max_val) if layer.min_val < layer.max_val else x * 0 + layer.min_val
    )
)
_leaky_relu = _activation(lambda layer, x: functional.leaky_relu(x, layer.negative_slope))
_elu = _activation(lambda layer, x: functional.elu(x, layer.alpha))
_selu = _activation(lambda layer, x: functional.selu(x))
_gelu = _activation(lambda layer, x: functional.gelu(x, approximate=layer.approximate))
_silu = _activation(lambda layer, x: functional.silu(x))
_mish = _activation(lambda layer, x: functional.mish(x))
_sigmoid = _activation(lambda layer, x: torch.sigmoid(x))
_tanh = _activation(lambda layer, x: torch.tanh(x))
_softplus = _activation(lambda layer, x: functional.softplus(x, layer.beta, threshold=1e9))
_softsign = _activation(lambda layer, x: functional.softsign(x))
_hard_sigmoid = _activation(lambda layer, x: torch.clamp(layer.alpha * x + layer.beta, 0, 1))
_hard_swish = _activation(lambda layer, x: functional.hardswish(x))
_threshold = _activation(lambda layer, x: functional.threshold(x, layer.threshold, layer.value))
_log_sigmoid = _activation(lambda layer, x: functional.logsigmoid(x))
_shrink = _activation(
    lambda layer, x: torch.where(x > layer.lambd, x - layer.shift, torch.where(x < -layer.lambd, x + layer.shift, x * 0))
)
