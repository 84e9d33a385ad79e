"""Each layer in PyTorch, for a batch of pictures: with its derivatives, which PyTorch works out by itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..layers.base import PREFIX, Layer

MOMENTUM = 0.1  # how fast running means follow those of a batch, as PyTorch has it


def known(layer: Layer) -> bool:
    """Whether a layer is known here."""
    return layer.type in _LAYERS


def output(layer: Layer, xs: list[Tensor], own: dict[str, Tensor], training: bool) -> Tensor:
    """What a layer, without its activation, makes of batches of its inputs; while `training`, some act otherwise."""
    given = {key: one for key, one in own.items() if not key.startswith(PREFIX)}
    if layer.type in _IN_TRAINING:
        given["training"] = training  # type: ignore[assignment]
    return _LAYERS[layer.type](layer, *xs, **given)


def _padded(x: Tensor, sides: tuple[int, ...], value: float = 0.0) -> Tensor:
    top, left, bottom, right = sides
    return functional.pad(x, (left, right, top, bottom), value=value)


# -- with weights ----------------------------------------------------------------------------------------------------------
def _conv2d(layer: Any, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    x, channels = _padded(x, layer.sides), x.shape[1]
    how = {"stride": layer.stride, "dilation": layer.dilation}
    if layer.channel_mix == "separate":
        filters = weight.repeat_interleave(channels, 0)
        y = functional.conv2d(x.repeat(1, len(weight), 1, 1), filters, groups=len(filters), **how)
        return y if bias is None else y + bias.repeat_interleave(channels)[:, None, None]
    if layer.channel_mix == "shared":
        weight = weight.expand(-1, channels, -1, -1)
    y = functional.conv2d(x, weight, groups=layer.groups, **how)
    y = y / channels if layer.channel_mix == "mean" else y
    y = output(layer.activation, [y], {}, training=False) if layer.activation_scope == "sum" else y
    return y if bias is None else y + bias[:, None, None]


def _conv3d(layer: Any, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    volume = x.reshape(len(x), layer.in_channels, -1, *x.shape[2:])
    front, top, left, back, bottom, right = layer.padding
    volume = functional.pad(volume, (left, right, top, bottom, front, back))
    return functional.conv3d(volume, weight, bias, layer.stride, 0, layer.dilation, layer.groups).flatten(1, 2)


def _conv_transpose2d(layer: Any, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    groups, (filters, each), size = layer.groups, weight.shape[:2], weight.shape[2:]
    parts = weight.reshape(groups, filters // groups, each, *size).transpose(1, 2)
    turned = parts.reshape(-1, filters // groups, *size)
    y = functional.conv_transpose2d(x, turned, None, layer.stride, 0, layer.output_padding, groups, layer.dilation)
    top, left, bottom, right = layer.padding
    y = y[..., top : y.shape[2] - bottom, left : y.shape[3] - right]
    return y if bias is None else y + bias[:, None, None]


def _linear(layer: Any, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    return functional.linear(x, weight, bias)


def _prelu(layer: Any, x: Tensor, weight: Tensor) -> Tensor:
    return functional.prelu(x, weight)


def _cellwise(layer: Any, x: Tensor, weight: Tensor) -> Tensor:
    return x + weight if layer.operation == "add" else x * weight


def _concat_constant(layer: Any, x: Tensor, weight: Tensor) -> Tensor:
    every = weight.expand(len(x), *weight.shape)
    return torch.cat([every[:, : layer.before], x, every[:, layer.before :]], 1)


# -- normalisation ---------------------------------------------------------------------------------------------------------
def _batch_norm2d(
    layer: Any,
    x: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
) -> Tensor:
    several = x.numel() > x.shape[1]  # of one number there is no variance
    mean, var = running_mean.detach(), running_var.detach()  # which are changed in their places
    return functional.batch_norm(x, mean, var, weight, bias, training and several, MOMENTUM, layer.eps)


def _group_norm(layer: Any, x: Tensor, weight: Any = None, bias: Any = None) -> Tensor:
    grouped = x.reshape(len(x), layer.groups_of(x.shape[1]), -1)  # PyTorch's own refuses a group of one cell
    mean, var = grouped.mean(dim=2, keepdim=True), grouped.var(dim=2, keepdim=True, correction=0)
    y = ((grouped - mean) / torch.sqrt(var + layer.eps)).reshape(x.shape)
    return y if weight is None else y * weight[:, None, None] + bias[:, None, None]


def _layer_norm(layer: Any, x: Tensor, weight: Any = None, bias: Any = None) -> Tensor:
    last = x if x.ndim == 2 else x.permute(0, 2, 3, 1)
    y = functional.layer_norm(last, last.shape[-1:], weight, bias, layer.eps)
    return y if x.ndim == 2 else y.permute(0, 3, 1, 2)


def _lrn(layer: Any, x: Tensor) -> Tensor:
    return functional.local_response_norm(x, layer.size, layer.alpha, layer.beta, layer.k)


# -- pooling ---------------------------------------------------------------------------------------------------------------
def _pooled(layer: Any, x: Tensor, pool: Callable[..., Tensor], fill: float, **more: Any) -> Tensor:
    """Windows over the input with all of its padding, which PyTorch's own pools take in some forms only."""
    shape = tuple(x.shape[1:])
    rows, columns = layer.positions(shape)
    return pool(_padded(x, layer.margin(shape), fill), layer.kernel_size, layer.stride, **more)[..., :rows, :columns]


def _max_pool2d(layer: Any, x: Tensor) -> Tensor:
    return _pooled(layer, x, functional.max_pool2d, -torch.inf, dilation=layer.dilation)


def _avg_pool2d(layer: Any, x: Tensor) -> Tensor:
    sums = _pooled(layer, x, functional.avg_pool2d, 0.0, divisor_override=1)
    return sums / torch.tensor(layer.cells(tuple(x.shape[1:])))


def _adaptive_avg_pool2d(layer: Any, x: Tensor) -> Tensor:
    return functional.adaptive_avg_pool2d(x, layer.output_size)


def _global_avg_pool2d(layer: Any, x: Tensor) -> Tensor:
    return x.mean(dim=(2, 3), keepdim=True)


def _global_max_pool2d(layer: Any, x: Tensor) -> Tensor:
    return x.flatten(2).max(dim=2).values[..., None, None]


def _channel_pool(layer: Any, x: Tensor) -> Tensor:
    how = {"max": torch.amax, "min": torch.amin, "mean": torch.mean, "sum": torch.sum}[layer.mode]
    return how(x, 1, keepdim=True)  # type: ignore[operator]


# -- shapes ----------------------------------------------------------------------------------------------------------------
def _flatten(layer: Any, x: Tensor) -> Tensor:
    return x.flatten(1)


def _unflatten(layer: Any, x: Tensor) -> Tensor:
    return x.reshape(-1, *layer.size)


def _pad(layer: Any, x: Tensor) -> Tensor:
    top, left, bottom, right = layer.padding
    more = {"value": layer.value} if layer.mode == "constant" else {}
    return functional.pad(x, (left, right, top, bottom), layer.mode, **more)


def _rearrange(layer: Any, x: Tensor) -> Tensor:
    """Each cell shows one of the input's: which one, its own NumPy tells."""
    places = layer.forward(np.arange(x[0].numel()).reshape(x.shape[1:]))
    return x.flatten(1)[:, torch.tensor(places.astype(int).copy())]


def _upsample(layer: Any, x: Tensor) -> Tensor:
    down, along = (torch.tensor(layer.matrix(axis, tuple(x.shape[1:]))) for axis in (0, 1))
    return down @ x @ along.T


def _clip(layer: Any, x: Tensor) -> Tensor:
    if layer.min_val < layer.max_val:
        return functional.hardtanh(x, layer.min_val, layer.max_val)
    return x * 0 + layer.min_val


def _shrink(layer: Any, x: Tensor) -> Tensor:
    return torch.where(x > layer.lambd, x - layer.shift, torch.where(x < -layer.lambd, x + layer.shift, x * 0))


def _dropout(layer: Any, x: Tensor, training: bool = False) -> Tensor:
    return functional.dropout(x, layer.p, training)


_IN_TRAINING = ("batch_norm2d", "dropout")  # act otherwise then
_LAYERS: dict[str, Callable[..., Tensor]] = {
    "conv2d": _conv2d,
    "conv3d": _conv3d,
    "conv_transpose2d": _conv_transpose2d,
    "linear": _linear,
    "prelu": _prelu,
    "cellwise": _cellwise,
    "concat_constant": _concat_constant,
    "batch_norm2d": _batch_norm2d,
    "group_norm": _group_norm,
    "instance_norm2d": _group_norm,
    "layer_norm": _layer_norm,
    "lrn": _lrn,
    "max_pool2d": _max_pool2d,
    "avg_pool2d": _avg_pool2d,
    "adaptive_avg_pool2d": _adaptive_avg_pool2d,
    "global_avg_pool2d": _global_avg_pool2d,
    "global_max_pool2d": _global_max_pool2d,
    "channel_pool": _channel_pool,
    "channel_shuffle": lambda layer, x: functional.channel_shuffle(x, layer.groups),
    "pixel_shuffle": lambda layer, x: functional.pixel_shuffle(x, layer.upscale_factor),
    "flatten": _flatten,
    "unflatten": _unflatten,
    "pad": _pad,
    "rearrange": _rearrange,
    "upsample": _upsample,
    "identity": lambda layer, x: x,
    "dropout": _dropout,
    "concat": lambda layer, *xs: torch.cat(xs, 1),
    "add": lambda layer, *xs: reduce(torch.add, xs),
    "subtract": lambda layer, a, b: a - b,
    "multiply": lambda layer, *xs: reduce(torch.mul, xs),
    "maximum": lambda layer, *xs: reduce(torch.maximum, xs),
    "minimum": lambda layer, *xs: reduce(torch.minimum, xs),
    "softmax": lambda layer, x: x.softmax(1),
    "log_softmax": lambda layer, x: x.log_softmax(1),
    "relu": lambda layer, x: functional.relu(x),
    "relu6": lambda layer, x: functional.relu6(x),
    "clip": _clip,
    "leaky_relu": lambda layer, x: functional.leaky_relu(x, layer.negative_slope),
    "elu": lambda layer, x: functional.elu(x, layer.alpha),
    "selu": lambda layer, x: functional.selu(x),
    "gelu": lambda layer, x: functional.gelu(x, approximate=layer.approximate),
    "silu": lambda layer, x: functional.silu(x),
    "mish": lambda layer, x: functional.mish(x),
    "sigmoid": lambda layer, x: torch.sigmoid(x),
    "tanh": lambda layer, x: torch.tanh(x),
    "softplus": lambda layer, x: torch.logaddexp(layer.beta * x, torch.zeros_like(x)) / layer.beta,
    "softsign": lambda layer, x: functional.softsign(x),
    "hard_sigmoid": lambda layer, x: torch.clamp(layer.alpha * x + layer.beta, 0, 1),
    "hard_swish": lambda layer, x: functional.hardswish(x),
    "threshold": lambda layer, x: functional.threshold(x, layer.threshold, layer.value),
    "log_sigmoid": lambda layer, x: functional.logsigmoid(x),
    "shrink": _shrink,
}
